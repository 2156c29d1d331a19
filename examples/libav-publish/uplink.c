#include "uplink.h"

#include "stop.h"

#include <osslive.h>

#include <stdio.h>
#include <string.h>

/* The time limit for connecting, and for each write. */
#define TIMEOUT_MS 10000
#define MIN_BACKOFF_MS 500
#define MAX_BACKOFF_MS 8000

struct uplink {
  const struct channel *channel;
  const struct source *source;
  int64_t connect_limit_ms;
  /* NULL while not connected. */
  AVFormatContext *muxer;
  /* On the clock of stop_now. */
  int64_t deadline;
  bool is_connecting;
  /* When the packet with the timestamp 0 was due; 0 before the first packet. */
  int64_t started;
  /* The first timestamp of this connection; earlier packets are dropped. */
  int64_t from;
  bool waits_for_start;
};

/* Called by libav while it waits for the network. */
static int is_interrupted(void *data) {
  const struct uplink *uplink = data;
  return stop_now() > uplink->deadline || (uplink->is_connecting && stop_is_requested());
}

/* Describes why a connection failed. If the server rejects it, libav logs the
 * server's message and returns -1, which would mean EPERM. */
static const char *reason(int code) {
  static char text[AV_ERROR_MAX_STRING_SIZE];
  if (code == -1) return "rejected";
  if (code == AVERROR_EXIT) return "no response";
  return av_make_error_string(text, sizeof text, code);
}

/* Prints the URL without its query, which is secret, and when it expires. */
static void print_target(const char *url) {
  const char *expires = strstr(url, "Expires=");
  printf("publishing to %.*s with a URL signed until %.10s\n", (int)strcspn(url, "?"), url,
         expires ? expires + strlen("Expires=") : "?");
}

static void disconnect(struct uplink *uplink) {
  if (!uplink->muxer) return;
  uplink->deadline = stop_now() + TIMEOUT_MS;
  avio_closep(&uplink->muxer->pb);
  avformat_free_context(uplink->muxer);
  uplink->muxer = NULL;
}

static int add_streams(struct uplink *uplink) {
  for (int i = 0; i < source_stream_count(uplink->source); i++) {
    AVStream *stream = avformat_new_stream(uplink->muxer, NULL);
    if (!stream) return AVERROR(ENOMEM);
    avcodec_parameters_free(&stream->codecpar);
    stream->codecpar = source_parameters(uplink->source, i);
    stream->time_base = (AVRational){1, 1000};
  }
  return 0;
}

/* Signs a URL and connects to it, once. */
static int connect_once(struct uplink *uplink) {
  char *url = channel_sign(uplink->channel);
  if (!url) return AVERROR_EXTERNAL;
  AVIOInterruptCB interrupt = {is_interrupted, uplink};
  AVDictionary *options = NULL;
  /* A stream has no duration to be written at its end. */
  av_dict_set(&options, "flvflags", "no_duration_filesize", 0);
  int code = avformat_alloc_output_context2(&uplink->muxer, NULL, "flv", NULL);
  uplink->deadline = stop_now() + TIMEOUT_MS;
  uplink->is_connecting = true;
  if (code >= 0) code = add_streams(uplink);
  if (code >= 0) code = avio_open2(&uplink->muxer->pb, url, AVIO_FLAG_WRITE, &interrupt, NULL);
  if (code >= 0) code = avformat_write_header(uplink->muxer, &options);
  uplink->is_connecting = false;
  av_dict_free(&options);
  if (code >= 0) print_target(url);
  else disconnect(uplink);
  osslive_string_free(url);
  return code;
}

/* Retries with increasing backoff until connected. */
static bool reconnect(struct uplink *uplink) {
  int64_t until = stop_now() + uplink->connect_limit_ms, backoff = MIN_BACKOFF_MS;
  int code;
  while (!stop_is_requested() && (code = connect_once(uplink)) < 0 && !stop_is_requested()) {
    if (stop_now() + backoff > until) {
      fprintf(stderr, "could not connect (%s) within %lld s: giving up\n", reason(code),
              (long long)uplink->connect_limit_ms / 1000);
      return false;
    }
    fprintf(stderr, "could not connect (%s); retrying in %.1f s\n", reason(code),
            backoff / 1000.0);
    stop_wait_until(stop_now() + backoff);
    backoff = backoff * 2 < MAX_BACKOFF_MS ? backoff * 2 : MAX_BACKOFF_MS;
  }
  uplink->from = uplink->started ? stop_now() - uplink->started : INT64_MIN;
  uplink->waits_for_start = true;
  return uplink->muxer != NULL;
}

struct uplink *uplink_open(const struct channel *channel, const struct source *source,
                           int connect_limit_s) {
  struct uplink *uplink = av_mallocz(sizeof *uplink);
  uplink->channel = channel;
  uplink->source = source;
  uplink->connect_limit_ms = connect_limit_s * INT64_C(1000);
  if (reconnect(uplink)) return uplink;
  uplink_close(uplink);
  return NULL;
}

/* Returns whether this connection sends a packet. */
static bool should_send(struct uplink *uplink, const AVPacket *packet) {
  if (packet->dts < uplink->from) return false;
  if (!uplink->waits_for_start) return true;
  if (!source_is_start(uplink->source, packet)) return false;
  uplink->waits_for_start = false;
  /* No audio before the first video frame. */
  uplink->from = packet->dts;
  return true;
}

bool uplink_send(struct uplink *uplink, AVPacket *packet) {
  if (!uplink->started) uplink->started = stop_now() - packet->dts;
  stop_wait_until(uplink->started + packet->dts);
  if (stop_is_requested() || (!uplink->muxer && !reconnect(uplink))) return false;
  if (!should_send(uplink, packet)) return true;
  AVRational unit = uplink->muxer->streams[packet->stream_index]->time_base;
  av_packet_rescale_ts(packet, packet->time_base, unit);
  uplink->deadline = stop_now() + TIMEOUT_MS;
  int code = av_interleaved_write_frame(uplink->muxer, packet);
  if (code < 0) {
    fprintf(stderr, "the connection was lost (%s)\n", reason(code));
    disconnect(uplink);
  }
  return true;
}

void uplink_close(struct uplink *uplink) {
  uplink->deadline = stop_now() + TIMEOUT_MS;
  if (uplink->muxer) av_write_trailer(uplink->muxer);
  disconnect(uplink);
  av_free(uplink);
}
