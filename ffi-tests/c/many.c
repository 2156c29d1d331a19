/* Operations on many channels: sweeps, batches, histories, highlights, the monitor;
 * their callbacks, and how they are stopped. */

#include "check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

static osslive_client *client;

static void has(const char *json, const char *text) {
  if (strstr(json, text) == NULL) {
    fprintf(stderr, "%s has no %s\n", json, text);
    exit(1);
  }
}

static int count_of(const char *text, const char *part) {
  int count = 0;
  for (; (text = strstr(text, part)) != NULL; text += strlen(part)) count++;
  return count;
}

/* For a callback that counts its calls, and stops the operation after some. */
struct counter {
  size_t calls, total, stop_after;
  pthread_t thread;
};

static int on_progress(size_t done, size_t total, void *user_data) {
  struct counter *counter = user_data;
  CHECK(pthread_equal(counter->thread, pthread_self()));
  CHECK(done == ++counter->calls);
  counter->total = total;
  return done == counter->stop_after ? -1 : 0;
}

static struct counter new_counter(size_t stop_after) {
  struct counter counter = {.stop_after = stop_after, .thread = pthread_self()};
  return counter;
}

static void put(const char *id, const char *state) {
  osslive_channel_config *config = NULL;
  char *out = NULL;
  SUCCEEDS(osslive_channel_config_new(id, &config, &error));
  SUCCEEDS(osslive_channel_config_set_status(config, state, &error));
  SUCCEEDS(osslive_put_channel(client, id, config, &out, &error));
  osslive_string_free(out);
  osslive_channel_config_free(config);
}

static void a_sweep_sorts_channels_by_status(void) {
  const char *const ids[] = {"on-air", "swept", "off", "nobody", "on-air", ""};
  struct counter counter = new_counter(0);
  char *out = (char *)GARBAGE;
  put("swept", "enabled");
  put("off", "disabled");
  SUCCEEDS(osslive_monitor_channels(client, ids, 6, NULL, on_progress, &counter, &out, &error));
  has(out, "{\"live\":[{\"id\":\"on-air\",\"status\":\"Live\"");
  has(out, "\"idle\":[{\"id\":\"swept\",\"status\":\"Idle\"");
  has(out, "\"disabled\":[{\"id\":\"off\",\"status\":\"Disabled\"");
  has(out, "\"failed\":[{\"id\":\"nobody\",\"error\":{\"kind\":\"service\",");
  has(out, "\"code\":\"NoSuchLiveChannel\"");
  has(out, "{\"id\":\"\",\"error\":{\"kind\":\"invalidArgument\",");
  has(out, "\"total\":5}");
  CHECK(counter.calls == 5 && counter.total == 5);
  osslive_string_free(out);
}

/* For a callback that counts channels by their JSON, and stops the operation after some
 * calls. */
struct tally {
  size_t live, failed, calls, stop_after;
  pthread_t thread;
};

static int count_status(const char *json, void *user_data) {
  struct tally *tally = user_data;
  CHECK(pthread_equal(tally->thread, pthread_self()));
  tally->live += count_of(json, "{\"id\":\"on-air\",\"status\":\"Live\"");
  tally->failed += count_of(json, "{\"id\":\"nobody\",\"error\":{\"kind\":\"service\",");
  return ++tally->calls == tally->stop_after ? 1 : 0;
}

static void a_sweep_passes_on_each_channel(void) {
  const char *const ids[] = {"on-air", "nobody", "on-air", "swept"};
  struct tally tally = {.thread = pthread_self()};
  SUCCEEDS(osslive_sweep_channels(client, ids, 4, NULL, count_status, &tally, &error));
  CHECK(tally.calls == 4 && tally.live == 2 && tally.failed == 1);
  SUCCEEDS(osslive_sweep_channels(client, NULL, 0, NULL, count_status, &tally, &error));
  CHECK(tally.calls == 4);
}

