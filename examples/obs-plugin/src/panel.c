#include "panel.h"

#include <obs-frontend-api.h>
#include <obs-module.h>

#include "settings.h"
#include "status.h"

#define ID "osslive_panel"

static obs_source_t *panel;
static bool is_locked;
static bool is_loading;
static void (*on_applied)(obs_data_t *settings);
static void (*on_checked)(obs_data_t *settings);

static const char *get_name(void *unused) {
  UNUSED_PARAMETER(unused);
  return obs_module_text("Plugin");
}

/* Returns any value but NULL, which means failure; there is no data. */
static void *create(obs_data_t *settings, obs_source_t *source) {
  UNUSED_PARAMETER(settings);
  return source;
}

static void destroy(void *data) { UNUSED_PARAMETER(data); }

static void update(void *data, obs_data_t *settings) {
  UNUSED_PARAMETER(data);
  if (!is_loading) on_applied(settings);
}

static bool check(obs_properties_t *properties, obs_property_t *property, void *data) {
  UNUSED_PARAMETER(properties);
  UNUSED_PARAMETER(property);
  UNUSED_PARAMETER(data);
  obs_data_t *settings = panel_settings();
  on_checked(settings);
  obs_data_release(settings);
  return false;
}

static void add_status(obs_properties_t *properties) {
  enum obs_text_info_type type;
  char *text = status_get(&type);
  obs_property_t *status = obs_properties_add_text(properties, "status", text, OBS_TEXT_INFO);
  obs_property_text_set_info_type(status, type);
  bfree(text);
}

static obs_properties_t *get_properties(void *data) {
  UNUSED_PARAMETER(data);
  obs_properties_t *properties = obs_properties_create();
  obs_properties_set_flags(properties, OBS_PROPERTIES_DEFER_UPDATE);
  settings_add_properties(properties, !is_locked);
  obs_property_t *button =
      obs_properties_add_button2(properties, "check", obs_module_text("Check"), check, NULL);
  obs_property_set_enabled(button, !is_locked);
  add_status(properties);
  return properties;
}

void panel_register(void) {
  static const struct obs_source_info info = {
      .id = ID,
      .type = OBS_SOURCE_TYPE_INPUT,
      /* Not offered as a source. */
      .output_flags = OBS_SOURCE_CAP_DISABLED,
      .get_name = get_name,
      .create = create,
      .destroy = destroy,
      .update = update,
      .get_defaults = settings_defaults,
      .get_properties = get_properties,
  };
  obs_register_source(&info);
}

void panel_init(void (*applied)(obs_data_t *settings), void (*checked)(obs_data_t *settings)) {
  on_applied = applied;
  on_checked = checked;
  panel = obs_source_create_private(ID, obs_module_text("Plugin"), NULL);
}

void panel_load(obs_data_t *settings) {
  is_loading = true;
  obs_source_reset_settings(panel, settings);
  is_loading = false;
  obs_data_release(settings);
  panel_refresh();
}

obs_data_t *panel_settings(void) { return obs_source_get_settings(panel); }

void panel_open(void) { obs_frontend_open_source_properties(panel); }

void panel_lock(bool locked) {
  is_locked = locked;
  panel_refresh();
}

void panel_refresh(void) {
  if (panel && obs_source_showing(panel)) obs_source_update_properties(panel);
}

void panel_free(void) {
  obs_source_release(panel);
  panel = NULL;
}
