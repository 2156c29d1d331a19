#include "encoder.h"

#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/opt.h>

#include <stdio.h>

/* A fragment can only end at a key frame. */
#define KEY_FRAME_INTERVAL_S 2
#define AUDIO_BIT_RATE 128000

/* The formats that encoders accept, as filters. */
#define VIDEO_FORMAT "format=yuv420p"
#define AUDIO_FORMAT "aformat=sample_fmts=fltp:sample_rates=44100|48000:channel_layouts=mono|stereo"

/* Data passes through decoder, filters and encoder. */
struct encoder {
  AVCodecContext *decoder;
  AVFilterGraph *filters;
  AVFilterContext *in, *out;
  AVCodecContext *encoder;
  AVFrame *frame;
};

static int is_video(const struct encoder *encoder) {
  return encoder->decoder->codec_type == AVMEDIA_TYPE_VIDEO;
}

static int open_decoder(struct encoder *encoder, AVFormatContext *input, AVStream *stream) {
  const AVCodec *codec = avcodec_find_decoder(stream->codecpar->codec_id);
  if (!codec) return AVERROR_DECODER_NOT_FOUND;
  AVCodecContext *decoder = encoder->decoder = avcodec_alloc_context3(codec);
  int code = avcodec_parameters_to_context(decoder, stream->codecpar);
  if (code < 0) return code;
  decoder->pkt_timebase = stream->time_base;
  decoder->framerate = av_guess_frame_rate(input, stream, NULL);
  if (!is_video(encoder) && decoder->ch_layout.order == AV_CHANNEL_ORDER_UNSPEC) {
    av_channel_layout_default(&decoder->ch_layout, decoder->ch_layout.nb_channels);
  }
  return avcodec_open2(decoder, codec, NULL);
}

/* Opens the source of the filters, with the decoder's frame format. */
static int open_filter_source(struct encoder *encoder) {
  const AVCodecContext *decoder = encoder->decoder;
  const char *kind = is_video(encoder) ? "buffer" : "abuffer";
  encoder->in = avfilter_graph_alloc_filter(encoder->filters, avfilter_get_by_name(kind), "in");
  AVBufferSrcParameters *frames = av_buffersrc_parameters_alloc();
  if (!encoder->in || !frames) return AVERROR(ENOMEM);
  frames->time_base = decoder->pkt_timebase;
  frames->format = is_video(encoder) ? (int)decoder->pix_fmt : (int)decoder->sample_fmt;
  frames->width = decoder->width;
  frames->height = decoder->height;
  frames->frame_rate = decoder->framerate;
  frames->sample_aspect_ratio = decoder->sample_aspect_ratio;
  frames->sample_rate = decoder->sample_rate;
  av_channel_layout_copy(&frames->ch_layout, &decoder->ch_layout);
  int code = av_buffersrc_parameters_set(encoder->in, frames);
  av_channel_layout_uninit(&frames->ch_layout);
  av_free(frames);
  return code < 0 ? code : avfilter_init_str(encoder->in, NULL);
}

static int open_filters(struct encoder *encoder) {
  encoder->filters = avfilter_graph_alloc();
  int code = open_filter_source(encoder);
  if (code < 0) return code;
  const AVFilter *sink = avfilter_get_by_name(is_video(encoder) ? "buffersink" : "abuffersink");
  code = avfilter_graph_create_filter(&encoder->out, sink, "out", NULL, NULL, encoder->filters);
  if (code < 0) return code;

  AVFilterInOut *from = avfilter_inout_alloc(), *to = avfilter_inout_alloc();
  *from = (AVFilterInOut){.name = av_strdup("in"), .filter_ctx = encoder->in};
  *to = (AVFilterInOut){.name = av_strdup("out"), .filter_ctx = encoder->out};
  const char *text = is_video(encoder) ? VIDEO_FORMAT : AUDIO_FORMAT;
  code = avfilter_graph_parse_ptr(encoder->filters, text, &to, &from, NULL);
  avfilter_inout_free(&from);
  avfilter_inout_free(&to);
  return code < 0 ? code : avfilter_graph_config(encoder->filters, NULL);
}

