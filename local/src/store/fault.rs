//! Faults shared by all parts of the store.

use crate::fault::Fault;
use std::io;

pub(super) fn no_such_bucket(name: &str) -> Fault {
    Fault::new(404, "NoSuchBucket", "The specified bucket does not exist.").with("BucketName", name)
}

pub(super) fn disk_fault(error: io::Error) -> Fault {
    Fault::new(500, "InternalError", format!("Cannot use the data directory: {error}."))
}
