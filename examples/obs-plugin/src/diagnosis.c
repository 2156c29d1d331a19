#include "diagnosis.h"

#include <string.h>

#include <obs-module.h>
#include <util/dstr.h>

/* Adds the checks of one verdict, each with what to do. */
static void add_checks(struct dstr *words, obs_data_array_t *checks, const char *verdict) {
  for (size_t i = 0; i < obs_data_array_count(checks); i++) {
    obs_data_t *check = obs_data_array_item(checks, i);
    if (strcmp(obs_data_get_string(check, "verdict"), verdict) == 0) {
      const char *advice = obs_data_get_string(check, "advice");
      dstr_catf(words, "%s%s: %s", dstr_is_empty(words) ? "" : "\n",
                obs_data_get_string(check, "id"), obs_data_get_string(check, "seen"));
      if (*advice) dstr_catf(words, "\n→ %s", advice);
    }
    obs_data_release(check);
  }
}

char *diagnosis_words(const char *json, enum obs_text_info_type *type) {
  struct dstr words = {0};
  obs_data_t *diagnosis = obs_data_create_from_json(json);
  obs_data_array_t *checks = obs_data_get_array(diagnosis, "checks");
  add_checks(&words, checks, "problem");
  add_checks(&words, checks, "warning");
  *type = OBS_TEXT_INFO_NORMAL;
  if (obs_data_get_int(diagnosis, "warnings") > 0) *type = OBS_TEXT_INFO_WARNING;
  if (obs_data_get_int(diagnosis, "problems") > 0) *type = OBS_TEXT_INFO_ERROR;
  if (dstr_is_empty(&words)) dstr_copy(&words, obs_module_text("Status.Healthy"));
  obs_data_array_release(checks);
  obs_data_release(diagnosis);
  return words.array;
}
