/* The wish to end, which Ctrl-C or SIGTERM expresses. */

#ifndef STOP_H
#define STOP_H

#include <stdbool.h>
#include <stdint.h>

/* Listens for it. Nothing that follows takes long: no second signal is needed. */
void stop_listen(void);

/* Blocks the signals on the calling thread, so that the main one gets them. */
void stop_leave_to_main_thread(void);

bool stop_is_wanted(void);

/* Waits until a time of stop_now, or until the end is wanted. */
void stop_wait_until(int64_t time_ms);

/* Milliseconds on a clock that nobody sets. */
int64_t stop_now(void);

#endif