static void a_callback_stops_a_sweep_that_passes_on_channels(void) {
  const char *ids[] = {"on-air", "on-air", "on-air", "on-air", "on-air", "on-air", "on-air"};
  struct tally tally = {.stop_after = 2, .thread = pthread_self()};
  osslive_sweep_options *options = osslive_sweep_options_new();
  SUCCEEDS(osslive_sweep_options_set_max_parallel(options, 1, &error));
  FAILS(OSSLIVE_ERR_STOPPED, "the operation was stopped before all channels were read",
        osslive_sweep_channels(client, ids, 7, options, count_status, &tally, &error));
  CHECK(tally.calls == 2);
  osslive_sweep_options_free(options);
}

static void empty_batches_do_nothing(void) {
  char *out = (char *)GARBAGE;
  SUCCEEDS(osslive_monitor_channels(client, NULL, 0, NULL, NULL, NULL, &out, &error));
  CHECK(strcmp(out, "{\"live\":[],\"idle\":[],\"disabled\":[],\"failed\":[],\"total\":0}") == 0);
  osslive_string_free(out);
  SUCCEEDS(osslive_put_channels(client, NULL, NULL, 0, NULL, NULL, NULL, &out, &error));
  CHECK(strcmp(out, "{\"results\":[],\"failed\":0,\"total\":0}") == 0);
  osslive_string_free(out);
  SUCCEEDS(osslive_create_highlights(client, "on-air", NULL, 0, NULL, NULL, &out, &error));
  CHECK(strcmp(out, "{\"results\":[],\"failed\":0,\"total\":0}") == 0);
  osslive_string_free(out);
}

static void every_failure_of_a_sweep_is_listed(const char *endpoint, const char *kind) {
  const char *const ids[] = {"a", "b", "c"};
  osslive_client *failing = client_of(endpoint, 300, 1);
  char *out = (char *)GARBAGE;
  SUCCEEDS(osslive_monitor_channels(failing, ids, 3, NULL, NULL, NULL, &out, &error));
  has(out, "{\"live\":[],\"idle\":[],\"disabled\":[],\"failed\":[{\"id\":\"a\",");
  CHECK(count_of(out, kind) == 3);
  osslive_string_free(out);
  osslive_client_free(failing);
}

enum { MANY = 40 };

static void a_callback_stops_a_sweep(void) {
  const char *ids[MANY];
  char names[MANY][16];
  struct counter counter = new_counter(2);
  char *out = (char *)GARBAGE;
  osslive_sweep_options *options = osslive_sweep_options_new();
  for (int i = 0; i < MANY; i++) {
    snprintf(names[i], sizeof names[i], "nobody-%d", i);
    ids[i] = names[i];
  }
  SUCCEEDS(osslive_sweep_options_set_max_parallel(options, 1, &error));
  SUCCEEDS(osslive_sweep_options_set_rate(options, 100, &error));
  SUCCEEDS(
      osslive_monitor_channels(client, ids, MANY, options, on_progress, &counter, &out, &error));
  osslive_sweep_options_free(options);
  CHECK(counter.calls == 2 && counter.total == MANY);
  has(out, "\"total\":40}");
  CHECK(count_of(out, "NoSuchLiveChannel\"") >= 2);
  CHECK(count_of(out, "{\"kind\":\"stopped\",\"message\":\"skipped: the operation was stopped") > 30);
  osslive_string_free(out);
}

static void a_sweep_has_a_time_limit(void) {
  const char *const ids[] = {"a", "b"};
  osslive_client *silent = client_of(variable("SILENT_ENDPOINT"), 30000, 1);
  osslive_sweep_options *options = osslive_sweep_options_new();
  char *out = (char *)GARBAGE;
  SUCCEEDS(osslive_sweep_options_set_max_parallel(options, 1, &error));
  SUCCEEDS(osslive_sweep_options_set_time_limit_ms(options, 200, &error));
  SUCCEEDS(osslive_monitor_channels(silent, ids, 2, options, NULL, NULL, &out, &error));
  has(out, "{\"id\":\"a\",\"error\":{\"kind\":\"timeout\"");
  has(out, "{\"id\":\"b\",\"error\":{\"kind\":\"stopped\"");
  osslive_string_free(out);
  osslive_sweep_options_free(options);
  osslive_client_free(silent);
}