static void configure_video(struct encoder *encoder, AVCodecContext *to) {
  to->width = av_buffersink_get_w(encoder->out);
  to->height = av_buffersink_get_h(encoder->out);
  to->sample_aspect_ratio = av_buffersink_get_sample_aspect_ratio(encoder->out);
  to->pix_fmt = av_buffersink_get_format(encoder->out);
  to->framerate = encoder->decoder->framerate;
  double rate = to->framerate.num > 0 ? av_q2d(to->framerate) : 25;
  to->gop_size = (int)(rate * KEY_FRAME_INTERVAL_S + 0.5);
  /* Options of libx264; other encoders do not have them. */
  av_opt_set(to->priv_data, "preset", "veryfast", 0);
  av_opt_set(to->priv_data, "tune", "zerolatency", 0);
}

static void configure_audio(struct encoder *encoder, AVCodecContext *to) {
  to->sample_rate = av_buffersink_get_sample_rate(encoder->out);
  to->sample_fmt = av_buffersink_get_format(encoder->out);
  av_buffersink_get_ch_layout(encoder->out, &to->ch_layout);
  to->bit_rate = AUDIO_BIT_RATE;
}

static int open_encoder(struct encoder *encoder) {
  enum AVCodecID id = is_video(encoder) ? AV_CODEC_ID_H264 : AV_CODEC_ID_AAC;
  const AVCodec *codec = avcodec_find_encoder(id);
  if (!codec) return AVERROR_ENCODER_NOT_FOUND;
  AVCodecContext *to = encoder->encoder = avcodec_alloc_context3(codec);
  to->time_base = av_buffersink_get_time_base(encoder->out);
  to->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  if (is_video(encoder)) configure_video(encoder, to);
  else configure_audio(encoder, to);
  int code = avcodec_open2(to, codec, NULL);
  if (code >= 0 && !is_video(encoder)) av_buffersink_set_frame_size(encoder->out, to->frame_size);
  return code;
}

struct encoder *encoder_open(AVFormatContext *input, AVStream *stream) {
  struct encoder *encoder = av_mallocz(sizeof *encoder);
  encoder->frame = av_frame_alloc();
  int code = open_decoder(encoder, input, stream);
  if (code >= 0) code = open_filters(encoder);
  if (code >= 0) code = open_encoder(encoder);
  if (code >= 0) return encoder;
  fprintf(stderr, "%s cannot be encoded: %s\n",
          avcodec_get_name(stream->codecpar->codec_id), av_err2str(code));
  encoder_close(encoder);
  return NULL;
}

void encoder_close(struct encoder *encoder) {
  if (!encoder) return;
  avcodec_free_context(&encoder->decoder);
  avfilter_graph_free(&encoder->filters);
  avcodec_free_context(&encoder->encoder);
  av_frame_free(&encoder->frame);
  av_free(encoder);
}

const AVCodecContext *encoder_output(const struct encoder *encoder) { return encoder->encoder; }

/* Sends the output of the filters to the encoder. */
static int pump_filtered(struct encoder *encoder) {
  int code;
  while ((code = av_buffersink_get_frame(encoder->out, encoder->frame)) >= 0) {
    /* The encoder chooses the key frames, not the camera. */
    encoder->frame->pict_type = AV_PICTURE_TYPE_NONE;
    code = avcodec_send_frame(encoder->encoder, encoder->frame);
    av_frame_unref(encoder->frame);
    if (code < 0) return code;
  }
  if (code == AVERROR_EOF) code = avcodec_send_frame(encoder->encoder, NULL);
  return code == AVERROR(EAGAIN) ? 0 : code;
}

int encoder_send(struct encoder *encoder, const AVPacket *packet) {
  int code = avcodec_send_packet(encoder->decoder, packet);
  /* Skip a broken frame from a camera. */
  if (code == AVERROR_INVALIDDATA) return 0;
  while (code >= 0) {
    code = avcodec_receive_frame(encoder->decoder, encoder->frame);
    if (code == AVERROR(EAGAIN)) return 0;
    if (code < 0 && code != AVERROR_EOF) break;
    if (code >= 0) encoder->frame->pts = encoder->frame->best_effort_timestamp;
    int pushed = av_buffersrc_add_frame(encoder->in, code < 0 ? NULL : encoder->frame);
    if (pushed >= 0) pushed = pump_filtered(encoder);
    if (pushed < 0) return pushed;
  }
  return code == AVERROR_EOF ? 0 : code;
}

int encoder_receive(struct encoder *encoder, AVPacket *packet) {
  return avcodec_receive_packet(encoder->encoder, packet);
}
