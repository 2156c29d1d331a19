/* A third-party program, outside the source tree. */

#include <osslive.h>

#include <stdio.h>

int main(void) {
  osslive_config *config = osslive_config_new();
  osslive_client *client = NULL;
  osslive_error *error = NULL;
  int live = 0;
  if (osslive_config_load_env(config, &error) || osslive_client_new(config, &client, &error) ||
      osslive_is_channel_live(client, "on-air", &live, &error))
    fprintf(stderr, "%s\n", osslive_error_message(error));
  printf("osslive %s: on-air is %s\n", osslive_version(), live ? "live" : "idle");
  osslive_error_free(error);
  osslive_client_free(client);
  osslive_config_free(config);
  return live ? 0 : 1;
}
