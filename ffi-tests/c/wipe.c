/* Freed secrets are wiped: no part of the process's memory contains a signature or a
 * key of a freed client.
 *
 * The search patterns themselves are stored in another form. */

#include "check.h"

#include <unistd.h>

enum { MOST = 256, FLIP = 0x55 };

struct needle {
  const char *name;
  char flipped[MOST];
  size_t length;
};

static struct needle needle_of(const char *name, const char *text, size_t length) {
  struct needle needle = {.name = name, .length = length};
  CHECK(length >= 8 && length < MOST);
  for (size_t i = 0; i < length; i++) needle.flipped[i] = (char)(text[i] ^ FLIP);
  return needle;
}

static void wipe(char *text) {
  volatile char *p = text;
  while (*p) *p++ = 0;
}

static int is_at(const struct needle *needle, const char *bytes) {
  for (size_t i = 0; i < needle->length; i++)
    if ((char)(bytes[i] ^ FLIP) != needle->flipped[i]) return 0;
  return 1;
}

static int count_in(const struct needle *needle, const char *bytes, size_t size) {
  int found = 0;
  for (size_t i = 0; i + needle->length <= size; i++) found += is_at(needle, bytes + i);
  return found;
}

/* Returns how often a pattern occurs in writable memory. */
static int count(const struct needle *needle) {
  FILE *maps = fopen("/proc/self/maps", "r"), *memory = fopen("/proc/self/mem", "r");
  char line[512];
  int found = 0;
  CHECK(maps != NULL && memory != NULL);
  /* Unbuffered: a buffer would be searched too, with copies of what was read. */
  setvbuf(memory, NULL, _IONBF, 0);
  while (fgets(line, sizeof line, maps) != NULL) {
    unsigned long start, end;
    char rights[8];
    if (sscanf(line, "%lx-%lx %7s", &start, &end, rights) != 3 || rights[1] != 'w') continue;
    char *bytes = malloc(end - start);
    CHECK(bytes != NULL);
    if (fseek(memory, (long)start, SEEK_SET) == 0 &&
        fread(bytes, 1, end - start, memory) == end - start) {
      int here = count_in(needle, bytes, end - start);
      if (here > 0) fprintf(stderr, "%s: %d in %s", needle->name, here, line);
      found += here;
    }
    memset(bytes, 0, end - start);
    free(bytes);
  }
  fclose(maps);
  fclose(memory);
  return found;
}

static struct needle signature_of(const char *name, const char *url, const char *parameter) {
  const char *at = strstr(url, parameter);
  CHECK(at != NULL);
  at += strlen(parameter);
  return needle_of(name, at, strcspn(at, "&\""));
}

int main(void) {
  struct needle needles[8];
  size_t n = 0;
  osslive_client *client = client_of(variable("OSS_ENDPOINT"), 5000, 2);
  char *publish = NULL, *play = NULL, *out = NULL;

  char secret[] = "a-secret-of-its-own", token[] = "a-token/of-its+own==";
  needles[n++] = needle_of("secret", secret, strlen(secret));
  needles[n++] = needle_of("token", token, strlen(token));
  SUCCEEDS(osslive_client_set_credentials(client, "STS.key", secret, token, &error));
  wipe(secret);
  wipe(token);
  SUCCEEDS(osslive_get_rtmp_url(client, "stage", 60, NULL, 0, &publish, &error));
  needles[n++] = signature_of("publish signature", publish, "&Signature=");
  SUCCEEDS(osslive_get_publish_url(client, "other", 60, NULL, 0, &out, &error));
  needles[n++] = signature_of("signature in parts", out, "&Signature=");
  osslive_string_free(out);
  SUCCEEDS(osslive_get_play_url(client, "stage", NULL, 60, &play, &error));
  needles[n++] = signature_of("play signature", play, "&x-oss-signature=");
  FAILS(OSSLIVE_ERR_SERVICE, "HTTP 403",
        osslive_get_channel_status(client, "stage", &out, &error));
  CHECK(count(&needles[2]) > 0 && count(&needles[1]) > 0);

  osslive_string_free(publish);
  osslive_string_free(play);
  osslive_client_free(client);
  int found = 0;
  for (size_t i = 0; i < n; i++) found += count(&needles[i]);
  CHECK(found == 0);
  return 0;
}
