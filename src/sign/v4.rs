//! Signature version 4: HMAC-SHA256 over a hash of the whole request, with a
//! key that is valid for one day, region and product.
//!
//! Source: the service's pages "Include V4 signatures in the Authorization
//! header (recommended)" and "Add V4 signatures to URLs (recommended)".

use super::{Parts, sorted};
use crate::request::{percent_encode, push_encoded, push_encoded_path};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

/// The name of the algorithm in headers and URLs.
pub const ALGORITHM: &str = "OSS4-HMAC-SHA256";
/// The only payload hash in use: the body is not signed.
pub const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
/// The last part of a scope.
pub const TERMINATOR: &str = "aliyun_v4_request";

/// The scope of a signing key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope<'a> {
    /// The UTC day, `yyyyMMdd`.
    pub date: &'a str,
    /// The region, such as `cn-hangzhou`.
    pub region: &'a str,
    /// The product: `oss`.
    pub product: &'a str,
}

impl Scope<'_> {
    /// Appends `DATE/REGION/PRODUCT/aliyun_v4_request`.
    pub(crate) fn push_to(&self, text: &mut String) {
        for part in [self.date, self.region, self.product] {
            text.push_str(part);
            text.push('/');
        }
        text.push_str(TERMINATOR);
    }
}

impl fmt::Display for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.push_to(&mut text);
        f.write_str(&text)
    }
}

/// A signing key, with both pads of its HMAC-SHA256 already hashed.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

impl Key {
    /// Derives the key of a scope from a secret.
    pub fn derive(secret: &str, scope: &Scope<'_>) -> Self {
        let mut key = keyed(Zeroizing::new(["aliyun_v4", secret].concat()).as_bytes());
        for part in [scope.date, scope.region, scope.product, TERMINATOR] {
            key.update(part.as_bytes());
            key = keyed(&key.finalize().into_bytes());
        }
        Key(key)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    // HMAC accepts a key of any length, so this cannot fail.
    Hmac::new_from_slice(key).expect("HMAC accepts any key")
}

/// Returns the canonical request, whose hash is signed.
///
/// `additional_headers` are names, in lower case and sorted, of headers to sign in
/// addition to those that always are: `x-oss-*`, `content-type`, `content-md5`. Pass
/// only headers that the request has: others would be listed without a value.
pub fn canonical_request(
    parts: &Parts<'_>,
    additional_headers: &[&str],
    payload_hash: &str,
) -> String {
    // Allocated at full size: growing would leave a copy of the content behind.
    let mut text = String::with_capacity(512 + parts.length());
    text.push_str(parts.method);
    text.push_str("\n/");
    if !parts.bucket.is_empty() {
        push_encoded(&mut text, parts.bucket);
        text.push('/');
        push_encoded_path(&mut text, parts.key);
    }
    text.push('\n');
    push_query(&mut text, parts.query);
    text.push('\n');
    push_headers(&mut text, parts.headers, additional_headers);
    text.push('\n');
    text.push_str(&additional_headers.join(";"));
    text.push('\n');
    text.push_str(payload_hash);
    text
}

fn push_query(text: &mut String, query: &[(&str, Option<&str>)]) {
    let encoded = query.iter().map(|(n, v)| (percent_encode(n), v.map(percent_encode)));
    for (at, (name, value)) in sorted(encoded).iter_mut().enumerate() {
        if at > 0 {
            text.push('&');
        }
        text.push_str(name);
        if let Some(value) = value {
            text.push('=');
            text.push_str(value);
        }
        // The value may be a token.
        value.zeroize();
    }
}

fn push_headers(text: &mut String, headers: &[(&str, &str)], additional: &[&str]) {
    let is_signed = |name: &str| {
        name.starts_with("x-oss-")
            || name == "content-type"
            || name == "content-md5"
            || additional.contains(&name)
    };
    for (name, value) in sorted(headers.iter().filter(|(name, _)| is_signed(name))) {
        text.push_str(name);
        text.push(':');
        text.push_str(value.trim());
        text.push('\n');
    }
}

/// Returns the string to sign; `timestamp` is `yyyyMMddTHHmmssZ`.
pub fn string_to_sign(timestamp: &str, scope: &Scope<'_>, canonical_request: &str) -> String {
    let mut text = String::with_capacity(192);
    for line in [ALGORITHM, timestamp] {
        text.push_str(line);
        text.push('\n');
    }
    scope.push_to(&mut text);
    text.push('\n');
    push_hex(&mut text, Sha256::digest(canonical_request.as_bytes()).into());
    text
}

/// Returns the signature: the HMAC-SHA256 in lower-case hexadecimal.
pub fn signature(key: &Key, string_to_sign: &str) -> String {
    let mut mac = key.0.clone();
    mac.update(string_to_sign.as_bytes());
    let mut text = String::with_capacity(64);
    push_hex(&mut text, mac.finalize().into_bytes().into());
    text
}

// A table and one copy, because formatting byte by byte costs more than the
// hash itself.
fn push_hex(out: &mut String, hash: [u8; 32]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut digits = [0; 64];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(hash) {
        pair.copy_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
    out.push_str(std::str::from_utf8(&digits).expect("digits are ASCII"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_is_sorted_by_its_encoded_names() {
        // Raw, "é" sorts after "z"; encoded, "%C3%A9" sorts before "a".
        let mut text = String::new();
        push_query(&mut text, &[("z", Some("1")), ("é", None), ("a", Some(""))]);
        assert_eq!(text, "%C3%A9&a=&z=1");
    }

    #[test]
    fn a_key_does_not_show_its_secret() {
        let scope = Scope { date: "20261122", region: "cn-hangzhou", product: "oss" };
        assert_eq!(format!("{:?}", Key::derive("hush", &scope)), "Key(..)");
    }
}
