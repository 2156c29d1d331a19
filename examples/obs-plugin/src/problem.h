/* Error messages with advice. */

#pragma once

#include <osslive.h>

/* Converts an error to a message, to be freed with bfree, and frees the error. */
char *problem_from(osslive_error *error);
