/* A live channel: all calls of osslive. */

#ifndef CHANNEL_H
#define CHANNEL_H

#include <stdbool.h>

struct channel;

/* Opens a channel, and creates it if it does not exist. Region, endpoint,
 * bucket and access key come from the environment. Prints errors to standard
 * error and returns NULL. */
struct channel *channel_open(const char *id);

/* Ends the calls of other threads; channel_close must be called afterwards. */
void channel_shutdown(struct channel *channel);
void channel_close(struct channel *channel);

/* Returns a newly signed publish URL, to be used soon. It is a secret; free it
 * with osslive_string_free. Prints errors and returns NULL. */
char *channel_sign(const struct channel *channel);

/* Prints the status of the channel in one line. */
void channel_print_status(const struct channel *channel);

#endif
