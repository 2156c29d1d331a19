/* Creates a client from the arguments, and prints "url URL" or "error
 * MESSAGE":
 *
 *   sources.c [region=R] [endpoint=E] [bucket=B] [key=K] [internal]
 *             [environment] [profile=FILE] [default profile] */

#include "check.h"

/* Returns the text after the equals sign, if the argument has this name. */
static const char *value_of(const char *argument, const char *name) {
  size_t length = strlen(name);
  return strncmp(argument, name, length) == 0 && argument[length] == '=' ? argument + length + 1
                                                                        : NULL;
}

static osslive_status apply(osslive_config *config, const char *argument, osslive_error **error) {
  const char *value;
  if ((value = value_of(argument, "region"))) return osslive_config_set_region(config, value, error);
  if ((value = value_of(argument, "endpoint")))
    return osslive_config_set_endpoint(config, value, error);
  if ((value = value_of(argument, "bucket"))) return osslive_config_set_bucket(config, value, error);
  if ((value = value_of(argument, "key")))
    return osslive_config_set_credentials(config, value, "s", NULL, error);
  if ((value = value_of(argument, "profile")))
    return osslive_config_load_profile(config, value, "default", error);
  if (strcmp(argument, "internal") == 0) return osslive_config_set_internal(config, 1, error);
  if (strcmp(argument, "environment") == 0) return osslive_config_load_env(config, error);
  CHECK(strcmp(argument, "default profile") == 0);
  return osslive_config_load_profile(config, NULL, NULL, error);
}

int main(int argc, char **argv) {
  osslive_config *config = osslive_config_new();
  osslive_client *client = NULL;
  osslive_error *error = NULL;
  char *url = NULL;
  osslive_status status = OSSLIVE_OK;
  for (int at = 1; at < argc && !status; at++) status = apply(config, argv[at], &error);
  if (!status) status = osslive_client_new(config, &client, &error);
  if (!status) status = osslive_get_rtmp_url(client, "c", 60, NULL, 0, &url, &error);
  printf("%s %s\n", status ? "error" : "url", status ? osslive_error_message(error) : url);
  osslive_error_free(error);
  osslive_string_free(url);
  osslive_client_free(client);
  osslive_config_free(config);
  return 0;
}