static void a_batch_returns_one_result_per_channel(void) {
  const char *const ids[] = {"batch-1", "batch-2", "batch-1", "on-air", "batch-3"};
  osslive_channel_config *good = NULL, *bad = NULL;
  struct counter counter = new_counter(0);
  char *out = (char *)GARBAGE;
  SUCCEEDS(osslive_channel_config_new("Good", &good, &error));
  SUCCEEDS(osslive_channel_config_new("Bad", &bad, &error));
  SUCCEEDS(osslive_channel_config_set_frag_duration(bad, 0, &error));
  const osslive_channel_config *const configs[] = {good, bad, good, good, good};
  SUCCEEDS(
      osslive_put_channels(client, ids, configs, 5, NULL, on_progress, &counter, &out, &error));
  has(out, "{\"results\":[{\"id\":\"batch-1\",\"publishUrls\":[\"rtmp://");
  has(out, "{\"id\":\"batch-2\",\"error\":{\"kind\":\"invalidArgument\"");
  has(out, "{\"id\":\"batch-1\",\"error\":{\"kind\":\"invalidArgument\"");
  has(out, "{\"id\":\"on-air\",\"error\":{\"kind\":\"service\"");
  has(out, "{\"id\":\"batch-3\",\"publishUrls\":[\"rtmp://");
  has(out, "],\"failed\":3,\"total\":5}");
  CHECK(counter.calls == 5);
  osslive_string_free(out);
  SUCCEEDS(osslive_get_channel(client, "batch-3", &out, &error));
  osslive_string_free(out);
  FAILS(OSSLIVE_ERR_SERVICE, "NoSuchLiveChannel",
        osslive_get_channel(client, "batch-2", &out, &error));

  osslive_sweep_options *options = osslive_sweep_options_new();
  SUCCEEDS(osslive_sweep_options_set_max_parallel(options, 1, &error));
  SUCCEEDS(osslive_sweep_options_set_rate(options, 20, &error));
  counter = new_counter(1);
  SUCCEEDS(
      osslive_put_channels(client, ids, configs, 5, options, on_progress, &counter, &out, &error));
  CHECK(counter.calls == 1);
  has(out, "\"kind\":\"stopped\"");
  osslive_string_free(out);
  osslive_sweep_options_free(options);
  osslive_channel_config_free(bad);
  osslive_channel_config_free(good);
}

static void a_history_is_analyzed(void) {
  char *out = (char *)GARBAGE;
  SUCCEEDS(osslive_analyze_history(client, "on-air", 7, &out, &error));
  has(out, "\"sessionCount\":1,\"totalDurationHours\":0.0");
  has(out, "\"uniqueIps\":[\"127.0.0.1\"]");
  has(out, "\"longestSession\":{\"startTime\":\"20");
  has(out, "\"gaps\":[]");
  has(out, "\"isTruncated\":false}");
  osslive_string_free(out);
  SUCCEEDS(osslive_analyze_history(client, "swept", 1, &out, &error));
  has(out, "\"sessionCount\":0,\"totalDurationHours\":0.0,\"averageDurationMinutes\":0.0,");
  osslive_string_free(out);
  FAILS(OSSLIVE_ERR_INVALID_ARGUMENT, "days 0",
        osslive_analyze_history(client, "on-air", 0, &out, &error));
  FAILS(OSSLIVE_ERR_SERVICE, "NoSuchLiveChannel",
        osslive_analyze_history(client, "nobody", 7, &out, &error));
  CHECK(out == NULL);
}

/* Retries until everything is recorded, since the current session has just begun. */
static char *cut(const osslive_highlight *highlights, size_t count, int failures) {
  char wanted[64];
  snprintf(wanted, sizeof wanted, "],\"failed\":%d,\"total\":%d}", failures, (int)count);
  for (int tries = 0; tries < 300; tries++) {
    char *out = NULL;
    SUCCEEDS(osslive_create_highlights(client, "on-air", highlights, count, NULL, NULL, &out,
                                       &error));
    if (strstr(out, wanted) != NULL) return out;
    if (tries == 299) fprintf(stderr, "%s\n", out);
    osslive_string_free(out);
    pause_ms(100);
  }
  CHECK(!"the highlights were cut");
  return NULL;
}

