//! GetLiveChannelInfo: the configuration of a channel.

use super::call::Call;
use super::channel_state::{ChannelState, channel_state};
use super::check::channel_request;
use super::read::missing;
use super::reply::{Reply, ResponseInfo};
use crate::error::Result;
use crate::request::{Method, Request};
use crate::xml::Element;
use time::OffsetDateTime;

/// A channel's configuration, returned by `get_channel`.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct Channel {
    /// The channel's id.
    pub name: String,
    /// The description.
    pub description: String,
    /// Whether it is enabled.
    pub status: ChannelState,
    /// The output type: `HLS`.
    #[cfg_attr(feature = "serde", serde(rename = "type"))]
    pub target_type: String,
    /// The fragment duration in seconds, or 0 if not reported.
    pub frag_duration: u32,
    /// The number of fragments in the live playlist, or 0 if not reported.
    pub frag_count: u32,
    /// The name of the live playlist.
    pub playlist_name: String,
    /// When the channel was created. Not reported by the service today.
    #[cfg_attr(
        feature = "serde",
        serde(
            default,
            skip_serializing_if = "Option::is_none",
            with = "time::serde::rfc3339::option"
        )
    )]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Time>"))]
    pub create_time: Option<OffsetDateTime>,
    /// When the configuration was last changed; absent without permission to list
    /// channels.
    #[cfg_attr(
        feature = "serde",
        serde(
            default,
            skip_serializing_if = "Option::is_none",
            with = "time::serde::rfc3339::option"
        )
    )]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Time>"))]
    pub last_modified: Option<OffsetDateTime>,
    /// Unsigned publish URLs. Empty without permission to list channels.
    pub publish_urls: Vec<String>,
    /// Unsigned play URLs. Empty without permission to list channels.
    pub play_urls: Vec<String>,
    /// Describes the call.
    pub res: ResponseInfo,
}

/// GetLiveChannelInfo: returns a channel's configuration. The response has no URLs
/// and no times; [`list_channels`](super::list_channels()) has them.
pub fn get_channel(id: &str) -> Result<Call<Channel>> {
    Ok(Call::new(channel_request(Method::Get, id)?.flag("live"), parse_get_channel))
}

fn parse_get_channel(request: &Request, reply: &Reply) -> Result<Channel> {
    reply.read("LiveChannelConfiguration", |root| {
        let mut channel = Channel {
            name: request.key.clone(),
            description: String::new(),
            status: ChannelState::Enabled,
            target_type: String::new(),
            frag_duration: 0,
            frag_count: 0,
            playlist_name: String::new(),
            create_time: None,
            last_modified: None,
            publish_urls: Vec::new(),
            play_urls: Vec::new(),
            res: reply.info(),
        };
        let mut has_status = false;
        for child in root.children() {
            match child.name() {
                "Description" => channel.description = child.string(),
                "Status" => {
                    channel.status = channel_state(child)?;
                    has_status = true;
                }
                "CreateTime" => channel.create_time = child.optional_time(),
                "LastModified" => channel.last_modified = child.optional_time(),
                "Target" => read_target(child, &mut channel),
                _ => {}
            }
        }
        if has_status { Ok(channel) } else { Err(missing("Status")) }
    })
}

fn read_target(target: Element<'_, '_>, channel: &mut Channel) {
    for child in target.children() {
        match child.name() {
            "Type" => channel.target_type = child.string(),
            "FragDuration" => channel.frag_duration = child.number_or_zero(),
            "FragCount" => channel.frag_count = child.number_or_zero(),
            "PlaylistName" => channel.playlist_name = child.string(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::reply::samples::ok;
    use time::macros::datetime;

    #[test]
    fn only_channel_names_that_are_certainly_invalid_are_rejected() {
        for name in ["", "a/b", ".", "..", "a\0b", "\u{fffe}", &"x".repeat(1024)] {
            let error = get_channel(name).unwrap_err();
            assert_eq!(error.code(), Some(crate::code::INVALID_CHANNEL_NAME));
        }
        for name in ["直播 频道+1", "...", ".a", "a?b", &"x".repeat(1023)] {
            assert_eq!(get_channel(name).unwrap().request().key, name);
        }
    }

    #[test]
    fn the_configuration_is_read_in_any_order_and_unknown_elements_are_ignored() {
        let channel = get_channel("c")
            .unwrap()
            .parse(&ok("<LiveChannelConfiguration><New><Deep/></New><Target><FragCount>3</FragCount>\
                 <PlaylistName>p.m3u8</PlaylistName><Type>HLS</Type><FragDuration> 2 </FragDuration>\
                 </Target><Status>disabled</Status><Description><![CDATA[a&b]]></Description>\
                 </LiveChannelConfiguration>"))
            .unwrap();
        assert_eq!(channel.name, "c");
        assert_eq!(channel.description, "a&b");
        assert_eq!(channel.status, ChannelState::Disabled);
        assert_eq!((channel.frag_duration, channel.frag_count), (2, 3));
        assert_eq!((&*channel.target_type, &*channel.playlist_name), ("HLS", "p.m3u8"));
        assert_eq!((channel.create_time, channel.last_modified), (None, None));
    }

    #[test]
    fn times_are_read_if_the_service_reports_them() {
        let channel = get_channel("c").unwrap().parse(&ok(
            "<LiveChannelConfiguration><Status>enabled</Status>\
             <CreateTime>2026-11-22T08:16:38.000Z</CreateTime>\
             <LastModified>2026-11-23T08:16:38.000Z</LastModified></LiveChannelConfiguration>",
        ));
        let channel = channel.unwrap();
        assert_eq!(channel.create_time, Some(datetime!(2026-11-22 08:16:38 UTC)));
        assert_eq!(channel.last_modified, Some(datetime!(2026-11-23 08:16:38 UTC)));
    }
}
