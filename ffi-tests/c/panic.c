/* A panic in the library becomes an error with its message; the process
 * survives. */

#include "check.h"

#include <dlfcn.h>

int main(int argc, char **argv) {
  CHECK(argc > 1);
  void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) fprintf(stderr, "%s\n", dlerror());
  CHECK(library != NULL);
  osslive_status (*fault)(osslive_error **);
  const char *(*message)(const osslive_error *);
  void (*release)(osslive_error *);
  void *found[] = {dlsym(library, "osslive_test_panic"), dlsym(library, "osslive_error_message"),
                   dlsym(library, "osslive_error_free")};
  CHECK(found[0] != NULL && found[1] != NULL && found[2] != NULL);
  memcpy(&fault, &found[0], sizeof fault);
  memcpy(&message, &found[1], sizeof message);
  memcpy(&release, &found[2], sizeof release);

  for (int i = 0; i < 3; i++) {
    osslive_error *error = NULL;
    CHECK(fault(&error) == OSSLIVE_ERR_INTERNAL);
    CHECK(strstr(message(error), "a panic on demand, number 42") != NULL);
    release(error);
    CHECK(fault(NULL) == OSSLIVE_ERR_INTERNAL);
  }
  return 0;
}
