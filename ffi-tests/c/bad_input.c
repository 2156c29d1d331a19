/* NULL for each pointer in turn, and strings that are not UTF-8, are empty, or are a
 * megabyte long: each gives a status, an error that names the parameter, and no output. */

#include "check.h"

#define NOT_UTF8 "abc\xff"

static osslive_client *client;
static osslive_config *config;
static osslive_channel_config *channel;
static osslive_sweep_options *options;

/* Rejected, with the parameter's name in the message; `out` was reset. */
#define REFUSED(name, call) \
  do { \
    void *before = GARBAGE; \
    char *out = (char *)before; \
    FAILS(OSSLIVE_ERR_INVALID_ARGUMENT, name, call); \
    CHECK(out == NULL); \
    out = NULL; \
  } while (0)

/* Like REFUSED, for a call without `out`. */
#define REFUSED_NO_OUT(name, call) FAILS(OSSLIVE_ERR_INVALID_ARGUMENT, name, call)

static void null_is_rejected_for_each_pointer(void) {
  osslive_client *c = NULL;
  osslive_channel_config *cc = NULL;

  REFUSED_NO_OUT("config is NULL", osslive_config_set_region(NULL, "a", &error));
  REFUSED_NO_OUT("region is NULL", osslive_config_set_region(config, NULL, &error));
  REFUSED_NO_OUT("config is NULL", osslive_config_set_endpoint(NULL, "a", &error));
  REFUSED_NO_OUT("endpoint is NULL", osslive_config_set_endpoint(config, NULL, &error));
  REFUSED_NO_OUT("config is NULL", osslive_config_set_bucket(NULL, "a", &error));
  REFUSED_NO_OUT("bucket is NULL", osslive_config_set_bucket(config, NULL, &error));
  REFUSED_NO_OUT("config is NULL", osslive_config_set_credentials(NULL, "a", "b", NULL, &error));
  REFUSED_NO_OUT("access_key_id is NULL",
              osslive_config_set_credentials(config, NULL, "b", NULL, &error));
  REFUSED_NO_OUT("access_key_secret is NULL",
              osslive_config_set_credentials(config, "a", NULL, NULL, &error));
  REFUSED_NO_OUT("config is NULL", osslive_config_load_env(NULL, &error));
  REFUSED_NO_OUT("config is NULL", osslive_config_load_profile(NULL, NULL, NULL, &error));
  REFUSED_NO_OUT("config is NULL", osslive_config_load_default_credentials(NULL, &error));
  REFUSED_NO_OUT("config is NULL", osslive_config_set_ecs_role(NULL, NULL, &error));
  REFUSED_NO_OUT("config is NULL",
              osslive_config_set_oidc_role(NULL, "a", "b", "c", NULL, NULL, &error));
  REFUSED_NO_OUT("role_arn is NULL",
              osslive_config_set_oidc_role(config, NULL, "b", "c", NULL, NULL, &error));
  REFUSED_NO_OUT("oidc_provider_arn is NULL",
              osslive_config_set_oidc_role(config, "a", NULL, "c", NULL, NULL, &error));
  REFUSED_NO_OUT("oidc_token_file is NULL",
              osslive_config_set_oidc_role(config, "a", "b", NULL, NULL, NULL, &error));
  REFUSED_NO_OUT("config is NULL", osslive_config_set_credential_process(NULL, "a", &error));
  REFUSED_NO_OUT("command is NULL", osslive_config_set_credential_process(config, NULL, &error));
  REFUSED_NO_OUT("config is NULL", osslive_config_set_credentials_uri(NULL, "http://a", &error));
  REFUSED_NO_OUT("uri is NULL", osslive_config_set_credentials_uri(config, NULL, &error));
  REFUSED_NO_OUT("config is NULL", osslive_config_set_internal(NULL, 1, &error));
  REFUSED_NO_OUT("config is NULL", osslive_config_set_secure(NULL, 1, &error));
  REFUSED_NO_OUT("config is NULL", osslive_config_set_addressing_style(NULL, "path", &error));
  REFUSED_NO_OUT("style is NULL", osslive_config_set_addressing_style(config, NULL, &error));
  REFUSED_NO_OUT("config is NULL", osslive_config_set_signature_version(NULL, 4, &error));
  REFUSED_NO_OUT("config is NULL", osslive_config_set_connect_timeout_ms(NULL, 1, &error));
  REFUSED_NO_OUT("config is NULL", osslive_config_set_timeout_ms(NULL, 1, &error));
  REFUSED_NO_OUT("config is NULL", osslive_config_set_attempts(NULL, 1, &error));
  REFUSED_NO_OUT("config is NULL", osslive_config_set_pool_size(NULL, 1, &error));
  REFUSED_NO_OUT("config is NULL", osslive_config_set_proxy(NULL, "http://a:1", &error));
  REFUSED_NO_OUT("config is NULL", osslive_config_set_root_certificates(NULL, "a", &error));
  REFUSED_NO_OUT("pem is NULL", osslive_config_set_root_certificates(config, NULL, &error));
  REFUSED_NO_OUT("config is NULL", osslive_config_set_root_certificates(NULL, "a", &error));
  REFUSED_NO_OUT("pem is NULL", osslive_config_set_root_certificates(config, NULL, &error));
  REFUSED_NO_OUT("config is NULL", osslive_config_set_user_agent(NULL, "a", &error));
  REFUSED_NO_OUT("user_agent is NULL", osslive_config_set_user_agent(config, NULL, &error));
  REFUSED_NO_OUT("config is NULL", osslive_config_set_sign_security_token(NULL, 1, &error));

  c = (osslive_client *)GARBAGE;
  REFUSED_NO_OUT("config is NULL", osslive_client_new(NULL, &c, &error));
  CHECK(c == NULL);
  REFUSED_NO_OUT("out_client is NULL", osslive_client_new(config, NULL, &error));
  c = (osslive_client *)GARBAGE;
  REFUSED_NO_OUT("client is NULL", osslive_client_with_timeout_ms(NULL, 1, &c, &error));
  CHECK(c == NULL);
  REFUSED_NO_OUT("out_client is NULL", osslive_client_with_timeout_ms(client, 1, NULL, &error));
  REFUSED_NO_OUT("client is NULL", osslive_client_shutdown(NULL, &error));
  REFUSED_NO_OUT("client is NULL", osslive_client_set_credentials(NULL, "a", "b", NULL, &error));
  REFUSED_NO_OUT("access_key_id is NULL",
              osslive_client_set_credentials(client, NULL, "b", NULL, &error));
  REFUSED_NO_OUT("access_key_secret is NULL",
              osslive_client_set_credentials(client, "a", NULL, NULL, &error));

  cc = (osslive_channel_config *)GARBAGE;
  REFUSED_NO_OUT("name is NULL", osslive_channel_config_new(NULL, &cc, &error));
  CHECK(cc == NULL);
  REFUSED_NO_OUT("out_channel_config is NULL", osslive_channel_config_new("a", NULL, &error));
  REFUSED_NO_OUT("channel_config is NULL",
              osslive_channel_config_set_description(NULL, "a", &error));
  REFUSED_NO_OUT("description is NULL",
              osslive_channel_config_set_description(channel, NULL, &error));
  REFUSED_NO_OUT("channel_config is NULL",
              osslive_channel_config_set_status(NULL, "enabled", &error));
  REFUSED_NO_OUT("status is NULL", osslive_channel_config_set_status(channel, NULL, &error));
  REFUSED_NO_OUT("channel_config is NULL", osslive_channel_config_set_frag_duration(NULL, 1, &error));
  REFUSED_NO_OUT("channel_config is NULL", osslive_channel_config_set_frag_count(NULL, 1, &error));
  REFUSED_NO_OUT("channel_config is NULL",
              osslive_channel_config_set_playlist_name(NULL, "a.m3u8", &error));
  REFUSED_NO_OUT("playlist_name is NULL",
              osslive_channel_config_set_playlist_name(channel, NULL, &error));
  REFUSED_NO_OUT("channel_config is NULL",
              osslive_channel_config_set_snapshot(NULL, "a", "b", "c", 1, &error));
  REFUSED_NO_OUT("role_name is NULL",
              osslive_channel_config_set_snapshot(channel, NULL, "b", "c", 1, &error));
  REFUSED_NO_OUT("dest_bucket is NULL",
              osslive_channel_config_set_snapshot(channel, "a", NULL, "c", 1, &error));
  REFUSED_NO_OUT("notify_topic is NULL",
              osslive_channel_config_set_snapshot(channel, "a", "b", NULL, 1, &error));

  REFUSED("client is NULL", osslive_put_channel(NULL, "a", channel, &out, &error));
  REFUSED("id is NULL", osslive_put_channel(client, NULL, channel, &out, &error));
  REFUSED("channel_config is NULL", osslive_put_channel(client, "a", NULL, &out, &error));
  REFUSED_NO_OUT("out_json is NULL", osslive_put_channel(client, "a", channel, NULL, &error));
  REFUSED("client is NULL", osslive_create_channel(NULL, "a", channel, &out, &error));
  REFUSED("id is NULL", osslive_create_channel(client, NULL, channel, &out, &error));
  REFUSED("channel_config is NULL", osslive_create_channel(client, "a", NULL, &out, &error));
  REFUSED_NO_OUT("out_json is NULL", osslive_create_channel(client, "a", channel, NULL, &error));
  REFUSED("client is NULL", osslive_get_channel(NULL, "a", &out, &error));
  REFUSED("id is NULL", osslive_get_channel(client, NULL, &out, &error));
  REFUSED_NO_OUT("out_json is NULL", osslive_get_channel(client, "a", NULL, &error));
  REFUSED("client is NULL", osslive_delete_channel(NULL, "a", &out, &error));
  REFUSED("id is NULL", osslive_delete_channel(client, NULL, &out, &error));
  REFUSED_NO_OUT("out_json is NULL", osslive_delete_channel(client, "a", NULL, &error));
  REFUSED("client is NULL", osslive_list_channels(NULL, NULL, NULL, 0, &out, &error));
  REFUSED_NO_OUT("out_json is NULL", osslive_list_channels(client, NULL, NULL, 0, NULL, &error));
  REFUSED("client is NULL", osslive_put_channel_status(NULL, "a", "enabled", &out, &error));
  REFUSED("id is NULL", osslive_put_channel_status(client, NULL, "enabled", &out, &error));
  REFUSED("status is NULL", osslive_put_channel_status(client, "a", NULL, &out, &error));
  REFUSED_NO_OUT("out_json is NULL",
              osslive_put_channel_status(client, "a", "enabled", NULL, &error));
  REFUSED("client is NULL", osslive_get_channel_status(NULL, "a", &out, &error));
  REFUSED("id is NULL", osslive_get_channel_status(client, NULL, &out, &error));
  REFUSED_NO_OUT("out_json is NULL", osslive_get_channel_status(client, "a", NULL, &error));
  int live = 1;
  REFUSED("client is NULL", osslive_wait_until_live(NULL, "a", 1, &out, &error));
  REFUSED("id is NULL", osslive_wait_until_idle(client, NULL, 1, &out, &error));
  REFUSED_NO_OUT("out_json is NULL", osslive_wait_until_live(client, "a", 1, NULL, &error));
  REFUSED_NO_OUT("time limit 0", osslive_wait_until_deleted(client, "a", 0, &error));
  REFUSED_NO_OUT("client is NULL", osslive_is_channel_live(NULL, "a", &live, &error));
  CHECK(live == 0);
  REFUSED_NO_OUT("id is NULL", osslive_is_channel_live(client, NULL, &live, &error));
  REFUSED_NO_OUT("out_live is NULL", osslive_is_channel_live(client, "a", NULL, &error));
  REFUSED("client is NULL", osslive_get_channel_history(NULL, "a", &out, &error));
  REFUSED("id is NULL", osslive_get_channel_history(client, NULL, &out, &error));
  REFUSED_NO_OUT("out_json is NULL", osslive_get_channel_history(client, "a", NULL, &error));
  REFUSED("client is NULL", osslive_create_vod(NULL, "a", "b", 1, 2, &out, &error));
  REFUSED("id is NULL", osslive_create_vod(client, NULL, "b", 1, 2, &out, &error));
  REFUSED("name is NULL", osslive_create_vod(client, "a", NULL, 1, 2, &out, &error));
  REFUSED_NO_OUT("out_json is NULL", osslive_create_vod(client, "a", "b", 1, 2, NULL, &error));
  REFUSED("client is NULL", osslive_get_vod(NULL, "a", 1, 2, &out, &error));
  REFUSED("id is NULL", osslive_get_vod(client, NULL, 1, 2, &out, &error));
  REFUSED_NO_OUT("out_playlist is NULL", osslive_get_vod(client, "a", 1, 2, NULL, &error));

  const osslive_param no_name[] = {{"a", "b"}, {NULL, "c"}};
  const osslive_param no_value[] = {{"a", NULL}};
  REFUSED("client is NULL", osslive_get_rtmp_url(NULL, "a", 60, NULL, 0, &out, &error));
  REFUSED("id is NULL", osslive_get_rtmp_url(client, NULL, 60, NULL, 0, &out, &error));
  REFUSED("params is NULL", osslive_get_rtmp_url(client, "a", 60, NULL, 1, &out, &error));
  REFUSED("params[1].name is NULL",
          osslive_get_rtmp_url(client, "a", 60, no_name, 2, &out, &error));
  REFUSED("params[0].value is NULL",
          osslive_get_rtmp_url(client, "a", 60, no_value, 1, &out, &error));
  REFUSED("n_params ", osslive_get_rtmp_url(client, "a", 60, no_value, (size_t)-1, &out, &error));
  REFUSED_NO_OUT("out_url is NULL", osslive_get_rtmp_url(client, "a", 60, NULL, 0, NULL, &error));
  REFUSED("client is NULL", osslive_get_publish_url(NULL, "a", 60, NULL, 0, &out, &error));
  REFUSED("id is NULL", osslive_get_publish_url(client, NULL, 60, NULL, 0, &out, &error));
  REFUSED("params is NULL", osslive_get_publish_url(client, "a", 60, NULL, 1, &out, &error));
  REFUSED_NO_OUT("out_json is NULL", osslive_get_publish_url(client, "a", 60, NULL, 0, NULL, &error));
  REFUSED("client is NULL", osslive_get_play_url(NULL, "a", NULL, 60, &out, &error));
  REFUSED("id is NULL", osslive_get_play_url(client, NULL, NULL, 60, &out, &error));
  REFUSED_NO_OUT("out_url is NULL", osslive_get_play_url(client, "a", NULL, 60, NULL, &error));
}

