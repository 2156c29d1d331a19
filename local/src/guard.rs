//! Who may see the page, or control the endpoint: this machine, and no web page.

use crate::auth::same;
use crate::http::Request;
use crate::{address, cors};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use std::fmt;
use std::io;

/// Where a user who has no token finds one.
pub const NO_TOKEN: &str = "Open the page at the address that the endpoint printed on its terminal, or prints with \
     --print-keys: it contains a token.";

/// Headers in which proxies tell of the client or themselves, besides all that
/// begin with `x-forwarded`.
const PROXIED: &[&str] = &[
    "cf-connecting-ip",
    "forwarded",
    "true-client-ip",
    "via",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-real-ip",
];

/// What the page's address holds and nobody else knows.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A token of 192 random bits.
    ///
    /// # Errors
    ///
    /// When the system has no random numbers.
    pub fn random() -> io::Result<Token> {
        let mut bytes = [0; 24];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        Ok(Token(BASE64_URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// A token of the user's; `None` unless it is 16 to 128 letters, digits,
    /// hyphens and underscores.
    pub fn new(text: &str) -> Option<Token> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let is_token = (16..=128).contains(&text.len()) && text.bytes().all(allowed);
        is_token.then(|| Token(text.to_owned()))
    }

    /// The token as it stands in addresses.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Compares in a time that depends on the lengths alone.
    pub fn is(&self, text: &str) -> bool {
        same(&self.0, text)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

/// Why a request may not see the page, whatever its token; `None` if it
/// may.
///
/// Only this machine may, by an address of its own and without a proxy in
/// between: behind one everybody seems to be this machine. HTTP/1.0 is what
/// some proxies speak and no browser does. Where the page `is_remote`, open to
/// other machines, proxies are welcome too, and the token alone decides.
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
    let tells = |name: &str| PROXIED.contains(&name) || name.starts_with("x-forwarded");
    request.is_http_1_0 || request.headers.iter().any(|(name, _)| tells(name))
}

/// Whether a browser asks for another site, be it on another port.
fn is_for_another_site(request: &Request) -> bool {
    let is_own = |origin: &str| {
        let host = origin.split_once("://").map_or("", |(_, host)| host);
        cors::is_origin(origin) && host.eq_ignore_ascii_case(&request.host)
    };
    let site = request.header("sec-fetch-site").unwrap_or("none");
    !matches!(site, "same-origin" | "none")
        || request.header("origin").is_some_and(|origin| !is_own(origin))
}
