//! Keeps panics from leaving the library.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs the body of a function that has no way to report an error.
pub(crate) fn guard_plain<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(otherwise)
}
