/* Creates a channel, prints the publish URL, waits for a stream, and prints the
 * status of the channel.
 *
 *   cc quickstart.c $(pkg-config --cflags --libs osslive) -o quickstart
 *   ./quickstart [CHANNEL]
 *
 * Region, endpoint, bucket and access key come from OSS_REGION,
 * OSS_ENDPOINT, OSS_BUCKET, OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET. */

#include <osslive.h>

#include <stdio.h>

int main(int argc, char **argv) {
  const char *channel = argc > 1 ? argv[1] : "quickstart";
  osslive_config *config = osslive_config_new();
  osslive_client *client = NULL;
  osslive_channel_config *channel_config = NULL;
  osslive_error *error = NULL;
  char *created = NULL, *url = NULL, *seen = NULL;

  if (osslive_config_load_env(config, &error) ||
      osslive_client_new(config, &client, &error) ||
      osslive_channel_config_new("Quickstart", &channel_config, &error) ||
      osslive_put_channel(client, channel, channel_config, &created, &error) ||
      osslive_get_rtmp_url(client, channel, OSSLIVE_DEFAULT_EXPIRES_S, NULL, 0, &url, &error))
    goto done;
  printf("publish to %s\n", url);
  fflush(stdout);

  if (osslive_wait_until_live(client, channel, 120 * 1000, &seen, &error)) goto done;
  printf("%s\n", seen);

done:
  if (error) fprintf(stderr, "%s\n", osslive_error_message(error));
  int failed = error != NULL;
  osslive_string_free(seen);
  osslive_string_free(url);
  osslive_string_free(created);
  osslive_error_free(error);
  osslive_channel_config_free(channel_config);
  osslive_client_free(client);
  osslive_config_free(config);
  return failed;
}
