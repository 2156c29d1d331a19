/* What osslive_diagnose found, in words for the panel. */
#pragma once

#include <obs-properties.h>

/* Words to be freed with bfree: the problems and warnings with what to do about
 * them, or that there are none. */
char *diagnosis_words(const char *json, enum obs_text_info_type *type);
