/* Cuts the opening, the peak and the closing of a channel's latest session,
 * five minutes each, and prints the results as JSON and the play URLs.
 *
 *   cc highlights.c $(pkg-config --cflags --libs osslive) -o highlights
 *   ./highlights [CHANNEL [SECONDS]]
 *
 * Region, endpoint, bucket and access key come from OSS_REGION,
 * OSS_ENDPOINT, OSS_BUCKET, OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET. */

#include <osslive.h>

#include <stdio.h>
#include <stdlib.h>

static int show(size_t done, size_t total, void *user_data) {
  (void)user_data;
  fprintf(stderr, "%zu of %zu\n", done, total);
  return 0; /* continue */
}

/* A highlight that was not cut has an error in the JSON, and its URL does not
 * work. */
static osslive_status print_urls(const osslive_client *client, const char *channel,
                                 const osslive_highlight *highlights, size_t count,
                                 osslive_error **error) {
  for (size_t i = 0; i < count; i++) {
    char playlist[64], *url = NULL;
    snprintf(playlist, sizeof playlist, "%s.m3u8", highlights[i].name);
    osslive_status status = osslive_get_play_url(client, channel, playlist, 3600, &url, error);
    if (status) return status;
    printf("%s: %s\n", highlights[i].name, url);
    osslive_string_free(url);
  }
  return OSSLIVE_OK;
}

int main(int argc, char **argv) {
  const char *channel = argc > 1 ? argv[1] : "main-stage";
  int64_t ms = (argc > 2 ? atol(argv[2]) : 300) * 1000;
  const osslive_highlight highlights[] = {
      {.name = "opening", .to_ms = ms},
      {.name = "peak", .from_ms = 2 * ms, .to_ms = 3 * ms},
      {.name = "closing", .from_ms = -ms},
  };
  osslive_config *config = osslive_config_new();
  osslive_client *client = NULL;
  osslive_error *error = NULL;
  char *results = NULL;

  if (osslive_config_load_env(config, &error) ||
      osslive_client_new(config, &client, &error) ||
      osslive_create_highlights(client, channel, highlights, 3, show, NULL, &results, &error))
    goto done;
  puts(results);
  print_urls(client, channel, highlights, 3, &error);

done:
  if (error) fprintf(stderr, "%s\n", osslive_error_message(error));
  int failed = error != NULL;
  osslive_string_free(results);
  osslive_error_free(error);
  osslive_client_free(client);
  osslive_config_free(config);
  return failed;
}
