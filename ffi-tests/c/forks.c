/* Children that are forked while other threads are inside the log callback or
 * in the middle of a call: each can set up the log again, and make calls with its
 * own client. */

#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child needs milliseconds, or hangs. */
enum { THREADS = 4, CHILD_LIMIT_S = 20 };

static osslive_client *client;
static atomic_int is_over, inside;

static void linger(int level, const char *message, void *user_data) {
  (void)level, (void)message, (void)user_data;
  atomic_fetch_add(&inside, 1);
  pause_ms(2);
  atomic_fetch_sub(&inside, 1);
}

static void count(int level, const char *message, void *user_data) {
  (void)level, (void)message;
  ++*(int *)user_data;
}

static void *work(void *unused) {
  (void)unused;
  while (!atomic_load(&is_over)) {
    char *out = NULL;
    SUCCEEDS(osslive_get_channel_status(client, "on-air", &out, &error));
    osslive_string_free(out);
  }
  return NULL;
}

/* Sets up the log repeatedly, like a thread that is active at the fork. */
static void *replace(void *unused) {
  (void)unused;
  while (!atomic_load(&is_over)) {
    SUCCEEDS(osslive_set_log_callback(linger, NULL, OSSLIVE_LOG_DEBUG, &error));
    pause_ms(1);
  }
  return NULL;
}

static void child(void) {
  int heard = 0;
  char *out = NULL;
  /* Kills this child if it hangs; the parent reports that. */
  alarm(CHILD_LIMIT_S);
  SUCCEEDS(osslive_set_log_callback(count, &heard, OSSLIVE_LOG_DEBUG, &error));
  osslive_client *own = client_of_service();
  SUCCEEDS(osslive_get_channel_status(own, "on-air", &out, &error));
  osslive_string_free(out);
  CHECK(heard == 1);
  SUCCEEDS(osslive_set_log_callback(NULL, NULL, OSSLIVE_LOG_DEBUG, &error));
  osslive_client_free(own);
  _exit(0);
}

int main(int argc, char **argv) {
  int rounds = argc > 1 ? atoi(argv[1]) : 150, inside_callback = 0;
  pthread_t threads[THREADS], replacer;
  client = client_of_service();
  SUCCEEDS(osslive_set_log_callback(linger, NULL, OSSLIVE_LOG_DEBUG, &error));
  for (int i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, work, NULL) == 0);
  CHECK(pthread_create(&replacer, NULL, replace, NULL) == 0);
  for (int i = 0; i < rounds; i++) {
    int status = 0;
    inside_callback += atomic_load(&inside) > 0;
    pid_t forked = fork();
    CHECK(forked >= 0);
    if (forked == 0) child();
    CHECK(waitpid(forked, &status, 0) == forked);
    if (WIFSIGNALED(status)) fprintf(stderr, "child %d hung: signal %d\n", i, WTERMSIG(status));
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  atomic_store(&is_over, 1);
  for (int i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  CHECK(pthread_join(replacer, NULL) == 0);
  SUCCEEDS(osslive_set_log_callback(NULL, NULL, OSSLIVE_LOG_DEBUG, &error));
  osslive_client_free(client);
  printf("%d of %d forks happened during a callback\n", inside_callback, rounds);
  return inside_callback > 0 ? 0 : 1;
}