static int ignore(const char *json, void *user_data) {
  (void)json, (void)user_data;
  return 0;
}

static void null_is_rejected_for_batch_operations(void) {
  const char *const ids[] = {"a", "b"};
  const char *const hole[] = {"a", NULL};
  const osslive_channel_config *const configs[] = {channel, channel};
  const osslive_channel_config *const no_config[] = {channel, NULL};
  const osslive_highlight cut[] = {{.name = "a"}, {.name = "b"}};
  const osslive_highlight no_name[] = {{.name = "a"}, {.to_ms = 1000}};
  const size_t absurd = (size_t)-1;

  REFUSED_NO_OUT("sweep_options is NULL", osslive_sweep_options_set_max_parallel(NULL, 1, &error));
  REFUSED_NO_OUT("sweep_options is NULL", osslive_sweep_options_set_rate(NULL, 1, &error));
  REFUSED_NO_OUT("sweep_options is NULL", osslive_sweep_options_set_time_limit_ms(NULL, 1, &error));
  REFUSED_NO_OUT("sweep_options is NULL", osslive_sweep_options_set_interval_ms(NULL, 1, &error));
  REFUSED_NO_OUT("sweep_options is NULL", osslive_sweep_options_set_min_bandwidth(NULL, 1, &error));
  REFUSED_NO_OUT("sweep_options is NULL", osslive_sweep_options_set_frame_rate_drop(NULL, 1, &error));

  REFUSED("client is NULL",
          osslive_monitor_channels(NULL, ids, 2, options, NULL, NULL, &out, &error));
  REFUSED("ids is NULL",
          osslive_monitor_channels(client, NULL, 2, options, NULL, NULL, &out, &error));
  REFUSED("ids[1] is NULL",
          osslive_monitor_channels(client, hole, 2, options, NULL, NULL, &out, &error));
  REFUSED("n_ids ",
          osslive_monitor_channels(client, ids, absurd, options, NULL, NULL, &out, &error));
  REFUSED_NO_OUT("out_json is NULL",
              osslive_monitor_channels(client, ids, 2, options, NULL, NULL, NULL, &error));

  REFUSED_NO_OUT("client is NULL",
              osslive_sweep_channels(NULL, ids, 2, options, ignore, NULL, &error));
  REFUSED_NO_OUT("ids is NULL",
              osslive_sweep_channels(client, NULL, 2, options, ignore, NULL, &error));
  REFUSED_NO_OUT("ids[1] is NULL",
              osslive_sweep_channels(client, hole, 2, options, ignore, NULL, &error));
  REFUSED_NO_OUT("n_ids ",
              osslive_sweep_channels(client, ids, absurd, options, ignore, NULL, &error));
  REFUSED_NO_OUT("on_status is NULL",
              osslive_sweep_channels(client, ids, 2, options, NULL, NULL, &error));

  REFUSED("client is NULL",
          osslive_put_channels(NULL, ids, configs, 2, options, NULL, NULL, &out, &error));
  REFUSED("ids is NULL",
          osslive_put_channels(client, NULL, configs, 2, options, NULL, NULL, &out, &error));
  REFUSED("ids[1] is NULL",
          osslive_put_channels(client, hole, configs, 2, options, NULL, NULL, &out, &error));
  REFUSED("channel_configs is NULL",
          osslive_put_channels(client, ids, NULL, 2, options, NULL, NULL, &out, &error));
  REFUSED("channel_configs[1] is NULL",
          osslive_put_channels(client, ids, no_config, 2, options, NULL, NULL, &out, &error));
  REFUSED("n_ids ",
          osslive_put_channels(client, ids, configs, absurd, options, NULL, NULL, &out, &error));
  REFUSED_NO_OUT("out_json is NULL",
              osslive_put_channels(client, ids, configs, 2, options, NULL, NULL, NULL, &error));

  REFUSED("client is NULL", osslive_analyze_history(NULL, "a", 7, &out, &error));
  REFUSED("id is NULL", osslive_analyze_history(client, NULL, 7, &out, &error));
  REFUSED_NO_OUT("out_json is NULL", osslive_analyze_history(client, "a", 7, NULL, &error));

  REFUSED("client is NULL",
          osslive_create_highlights(NULL, "a", cut, 2, NULL, NULL, &out, &error));
  REFUSED("id is NULL",
          osslive_create_highlights(client, NULL, cut, 2, NULL, NULL, &out, &error));
  REFUSED("highlights is NULL",
          osslive_create_highlights(client, "a", NULL, 2, NULL, NULL, &out, &error));
  REFUSED("highlights[1].name is NULL",
          osslive_create_highlights(client, "a", no_name, 2, NULL, NULL, &out, &error));
  REFUSED("n_highlights ",
          osslive_create_highlights(client, "a", cut, absurd, NULL, NULL, &out, &error));
  REFUSED_NO_OUT("out_json is NULL",
              osslive_create_highlights(client, "a", cut, 2, NULL, NULL, NULL, &error));

  const osslive_download show = {.path = "show.ts"}, no_path = {.follow = 1};
  REFUSED("client is NULL",
          osslive_download_recording(NULL, "a", &show, NULL, NULL, &out, &error));
  REFUSED("id is NULL",
          osslive_download_recording(client, NULL, &show, NULL, NULL, &out, &error));
  REFUSED("download is NULL",
          osslive_download_recording(client, "a", NULL, NULL, NULL, &out, &error));
  REFUSED("download.path is NULL",
          osslive_download_recording(client, "a", &no_path, NULL, NULL, &out, &error));
  REFUSED_NO_OUT("out_json is NULL",
              osslive_download_recording(client, "a", &show, NULL, NULL, NULL, &error));

  osslive_channel_monitor *monitor = (osslive_channel_monitor *)GARBAGE;
  REFUSED_NO_OUT("client is NULL",
              osslive_channel_monitor_new(NULL, ids, 2, options, &monitor, &error));
  CHECK(monitor == NULL);
  REFUSED_NO_OUT("ids is NULL",
              osslive_channel_monitor_new(client, NULL, 2, options, &monitor, &error));
  REFUSED_NO_OUT("ids[1] is NULL",
              osslive_channel_monitor_new(client, hole, 2, options, &monitor, &error));
  REFUSED_NO_OUT("out_monitor is NULL",
              osslive_channel_monitor_new(client, ids, 2, options, NULL, &error));
  REFUSED("monitor is NULL", osslive_channel_monitor_next_changes(NULL, &out, &error));
  REFUSED("monitor is NULL", osslive_channel_monitor_last_sweep(NULL, &out, &error));
  REFUSED_NO_OUT("monitor is NULL", osslive_channel_monitor_stop(NULL, &error));
  SUCCEEDS(osslive_channel_monitor_new(client, ids, 2, NULL, &monitor, &error));
  REFUSED_NO_OUT("out_json is NULL", osslive_channel_monitor_next_changes(monitor, NULL, &error));
  REFUSED_NO_OUT("out_json is NULL", osslive_channel_monitor_last_sweep(monitor, NULL, &error));
  osslive_channel_monitor_free(monitor);
}

