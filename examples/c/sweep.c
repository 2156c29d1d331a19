/* Polls three channels every 30 seconds and prints the changes, a line of JSON
 * per sweep, and at the end the last sweep.
 *
 *   cc sweep.c $(pkg-config --cflags --libs osslive) -o sweep
 *   ./sweep [COUNT [SECONDS]]
 *
 * COUNT is the number of sweeps, 0 for no limit; SECONDS is the interval. Region
 * or endpoint, bucket and access key come from OSS_REGION, OSS_ENDPOINT,
 * OSS_BUCKET, OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET. */

#include <osslive.h>

#include <stdio.h>
#include <stdlib.h>

static const char *const CHANNELS[] = {"main-stage", "backstage", "audience"};

/* A program with other work does this on a separate thread;
 * osslive_channel_monitor_stop ends it. */
static osslive_status watch(osslive_channel_monitor *monitor, long count, osslive_error **error) {
  for (long sweep = 0; count == 0 || sweep < count; sweep++) {
    char *changes = NULL;
    osslive_status status = osslive_channel_monitor_next_changes(monitor, &changes, error);
    if (status) return status;
    puts(changes);
    fflush(stdout);
    osslive_string_free(changes);
  }
  return OSSLIVE_OK;
}

int main(int argc, char **argv) {
  long count = argc > 1 ? atol(argv[1]) : 0;
  double seconds = argc > 2 ? atof(argv[2]) : 30;
  osslive_config *config = osslive_config_new();
  osslive_sweep_options *options = osslive_sweep_options_new();
  osslive_client *client = NULL;
  osslive_channel_monitor *monitor = NULL;
  osslive_error *error = NULL;
  char *sweep = NULL;

  if (osslive_config_load_env(config, &error) ||
      osslive_client_new(config, &client, &error) ||
      osslive_sweep_options_set_interval_ms(options, (uint32_t)(seconds * 1000), &error) ||
      osslive_sweep_options_set_min_bandwidth(options, 100000, &error) ||
      osslive_channel_monitor_new(client, CHANNELS, 3, options, &monitor, &error) ||
      watch(monitor, count, &error) ||
      osslive_channel_monitor_last_sweep(monitor, &sweep, &error))
    goto done;
  puts(sweep);

done:
  if (error) fprintf(stderr, "%s\n", osslive_error_message(error));
  int failed = error != NULL;
  osslive_string_free(sweep);
  osslive_error_free(error);
  osslive_channel_monitor_free(monitor);
  osslive_client_free(client);
  osslive_sweep_options_free(options);
  osslive_config_free(config);
  return failed;
}
