//! Shared by the tests of the C library: the installed library, a service to talk
//! to, and programs to compile and run.
//!
//! A missing tool is reported as skipped; with `CI` set, that is a failure.

mod hostile;
mod library;
pub mod markdown;
mod program;
mod service;
mod tls;

pub use hostile::Hostile;
pub use library::{Library, install, later, root, scratch, unversioned, with_test_panic};
pub use program::{Outcome, Program, Run, has, note, skipped};
pub use service::{Service, serve_xml};
