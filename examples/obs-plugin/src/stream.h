/* One stream of OBS to a channel, from Start Streaming to its end.
 *
 * OBS asks a service where to connect, each time that it connects. While a
 * stream lasts its output has a service of this plugin, which answers with a
 * URL that is signed at that moment. The service that the user set up stays
 * as it is, and no signed URL is ever written to disk. */

#pragma once

#include <stdbool.h>

#include <obs-data.h>

void stream_register(void);

/* UI thread, when streaming starts and OBS has made its output. */
void stream_begin(obs_data_t *settings);

/* UI thread, when OBS is connected. Returns whether to a channel of ours. */
bool stream_connected(void);

/* UI thread, when streaming has ended. Returns whether it ended with something
 * that the user should read. */
bool stream_end(void);

/* Ends calls under way, so that OBS can quit while it connects or streams. */
void stream_cancel(void);

/* After OBS's outputs are gone. */
void stream_forget(void);

/* The button Start Streaming refuses a service without a server before it tells
 * anyone. Where the user has set up none, lends OBS a custom one with this
 * server, in memory only; NULL takes it back. */
void stream_lend(const char *server);
