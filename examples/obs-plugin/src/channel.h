/* A live channel and its client. */

#pragma once

#include <stdbool.h>

#include <obs-data.h>
#include <util/dstr.h>

struct channel;

/* The two parts of a signed URL for an encoder. Free both; the key is secret. */
struct address {
  struct dstr server;
  struct dstr key;
};

/* If a function fails, it sets *problem to a message, to be freed with bfree. */

/* Sends nothing. NULL on failure. */
struct channel *channel_open(obs_data_t *settings, char **problem);

/* Ends calls of other threads at once; all later calls fail. */
void channel_stop(struct channel *channel);

/* No calls may be in progress. `channel` may be NULL. */
void channel_close(struct channel *channel);

const char *channel_name(const struct channel *channel);

/* Sends nothing. Loads the access key again, because it may have been replaced.
 * Any thread. */
bool channel_sign(struct channel *channel, struct address *address, char **problem);

/* Blocks. Creates the channel if it is missing and the setting is on. */
bool channel_prepare(struct channel *channel, char **problem);

/* Blocks. Returns the status as JSON, to be freed with osslive_string_free; NULL
 * on failure. */
char *channel_get_status(struct channel *channel, char **problem);
/* Blocks for at most ten seconds. Returns the diagnosis as JSON, to be freed with
 * osslive_string_free; NULL on failure. */
char *channel_diagnose(struct channel *channel, char **problem);
