/* Plain libcurl: an easy handle with its connection; the response is collected in
 * a buffer. No signature, no parsing. */
#include "measure.h"
#include <curl/curl.h>

#define BODY                                                                                       \
  "<?xml version=\"1.0\" encoding=\"UTF-8\"?><LiveChannelConfiguration><Description>Camera"        \
  "</Description><Status>enabled</Status><Target><Type>HLS</Type><FragDuration>5</FragDuration>"   \
  "<FragCount>3</FragCount><PlaylistName>playlist.m3u8</PlaylistName></Target>"                    \
  "</LiveChannelConfiguration>"
#define AUTHORIZATION                                                                              \
  "Authorization: OSS4-HMAC-SHA256 Credential=LTAI5tBenchKeyId/20261122/cn-hangzhou/oss/"          \
  "aliyun_v4_request,Signature=ff40202dd79fcf9024976bfb4fdee37a6da1762a168088f4682563050bd7baf4"

static char url[256];

static void setup(void) {
  const char *target = "cam-0001?live&comp=stat";
  if (!strcmp(operation, "history")) target = "cam-0001?live&comp=history";
  if (!strcmp(operation, "list100")) target = "?live&max-keys=100";
  if (!strcmp(operation, "list1000")) target = "?live&max-keys=1000";
  if (!strcmp(operation, "put")) target = "cam-0001?live";
  snprintf(url, sizeof url, "http://127.0.0.1:%d/live-demo/%s", port, target);
  curl_global_init(CURL_GLOBAL_DEFAULT);
}

typedef struct {
  CURL *easy;
  struct curl_slist *headers;
  char *bytes;
  size_t filled, size;
} session_state;

static size_t gather(char *bytes, size_t one, size_t n, void *to) {
  session_state *s = to;
  (void)one;
  if (s->filled + n > s->size) {
    s->size = 2 * (s->filled + n);
    s->bytes = realloc(s->bytes, s->size);
  }
  memcpy(s->bytes + s->filled, bytes, n);
  s->filled += n;
  return n;
}

static void *open_session(void) {
  session_state *s = calloc(1, sizeof *s);
  s->easy = curl_easy_init();
  s->headers = curl_slist_append(s->headers, AUTHORIZATION);
  s->headers = curl_slist_append(s->headers, "x-oss-content-sha256: UNSIGNED-PAYLOAD");
  s->headers = curl_slist_append(s->headers, "x-oss-date: 20261122T081638Z");
  curl_easy_setopt(s->easy, CURLOPT_URL, url);
  curl_easy_setopt(s->easy, CURLOPT_WRITEFUNCTION, gather);
  curl_easy_setopt(s->easy, CURLOPT_WRITEDATA, s);
  curl_easy_setopt(s->easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(s->easy, CURLOPT_TIMEOUT, 30L);
  if (!strcmp(operation, "put")) {
    s->headers = curl_slist_append(s->headers, "Content-Type: application/xml");
    curl_easy_setopt(s->easy, CURLOPT_POSTFIELDS, BODY);
    curl_easy_setopt(s->easy, CURLOPT_CUSTOMREQUEST, "PUT");
  }
  curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, s->headers);
  return s;
}

static void call(void *session) {
  session_state *s = session;
  long status = 0;
  s->filled = 0;
  if (curl_easy_perform(s->easy)) die("curl_easy_perform");
  curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) die("status");
}

static void close_session(void *session) {
  session_state *s = session;
  curl_easy_cleanup(s->easy);
  curl_slist_free_all(s->headers);
  free(s->bytes);
  free(s);
}
