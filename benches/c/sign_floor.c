/* The lower bound of signing a publish URL: HMAC-SHA1 by OpenSSL, with both pads
 * hashed in advance, and the rest of the URL. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "measure.h"
#include <openssl/evp.h>
#include <openssl/sha.h>

static const char *id = "LTAI5tBenchKeyId", *secret = "BenchSecret7xYzABCDEFGH01";
static SHA_CTX inner, outer;

static void setup(void) {
  unsigned char pad[64];
  size_t length = strlen(secret);
  for (size_t i = 0; i < 64; i++) pad[i] = (i < length ? secret[i] : 0) ^ 0x36;
  SHA1_Init(&inner);
  SHA1_Update(&inner, pad, 64);
  for (size_t i = 0; i < 64; i++) pad[i] ^= 0x36 ^ 0x5c;
  SHA1_Init(&outer);
  SHA1_Update(&outer, pad, 64);
}

static void *open_session(void) { return NULL; }

static void call(void *session) {
  char text[128], url[512], *end;
  unsigned char hash[20], base64[32];
  (void)session;
  long expires = time(NULL) + 1800;
  const char *signed_param = "", *param = "";
  if (!strcmp(operation, "sign-param")) {
    signed_param = "playlistName:other.m3u8\n";
    param = "&playlistName=other.m3u8";
  }
  int length = snprintf(text, sizeof text, "%ld\n%s/live-demo/cam-0001", expires, signed_param);
  SHA_CTX hmac = inner;
  SHA1_Update(&hmac, text, length);
  SHA1_Final(hash, &hmac);
  hmac = outer;
  SHA1_Update(&hmac, hash, 20);
  SHA1_Final(hash, &hmac);
  EVP_EncodeBlock(base64, hash, 20);
  end = url + snprintf(url, sizeof url,
                       "rtmp://127.0.0.1:%d/live-demo/live/cam-0001?OSSAccessKeyId=%s&Expires=%ld"
                       "&Signature=",
                       port, id, expires);
  for (unsigned char *c = base64; *c; c++) {
    if (*c == '+' || *c == '/' || *c == '=') {
      *end++ = '%';
      *end++ = "0123456789ABCDEF"[*c >> 4];
      *end++ = "0123456789ABCDEF"[*c & 15];
    } else {
      *end++ = *c;
    }
  }
  strcpy(end, param);
  __asm__ volatile("" : : "r"(url) : "memory");
}

static void close_session(void *session) { (void)session; }
