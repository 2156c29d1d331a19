#include "problem.h"

#include <string.h>

#include <obs-module.h>
#include <util/dstr.h>

struct advice {
  const char *code;
  const char *key;
};

static const struct advice by_code[] = {
    {"AccessDenied", "Advice.AccessDenied"},
    {"InvalidAccessKeyId", "Advice.Key"},
    {"InvalidChannelName", "Advice.ChannelName"},
    {"InvalidSecurityToken", "Advice.Token"},
    {"NoSuchBucket", "Advice.NoSuchBucket"},
    {"NoSuchLiveChannel", "Advice.NoSuchLiveChannel"},
    {"RequestTimeTooSkewed", "Advice.Clock"},
    {"SecurityTokenExpired", "Advice.Token"},
    {"SignatureDoesNotMatch", "Advice.Key"},
};

static const char *advice_by_status(osslive_status status) {
  switch (status) {
  case OSSLIVE_ERR_CONFIG:
    return "Advice.Configuration";
  case OSSLIVE_ERR_CREDENTIALS:
    return "Advice.Credentials";
  case OSSLIVE_ERR_CONNECTION:
  case OSSLIVE_ERR_TIMEOUT:
    return "Advice.Connection";
  default:
    return NULL;
  }
}

static const char *advice_for(const osslive_error *error) {
  const char *code = osslive_error_code(error);
  for (size_t i = 0; code && i < sizeof by_code / sizeof *by_code; i++)
    if (strcmp(code, by_code[i].code) == 0) return by_code[i].key;
  return advice_by_status(osslive_error_status(error));
}

char *problem_from(osslive_error *error) {
  struct dstr message = {0};
  dstr_copy(&message, osslive_error_message(error));
  const char *advice = advice_for(error);
  if (advice) dstr_catf(&message, "\n%s", obs_module_text(advice));
  osslive_error_free(error);
  return message.array;
}
