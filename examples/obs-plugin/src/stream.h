/* A stream from OBS to a channel, from Start Streaming to its end.
 *
 * Each time OBS connects, it gets the address from a service. During a stream,
 * its output uses a service of this plugin, which returns a newly signed URL. The
 * user's service is not changed, and signed URLs are never written to disk. */

#pragma once

#include <stdbool.h>

#include <obs-data.h>

void stream_register(void);

/* UI thread, when streaming starts, after OBS has created its output. */
void stream_begin(obs_data_t *settings);

/* UI thread, when OBS is connected. Returns whether it is to a channel of this plugin. */
bool stream_connected(void);

/* UI thread, when streaming has ended. Returns whether there is a message for the
 * user. */
bool stream_end(void);

/* Ends calls in progress, so that OBS can quit while it connects or streams. */
void stream_cancel(void);

/* After OBS's outputs are gone. */
void stream_forget(void);

/* OBS does not start streaming with a service that has no server, and does not
 * notify plugins. If the user has set up none, lends OBS a custom service with
 * this server, in memory only; NULL takes it back. */
void stream_lend(const char *server);
