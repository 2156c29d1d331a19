/* libav-publish: publishes a file or device to a live channel on OSS, in real
 * time. */

#include "channel.h"
#include "source.h"
#include "stop.h"
#include "uplink.h"
#include "watcher.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { EXIT_USAGE = 2 };

static const char HELP[] =
    "usage: libav-publish [-f FORMAT] [-i SECONDS] [-w SECONDS] INPUT CHANNEL\n"
    "\n"
    "Publishes a file or device to a live channel on OSS in real time. The channel\n"
    "is created if it is missing. When the connection breaks, the stream resumes\n"
    "with a newly signed URL. Ctrl-C ends it cleanly.\n"
    "\n"
    "  -f FORMAT   format of INPUT, or its libavdevice device (v4l2, alsa, lavfi ...);\n"
    "              codecs other than H.264 and AAC are encoded\n"
    "  -i SECONDS  interval for polling the channel's status [default: 5]\n"
    "  -w SECONDS  time limit for attempts to connect [default: 60]\n"
    "  -h          show this help\n"
    "\n"
    "Region, endpoint, bucket and access key come from OSS_REGION, OSS_ENDPOINT,\n"
    "OSS_BUCKET, OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET and, for a temporary key,\n"
    "OSS_SESSION_TOKEN.\n"
    "\n"
    "Exit status: 0 at the end of the input or after Ctrl-C; 1 if the access key,\n"
    "service or connection failed; 2 for an invalid command line or an input that\n"
    "cannot be published.\n";

struct options {
  const char *input, *format, *channel;
  int interval_s, connect_limit_s;
};

/* Parses a number of seconds up to a day; ends the program if invalid. */
static int seconds(const char *text) {
  char *end;
  long value = strtol(text, &end, 10);
  if (*end || end == text || value < 1 || value > 86400) {
    fprintf(stderr, "%s: must be a number of seconds from 1 to 86400\n", text);
    exit(EXIT_USAGE);
  }
  return (int)value;
}

static struct options read_options(int argc, char **argv) {
  struct options options = {.interval_s = 5, .connect_limit_s = 60};
  int letter;
  while ((letter = getopt(argc, argv, "f:i:w:h")) != -1) {
    switch (letter) {
      case 'f': options.format = optarg; break;
      case 'i': options.interval_s = seconds(optarg); break;
      case 'w': options.connect_limit_s = seconds(optarg); break;
      case 'h': fputs(HELP, stdout); exit(EXIT_SUCCESS);
      default: fputs(HELP, stderr); exit(EXIT_USAGE);
    }
  }
  if (argc - optind != 2) {
    fputs(HELP, stderr);
    exit(EXIT_USAGE);
  }
  options.input = argv[optind];
  options.channel = argv[optind + 1];
  return options;
}

/* Sends the source. Returns whether it reached the end or was stopped. */
static bool publish(struct source *source, const struct channel *channel, int connect_limit_s) {
  struct uplink *uplink = uplink_open(channel, source, connect_limit_s);
  if (!uplink) return stop_is_requested();
  AVPacket *packet = av_packet_alloc();
  int code = 0;
  bool is_sending = true;
  while (is_sending && (code = source_read(source, packet)) >= 0) {
    is_sending = uplink_send(uplink, packet);
    av_packet_unref(packet);
  }
  if (code < 0 && code != AVERROR_EOF) {
    fprintf(stderr, "the input ended early: %s\n", av_err2str(code));
  }
  av_packet_free(&packet);
  uplink_close(uplink);
  return code == AVERROR_EOF || stop_is_requested();
}

int main(int argc, char **argv) {
  struct options options = read_options(argc, argv);
  setvbuf(stdout, NULL, _IOLBF, 0);
  av_log_set_level(AV_LOG_ERROR);
  stop_listen();

  struct source *source = source_open(options.input, options.format);
  if (!source) return EXIT_USAGE;
  struct channel *channel = channel_open(options.channel);
  bool is_done = false;
  if (channel) {
    struct watcher *watcher = watcher_start(channel, options.interval_s);
    is_done = publish(source, channel, options.connect_limit_s);
    if (watcher) watcher_stop(watcher);
    channel_close(channel);
  }
  source_close(source);
  if (is_done) puts(stop_is_requested() ? "stopped" : "reached the end of the input");
  return is_done ? EXIT_SUCCESS : EXIT_FAILURE;
}
