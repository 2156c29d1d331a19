//! GetLiveChannelStat: a channel's status.

use super::call::Call;
use super::check::channel_request;
use super::read::missing;
use super::reply::{Reply, ResponseInfo};
use crate::error::{Error, ErrorKind, Result, code};
use crate::request::{Method, Request};
use crate::spelling::spelling;
use crate::xml::Element;
use time::OffsetDateTime;

/// Whether a channel is live: its status at run time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum StreamState {
    /// A publisher is connected.
    Live,
    /// No publisher is connected.
    Idle,
    /// The channel is disabled.
    Disabled,
}

spelling!(StreamState, "stream status", Error::bad_reply, {
    Live = "Live",
    Idle = "Idle",
    Disabled = "Disabled",
});

/// A channel's status, returned by `get_channel_status`.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct ChannelStatus {
    /// Live, idle or disabled.
    pub status: StreamState,
    /// When the publisher connected, if live and reported.
    #[cfg_attr(
        feature = "serde",
        serde(
            default,
            skip_serializing_if = "Option::is_none",
            with = "time::serde::rfc3339::option"
        )
    )]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Time>"))]
    pub connected_time: Option<OffsetDateTime>,
    /// The publisher's `IP:PORT`, if live.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub remote_addr: Option<String>,
    /// The video, once some has arrived.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub video: Option<Video>,
    /// The audio, once some has arrived.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub audio: Option<Audio>,
    /// Describes the call.
    pub res: ResponseInfo,
}

/// The details of a live channel, borrowed by [`ChannelStatus::live`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Live<'a> {
    /// When the publisher connected.
    pub connected_time: Option<OffsetDateTime>,
    /// The publisher's `IP:PORT`.
    pub remote_addr: Option<&'a str>,
    /// The video, once some has arrived.
    pub video: Option<&'a Video>,
    /// The audio, once some has arrived.
    pub audio: Option<&'a Audio>,
}

impl ChannelStatus {
    /// Returns the details of a live channel.
    ///
    /// # Errors
    ///
    /// Code [`ChannelNotLive`](code::CHANNEL_NOT_LIVE) if the channel is idle or
    /// disabled.
    pub fn live(&self) -> Result<Live<'_>> {
        if self.status != StreamState::Live {
            let message = format!("the channel is not live: it is {}", self.status);
            return Err(Error::new(ErrorKind::Service, message)
                .with_code(code::CHANNEL_NOT_LIVE)
                .with_request_id(self.res.request_id.clone()));
        }
        Ok(Live {
            connected_time: self.connected_time,
            remote_addr: self.remote_addr.as_deref(),
            video: self.video.as_ref(),
            audio: self.audio.as_ref(),
        })
    }
}

/// The video of a live stream. Numbers that the service does not report are 0.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct Video {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Frames per second, rounded by the service.
    pub frame_rate: u32,
    /// Recent bandwidth, in bytes per second.
    pub bandwidth: u64,
    /// The codec: `H264`.
    pub codec: String,
}

/// The audio of a live stream. Numbers that the service does not report are 0.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct Audio {
    /// Recent bandwidth, in bytes per second.
    pub bandwidth: u64,
    /// Samples per second.
    pub sample_rate: u32,
    /// The codec: `AAC`.
    pub codec: String,
}

/// GetLiveChannelStat: returns a channel's status.
pub fn get_channel_status(id: &str) -> Result<Call<ChannelStatus>> {
    let request = channel_request(Method::Get, id)?.flag("live").param("comp", "stat");
    Ok(Call::new(request, parse_get_channel_status))
}

fn parse_get_channel_status(_: &Request, reply: &Reply) -> Result<ChannelStatus> {
    reply.read("LiveChannelStat", |root| {
        let (mut status, mut connected_time, mut remote_addr) = (None, None, None);
        let (mut video_info, mut audio_info) = (None, None);
        for child in root.children() {
            match child.name() {
                "Status" => status = Some(child.value().parse::<StreamState>()?),
                "ConnectedTime" => connected_time = child.optional_time(),
                "RemoteAddr" => {
                    remote_addr = Some(child.string()).filter(|address| !address.is_empty())
                }
                "Video" => video_info = Some(video(child)),
                "Audio" => audio_info = Some(audio(child)),
                _ => {}
            }
        }
        Ok(ChannelStatus {
            status: status.ok_or_else(|| missing("Status"))?,
            connected_time,
            remote_addr,
            video: video_info,
            audio: audio_info,
            res: reply.info(),
        })
    })
}

