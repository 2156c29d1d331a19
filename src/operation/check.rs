//! Checks of arguments that several operations have.

use crate::error::{Error, Result, code};
use crate::request::{Method, Request};
use crate::xml;

/// Rejects channel names that the service certainly rejects.
///
/// # Errors
///
/// Code [`InvalidChannelName`](code::INVALID_CHANNEL_NAME), as the service
/// returns.
pub fn check_channel_name(id: &str) -> Result<()> {
    let problem = if id.is_empty() {
        "the channel name is empty".to_owned()
    } else if id.contains('/') {
        "the channel name contains a slash".to_owned()
    } else if id.len() > 1023 {
        format!("channel name of {} bytes: must be at most 1023", id.len())
    } else if matches!(id, "." | "..") {
        format!("channel name {id:?}: must not be \".\" or \"..\", which HTTP clients resolve")
    } else if !xml::allows(id) {
        let shown: String = id.chars().take(80).collect();
        format!("channel name {shown:?}: must not contain characters that XML forbids")
    } else {
        return Ok(());
    };
    Err(Error::invalid(problem).with_code(code::INVALID_CHANNEL_NAME))
}

pub(super) fn channel_request(method: Method, id: &str) -> Result<Request> {
    check_channel_name(id)?;
    Ok(Request::new(method, id))
}

pub(super) fn check_playlist_name(name: &str, min: usize, max: usize) -> Result<()> {
    let problem = if !name.ends_with(".m3u8") {
        "must end in .m3u8".to_owned()
    } else if name.contains('/') {
        "must not contain a slash".to_owned()
    } else if !(min..=max).contains(&name.len()) {
        format!("must be {min} to {max} bytes, not {}", name.len())
    } else if !xml::allows(name) {
        "must not contain characters that XML forbids".to_owned()
    } else {
        return Ok(());
    };
    let shown: String = name.chars().take(80).collect();
    Err(Error::invalid(format!("playlist name {shown:?}: {problem}")))
}

pub(super) fn check_text(what: &str, text: &str) -> Result<()> {
    if xml::allows(text) {
        return Ok(());
    }
    let shown: String = text.chars().take(80).collect();
    let message = format!("{what} {shown:?}: must not contain characters that XML forbids");
    Err(Error::invalid(message))
}

pub(super) fn in_range(what: &str, value: u32, min: u32, max: u32) -> Result<()> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(Error::invalid(format!("{what} {value}: must be {min} to {max}")))
}
