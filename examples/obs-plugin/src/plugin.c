/* osslive for OBS Studio: streams to a live channel on OSS with a newly signed URL
 * each time, and shows what the service receives. */

#include <string.h>

#include <obs-frontend-api.h>
#include <obs-module.h>
#include <osslive.h>

#include "channel.h"
#include "panel.h"
#include "settings.h"
#include "status.h"
#include "stream.h"
#include "watcher.h"

OBS_DECLARE_MODULE()
OBS_MODULE_USE_DEFAULT_LOCALE("osslive", "en-US")

MODULE_EXPORT const char *obs_module_name(void) { return "osslive"; }

MODULE_EXPORT const char *obs_module_description(void) { return obs_module_text("Description"); }

/* A diagnosis of the channel, requested by the user. */
static struct channel *checked_channel;
static struct watcher *checker;

/* Never connected to. */
#define NO_SERVER "rtmp://localhost/live"

static void end_check(void) {
  watcher_free(checker);
  channel_close(checked_channel);
  checker = NULL;
  checked_channel = NULL;
}

static void report_problem(char *problem) {
  blog(LOG_WARNING, "[osslive] %s", problem);
  status_set(OBS_TEXT_INFO_ERROR, "%s", problem);
  bfree(problem);
}

static void check(obs_data_t *settings) {
  char *problem = NULL;
  end_check();
  checked_channel = channel_open(settings, &problem);
  if (!checked_channel) {
    report_problem(problem);
    return;
  }
  status_set(OBS_TEXT_INFO_NORMAL, "%s", obs_module_text("Status.Checking"));
  checker = watcher_start_diagnosing(checked_channel);
}

/* Reports what is known without a request. */
static void announce(struct channel *channel) {
  struct address address = {0};
  char *problem = NULL;
  if (channel_sign(channel, &address, &problem)) {
    stream_lend(address.server.array);
    status_set(OBS_TEXT_INFO_NORMAL, obs_module_text("Status.Ready"), channel_name(channel),
               address.server.array);
  } else {
    report_problem(problem);
  }
  dstr_free(&address.server);
  dstr_free(&address.key);
}

static void activate(obs_data_t *settings) {
  char *problem = NULL;
  end_check();
  if (!obs_data_get_bool(settings, SETTING_ENABLED)) {
    stream_lend(NULL);
    status_set(OBS_TEXT_INFO_NORMAL, "%s", obs_module_text("Status.Off"));
    return;
  }
  /* Start Streaming will report the problem. */
  stream_lend(NO_SERVER);
  struct channel *channel = channel_open(settings, &problem);
  if (channel)
    announce(channel);
  else
    report_problem(problem);
  channel_close(channel);
}

static void apply(obs_data_t *settings) {
  settings_save(settings);
  activate(settings);
}

static void load(void) {
  panel_load(settings_load());
  obs_data_t *settings = panel_settings();
  activate(settings);
  obs_data_release(settings);
}

static void start(void) {
  obs_data_t *settings = panel_settings();
  if (obs_data_get_bool(settings, SETTING_ENABLED)) {
    end_check();
    stream_begin(settings);
  }
  obs_data_release(settings);
}

static void save_renamed(void) {
  obs_data_t *settings = panel_settings();
  settings_save(settings);
  obs_data_release(settings);
}

static void on_event(enum obs_frontend_event event, void *unused);

/* The end of a stream may be reported afterwards, when OBS can no longer
 * open windows. */
static void quit(void) {
  obs_frontend_remove_event_callback(on_event, NULL);
  status_on_change(NULL);
  end_check();
  stream_cancel();
  stream_lend(NULL);
  panel_free();
}

static void on_event(enum obs_frontend_event event, void *unused) {
  UNUSED_PARAMETER(unused);
  switch (event) {
  case OBS_FRONTEND_EVENT_FINISHED_LOADING:
  case OBS_FRONTEND_EVENT_PROFILE_CHANGED:
    load();
    break;
  case OBS_FRONTEND_EVENT_PROFILE_RENAMED:
    save_renamed();
    break;
  case OBS_FRONTEND_EVENT_STREAMING_STARTING:
    start();
    break;
  case OBS_FRONTEND_EVENT_STREAMING_STARTED:
    panel_lock(stream_connected());
    break;
  case OBS_FRONTEND_EVENT_STREAMING_STOPPED:
    panel_lock(false);
    if (stream_end()) panel_open();
    break;
  case OBS_FRONTEND_EVENT_EXIT:
    quit();
    break;
  default:
    break;
  }
}

static void open_panel(void *unused) {
  UNUSED_PARAMETER(unused);
  panel_open();
}


bool obs_module_load(void) {
  status_init();
  stream_register();
  panel_register();
  blog(LOG_INFO, "[osslive] plugin " PLUGIN_VERSION ", library %s", osslive_version());
  return true;
}

/* Called after all modules have registered their sources, including the panel. */
void obs_module_post_load(void) {
  panel_init(apply, check);
  status_on_change(panel_refresh);
  obs_frontend_add_tools_menu_item(obs_module_text("Menu"), open_panel, NULL);
  obs_frontend_add_event_callback(on_event, NULL);
}

void obs_module_unload(void) {
  stream_forget();
  status_free();
}
