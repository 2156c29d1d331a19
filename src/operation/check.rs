//! Checks of what several operations take.

use crate::error::{Error, Result, code};
use crate::request::{Method, Request};
use crate::xml;

/// Checks a channel name for what the service certainly rejects.
///
/// # Errors
///
/// Code [`InvalidChannelName`](code::INVALID_CHANNEL_NAME), as the service
/// would say.
pub fn check_channel_name(id: &str) -> Result<()> {
    let fault = if id.is_empty() {
        "the channel name is empty".to_owned()
    } else if id.contains('/') {
        "the channel name contains a slash".to_owned()
    } else if id.len() > 1023 {
        format!("channel name of {} bytes: must be at most 1023", id.len())
    } else if matches!(id, "." | "..") {
        format!("channel name {id:?}: HTTP clients resolve \".\" and \"..\" in a path")
    } else if !xml::can_carry(id) {
        let shown: String = id.chars().take(80).collect();
        format!("channel name {shown:?}: must not contain characters that XML cannot carry")
    } else {
        return Ok(());
    };
    Err(Error::invalid(fault).with_code(code::INVALID_CHANNEL_NAME))
}

pub(super) fn channel_request(method: Method, id: &str) -> Result<Request> {
    check_channel_name(id)?;
    Ok(Request::new(method, id))
}

pub(super) fn check_playlist_name(name: &str, least: usize, most: usize) -> Result<()> {
    let fault = if !name.ends_with(".m3u8") {
        "does not end in .m3u8".to_owned()
    } else if name.contains('/') {
        "contains a slash".to_owned()
    } else if !(least..=most).contains(&name.len()) {
        format!("has {} bytes: must be {least} to {most}", name.len())
    } else if !xml::can_carry(name) {
        "has characters that XML cannot carry".to_owned()
    } else {
        return Ok(());
    };
    let shown: String = name.chars().take(80).collect();
    Err(Error::invalid(format!("the playlist name {shown:?} {fault}")))
}

pub(super) fn check_text(what: &str, text: &str) -> Result<()> {
    if xml::can_carry(text) {
        return Ok(());
    }
    let shown: String = text.chars().take(80).collect();
    let message = format!("{what} {shown:?}: must not contain characters that XML cannot carry");
    Err(Error::invalid(message))
}

pub(super) fn in_range(what: &str, value: u32, least: u32, most: u32) -> Result<()> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Error::invalid(format!("{what} {value}: must be {least} to {most}")))
}
