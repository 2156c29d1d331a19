/* The thread that calls the service: it prepares a channel, polls its status once
 * or repeatedly, and updates the status line. */

#pragma once

#include <stdbool.h>

#include "channel.h"

struct watcher;

/* Prepares the channel and gets its status once. The channel must outlive the
 * watcher. */
struct watcher *watcher_start(struct channel *channel);
/* Prepares the channel and runs the diagnosis. */
struct watcher *watcher_start_diagnosing(struct channel *channel);

/* Starts polling every few seconds. */
void watcher_keep_polling(struct watcher *watcher);

/* Waits until preparing the channel succeeded or failed. False if the watcher was
 * stopped. */
bool watcher_wait_prepared(struct watcher *watcher);

/* Returns whether a problem was reported that prevents streaming. */
bool watcher_has_problem(struct watcher *watcher);

/* Ends calls in progress, and waits for the thread, which ends at once. May be
 * called again. */
void watcher_stop(struct watcher *watcher);

/* `watcher` may be NULL. */
void watcher_free(struct watcher *watcher);
