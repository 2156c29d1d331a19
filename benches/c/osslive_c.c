/* osslive through its C interface: one client shared by all threads. */
#include "measure.h"
#include "osslive.h"

static osslive_client *client;
static osslive_channel_config *camera;
static const osslive_param playlist = {"playlistName", "other.m3u8"};

static void check(osslive_status status, osslive_error *error) {
  if (status) die(osslive_error_message(error));
}

static void setup(void) {
  osslive_config *config = osslive_config_new();
  osslive_error *error = NULL;
  char endpoint[64];
  snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%d", port);
  osslive_config_set_endpoint(config, endpoint, NULL);
  osslive_config_set_region(config, "cn-hangzhou", NULL);
  osslive_config_set_bucket(config, "live-demo", NULL);
  osslive_config_set_credentials(config, "LTAI5tBenchKeyId", "BenchSecret7xYzABCDEFGH01", NULL, NULL);
  check(osslive_client_new(config, &client, &error), error);
  osslive_config_free(config);
  check(osslive_channel_config_new("Camera", &camera, &error), error);
}

static void *open_session(void) { return client; }

static void call(void *session) {
  char *text = NULL;
  osslive_error *error = NULL;
  osslive_status status;
  (void)session;
  if (!strcmp(operation, "stat"))
    status = osslive_get_channel_status(client, "cam-0001", &text, &error);
  else if (!strcmp(operation, "history"))
    status = osslive_get_channel_history(client, "cam-0001", &text, &error);
  else if (!strcmp(operation, "put"))
    status = osslive_put_channel(client, "cam-0001", camera, &text, &error);
  else if (!strcmp(operation, "sign"))
    status = osslive_get_rtmp_url(client, "cam-0001", 1800, NULL, 0, &text, &error);
  else if (!strcmp(operation, "sign-param"))
    status = osslive_get_rtmp_url(client, "cam-0001", 1800, &playlist, 1, &text, &error);
  else
    status = osslive_list_channels(client, NULL, NULL, atoi(operation + 4), &text, &error);
  check(status, error);
  osslive_string_free(text);
}

static void close_session(void *session) { (void)session; }
