//! ListLiveChannel: a page of the channels of a bucket.

use super::call::Call;
use super::channel_state::{ChannelState, channel_state};
use super::check::{check_text, in_range};
use super::read::{missing, urls};
use super::reply::{Reply, ResponseInfo};
use crate::error::{Error, Result};
use crate::request::{Method, Request};
use crate::xml::Element;
use time::OffsetDateTime;

/// Options for `list_channels`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListChannels {
    pub(crate) prefix: String,
    pub(crate) marker: String,
    pub(crate) max_keys: Option<u32>,
}

impl ListChannels {
    /// Creates options for the first page of all channels.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lists only channels whose names start with this prefix.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Lists only channels whose names come after this one in byte order: the
    /// `next_marker` of the previous page.
    pub fn marker(mut self, marker: impl Into<String>) -> Self {
        self.marker = marker.into();
        self
    }

    /// Sets the page size, 1 to 1000. Defaults to the service's 100.
    pub fn max_keys(mut self, count: u32) -> Self {
        self.max_keys = Some(count);
        self
    }
}

/// One page of channels, returned by `list_channels`.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct ChannelList {
    /// The channels, in byte order of their names.
    pub channels: Vec<ChannelSummary>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// The marker of the next page, if there are more.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub next_marker: Option<String>,
    /// Describes the call.
    pub res: ResponseInfo,
}

/// A channel in a list.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct ChannelSummary {
    /// The channel's id.
    pub name: String,
    /// The description.
    pub description: String,
    /// Whether it is enabled.
    pub status: ChannelState,
    /// When the configuration was last changed, if reported.
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
    /// Unsigned publish URLs.
    pub publish_urls: Vec<String>,
    /// Unsigned play URLs.
    pub play_urls: Vec<String>,
}

/// ListLiveChannel: returns one page of channels.
///
/// # Errors
///
/// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if `max_keys`
/// is not 1 to 1000, or the prefix or marker contains invalid characters.
pub fn list_channels(query: &ListChannels) -> Result<Call<ChannelList>> {
    let mut request = Request::new(Method::Get, "").flag("live");
    check_text("prefix", &query.prefix)?;
    check_text("marker", &query.marker)?;
    // An empty parameter means the same as none.
    if !query.prefix.is_empty() {
        request = request.param("prefix", &query.prefix);
    }
    if !query.marker.is_empty() {
        request = request.param("marker", &query.marker);
    }
    if let Some(count) = query.max_keys {
        in_range("max_keys", count, 1, 1000)?;
        request = request.param("max-keys", count.to_string());
    }
    Ok(Call::new(request, parse_list_channels))
}

fn parse_list_channels(_: &Request, reply: &Reply) -> Result<ChannelList> {
    reply.read("ListLiveChannelResult", |root| {
        let mut channels = Vec::new();
        let (mut is_truncated, mut next_marker) = (None, None);
        for child in root.children() {
            match child.name() {
                "LiveChannel" => {
                    let number = channels.len() + 1;
                    let read = summary(child);
                    channels.push(read.map_err(|error| in_channel(child, number, &error))?);
                }
                "IsTruncated" => is_truncated = Some(child.boolean()?),
                "NextMarker" => next_marker = Some(child.string()).filter(|m| !m.is_empty()),
                _ => {}
            }
        }
        let is_truncated = is_truncated.ok_or_else(|| missing("IsTruncated"))?;
        if is_truncated && next_marker.is_none() {
            return Err(missing("NextMarker"));
        }
        Ok(ChannelList { channels, is_truncated, next_marker, res: reply.info() })
    })
}

fn summary(element: Element<'_, '_>) -> Result<ChannelSummary> {
    let (mut name, mut description, mut status) = (None, String::new(), None);
    let (mut last_modified, mut publish_urls, mut play_urls) = (None, Vec::new(), Vec::new());
    for child in element.children() {
        match child.name() {
            "Name" => name = Some(child.string()),
            "Description" => description = child.string(),
            "Status" => status = Some(channel_state(child)?),
            "LastModified" => last_modified = child.optional_time(),
            "PublishUrls" => publish_urls = urls(child),
            "PlayUrls" => play_urls = urls(child),
            _ => {}
        }
    }
    Ok(ChannelSummary {
        name: name.ok_or_else(|| missing("Name"))?,
        description,
        status: status.ok_or_else(|| missing("Status"))?,
        last_modified,
        publish_urls,
        play_urls,
    })
}