fn video(element: Element<'_, '_>) -> Video {
    let mut video =
        Video { width: 0, height: 0, frame_rate: 0, bandwidth: 0, codec: String::new() };
    for child in element.children() {
        match child.name() {
            "Width" => video.width = child.number_or_zero(),
            "Height" => video.height = child.number_or_zero(),
            "FrameRate" => video.frame_rate = child.number_or_zero(),
            "Bandwidth" => video.bandwidth = child.number_or_zero(),
            "Codec" => video.codec = child.string(),
            _ => {}
        }
    }
    video
}

fn audio(element: Element<'_, '_>) -> Audio {
    let mut audio = Audio { bandwidth: 0, sample_rate: 0, codec: String::new() };
    for child in element.children() {
        match child.name() {
            "Bandwidth" => audio.bandwidth = child.number_or_zero(),
            "SampleRate" => audio.sample_rate = child.number_or_zero(),
            "Codec" => audio.codec = child.string(),
            _ => {}
        }
    }
    audio
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::reply::samples::ok;
    use time::macros::datetime;

    #[test]
    fn a_live_status_has_its_streams() {
        let status = get_channel_status("c")
            .unwrap()
            .parse(&ok(
                "<LiveChannelStat><Status>Live</Status><ConnectedTime>2026-11-22T08:16:38.000Z\
             </ConnectedTime><RemoteAddr>203.0.113.9:47745</RemoteAddr><Video><Width>1280</Width>\
             <Height>720</Height><FrameRate>29</FrameRate><Bandwidth>72513</Bandwidth>\
             <Codec>H264</Codec></Video><Audio><Bandwidth>6519</Bandwidth><SampleRate>44100\
             </SampleRate><Codec>AAC</Codec></Audio></LiveChannelStat>",
            ))
            .unwrap();
        let live = status.live().unwrap();
        assert_eq!(live.connected_time, Some(datetime!(2026-11-22 08:16:38 UTC)));
        assert_eq!(live.remote_addr, Some("203.0.113.9:47745"));
        let video = live.video.unwrap();
        assert_eq!((video.width, video.height, video.frame_rate), (1280, 720, 29));
        assert_eq!((video.bandwidth, &*video.codec), (72513, "H264"));
        let audio = live.audio.unwrap();
        assert_eq!((audio.bandwidth, audio.sample_rate, &*audio.codec), (6519, 44100, "AAC"));
    }

    #[test]
    fn a_channel_that_is_not_live_has_no_live_details() {
        for (text, state) in [("Idle", StreamState::Idle), ("Disabled", StreamState::Disabled)] {
            let document = format!("<LiveChannelStat><Status>{text}</Status></LiveChannelStat>");
            let status = get_channel_status("c").unwrap().parse(&ok(&document)).unwrap();
            assert_eq!(status.status, state);
            let error = status.live().unwrap_err();
            assert_eq!(error.code(), Some(code::CHANNEL_NOT_LIVE));
            assert!(error.request_id().is_some());
        }
    }

    #[test]
    fn an_invalid_detail_does_not_hide_the_others() {
        let status = get_channel_status("c")
            .unwrap()
            .parse(&ok("<LiveChannelStat><Status>Live</Status><ConnectedTime>soon</ConnectedTime>\
                 <RemoteAddr/><New>1</New><Video><Width/><Height>high</Height>\
                 <FrameRate>29.97</FrameRate><Bandwidth>-1</Bandwidth><Codec/><Hdr>1</Hdr></Video>\
                 <Audio><Bandwidth>99999999999999999999</Bandwidth><SampleRate>44100</SampleRate>\
                 </Audio></LiveChannelStat>"))
            .unwrap();
        let live = status.live().unwrap();
        assert_eq!((live.connected_time, live.remote_addr), (None, None));
        let video = live.video.unwrap();
        assert_eq!((video.width, video.height, video.frame_rate), (0, 0, 30));
        assert_eq!((video.bandwidth, &*video.codec), (0, ""));
        let audio = live.audio.unwrap();
        assert_eq!((audio.bandwidth, audio.sample_rate, &*audio.codec), (0, 44100, ""));
    }

    #[test]
    fn an_unknown_status_is_an_error_that_quotes_it() {
        for (document, word) in [
            ("<LiveChannelStat/>", "Status"),
            ("<LiveChannelStat><Status/></LiveChannelStat>", "\"\""),
            ("<LiveChannelStat><Status>Paused</Status></LiveChannelStat>", "\"Paused\""),
        ] {
            let error = get_channel_status("c").unwrap().parse(&ok(document)).unwrap_err();
            assert!(error.message().contains(word), "{error}");
        }
    }
}
