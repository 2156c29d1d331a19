#include "diagnosis.h"

#include <string.h>

#include <obs-module.h>
#include <util/dstr.h>

/* Adds the checks with one verdict, and their advice. */
static void add_checks(struct dstr *message, obs_data_array_t *checks, const char *verdict) {
  for (size_t i = 0; i < obs_data_array_count(checks); i++) {
    obs_data_t *check = obs_data_array_item(checks, i);
    if (strcmp(obs_data_get_string(check, "verdict"), verdict) == 0) {
      const char *advice = obs_data_get_string(check, "advice");
      dstr_catf(message, "%s%s: %s", dstr_is_empty(message) ? "" : "\n",
                obs_data_get_string(check, "id"), obs_data_get_string(check, "seen"));
      if (*advice) dstr_catf(message, "\n→ %s", advice);
    }
    obs_data_release(check);
  }
}

char *diagnosis_message(const char *json, enum obs_text_info_type *type) {
  struct dstr message = {0};
  obs_data_t *diagnosis = obs_data_create_from_json(json);
  obs_data_array_t *checks = obs_data_get_array(diagnosis, "checks");
  add_checks(&message, checks, "problem");
  add_checks(&message, checks, "warning");
  *type = OBS_TEXT_INFO_NORMAL;
  if (obs_data_get_int(diagnosis, "warnings") > 0) *type = OBS_TEXT_INFO_WARNING;
  if (obs_data_get_int(diagnosis, "problems") > 0) *type = OBS_TEXT_INFO_ERROR;
  if (dstr_is_empty(&message)) dstr_copy(&message, obs_module_text("Status.Healthy"));
  obs_data_array_release(checks);
  obs_data_release(diagnosis);
  return message.array;
}
