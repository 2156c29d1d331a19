// ThreadSanitizer tracks descriptors that `dup` copies, but not those that `fcntl` copies.
// tokio registers sockets with a copy of its epoll descriptor and waits with the original.
// The kernel orders the two, but unless the copy is tracked, every access to what was
// registered is reported as a race.

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

int fcntl(int descriptor, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  long argument = va_arg(arguments, long);
  va_end(arguments);
  int result = (int)syscall(SYS_fcntl, descriptor, command, argument);
  // Copy to the same number again, with a call that is tracked.
  return command == F_DUPFD_CLOEXEC && result >= 0 ? dup3(descriptor, result, O_CLOEXEC)
                                                   : result;
}
