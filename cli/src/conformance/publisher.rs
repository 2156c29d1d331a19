//! Valid and invalid publish URLs, and publishers that use them.

use super::bench::{Bench, Miss};
use crate::clip::Clip;
use osslive::request::percent_encode;
use osslive::sign::{rtmp, v1};
use osslive_local::push::{Publisher, PushError};
use std::time::{Duration, Instant};

/// The time limit for the service to accept a stream, and for each write.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The lifetime of a URL.
const EXPIRES: i64 = 600;
/// The maximum length of a stream.
const LONGEST: Duration = Duration::from_secs(300);
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// The query of a publish URL.
pub(super) type Params = Vec<(String, String)>;

/// How a publish URL is signed.
#[derive(Debug, Clone)]
pub(super) struct Signature {
    /// The channel in the signature, if it differs.
    pub(super) channel: Option<String>,
    /// Seconds from now.
    pub(super) expires: i64,
    /// Signed parameters.
    pub(super) params: Params,
    /// Whether a token is signed; `None` without a token.
    pub(super) token: Option<bool>,
}

impl Default for Signature {
    fn default() -> Self {
        Signature { channel: None, expires: EXPIRES, params: Vec::new(), token: Some(true) }
    }
}

/// Returns a publish URL whose query is changed by `alter` after signing.
pub(super) fn url(
    bench: &Bench,
    channel: &str,
    signature: &Signature,
    alter: impl FnOnce(&mut Params),
) -> String {
    let credentials = bench.credentials();
    let expires = bench.now().unix_timestamp() + signature.expires;
    let token = credentials.security_token().zip(signature.token);
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut signed: Params = signature.params.clone();
    signed.extend(
        token.filter(|(_, is_signed)| *is_signed).map(|(token, _)| pair("security-token", token)),
    );
    let params: Vec<_> = signed.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let subject = signature.channel.as_deref().unwrap_or(channel);
    let text = rtmp::string_to_sign(expires, &params, bench.bucket(), subject);
    let key = v1::Key::new(credentials.access_key_secret());
    let mut query = vec![
        pair("OSSAccessKeyId", credentials.access_key_id()),
        pair("Expires", &expires.to_string()),
        pair("Signature", &rtmp::signature(&key, &text)),
    ];
    query.extend(signature.params.clone());
    query.extend(token.map(|(token, _)| pair("security-token", token)));
    alter(&mut query);
    let query: Vec<_> = query.iter().map(|(n, v)| format!("{n}={}", percent_encode(v))).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{}{mark}{}", bench.publish_url(channel), query.join("&"))
}

/// Tries to publish. An accepted stream ends immediately.
pub(super) fn try_url(url: &str) -> Result<(), PushError> {
    Publisher::connect(url, TIMEOUT).and_then(Publisher::finish)
}

/// Starts publishing, and stays connected without sending anything.
pub(super) fn connect(url: &str) -> Result<Publisher, PushError> {
    Publisher::connect(url, TIMEOUT)
}

/// Publishes the clip in real time once the service has accepted it.
pub(super) fn go_live(bench: &Bench, url: String) -> Result<Clip, Miss> {
    let mut clip = Clip::push(url, LONGEST);
    let until = Instant::now() + 2 * TIMEOUT;
    while !clip.is_accepted() {
        if clip.is_done() {
            let why = clip.end().err().map(|error| error.to_string()).unwrap_or_default();
            return Err(Miss::Setup(format!("the stream was not accepted: {why}")));
        }
        if Instant::now() > until {
            clip.stop();
            return Err(Miss::Setup("the stream was not accepted in time".to_owned()));
        }
        if let Err(stopped) = bench.pause(POLL_INTERVAL) {
            clip.stop();
            return Err(stopped);
        }
    }
    Ok(clip)
}

/// Waits until a condition holds, up to a time limit. Returns whether it does.
pub(super) fn wait_until(
    bench: &Bench,
    limit: Duration,
    mut holds: impl FnMut() -> Result<bool, Miss>,
) -> Result<bool, Miss> {
    let until = Instant::now() + limit;
    loop {
        if holds()? {
            return Ok(true);
        }
        if Instant::now() > until {
            return Ok(false);
        }
        bench.pause(5 * POLL_INTERVAL)?;
    }
}
