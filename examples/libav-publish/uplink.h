/* The RTMP connection to a channel; reconnects if it is lost. */

#ifndef UPLINK_H
#define UPLINK_H

#include "channel.h"
#include "source.h"

struct uplink;

/* Connects. Here and whenever the connection is lost, tries for `connect_limit_s`
 * seconds. NULL if that fails, or when stopped. */
struct uplink *uplink_open(const struct channel *channel, const struct source *source,
                           int connect_limit_s);

/* Sends a packet when it is due, according to its timestamp. Packets that are due
 * while not connected are dropped; the stream resumes at a key frame. False if it
 * cannot reconnect, or when stopped. */
bool uplink_send(struct uplink *uplink, AVPacket *packet);

/* Ends the stream cleanly. */
void uplink_close(struct uplink *uplink);

#endif
