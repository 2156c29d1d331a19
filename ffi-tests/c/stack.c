/* Every kind of call on a thread with a stack of BYTES, including TLS, the parsing of
 * results, and a log callback.
 *
 * usage: stack BYTES FOLDER
 */

#include "check.h"

#include <pthread.h>

static char profile[4096], show[4096];

static void log_line(int level, const char *message, void *user_data) {
  char line[4096];
  (void)level, (void)user_data;
  snprintf(line, sizeof line, "%s", message);
}

static int progress(size_t done, size_t total, void *user_data) {
  (void)done, (void)total, (void)user_data;
  return 0;
}

static int on_status(const char *json, void *user_data) {
  (void)json, (void)user_data;
  return 0;
}

/* Frees the result, or reads and frees the error. */
static void end(osslive_status status, char *out, osslive_error *error) {
  if (status != OSSLIVE_OK) CHECK(osslive_error_message(error)[0] != '\0');
  osslive_string_free(out);
  osslive_error_free(error);
}

#define DO(call) \
  do { \
    char *out = NULL; \
    osslive_error *error = NULL; \
    osslive_status status = (call); \
    end(status, out, error); \
  } while (0)

static void one_channel(const osslive_client *client) {
  osslive_channel_config *config = NULL;
  int live = 0;
  SUCCEEDS(osslive_channel_config_new("Stack", &config, &error));
  DO(osslive_put_channel(client, "stack", config, &out, &error));
  DO(osslive_create_channel(client, "stack", config, &out, &error));
  DO(osslive_get_channel(client, "stack", &out, &error));
  DO(osslive_list_channels(client, NULL, NULL, 0, &out, &error));
  DO(osslive_put_channel_status(client, "stack", "enabled", &out, &error));
  DO(osslive_get_channel_status(client, "on-air", &out, &error));
  DO(osslive_is_channel_live(client, "on-air", &live, &error));
  DO(osslive_get_channel_history(client, "on-air", &out, &error));
  DO(osslive_create_vod(client, "on-air", "vod", time(NULL) - 60, time(NULL), &out, &error));
  DO(osslive_get_vod(client, "on-air", time(NULL) - 60, time(NULL), &out, &error));
  DO(osslive_wait_until_idle(client, "stack", 1000, &out, &error));
  DO(osslive_wait_until_live(client, "on-air", 1000, &out, &error));
  DO(osslive_delete_channel(client, "stack", &out, &error));
  DO(osslive_wait_until_deleted(client, "stack", 1000, &error));
  DO(osslive_get_publish_url(client, "stack", 60, NULL, 0, &out, &error));
  DO(osslive_get_rtmp_url(client, "stack", 60, NULL, 0, &out, &error));
  DO(osslive_get_play_url(client, "stack", NULL, 60, &out, &error));
  osslive_channel_config_free(config);
}

static void many_channels(const osslive_client *client) {
  const char *ids[] = {"on-air", "nobody", "stack"};
  osslive_channel_config *config = NULL;
  SUCCEEDS(osslive_channel_config_new("Stack", &config, &error));
  const osslive_channel_config *configs[] = {config, config, config};
  osslive_highlight highlight = {.name = "stack", .to_ms = 1000};
  osslive_channel_monitor *monitor = NULL;
  DO(osslive_monitor_channels(client, ids, 3, NULL, progress, NULL, &out, &error));
  SUCCEEDS(osslive_sweep_channels(client, ids, 3, NULL, on_status, NULL, &error));
  DO(osslive_put_channels(client, ids + 2, configs, 1, NULL, progress, NULL, &out, &error));
  DO(osslive_analyze_history(client, "on-air", 7, &out, &error));
  DO(osslive_create_highlights(client, "on-air", &highlight, 1, progress, NULL, &out, &error));
  osslive_download download = {.path = show, .last_ms = 3600000, .overwrite = 1};
  DO(osslive_download_recording(client, "on-air", &download, progress, NULL, &out, &error));
  DO(osslive_diagnose(client, "on-air", NULL, NULL, NULL, progress, NULL, &out, &error));
  SUCCEEDS(osslive_channel_monitor_new(client, ids, 3, NULL, &monitor, &error));
  DO(osslive_channel_monitor_next_changes(monitor, &out, &error));
  DO(osslive_channel_monitor_last_sweep(monitor, &out, &error));
  osslive_channel_monitor_free(monitor);
  osslive_channel_config_free(config);
}

