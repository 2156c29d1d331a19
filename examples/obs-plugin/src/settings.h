/* What the user chose. It is kept in the plugin's own folder, a file for each
 * profile of OBS, and never holds a secret. */

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

/* Values of SETTING_CREDENTIALS: where the access key comes from. */
#define CREDENTIALS_ENVIRONMENT "environment"
#define CREDENTIALS_PROFILE "profile"
#define CREDENTIALS_LOCAL "local"

void settings_defaults(obs_data_t *settings);

/* Adds a widget for each setting; they can be changed if `changeable`. */
void settings_add_properties(obs_properties_t *properties, bool changeable);

/* The settings of OBS's current profile, to be released. */
obs_data_t *settings_load(void);

void settings_save(obs_data_t *settings);
