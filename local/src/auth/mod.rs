//! Who sent a request: signatures of both versions in headers and URLs, and
//! of publish URLs, verified with the same functions that make them.

mod rtmp;
mod v1;
mod v4;

pub use rtmp::authorize_publish;

use crate::fault::Fault;
use crate::stamp;
use osslive::sign::Parts;
use osslive::sign::v1::Key;
use std::collections::HashMap;
use std::fmt;
use time::{Duration, OffsetDateTime};

/// How far the date of a request may be from the endpoint's clock.
const MAX_SKEW: Duration = Duration::minutes(15);

/// An access key that the endpoint knows.
#[derive(Clone)]
pub struct AccessKey {
    /// The key's id.
    pub id: String,
    /// The key's secret.
    pub secret: String,
    /// The token of a temporary (STS) key, without which it is not accepted.
    pub token: Option<String>,
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The access keys of the endpoint, by id.
#[derive(Debug)]
pub struct Keys(HashMap<String, Entry>);

#[derive(Debug)]
struct Entry {
    key: AccessKey,
    sha1: Key,
}

impl Keys {
    /// Prepares keys for verification; of two with one id, the later counts.
    pub fn new(keys: impl IntoIterator<Item = AccessKey>) -> Self {
        let entry = |key: AccessKey| {
            let sha1 = Key::new(&key.secret);
            (key.id.clone(), Entry { key, sha1 })
        };
        Keys(keys.into_iter().map(entry).collect())
    }

    /// The key of an id, once its token is the one that belongs to it.
    fn find(&self, id: &str, token: Option<&str>) -> Result<&Entry, Fault> {
        let Some(entry) = self.0.get(id) else {
            const MESSAGE: &str =
                "The OSS Access Key Id you provided does not exist in our records.";
            return Err(Fault::new(403, "InvalidAccessKeyId", MESSAGE).with("OSSAccessKeyId", id));
        };
        let fits = |entry: &Entry| match (&entry.key.token, token) {
            (None, None) => true,
            (Some(known), Some(given)) => same(known, given),
            _ => false,
        };
        if fits(entry) {
            Ok(entry)
        } else if token.is_some() && self.0.values().any(fits) {
            const MESSAGE: &str =
                "The security token you provided does not belong to the access key.";
            Err(Fault::new(403, "AccessKeyIdAndSecurityTokenNotMatch", MESSAGE))
        } else {
            const MESSAGE: &str = "The security token you provided is invalid.";
            Err(Fault::new(403, "InvalidSecurityToken", MESSAGE))
        }
    }
}

/// Who sent an HTTP request.
#[derive(Debug)]
pub enum Identity {
    /// Nobody in particular: there was no signature.
    Anonymous,
    /// The owner, by a signature in the Authorization header.
    Header,
    /// The owner, by a signature in the URL.
    Url(UrlSignature),
}

/// The signature of a URL, good for signing further URLs in the same way.
#[derive(Debug, Clone)]
pub enum UrlSignature {
    /// Version 1.
    V1(v1::UrlSignature),
    /// Version 4.
    V4(v4::UrlSignature),
}

impl UrlSignature {
    /// The query that signs a GET of another key with the same access key
    /// and the same expiry; `process` is a value for `x-oss-process`.
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

/// Verifies the signature of an HTTP request, whichever it carries.
///
/// `parts` is the request as received: the query decoded, header names in
/// lower case. Dates and expiry are checked before the signature, as OSS
/// documents it.
///
/// # Errors
///
/// 400 `InvalidArgument` for a signature that is malformed or given twice,
/// and the 403 codes of authentication. `SignatureDoesNotMatch` carries what
/// was signed here.
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

fn header<'a>(parts: &Parts<'a>, name: &str) -> Option<&'a str> {
    parts.headers.iter().find(|(n, _)| *n == name).map(|(_, value)| *value)
}

/// A parameter of the query; a bare name has an empty value.
fn param<'a>(parts: &Parts<'a>, name: &str) -> Option<&'a str> {
    parts.query.iter().find(|(n, _)| *n == name).map(|(_, value)| value.unwrap_or_default())
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(400, "InvalidArgument", message)
}

fn denied(message: &str) -> Fault {
    Fault::new(403, "AccessDenied", message)
}

fn expired(expires: OffsetDateTime, now: OffsetDateTime) -> Fault {
    denied("Request has expired.")
        .with("Expires", stamp::iso_8601(expires))
        .with("ServerTime", stamp::iso_8601(now))
}

/// A time written in Unix seconds, digits alone.
fn unix_time(text: &str) -> Option<OffsetDateTime> {
    let digits = Some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    OffsetDateTime::from_unix_timestamp(digits?.parse().ok()?).ok()
}

fn check_skew(date: OffsetDateTime, now: OffsetDateTime) -> Result<(), Fault> {
    if (date - now).abs() <= MAX_SKEW {
        return Ok(());
    }
    const MESSAGE: &str =
        "The difference between the request time and the current time is too large.";
    Err(Fault::new(403, "RequestTimeTooSkewed", MESSAGE)
        .with_ec("0002-00000504")
        .with("MaxAllowedSkewMilliseconds", MAX_SKEW.whole_milliseconds().to_string())
        .with("RequestTime", stamp::iso_8601(date))
        .with("ServerTime", stamp::iso_8601(now)))
}

/// Compares in a time that depends on the lengths alone.
pub(crate) fn same(a: &str, b: &str) -> bool {
    let difference = a.bytes().zip(b.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b));
    a.len() == b.len() && std::hint::black_box(difference) == 0
}

fn mismatch(key_id: &str, provided: &str, string_to_sign: &str) -> Fault {
    const MESSAGE: &str = "The request signature we calculated does not match the signature you \
                           provided. Check your key and signing method.";
    Fault::new(403, "SignatureDoesNotMatch", MESSAGE)
        .with("OSSAccessKeyId", key_id)
        .with("SignatureProvided", provided)
        .with("StringToSign", string_to_sign)
        .with("StringToSignBytes", hex_bytes(string_to_sign))
}

/// A text's bytes as OSS shows them in errors: hex pairs with spaces.
fn hex_bytes(text: &str) -> String {
    let pairs: Vec<String> = text.bytes().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(" ")
}

#[cfg(test)]
mod tests;
