/* Creates three channels in one call, and prints the results as JSON and the
 * publish URLs.
 *
 *   cc batch.c $(pkg-config --cflags --libs osslive) -o batch
 *   ./batch
 *
 * Region, endpoint, bucket and access key come from OSS_REGION,
 * OSS_ENDPOINT, OSS_BUCKET, OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET. */

#include <osslive.h>

#include <stdio.h>

static const char *const CHANNELS[] = {"main-stage", "backstage", "audience"};

static int show(size_t done, size_t total, void *user_data) {
  (void)user_data;
  fprintf(stderr, "%zu of %zu\n", done, total);
  return 0; /* continue */
}

static osslive_status print_urls(const osslive_client *client, osslive_error **error) {
  for (int i = 0; i < 3; i++) {
    char *url = NULL;
    osslive_status status = osslive_get_rtmp_url(client, CHANNELS[i], OSSLIVE_DEFAULT_EXPIRES_S,
                                                 NULL, 0, &url, error);
    if (status) return status;
    printf("%s: publish to %s\n", CHANNELS[i], url);
    osslive_string_free(url);
  }
  return OSSLIVE_OK;
}

int main(void) {
  osslive_config *config = osslive_config_new();
  osslive_channel_config *main_stage = NULL, *backstage = NULL, *audience = NULL;
  osslive_client *client = NULL;
  osslive_error *error = NULL;
  char *results = NULL;

  if (osslive_config_load_env(config, &error) ||
      osslive_client_new(config, &client, &error) ||
      osslive_channel_config_new("Main stage", &main_stage, &error) ||
      osslive_channel_config_new("Backstage", &backstage, &error) ||
      osslive_channel_config_set_frag_duration(backstage, 2, &error) ||
      osslive_channel_config_new("Audience", &audience, &error) ||
      osslive_channel_config_set_frag_count(audience, 6, &error))
    goto done;
  const osslive_channel_config *const configs[] = {main_stage, backstage, audience};
  if (osslive_put_channels(client, CHANNELS, configs, 3, NULL, show, NULL, &results, &error))
    goto done;
  puts(results);
  print_urls(client, &error);

done:
  if (error) fprintf(stderr, "%s\n", osslive_error_message(error));
  int failed = error != NULL;
  osslive_string_free(results);
  osslive_error_free(error);
  osslive_channel_config_free(audience);
  osslive_channel_config_free(backstage);
  osslive_channel_config_free(main_stage);
  osslive_client_free(client);
  osslive_config_free(config);
  return failed;
}
