//! PutLiveChannel: create or replace a channel.

use super::call::Call;
use super::channel_state::ChannelState;
use super::check::{channel_request, check_playlist_name, check_text, in_range};
use super::read::urls;
use super::reply::{Reply, ResponseInfo};
use crate::error::{Error, Result};
use crate::request::{Method, Request};
use crate::xml::{self, Writer};

/// The configuration of a channel, for `put_channel`.
///
/// ```
/// use osslive::{ChannelConfig, ChannelState};
///
/// let config = ChannelConfig::new("Main stage")
///     .frag_duration(2)
///     .frag_count(5)
///     .state(ChannelState::Disabled);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelConfig {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) state: ChannelState,
    pub(crate) frag_duration: u32,
    pub(crate) frag_count: u32,
    pub(crate) playlist_name: String,
    pub(crate) snapshot: Option<Snapshot>,
}

impl ChannelConfig {
    /// Creates a configuration with a display name, which may be empty. The service
    /// has no display names: it stores the name as the description, unless you set
    /// one.
    pub fn new(name: impl Into<String>) -> Self {
        ChannelConfig { name: name.into(), ..Self::default() }
    }

    /// Sets the description, at most 128 bytes. Defaults to the name.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }

    /// Enables or disables the channel. Defaults to enabled.
    pub fn state(mut self, state: ChannelState) -> Self {
        self.state = state;
        self
    }

    /// Sets the fragment duration in seconds, 1 to 100. A fragment ends at the
    /// first key frame after this time. Defaults to 5.
    pub fn frag_duration(mut self, seconds: u32) -> Self {
        self.frag_duration = seconds;
        self
    }

    /// Sets the number of fragments in the live playlist, 1 to 100. Defaults to 3.
    pub fn frag_count(mut self, count: u32) -> Self {
        self.frag_count = count;
        self
    }

    /// Sets the name of the live playlist: 6 to 128 bytes, ending in
    /// `.m3u8`, without `/`. Defaults to `playlist.m3u8`.
    pub fn playlist_name(mut self, name: impl Into<String>) -> Self {
        self.playlist_name = name.into();
        self
    }

    /// Enables snapshots of key frames. Defaults to none.
    pub fn snapshot(mut self, snapshot: Snapshot) -> Self {
        self.snapshot = Some(snapshot);
        self
    }
}

impl Default for ChannelConfig {
    fn default() -> Self {
        ChannelConfig {
            name: String::new(),
            description: None,
            state: ChannelState::Enabled,
            frag_duration: 5,
            frag_count: 3,
            playlist_name: "playlist.m3u8".to_owned(),
            snapshot: None,
        }
    }
}

/// High-frequency snapshots of a channel, in regions that support them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub(crate) role_name: String,
    pub(crate) dest_bucket: String,
    pub(crate) notify_topic: String,
    pub(crate) interval: u32,
}

impl Snapshot {
    /// Creates snapshots every `interval` seconds (1 to 100) into `dest_bucket`,
    /// written with the permissions of the RAM role `role_name` and announced on
    /// the message topic `notify_topic`. The service requires all four.
    pub fn new(
        role_name: impl Into<String>,
        dest_bucket: impl Into<String>,
        notify_topic: impl Into<String>,
        interval: u32,
    ) -> Self {
        Snapshot {
            role_name: role_name.into(),
            dest_bucket: dest_bucket.into(),
            notify_topic: notify_topic.into(),
            interval,
        }
    }
}

/// A channel's URLs, returned by `put_channel` and `create_channel`.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct ChannelUrls {
    /// Unsigned publish URLs.
    pub publish_urls: Vec<String>,
    /// Unsigned play URLs.
    pub play_urls: Vec<String>,
    /// Describes the call.
    pub res: ResponseInfo,
}

/// PutLiveChannel: creates a channel or replaces its configuration.
///
/// # Errors
///
/// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument), which names
/// the field that is out of range.
pub fn put_channel(id: &str, config: &ChannelConfig) -> Result<Call<ChannelUrls>> {
    let request = channel_request(Method::Put, id)?;
    let description = config.description.as_ref().unwrap_or(&config.name);
    if description.len() > 128 {
        return Err(Error::invalid(format!(
            "description of {} bytes: must be at most 128",
            description.len()
        )));
    }
    in_range("fragment duration", config.frag_duration, 1, 100)?;
    in_range("fragment count", config.frag_count, 1, 100)?;
    check_playlist_name(&config.playlist_name, 6, 128)?;
    if let Some(snapshot) = &config.snapshot {
        check_snapshot(snapshot)?;
    }
    check_text("description", description)?;
    let body = Writer::new().element("LiveChannelConfiguration", |xml| {
        let xml = xml
            .text("Description", description)
            .text("Status", config.state.as_str())
            .element("Target", |xml| {
                xml.text("Type", "HLS")
                    .text("FragDuration", &config.frag_duration.to_string())
                    .text("FragCount", &config.frag_count.to_string())
                    .text("PlaylistName", &config.playlist_name)
            });
        match &config.snapshot {
            Some(snapshot) => xml.element("Snapshot", |xml| write_snapshot(xml, snapshot)),
            None => xml,
        }
    });
    let request = request.flag("live").body("application/xml", body.finish().into_bytes());
    Ok(Call::new(request, parse_put_channel))
}

