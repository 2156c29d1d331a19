#include "channel.h"

#include <osslive.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A URL is used immediately; if it leaks, it expires soon. */
#define EXPIRES_S 300
/* Short, so that a stream has a playlist soon; it also depends on key frames. */
#define FRAGMENT_S 2
#define FRAGMENTS 5

struct channel {
  osslive_client *client;
  char *id;
};

/* Prints an error and frees it. */
static void report(osslive_error *error) {
  fprintf(stderr, "%s\n", osslive_error_message(error));
  osslive_error_free(error);
}

static osslive_status connect_client(struct channel *channel, osslive_error **error) {
  osslive_config *config = osslive_config_new();
  osslive_status status = osslive_config_load_env(config, error);
  if (!status) status = osslive_config_set_user_agent(config, "libav-publish", error);
  if (!status) status = osslive_client_new(config, &channel->client, error);
  osslive_config_free(config);
  return status;
}

static osslive_status create_if_missing(const struct channel *channel, osslive_error **error) {
  osslive_channel_config *config = NULL;
  char *created = NULL;
  osslive_status status = osslive_channel_config_new("", &config, error);
  if (!status) status = osslive_channel_config_set_frag_duration(config, FRAGMENT_S, error);
  if (!status) status = osslive_channel_config_set_frag_count(config, FRAGMENTS, error);
  if (!status) status = osslive_create_channel(channel->client, channel->id, config, &created, error);
  const char *code = status ? osslive_error_code(*error) : NULL;
  if (created) {
    printf("created the channel %s\n", channel->id);
  } else if (code && strcmp(code, "ChannelAlreadyExists") == 0) {
    osslive_error_free(*error);
    *error = NULL;
    status = OSSLIVE_OK;
  }
  osslive_string_free(created);
  osslive_channel_config_free(config);
  return status;
}

struct channel *channel_open(const char *id) {
  struct channel *channel = calloc(1, sizeof *channel);
  osslive_error *error = NULL;
  channel->id = strdup(id);
  if (connect_client(channel, &error) || create_if_missing(channel, &error)) {
    report(error);
    channel_close(channel);
    return NULL;
  }
  return channel;
}

void channel_shutdown(struct channel *channel) { osslive_client_shutdown(channel->client, NULL); }

void channel_close(struct channel *channel) {
  osslive_client_free(channel->client);
  free(channel->id);
  free(channel);
}

char *channel_sign(const struct channel *channel) {
  osslive_error *error = NULL;
  char *url = NULL;
  if (osslive_get_rtmp_url(channel->client, channel->id, EXPIRES_S, NULL, 0, &url, &error)) {
    report(error);
  }
  return url;
}

/* Returns the number of a key in a part of the JSON. It is enough for this
 * result; use a JSON parser if your program has one. */
static double number(const char *part, const char *key) {
  const char *found = part ? strstr(part, key) : NULL;
  return found ? atof(found + strlen(key)) : 0;
}

static void print_live(const char *json) {
  const char *video = strstr(json, "\"video\":{"), *audio = strstr(json, "\"audio\":{");
  printf("the service receives: live");
  if (video) {
    printf(", %.0fx%.0f at %.0f frames/s", number(video, "\"width\":"), number(video, "\"height\":"),
           number(video, "\"frameRate\":"));
  }
  if (audio) printf(", audio at %.0f Hz", number(audio, "\"sampleRate\":"));
  double bytes = number(video, "\"bandwidth\":") + number(audio, "\"bandwidth\":");
  printf(", %.0f kbit/s\n", bytes * 8 / 1000);
}

void channel_print_status(const struct channel *channel) {
  osslive_error *error = NULL;
  char *json = NULL;
  osslive_status status = osslive_get_channel_status(channel->client, channel->id, &json, &error);
  if (status == OSSLIVE_ERR_STOPPED) {
    osslive_error_free(error);
  } else if (status) {
    report(error);
  } else if (strstr(json, "\"status\":\"Live\"")) {
    print_live(json);
  } else {
    puts(strstr(json, "\"status\":\"Disabled\"") ? "the service reports: disabled"
                                                 : "the service reports: idle");
  }
  osslive_string_free(json);
}
