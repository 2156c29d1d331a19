/* Every call, once successful and once with each kind of failure. */

#include "check.h"

#include <time.h>

static const char *ON_AIR = "on-air";

static osslive_channel_config *new_channel_config(void) {
  osslive_channel_config *config = NULL;
  SUCCEEDS(osslive_channel_config_new("Main stage", &config, &error));
  SUCCEEDS(osslive_channel_config_set_description(config, "the main stage", &error));
  SUCCEEDS(osslive_channel_config_set_status(config, "enabled", &error));
  SUCCEEDS(osslive_channel_config_set_frag_duration(config, 2, &error));
  SUCCEEDS(osslive_channel_config_set_frag_count(config, 4, &error));
  SUCCEEDS(osslive_channel_config_set_playlist_name(config, "main.m3u8", &error));
  return config;
}

/* The calls on one channel that return JSON or text, each as a function. */

typedef osslive_status call(const osslive_client *client, const char *id, char **out,
                            osslive_error **error);

static osslive_status put(const osslive_client *client, const char *id, char **out,
                          osslive_error **error) {
  osslive_channel_config *config = new_channel_config();
  osslive_status status = osslive_put_channel(client, id, config, out, error);
  osslive_channel_config_free(config);
  return status;
}

static osslive_status create(const osslive_client *client, const char *id, char **out,
                             osslive_error **error) {
  osslive_channel_config *config = new_channel_config();
  osslive_status status = osslive_create_channel(client, id, config, out, error);
  osslive_channel_config_free(config);
  return status;
}

static osslive_status list(const osslive_client *client, const char *id, char **out,
                           osslive_error **error) {
  return osslive_list_channels(client, id, NULL, 0, out, error);
}

static osslive_status disable(const osslive_client *client, const char *id, char **out,
                              osslive_error **error) {
  return osslive_put_channel_status(client, id, "disabled", out, error);
}

static osslive_status create_vod(const osslive_client *client, const char *id, char **out,
                                 osslive_error **error) {
  int64_t now = (int64_t)time(NULL);
  return osslive_create_vod(client, id, "vod", now - 3600, now + 60, out, error);
}

static osslive_status get_vod(const osslive_client *client, const char *id, char **out,
                              osslive_error **error) {
  int64_t now = (int64_t)time(NULL);
  return osslive_get_vod(client, id, now - 3600, now + 60, out, error);
}

static osslive_status analyze(const osslive_client *client, const char *id, char **out,
                              osslive_error **error) {
  return osslive_analyze_history(client, id, 7, out, error);
}

static osslive_status highlight(const osslive_client *client, const char *id, char **out,
                                osslive_error **error) {
  int64_t now = (int64_t)time(NULL);
  const osslive_highlight hour = {.name = "hour", .start_time = now - 3600, .end_time = now + 60};
  return osslive_create_highlights(client, id, &hour, 1, NULL, NULL, out, error);
}

static osslive_status wait_live(const osslive_client *client, const char *id, char **out,
                                osslive_error **error) {
  return osslive_wait_until_live(client, id, 10000, out, error);
}

static osslive_status wait_idle(const osslive_client *client, const char *id, char **out,
                                osslive_error **error) {
  return osslive_wait_until_idle(client, id, 10000, out, error);
}

static osslive_status is_live(const osslive_client *client, const char *id, char **out,
                              osslive_error **error) {
  int live = 7;
  osslive_status status = osslive_is_channel_live(client, id, &live, error);
  CHECK(status == OSSLIVE_OK ? live == 1 : live == 0);
  *out = NULL;
  return status;
}

static void returns(call *call, const osslive_client *client, const char *id, const char *text) {
  char *out = (char *)GARBAGE;
  SUCCEEDS(call(client, id, &out, &error));
  CHECK(out != NULL);
  if (strstr(out, text) == NULL) {
    fprintf(stderr, "%s has no %s\n", out, text);
    exit(1);
  }
  osslive_string_free(out);
}

