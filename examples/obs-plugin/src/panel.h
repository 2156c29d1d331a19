/* The window with the settings and the status line. OBS draws it, as the
 * properties of a source outside of any scene. */

#pragma once

#include <obs-data.h>

void panel_register(void);

/* `applied` is called on the UI thread after the user confirms the settings, and
 * `checked` after the user clicks the check button. */
void panel_init(void (*applied)(obs_data_t *settings), void (*checked)(obs_data_t *settings));

/* Applies loaded settings, and takes ownership of them. */
void panel_load(obs_data_t *settings);

/* To be released by the caller. */
obs_data_t *panel_settings(void);

void panel_open(void);

/* While streaming, the settings cannot be changed. */
void panel_lock(bool locked);

/* Updates the status line. UI thread. */
void panel_refresh(void);

void panel_free(void);
