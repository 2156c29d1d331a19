/* Makes H.264 of a raw picture and AAC of raw sound, for devices. */

#ifndef ENCODER_H
#define ENCODER_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

struct encoder;

/* Takes the packets of a stream. NULL after a failure, which is told. */
struct encoder *encoder_open(AVFormatContext *input, AVStream *stream);
void encoder_close(struct encoder *encoder);

/* What it makes: parameters, and the unit of its timestamps. */
const AVCodecContext *encoder_output(const struct encoder *encoder);

/* Takes a packet; NULL after the last. An AVERROR or 0. */
int encoder_send(struct encoder *encoder, const AVPacket *packet);

/* Gives a packet; AVERROR(EAGAIN) when it needs more, AVERROR_EOF after the
 * last. */
int encoder_receive(struct encoder *encoder, AVPacket *packet);

#endif
