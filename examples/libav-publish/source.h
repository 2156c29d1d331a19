/* A file or device, and what is published of it: packets of H.264 and AAC. */

#ifndef SOURCE_H
#define SOURCE_H

#include <libavformat/avformat.h>

#include <stdbool.h>

/* One picture and one sound at most. */
#define SOURCE_MAX_STREAMS 2

struct source;

/* Opens a file or, with the name of a format of libavdevice, a device, whose
 * streams are encoded where they have to be. NULL after a failure, or for
 * codecs that the service does not take: both are told. */
struct source *source_open(const char *name, const char *format);
void source_close(struct source *source);

int source_stream_count(const struct source *source);
/* The codec's parameters, which the caller frees. */
AVCodecParameters *source_parameters(const struct source *source, int stream);
/* Whether a stream can be joined at this packet. */
bool source_is_start(const struct source *source, const AVPacket *packet);

/* Gives the next packet, with timestamps in milliseconds since the first one
 * and the number of its stream; AVERROR_EOF after the last. */
int source_read(struct source *source, AVPacket *packet);

#endif
