//! DeleteLiveChannel: delete a channel.

use super::call::Call;
use super::check::channel_request;
use super::done::{Done, parse_done};
use crate::error::Result;
use crate::request::Method;

/// DeleteLiveChannel: deletes a channel; recordings are kept.
pub fn delete_channel(id: &str) -> Result<Call<Done>> {
    Ok(Call::new(channel_request(Method::Delete, id)?.flag("live"), parse_done))
}