fn write_snapshot(xml: Writer, snapshot: &Snapshot) -> Writer {
    xml.text("RoleName", &snapshot.role_name)
        .text("DestBucket", &snapshot.dest_bucket)
        .text("NotifyTopic", &snapshot.notify_topic)
        .text("Interval", &snapshot.interval.to_string())
}

fn check_snapshot(snapshot: &Snapshot) -> Result<()> {
    for (what, text) in [
        ("role name", &snapshot.role_name),
        ("destination bucket", &snapshot.dest_bucket),
        ("notification topic", &snapshot.notify_topic),
    ] {
        if text.is_empty() || !xml::allows(text) {
            return Err(Error::invalid(format!(
                "snapshot {what}: must not be empty or contain characters that XML forbids"
            )));
        }
    }
    in_range("snapshot interval", snapshot.interval, 1, 100)
}

fn parse_put_channel(_: &Request, reply: &Reply) -> Result<ChannelUrls> {
    reply.read("CreateLiveChannelResult", |root| {
        let mut result =
            ChannelUrls { publish_urls: Vec::new(), play_urls: Vec::new(), res: reply.info() };
        for child in root.children() {
            match child.name() {
                "PublishUrls" => result.publish_urls = urls(child),
                "PlayUrls" => result.play_urls = urls(child),
                _ => {}
            }
        }
        Ok(result)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::operation::reply::samples::{ok, query};

    fn body(request: Request) -> String {
        String::from_utf8(request.body.unwrap().bytes).unwrap()
    }

    #[test]
    fn put_channel_sends_both_fragment_settings_even_when_they_are_the_defaults() {
        let call = put_channel("front-door", &ChannelConfig::new("Front <door>")).unwrap();
        let request = call.into_request();
        assert_eq!((request.method, request.key.as_str()), (Method::Put, "front-door"));
        assert_eq!(query(&request), [("live", None)]);
        assert_eq!(
            body(request),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
             <LiveChannelConfiguration><Description>Front &lt;door&gt;</Description>\
             <Status>enabled</Status><Target><Type>HLS</Type><FragDuration>5</FragDuration>\
             <FragCount>3</FragCount><PlaylistName>playlist.m3u8</PlaylistName></Target>\
             </LiveChannelConfiguration>"
        );
    }

    #[test]
    fn put_channel_prefers_a_description_to_the_name_and_adds_snapshots() {
        let config = ChannelConfig::new("name")
            .description("")
            .state(ChannelState::Disabled)
            .snapshot(Snapshot::new("role", "shots", "topic", 5));
        let body = body(put_channel("c", &config).unwrap().into_request());
        assert!(body.contains("<Description></Description><Status>disabled</Status>"), "{body}");
        assert!(
            body.contains(
                "<Snapshot><RoleName>role</RoleName><DestBucket>shots</DestBucket>\
                 <NotifyTopic>topic</NotifyTopic><Interval>5</Interval></Snapshot>"
            ),
            "{body}"
        );
    }

    #[test]
    fn put_channel_rejects_values_out_of_range_and_names_them() {
        let config = ChannelConfig::default;
        for (config, word) in [
            (config().frag_duration(0), "fragment duration"),
            (config().frag_duration(101), "fragment duration"),
            (config().frag_count(0), "fragment count"),
            (config().frag_count(101), "fragment count"),
            (config().playlist_name("list.mp4"), ".m3u8"),
            (config().playlist_name("a/b.m3u8"), "slash"),
            (config().playlist_name(".m3u8"), "bytes"),
            (config().playlist_name(format!("{}.m3u8", "a".repeat(124))), "bytes"),
            (config().description("x".repeat(129)), "128"),
            (config().description("bell \x07"), "XML"),
            (config().snapshot(Snapshot::new("", "b", "t", 1)), "role name"),
            (config().snapshot(Snapshot::new("r", "b", "t", 0)), "interval"),
        ] {
            let error = put_channel("c", &config).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(error.message().contains(word), "{error}");
        }
        let longest = config()
            .description("x".repeat(128))
            .playlist_name(format!("{}.m3u8", "a".repeat(123)))
            .frag_duration(100)
            .frag_count(100)
            .snapshot(Snapshot::new("r", "b", "t", 100));
        assert!(put_channel("c", &longest).is_ok());
    }

    #[test]
    fn put_channel_returns_its_urls() {
        let urls = put_channel("c", &ChannelConfig::default()).unwrap().parse(&ok(
            "<?xml version=\"1.0\"?><CreateLiveChannelResult><PublishUrls><Url>rtmp://b.h/live/c</Url>\
             </PublishUrls><PlayUrls><Url>http://b.h/c/playlist.m3u8</Url></PlayUrls>\
             </CreateLiveChannelResult>",
        ))
        .unwrap();
        assert_eq!(urls.publish_urls, ["rtmp://b.h/live/c"]);
        assert_eq!(urls.play_urls, ["http://b.h/c/playlist.m3u8"]);
        assert_eq!(urls.res.status, 200);
        assert_eq!(urls.res.request_id.as_deref(), Some("6B02A4E6B92475920B0002F1"));
    }
}
