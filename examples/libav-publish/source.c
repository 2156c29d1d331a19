#include "source.h"

#include "encoder.h"

#include <libavdevice/avdevice.h>

#include <stdio.h>

static const AVRational MILLISECONDS = {1, 1000};

struct stream {
  AVStream *input;
  /* NULL if packets are not encoded. */
  struct encoder *encoder;
  /* The expected timestamp of the next packet, in the packets' unit. */
  int64_t next_dts;
};

struct source {
  AVFormatContext *input;
  struct stream streams[SOURCE_MAX_STREAMS];
  int count;
  bool is_at_end;
  int64_t first_ms;
};

static int open_input(struct source *source, const char *name, const char *format) {
  const AVInputFormat *device = NULL;
  avdevice_register_all();
  if (format && !(device = av_find_input_format(format))) {
    fprintf(stderr, "%s: libavdevice has no such format or device\n", format);
    return AVERROR_DEMUXER_NOT_FOUND;
  }
  int code = avformat_open_input(&source->input, name, device, NULL);
  if (code >= 0) code = avformat_find_stream_info(source->input, NULL);
  if (code < 0) fprintf(stderr, "%s: %s\n", name, av_err2str(code));
  return code;
}

static bool is_publishable(const AVStream *stream) {
  enum AVCodecID id = stream->codecpar->codec_id;
  return id == AV_CODEC_ID_H264 || id == AV_CODEC_ID_AAC;
}

/* Reports the codec, and how to convert the file. */
static int reject(const char *name, const AVStream *stream) {
  bool is_video = stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO;
  fprintf(stderr, "%s: its %s is %s; OSS accepts only H.264 and AAC. Convert it first:\n", name,
          is_video ? "video" : "audio", avcodec_get_name(stream->codecpar->codec_id));
  fprintf(stderr, "  ffmpeg -i %s -c:v libx264 -pix_fmt yuv420p -c:a aac converted.mp4\n", name);
  return AVERROR_PATCHWELCOME;
}

/* Adds the best stream of a kind, if there is one. */
static int add_stream(struct source *source, enum AVMediaType kind, const char *name, bool encodes) {
  int index = av_find_best_stream(source->input, kind, -1, -1, NULL, 0);
  if (index < 0) return 0;
  AVStream *stream = source->input->streams[index];
  /* Album covers are video streams too. */
  if (stream->disposition & AV_DISPOSITION_ATTACHED_PIC) return 0;
  struct encoder *encoder = NULL;
  if (!is_publishable(stream)) {
    if (!encodes) return reject(name, stream);
    if (!(encoder = encoder_open(source->input, stream))) return AVERROR_EXTERNAL;
  }
  stream->discard = AVDISCARD_DEFAULT;
  source->streams[source->count++] = (struct stream){stream, encoder, AV_NOPTS_VALUE};
  return 0;
}

static int choose_streams(struct source *source, const char *name, bool encodes) {
  for (unsigned i = 0; i < source->input->nb_streams; i++) {
    source->input->streams[i]->discard = AVDISCARD_ALL;
  }
  int code = add_stream(source, AVMEDIA_TYPE_VIDEO, name, encodes);
  if (code >= 0) code = add_stream(source, AVMEDIA_TYPE_AUDIO, name, encodes);
  if (code >= 0 && source->count == 0) {
    fprintf(stderr, "%s: contains neither video nor audio\n", name);
    code = AVERROR_STREAM_NOT_FOUND;
  }
  return code;
}

struct source *source_open(const char *name, const char *format) {
  struct source *source = av_mallocz(sizeof *source);
  source->first_ms = AV_NOPTS_VALUE;
  int code = open_input(source, name, format);
  if (code >= 0) code = choose_streams(source, name, format != NULL);
  if (code >= 0) return source;
  source_close(source);
  return NULL;
}

void source_close(struct source *source) {
  for (int i = 0; i < source->count; i++) encoder_close(source->streams[i].encoder);
  avformat_close_input(&source->input);
  av_free(source);
}

int source_stream_count(const struct source *source) { return source->count; }