static void highlights_are_validated(void) {
  const osslive_highlight both[] = {{.name = "a", .to_ms = 1, .start_time = 1, .end_time = 2}};
  const osslive_highlight mixed[] = {{.name = "a", .session_time = 1, .end_time = 2}};
  const osslive_highlight beyond[] = {{.name = "a", .start_time = 1, .end_time = INT64_MAX}};
  const osslive_highlight early[] = {{.name = "a", .session_time = INT64_MIN}};
  REFUSED("highlights[0]: set either",
          osslive_create_highlights(client, "a", both, 1, NULL, NULL, &out, &error));
  REFUSED("highlights[0]: set either",
          osslive_create_highlights(client, "a", mixed, 1, NULL, NULL, &out, &error));
  REFUSED("highlights[0].end_time 9223372036854775807: out of range",
          osslive_create_highlights(client, "a", beyond, 1, NULL, NULL, &out, &error));
  REFUSED("highlights[0].session_time -9223372036854775808: out of range",
          osslive_create_highlights(client, "a", early, 1, NULL, NULL, &out, &error));

  /* Excessive lengths are clipped like any others. */
  const osslive_highlight far[] = {{.name = "a", .from_ms = INT64_MIN, .to_ms = INT64_MAX}};
  char *out = NULL;
  SUCCEEDS(osslive_create_highlights(client, "on-air", far, 1, NULL, NULL, &out, &error));
  osslive_string_free(out);
}

