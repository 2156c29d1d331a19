//! A stream as a list of messages: read from a clip, changed, sent, and measured.

use std::fs;
use std::path::Path;

use osslive_local::media::flv::{self, AudioBody, Reader, TagKind, VideoBody};
use osslive_local::push::{Publisher, PushError};

use crate::support::SOON;

/// An RTMP message.
#[derive(Clone, Debug)]
pub struct Message {
    pub kind: TagKind,
    pub ms: u64,
    pub body: Vec<u8>,
}

impl Message {
    pub fn is_video(&self) -> bool {
        self.kind == TagKind::Video
    }

    pub fn is_audio(&self) -> bool {
        self.kind == TagKind::Audio
    }

    /// Whether it is a picture, or an audio frame.
    pub fn is_frame(&self) -> bool {
        self.kind != TagKind::Script && self.body.get(1) == Some(&1)
    }

    pub fn is_header(&self) -> bool {
        self.kind != TagKind::Script && self.body.get(1) == Some(&0)
    }

    pub fn is_key(&self) -> bool {
        self.is_video() && self.is_frame() && self.body[0] >> 4 == 1
    }

    /// Returns the presentation time, if the encoder signals it.
    fn shown_ms(&self) -> i64 {
        match flv::video(&self.body) {
            Ok(VideoBody::Frame { composition_ms, .. }) if self.is_video() => {
                self.ms as i64 + i64::from(composition_ms)
            }
            _ => self.ms as i64,
        }
    }

    /// Returns the NAL units of a picture, each with its length.
    pub fn units(&self) -> Vec<&[u8]> {
        let (mut rest, mut units) = (&self.body[5..], Vec::new());
        while let Some((length, _)) = rest.split_first_chunk() {
            let (unit, after) = rest.split_at(4 + u32::from_be_bytes(*length) as usize);
            units.push(unit);
            rest = after;
        }
        units
    }
}

/// All messages of a session.
#[derive(Clone, Debug)]
pub struct Stream(pub Vec<Message>);

impl Stream {
    pub fn read(file: &Path) -> Stream {
        let file = fs::read(file).expect("a clip");
        let message =
            |tag: flv::Tag| Message { kind: tag.kind, ms: tag.timestamp.into(), body: tag.body };
        Stream(
            Reader::new(&file[..]).expect("FLV").map(|tag| message(tag.expect("a tag"))).collect(),
        )
    }

    /// Changes each message.
    pub fn map(mut self, mut change: impl FnMut(&mut Message)) -> Stream {
        self.0.iter_mut().for_each(&mut change);
        self
    }

    /// Keeps only some messages.
    pub fn only(mut self, keep: impl FnMut(&Message) -> bool) -> Stream {
        self.0.retain(keep);
        self
    }

    /// Changes the timestamp of each message except headers.
    pub fn at(self, time: impl Fn(&Message) -> u64) -> Stream {
        self.map(|message| {
            if message.is_frame() {
                message.ms = time(message);
            }
        })
    }

    /// Splits each message into parts.
    pub fn split(self, parts: impl Fn(&Message) -> Vec<Vec<u8>>) -> Stream {
        let split = |message: Message| {
            parts(&message).into_iter().map(move |body| Message { body, ..message.clone() })
        };
        Stream(self.0.into_iter().flat_map(split).collect())
    }

    /// Appends another stream in the same session, with the same clock.
    pub fn then(mut self, next: Stream) -> Stream {
        let end = self.0.iter().map(|message| message.ms).max().unwrap_or(0) + 40;
        let next = next.only(|message| message.kind != TagKind::Script);
        self.0.extend(next.map(|message| message.ms += end).0);
        self
    }

    /// Sorts messages by a key; those with equal keys keep their order.
    pub fn sorted_by(mut self, key: impl Fn(&Message) -> u64) -> Stream {
        self.0.sort_by_key(key);
        self
    }

    /// Publishes everything as fast as the endpoint accepts it.
    pub fn send(&self, url: &str) -> Result<(), PushError> {
        let mut publisher = Publisher::connect(url, SOON)?;
        for message in &self.0 {
            // RTMP's clock has 32 bits.
            publisher.send(message.kind, message.ms as u32, &message.body)?;
        }
        publisher.finish()
    }

    /// Returns the number of pictures from the first key frame on.
    pub fn pictures(&self) -> usize {
        let frames = self.0.iter().filter(|message| message.is_video() && message.is_frame());
        let mut times: Vec<u64> =
            frames.skip_while(|message| !message.is_key()).map(|message| message.ms).collect();
        // The slices of a picture may be separate messages.
        if self.is_sliced() {
            times.dedup();
        }
        times.len()
    }

    /// Whether messages contain slices that do not begin a picture.
    fn is_sliced(&self) -> bool {
        let is_rest = |unit: &&[u8]| matches!(unit[4] & 0x1F, 1 | 5) && unit[5] & 0x80 == 0;
        self.0
            .iter()
            .filter(|message| message.is_video() && message.is_frame())
            .any(|message| message.units().iter().all(is_rest))
    }

    /// Returns the presentation times of the pictures, in order.
    pub fn shown(&self) -> Vec<i64> {
        let frames = self.0.iter().filter(|message| message.is_video() && message.is_frame());
        let mut shown: Vec<i64> =
            frames.skip_while(|message| !message.is_key()).map(Message::shown_ms).collect();
        shown.sort_unstable();
        if self.is_sliced() {
            shown.dedup();
        }
        shown
    }

    /// Returns the number of audio frames, from the first key frame on if there is video.
    pub fn audio_frames(&self, all: bool) -> usize {
        let first = self.0.iter().position(Message::is_key).filter(|_| !all).unwrap_or(0);
        let first_ms = self.0.get(first).map_or(0, |key| key.ms);
        let is_counted = |(at, message): &(usize, &Message)| {
            let frame = matches!(flv::audio(&message.body), Ok(AudioBody::Frame(_)));
            message.is_audio() && frame && (*at >= first || message.ms >= first_ms)
        };
        self.0.iter().enumerate().filter(is_counted).count()
    }
}
