/* A program that needs a function of a newer library. */

#include "check.h"

osslive_status osslive_test_panic(osslive_error **out_error);

int main(void) {
  FAILS(OSSLIVE_ERR_INTERNAL, "a panic on demand, number 42", osslive_test_panic(&error));
  return 0;
}
