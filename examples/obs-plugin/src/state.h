/* The status of a channel, human-readable. */

#pragma once

#include <stdbool.h>

struct state {
  bool disabled;
  /* "Live: 1280x720, 30 fps", or "Idle: no stream"; to be freed with bfree. */
  char *shape;
  /* ", video 2.5 Mbit/s, audio 160 kbit/s", or "" before the first measurement. */
  char *rates;
};

/* Parses the JSON of osslive_get_channel_status; false if it is invalid. */
bool state_read(const char *json, struct state *state);

void state_free(struct state *state);