static void every_call_succeeds(const osslive_client *client) {
  returns(create, client, "stage", "{\"publishUrls\":[\"rtmp://");
  returns(put, client, "stage", "\"playUrls\":[\"http");
  returns(osslive_get_channel, client, "stage", "\"name\":\"stage\"");
  returns(osslive_get_channel, client, "stage", "\"description\":\"the main stage\"");
  returns(osslive_get_channel, client, "stage", "\"fragDuration\":2,\"fragCount\":4");
  returns(osslive_get_channel, client, "stage", "\"type\":\"HLS\"");
  returns(osslive_get_channel, client, "stage", "\"playlistName\":\"main.m3u8\"");
  returns(list, client, "sta", "{\"channels\":[{\"name\":\"stage\"");
  returns(list, client, NULL, "\"isTruncated\":false");
  returns(osslive_get_channel_status, client, "stage", "{\"status\":\"Idle\"");
  returns(osslive_get_channel_status, client, ON_AIR, "{\"status\":\"Live\"");
  returns(osslive_get_channel_status, client, ON_AIR, "\"video\":{\"width\":320,\"height\":180");
  returns(wait_live, client, ON_AIR, "{\"status\":\"Live\"");
  returns(wait_idle, client, "stage", "{\"status\":\"Idle\"");
  SUCCEEDS(osslive_wait_until_deleted(client, "never-made", 10000, &error));
  FAILS(OSSLIVE_ERR_TIMEOUT, "still Live",
        osslive_wait_until_deleted(client, ON_AIR, 3000, &error));
  returns(osslive_get_channel_history, client, ON_AIR, "{\"records\":[{\"startTime\":\"20");
  returns(create_vod, client, ON_AIR, "\"res\":{\"status\":200");
  returns(get_vod, client, ON_AIR, "#EXTM3U");
  returns(analyze, client, ON_AIR, "\"sessionCount\":1");
  returns(highlight, client, ON_AIR, "\"failed\":0,\"total\":1}");
  returns(disable, client, "stage", "\"attempts\":1");
  returns(osslive_get_channel, client, "stage", "\"status\":\"disabled\"");
  returns(osslive_delete_channel, client, "stage", "\"requestId\":\"");

  char *out = NULL;
  SUCCEEDS(is_live(client, ON_AIR, &out, &error));
}

static void urls_are_created_without_the_service(const osslive_client *client) {
  const osslive_param params[] = {{"playlistName", "late.m3u8"}, {"studio", "\xe7\x9b\xb4 1"}};
  char *url = NULL;
  SUCCEEDS(osslive_get_rtmp_url(client, "stage", 60, NULL, 0, &url, &error));
  CHECK(strncmp(url, "rtmp://", 7) == 0);
  CHECK(strstr(url, "/live/stage?") != NULL && strstr(url, "Signature=") != NULL);
  osslive_string_free(url);
  SUCCEEDS(osslive_get_rtmp_url(client, "stage", OSSLIVE_DEFAULT_EXPIRES_S, params, 2, &url,
                                &error));
  CHECK(strstr(url, "playlistName=late.m3u8") != NULL);
  CHECK(strstr(url, "studio=%E7%9B%B4%201") != NULL);
  osslive_string_free(url);
  SUCCEEDS(osslive_get_publish_url(client, "stage", 60, params, 2, &url, &error));
  CHECK(strstr(url, "/live\",\"streamKey\":\"stage?") != NULL);
  CHECK(strstr(url, "{\"url\":\"rtmp://") == url && strstr(url, "\"expiresAt\":\"20") != NULL);
  osslive_string_free(url);
  SUCCEEDS(osslive_get_play_url(client, "stage", NULL, 60, &url, &error));
  CHECK(strstr(url, "/stage/playlist.m3u8?") != NULL && strstr(url, "hls%2Fsign") != NULL);
  osslive_string_free(url);
  SUCCEEDS(osslive_get_play_url(client, "stage", "late.m3u8", 60, &url, &error));
  CHECK(strstr(url, "/stage/late.m3u8?") != NULL);
  osslive_string_free(url);
}

static call *const CALLS[] = {
    put,
    create,
    osslive_get_channel,
    osslive_delete_channel,
    list,
    disable,
    osslive_get_channel_status,
    is_live,
    osslive_get_channel_history,
    create_vod,
    get_vod,
    analyze,
    highlight,
};
enum { N_CALLS = sizeof CALLS / sizeof CALLS[0] };