static void highlights_are_cut_by_offset_and_time(void) {
  int64_t now = (int64_t)time(NULL);
  const osslive_highlight highlights[] = {
      {.name = "opening", .to_ms = 1500},
      {.name = "closing.m3u8", .from_ms = -1500},
      {.name = "inner", .from_ms = 500, .to_ms = -500},
      {.name = "late", .from_ms = -2000, .to_ms = -500},
      {.name = "whole"},
      {.name = "hour", .start_time = now - 3600, .end_time = now + 60},
      {.name = "now", .to_ms = 3000, .session_time = now},
      {.name = "opening", .to_ms = 500},
      {.name = "never", .from_ms = 86400000, .to_ms = 86500000},
      {.name = "old", .start_time = 1000, .end_time = 2000},
      {.name = "gone", .session_time = 1000},
      {.name = "backwards", .start_time = now, .end_time = now - 60},
  };
  /* `now` is within the session once a second has begun in it. */
  pause_ms(1100);
  char *out = cut(highlights, 12, 5);
  has(out, "{\"results\":[{\"name\":\"opening\",\"playlist\":\"opening.m3u8\",\"start\":\"20");
  has(out, "{\"name\":\"closing.m3u8\",\"playlist\":\"closing.m3u8\",\"start\":\"20");
  has(out, "{\"name\":\"opening\",\"playlist\":\"opening.m3u8\",\"error\":{");
  has(out, "{\"name\":\"never\",\"playlist\":\"never.m3u8\",\"error\":{\"kind\":\"invalidArg");
  osslive_string_free(out);
}

static void a_callback_stops_highlights(void) {
  const osslive_highlight highlights[] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};
  struct counter counter = new_counter(0);
  char *out = (char *)GARBAGE;
  SUCCEEDS(osslive_create_highlights(client, "on-air", highlights, 3, on_progress, &counter, &out,
                                     &error));
  CHECK(counter.calls == 3 && counter.total == 3);
  has(out, "\"failed\":0,\"total\":3}");
  osslive_string_free(out);
  counter = new_counter(1);
  SUCCEEDS(osslive_create_highlights(client, "on-air", highlights, 3, on_progress, &counter, &out,
                                     &error));
  CHECK(counter.calls == 1);
  has(out, "{\"name\":\"b\",\"playlist\":\"b.m3u8\",\"error\":{\"kind\":\"stopped\"");
  has(out, "\"failed\":2,\"total\":3}");
  osslive_string_free(out);
  FAILS(OSSLIVE_ERR_SERVICE, "NoSuchLiveChannel",
        osslive_create_highlights(client, "nobody", highlights, 3, on_progress, &counter, &out,
                                  &error));
  CHECK(out == NULL && counter.calls == 1);
}

static osslive_channel_monitor *monitor_of(const osslive_client *client, uint32_t interval_ms) {
  const char *const ids[] = {"on-air", "swept", "nobody"};
  osslive_sweep_options *options = osslive_sweep_options_new();
  osslive_channel_monitor *monitor = (osslive_channel_monitor *)GARBAGE;
  SUCCEEDS(osslive_sweep_options_set_interval_ms(options, interval_ms, &error));
  SUCCEEDS(osslive_sweep_options_set_min_bandwidth(options, 1 << 30, &error));
  SUCCEEDS(osslive_sweep_options_set_frame_rate_drop(options, 1, &error));
  SUCCEEDS(osslive_channel_monitor_new(client, ids, 3, options, &monitor, &error));
  osslive_sweep_options_free(options);
  return monitor;
}

/* The last number of bytes reported, and how often. */
struct meter {
  size_t calls, done, total;
  int stops;
};

static int measure(size_t done, size_t total, void *user_data) {
  struct meter *meter = user_data;
  CHECK(done >= meter->done && done <= total);
  meter->calls++;
  meter->done = done;
  meter->total = total;
  return meter->stops;
}

static long length_of(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) return -1;
  CHECK(fseek(file, 0, SEEK_END) == 0);
  const long length = ftell(file);
  CHECK(fclose(file) == 0);
  return length;
}

