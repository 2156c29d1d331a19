/* A thread that polls the channel's status. These calls block, and frames cannot
 * wait. */

#ifndef WATCHER_H
#define WATCHER_H

#include "channel.h"

struct watcher;

/* Polls every `interval_s` seconds. NULL if no thread can be created. */
struct watcher *watcher_start(struct channel *channel, int interval_s);

/* Also ends the channel's calls. */
void watcher_stop(struct watcher *watcher);

#endif