static void every_call_fails(const osslive_client *client, osslive_status expected,
                             const char *text) {
  for (int i = 0; i < N_CALLS; i++) {
    char *out = (char *)GARBAGE;
    FAILS(expected, text, CALLS[i](client, ON_AIR, &out, &error));
    CHECK(out == NULL);
    out = (char *)GARBAGE;
    CHECK(CALLS[i](client, ON_AIR, &out, NULL) == expected);
    CHECK(out == NULL);
  }
}

/* With a separate client for the endpoint, because the failures differ. */
static void everything_fails_at(const char *endpoint, osslive_status expected, const char *text) {
  osslive_client *client = client_of(endpoint, 300, 1);
  every_call_fails(client, expected, text);
  osslive_client_free(client);
}

static void the_service_rejects(const osslive_client *client) {
  call *const wanting[] = {osslive_get_channel, disable, osslive_get_channel_status, is_live,
                           osslive_get_channel_history, analyze, highlight};
  for (size_t i = 0; i < sizeof wanting / sizeof wanting[0]; i++) {
    char *out = (char *)GARBAGE;
    osslive_error *error = NULL;
    CHECK(wanting[i](client, "nobody", &out, &error) == OSSLIVE_ERR_SERVICE);
    CHECK(out == NULL);
    CHECK(strcmp(osslive_error_code(error), "NoSuchLiveChannel") == 0);
    CHECK(osslive_error_http_status(error) == 404);
    CHECK(strlen(osslive_error_request_id(error)) > 0);
    CHECK(osslive_error_ec(error) == NULL || strlen(osslive_error_ec(error)) > 0);
    CHECK(strstr(osslive_error_message(error), osslive_error_request_id(error)) != NULL);
    osslive_error_free(error);
  }
  char *out = NULL;
  FAILS(OSSLIVE_ERR_SERVICE, "ChannelStillLive",
        osslive_delete_channel(client, ON_AIR, &out, &error));
  FAILS(OSSLIVE_ERR_SERVICE, "ChannelStillLive", put(client, ON_AIR, &out, &error));
  FAILS(OSSLIVE_ERR_SERVICE, "ChannelAlreadyExists", create(client, ON_AIR, &out, &error));
  FAILS(OSSLIVE_ERR_SERVICE, "", osslive_create_vod(client, ON_AIR, "vod", 1, 2, &out, &error));
  FAILS(OSSLIVE_ERR_SERVICE, "", osslive_get_vod(client, ON_AIR, 1, 2, &out, &error));
}

static void a_wrong_key_is_rejected(void) {
  osslive_client *client = client_of_service();
  SUCCEEDS(osslive_client_set_credentials(client, "nobody", "knows", NULL, &error));
  every_call_fails(client, OSSLIVE_ERR_SERVICE, "InvalidAccessKeyId");
  osslive_client_free(client);
}

static void a_configuration_needs_all_parts(void) {
  osslive_config *config = osslive_config_new();
  osslive_client *client = (osslive_client *)GARBAGE;
  FAILS(OSSLIVE_ERR_CREDENTIALS, "credentials", osslive_client_new(config, &client, &error));
  CHECK(client == NULL);
  SUCCEEDS(osslive_config_set_credentials(config, "id", "secret", "token", &error));
  FAILS(OSSLIVE_ERR_CONFIG, "region", osslive_client_new(config, &client, &error));
  SUCCEEDS(osslive_config_set_region(config, "cn-hangzhou", &error));
  FAILS(OSSLIVE_ERR_CONFIG, "bucket", osslive_client_new(config, &client, &error));
  SUCCEEDS(osslive_config_set_bucket(config, "my-bucket", &error));
  SUCCEEDS(osslive_client_new(config, &client, &error));
  osslive_client_free(client);
  osslive_config_free(config);
}

