/* The settings, without secrets. They are stored in the plugin's folder, in one
 * file per profile of OBS. */

#pragma once

#include <obs-module.h>

#define SETTING_ENABLED "enabled"
#define SETTING_CREDENTIALS "credentials"
#define SETTING_PROFILE "profile"
#define SETTING_REGION "region"
#define SETTING_ENDPOINT "endpoint"
#define SETTING_BUCKET "bucket"
#define SETTING_CHANNEL "channel"
#define SETTING_PLAYLIST "playlist"
#define SETTING_CREATE "create"

/* Values of SETTING_CREDENTIALS: the source of the access key. */
#define CREDENTIALS_ENVIRONMENT "environment"
#define CREDENTIALS_PROFILE "profile"
#define CREDENTIALS_LOCAL "local"

void settings_defaults(obs_data_t *settings);

/* Adds a widget for each setting, enabled if `changeable`. */
void settings_add_properties(obs_properties_t *properties, bool changeable);

/* Loads the settings of OBS's current profile, to be released by the caller. */
obs_data_t *settings_load(void);

void settings_save(obs_data_t *settings);
