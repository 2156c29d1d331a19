//! Publish URLs.

use super::check::check_channel_name;
use crate::error::{Error, Result};
use crate::sign::{rtmp, v1};
use crate::xml;

/// How to sign a publish URL, for `get_rtmp_url`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtmpUrlOptions {
    pub(crate) expires: u32,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) sign_token: bool,
}

impl RtmpUrlOptions {
    /// A URL good for 1800 seconds, with no extra parameter.
    pub fn new() -> Self {
        RtmpUrlOptions { expires: 1800, params: Vec::new(), sign_token: true }
    }

    /// Sets for how many seconds from now a publisher may connect; one that
    /// is connected is not cut when they have passed. Defaults to 1800.
    pub fn expires(mut self, seconds: u32) -> Self {
        self.expires = seconds;
        self
    }

    /// Sets the live playlist of this session, in place of the channel's.
    pub fn playlist_name(self, name: impl Into<String>) -> Self {
        self.param("playlistName", name)
    }

    /// Adds a parameter, which is signed. Each name may stand once; those
    /// that the signature itself uses are refused.
    pub fn param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.params.push((name.into(), value.into()));
        self
    }

    /// Sets whether an STS token is part of what is signed. Defaults to
    /// true, as two official SDKs do it; another only appends the token. Which
    /// of the two the service wants is not documented.
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

/// Checks what a publish URL is asked for.
///
/// # Errors
///
/// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) for a time of 0, and for a parameter that
/// is reserved, stands twice, or could not be signed unambiguously.
pub fn check_rtmp_url(id: &str, options: &RtmpUrlOptions) -> Result<()> {
    check_channel_name(id)?;
    v1::check_key(id)?;
    if options.expires == 0 {
        return Err(Error::invalid("a URL that expires after 0 seconds is of no use"));
    }
    for (at, (name, value)) in options.params.iter().enumerate() {
        let fault = if name.is_empty() {
            "has no name"
        } else if rtmp::RESERVED.contains(&name.as_str()) {
            "is reserved for the signature"
        } else if options.params[..at].iter().any(|(earlier, _)| earlier == name) {
            "is given twice"
        } else if name.starts_with('/') || name.contains(|c: char| c == ':' || c.is_control()) {
            "cannot be signed: its name must not contain ':' or control characters, nor begin with '/'"
        } else if value.contains(char::is_control) || !xml::can_carry(value) {
            "cannot be signed: its value must not contain control characters"
        } else {
            continue;
        };
        return Err(Error::invalid(format!("the parameter {name:?} {fault}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_publish_url_refuses_parameters_that_would_break_its_signature() {
        let options = RtmpUrlOptions::new;
        for (options, word) in [
            (options().expires(0), "0 seconds"),
            (options().param("Expires", "1"), "reserved"),
            (options().param("security-token", "1"), "reserved"),
            (options().param("a", "1").param("a", "2"), "twice"),
            (options().param("", "1"), "no name"),
            (options().param("a:b", "1"), "cannot be signed"),
            (options().param("a", "1\n/other/channel"), "cannot be signed"),
        ] {
            let error = check_rtmp_url("c", &options).unwrap_err();
            assert!(error.message().contains(word), "{error}");
        }
    }
}
