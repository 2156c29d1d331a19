/* The status line of the panel. Any thread. */

#pragma once

#include <obs-properties.h>

void status_init(void);
void status_free(void);

/* Called on OBS's UI thread after the text has changed. */
void status_on_change(void (*changed)(void));

void status_set(enum obs_text_info_type type, const char *format, ...);

/* To be freed with bfree. */
char *status_get(enum obs_text_info_type *type);
