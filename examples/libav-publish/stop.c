#include "stop.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

/* A signal between the check and the sleep is noticed after this time. */
#define POLL_INTERVAL_MS 200

static volatile sig_atomic_t is_requested;

static void on_signal(int signal_number) {
  (void)signal_number;
  is_requested = 1;
}

void stop_listen(void) {
  struct sigaction action = {.sa_handler = on_signal};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
}

void stop_block_signals(void) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

bool stop_is_requested(void) { return is_requested; }

int64_t stop_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

void stop_wait_until(int64_t time_ms) {
  int64_t left;
  while (!is_requested && (left = time_ms - stop_now()) > 0) {
    if (left > POLL_INTERVAL_MS) left = POLL_INTERVAL_MS;
    struct timespec duration = {.tv_nsec = left * 1000000L};
    nanosleep(&duration, NULL);
  }
}
