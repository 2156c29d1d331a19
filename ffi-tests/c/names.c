/* Prints a page of seven channels: names.c MARKER. */

#include "check.h"

int main(int argc, char **argv) {
  osslive_client *client = client_of_service();
  char *page = NULL;
  CHECK(argc == 2);
  SUCCEEDS(osslive_list_channels(client, NULL, argv[1], 7, &page, &error));
  puts(page);
  osslive_string_free(page);
  osslive_client_free(client);
  return 0;
}
