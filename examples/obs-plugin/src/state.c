#include "state.h"

#include <string.h>

#include <obs-module.h>
#include <util/dstr.h>

/* Adds a rate in kbit/s or Mbit/s. */
static void add_rate(struct dstr *text, const char *what, long long bytes_per_second) {
  double kilobits = (double)bytes_per_second * 8 / 1000;
  if (kilobits >= 1000)
    dstr_catf(text, ", %s %.1f Mbit/s", what, kilobits / 1000);
  else
    dstr_catf(text, ", %s %.0f kbit/s", what, kilobits);
}

static void add_video(struct dstr *shape, struct dstr *rates, obs_data_t *video) {
  dstr_catf(shape, ": %lldx%lld, %lld fps", obs_data_get_int(video, "width"),
            obs_data_get_int(video, "height"), obs_data_get_int(video, "frameRate"));
  long long bandwidth = obs_data_get_int(video, "bandwidth");
  if (bandwidth > 0) add_rate(rates, "video", bandwidth);
}

bool state_read(const char *json, struct state *state) {
  obs_data_t *data = obs_data_create_from_json(json);
  if (!data) return false;
  const char *status = obs_data_get_string(data, "status");
  obs_data_t *video = obs_data_get_obj(data, "video");
  obs_data_t *audio = obs_data_get_obj(data, "audio");
  struct dstr shape = {0}, rates = {0};

  dstr_copy(&shape, strcmp(status, "Idle") == 0 ? obs_module_text("State.Idle") : status);
  if (video) add_video(&shape, &rates, video);
  long long audio_rate = audio ? obs_data_get_int(audio, "bandwidth") : 0;
  if (audio_rate > 0) add_rate(&rates, "audio", audio_rate);
  *state = (struct state){
      .disabled = strcmp(status, "Disabled") == 0,
      .shape = bstrdup(shape.array ? shape.array : ""),
      .rates = bstrdup(rates.array ? rates.array : ""),
  };

  dstr_free(&shape);
  dstr_free(&rates);
  obs_data_release(audio);
  obs_data_release(video);
  obs_data_release(data);
  return true;
}

void state_free(struct state *state) {
  bfree(state->shape);
  bfree(state->rates);
  *state = (struct state){0};
}
