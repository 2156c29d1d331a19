/* A thread that asks the service for the channel's status again and again, as
 * such calls block and frames do not wait. */

#ifndef WATCHER_H
#define WATCHER_H

#include "channel.h"

struct watcher;

/* Asks each so many seconds. NULL where no thread can be had. */
struct watcher *watcher_start(struct channel *channel, int interval_s);

/* Ends the calls of the channel as well. */
void watcher_stop(struct watcher *watcher);

#endif
