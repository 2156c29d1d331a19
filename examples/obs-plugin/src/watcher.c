#include "watcher.h"

#include <errno.h>
#include <string.h>

#include <obs-module.h>
#include <osslive.h>
#include <util/threading.h>

#include "diagnosis.h"
#include "state.h"
#include "status.h"

#define INTERVAL_MS 3000
/* A line in the log for every minute of a stream. */
#define LOOKS_PER_LINE 20

struct watcher {
  struct channel *channel;
  pthread_t thread;
  bool running;
  bool examines;
  os_event_t *prepared;
  os_event_t *stop;
  volatile bool keeps_looking;
  volatile bool has_problem;
  /* The shape or problem that the log told last, and how many looks ago. */
  char *told;
  int looks;
};

/* Whether the log has not just told it. */
static bool is_news(struct watcher *watcher, const char *text) {
  if (watcher->told && strcmp(watcher->told, text) == 0) return false;
  bfree(watcher->told);
  watcher->told = bstrdup(text);
  return true;
}

/* Words that come of a stop are of no interest. */
static void tell_problem(struct watcher *watcher, char *problem) {
  if (os_event_try(watcher->stop) == EAGAIN) {
    os_atomic_set_bool(&watcher->has_problem, true);
    status_set(OBS_TEXT_INFO_ERROR, "%s", problem);
    if (is_news(watcher, problem)) blog(LOG_WARNING, "[osslive] %s", problem);
  }
  bfree(problem);
}

static void log_state(struct watcher *watcher, const struct state *state) {
  bool changed = is_news(watcher, state->shape);
  bool measured = *state->rates && watcher->looks < 0;
  if (changed || measured || watcher->looks >= LOOKS_PER_LINE) {
    blog(LOG_INFO, "[osslive] %s: %s%s", channel_name(watcher->channel), state->shape,
         state->rates);
    /* Rates come a little after the picture: tell the first ones too. */
    watcher->looks = *state->rates ? 0 : -LOOKS_PER_LINE;
  }
  watcher->looks++;
}

static void tell_state(struct watcher *watcher, const struct state *state) {
  const char *name = channel_name(watcher->channel);
  if (state->disabled) {
    char *problem = bstrdup(obs_module_text("Advice.Disabled"));
    tell_problem(watcher, problem);
    return;
  }
  os_atomic_set_bool(&watcher->has_problem, false);
  status_set(OBS_TEXT_INFO_NORMAL, "%s: %s%s", name, state->shape, state->rates);
  log_state(watcher, state);
}

static void look(struct watcher *watcher) {
  char *problem = NULL;
  struct state state;
  char *json = channel_look(watcher->channel, &problem);
  if (problem) {
    tell_problem(watcher, problem);
  } else if (state_read(json, &state)) {
    tell_state(watcher, &state);
    state_free(&state);
  }
  osslive_string_free(json);
}

static void examine(struct watcher *watcher) {
  char *problem = NULL;
  enum obs_text_info_type type;
  char *json = channel_diagnose(watcher->channel, &problem);
  if (problem) {
    tell_problem(watcher, problem);
  } else if (os_event_try(watcher->stop) == EAGAIN) {
    char *words = diagnosis_words(json, &type);
    status_set(type, "%s", words);
    blog(type == OBS_TEXT_INFO_NORMAL ? LOG_INFO : LOG_WARNING, "[osslive] %s: %s",
         channel_name(watcher->channel), words);
    bfree(words);
  }
  osslive_string_free(json);
}

static void *watch(void *data) {
  struct watcher *watcher = data;
  char *problem = NULL;
  os_set_thread_name("osslive: watcher");
  bool prepared = channel_prepare(watcher->channel, &problem);
  if (watcher->examines) {
    /* It finds out why the channel could not be prepared, and says more. */
    bfree(problem);
    examine(watcher);
  } else if (prepared) {
    look(watcher);
  } else {
    tell_problem(watcher, problem);
  }
  os_event_signal(watcher->prepared);
  while (os_event_timedwait(watcher->stop, INTERVAL_MS) == ETIMEDOUT)
    if (os_atomic_load_bool(&watcher->keeps_looking)) look(watcher);
  return NULL;
}

static struct watcher *start(struct channel *channel, bool examines) {
  struct watcher *watcher = bzalloc(sizeof *watcher);
  watcher->channel = channel;
  watcher->examines = examines;
  os_event_init(&watcher->prepared, OS_EVENT_TYPE_MANUAL);
  os_event_init(&watcher->stop, OS_EVENT_TYPE_MANUAL);
  watcher->running = pthread_create(&watcher->thread, NULL, watch, watcher) == 0;
  if (!watcher->running) os_event_signal(watcher->prepared);
  return watcher;
}

struct watcher *watcher_start(struct channel *channel) { return start(channel, false); }

struct watcher *watcher_start_examining(struct channel *channel) { return start(channel, true); }

void watcher_keep_looking(struct watcher *watcher) {
  os_atomic_set_bool(&watcher->keeps_looking, true);
}

bool watcher_wait_prepared(struct watcher *watcher) {
  os_event_wait(watcher->prepared);
  return os_event_try(watcher->stop) == EAGAIN;
}

bool watcher_has_problem(struct watcher *watcher) {
  return os_atomic_load_bool(&watcher->has_problem);
}

void watcher_stop(struct watcher *watcher) {
  os_event_signal(watcher->stop);
  channel_stop(watcher->channel);
  if (watcher->running) pthread_join(watcher->thread, NULL);
  watcher->running = false;
}

void watcher_free(struct watcher *watcher) {
  if (!watcher) return;
  watcher_stop(watcher);
  os_event_destroy(watcher->stop);
  os_event_destroy(watcher->prepared);
  bfree(watcher->told);
  bfree(watcher);
}
