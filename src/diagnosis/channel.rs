//! The channel and its stream.

use super::access::summary;
use super::report::{CheckId, Findings};
use super::words;
use crate::error::{Error, Result, code};
use crate::operation::{Channel, ChannelStatus, StreamState};

/// The checks of the stream, which need a publisher.
const STREAM: [CheckId; 3] = [CheckId::Video, CheckId::Audio, CheckId::KeyFrames];

/// Returns whether the channel is live.
pub(super) fn judge(
    channel: &Result<Channel>,
    status: &Result<ChannelStatus>,
    findings: &mut Findings<'_>,
) -> bool {
    let error = channel.as_ref().err().or(status.as_ref().err());
    if error.is_some_and(is_missing) {
        let advice = "create the channel, or check its id: ids are case-sensitive";
        findings.problem(CheckId::Channel, "the channel does not exist", advice);
        return false;
    }
    match channel {
        Ok(channel) => findings.ok(
            CheckId::Channel,
            format!(
                "fragments of {} s, {} in {:?}",
                channel.frag_duration,
                channel.frag_count,
                words::brief(&channel.playlist_name)
            ),
        ),
        Err(error) => findings.skip(CheckId::Channel, summary(error)),
    }
    match status {
        Ok(status) => judge_status(status, findings),
        Err(error) => {
            findings.skip(CheckId::ChannelLive, summary(error));
            false
        }
    }
}

fn is_missing(error: &Error) -> bool {
    error.code() == Some(code::NO_SUCH_LIVE_CHANNEL)
}

fn judge_status(status: &ChannelStatus, findings: &mut Findings<'_>) -> bool {
    if status.status == StreamState::Disabled {
        let advice = "enable the channel: publishers are rejected while it is disabled";
        findings.problem(CheckId::ChannelEnabled, "the channel is disabled", advice);
        return false;
    }
    findings.ok(CheckId::ChannelEnabled, "enabled");
    let Ok(live) = status.live() else {
        findings.ok(CheckId::ChannelLive, "idle: no publisher is connected");
        for id in STREAM {
            findings.skip(id, "no publisher is connected");
        }
        return false;
    };
    let from = live.remote_addr.map(words::brief).unwrap_or_else(|| "an unknown address".into());
    let since = live.connected_time.map(|time| format!(" since {}", words::time(time)));
    let seen =
        format!("live from {from}{}: other publishers are rejected", since.unwrap_or_default());
    findings.ok(CheckId::ChannelLive, seen);
    judge_stream(status, findings);
    true
}

fn judge_stream(status: &ChannelStatus, findings: &mut Findings<'_>) {
    match &status.video {
        Some(video) if is_one_of(&video.codec, &["h264", "avc"]) => findings.ok(
            CheckId::Video,
            format!(
                "{} x {} at {} frames/s, {}",
                video.width, video.height, video.frame_rate, video.codec
            ),
        ),
        Some(video) => findings.problem(
            CheckId::Video,
            format!("the codec is {:?}", words::brief(&video.codec)),
            "set the encoder to H.264",
        ),
        None => findings.warn(
            CheckId::Video,
            "no video has arrived",
            "check that the encoder sends video, and a key frame at least every few seconds",
        ),
    }
    match &status.audio {
        Some(audio) if is_one_of(&audio.codec, &["aac", "mp3"]) => {
            findings.ok(CheckId::Audio, format!("{} Hz, {}", audio.sample_rate, audio.codec));
        }
        Some(audio) => findings.problem(
            CheckId::Audio,
            format!("the codec is {:?}", words::brief(&audio.codec)),
            "set the encoder to AAC",
        ),
        None => findings.warn(
            CheckId::Audio,
            "no audio has arrived",
            "add an audio track, even a silent one, if players expect audio",
        ),
    }
}

fn is_one_of(codec: &str, known: &[&str]) -> bool {
    known.iter().any(|known| known.eq_ignore_ascii_case(codec))
}

/// Judges the longest fragment of a live playlist.
pub(super) fn judge_key_frames(longest: f64, channel: &Channel, findings: &mut Findings<'_>) {
    let expected = f64::from(channel.frag_duration);
    let seen = format!("the longest fragment lasts {longest:.1} s");
    // A fragment ends at the first key frame after its duration.
    if longest > expected + 4.0 {
        let advice = "set the encoder's key frame interval to 2 s: a fragment ends at a key frame";
        findings.warn(CheckId::KeyFrames, seen, advice);
    } else {
        findings.ok(CheckId::KeyFrames, seen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::report::{Verdict, judged};
    use crate::error::ErrorKind;
    use crate::operation::{Reply, get_channel, get_channel_status};

    fn reply(body: &str) -> Reply {
        Reply { status: 200, body: body.as_bytes().to_vec(), ..Reply::default() }
    }

    fn channel() -> Channel {
        let body = "<LiveChannelConfiguration><Description/><Status>enabled</Status><Target>\
                    <Type>HLS</Type><FragDuration>2</FragDuration><FragCount>3</FragCount>\
                    <PlaylistName>playlist.m3u8</PlaylistName></Target></LiveChannelConfiguration>";
        get_channel("cam").unwrap().parse(&reply(body)).unwrap()
    }

    fn live(stream: &str) -> Result<ChannelStatus> {
        let body = format!("<LiveChannelStat><Status>Live</Status>{stream}</LiveChannelStat>");
        get_channel_status("cam").unwrap().parse(&reply(&body))
    }

    #[test]
    fn unsupported_codecs_are_problems() {
        let stream = |video: &str, audio: &str| {
            format!(
                "<Video><Width>1</Width><Height>1</Height><FrameRate>30</FrameRate>\
                 <Codec>{video}</Codec></Video><Audio><SampleRate>44100</SampleRate>\
                 <Codec>{audio}</Codec></Audio>"
            )
        };
        use Verdict::{Ok as Fine, Problem, Warning};
        for (stream, video, audio) in [
            (stream("H264", "AAC"), Fine, Fine),
            (stream("HEVC", "AAC"), Problem, Fine),
            (stream("H264", "Speex"), Fine, Problem),
            (String::new(), Warning, Warning),
        ] {
            let diagnosis = judged(|findings| {
                assert!(judge(&Ok(channel()), &live(&stream), findings));
            });
            let verdict = |id| diagnosis.check(id).unwrap().verdict;
            assert_eq!((verdict(CheckId::Video), verdict(CheckId::Audio)), (video, audio));
        }
    }

    #[test]
    fn fragments_that_wait_for_a_key_frame_cause_a_warning() {
        for (longest, warnings) in [(2.0, 0), (6.0, 0), (7.0, 1)] {
            let diagnosis = judged(|findings| judge_key_frames(longest, &channel(), findings));
            assert_eq!(diagnosis.warnings, warnings, "{longest}");
        }
    }

    #[test]
    fn a_channel_that_does_not_exist_is_a_problem() {
        let error = |code| Error::new(ErrorKind::Service, "no").with_code(code);
        for (code, verdict) in [
            (code::NO_SUCH_LIVE_CHANNEL, Verdict::Problem),
            (code::ACCESS_DENIED, Verdict::NotChecked),
        ] {
            let diagnosis = judged(|findings| {
                assert!(!judge(&Err(error(code)), &Err(error(code)), findings));
            });
            assert_eq!(diagnosis.check(CheckId::Channel).unwrap().verdict, verdict);
        }
    }
}
