#include "settings.h"

#include <string.h>

#include <obs-frontend-api.h>
#include <util/dstr.h>
#include <util/platform.h>

void settings_defaults(obs_data_t *settings) {
  obs_data_set_default_string(settings, SETTING_CREDENTIALS, CREDENTIALS_ENVIRONMENT);
  obs_data_set_default_string(settings, SETTING_CHANNEL, "obs");
  obs_data_set_default_bool(settings, SETTING_CREATE, true);
}

static bool credentials_changed(obs_properties_t *properties, obs_property_t *property,
                                obs_data_t *settings) {
  UNUSED_PARAMETER(property);
  const char *credentials = obs_data_get_string(settings, SETTING_CREDENTIALS);
  obs_property_set_visible(obs_properties_get(properties, SETTING_PROFILE),
                           strcmp(credentials, CREDENTIALS_PROFILE) == 0);
  return true;
}

static void add_credentials(obs_properties_t *properties) {
  obs_property_t *list = obs_properties_add_list(
      properties, SETTING_CREDENTIALS, obs_module_text("Credentials"), OBS_COMBO_TYPE_LIST,
      OBS_COMBO_FORMAT_STRING);
  obs_property_list_add_string(list, obs_module_text("Credentials.Environment"),
                               CREDENTIALS_ENVIRONMENT);
  obs_property_list_add_string(list, obs_module_text("Credentials.Profile"), CREDENTIALS_PROFILE);
  obs_property_list_add_string(list, obs_module_text("Credentials.Local"), CREDENTIALS_LOCAL);
  obs_property_set_modified_callback(list, credentials_changed);
}

static void add_text(obs_properties_t *properties, const char *setting, const char *label,
                     const char *hint) {
  obs_property_t *text =
      obs_properties_add_text(properties, setting, obs_module_text(label), OBS_TEXT_DEFAULT);
  obs_property_set_long_description(text, obs_module_text(hint));
}

void settings_add_properties(obs_properties_t *properties, bool changeable) {
  obs_properties_add_bool(properties, SETTING_ENABLED, obs_module_text("Enabled"));
  add_credentials(properties);
  add_text(properties, SETTING_PROFILE, "Profile", "Profile.Hint");
  add_text(properties, SETTING_REGION, "Region", "Region.Hint");
  add_text(properties, SETTING_ENDPOINT, "Endpoint", "Endpoint.Hint");
  add_text(properties, SETTING_BUCKET, "Bucket", "Bucket.Hint");
  add_text(properties, SETTING_CHANNEL, "Channel", "Channel.Hint");
  add_text(properties, SETTING_PLAYLIST, "Playlist", "Playlist.Hint");
  obs_properties_add_bool(properties, SETTING_CREATE, obs_module_text("Create"));

  obs_property_t *property = obs_properties_first(properties);
  while (property && !changeable) {
    obs_property_set_enabled(property, false);
    obs_property_next(&property);
  }
}

/* Returns the file of the current profile, named after its folder; to be freed. */
static char *settings_file(void) {
  char *profile = obs_frontend_get_current_profile_path();
  const char *slash = profile ? strrchr(profile, '/') : NULL;
  struct dstr name = {0};
  dstr_printf(&name, "%s.json", slash ? slash + 1 : "default");
  char *file = obs_module_config_path(name.array);
  dstr_free(&name);
  bfree(profile);
  return file;
}

obs_data_t *settings_load(void) {
  char *file = settings_file();
  obs_data_t *settings = os_file_exists(file) ? obs_data_create_from_json_file(file) : NULL;
  bfree(file);
  return settings ? settings : obs_data_create();
}

void settings_save(obs_data_t *settings) {
  char *folder = obs_module_config_path("");
  char *file = settings_file();
  os_mkdirs(folder);
  if (!obs_data_save_json_safe(settings, file, "tmp", "bak"))
    blog(LOG_WARNING, "[osslive] the settings could not be written to %s", file);
  bfree(file);
  bfree(folder);
}
