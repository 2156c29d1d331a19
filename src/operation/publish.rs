//! Publish URLs.

use super::check::check_channel_name;
use crate::error::{Error, Result};
use crate::sign::{SignatureVersion, rtmp, v1};
use crate::xml;
use std::fmt;
use time::{OffsetDateTime, UtcOffset};

/// Options for `get_rtmp_url` and `get_publish_url`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtmpUrlOptions {
    pub(crate) expires: u32,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) sign_token: bool,
}

impl RtmpUrlOptions {
    /// Creates options for a URL that is valid for 1800 seconds.
    pub fn new() -> Self {
        RtmpUrlOptions { expires: 1800, params: Vec::new(), sign_token: true }
    }

    /// Sets how many seconds the URL is valid: publishers must connect within this time.
    /// Expiry does not disconnect a publisher. Defaults to 1800.
    pub fn expires(mut self, seconds: u32) -> Self {
        self.expires = seconds;
        self
    }

    /// Sets the live playlist of this session. Defaults to the channel's.
    pub fn playlist_name(self, name: impl Into<String>) -> Self {
        self.param("playlistName", name)
    }

    /// Adds a signed parameter. Names must be unique; names used by the signature
    /// itself are rejected.
    pub fn param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.params.push((name.into(), value.into()));
        self
    }

    /// Controls whether an STS token is signed (true, the default) or appended
    /// unsigned. The service does not document which it expects, and official SDKs
    /// differ.
    pub fn sign_security_token(mut self, sign: bool) -> Self {
        self.sign_token = sign;
        self
    }
}

impl Default for RtmpUrlOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// A signed publish URL, in full and split into the parts that encoders ask for.
///
/// Anyone who has it can publish until it expires: `Display` and JSON show it,
/// `Debug` does not.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct PublishUrl {
    /// The whole URL: the server, a slash and the stream key.
    pub url: String,
    /// The server, which ends in `/live`.
    pub server: String,
    /// The stream key: the channel's name with the signature.
    pub stream_key: String,
    /// When the URL expires. Publishers must connect before then; expiry does not
    /// disconnect them.
    #[cfg_attr(feature = "serde", serde(with = "time::serde::rfc3339"))]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Time"))]
    pub expires_at: OffsetDateTime,
}

impl PublishUrl {
    /// Splits a URL at the last slash of its path; its query may contain slashes
    /// too. The time is converted to UTC.
    pub fn new(url: String, expires_at: OffsetDateTime) -> Self {
        let path = url.find('?').map_or(&*url, |query| &url[..query]);
        let (server, stream_key) =
            path.rfind('/').map_or(("", &*url), |slash| (&url[..slash], &url[slash + 1..]));
        let (server, stream_key) = (server.to_owned(), stream_key.to_owned());
        let expires_at = expires_at.to_offset(UtcOffset::UTC);
        PublishUrl { url, server, stream_key, expires_at }
    }
}

impl fmt::Display for PublishUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl fmt::Debug for PublishUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channel = self.stream_key.split('?').next().unwrap_or_default();
        f.debug_struct("PublishUrl")
            .field("server", &self.server)
            .field("channel", &channel)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Checks the options of a publish URL.
///
/// # Errors
///
/// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) for an expiry
/// of 0, and for a parameter that is reserved, duplicate, or ambiguous when signed.
pub fn check_rtmp_url(id: &str, options: &RtmpUrlOptions) -> Result<()> {
    check_channel_name(id)?;
    v1::check_key(id)?;
    // Publish URLs are signed in the same way with both versions.
    SignatureVersion::V1.check_expires(options.expires)?;
    for (at, (name, value)) in options.params.iter().enumerate() {
        let problem = if name.is_empty() {
            "has no name"
        } else if rtmp::RESERVED.contains(&name.as_str()) {
            "is reserved for the signature"
        } else if options.params[..at].iter().any(|(earlier, _)| earlier == name) {
            "is a duplicate"
        } else if name.starts_with('/') || name.contains(|c: char| c == ':' || c.is_control()) {
            "cannot be signed: the name must not contain ':' or control characters, or start with '/'"
        } else if value.contains(char::is_control) || !xml::allows(value) {
            "cannot be signed: the value must not contain control characters"
        } else {
            continue;
        };
        return Err(Error::invalid(format!("URL parameter {name:?} {problem}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_accumulate() {
        let options = RtmpUrlOptions::new()
            .expires(60)
            .param("a", "1")
            .sign_security_token(false)
            .playlist_name("p.m3u8");
        let params = [("a", "1"), ("playlistName", "p.m3u8")].map(|(n, v)| (n.into(), v.into()));
        let expected = RtmpUrlOptions { expires: 60, params: params.to_vec(), sign_token: false };
        assert_eq!(options, expected);
    }

    #[test]
    fn parameters_that_would_break_the_signature_are_rejected() {
        let options = RtmpUrlOptions::new;
        for (options, word) in [
            (options().expires(0), "0 seconds"),
            (options().param("Expires", "1"), "reserved"),
            (options().param("security-token", "1"), "reserved"),
            (options().param("a", "1").param("a", "2"), "duplicate"),
            (options().param("", "1"), "no name"),
            (options().param("a:b", "1"), "cannot be signed"),
            (options().param("a", "1\n/other/channel"), "cannot be signed"),
        ] {
            let error = check_rtmp_url("c", &options).unwrap_err();
            assert!(error.message().contains(word), "{error}");
        }
    }

    #[test]
    fn the_stream_key_follows_the_last_slash_of_the_path() {
        let parts = |url: &str| {
            let url = PublishUrl::new(url.to_owned(), OffsetDateTime::UNIX_EPOCH);
            (url.server, url.stream_key)
        };
        for (server, key) in [
            ("rtmp://host:9000/bucket/live", "ch?Signature=a/b&Expires=1"),
            ("rtmp://bucket.host/live", "ch?Signature=a%2Fb&playlistName=/x/y.m3u8"),
            ("rtmp://bucket.host/live", "ch"),
        ] {
            assert_eq!(parts(&format!("{server}/{key}")), (server.to_owned(), key.to_owned()));
        }
    }

    #[test]
    fn display_shows_a_publish_url_and_debug_does_not() {
        let text = "rtmp://b.h/live/ch?OSSAccessKeyId=id&Expires=9&Signature=hush";
        let url = PublishUrl::new(text.to_owned(), OffsetDateTime::UNIX_EPOCH);
        assert_eq!(url.to_string(), text);
        let debugged = format!("{url:?}");
        assert!(debugged.contains("rtmp://b.h/live") && debugged.contains("\"ch\""), "{debugged}");
        assert!(!debugged.contains("hush") && !debugged.contains("Signature"), "{debugged}");
    }
}
