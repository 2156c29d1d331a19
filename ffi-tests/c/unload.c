/* Loads the library by name, uses it and unloads it, a hundred times, while other
 * threads of the host run, and threads that have used it exit after it was
 * unloaded. */

#include "check.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>

static atomic_int is_over;

/* C has no pointer to both data and functions; dlsym gives one anyway. */
#define FIND(library, name) \
  __typeof__(&name) find_##name; \
  do { \
    void *found = dlsym(library, #name); \
    CHECK(found != NULL); \
    memcpy(&find_##name, &found, sizeof found); \
  } while (0)

static void *idle(void *unused) {
  (void)unused;
  while (!atomic_load(&is_over)) free(malloc(64));
  return NULL;
}

static void use(void *library) {
  FIND(library, osslive_abi_version);
  FIND(library, osslive_config_new);
  FIND(library, osslive_config_free);
  FIND(library, osslive_config_load_env);
  FIND(library, osslive_config_set_proxy);
  FIND(library, osslive_client_new);
  FIND(library, osslive_client_free);
  FIND(library, osslive_get_channel_status);
  FIND(library, osslive_get_channel);
  FIND(library, osslive_error_message);
  FIND(library, osslive_error_free);
  FIND(library, osslive_string_free);

  osslive_client *client = NULL;
  osslive_error *error = NULL;
  char *json = NULL;
  CHECK(find_osslive_abi_version() == OSSLIVE_ABI_VERSION);
  osslive_config *config = find_osslive_config_new();
  CHECK(find_osslive_config_load_env(config, NULL) == OSSLIVE_OK);
  CHECK(find_osslive_config_set_proxy(config, NULL, NULL) == OSSLIVE_OK);
  CHECK(find_osslive_client_new(config, &client, &error) == OSSLIVE_OK);
  find_osslive_config_free(config);
  CHECK(find_osslive_get_channel_status(client, "on-air", &json, &error) == OSSLIVE_OK);
  find_osslive_string_free(json);
  CHECK(find_osslive_get_channel(client, "nobody", &json, &error) == OSSLIVE_ERR_SERVICE);
  CHECK(strlen(find_osslive_error_message(error)) > 0);
  find_osslive_error_free(error);
  find_osslive_client_free(client);
}

struct visit {
  void *library;
  pthread_barrier_t used, unloaded;
};

static void *visit(void *argument) {
  struct visit *visit = argument;
  use(visit->library);
  pthread_barrier_wait(&visit->used);
  pthread_barrier_wait(&visit->unloaded);
  return NULL;
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  pthread_t idlers[2];
  for (int i = 0; i < 2; i++) CHECK(pthread_create(&idlers[i], NULL, idle, NULL) == 0);
  for (int i = 0; i < 100; i++) {
    struct visit shared;
    pthread_t visitors[2];
    shared.library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (shared.library == NULL) fprintf(stderr, "%s\n", dlerror());
    CHECK(shared.library != NULL);
    CHECK(pthread_barrier_init(&shared.used, NULL, 3) == 0);
    CHECK(pthread_barrier_init(&shared.unloaded, NULL, 3) == 0);
    for (int j = 0; j < 2; j++)
      CHECK(pthread_create(&visitors[j], NULL, visit, &shared) == 0);
    use(shared.library);
    pthread_barrier_wait(&shared.used);
    CHECK(dlclose(shared.library) == 0);
    pthread_barrier_wait(&shared.unloaded);
    for (int j = 0; j < 2; j++) CHECK(pthread_join(visitors[j], NULL) == 0);
    pthread_barrier_destroy(&shared.used);
    pthread_barrier_destroy(&shared.unloaded);
  }
  atomic_store(&is_over, 1);
  for (int i = 0; i < 2; i++) CHECK(pthread_join(idlers[i], NULL) == 0);
  return 0;
}
