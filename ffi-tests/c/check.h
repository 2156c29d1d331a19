/* Shared by the C programs: checks that end the program, and clients for the
 * service in the environment. */

#ifndef CHECK_H
#define CHECK_H

#include <osslive.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A pointer that is not NULL and must not be followed. */
#define GARBAGE ((void *)0x10)

#define CHECK(condition) \
  do { \
    if (!(condition)) { \
      fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
      exit(1); \
    } \
  } while (0)

/* The call succeeds. Its arguments may use `error`. */
#define SUCCEEDS(call) \
  do { \
    osslive_error *error = (osslive_error *)GARBAGE; \
    osslive_status status = (call); \
    if (status != OSSLIVE_OK) { \
      fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call, osslive_error_message(error)); \
      exit(1); \
    } \
    CHECK(error == NULL); \
  } while (0)

/* The call fails with a status, and with an error that has the same status, and
 * `text` in its message. Its arguments use `error`. */
#define FAILS(expected, text, call) \
  do { \
    osslive_error *error = (osslive_error *)GARBAGE; \
    osslive_status status = (call); \
    if (status != (expected) || error == NULL || \
        strstr(osslive_error_message(error), (text)) == NULL) { \
      fprintf(stderr, "%s:%d: %s: status %d: %s\n", __FILE__, __LINE__, #call, (int)status, \
              error == GARBAGE ? "no error set" : osslive_error_message(error)); \
      exit(1); \
    } \
    CHECK(osslive_error_status(error) == status); \
    osslive_error_free(error); \
  } while (0)

/* Returns an environment variable, which must be set. */
static inline const char *variable(const char *name) {
  const char *value = getenv(name);
  if (value == NULL) {
    fprintf(stderr, "%s is not set\n", name);
    exit(2);
  }
  return value;
}

/* Returns a client for an endpoint, with the credentials from the environment. */
static inline osslive_client *client_of(const char *endpoint, uint32_t timeout_ms,
                                        uint32_t attempts) {
  osslive_config *config = osslive_config_new();
  osslive_client *client = NULL;
  SUCCEEDS(osslive_config_load_env(config, &error));
  SUCCEEDS(osslive_config_set_endpoint(config, endpoint, &error));
  SUCCEEDS(osslive_config_set_proxy(config, NULL, &error));
  SUCCEEDS(osslive_config_set_timeout_ms(config, timeout_ms, &error));
  SUCCEEDS(osslive_config_set_attempts(config, attempts, &error));
  SUCCEEDS(osslive_client_new(config, &client, &error));
  CHECK(client != NULL);
  osslive_config_free(config);
  return client;
}

static inline osslive_client *client_of_service(void) {
  return client_of(variable("OSS_ENDPOINT"), 30000, 3);
}

static inline void pause_ms(long ms) {
  struct timespec time = {ms / 1000, ms % 1000 * 1000 * 1000};
  nanosleep(&time, NULL);
}

/* Returns the process's resident memory in bytes. */
static inline long resident_bytes(void) {
  long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  CHECK(file != NULL);
  CHECK(fscanf(file, "%*d %ld", &pages) == 1);
  fclose(file);
  return pages * 4096;
}

#endif
