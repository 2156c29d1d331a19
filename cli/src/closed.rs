//! Detects that the command was started without standard output, as with `>&-`.
//!
//! The standard library opens the null device in its place before main begins, and
//! results would be lost silently. This checks earlier.

use std::sync::atomic::{AtomicBool, Ordering};

static IS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Returns whether standard output is closed.
pub(crate) fn is_stdout_closed() -> bool {
    IS_CLOSED.load(Ordering::Relaxed)
}

// Before main, there is no runtime to rely on: this is a single system call.
#[cfg(unix)]
#[ctor::ctor(unsafe)]
fn check() {
    let flags = rustix::io::fcntl_getfd(rustix::stdio::stdout());
    IS_CLOSED.store(flags.is_err(), Ordering::Relaxed);
}