static void a_recording_is_downloaded(const char *folder) {
  char path[512], part[600];
  snprintf(path, sizeof path, "%s/show.ts", folder);
  snprintf(part, sizeof part, "%s.part", path);
  remove(path);
  osslive_download download = {.path = path, .last_ms = 3600000};
  struct meter meter = {.stops = 1};
  char *out = (char *)GARBAGE;
  FAILS(OSSLIVE_ERR_STOPPED, "can be resumed",
        osslive_download_recording(client, "on-air", &download, measure, &meter, &out, &error));
  CHECK(out == NULL && meter.calls == 1 && length_of(path) == -1 && length_of(part) >= 0);

  meter.stops = 0;
  SUCCEEDS(osslive_download_recording(client, "on-air", &download, measure, &meter, &out, &error));
  CHECK(meter.done == meter.total && length_of(path) == (long)meter.total && meter.total > 0);
  CHECK(length_of(part) == -1);
  has(out, "{\"startTime\":\"20");
  has(out, "\"gaps\":[");
  osslive_string_free(out);

  FAILS(OSSLIVE_ERR_FILE, "show.ts: already exists",
        osslive_download_recording(client, "on-air", &download, NULL, NULL, &out, &error));
  download.overwrite = 1;
  SUCCEEDS(osslive_download_recording(client, "on-air", &download, NULL, NULL, &out, &error));
  osslive_string_free(out);
  download.last_ms = 0;
  FAILS(OSSLIVE_ERR_SERVICE, "NoSuchLiveChannel",
        osslive_download_recording(client, "nobody", &download, NULL, NULL, &out, &error));
  download = (osslive_download){.path = path, .start_time = 1, .end_time = 2, .overwrite = 1};
  FAILS(OSSLIVE_ERR_INVALID_ARGUMENT, "NothingRecorded",
        osslive_download_recording(client, "on-air", &download, NULL, NULL, &out, &error));
  CHECK(out == NULL);
}

static void a_monitor_reports_changes(void) {
  osslive_client *other = NULL;
  SUCCEEDS(osslive_client_with_timeout_ms(client, 20000, &other, &error));
  osslive_channel_monitor *monitor = monitor_of(other, 20);
  /* The monitor keeps what it needs of the client. */
  osslive_client_free(other);
  char *out = (char *)GARBAGE;
  SUCCEEDS(osslive_channel_monitor_last_sweep(monitor, &out, &error));
  has(out, "\"total\":0}");
  osslive_string_free(out);
  SUCCEEDS(osslive_channel_monitor_next_changes(monitor, &out, &error));
  has(out, "{\"changes\":[{\"id\":\"on-air\",\"time\":\"20");
  has(out, "\"change\":\"wentLive\",\"remoteAddr\":\"127.0.0.1:");
  has(out, "\"change\":\"bandwidthLow\",\"bandwidth\":");
  has(out, "\"change\":\"gone\"}");
  osslive_string_free(out);
  SUCCEEDS(osslive_channel_monitor_next_changes(monitor, &out, &error));
  CHECK(strcmp(out, "{\"changes\":[]}") == 0);
  osslive_string_free(out);
  SUCCEEDS(osslive_put_channel_status(client, "swept", "disabled", &out, &error));
  osslive_string_free(out);
  SUCCEEDS(osslive_channel_monitor_next_changes(monitor, &out, &error));
  has(out, "{\"changes\":[{\"id\":\"swept\",");
  has(out, "\"change\":\"disabled\"}]}");
  osslive_string_free(out);
  SUCCEEDS(osslive_channel_monitor_last_sweep(monitor, &out, &error));
  has(out, "{\"live\":[{\"id\":\"on-air\",");
  has(out, "\"disabled\":[{\"id\":\"swept\",");
  osslive_string_free(out);
  SUCCEEDS(osslive_channel_monitor_stop(monitor, &error));
  FAILS(OSSLIVE_ERR_STOPPED, "stopped",
        osslive_channel_monitor_next_changes(monitor, &out, &error));
  CHECK(out == NULL);
  osslive_channel_monitor_free(monitor);
}

