#include "status.h"

#include <stdarg.h>
#include <string.h>

#include <obs-module.h>
#include <util/dstr.h>
#include <util/threading.h>

static pthread_mutex_t mutex;
static char *text;
static enum obs_text_info_type text_type;
static void (*on_change)(void);

void status_init(void) {
  pthread_mutex_init(&mutex, NULL);
  text = bstrdup("");
}

void status_free(void) {
  bfree(text);
  text = NULL;
  pthread_mutex_destroy(&mutex);
}

void status_on_change(void (*changed)(void)) {
  pthread_mutex_lock(&mutex);
  on_change = changed;
  pthread_mutex_unlock(&mutex);
}

static void notify(void *unused) {
  UNUSED_PARAMETER(unused);
  pthread_mutex_lock(&mutex);
  void (*changed)(void) = on_change;
  pthread_mutex_unlock(&mutex);
  if (changed) changed();
}

void status_set(enum obs_text_info_type type, const char *format, ...) {
  struct dstr fresh = {0};
  va_list arguments;
  va_start(arguments, format);
  dstr_vprintf(&fresh, format, arguments);
  va_end(arguments);

  pthread_mutex_lock(&mutex);
  bool differs = type != text_type || strcmp(text, fresh.array) != 0;
  bfree(text);
  text = fresh.array;
  text_type = type;
  pthread_mutex_unlock(&mutex);
  if (differs) obs_queue_task(OBS_TASK_UI, notify, NULL, false);
}

char *status_get(enum obs_text_info_type *type) {
  pthread_mutex_lock(&mutex);
  char *copy = bstrdup(text);
  *type = text_type;
  pthread_mutex_unlock(&mutex);
  return copy;
}
