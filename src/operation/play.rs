//! Play URLs.

use super::check::{check_channel_name, check_playlist_name};
use crate::error::Result;
use crate::request::{Method, Request};

/// A GET of a channel's playlist that also signs the fragments in it
/// (`x-oss-process=hls/sign`): what a play URL for a private bucket is made
/// of.
pub fn play(id: &str, playlist: &str) -> Result<Request> {
    check_channel_name(id)?;
    check_playlist_name(playlist, 6, 1023)?;
    let request = Request::new(Method::Get, format!("{id}/{playlist}"));
    Ok(request.param("x-oss-process", "hls/sign"))
}
