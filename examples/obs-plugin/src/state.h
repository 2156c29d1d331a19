/* What the service sees of a channel, for people. */

#pragma once

#include <stdbool.h>

struct state {
  bool disabled;
  /* "Live: 1280x720, 30 fps", or "Idle: nobody streams to it"; to be freed with bfree. */
  char *shape;
  /* ", video 2.5 Mbit/s, audio 160 kbit/s", or "" while nothing was measured. */
  char *rates;
};

/* Reads the JSON of osslive_get_channel_status; false if it is none. */
bool state_read(const char *json, struct state *state);

void state_free(struct state *state);
