//! Play URLs.

use super::check::{check_channel_name, check_playlist_name};
use crate::error::Result;
use crate::request::{Method, Request};

/// Builds the request behind a play URL for a private bucket: a GET of a playlist
/// that signs the fragments in it as well (`x-oss-process=hls/sign`).
pub fn play(id: &str, playlist: &str) -> Result<Request> {
    check_channel_name(id)?;
    check_playlist_name(playlist, 6, 1023)?;
    let request = Request::new(Method::Get, format!("{id}/{playlist}"));
    Ok(request.param("x-oss-process", "hls/sign"))
}