/// Adds to an error which channel of the list it is about.
fn in_channel(element: Element<'_, '_>, number: usize, error: &Error) -> Error {
    let name = element.children().find(|child| child.name() == "Name");
    let name = name.map_or(String::new(), |name| {
        let shown: String = name.text().chars().take(80).collect();
        format!(" ({shown:?})")
    });
    Error::bad_reply(format!("channel {number} of the list{name}: {}", error.message()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::operation::reply::samples::{ok, query};
    use time::macros::datetime;

    #[test]
    fn empty_parameters_are_omitted_from_a_list_request() {
        assert_eq!(query(list_channels(&ListChannels::new()).unwrap().request()), [("live", None)]);
        let page = ListChannels::new().prefix("cam").marker("cam-1").max_keys(1000);
        assert_eq!(
            query(list_channels(&page).unwrap().request()),
            [
                ("live", None),
                ("prefix", Some("cam")),
                ("marker", Some("cam-1")),
                ("max-keys", Some("1000"))
            ]
        );
        for count in [0, 1001] {
            assert!(list_channels(&ListChannels::new().max_keys(count)).is_err());
        }
    }

    #[test]
    fn a_page_of_channels_is_read_with_its_marker() {
        let list = list_channels(&ListChannels::new())
            .unwrap()
            .parse(&ok(
                "<ListLiveChannelResult><Prefix>cam-</Prefix><Marker></Marker><MaxKeys>1</MaxKeys>\
             <IsTruncated>true</IsTruncated><NextMarker>cam-1</NextMarker><LiveChannel>\
             <Name>cam-1</Name><Description>Door</Description><Status>disabled</Status>\
             <LastModified>2026-11-22T08:16:38.000Z</LastModified>\
             <PublishUrls><Url>rtmp://b.h/live/cam-1</Url></PublishUrls>\
             <PlayUrls><Url>http://b.h/cam-1/playlist.m3u8</Url></PlayUrls></LiveChannel>\
             </ListLiveChannelResult>",
            ))
            .unwrap();
        assert!(list.is_truncated);
        assert_eq!(list.next_marker.as_deref(), Some("cam-1"));
        let channel = ChannelSummary {
            name: "cam-1".into(),
            description: "Door".into(),
            status: ChannelState::Disabled,
            last_modified: Some(datetime!(2026-11-22 08:16:38 UTC)),
            publish_urls: vec!["rtmp://b.h/live/cam-1".into()],
            play_urls: vec!["http://b.h/cam-1/playlist.m3u8".into()],
        };
        assert_eq!(list.channels, [channel]);
    }

    #[test]
    fn a_truncated_list_without_a_marker_is_an_error() {
        let reply =
            ok("<ListLiveChannelResult><IsTruncated>true</IsTruncated></ListLiveChannelResult>");
        let error = list_channels(&ListChannels::new()).unwrap().parse(&reply).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadReply);
        assert!(error.message().contains("NextMarker"));
    }

    #[test]
    fn an_error_in_a_list_names_the_channel_and_the_value() {
        let good = "<LiveChannel><Name>a</Name><Status>enabled</Status></LiveChannel>";
        for (item, words) in [
            ("<Name>cam</Name><Status>paused</Status>", ["2 of the list (\"cam\")", "\"paused\""]),
            ("<Name>cam</Name>", ["2 of the list (\"cam\")", "no Status"]),
            ("<Status>enabled</Status>", ["2 of the list:", "no Name"]),
        ] {
            let body = format!(
                "<ListLiveChannelResult><IsTruncated>false</IsTruncated>{good}\
                 <LiveChannel>{item}</LiveChannel></ListLiveChannelResult>"
            );
            let reply = ok(&body);
            let error = list_channels(&ListChannels::new()).unwrap().parse(&reply).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadReply);
            for word in words {
                assert!(error.message().contains(word), "{error}");
            }
        }
    }

    #[test]
    fn an_invalid_date_of_one_channel_does_not_fail_the_page() {
        let item = |name, date| {
            format!("<LiveChannel><Name>{name}</Name><Status>enabled</Status>{date}</LiveChannel>")
        };
        let body = format!(
            "<ListLiveChannelResult><IsTruncated>false</IsTruncated>{}{}{}</ListLiveChannelResult>",
            item("a", "<LastModified/>"),
            item("b", ""),
            item("c", "<LastModified>2026-11-22T16:16:38+0800</LastModified>"),
        );
        let list = list_channels(&ListChannels::new()).unwrap().parse(&ok(&body)).unwrap();
        let dates: Vec<_> = list.channels.iter().map(|channel| channel.last_modified).collect();
        assert_eq!(dates, [None, None, Some(datetime!(2026-11-22 08:16:38 UTC))]);
    }
}