static void downloads_are_validated(void) {
  const struct {
    osslive_download download;
    const char *why;
  } cases[] = {
      {{.path = "\xff"}, "download.path is not UTF-8"},
      {{.path = "a", .session_time = 1, .last_ms = 1}, "set only one of session_time"},
      {{.path = "a", .session_time = 1, .end_time = 2}, "set only one of session_time"},
      {{.path = "a", .start_time = 2, .end_time = 2}, "must be after its start"},
      {{.path = "a", .start_time = 1, .end_time = INT64_MAX}, "download.end_time 92233"},
      {{.path = "a", .session_time = INT64_MIN}, "download.session_time -92233"},
      {{.path = "a", .last_ms = -1}, "download.last_ms -1: must not"},
      {{.path = "a", .max_parallel = 65}, "download.max_parallel 65: must"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    REFUSED(cases[i].why, osslive_download_recording(client, "on-air", &cases[i].download, NULL,
                                                     NULL, &out, &error));
}

static void a_failure_needs_no_error_object(void) {
  CHECK(osslive_get_channel(NULL, NULL, NULL, NULL) == OSSLIVE_ERR_INVALID_ARGUMENT);
  CHECK(osslive_client_new(NULL, NULL, NULL) == OSSLIVE_ERR_INVALID_ARGUMENT);
  CHECK(osslive_config_set_region(NULL, NULL, NULL) == OSSLIVE_ERR_INVALID_ARGUMENT);
  CHECK(osslive_set_log_callback(NULL, NULL, 0, NULL) == OSSLIVE_ERR_INVALID_ARGUMENT);
}

/* Passes `text` to every string parameter; each call must fail with one of two
 * statuses, or succeed where that is requested. */
static void invalid_text_is_rejected_everywhere(const char *text, const char *why) {
  const osslive_param name[] = {{text, "value"}};
  const osslive_param value[] = {{"name", text}};
  REFUSED_NO_OUT(why, osslive_config_set_region(config, text, &error));
  REFUSED_NO_OUT(why, osslive_config_set_endpoint(config, text, &error));
  REFUSED_NO_OUT(why, osslive_config_set_bucket(config, text, &error));
  REFUSED_NO_OUT(why, osslive_config_set_credentials(config, text, "b", NULL, &error));
  REFUSED_NO_OUT(why, osslive_config_set_credentials(config, "a", text, NULL, &error));
  REFUSED_NO_OUT(why, osslive_config_set_credentials(config, "a", "b", text, &error));
  REFUSED_NO_OUT(why, osslive_config_load_profile(config, text, NULL, &error));
  REFUSED_NO_OUT(why, osslive_config_load_profile(config, NULL, text, &error));
  REFUSED_NO_OUT(why, osslive_config_set_ecs_role(config, text, &error));
  REFUSED_NO_OUT(why, osslive_config_set_oidc_role(config, text, "b", "c", NULL, NULL, &error));
  REFUSED_NO_OUT(why, osslive_config_set_oidc_role(config, "a", text, "c", NULL, NULL, &error));
  REFUSED_NO_OUT(why, osslive_config_set_oidc_role(config, "a", "b", text, NULL, NULL, &error));
  REFUSED_NO_OUT(why, osslive_config_set_oidc_role(config, "a", "b", "c", text, NULL, &error));
  REFUSED_NO_OUT(why, osslive_config_set_oidc_role(config, "a", "b", "c", NULL, text, &error));
  REFUSED_NO_OUT(why, osslive_config_set_credential_process(config, text, &error));
  REFUSED_NO_OUT(why, osslive_config_set_credentials_uri(config, text, &error));
  REFUSED_NO_OUT(why, osslive_config_set_addressing_style(config, text, &error));
  REFUSED_NO_OUT(why, osslive_config_set_proxy(config, text, &error));
  REFUSED_NO_OUT(why, osslive_config_set_root_certificates(config, text, &error));
  REFUSED_NO_OUT(why, osslive_config_set_root_certificates(config, text, &error));
  REFUSED_NO_OUT(why, osslive_config_set_user_agent(config, text, &error));
  REFUSED_NO_OUT(why, osslive_client_set_credentials(client, text, "b", NULL, &error));
  REFUSED_NO_OUT(why, osslive_client_set_credentials(client, "a", text, NULL, &error));
  REFUSED_NO_OUT(why, osslive_client_set_credentials(client, "a", "b", text, &error));
  osslive_channel_config *cc = (osslive_channel_config *)GARBAGE;
  REFUSED_NO_OUT(why, osslive_channel_config_new(text, &cc, &error));
  CHECK(cc == NULL);
  REFUSED_NO_OUT(why, osslive_channel_config_set_description(channel, text, &error));
  REFUSED_NO_OUT(why, osslive_channel_config_set_status(channel, text, &error));
  REFUSED_NO_OUT(why, osslive_channel_config_set_playlist_name(channel, text, &error));
  REFUSED_NO_OUT(why, osslive_channel_config_set_snapshot(channel, text, "b", "c", 1, &error));
  REFUSED_NO_OUT(why, osslive_channel_config_set_snapshot(channel, "a", text, "c", 1, &error));
  REFUSED_NO_OUT(why, osslive_channel_config_set_snapshot(channel, "a", "b", text, 1, &error));
  int live = 1;
  REFUSED_NO_OUT(why, osslive_is_channel_live(client, text, &live, &error));
  CHECK(live == 0);
  REFUSED(why, osslive_put_channel(client, text, channel, &out, &error));
  REFUSED(why, osslive_create_channel(client, text, channel, &out, &error));
  REFUSED(why, osslive_get_channel(client, text, &out, &error));
  REFUSED(why, osslive_delete_channel(client, text, &out, &error));
  REFUSED(why, osslive_list_channels(client, text, NULL, 0, &out, &error));
  REFUSED(why, osslive_list_channels(client, NULL, text, 0, &out, &error));
  REFUSED(why, osslive_put_channel_status(client, text, "enabled", &out, &error));
  REFUSED(why, osslive_put_channel_status(client, "a", text, &out, &error));
  REFUSED(why, osslive_get_channel_status(client, text, &out, &error));
  REFUSED(why, osslive_wait_until_live(client, text, 1, &out, &error));
  REFUSED(why, osslive_wait_until_idle(client, text, 1, &out, &error));
  REFUSED_NO_OUT(why, osslive_wait_until_deleted(client, text, 1, &error));
  REFUSED(why, osslive_get_channel_history(client, text, &out, &error));
  REFUSED(why, osslive_create_vod(client, text, "b", 1, 2, &out, &error));
  REFUSED(why, osslive_create_vod(client, "a", text, 1, 2, &out, &error));
  REFUSED(why, osslive_get_vod(client, text, 1, 2, &out, &error));
  REFUSED(why, osslive_get_rtmp_url(client, text, 60, NULL, 0, &out, &error));
  REFUSED(why, osslive_get_rtmp_url(client, "a", 60, name, 1, &out, &error));
  REFUSED(why, osslive_get_rtmp_url(client, "a", 60, value, 1, &out, &error));
  REFUSED(why, osslive_get_play_url(client, text, NULL, 60, &out, &error));
  REFUSED(why, osslive_get_play_url(client, "a", text, 60, &out, &error));

  const char *const ids[] = {"a", text};
  const osslive_channel_config *const configs[] = {channel, channel};
  const osslive_highlight highlight[] = {{.name = text}};
  osslive_channel_monitor *monitor = (osslive_channel_monitor *)GARBAGE;
  REFUSED(why, osslive_monitor_channels(client, ids, 2, options, NULL, NULL, &out, &error));
  REFUSED_NO_OUT(why, osslive_sweep_channels(client, ids, 2, options, ignore, NULL, &error));
  REFUSED(why, osslive_diagnose(client, text, NULL, NULL, NULL, NULL, NULL, &out, &error));
  REFUSED(why, osslive_diagnose(client, NULL, text, NULL, NULL, NULL, NULL, &out, &error));
  REFUSED(why, osslive_diagnose(client, NULL, NULL, text, NULL, NULL, NULL, &out, &error));
  REFUSED(why, osslive_diagnose(client, NULL, NULL, NULL, text, NULL, NULL, &out, &error));
  REFUSED(why, osslive_put_channels(client, ids, configs, 2, options, NULL, NULL, &out, &error));
  REFUSED(why, osslive_analyze_history(client, text, 7, &out, &error));
  REFUSED(why, osslive_create_highlights(client, text, NULL, 0, NULL, NULL, &out, &error));
  REFUSED(why, osslive_create_highlights(client, "a", highlight, 1, NULL, NULL, &out, &error));
  REFUSED_NO_OUT(why, osslive_channel_monitor_new(client, ids, 2, options, &monitor, &error));
  CHECK(monitor == NULL);
}

/* An invalid channel id. */
static void invalid_ids_are_rejected_everywhere(const char *id, const char *why) {
  int live = 1;
  REFUSED(why, osslive_put_channel(client, id, channel, &out, &error));
  REFUSED(why, osslive_create_channel(client, id, channel, &out, &error));
  REFUSED(why, osslive_get_channel(client, id, &out, &error));
  REFUSED(why, osslive_delete_channel(client, id, &out, &error));
  REFUSED(why, osslive_put_channel_status(client, id, "enabled", &out, &error));
  REFUSED(why, osslive_get_channel_status(client, id, &out, &error));
  REFUSED_NO_OUT(why, osslive_is_channel_live(client, id, &live, &error));
  REFUSED(why, osslive_wait_until_live(client, id, 1, &out, &error));
  REFUSED(why, osslive_wait_until_idle(client, id, 1, &out, &error));
  REFUSED_NO_OUT(why, osslive_wait_until_deleted(client, id, 1, &error));
  REFUSED(why, osslive_get_channel_history(client, id, &out, &error));
  REFUSED(why, osslive_create_vod(client, id, "b", 1, 2, &out, &error));
  REFUSED(why, osslive_get_vod(client, id, 1, 2, &out, &error));
  REFUSED(why, osslive_get_rtmp_url(client, id, 60, NULL, 0, &out, &error));
  REFUSED(why, osslive_get_play_url(client, id, NULL, 60, &out, &error));
  REFUSED(why, osslive_analyze_history(client, id, 7, &out, &error));
  REFUSED(why, osslive_create_highlights(client, id, NULL, 0, NULL, NULL, &out, &error));
}

/* Options are accepted as text, and rejected when a client is created. */
#define MAKES_NO_CLIENT(why, setter) \
  do { \
    osslive_config *bad = osslive_config_new(); \
    osslive_client *none = (osslive_client *)GARBAGE; \
    SUCCEEDS(osslive_config_load_env(bad, &error)); \
    SUCCEEDS(setter); \
    FAILS(OSSLIVE_ERR_CONFIG, why, osslive_client_new(bad, &none, &error)); \
    CHECK(none == NULL); \
    osslive_config_free(bad); \
  } while (0)

static void invalid_options_are_rejected(const char *text) {
  MAKES_NO_CLIENT("region", osslive_config_set_region(bad, text, &error));
  MAKES_NO_CLIENT("endpoint", osslive_config_set_endpoint(bad, text, &error));
  MAKES_NO_CLIENT("bucket", osslive_config_set_bucket(bad, text, &error));
  MAKES_NO_CLIENT("certificate", osslive_config_set_root_certificates(bad, text, &error));
  MAKES_NO_CLIENT("proxy", osslive_config_set_proxy(bad, text, &error));
  REFUSED_NO_OUT("style", osslive_config_set_addressing_style(config, text, &error));
  REFUSED_NO_OUT("status", osslive_channel_config_set_status(channel, text, &error));
  REFUSED("status", osslive_put_channel_status(client, "a", text, &out, &error));
  REFUSED("playlist", osslive_get_play_url(client, "a", text, 60, &out, &error));
}

static void invalid_numbers_are_rejected(void) {
  char *none = NULL;
  REFUSED_NO_OUT("timeout_ms", osslive_config_set_timeout_ms(config, 0, &error));
  REFUSED_NO_OUT("timeout_ms", osslive_config_set_connect_timeout_ms(config, 0, &error));
  REFUSED_NO_OUT("attempts", osslive_config_set_attempts(config, 0, &error));
  REFUSED_NO_OUT("connections", osslive_config_set_pool_size(config, 0, &error));
  REFUSED_NO_OUT("version", osslive_config_set_signature_version(config, 2, &error));
  REFUSED_NO_OUT("max_level", osslive_set_log_callback(NULL, NULL, 5, &error));
  REFUSED("max_keys", osslive_list_channels(client, NULL, NULL, 1001, &out, &error));
  REFUSED("0 seconds", osslive_get_rtmp_url(client, "a", 0, NULL, 0, &out, &error));
  REFUSED("0 seconds", osslive_get_publish_url(client, "a", 0, NULL, 0, &out, &error));
  REFUSED("0 seconds", osslive_get_play_url(client, "a", NULL, 0, &out, &error));
  REFUSED("604800", osslive_get_play_url(client, "a", NULL, UINT32_MAX, &out, &error));
  SUCCEEDS(osslive_get_rtmp_url(client, "a", UINT32_MAX, NULL, 0, &none, &error));
  osslive_string_free(none);
  REFUSED("end time", osslive_create_vod(client, "a", "b", 2, 1, &out, &error));
  REFUSED("1970", osslive_create_vod(client, "a", "b", INT64_MIN, INT64_MAX, &out, &error));
  REFUSED("day", osslive_get_vod(client, "a", 0, INT64_MAX, &out, &error));

  osslive_channel_config *cc = NULL;
  SUCCEEDS(osslive_channel_config_new("", &cc, &error));
  SUCCEEDS(osslive_channel_config_set_frag_duration(cc, 0, &error));
  REFUSED("", osslive_put_channel(client, "a", cc, &out, &error));
  SUCCEEDS(osslive_channel_config_set_frag_duration(cc, 5, &error));
  SUCCEEDS(osslive_channel_config_set_frag_count(cc, UINT32_MAX, &error));
  REFUSED("", osslive_put_channel(client, "a", cc, &out, &error));
  osslive_channel_config_free(cc);
}

int main(void) {
  client = client_of_service();
  config = osslive_config_new();
  options = osslive_sweep_options_new();
  SUCCEEDS(osslive_channel_config_new("a", &channel, &error));

  size_t megabyte = 1 << 20;
  char *huge = malloc(megabyte + 1);
  memset(huge, '~', megabyte);
  huge[megabyte] = '\0';

  null_is_rejected_for_each_pointer();
  null_is_rejected_for_batch_operations();
  highlights_are_validated();
  downloads_are_validated();
  a_failure_needs_no_error_object();
  invalid_text_is_rejected_everywhere(NOT_UTF8, "is not UTF-8 (byte 3)");
  invalid_ids_are_rejected_everywhere("", "the channel name is empty");
  invalid_ids_are_rejected_everywhere("a/b", "slash");
  invalid_ids_are_rejected_everywhere(huge, "1048576 bytes");
  invalid_options_are_rejected(huge);
  MAKES_NO_CLIENT("region", osslive_config_set_region(bad, "", &error));
  MAKES_NO_CLIENT("endpoint", osslive_config_set_endpoint(bad, "", &error));
  MAKES_NO_CLIENT("bucket", osslive_config_set_bucket(bad, "", &error));
  FAILS(OSSLIVE_ERR_CREDENTIALS, "id", osslive_config_set_credentials(config, "", "b", NULL, &error));
  FAILS(OSSLIVE_ERR_CREDENTIALS, "secret",
        osslive_client_set_credentials(client, "a", "", NULL, &error));
  invalid_numbers_are_rejected();

  free(huge);
  osslive_sweep_options_free(options);
  osslive_channel_config_free(channel);
  osslive_config_free(config);
  osslive_client_free(client);
  return 0;
}
