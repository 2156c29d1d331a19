//! A request, parsed as an operation on a resource.

use super::operation::{Operation, invalid_argument};
use crate::fault::Fault;
use crate::http::{Query, Request};
use base64::prelude::{BASE64_STANDARD, Engine};
use md5::{Digest, Md5};

/// A parsed request.
pub(super) struct Call<'a> {
    pub(super) request: &'a Request,
    pub(super) operation: Operation,
    /// Why the operation is refused, for callers that have access to it.
    pub(super) refusal: Option<Fault>,
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) query: Query,
}

impl Call<'_> {
    /// Returns the maximum number of entries in a listing: 1 to 1000, by default 100.
    pub(super) fn max_entries(&self, name: &str) -> Result<usize, Fault> {
        let Some(text) = self.query.value(name) else { return Ok(100) };
        match text.parse() {
            Ok(max @ 1..=1000) if text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(max),
            _ => Err(invalid_argument(name, text, "must be an integer from 1 to 1000")),
        }
    }

    /// Returns a parameter's value, empty if it is absent.
    pub(super) fn param(&self, name: &str) -> &str {
        self.query.get(name).unwrap_or_default()
    }

    /// Checks a body against the operation's requirements and its digest.
    pub(super) fn check_body(&self) -> Result<(), Fault> {
        let Call { request, operation, .. } = self;
        let has_length = |name| request.header(name).is_some();
        if operation.needs_body()
            && !has_length("content-length")
            && !has_length("transfer-encoding")
        {
            const MESSAGE: &str = "You must provide the Content-Length HTTP header.";
            return Err(Fault::new(411, "MissingContentLength", MESSAGE));
        }
        if request.body.len() > operation.body_limit() {
            return Err(too_large());
        }
        let Some(expected) = request.header("content-md5") else { return Ok(()) };
        let digest = Md5::digest(&request.body);
        // The vendor's SDK for C also sends the bytes after the digest in memory,
        // and the service accepts them.
        if BASE64_STANDARD.decode(expected).is_ok_and(|given| given.starts_with(&digest)) {
            return Ok(());
        }
        const MESSAGE: &str = "The Content-MD5 you specified did not match what we received.";
        Err(Fault::new(400, "InvalidDigest", MESSAGE)
            .with("Content-MD5", expected)
            .with("ServerCalculatedMD5", BASE64_STANDARD.encode(digest)))
    }
}

/// Returns the fault for a body that is too large.
pub fn too_large() -> Fault {
    const MESSAGE: &str = "Your proposed upload exceeds the maximum allowed object size.";
    Fault::new(400, "EntityTooLarge", MESSAGE)
}
