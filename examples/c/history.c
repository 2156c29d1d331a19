/* Analyzes a week of a channel's history, and prints it as JSON.
 *
 *   cc history.c $(pkg-config --cflags --libs osslive) -o history
 *   ./history [CHANNEL [DAYS]]
 *
 * Region, endpoint, bucket and access key come from OSS_REGION,
 * OSS_ENDPOINT, OSS_BUCKET, OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET. */

#include <osslive.h>

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  const char *channel = argc > 1 ? argv[1] : "main-stage";
  uint32_t days = argc > 2 ? (uint32_t)atol(argv[2]) : 7;
  osslive_config *config = osslive_config_new();
  osslive_client *client = NULL;
  osslive_error *error = NULL;
  char *analysis = NULL;

  if (osslive_config_load_env(config, &error) ||
      osslive_client_new(config, &client, &error) ||
      osslive_analyze_history(client, channel, days, &analysis, &error))
    fprintf(stderr, "%s\n", osslive_error_message(error));
  else
    puts(analysis);

  int failed = error != NULL;
  osslive_string_free(analysis);
  osslive_error_free(error);
  osslive_client_free(client);
  osslive_config_free(config);
  return failed;
}
