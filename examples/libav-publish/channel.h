/* A live channel of the service: everything that goes through osslive. */

#ifndef CHANNEL_H
#define CHANNEL_H

#include <stdbool.h>

struct channel;

/* Leads to a channel, and creates it if there is none of that name. Region or
 * endpoint, bucket and access key come from the environment. NULL after a
 * failure, which is told on standard error. */
struct channel *channel_open(const char *id);

/* Ends what other threads wait for; channel_close comes later. */
void channel_shutdown(struct channel *channel);
void channel_close(struct channel *channel);

/* A freshly signed URL to publish to, good for a connection soon: a secret,
 * for osslive_string_free. NULL after a failure, which is told. */
char *channel_sign(const struct channel *channel);

/* Prints in a line what the service sees of the channel. */
void channel_print_status(const struct channel *channel);

#endif
