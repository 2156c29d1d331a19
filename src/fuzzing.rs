//! Internals exposed to fuzz targets: parsers that use no files or sockets.

use crate::error::Result;
use crate::transport::ProxyChoice;

pub use crate::provider::fuzzing::{Issuer, issued, role, words};
pub use crate::recording::fuzzing::{
    Place, Times, places, playlist, read, recorded_playlist, written,
};
pub use crate::transport::ChosenProxy;

/// Returns the proxy for a host: the one given by a URL, or else the environment's.
pub fn proxy(
    url: Option<&str>,
    secure: bool,
    host: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<ChosenProxy>> {
    let choice = url.map_or(ProxyChoice::Environment, |url| ProxyChoice::Url(url.to_owned()));
    ChosenProxy::of(&choice, secure, host, variable)
}
