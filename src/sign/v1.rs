//! Signature version 1: HMAC-SHA1 over the method, the date, the `x-oss-*`
//! headers and the resource with its sub-resources.
//!
//! Source: the service's pages "Include signatures in the Authorization
//! header" and "Add signatures to URLs". Version 1 is closed to new customers and
//! supported here for private gateways that require it.

use super::{Parts, sorted};
use crate::error::{Error, Result};
use crate::request::percent_decode;
use base64::prelude::{BASE64_STANDARD, Engine};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use std::borrow::Cow;
use std::fmt;

/// An access key secret, with both pads of its HMAC-SHA1 already hashed.
#[derive(Clone)]
pub struct Key(Hmac<Sha1>);

impl Key {
    /// Creates a key from a secret.
    pub fn new(secret: &str) -> Self {
        // HMAC accepts a key of any length, so this cannot fail.
        Key(Hmac::new_from_slice(secret.as_bytes()).expect("HMAC accepts any key"))
    }

    pub(super) fn sign(&self, message: &str) -> [u8; 20] {
        let mut mac = self.0.clone();
        mac.update(message.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// Parameters that belong to the resource and are signed, in byte order.
/// Others (`prefix`, `marker`, `max-keys`) are not.
const SUBRESOURCES: &[&str] = &[
    "accessPoint",
    "accessPointPolicy",
    "acl",
    "append",
    "asyncFetch",
    "bucketArchiveDirectRead",
    "bucketInfo",
    "callback",
    "callback-var",
    "cname",
    "comp",
    "continuation-token",
    "cors",
    "delete",
    "encryption",
    "endTime",
    "group",
    "httpsConfig",
    "img",
    "inventory",
    "inventoryId",
    "lifecycle",
    "link",
    "live",
    "location",
    "logging",
    "metaQuery",
    "objectInfo",
    "objectMeta",
    "partNumber",
    "policy",
    "position",
    "publicAccessBlock",
    "qos",
    "qosInfo",
    "qosRequester",
    "redundancyTransition",
    "referer",
    "regionList",
    "replication",
    "replicationLocation",
    "replicationProgress",
    "requestPayment",
    "requesterQosInfo",
    "resourceGroup",
    "resourcePool",
    "resourcePoolBuckets",
    "resourcePoolInfo",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "security-token",
    "sequential",
    "startTime",
    "stat",
    "status",
    "style",
    "styleName",
    "symlink",
    "tagging",
    "transferAcceleration",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "vod",
    "website",
    "worm",
    "wormExtend",
    "wormId",
    "x-oss-ac-forward-allow",
    "x-oss-ac-source-ip",
    "x-oss-ac-subnet-mask",
    "x-oss-ac-vpc-id",
    "x-oss-access-point-name",
    "x-oss-async-process",
    "x-oss-process",
    "x-oss-redundancy-transition-taskid",
    "x-oss-request-payer",
    "x-oss-target-redundancy-type",
    "x-oss-traffic-limit",
    "x-oss-write-get-object-response",
];

/// Returns whether a query parameter is part of the signed resource.
pub fn is_subresource(name: &str) -> bool {
    SUBRESOURCES.binary_search(&name).is_ok()
}

/// Checks that a request can be signed unambiguously. The string to sign joins key
/// and parameters without encoding: a signature for the key `a?live` is also one for
/// the key `a` with the parameter `live`.
///
/// # Errors
///
/// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) for a key
/// that [`check_key`] rejects, and for `&` or a control character in a signed
/// parameter's value.
pub fn check(parts: &Parts<'_>) -> Result<()> {
    check_key(parts.key)?;
    for (name, value) in parts.query.iter().filter(|(name, _)| is_subresource(name)) {
        if value.is_some_and(|value| value.contains(|c: char| c == '&' || c.is_control())) {
            return Err(Error::invalid(format!(
                "parameter {name:?}: a signed value must not contain '&' or control characters"
            )));
        }
    }
    Ok(())
}

/// Checks that a key cannot be mistaken for anything else once it is signed.
///
/// # Errors
///
/// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) for a key
/// with `?` or a control character, even percent-encoded: it may be decoded again
/// between client and service.
pub fn check_key(key: &str) -> Result<()> {
    let is_ambiguous = |text: &[u8]| text.iter().any(|byte| matches!(byte, b'?' | 0..=0x1f));
    let mut text = Cow::Borrowed(key.as_bytes());
    loop {
        if is_ambiguous(&text) {
            let shown: String = key.chars().take(80).collect();
            return Err(Error::invalid(format!(
                "name {shown:?}: a name signed with version 1 must not contain \
                 '?' or control characters, nor their percent-encoding"
            )));
        }
        if !text.contains(&b'%') {
            return Ok(());
        }
        let decoded = percent_decode(&text);
        if *decoded == *text {
            return Ok(());
        }
        text = Cow::Owned(decoded);
    }
}

/// Returns the string to sign.
///
/// `date` is the value of `x-oss-date` or `Date`; in a signed URL it is the
/// value of `Expires`. Content-MD5, Content-Type and the `x-oss-*` headers
/// are taken from the parts' headers.
pub fn string_to_sign(parts: &Parts<'_>, date: &str) -> String {
    // Allocated at full size: growing would leave a copy of the content behind.
    let mut text = String::with_capacity(256 + parts.length());
    for line in [parts.method, parts.header("content-md5"), parts.header("content-type"), date] {
        text.push_str(line);
        text.push('\n');
    }
    push_oss_headers(&mut text, parts.headers);
    push_resource(&mut text, parts);
    text
}

/// Returns the signature: base64 of the HMAC-SHA1.
pub fn signature(key: &Key, string_to_sign: &str) -> String {
    BASE64_STANDARD.encode(key.sign(string_to_sign))
}

fn push_oss_headers(text: &mut String, headers: &[(&str, &str)]) {
    let oss = headers.iter().filter(|(name, _)| name.starts_with("x-oss-"));
    for (name, value) in sorted(oss) {
        text.push_str(name);
        text.push(':');
        text.push_str(value);
        text.push('\n');
    }
}

fn push_resource(text: &mut String, parts: &Parts<'_>) {
    text.push('/');
    if !parts.bucket.is_empty() {
        text.push_str(parts.bucket);
        text.push('/');
        text.push_str(parts.key);
    }
    let signed = parts.query.iter().filter(|(name, _)| is_subresource(name));
    let mut separator = '?';
    for (name, value) in sorted(signed) {
        text.push(separator);
        separator = '&';
        text.push_str(name);
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            text.push('=');
            text.push_str(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_subresources_is_sorted_for_the_binary_search() {
        assert!(SUBRESOURCES.is_sorted());
    }

    #[test]
    fn a_key_does_not_show_its_secret() {
        assert_eq!(format!("{:?}", Key::new("hush")), "Key(..)");
    }

    #[test]
    fn ambiguous_keys_and_values_are_rejected() {
        let check = |key, query: &[(&str, Option<&str>)]| {
            check(&Parts { method: "GET", bucket: "b", key, query, headers: &[] })
        };
        for key in ["a?b", "a%3fb", "a%25253Fb", "a\nb", "a%1Fb", "?"] {
            assert!(check(key, &[]).is_err(), "{key:?}");
        }
        for key in ["", "a&b=c:d", "100%", "%zz%4", "a%41b", "a%7Fb", "直播"] {
            assert!(check(key, &[]).is_ok(), "{key:?}");
        }
        assert!(check("a", &[("comp", Some("stat&live"))]).is_err());
        assert!(check("a", &[("comp", Some("stat\nlive"))]).is_err());
        // Unsigned parameters cannot make the signature ambiguous.
        assert!(check("a", &[("prefix", Some("b&live")), ("comp", Some("a=b?c"))]).is_ok());
    }

    #[test]
    fn a_call_on_the_service_signs_a_lone_slash() {
        let parts = Parts { method: "GET", bucket: "", key: "", query: &[], headers: &[] };
        assert_eq!(string_to_sign(&parts, "now"), "GET\n\n\nnow\n/");
    }
}
