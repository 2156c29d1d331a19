/* The RTMP connection to a channel, which comes back when it breaks. */

#ifndef UPLINK_H
#define UPLINK_H

#include "channel.h"
#include "source.h"

struct uplink;

/* Connects; tries for so many seconds, here and after each break. NULL when
 * that was in vain or the end is wanted. */
struct uplink *uplink_open(const struct channel *channel, const struct source *source,
                           int patience_s);

/* Sends a packet when it is due, by its timestamp. While nothing is connected
 * time goes on as it does for the source: what is due meanwhile is lost, and
 * the stream resumes at a key frame. False when it does not come back or the
 * end is wanted. */
bool uplink_send(struct uplink *uplink, AVPacket *packet);

/* Ends the stream in good order. */
void uplink_close(struct uplink *uplink);

#endif
