/* What went wrong, in words that say what to do next. */

#pragma once

#include <osslive.h>

/* Takes over an error and turns it into words, to be freed with bfree. */
char *problem_from(osslive_error *error);
