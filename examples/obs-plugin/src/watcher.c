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
/* One log line per minute. */
#define POLLS_PER_LINE 20

struct watcher {
  struct channel *channel;
  pthread_t thread;
  bool running;
  bool diagnoses;
  os_event_t *prepared;
  os_event_t *stop;
  volatile bool keeps_polling;
  volatile bool has_problem;
  /* The last logged shape or problem, and how many polls ago. */
  char *last_logged;
  int polls;
};

/* Returns whether text differs from what was last logged. */
static bool is_new(struct watcher *watcher, const char *text) {
  if (watcher->last_logged && strcmp(watcher->last_logged, text) == 0) return false;
  bfree(watcher->last_logged);
  watcher->last_logged = bstrdup(text);
  return true;
}

/* Reports a problem, unless stopping caused it. */
static void report_problem(struct watcher *watcher, char *problem) {
  if (os_event_try(watcher->stop) == EAGAIN) {
    os_atomic_set_bool(&watcher->has_problem, true);
    status_set(OBS_TEXT_INFO_ERROR, "%s", problem);
    if (is_new(watcher, problem)) blog(LOG_WARNING, "[osslive] %s", problem);
  }
  bfree(problem);
}

static void log_state(struct watcher *watcher, const struct state *state) {
  bool changed = is_new(watcher, state->shape);
  bool measured = *state->rates && watcher->polls < 0;
  if (changed || measured || watcher->polls >= POLLS_PER_LINE) {
    blog(LOG_INFO, "[osslive] %s: %s%s", channel_name(watcher->channel), state->shape,
         state->rates);
    /* Rates are known a little later: log the first ones too. */
    watcher->polls = *state->rates ? 0 : -POLLS_PER_LINE;
  }
  watcher->polls++;
}

static void report_state(struct watcher *watcher, const struct state *state) {
  const char *name = channel_name(watcher->channel);
  if (state->disabled) {
    char *problem = bstrdup(obs_module_text("Advice.Disabled"));
    report_problem(watcher, problem);
    return;
  }
  os_atomic_set_bool(&watcher->has_problem, false);
  status_set(OBS_TEXT_INFO_NORMAL, "%s: %s%s", name, state->shape, state->rates);
  log_state(watcher, state);
}

static void poll_status(struct watcher *watcher) {
  char *problem = NULL;
  struct state state;
  char *json = channel_get_status(watcher->channel, &problem);
  if (problem) {
    report_problem(watcher, problem);
  } else if (state_read(json, &state)) {
    report_state(watcher, &state);
    state_free(&state);
  }
  osslive_string_free(json);
}

static void diagnose(struct watcher *watcher) {
  char *problem = NULL;
  enum obs_text_info_type type;
  char *json = channel_diagnose(watcher->channel, &problem);
  if (problem) {
    report_problem(watcher, problem);
  } else if (os_event_try(watcher->stop) == EAGAIN) {
    char *message = diagnosis_message(json, &type);
    status_set(type, "%s", message);
    blog(type == OBS_TEXT_INFO_NORMAL ? LOG_INFO : LOG_WARNING, "[osslive] %s: %s",
         channel_name(watcher->channel), message);
    bfree(message);
  }
  osslive_string_free(json);
}

static void *watch(void *data) {
  struct watcher *watcher = data;
  char *problem = NULL;
  os_set_thread_name("osslive: watcher");
  bool prepared = channel_prepare(watcher->channel, &problem);
  if (watcher->diagnoses) {
    /* The diagnosis also finds this problem, with more detail. */
    bfree(problem);
    diagnose(watcher);
  } else if (prepared) {
    poll_status(watcher);
  } else {
    report_problem(watcher, problem);
  }
  os_event_signal(watcher->prepared);
  while (os_event_timedwait(watcher->stop, INTERVAL_MS) == ETIMEDOUT)
    if (os_atomic_load_bool(&watcher->keeps_polling)) poll_status(watcher);
  return NULL;
}

static struct watcher *start(struct channel *channel, bool diagnoses) {
  struct watcher *watcher = bzalloc(sizeof *watcher);
  watcher->channel = channel;
  watcher->diagnoses = diagnoses;
  os_event_init(&watcher->prepared, OS_EVENT_TYPE_MANUAL);
  os_event_init(&watcher->stop, OS_EVENT_TYPE_MANUAL);
  watcher->running = pthread_create(&watcher->thread, NULL, watch, watcher) == 0;
  if (!watcher->running) os_event_signal(watcher->prepared);
  return watcher;
}

struct watcher *watcher_start(struct channel *channel) { return start(channel, false); }

struct watcher *watcher_start_diagnosing(struct channel *channel) { return start(channel, true); }

void watcher_keep_polling(struct watcher *watcher) {
  os_atomic_set_bool(&watcher->keeps_polling, true);
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
  bfree(watcher->last_logged);
  bfree(watcher);
}