static osslive_client *over_tls(void) {
  osslive_config *config = osslive_config_new();
  osslive_client *client = NULL;
  SUCCEEDS(osslive_config_load_profile(config, profile, NULL, &error));
  SUCCEEDS(osslive_config_set_bucket(config, "bucket", &error));
  SUCCEEDS(osslive_config_set_endpoint(config, variable("TLS_ENDPOINT"), &error));
  SUCCEEDS(osslive_config_set_root_certificates(config, variable("TLS_ROOTS"), &error));
  SUCCEEDS(osslive_config_set_proxy(config, NULL, &error));
  SUCCEEDS(osslive_client_new(config, &client, &error));
  osslive_config_free(config);
  return client;
}

/* Credentials that are obtained in the first call: from a program, and from a URL
 * with an invalid response. */
static void obtained_credentials(void) {
  for (int from_program = 0; from_program < 2; from_program++) {
    osslive_config *config = osslive_config_new();
    osslive_client *client = NULL;
    SUCCEEDS(osslive_config_set_region(config, "cn-hangzhou", &error));
    SUCCEEDS(osslive_config_set_bucket(config, "bucket", &error));
    SUCCEEDS(osslive_config_set_endpoint(config, variable("GARBAGE_ENDPOINT"), &error));
    SUCCEEDS(osslive_config_set_proxy(config, NULL, &error));
    if (from_program)
      SUCCEEDS(osslive_config_set_credential_process(
          config, "echo {\"mode\":\"AK\",\"access_key_id\":\"a\",\"access_key_secret\":\"b\"}",
          &error));
    else
      SUCCEEDS(osslive_config_set_credentials_uri(config, variable("GARBAGE_ENDPOINT"), &error));
    SUCCEEDS(osslive_client_new(config, &client, &error));
    osslive_config_free(config);
    DO(osslive_get_channel_status(client, "a", &out, &error));
    osslive_client_free(client);
  }
}

static void *work(void *unused) {
  (void)unused;
  SUCCEEDS(osslive_set_log_callback(log_line, NULL, OSSLIVE_LOG_DEBUG, &error));
  const char *endpoints[] = {"OSS_ENDPOINT", "GARBAGE_ENDPOINT", "REFUSED_ENDPOINT"};
  for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
    osslive_client *client = client_of(variable(endpoints[i]), 5000, 2);
    one_channel(client);
    many_channels(client);
    osslive_client_free(client);
  }
  obtained_credentials();
  char *out = NULL;
  osslive_client *client = over_tls();
  SUCCEEDS(osslive_get_channel_status(client, "a", &out, &error));
  osslive_string_free(out);
  SUCCEEDS(osslive_client_shutdown(client, &error));
  osslive_client_free(client);
  SUCCEEDS(osslive_set_log_callback(NULL, NULL, OSSLIVE_LOG_DEBUG, &error));
  return NULL;
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  snprintf(profile, sizeof profile, "%s/ossutilconfig", argv[2]);
  snprintf(show, sizeof show, "%s/show.ts", argv[2]);
  FILE *file = fopen(profile, "w");
  CHECK(file != NULL);
  fputs("[default]\naccessKeyId = id\naccessKeySecret = secret\nregion = cn-hangzhou\n", file);
  fclose(file);
  pthread_attr_t attributes;
  pthread_t thread;
  CHECK(pthread_attr_init(&attributes) == 0);
  CHECK(pthread_attr_setstacksize(&attributes, (size_t)atol(argv[1])) == 0);
  CHECK(pthread_create(&thread, &attributes, work, NULL) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  pthread_attr_destroy(&attributes);
  return 0;
}
