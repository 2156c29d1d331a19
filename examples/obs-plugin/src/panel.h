/* The window with the settings and the status line. OBS draws it: it is the
 * properties of a source that stands in no scene. */

#pragma once

#include <obs-data.h>

void panel_register(void);

/* `applied` is called on the UI thread when the user has confirmed the
 * settings, `checked` when the button that checks them was pressed. */
void panel_init(void (*applied)(obs_data_t *settings), void (*checked)(obs_data_t *settings));

/* Takes over settings that were read. */
void panel_load(obs_data_t *settings);

/* To be released. */
obs_data_t *panel_settings(void);

void panel_open(void);

/* While it streams the settings cannot be changed. */
void panel_lock(bool locked);

/* Shows the status line anew. UI thread. */
void panel_refresh(void);

void panel_free(void);
