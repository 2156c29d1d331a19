//! Authentication: signatures of both versions in headers and URLs, and those
//! of publish URLs, verified with the functions that also create them.

mod check;
mod keys;
mod rtmp;
mod v1;
mod v4;

pub use check::same;
pub use keys::{AccessKey, Keys};
pub use rtmp::authorize_publish;

use crate::fault::Fault;
use check::{header, invalid, param};
use osslive::sign::Parts;
use time::OffsetDateTime;

/// Who sent an HTTP request.
#[derive(Debug)]
pub enum Identity {
    /// Unknown: the request is not signed.
    Anonymous,
    /// The owner, by a signature in the Authorization header.
    Header,
    /// The owner, by a signature in the URL.
    Url(UrlSignature),
}

/// The signature of a URL, from which further URLs can be signed in the same way.
#[derive(Debug, Clone)]
pub enum UrlSignature {
    /// Version 1.
    V1(v1::UrlSignature),
    /// Version 4.
    V4(v4::UrlSignature),
}

impl UrlSignature {
    /// Returns the query that signs a GET of another key with the same access
    /// key and the same expiry; `process` is a value for `x-oss-process`.
    ///
    /// # Errors
    ///
    /// 403 when the access key is no longer known.
    pub fn sign_get(
        &self,
        keys: &Keys,
        bucket: &str,
        key: &str,
        process: Option<&str>,
    ) -> Result<String, Fault> {
        match self {
            UrlSignature::V1(signature) => signature.sign_get(keys, bucket, key, process),
            UrlSignature::V4(signature) => signature.sign_get(keys, bucket, key, process),
        }
    }
}

/// Verifies the signature of an HTTP request, of either version.
///
/// `parts` is the request as received: the query decoded, header names in
/// lower case. Dates and expiry are checked before the signature, as OSS
/// documents it.
///
/// # Errors
///
/// 400 `InvalidArgument` for a signature that is malformed or given twice,
/// and the 403 codes of authentication. `SignatureDoesNotMatch` contains the
/// string to sign that was computed here.
pub fn identify(
    parts: &Parts<'_>,
    keys: &Keys,
    region: &str,
    now: OffsetDateTime,
) -> Result<Identity, Fault> {
    let authorization = header(parts, "authorization");
    let has = |names: &[&str]| names.iter().any(|name| param(parts, name).is_some());
    let by_v4 = has(&["x-oss-signature-version", "x-oss-credential", "x-oss-signature"]);
    let by_v1 = has(&["OSSAccessKeyId", "Signature", "Expires"]);
    let tokens = param(parts, "security-token")
        .or_else(|| param(parts, "x-oss-security-token"))
        .and(header(parts, "x-oss-security-token"));
    match authorization {
        Some(_) if by_v1 || by_v4 => {
            Err(invalid("The request has a signature in its URL and in its Authorization header."))
        }
        None if by_v1 && by_v4 => {
            Err(invalid("The URL has signatures of version 1 and version 4."))
        }
        _ if tokens.is_some() => {
            Err(invalid("The request has a security token in its URL and in a header."))
        }
        None if by_v4 => v4::verify_url(parts, keys, region, now).map(UrlSignature::V4),
        None if by_v1 => v1::verify_url(parts, keys, now).map(UrlSignature::V1),
        None => return Ok(Identity::Anonymous),
        Some(value) => {
            if let Some(fields) = value.strip_prefix("OSS4-HMAC-SHA256 ") {
                v4::verify_header(parts, fields, keys, region, now)?;
            } else if let Some(fields) = value.strip_prefix("OSS ") {
                v1::verify_header(parts, fields, keys, now)?;
            } else {
                return Err(invalid("Authorization header is invalid."));
            }
            return Ok(Identity::Header);
        }
    }
    .map(Identity::Url)
}

#[cfg(test)]
mod tests;
