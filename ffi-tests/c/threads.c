/* Eight threads use one client while its key is replaced repeatedly: no call
 * fails until the client is shut down; then all do. */

#include "check.h"

#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 8 };

static osslive_client *client;
static int calls;
static atomic_int running;

static void *work(void *unused) {
  (void)unused;
  for (int i = 0; i < calls; i++) {
    char *out = NULL;
    int live = 0;
    SUCCEEDS(osslive_get_channel_status(client, "on-air", &out, &error));
    osslive_string_free(out);
    SUCCEEDS(osslive_is_channel_live(client, "on-air", &live, &error));
    CHECK(live == 1);
    SUCCEEDS(osslive_get_rtmp_url(client, "on-air", 60, NULL, 0, &out, &error));
    osslive_string_free(out);
    FAILS(OSSLIVE_ERR_SERVICE, "NoSuchLiveChannel",
          osslive_get_channel(client, "nobody", &out, &error));
  }
  atomic_fetch_sub(&running, 1);
  return NULL;
}

int main(int argc, char **argv) {
  const char *id = variable("OSS_ACCESS_KEY_ID");
  const char *secret = variable("OSS_ACCESS_KEY_SECRET");
  const char *sts_id = variable("TEMPORARY_ID");
  const char *sts_secret = variable("TEMPORARY_SECRET");
  const char *token = variable("TEMPORARY_TOKEN");
  pthread_t threads[THREADS];
  long rotations = 0;

  calls = argc > 1 ? atoi(argv[1]) : 200;
  client = client_of_service();
  atomic_store(&running, THREADS);
  for (int i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, work, NULL) == 0);
  while (atomic_load(&running) > 0) {
    SUCCEEDS(osslive_client_set_credentials(client, sts_id, sts_secret, token, &error));
    SUCCEEDS(osslive_client_set_credentials(client, id, secret, NULL, &error));
    rotations += 2;
    /* Under valgrind, one thread runs at a time, and this one would never yield. */
    pause_ms(1);
  }
  for (int i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);

  char *out = NULL;
  osslive_client *other = NULL;
  SUCCEEDS(osslive_client_with_timeout_ms(client, 1000, &other, &error));
  SUCCEEDS(osslive_client_shutdown(client, &error));
  FAILS(OSSLIVE_ERR_STOPPED, "shut down", osslive_get_channel(client, "on-air", &out, &error));
  FAILS(OSSLIVE_ERR_STOPPED, "shut down", osslive_get_channel(other, "on-air", &out, &error));
  SUCCEEDS(osslive_get_rtmp_url(client, "on-air", 60, NULL, 0, &out, &error));
  osslive_string_free(out);
  osslive_client_free(other);
  osslive_client_free(client);
  printf("%d calls, %ld keys\n", THREADS * calls * 4, rotations);
  return rotations > 0 ? 0 : 1;
}
