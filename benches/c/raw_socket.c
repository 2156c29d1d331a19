/* The lower bound: writes a constant request to a socket, and reads the response
 * up to its Content-Length. No signature, no parsing. */
#define _GNU_SOURCE
#include "measure.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY                                                                                       \
  "<?xml version=\"1.0\" encoding=\"UTF-8\"?><LiveChannelConfiguration><Description>Camera"        \
  "</Description><Status>enabled</Status><Target><Type>HLS</Type><FragDuration>5</FragDuration>"   \
  "<FragCount>3</FragCount><PlaylistName>playlist.m3u8</PlaylistName></Target>"                    \
  "</LiveChannelConfiguration>"

static char request[2048];
static size_t request_length;

static void setup(void) {
  const char *target = "/live-demo/cam-0001?live&comp=stat", *method = "GET", *body = "";
  char length[64] = "";
  if (!strcmp(operation, "history")) target = "/live-demo/cam-0001?live&comp=history";
  if (!strcmp(operation, "list100")) target = "/live-demo/?live&max-keys=100";
  if (!strcmp(operation, "list1000")) target = "/live-demo/?live&max-keys=1000";
  if (!strcmp(operation, "put")) {
    target = "/live-demo/cam-0001?live";
    method = "PUT";
    body = BODY;
    snprintf(length, sizeof length, "Content-Length: %zu\r\n", strlen(body));
  }
  /* The same length as a signed request. */
  request_length = snprintf(
      request, sizeof request,
      "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: raw_socket/1.0 (linux; x86_64)\r\n"
      "Accept: */*\r\n%sx-oss-content-sha256: UNSIGNED-PAYLOAD\r\nx-oss-date: 20261122T081638Z\r\n"
      "Authorization: OSS4-HMAC-SHA256 Credential=LTAI5tBenchKeyId/20261122/cn-hangzhou/oss/"
      "aliyun_v4_request,Signature=ff40202dd79fcf9024976bfb4fdee37a6da1762a168088f4682563050bd7baf4"
      "\r\n\r\n%s",
      method, target, port, length, body);
}

typedef struct {
  int fd;
  char buffer[64 * 1024];
} connection;

static void *open_session(void) {
  connection *c = malloc(sizeof *c);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
  int on = 1;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(c->fd, (struct sockaddr *)&to, sizeof to)) die("no connection");
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return c;
}

static void call(void *session) {
  connection *c = session;
  if (write(c->fd, request, request_length) != (ssize_t)request_length) die("write");
  size_t filled = 0;
  char *end = NULL, *length;
  while (!end) {
    ssize_t n = read(c->fd, c->buffer + filled, sizeof c->buffer - 1 - filled);
    if (n <= 0) die("read");
    filled += n;
    c->buffer[filled] = 0;
    end = memmem(c->buffer, filled, "\r\n\r\n", 4);
  }
  if (!(length = strstr(c->buffer, "Content-Length: "))) die("no length");
  size_t whole = (end + 4 - c->buffer) + strtoul(length + 16, NULL, 10);
  while (filled < whole) {
    ssize_t n = read(c->fd, c->buffer, sizeof c->buffer);
    if (n <= 0) die("read");
    filled += n;
  }
}

static void close_session(void *session) {
  connection *c = session;
  close(c->fd);
  free(c);
}
