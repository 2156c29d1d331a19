/* A live channel, and the client that reaches it. */

#pragma once

#include <stdbool.h>

#include <obs-data.h>
#include <util/dstr.h>

struct channel;

/* How an encoder gets to the channel: the two halves of a signed URL. Both are
 * to be freed; the key is a secret. */
struct address {
  struct dstr server;
  struct dstr key;
};

/* Each function that can fail then sets *problem to words, to be freed with
 * bfree. */

/* Sends nothing. NULL on failure. */
struct channel *channel_open(obs_data_t *settings, char **problem);

/* Ends calls under way on other threads at once, and all later ones. */
void channel_stop(struct channel *channel);

/* No call may be under way. NULL is fine. */
void channel_close(struct channel *channel);

const char *channel_name(const struct channel *channel);

/* Sends nothing; the access key is taken anew from where it comes from, as it
 * may have been replaced by a newer one. Any thread. */
bool channel_sign(struct channel *channel, struct address *address, char **problem);

/* Blocks: creates the channel if it is missing and that is wanted. */
bool channel_prepare(struct channel *channel, char **problem);

/* Blocks: what the service sees, as JSON to be freed with osslive_string_free;
 * NULL on failure. */
char *channel_look(struct channel *channel, char **problem);
/* Blocks for ten seconds at most: what is between here and a picture, as JSON to
 * be freed with osslive_string_free; NULL on failure. */
char *channel_diagnose(struct channel *channel, char **problem);
