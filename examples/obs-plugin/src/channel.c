#include "channel.h"

#include <string.h>

#include <obs-module.h>
#include <osslive.h>

#include "problem.h"
#include "settings.h"

/* The defaults of `osslive local`. */
#define LOCAL_ENDPOINT "http://127.0.0.1:9000"
#define LOCAL_REGION "cn-hangzhou"
#define LOCAL_BUCKET "live-demo"
#define LOCAL_KEY_ID "osslive-local"
#define LOCAL_KEY_SECRET "osslive-local-secret"

/* Short, because the user waits. */
#define CONNECT_TIMEOUT_MS 5000
#define CALL_TIMEOUT_MS 15000

/* Time to connect. Expiry does not disconnect a publisher. */
#define EXPIRES_S 900

struct channel {
  osslive_client *client;
  obs_data_t *settings;
};

static const char *text_or(const char *text, const char *otherwise) {
  return text && *text ? text : otherwise;
}

static const char *setting(const struct channel *channel, const char *name) {
  const char *text = obs_data_get_string(channel->settings, name);
  return *text ? text : NULL;
}

static bool has_credentials(const struct channel *channel, const char *from) {
  return strcmp(obs_data_get_string(channel->settings, SETTING_CREDENTIALS), from) == 0;
}

/* Applies the settings, then those of the machine or the profile. */
static osslive_status configure(const struct channel *channel, osslive_config *config,
                                osslive_error **error) {
  bool local = has_credentials(channel, CREDENTIALS_LOCAL);
  const char *region = text_or(setting(channel, SETTING_REGION), local ? LOCAL_REGION : NULL);
  const char *endpoint =
      text_or(setting(channel, SETTING_ENDPOINT), local ? LOCAL_ENDPOINT : NULL);
  const char *bucket = text_or(setting(channel, SETTING_BUCKET), local ? LOCAL_BUCKET : NULL);

  osslive_status status = osslive_config_set_user_agent(config, "obs-plugin/" PLUGIN_VERSION, error);
  if (!status && region) status = osslive_config_set_region(config, region, error);
  if (!status && endpoint) status = osslive_config_set_endpoint(config, endpoint, error);
  if (!status && bucket) status = osslive_config_set_bucket(config, bucket, error);
  if (!status) status = osslive_config_set_connect_timeout_ms(config, CONNECT_TIMEOUT_MS, error);
  if (!status) status = osslive_config_set_timeout_ms(config, CALL_TIMEOUT_MS, error);
  if (status) return status;

  if (local)
    return osslive_config_set_credentials(config, LOCAL_KEY_ID, LOCAL_KEY_SECRET, NULL, error);
  if (has_credentials(channel, CREDENTIALS_PROFILE))
    return osslive_config_load_profile(config, NULL, setting(channel, SETTING_PROFILE), error);
  return osslive_config_load_default_credentials(config, error);
}

static osslive_client *client_new(const struct channel *channel, char **problem) {
  osslive_config *config = osslive_config_new();
  osslive_client *client = NULL;
  osslive_error *error = NULL;
  if (configure(channel, config, &error) || osslive_client_new(config, &client, &error))
    *problem = problem_from(error);
  osslive_config_free(config);
  return client;
}

struct channel *channel_open(obs_data_t *settings, char **problem) {
  struct channel *channel = bzalloc(sizeof *channel);
  channel->settings = obs_data_create();
  settings_defaults(channel->settings);
  obs_data_apply(channel->settings, settings);
  channel->client = client_new(channel, problem);
  if (channel->client) return channel;
  channel_close(channel);
  return NULL;
}

void channel_stop(struct channel *channel) { osslive_client_shutdown(channel->client, NULL); }

void channel_close(struct channel *channel) {
  if (!channel) return;
  osslive_client_free(channel->client);
  obs_data_release(channel->settings);
  bfree(channel);
}

const char *channel_name(const struct channel *channel) {
  return obs_data_get_string(channel->settings, SETTING_CHANNEL);
}

/* OBS needs the two parts of a URL, which it joins with a "/". */
static void split(const char *url, struct address *address) {
  const char *query = strchr(url, '?');
  const char *slash = query ? query : url + strlen(url);
  while (slash > url && *slash != '/') slash--;
  dstr_ncopy(&address->server, url, (size_t)(slash - url));
  dstr_copy(&address->key, slash + 1);
}

bool channel_sign(struct channel *channel, struct address *address, char **problem) {
  osslive_client *client = client_new(channel, problem);
  if (!client) return false;

  const char *playlist = setting(channel, SETTING_PLAYLIST);
  osslive_param params[] = {{"playlistName", playlist}};
  osslive_error *error = NULL;
  char *url = NULL;
  if (osslive_get_rtmp_url(client, channel_name(channel), EXPIRES_S, params, playlist ? 1 : 0, &url,
                           &error))
    *problem = problem_from(error);
  else
    split(url, address);
  bool is_signed = url != NULL;
  osslive_string_free(url);
  osslive_client_free(client);
  return is_signed;
}

static osslive_status create(struct channel *channel, osslive_error **error) {
  const char *playlist = setting(channel, SETTING_PLAYLIST);
  osslive_channel_config *config = NULL;
  char *json = NULL;
  osslive_status status = osslive_channel_config_new("OBS Studio", &config, error);
  if (!status && playlist)
    status = osslive_channel_config_set_playlist_name(config, playlist, error);
  if (!status)
    status = osslive_create_channel(channel->client, channel_name(channel), config, &json, error);
  osslive_string_free(json);
  osslive_channel_config_free(config);
  return status;
}

bool channel_prepare(struct channel *channel, char **problem) {
  if (!obs_data_get_bool(channel->settings, SETTING_CREATE)) return true;
  osslive_error *error = NULL;
  if (create(channel, &error) == OSSLIVE_OK) {
    blog(LOG_INFO, "[osslive] created the channel %s", channel_name(channel));
    return true;
  }
  const char *code = osslive_error_code(error);
  if (code && strcmp(code, "ChannelAlreadyExists") == 0) {
    osslive_error_free(error);
    return true;
  }
  *problem = problem_from(error);
  return false;
}

char *channel_get_status(struct channel *channel, char **problem) {
  osslive_error *error = NULL;
  char *json = NULL;
  if (osslive_get_channel_status(channel->client, channel_name(channel), &json, &error))
    *problem = problem_from(error);
  return json;
}

char *channel_diagnose(struct channel *channel, char **problem) {
  osslive_error *error = NULL;
  char *json = NULL;
  if (osslive_diagnose(channel->client, channel_name(channel), NULL, NULL, NULL, NULL, NULL, &json,
                       &error))
    *problem = problem_from(error);
  return json;
}
