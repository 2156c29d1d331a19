/* Ten thousand mixed calls, successes and failures: memory stays flat. With the
 * number of calls as its argument, the verdict is left to the leak checker that
 * it runs under, which has its own memory. */

#include "check.h"

/* Seven calls. */
static void a_round(osslive_client *client) {
  osslive_channel_config *channel = NULL;
  char *out = NULL;
  SUCCEEDS(osslive_channel_config_new("Memory", &channel, &error));
  SUCCEEDS(osslive_put_channel(client, "memory", channel, &out, &error));
  osslive_string_free(out);
  osslive_channel_config_free(channel);
  SUCCEEDS(osslive_get_channel_status(client, "on-air", &out, &error));
  osslive_string_free(out);
  SUCCEEDS(osslive_list_channels(client, NULL, NULL, 0, &out, &error));
  osslive_string_free(out);
  SUCCEEDS(osslive_get_play_url(client, "on-air", NULL, 60, &out, &error));
  osslive_string_free(out);
  FAILS(OSSLIVE_ERR_SERVICE, "", osslive_get_channel(client, "nobody", &out, &error));
  FAILS(OSSLIVE_ERR_INVALID_ARGUMENT, "", osslive_get_channel(client, "\xff", &out, &error));
  osslive_client *other = NULL;
  SUCCEEDS(osslive_client_with_timeout_ms(client, 1000, &other, &error));
  osslive_client_free(other);
}

int main(int argc, char **argv) {
  int rounds = (argc > 1 ? atoi(argv[1]) : 10000) / 7;
  osslive_client *client = client_of_service();
  for (int i = 0; i < rounds / 5; i++) a_round(client);
  long before = resident_bytes();
  for (int i = rounds / 5; i < rounds; i++) a_round(client);
  long grown = resident_bytes() - before;
  osslive_client_free(client);
  printf("grew by %ld bytes in %d calls\n", grown, (rounds - rounds / 5) * 7);
  CHECK(argc > 1 || grown < 256 * 1024);
  return 0;
}