/* Every option affects the URL that a client creates, or is at least accepted. */
static void options_take_effect(void) {
  osslive_config *config = osslive_config_new();
  osslive_client *client = NULL;
  char *url = NULL;
  SUCCEEDS(osslive_config_set_credentials(config, "id", "secret", "token", &error));
  SUCCEEDS(osslive_config_set_region(config, "cn-hangzhou", &error));
  SUCCEEDS(osslive_config_set_bucket(config, "my-bucket", &error));
  SUCCEEDS(osslive_config_set_internal(config, 1, &error));
  SUCCEEDS(osslive_config_set_secure(config, 0, &error));
  SUCCEEDS(osslive_config_set_signature_version(config, 1, &error));
  SUCCEEDS(osslive_config_set_addressing_style(config, "virtual", &error));
  SUCCEEDS(osslive_config_set_connect_timeout_ms(config, 1, &error));
  SUCCEEDS(osslive_config_set_pool_size(config, 1, &error));
  SUCCEEDS(osslive_config_set_proxy(config, "http://user:password@127.0.0.1:1", &error));
  SUCCEEDS(osslive_config_set_user_agent(config, "MyEncoder/2.1", &error));
  SUCCEEDS(osslive_client_new(config, &client, &error));
  SUCCEEDS(osslive_get_play_url(client, "stage", NULL, 60, &url, &error));
  CHECK(strstr(url, "http://my-bucket.oss-cn-hangzhou-internal.aliyuncs.com/") == url);
  CHECK(strstr(url, "OSSAccessKeyId=id") != NULL);
  osslive_string_free(url);
  osslive_client_free(client);

  SUCCEEDS(osslive_config_set_internal(config, 0, &error));
  SUCCEEDS(osslive_config_set_endpoint(config, "live.example.com", &error));
  SUCCEEDS(osslive_config_set_addressing_style(config, "cname", &error));
  SUCCEEDS(osslive_config_set_sign_security_token(config, 0, &error));
  SUCCEEDS(osslive_config_set_secure(config, 1, &error));
  SUCCEEDS(osslive_client_new(config, &client, &error));
  SUCCEEDS(osslive_get_play_url(client, "stage", NULL, 60, &url, &error));
  CHECK(strstr(url, "https://live.example.com/stage/") == url);
  osslive_string_free(url);
  SUCCEEDS(osslive_get_rtmp_url(client, "stage", 60, NULL, 0, &url, &error));
  CHECK(strstr(url, "security-token=token") != NULL);
  osslive_string_free(url);
  osslive_client_free(client);
  osslive_config_free(config);
}

static void a_second_client_has_its_own_timeout(const osslive_client *client) {
  osslive_client *silent = client_of(variable("SILENT_ENDPOINT"), 30000, 3);
  osslive_client *hasty = NULL;
  char *out = NULL;
  SUCCEEDS(osslive_client_with_timeout_ms(silent, 100, &hasty, &error));
  osslive_client_free(silent);
  FAILS(OSSLIVE_ERR_TIMEOUT, "", osslive_get_channel(hasty, "stage", &out, &error));
  osslive_client_free(hasty);
  SUCCEEDS(osslive_client_with_timeout_ms(client, 20000, &hasty, &error));
  returns(osslive_get_channel, hasty, ON_AIR, "on-air");
  osslive_client_free(hasty);
}

static void profiles_are_read(const char *folder) {
  char path[1024];
  snprintf(path, sizeof path, "%s/ossutilconfig", folder);
  FILE *file = fopen(path, "w");
  CHECK(file != NULL);
  fputs("[default]\naccessKeyID=a\naccessKeySecret=b\nregion=cn-beijing\n", file);
  fclose(file);
  osslive_config *config = osslive_config_new();
  osslive_client *client = NULL;
  SUCCEEDS(osslive_config_load_profile(config, path, NULL, &error));
  SUCCEEDS(osslive_config_set_bucket(config, "my-bucket", &error));
  SUCCEEDS(osslive_client_new(config, &client, &error));
  osslive_client_free(client);
  FAILS(OSSLIVE_ERR_CREDENTIALS, "other", osslive_config_load_profile(config, path, "other", &error));
  FAILS(OSSLIVE_ERR_CREDENTIALS, "/nowhere",
        osslive_config_load_profile(config, "/nowhere", NULL, &error));
  osslive_config_free(config);
}