static void *watch_until_stopped(void *user_data) {
  osslive_channel_monitor *monitor = user_data;
  char *out = NULL;
  osslive_error *error = NULL;
  osslive_status status = OSSLIVE_OK;
  for (int sweeps = 0; sweeps < 3 && status == OSSLIVE_OK; sweeps++) {
    status = osslive_channel_monitor_next_changes(monitor, &out, &error);
    osslive_string_free(out);
  }
  CHECK(status == OSSLIVE_ERR_STOPPED && out == NULL);
  osslive_error_free(error);
  return NULL;
}

/* The monitor waits for its interval or for a hanging call; another thread cannot use
 * it meanwhile, but can stop it. */
static void another_thread_stops_a_monitor(const osslive_client *client) {
  osslive_channel_monitor *monitor = monitor_of(client, 3600 * 1000);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, watch_until_stopped, monitor) == 0);
  osslive_status status = OSSLIVE_OK;
  for (int tries = 0; tries < 1000 && status == OSSLIVE_OK; tries++) {
    char *out = (char *)GARBAGE;
    osslive_error *error = NULL;
    status = osslive_channel_monitor_last_sweep(monitor, &out, &error);
    CHECK(status == OSSLIVE_OK || strstr(osslive_error_message(error), "another thread") != NULL);
    osslive_error_free(error);
    osslive_string_free(out);
    pause_ms(10);
  }
  CHECK(status == OSSLIVE_ERR_INVALID_ARGUMENT);
  SUCCEEDS(osslive_channel_monitor_stop(monitor, &error));
  CHECK(pthread_join(thread, NULL) == 0);
  osslive_channel_monitor_free(monitor);
}

static void invalid_options_are_rejected(void) {
  osslive_sweep_options *options = osslive_sweep_options_new();
  const osslive_status invalid = OSSLIVE_ERR_INVALID_ARGUMENT;
  FAILS(invalid, "max_parallel 0: must", osslive_sweep_options_set_max_parallel(options, 0, &error));
  FAILS(invalid, "257: must", osslive_sweep_options_set_max_parallel(options, 257, &error));
  FAILS(invalid, "-1", osslive_sweep_options_set_rate(options, -1, &error));
  FAILS(invalid, "NaN", osslive_sweep_options_set_rate(options, strtod("nan", NULL), &error));
  FAILS(invalid, "timeout_ms 0: must", osslive_sweep_options_set_time_limit_ms(options, 0, &error));
  FAILS(invalid, "interval_ms 0: must", osslive_sweep_options_set_interval_ms(options, 0, &error));
  FAILS(invalid, "1.5", osslive_sweep_options_set_frame_rate_drop(options, 1.5, &error));
  SUCCEEDS(osslive_sweep_options_set_rate(options, 0, &error));
  osslive_sweep_options_free(options);
  osslive_sweep_options_free(NULL);
  osslive_channel_monitor_free(NULL);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  client = client_of_service();
  invalid_options_are_rejected();
  a_sweep_sorts_channels_by_status();
  empty_batches_do_nothing();
  every_failure_of_a_sweep_is_listed(variable("REFUSED_ENDPOINT"), "\"kind\":\"connection\"");
  every_failure_of_a_sweep_is_listed(variable("SILENT_ENDPOINT"), "\"kind\":\"timeout\"");
  every_failure_of_a_sweep_is_listed(variable("GARBAGE_ENDPOINT"), "\"kind\":\"badReply\"");
  a_callback_stops_a_sweep();
  a_sweep_passes_on_each_channel();
  a_callback_stops_a_sweep_that_passes_on_channels();
  a_sweep_has_a_time_limit();
  a_batch_returns_one_result_per_channel();
  a_history_is_analyzed();
  highlights_are_cut_by_offset_and_time();
  a_callback_stops_highlights();
  a_recording_is_downloaded(argv[1]);
  a_monitor_reports_changes();
  another_thread_stops_a_monitor(client);
  osslive_client *silent = client_of(variable("SILENT_ENDPOINT"), 20000, 1);
  another_thread_stops_a_monitor(silent);
  osslive_client_free(silent);
  osslive_client_free(client);
  return 0;
}