AVCodecParameters *source_parameters(const struct source *source, int stream) {
  const struct stream *from = &source->streams[stream];
  AVCodecParameters *parameters = avcodec_parameters_alloc();
  if (from->encoder) avcodec_parameters_from_context(parameters, encoder_output(from->encoder));
  else avcodec_parameters_copy(parameters, from->input->codecpar);
  /* Each container has its own tags. */
  parameters->codec_tag = 0;
  return parameters;
}

bool source_is_start(const struct source *source, const AVPacket *packet) {
  enum AVMediaType first = source->streams[0].input->codecpar->codec_type;
  bool is_audio_only = first == AVMEDIA_TYPE_AUDIO;
  return packet->stream_index == 0 && (is_audio_only || packet->flags & AV_PKT_FLAG_KEY);
}

/* Returns the next packet of any encoder. */
static int receive_encoded(struct source *source, AVPacket *packet) {
  for (int i = 0; i < source->count; i++) {
    struct encoder *encoder = source->streams[i].encoder;
    int code = encoder ? encoder_receive(encoder, packet) : AVERROR(EAGAIN);
    if (code >= 0) {
      packet->stream_index = i;
      packet->time_base = encoder_output(encoder)->time_base;
    }
    if (code != AVERROR(EAGAIN) && code != AVERROR_EOF) return code;
  }
  return AVERROR(EAGAIN);
}

static int end(struct source *source) {
  source->is_at_end = true;
  for (int i = 0; i < source->count; i++) {
    struct encoder *encoder = source->streams[i].encoder;
    int code = encoder ? encoder_send(encoder, NULL) : 0;
    if (code < 0) return code;
  }
  return 0;
}

/* Reads a packet. If its stream is encoded, sends it to the encoder and returns
 * AVERROR(EAGAIN). */
static int read_input(struct source *source, AVPacket *packet) {
  int code = av_read_frame(source->input, packet);
  if (code == AVERROR_EOF) code = end(source);
  else if (code < 0) return code;
  if (source->is_at_end) return code < 0 ? code : AVERROR(EAGAIN);
  for (int i = 0; i < source->count; i++) {
    struct stream *stream = &source->streams[i];
    if (stream->input->index != packet->stream_index) continue;
    if (!stream->encoder) {
      packet->stream_index = i;
      packet->time_base = stream->input->time_base;
      return 0;
    }
    code = encoder_send(stream->encoder, packet);
    break;
  }
  av_packet_unref(packet);
  return code < 0 ? code : AVERROR(EAGAIN);
}

/* Matroska stores presentation times, not decoding times; libav computes the
 * latter, except for the first frames. */
static void complete_times(struct stream *stream, AVPacket *packet) {
  if (packet->dts == AV_NOPTS_VALUE) packet->dts = stream->next_dts;
  if (packet->dts == AV_NOPTS_VALUE && packet->pts != AV_NOPTS_VALUE) {
    packet->dts = packet->pts - stream->input->codecpar->video_delay * packet->duration;
  }
  if (packet->dts == AV_NOPTS_VALUE) packet->dts = 0;
  if (packet->pts == AV_NOPTS_VALUE) packet->pts = packet->dts;
  stream->next_dts = packet->dts + packet->duration;
}

/* Converts timestamps to milliseconds since the first packet. */
static void restamp(struct source *source, AVPacket *packet) {
  complete_times(&source->streams[packet->stream_index], packet);
  av_packet_rescale_ts(packet, packet->time_base, MILLISECONDS);
  packet->time_base = MILLISECONDS;
  if (source->first_ms == AV_NOPTS_VALUE) source->first_ms = packet->dts;
  packet->pts -= source->first_ms;
  packet->dts -= source->first_ms;
  packet->pos = -1;
}

int source_read(struct source *source, AVPacket *packet) {
  int code;
  while ((code = receive_encoded(source, packet)) == AVERROR(EAGAIN)) {
    if (source->is_at_end) return AVERROR_EOF;
    code = read_input(source, packet);
    if (code != AVERROR(EAGAIN)) break;
  }
  if (code >= 0) restamp(source, packet);
  return code;
}
