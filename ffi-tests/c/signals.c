/* The host's signals are left alone: no action changes, interrupted calls continue,
 * writing to a closed connection raises no SIGPIPE, and a forked child gets its own
 * responses. */

#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIGNALS = 32, ROUNDS = 50, CALLS = 100 };

static volatile sig_atomic_t alarms;

static void count(int signal) {
  (void)signal;
  alarms++;
}

/* Reads the process's action for each signal. */
static void actions(struct sigaction *list) {
  for (int i = 1; i < SIGNALS; i++) CHECK(sigaction(i, NULL, &list[i]) == 0);
}

static void same_actions(const struct sigaction *before) {
  struct sigaction now[SIGNALS];
  actions(now);
  for (int i = 1; i < SIGNALS; i++) CHECK(now[i].sa_handler == before[i].sa_handler);
}

/* Makes calls with a response that no other process gets. */
static int calls_end_with(const osslive_client *client, const char *id, osslive_status expected) {
  for (int i = 0; i < CALLS; i++) {
    char *out = NULL;
    if (osslive_get_channel_status(client, id, &out, NULL) != expected) return 0;
    osslive_string_free(out);
  }
  return 1;
}

static void *call_until_stopped(void *client) {
  osslive_status status = OSSLIVE_OK;
  while (status == OSSLIVE_OK) {
    char *out = NULL;
    status = osslive_get_channel_status(client, "on-air", &out, NULL);
    osslive_string_free(out);
  }
  CHECK(status == OSSLIVE_ERR_STOPPED);
  return NULL;
}

int main(void) {
  struct sigaction before[SIGNALS];
  actions(before);
  CHECK(before[SIGPIPE].sa_handler == SIG_DFL);
  osslive_client *client = client_of_service();
  CHECK(calls_end_with(client, "on-air", OSSLIVE_OK));
  same_actions(before);

  /* Parent and child share the connection of the calls above. */
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) _exit(!calls_end_with(client, "nobody", OSSLIVE_ERR_SERVICE));
  CHECK(calls_end_with(client, "on-air", OSSLIVE_OK));
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);

  /* Connections are closed during writes. */
  for (int round = 0; round < ROUNDS; round++) {
    osslive_client *stopped = client_of_service();
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, call_until_stopped, stopped) == 0);
    usleep((useconds_t)(round * 100));
    SUCCEEDS(osslive_client_shutdown(stopped, &error));
    CHECK(pthread_join(thread, NULL) == 0);
    osslive_client_free(stopped);
  }

  /* No SA_RESTART: every blocking system call ends with EINTR. */
  struct sigaction interrupt = {.sa_handler = count};
  struct itimerval each_ms = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
  CHECK(sigaction(SIGALRM, &interrupt, NULL) == 0);
  CHECK(setitimer(ITIMER_REAL, &each_ms, NULL) == 0);
  for (int i = 0; i < 20; i++) {
    /* A new client opens a new connection. */
    osslive_client *fresh = client_of_service();
    CHECK(calls_end_with(fresh, "on-air", OSSLIVE_OK));
    osslive_client_free(fresh);
  }
  CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
  osslive_client_free(client);
  printf("%d calls interrupted %d times\n", 20 * CALLS, (int)alarms);
  return alarms > 0 ? 0 : 1;
}
