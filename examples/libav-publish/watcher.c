#include "watcher.h"

#include "stop.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct watcher {
  struct channel *channel;
  int interval_s;
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t ended;
  bool is_over;
};

/* Waits for the interval. Returns whether to continue. */
static bool should_continue(struct watcher *watcher) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += watcher->interval_s;
  int waited = 0;
  pthread_mutex_lock(&watcher->mutex);
  while (!watcher->is_over && !waited) {
    waited = pthread_cond_timedwait(&watcher->ended, &watcher->mutex, &until);
  }
  bool is_over = watcher->is_over;
  pthread_mutex_unlock(&watcher->mutex);
  return !is_over;
}

static void *watch(void *data) {
  struct watcher *watcher = data;
  stop_block_signals();
  while (should_continue(watcher)) channel_print_status(watcher->channel);
  return NULL;
}

struct watcher *watcher_start(struct channel *channel, int interval_s) {
  struct watcher *watcher = calloc(1, sizeof *watcher);
  watcher->channel = channel;
  watcher->interval_s = interval_s;
  pthread_mutex_init(&watcher->mutex, NULL);
  pthread_cond_init(&watcher->ended, NULL);
  if (pthread_create(&watcher->thread, NULL, watch, watcher)) {
    free(watcher);
    return NULL;
  }
  return watcher;
}

void watcher_stop(struct watcher *watcher) {
  pthread_mutex_lock(&watcher->mutex);
  watcher->is_over = true;
  pthread_cond_signal(&watcher->ended);
  pthread_mutex_unlock(&watcher->mutex);
  channel_shutdown(watcher->channel);
  pthread_join(watcher->thread, NULL);
  free(watcher);
}
