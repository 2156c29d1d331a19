/*
 * Shared by the clients in C: the command line, the clock, and the line that
 * run.py reads. A client is
 *
 *     CLIENT PORT OPERATION COUNT THREADS
 *
 * It makes one call and prints "first", then COUNT calls spread over THREADS
 * threads, and prints
 *
 *     P50_US P99_US CPU_US_PER_CALL CALLS_PER_S PEAK_KIB
 *
 * A client defines setup, open_session, call and close_session. Each thread has
 * its own session; setup() prepares shared state.
 */
#ifndef MEASURE_H
#define MEASURE_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static int port;
static const char *operation;

static void setup(void);
static void *open_session(void);
static void call(void *session);
static void close_session(void *session);

static void die(const char *why) {
  fprintf(stderr, "%s\n", why);
  exit(1);
}

static double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static double cpu_us(void) {
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1e6 + r.ru_utime.tv_usec + r.ru_stime.tv_usec;
}

/* The peak of this program; getrusage would include its parent's memory from
 * before exec. */
static long peak_kib(void) {
  char line[256];
  long kib = 0;
  FILE *f = fopen("/proc/self/status", "r");
  while (f && fgets(line, sizeof line, f))
    if (sscanf(line, "VmHWM: %ld", &kib) == 1) break;
  if (f) fclose(f);
  return kib;
}

typedef struct {
  void *session;
  long count;
  double *times;
} share;

static void *run_share(void *arg) {
  share *s = arg;
  if (!s->session) s->session = open_session();
  for (long i = 0; i < s->count; i++) {
    double started = now_us();
    call(s->session);
    s->times[i] = now_us() - started;
  }
  close_session(s->session);
  return NULL;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  if (argc != 5) die("CLIENT PORT OPERATION COUNT THREADS");
  port = atoi(argv[1]);
  operation = argv[2];
  long count = atol(argv[3]);
  int threads = atoi(argv[4]);
  setup();
  void *session = open_session();
  call(session);
  puts("first");
  fflush(stdout);

  double *times = calloc(count + 1, sizeof *times);
  share *shares = calloc(threads, sizeof *shares);
  pthread_t *ids = calloc(threads, sizeof *ids);
  double cpu = cpu_us(), started = now_us();
  for (int i = 0; i < threads; i++) {
    shares[i] = (share){i ? NULL : session, count / threads, times + i * (count / threads)};
    if (i) pthread_create(&ids[i], NULL, run_share, &shares[i]);
  }
  run_share(&shares[0]);
  for (int i = 1; i < threads; i++) pthread_join(ids[i], NULL);
  double wall = now_us() - started;
  cpu = cpu_us() - cpu;

  long made = count / threads * threads;
  qsort(times, made, sizeof *times, by_value);
  if (made)
    printf("%.3f %.3f %.3f %.1f %ld\n", times[made / 2], times[made * 99 / 100], cpu / made,
           made / wall * 1e6, peak_kib());
  else
    printf("0 0 0 0 %ld\n", peak_kib());
  free(times);
  free(shares);
  free(ids);
  return 0;
}

#endif
