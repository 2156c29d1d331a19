//! Whether the command was started without standard output, as by `>&-`.
//!
//! The standard library opens the null device in its place before main begins,
//! so that results would vanish with nobody the wiser: this looks earlier.

use std::sync::atomic::{AtomicBool, Ordering};

static IS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Whether what is written to standard output reaches nothing.
pub(crate) fn is_stdout_closed() -> bool {
    IS_CLOSED.load(Ordering::Relaxed)
}

// Before main there is no runtime to rely on: this is one system call.
#[cfg(unix)]
#[ctor::ctor(unsafe)]
fn look() {
    let flags = rustix::io::fcntl_getfd(rustix::stdio::stdout());
    IS_CLOSED.store(flags.is_err(), Ordering::Relaxed);
}