/* A client with credentials from a source, which the caller then frees. */
static osslive_client *client_from(osslive_config *config, const char *endpoint) {
  osslive_client *client = NULL;
  SUCCEEDS(osslive_config_set_endpoint(config, endpoint, &error));
  SUCCEEDS(osslive_config_set_region(config, "cn-hangzhou", &error));
  SUCCEEDS(osslive_config_set_bucket(config, variable("OSS_BUCKET"), &error));
  SUCCEEDS(osslive_config_set_proxy(config, NULL, &error));
  SUCCEEDS(osslive_client_new(config, &client, &error));
  osslive_config_free(config);
  return client;
}

static void credentials_come_from_programs_and_from_the_machine(void) {
  char command[1024];
  snprintf(command, sizeof command,
           "printf '{\"AccessKeyId\": \"%s\", \"AccessKeySecret\": \"%s\"}'",
           variable("OSS_ACCESS_KEY_ID"), variable("OSS_ACCESS_KEY_SECRET"));
  osslive_config *config = osslive_config_new();
  SUCCEEDS(osslive_config_set_credential_process(config, command, &error));
  osslive_client *client = client_from(config, variable("OSS_ENDPOINT"));
  returns(osslive_get_channel, client, ON_AIR, "on-air");
  osslive_client_free(client);

  config = osslive_config_new();
  SUCCEEDS(osslive_config_load_default_credentials(config, &error));
  client = client_from(config, variable("OSS_ENDPOINT"));
  returns(osslive_get_channel, client, ON_AIR, "on-air");
  osslive_client_free(client);
}

/* The issuer of credentials is down: the call fails and names it. */
#define ISSUES_NOTHING(status, why, setter) \
  do { \
    char *out = NULL; \
    osslive_config *config = osslive_config_new(); \
    SUCCEEDS(setter); \
    osslive_client *client = client_from(config, variable("OSS_ENDPOINT")); \
    FAILS(status, "no credentials from " why, osslive_get_channel(client, ON_AIR, &out, &error)); \
    CHECK(out == NULL); \
    osslive_client_free(client); \
  } while (0)

static void failing_sources_are_named(const char *folder) {
  char token[1024];
  const char *down = variable("REFUSED_ENDPOINT");
  snprintf(token, sizeof token, "%s/token", folder);
  FILE *file = fopen(token, "w");
  CHECK(file != NULL);
  fputs("a token\n", file);
  fclose(file);
  CHECK(setenv("OSSLIVE_ECS_METADATA_ENDPOINT", down, 1) == 0);
  ISSUES_NOTHING(OSSLIVE_ERR_CONNECTION, "the ECS instance's role",
                 osslive_config_set_ecs_role(config, NULL, &error));
  ISSUES_NOTHING(OSSLIVE_ERR_CONNECTION, "the ECS role live",
                 osslive_config_set_ecs_role(config, "live", &error));
  ISSUES_NOTHING(OSSLIVE_ERR_CONNECTION, "the role acs:ram::1:role/live via OIDC",
                 osslive_config_set_oidc_role(config, "acs:ram::1:role/live", "provider", token,
                                              "session", down, &error));
  ISSUES_NOTHING(OSSLIVE_ERR_CREDENTIALS, "the role acs:ram::1:role/live via OIDC",
                 osslive_config_set_oidc_role(config, "acs:ram::1:role/live", "provider",
                                              "/nowhere/token", NULL, NULL, &error));
  ISSUES_NOTHING(OSSLIVE_ERR_CONNECTION, "the credentials URI at 127.0.0.1",
                 osslive_config_set_credentials_uri(config, down, &error));
  ISSUES_NOTHING(OSSLIVE_ERR_CREDENTIALS, "the command false",
                 osslive_config_set_credential_process(config, "false", &error));

  osslive_config *config = osslive_config_new();
  FAILS(OSSLIVE_ERR_CREDENTIALS, "http://",
        osslive_config_set_credentials_uri(config, "nonsense", &error));
  FAILS(OSSLIVE_ERR_CREDENTIALS, "token",
        osslive_config_set_oidc_role(config, "a", "b", "", NULL, NULL, &error));
  FAILS(OSSLIVE_ERR_CREDENTIALS, "command",
        osslive_config_set_credential_process(config, " ", &error));
  osslive_config_free(config);
}

