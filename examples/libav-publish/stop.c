#include "stop.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

/* A signal between the check and the sleep is noticed after this time. */
#define NAP_MS 200

static volatile sig_atomic_t wanted;

static void want(int signal_number) {
  (void)signal_number;
  wanted = 1;
}

void stop_listen(void) {
  struct sigaction action = {.sa_handler = want};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
}

void stop_leave_to_main_thread(void) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

bool stop_is_wanted(void) { return wanted; }

int64_t stop_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

void stop_wait_until(int64_t time_ms) {
  int64_t left;
  while (!wanted && (left = time_ms - stop_now()) > 0) {
    if (left > NAP_MS) left = NAP_MS;
    struct timespec nap = {.tv_nsec = left * 1000000L};
    nanosleep(&nap, NULL);
  }
}
