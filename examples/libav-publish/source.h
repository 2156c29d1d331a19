/* A file or device, read as packets of H.264 and AAC. */

#ifndef SOURCE_H
#define SOURCE_H

#include <libavformat/avformat.h>

#include <stdbool.h>

/* At most one video and one audio stream. */
#define SOURCE_MAX_STREAMS 2

struct source;

/* Opens a file or, with the name of a format of libavdevice, a device, whose
 * streams are encoded if needed. Prints errors, such as a codec that the service
 * does not support, and returns NULL. */
struct source *source_open(const char *name, const char *format);
void source_close(struct source *source);

int source_stream_count(const struct source *source);
/* The codec's parameters, which the caller frees. */
AVCodecParameters *source_parameters(const struct source *source, int stream);
/* Returns whether a stream can start at this packet. */
bool source_is_start(const struct source *source, const AVPacket *packet);

/* Returns the next packet, with the number of its stream and timestamps in
 * milliseconds since the first packet; AVERROR_EOF after the last one. */
int source_read(struct source *source, AVPacket *packet);

#endif
