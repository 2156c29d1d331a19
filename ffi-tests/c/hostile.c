/* Hostile responses. With the argument `peak`, measures how much memory they take;
 * with `space`, makes the calls in ever smaller address spaces: each call succeeds
 * or fails, and the process survives. */

#include "check.h"

#include <sys/resource.h>

#define MAX_GROWTH (32L << 20)

/* Returns the peak resident memory, in bytes. */
static long peak_bytes(void) {
  struct rusage usage;
  CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
  return usage.ru_maxrss * 1024;
}

/* Returns the size of the address space in use, in bytes. */
static long address_space(void) {
  long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  CHECK(file != NULL);
  CHECK(fscanf(file, "%ld", &pages) == 1);
  fclose(file);
  return pages * 4096;
}

/* One call of each parser; the channel selects the response. */
static int calls(osslive_client *client, int response) {
  char name[16];
  int succeeded = 0;
  snprintf(name, sizeof name, "a%d", response);
  for (int call = 0; call < 4; call++) {
    char *out = NULL;
    osslive_error *error = NULL;
    osslive_status status =
        call == 0   ? osslive_list_channels(client, name, NULL, 0, &out, &error)
        : call == 1 ? osslive_get_channel_status(client, name, &out, &error)
        : call == 2 ? osslive_get_channel_history(client, name, &out, &error)
                    : osslive_get_vod(client, name, 1, 2, &out, &error);
    CHECK((status == OSSLIVE_OK) == (error == NULL));
    CHECK(status != OSSLIVE_ERR_INTERNAL);
    succeeded += status == OSSLIVE_OK;
    osslive_string_free(out);
    osslive_error_free(error);
  }
  return succeeded;
}

static void limit_space(rlim_t bytes) {
  struct rlimit limit;
  CHECK(getrlimit(RLIMIT_AS, &limit) == 0);
  limit.rlim_cur = bytes;
  CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  int answers = atoi(argv[2]), succeeded = 0;
  osslive_client *client = client_of(variable("OSS_ENDPOINT"), 60000, 1);
  /* The last response is small and valid: with it, everything is loaded once. */
  CHECK(calls(client, answers) > 0);
  long before = peak_bytes();
  for (int response = 0; response < answers; response++) {
    if (strcmp(argv[1], "peak") == 0) {
      succeeded += calls(client, response);
      long grown = peak_bytes() - before;
      printf("response %d: grew by at most %ld kB\n", response, grown / 1024);
      CHECK(grown < MAX_GROWTH);
      continue;
    }
    for (long more = 48L << 20; more > 64 * 1024; more = more * 2 / 3) {
      limit_space((rlim_t)(address_space() + more));
      succeeded += calls(client, response);
      limit_space(RLIM_INFINITY);
    }
  }
  printf("%d calls succeeded\n", succeeded);
  osslive_client_free(client);
  return 0;
}
