//! A request, read as an operation on a resource.

use super::operation::{Operation, invalid_argument};
use crate::fault::Fault;
use crate::http::{Query, Request};
use base64::prelude::{BASE64_STANDARD, Engine};
use md5::{Digest, Md5};

/// A request that has been understood.
pub(super) struct Call<'a> {
    pub(super) request: &'a Request,
    pub(super) operation: Operation,
    /// Why there is no such operation here, for whoever could ask for it.
    pub(super) refusal: Option<Fault>,
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) query: Query,
}

impl Call<'_> {
    /// A limit on the entries of a listing: 1 to 1000, by default 100.
    pub(super) fn max_entries(&self, name: &str) -> Result<usize, Fault> {
        let Some(text) = self.query.value(name) else { return Ok(100) };
        match text.parse() {
            Ok(max @ 1..=1000) if text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(max),
            _ => Err(invalid_argument(name, text, "must be an integer from 1 to 1000")),
        }
    }

    /// A parameter's value, empty if it is not there.
    pub(super) fn param(&self, name: &str) -> &str {
        self.query.get(name).unwrap_or_default()
    }

    /// Checks that a body is as the operation and its digest want it.
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
        // The vendor's SDK for C sends what lies behind the digest in its memory
        // too, and the service takes it.
        if BASE64_STANDARD.decode(expected).is_ok_and(|given| given.starts_with(&digest)) {
            return Ok(());
        }
        const MESSAGE: &str = "The Content-MD5 you specified did not match what we received.";
        Err(Fault::new(400, "InvalidDigest", MESSAGE)
            .with("Content-MD5", expected)
            .with("ServerCalculatedMD5", BASE64_STANDARD.encode(digest)))
    }
}

/// The refusal of a body that is too long.
pub fn too_large() -> Fault {
    const MESSAGE: &str = "Your proposed upload exceeds the maximum allowed object size.";
    Fault::new(400, "EntityTooLarge", MESSAGE)
}
