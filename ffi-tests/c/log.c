/* The log callback: which messages it receives, from which threads, and when it has
 * received the last one. */

#include "check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

struct listener {
  pthread_mutex_t lock;
  int counts[5];
  char last[4096];
  char all[1 << 16];
  osslive_client *client;
};

static void on_message(int level, const char *message, void *user_data) {
  struct listener *listener = user_data;
  CHECK(level >= OSSLIVE_LOG_ERROR && level <= OSSLIVE_LOG_DEBUG);
  pthread_mutex_lock(&listener->lock);
  listener->counts[level]++;
  snprintf(listener->last, sizeof listener->last, "%s", message);
  strncat(listener->all, message, sizeof listener->all - strlen(listener->all) - 1);
  pthread_mutex_unlock(&listener->lock);
}

static osslive_client *client;

static void *call(void *unused) {
  char *out = NULL;
  (void)unused;
  SUCCEEDS(osslive_get_channel_status(client, "on-air", &out, &error));
  osslive_string_free(out);
  return NULL;
}

static void levels_reflect_the_outcome(struct listener *listener) {
  char *out = NULL;
  call(NULL);
  CHECK(listener->counts[OSSLIVE_LOG_DEBUG] == 1);
  CHECK(strstr(listener->last, "GET /on-air?live&comp=stat, attempt 1, ") == listener->last);
  CHECK(strstr(listener->last, " ms: HTTP 200, request id ") != NULL);
  FAILS(OSSLIVE_ERR_SERVICE, "", osslive_get_channel(client, "nobody", &out, &error));
  CHECK(listener->counts[OSSLIVE_LOG_ERROR] == 1);
  CHECK(strstr(listener->last, "NoSuchLiveChannel") != NULL);
  osslive_client *refused = client_of(variable("REFUSED_ENDPOINT"), 5000, 2);
  FAILS(OSSLIVE_ERR_CONNECTION, "", osslive_get_channel(refused, "a", &out, &error));
  osslive_client_free(refused);
  CHECK(listener->counts[OSSLIVE_LOG_WARN] == 1 && listener->counts[OSSLIVE_LOG_ERROR] == 2);
  CHECK(strstr(listener->all, "; retry in ") != NULL);
}

static void all_threads_are_logged(struct listener *listener) {
  pthread_t threads[8];
  listener->counts[OSSLIVE_LOG_DEBUG] = 0;
  for (int i = 0; i < 8; i++) CHECK(pthread_create(&threads[i], NULL, call, NULL) == 0);
  for (int i = 0; i < 8; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  CHECK(listener->counts[OSSLIVE_LOG_DEBUG] == 8);
}

static void no_secret_is_logged(struct listener *listener) {
  CHECK(strlen(listener->all) > 0);
  CHECK(strstr(listener->all, variable("OSS_ACCESS_KEY_SECRET")) == NULL);
  CHECK(strstr(listener->all, "ignature=") == NULL);
}

static void the_level_filter_applies(struct listener *listener) {
  int before = listener->counts[OSSLIVE_LOG_DEBUG];
  SUCCEEDS(osslive_set_log_callback(on_message, listener, OSSLIVE_LOG_WARN, &error));
  call(NULL);
  SUCCEEDS(osslive_set_log_callback(NULL, NULL, OSSLIVE_LOG_DEBUG, &error));
  call(NULL);
  CHECK(listener->counts[OSSLIVE_LOG_DEBUG] == before);
}

/* A callback that calls back: its own calls are not logged, and it cannot
 * replace itself. */
static void reenter(int level, const char *message, void *user_data) {
  char *out = NULL;
  int *count = user_data;
  (void)level, (void)message;
  ++*count;
  SUCCEEDS(osslive_get_channel_status(client, "on-air", &out, &error));
  osslive_string_free(out);
  FAILS(OSSLIVE_ERR_INVALID_ARGUMENT, "while it runs",
        osslive_set_log_callback(NULL, NULL, OSSLIVE_LOG_DEBUG, &error));
}

static void a_callback_may_make_calls(void) {
  int count = 0;
  SUCCEEDS(osslive_set_log_callback(reenter, &count, OSSLIVE_LOG_DEBUG, &error));
  call(NULL);
  CHECK(count == 1);
}

static atomic_int inside;

static void slow(int level, const char *message, void *user_data) {
  struct timespec moment = {0, 100 * 1000 * 1000};
  int *freed = user_data;
  (void)level, (void)message;
  atomic_store(&inside, 1);
  nanosleep(&moment, NULL);
  CHECK(!*freed);
}

static void a_replaced_callback_has_ended(void) {
  pthread_t thread;
  int freed = 0;
  SUCCEEDS(osslive_set_log_callback(slow, &freed, OSSLIVE_LOG_DEBUG, &error));
  CHECK(pthread_create(&thread, NULL, call, NULL) == 0);
  while (!atomic_load(&inside)) {
  }
  SUCCEEDS(osslive_set_log_callback(NULL, NULL, OSSLIVE_LOG_DEBUG, &error));
  freed = 1;
  CHECK(pthread_join(thread, NULL) == 0);
}

int main(void) {
  static struct listener listener = {.lock = PTHREAD_MUTEX_INITIALIZER};
  client = client_of_service();
  SUCCEEDS(osslive_set_log_callback(on_message, &listener, OSSLIVE_LOG_DEBUG, &error));
  levels_reflect_the_outcome(&listener);
  all_threads_are_logged(&listener);
  no_secret_is_logged(&listener);
  the_level_filter_applies(&listener);
  a_callback_may_make_calls();
  a_replaced_callback_has_ended();
  osslive_client_free(client);
  return 0;
}
