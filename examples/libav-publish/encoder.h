/* Encodes raw video as H.264 and raw audio as AAC, for devices. */

#ifndef ENCODER_H
#define ENCODER_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

struct encoder;

/* Opens an encoder for the packets of a stream. Prints errors and returns NULL. */
struct encoder *encoder_open(AVFormatContext *input, AVStream *stream);
void encoder_close(struct encoder *encoder);

/* The parameters of the output, and the unit of its timestamps. */
const AVCodecContext *encoder_output(const struct encoder *encoder);

/* Sends a packet; NULL after the last one. Returns an AVERROR or 0. */
int encoder_send(struct encoder *encoder, const AVPacket *packet);

/* Returns a packet, AVERROR(EAGAIN) if it needs more input, or AVERROR_EOF after
 * the last one. */
int encoder_receive(struct encoder *encoder, AVPacket *packet);

#endif
