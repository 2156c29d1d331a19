//! The signature of a publish URL: HMAC-SHA1 over the expiry, the extra
//! parameters and the channel.
//!
//! Source: the service's page "RTMP ingest URLs and signatures". No version 4 is
//! documented; all official SDKs sign publish URLs this way, whatever version they
//! use for HTTP.

use super::sorted;
use super::v1::Key;
use base64::prelude::{BASE64_STANDARD, Engine};
use std::fmt::Write;

/// Parameter names that the signature itself uses, which cannot be extra parameters.
pub const RESERVED: &[&str] =
    &["Expire", "Expires", "OSSAccessKeyId", "SecurityToken", "Signature", "security-token"];

/// The maximum length of an expiry.
const MAX_EXPIRY: usize = 20;

/// Returns the string to sign.
///
/// `expires` is in Unix seconds. `params` are the extra parameters, raw and in any
/// order, each name once, including a signed STS token as `security-token`. Channel
/// and bucket are raw.
pub fn string_to_sign(
    expires: i64,
    params: &[(&str, &str)],
    bucket: &str,
    channel: &str,
) -> String {
    // Allocated at full size: growing would leave a copy of the content behind.
    let lengths = params.iter().map(|(name, value)| name.len() + value.len() + 2);
    let names = bucket.len() + channel.len();
    let mut text = String::with_capacity(MAX_EXPIRY + 3 + names + lengths.sum::<usize>());
    // Writing to a String does not fail.
    let _ = writeln!(text, "{expires}");
    for (name, value) in sorted(params.iter()) {
        text.push_str(name);
        text.push(':');
        text.push_str(value);
        text.push('\n');
    }
    text.push('/');
    text.push_str(bucket);
    text.push('/');
    text.push_str(channel);
    text
}

/// Returns the signature: base64 of the HMAC-SHA1. Percent-encode it in a URL.
pub fn signature(key: &Key, string_to_sign: &str) -> String {
    BASE64_STANDARD.encode(key.sign(string_to_sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_to_sign_is_allocated_at_full_size() {
        let text = "t".repeat(100);
        let params = [("playlistName", "p.m3u8"), ("security-token", text.as_str())];
        for params in [&params[..0], &params] {
            let text = string_to_sign(i64::MIN, params, "bucket", "channel");
            assert_eq!(text.capacity(), text.len());
        }
    }
}