static int counts(size_t done, size_t total, void *user_data) {
  size_t *calls = user_data;
  CHECK(done <= total);
  return ++*calls == 3;
}

static void a_diagnosis_finds_problems_and_can_be_stopped(const osslive_client *client) {
  char *out = NULL;
  size_t calls = 0;
  SUCCEEDS(osslive_diagnose(client, ON_AIR, NULL, NULL, NULL, NULL, NULL, &out, &error));
  CHECK(strstr(out, "{\"id\":\"channel-live\",\"verdict\":\"ok\"") != NULL);
  CHECK(strstr(out, "\"problems\":0") != NULL);
  osslive_string_free(out);
  SUCCEEDS(osslive_diagnose(client, "never-made", "rtmp://127.0.0.1/other/x", NULL, NULL, NULL, NULL,
                            &out, &error));
  CHECK(strstr(out, "{\"id\":\"channel\",\"verdict\":\"problem\"") != NULL);
  CHECK(strstr(out, "{\"id\":\"publish-url-path\",\"verdict\":\"problem\"") != NULL);
  osslive_string_free(out);
  SUCCEEDS(osslive_diagnose(client, NULL, NULL, NULL, NULL, counts, &calls, &out, &error));
  CHECK(calls == 3 && strstr(out, "stopped before") != NULL);
  osslive_string_free(out);
  out = (char *)GARBAGE;
  FAILS(OSSLIVE_ERR_INVALID_ARGUMENT, "client is NULL",
        osslive_diagnose(NULL, NULL, NULL, NULL, NULL, NULL, NULL, &out, &error));
  CHECK(out == NULL);
}

static void freeing_null_does_nothing(void) {
  osslive_config_free(NULL);
  osslive_client_free(NULL);
  osslive_channel_config_free(NULL);
  osslive_error_free(NULL);
  osslive_string_free(NULL);
  CHECK(osslive_error_status(NULL) == OSSLIVE_OK);
  CHECK(strcmp(osslive_error_message(NULL), "") == 0);
  CHECK(osslive_error_code(NULL) == NULL);
  CHECK(osslive_error_http_status(NULL) == 0);
  CHECK(osslive_error_request_id(NULL) == NULL);
  CHECK(osslive_error_ec(NULL) == NULL);
}

static void header_and_library_have_the_same_version(void) {
  CHECK(strcmp(osslive_version(), OSSLIVE_VERSION) == 0);
  CHECK(osslive_abi_version() == OSSLIVE_ABI_VERSION);
  CHECK(OSSLIVE_VERSION_AT_LEAST(0, 0, 9) && OSSLIVE_VERSION_AT_LEAST(0, 1, 0));
  CHECK(!OSSLIVE_VERSION_AT_LEAST(1, 0, 0) || OSSLIVE_VERSION_MAJOR >= 1);
  CHECK(!OSSLIVE_VERSION_AT_LEAST(OSSLIVE_VERSION_MAJOR, OSSLIVE_VERSION_MINOR,
                                  OSSLIVE_VERSION_PATCH + 1));
}

int main(int argc, char **argv) {
  osslive_client *client = client_of_service();
  header_and_library_have_the_same_version();
  freeing_null_does_nothing();
  a_configuration_needs_all_parts();
  options_take_effect();
  profiles_are_read(argc > 1 ? argv[1] : ".");
  credentials_come_from_programs_and_from_the_machine();
  failing_sources_are_named(argc > 1 ? argv[1] : ".");
  every_call_succeeds(client);
  a_diagnosis_finds_problems_and_can_be_stopped(client);
  urls_are_created_without_the_service(client);
  the_service_rejects(client);
  a_wrong_key_is_rejected();
  a_second_client_has_its_own_timeout(client);
  everything_fails_at(variable("REFUSED_ENDPOINT"), OSSLIVE_ERR_CONNECTION, "refused");
  everything_fails_at(variable("SILENT_ENDPOINT"), OSSLIVE_ERR_TIMEOUT, "timed out");
  everything_fails_at(variable("GARBAGE_ENDPOINT"), OSSLIVE_ERR_BAD_REPLY, "not XML");
  osslive_client_free(client);
  return 0;
}
