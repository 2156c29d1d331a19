/* Messages in the panel for the result of osslive_diagnose. */
#pragma once

#include <obs-properties.h>

/* Returns the problems and warnings with advice, or a message that there are
 * none. To be freed with bfree. */
char *diagnosis_message(const char *json, enum obs_text_info_type *type);
