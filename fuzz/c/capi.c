/* The C interface with arbitrary bytes as its strings, and as its peer's
 * responses. Built with the address, leak and undefined behavior sanitizers.
 *
 * The input is split at its NULs: the first piece is the peer's response, the
 * others are strings, each in memory of exactly its size. None is used as a path:
 * the fuzzer would open devices.
 *
 * With -DSEEDED_LEAK errors with an EC are not freed, to see that leaks are found. */

#include <osslive.h>

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { TEXTS = 8, CALLS = 18 };

static char *texts[TEXTS];
static pthread_mutex_t answer_lock = PTHREAD_MUTEX_INITIALIZER;
static const char *answer;
static size_t answer_length;
static int listener;
static osslive_client *client;

/* Reads a request from each connection, responds, and closes it. */
static void *serve(void *unused) {
  char request[65536], head[128];
  (void)unused;
  for (;;) {
    int peer = accept(listener, NULL, NULL);
    size_t filled = 0;
    while (filled < sizeof request) {
      ssize_t n = read(peer, request + filled, sizeof request - filled);
      if (n <= 0) break;
      filled += (size_t)n;
      if (memmem(request, filled, "\r\n\r\n", 4) != NULL) break;
    }
    /* Its call may have ended already, and the next one started. */
    pthread_mutex_lock(&answer_lock);
    int length = snprintf(head, sizeof head,
                          "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
                          answer_length);
    struct iovec parts[] = {{head, (size_t)length}, {(void *)answer, answer_length}};
    /* A client that disconnects is not an error. */
    if (writev(peer, parts, 2) < 0) errno = 0;
    pthread_mutex_unlock(&answer_lock);
    close(peer);
  }
  return NULL;
}

/* Reads every byte of a result, and frees it. */
static void end(osslive_status status, char *text, osslive_error *error) {
  assert((status == OSSLIVE_OK) == (error == NULL));
  if (text != NULL) assert(status == OSSLIVE_OK && strlen(text) < ((size_t)1 << 30));
  if (error != NULL) {
    assert(osslive_error_status(error) == status);
    assert(strlen(osslive_error_message(error)) > 0);
    const char *const parts[] = {osslive_error_code(error), osslive_error_request_id(error),
                                 osslive_error_ec(error)};
    for (int i = 0; i < 3; i++) assert(parts[i] == NULL || strlen(parts[i]) > 0);
  }
  osslive_string_free(text);
#ifdef SEEDED_LEAK
  if (osslive_error_ec(error) != NULL) return;
#endif
  osslive_error_free(error);
}

#define END(call) \
  do { \
    char *out = NULL; \
    osslive_error *error = NULL; \
    osslive_status status = (call); \
    end(status, out, error); \
  } while (0)

static void on_log(int level, const char *message, void *user_data) {
  (void)user_data;
  assert(level > 0 && strlen(message) > 0);
}

/* A client with options from the input. It may sign, but makes no
 * requests. */
static void configure(void) {
  osslive_config *config = osslive_config_new();
  osslive_client *other = NULL;
  END(osslive_config_set_endpoint(config, texts[0], &error));
  END(osslive_config_set_region(config, texts[1], &error));
  END(osslive_config_set_bucket(config, texts[2], &error));
  END(osslive_config_set_credentials(config, texts[3], texts[4], texts[5], &error));
  END(osslive_config_set_addressing_style(config, texts[6], &error));
  END(osslive_config_set_user_agent(config, texts[7], &error));
  END(osslive_config_set_proxy(config, texts[6], &error));
  END(osslive_config_set_root_certificates(config, texts[7], &error));
  END(osslive_client_new(config, &other, &error));
  if (other != NULL) {
    END(osslive_get_rtmp_url(other, texts[6], 60, NULL, 0, &out, &error));
    END(osslive_get_play_url(other, texts[6], texts[7], 60, &out, &error));
  }
  osslive_client_free(other);
  osslive_config_free(config);
}

static osslive_channel_config *channel_config(void) {
  osslive_channel_config *config = NULL;
  END(osslive_channel_config_new(texts[1], &config, &error));
  if (config == NULL) return NULL;
  END(osslive_channel_config_set_description(config, texts[2], &error));
  END(osslive_channel_config_set_status(config, texts[3], &error));
  END(osslive_channel_config_set_playlist_name(config, texts[4], &error));
  END(osslive_channel_config_set_snapshot(config, texts[5], texts[6], texts[7], 5, &error));
  return config;
}

static void put(void) {
  osslive_channel_config *config = channel_config();
  const osslive_channel_config *const configs[] = {config, config};
  if (config != NULL) {
    END(osslive_put_channel(client, texts[0], config, &out, &error));
    END(osslive_create_channel(client, texts[0], config, &out, &error));
    END(osslive_put_channels(client, (const char *const *)texts, configs, 2, NULL, NULL, NULL,
                             &out, &error));
  }
  osslive_channel_config_free(config);
}

static void watch(void) {
  osslive_channel_monitor *monitor = NULL;
  END(osslive_channel_monitor_new(client, (const char *const *)texts, 3, NULL, &monitor, &error));
  if (monitor != NULL) {
    END(osslive_channel_monitor_next_changes(monitor, &out, &error));
    END(osslive_channel_monitor_last_sweep(monitor, &out, &error));
  }
  osslive_channel_monitor_free(monitor);
}

