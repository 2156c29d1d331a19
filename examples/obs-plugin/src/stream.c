#include "stream.h"

#include <string.h>

#include <obs-frontend-api.h>
#include <obs-module.h>
#include <util/platform.h>
#include <util/threading.h>

#include "channel.h"
#include "status.h"
#include "watcher.h"

#define ID "osslive_stream"
#define OUTPUT_ID "rtmp_output"

/* The time limit for OBS to shut down, and the interval of checks. */
#define QUIT_MS 10000
#define QUIT_STEP_MS 10

/* OBS 29.1 introduced another way to get the address from services. */
#define HAS_CONNECT_INFO (LIBOBS_API_VER >= MAKE_SEMANTIC_VERSION(29, 1, 0))

struct stream {
  struct channel *channel;
  struct watcher *watcher;
  /* The last address for OBS, or the reason there is none. */
  struct address address;
  char *problem;
  /* The user's service, until it is returned to OBS. */
  obs_service_t *own;
  obs_weak_output_t *output;
  /* OBS is quitting; its UI thread. */
  volatile bool quits;
  pthread_t ui;
  volatile long stop_code;
};

struct search {
  obs_weak_output_t *output;
  bool found;
};

static obs_service_t *current;

/* See stream_lend. */
static obs_service_t *lent, *replaced;

static const char *get_name(void *unused) {
  UNUSED_PARAMETER(unused);
  return obs_module_text("Plugin");
}

static void *create(obs_data_t *settings, obs_service_t *service) {
  UNUSED_PARAMETER(settings);
  UNUSED_PARAMETER(service);
  return bzalloc(sizeof(struct stream));
}

static void on_output_stop(void *data, calldata_t *parameters) {
  struct stream *stream = data;
  os_atomic_set_long(&stream->stop_code, (long)calldata_int(parameters, "code"));
}

static void watch_output(struct stream *stream, obs_output_t *output) {
  signal_handler_t *signals = obs_output_get_signal_handler(output);
  stream->output = obs_output_get_weak_output(output);
  signal_handler_connect(signals, "stop", on_output_stop, stream);
}

static void leave_output(struct stream *stream) {
  obs_output_t *output = obs_weak_output_get_output(stream->output);
  if (output) {
    signal_handler_t *signals = obs_output_get_signal_handler(output);
    signal_handler_disconnect(signals, "stop", on_output_stop, stream);
  }
  obs_output_release(output);
  obs_weak_output_release(stream->output);
}

static void destroy(void *data) {
  struct stream *stream = data;
  leave_output(stream);
  watcher_free(stream->watcher);
  channel_close(stream->channel);
  obs_service_release(stream->own);
  dstr_free(&stream->address.server);
  dstr_free(&stream->address.key);
  bfree(stream->problem);
  bfree(stream);
}

static void fail(struct stream *stream, char *problem) {
  blog(LOG_WARNING, "[osslive] %s", problem);
  status_set(OBS_TEXT_INFO_ERROR, "%s", problem);
  bfree(stream->problem);
  stream->problem = problem;
}

/* UI thread, the last call before OBS connects. Restores the user's service, and
 * on a problem cancels the start with a message, which OBS shows. */
static bool initialize(void *data, obs_output_t *output) {
  struct stream *stream = data;
  if (stream->own) obs_frontend_set_streaming_service(stream->own);
  obs_service_release(stream->own);
  stream->own = NULL;

  if (!stream->problem && strcmp(obs_output_get_id(output), OUTPUT_ID) != 0)
    fail(stream, bstrdup(obs_module_text("Advice.NotRtmp")));
  if (!stream->problem) return true;
  if (stream->watcher) watcher_stop(stream->watcher);
  obs_output_set_last_error(output, stream->problem);
  return false;
}

static bool is_other_output(void *data, obs_output_t *output) {
  struct search *search = data;
  search->found = obs_weak_output_references_output(search->output, output);
  return !search->found;
}

/* OBS removes an output from its list before destroying it. A reference would show
 * that too, but the last one must not be released here. */
static bool is_output_known(const struct stream *stream) {
  struct search search = {.output = stream->output};
  obs_enum_outputs(is_other_output, &search);
  return search.found;
}

/* A failed connection while OBS quits causes problems: OBS 31 and newer open a
 * dialog and wait for a click; older versions handle it when their window is
 * partly destroyed, and crash. OBS no longer listens when it destroys the output,
 * which waits for its thread. */
static void wait_until_output_is_gone(const struct stream *stream) {
  for (int waited = 0; waited < QUIT_MS && is_output_known(stream); waited += QUIT_STEP_MS)
    os_sleep_ms(QUIT_STEP_MS);
}

/* The output's thread, each time it connects. */
static const char *get_url(void *data) {
  struct stream *stream = data;
  char *problem = NULL;
  if (!stream->channel) return NULL;
  if (!watcher_wait_prepared(stream->watcher)) {
    bool is_ui = pthread_equal(pthread_self(), stream->ui);
    if (os_atomic_load_bool(&stream->quits) && !is_ui) wait_until_output_is_gone(stream);
    return NULL;
  }
  if (!channel_sign(stream->channel, &stream->address, &problem)) {
    fail(stream, problem);
    return NULL;
  }
  blog(LOG_INFO, "[osslive] signed a new URL for the channel %s at %s",
       channel_name(stream->channel), stream->address.server.array);
  return stream->address.server.array;
}

/* OBS gets the server first. */
static const char *get_key(void *data) {
  struct stream *stream = data;
  return stream->address.key.array;
}

