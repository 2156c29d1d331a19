/* Stopping on Ctrl-C or SIGTERM. */

#ifndef STOP_H
#define STOP_H

#include <stdbool.h>
#include <stdint.h>

/* Handles the signals. Stopping is quick, so a second signal is not needed. */
void stop_listen(void);

/* Blocks the signals on the calling thread, so that the main thread gets them. */
void stop_block_signals(void);

bool stop_is_requested(void);

/* Waits until a time on the clock of stop_now, or until stopped. */
void stop_wait_until(int64_t time_ms);

/* Milliseconds on a monotonic clock. */
int64_t stop_now(void);

#endif
