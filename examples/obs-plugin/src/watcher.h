/* The thread that talks to the service: it prepares a channel and looks at it,
 * once or again and again, and tells the status line. */

#pragma once

#include <stdbool.h>

#include "channel.h"

struct watcher;

/* Prepares the channel and looks at it once. The channel stays the caller's
 * and must outlive the watcher. */
struct watcher *watcher_start(struct channel *channel);
/* Prepares the channel and examines the whole way to it. */
struct watcher *watcher_start_examining(struct channel *channel);

/* From now on looks at it every few seconds. */
void watcher_keep_looking(struct watcher *watcher);

/* Waits until the channel is prepared or cannot be; false if the watcher was
 * stopped. */
bool watcher_wait_prepared(struct watcher *watcher);

/* Whether the service has said why a stream cannot come about. */
bool watcher_has_problem(struct watcher *watcher);

/* Ends what is under way, and waits for the thread, which ends at once. May be
 * called again. */
void watcher_stop(struct watcher *watcher);

/* NULL is fine. */
void watcher_free(struct watcher *watcher);
