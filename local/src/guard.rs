//! Access checks for the page and for control: this machine only, and no web
//! pages of other sites.

use crate::auth::same;
use crate::http::Request;
use crate::{address, cors};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use std::fmt;
use std::io;

/// Where to find the token.
pub const NO_TOKEN: &str = "Open the page at the address that the endpoint printed at startup, or restart it with \
     --print-keys: the address contains a token.";

/// Headers that proxies add, besides all that begin with `x-forwarded`.
const PROXIED: &[&str] = &[
    "cf-connecting-ip",
    "forwarded",
    "true-client-ip",
    "via",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-real-ip",
];

/// A secret token, which is part of the page's address.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Returns a token of 192 random bits.
    ///
    /// # Errors
    ///
    /// The system cannot provide random numbers.
    pub fn random() -> io::Result<Token> {
        let mut bytes = [0; 24];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        Ok(Token(BASE64_URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Returns a token chosen by the user; `None` unless it is 16 to 128 letters,
    /// digits, hyphens and underscores.
    pub fn new(text: &str) -> Option<Token> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let is_token = (16..=128).contains(&text.len()) && text.bytes().all(allowed);
        is_token.then(|| Token(text.to_owned()))
    }

    /// Returns the token as it appears in addresses.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Compares in time that depends only on the lengths.
    pub fn is(&self, text: &str) -> bool {
        same(&self.0, text)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

/// Returns why a request may not access the page, regardless of its token;
/// `None` if it may.
///
/// Only this machine may, through a loopback address and without a proxy: behind
/// a proxy, every client looks local. HTTP/1.0 is spoken by some proxies but by
/// no browser. If the page `is_remote`, that is, open to other machines, proxies
/// are allowed too, and only the token is checked.
pub fn refuses(request: &Request, is_remote: bool) -> Option<&'static str> {
    if is_for_another_site(request) {
        return Some("This page is not available to other sites.");
    }
    if is_remote {
        return None;
    }
    if !request.peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback()) {
        return Some("This page is available only on the machine that runs the endpoint.");
    }
    if is_proxied(request) {
        return Some("This page is not available through a proxy.");
    }
    if !address::is_loopback(&request.host) {
        return Some("This page is available only at a loopback address, such as 127.0.0.1.");
    }
    None
}

fn is_proxied(request: &Request) -> bool {
    let is_proxy_header = |name: &str| PROXIED.contains(&name) || name.starts_with("x-forwarded");
    request.is_http_1_0 || request.headers.iter().any(|(name, _)| is_proxy_header(name))
}

/// Returns whether a browser sent the request for another site, which includes
/// other ports.
fn is_for_another_site(request: &Request) -> bool {
    let is_own = |origin: &str| {
        let host = origin.split_once("://").map_or("", |(_, host)| host);
        cors::is_origin(origin) && host.eq_ignore_ascii_case(&request.host)
    };
    let site = request.header("sec-fetch-site").unwrap_or("none");
    !matches!(site, "same-origin" | "none")
        || request.header("origin").is_some_and(|origin| !is_own(origin))
}
