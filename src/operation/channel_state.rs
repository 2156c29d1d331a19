//! PutLiveChannelStatus: enable or disable a channel.

use super::call::Call;
use super::check::channel_request;
use super::done::{Done, parse_done};
use crate::error::{Error, Result};
use crate::request::Method;
use crate::spelling::spelling;
use crate::xml::Element;

/// Whether a channel is enabled: its configured status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum ChannelState {
    /// Publishers can connect. The default.
    #[default]
    Enabled,
    /// Publishers are rejected; a live one is disconnected.
    Disabled,
}

spelling!(ChannelState, "status", Error::invalid, {
    Enabled = "enabled",
    Disabled = "disabled",
});

/// PutLiveChannelStatus: enables or disables a channel.
pub fn put_channel_status(id: &str, state: ChannelState) -> Result<Call<Done>> {
    let request = channel_request(Method::Put, id)?.flag("live").param("status", state.as_str());
    Ok(Call::new(request, parse_done))
}

/// Reads the state from a response.
pub(super) fn channel_state(element: Element<'_, '_>) -> Result<ChannelState> {
    let text = element.value();
    text.parse().map_err(|error: Error| Error::bad_reply(error.message()))
}