static void call(unsigned which) {
  const osslive_param params[] = {{texts[1], texts[2]}, {texts[3], texts[4]}};
  const osslive_highlight highlights[] = {{.name = texts[1], .to_ms = 5000}, {.name = texts[2]}};
  int live = 0;
  switch (which % CALLS) {
  case 0: configure(); break;
  case 1: put(); break;
  case 2: watch(); break;
  case 3: END(osslive_get_channel(client, texts[0], &out, &error)); break;
  case 4: END(osslive_delete_channel(client, texts[0], &out, &error)); break;
  case 5: END(osslive_list_channels(client, texts[0], texts[1], 100, &out, &error)); break;
  case 6: END(osslive_put_channel_status(client, texts[0], texts[1], &out, &error)); break;
  case 7: END(osslive_get_channel_status(client, texts[0], &out, &error)); break;
  case 8: END(osslive_is_channel_live(client, texts[0], &live, &error)); break;
  case 9: END(osslive_get_channel_history(client, texts[0], &out, &error)); break;
  case 10: END(osslive_analyze_history(client, texts[0], 7, &out, &error)); break;
  case 11: END(osslive_create_vod(client, texts[0], texts[1], 1000, 2000, &out, &error)); break;
  case 12: END(osslive_get_vod(client, texts[0], 1000, 2000, &out, &error)); break;
  case 13: END(osslive_get_rtmp_url(client, texts[0], 60, params, 2, &out, &error)); break;
  case 14: END(osslive_get_play_url(client, texts[0], texts[1], 60, &out, &error)); break;
  case 15:
    END(osslive_monitor_channels(client, (const char *const *)texts, 3, NULL, NULL, NULL, &out,
                                 &error));
    break;
  case 16:
    END(osslive_create_highlights(client, texts[0], highlights, 2, NULL, NULL, &out, &error));
    break;
  case 17: END(osslive_client_set_credentials(client, texts[0], texts[1], texts[2], &error)); break;
  }
}

/* Returns the number of threads of this process, 0 if unknown: field 20 of proc(5). */
static long threads(void) {
  char stat[1024];
  int file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  ssize_t n = file < 0 ? -1 : read(file, stat, sizeof stat - 1);
  if (file >= 0) close(file);
  stat[n < 0 ? 0 : n] = 0;
  /* The name of the program, field 2, may contain spaces. */
  const char *at = strrchr(stat, ')');
  for (int field = 2; at != NULL && field < 20; field++) at = strchr(at + 1, ' ');
  return at == NULL ? 0 : strtol(at, NULL, 10);
}

/* Waits until the threads that a call started have exited. The library waits until their
 * work is done, but not until they exit, and a leak check would report the memory that
 * they hold until then. */
static void settle(long before) {
  const struct timespec pause = {.tv_nsec = 50 * 1000};
  for (int i = 0; threads() > before; i++) {
    assert(i < 100 * 1000);
    nanosleep(&pause, NULL);
  }
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  osslive_config *config = osslive_config_new();
  osslive_error *error = NULL;
  char endpoint[64];
  pthread_t thread;
  (void)argc;
  (void)argv;
  listener = socket(AF_INET, SOCK_STREAM, 0);
  int is_ready = bind(listener, (struct sockaddr *)&address, length) == 0 &&
                 listen(listener, 64) == 0 &&
                 getsockname(listener, (struct sockaddr *)&address, &length) == 0 &&
                 pthread_create(&thread, NULL, serve, NULL) == 0;
  snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%d", ntohs(address.sin_port));
  osslive_config_set_endpoint(config, endpoint, NULL);
  osslive_config_set_region(config, "cn-hangzhou", NULL);
  osslive_config_set_bucket(config, "live-demo", NULL);
  osslive_config_set_credentials(config, "id", "secret", NULL, NULL);
  osslive_config_set_proxy(config, NULL, NULL);
  osslive_config_set_attempts(config, 1, NULL);
  osslive_set_log_callback(on_log, NULL, OSSLIVE_LOG_DEBUG, NULL);
  if (!is_ready || osslive_client_new(config, &client, &error) != OSSLIVE_OK) abort();
  osslive_config_free(config);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  /* The threads of the fuzzer and the peer: the first input is empty. */
  static long idle;
  if (idle == 0) idle = threads();
  if (size < 1) return 0;
  const char *at = (const char *)data + 1, *stop = (const char *)data + size;
  for (int i = -1; i < TEXTS; i++) {
    const char *piece = memchr(at, 0, (size_t)(stop - at));
    size_t length = (size_t)((piece == NULL ? stop : piece) - at);
    if (i < 0) {
      pthread_mutex_lock(&answer_lock);
      answer = at;
      answer_length = length;
      pthread_mutex_unlock(&answer_lock);
    } else if ((texts[i] = malloc(length + 1)) != NULL) {
      memcpy(texts[i], at, length);
      texts[i][length] = 0;
    }
    at = piece == NULL ? stop : piece + 1;
  }
  call(data[0]);
  pthread_mutex_lock(&answer_lock);
  answer_length = 0;
  pthread_mutex_unlock(&answer_lock);
  for (int i = 0; i < TEXTS; i++) free(texts[i]);
  settle(idle);
  return 0;
}