static const char *get_output_type(void *unused) {
  UNUSED_PARAMETER(unused);
  return OUTPUT_ID;
}

#if HAS_CONNECT_INFO
static const char *get_protocol(void *unused) {
  UNUSED_PARAMETER(unused);
  return "RTMP";
}

static const char *get_connect_info(void *data, uint32_t type) {
  switch (type) {
  case OBS_SERVICE_CONNECT_INFO_SERVER_URL:
    return get_url(data);
  case OBS_SERVICE_CONNECT_INFO_STREAM_KEY:
    return get_key(data);
  default:
    return NULL;
  }
}
#endif

void stream_register(void) {
  static const struct obs_service_info info = {
      .id = ID,
      .get_name = get_name,
      .create = create,
      .destroy = destroy,
      .initialize = initialize,
#if HAS_CONNECT_INFO
      .get_protocol = get_protocol,
      .get_connect_info = get_connect_info,
#else
      .get_url = get_url,
      .get_key = get_key,
#endif
      .get_output_type = get_output_type,
  };
  obs_register_service(&info);
}

/* libobs keeps a pointer from a service to the last output that used it, even
 * after that output gets another service, and uses the pointer when the service is
 * destroyed. Setting the user's service on a temporary output clears it. */
static void detach(obs_service_t *service) {
  obs_output_t *temporary = obs_output_create(OUTPUT_ID, "osslive: temporary", NULL, NULL);
  obs_output_set_service(temporary, service);
  obs_output_release(temporary);
}

static void begin_on(obs_output_t *output, obs_data_t *settings) {
  current = obs_service_create_private(ID, "osslive", NULL);
  struct stream *stream = obs_obj_get_data(current);
  stream->ui = pthread_self();
  watch_output(stream, output);
  stream->own = obs_service_get_ref(obs_frontend_get_streaming_service());
  detach(stream->own);

  char *problem = NULL;
  stream->channel = channel_open(settings, &problem);
  if (stream->channel) {
    status_set(OBS_TEXT_INFO_NORMAL, "%s", obs_module_text("Status.Connecting"));
    stream->watcher = watcher_start(stream->channel);
  } else {
    fail(stream, problem);
  }

  /* Some of OBS's output modes set the frontend's service on the output again,
   * others do not. */
  obs_frontend_set_streaming_service(current);
  obs_output_set_service(output, current);
}

void stream_begin(obs_data_t *settings) {
  /* A start that failed immediately was not reported as ended. */
  stream_forget();
  obs_output_t *output = obs_frontend_get_streaming_output();
  if (output) begin_on(output, settings);
  obs_output_release(output);
}

bool stream_connected(void) {
  struct stream *stream = current ? obs_obj_get_data(current) : NULL;
  if (!stream || !stream->watcher) return false;
  watcher_keep_polling(stream->watcher);
  return true;
}

static const char *advice_on_stop(long code) {
  switch (code) {
  case OBS_OUTPUT_BAD_PATH:
  case OBS_OUTPUT_CONNECT_FAILED:
    return "Advice.NotReached";
  case OBS_OUTPUT_INVALID_STREAM:
    return "Advice.Refused";
  case OBS_OUTPUT_DISCONNECTED:
    return "Advice.Disconnected";
  default:
    return "Advice.Stopped";
  }
}

bool stream_end(void) {
  if (!current) return false;
  struct stream *stream = obs_obj_get_data(current);
  long code = os_atomic_load_long(&stream->stop_code);
  bool has_problem = stream->problem;
  if (stream->watcher) {
    watcher_stop(stream->watcher);
    has_problem = has_problem || watcher_has_problem(stream->watcher);
  }
  if (code == OBS_OUTPUT_SUCCESS)
    status_set(OBS_TEXT_INFO_NORMAL, "%s", obs_module_text("Status.Ended"));
  else if (!has_problem)
    status_set(OBS_TEXT_INFO_ERROR, "%s", obs_module_text(advice_on_stop(code)));
  stream_forget();
  return code != OBS_OUTPUT_SUCCESS;
}

void stream_cancel(void) {
  struct stream *stream = current ? obs_obj_get_data(current) : NULL;
  if (!stream || !stream->watcher) return;
  os_atomic_set_bool(&stream->quits, true);
  watcher_stop(stream->watcher);
}

void stream_forget(void) {
  obs_service_release(current);
  current = NULL;
}

static bool is_usable(obs_service_t *service) {
#if HAS_CONNECT_INFO
  const char *url = obs_service_get_connect_info(service, OBS_SERVICE_CONNECT_INFO_SERVER_URL);
  const char *key = obs_service_get_connect_info(service, OBS_SERVICE_CONNECT_INFO_STREAM_KEY);
#else
  const char *url = obs_service_get_url(service);
  const char *key = obs_service_get_key(service);
#endif
  bool custom = strcmp(obs_service_get_type(service), "rtmp_custom") == 0;
  return url && *url && (custom || (key && *key));
}

static void take_back(void) {
  if (lent && obs_frontend_get_streaming_service() == lent)
    obs_frontend_set_streaming_service(replaced);
  obs_service_release(lent);
  obs_service_release(replaced);
  lent = replaced = NULL;
}

void stream_lend(const char *server) {
  take_back();
  obs_service_t *own = obs_frontend_get_streaming_service();
  if (!server || is_usable(own)) return;
  obs_data_t *settings = obs_data_create();
  obs_data_set_string(settings, "server", server);
  lent = obs_service_create_private("rtmp_custom", "osslive: none", settings);
  replaced = obs_service_get_ref(own);
  obs_frontend_set_streaming_service(lent);
  obs_data_release(settings);
}
