//! Observations of accepted and rejected publish URLs and codecs.

use super::bench::Miss;
use super::experiment::{Experiment, Notes, push_record};
use super::observation::Need;
use super::observation::Source::{self, Documented, Inferred, Tested, Unknown};
use super::publisher::{self, Params, Signature};
use super::record::Record;
use super::request_spec::MINIMAL;
use osslive_local::media::flv::TagKind;
use osslive_local::push::PushError;
use std::time::{Duration, Instant};

/// How long the service may take to reject a codec.
const REFUSAL_LIMIT: Duration = Duration::from_secs(8);

/// Publishes to an existing channel with a URL.
fn publish(
    id: &'static str,
    title: &'static str,
    source: Source,
    sign: impl Fn(&mut Signature) + Send + Sync + 'static,
    alter: fn(&mut Params),
) -> Experiment {
    Experiment::new(&[(id, title, source)], move |notes| {
        let name = notes.name();
        notes.put(id, &name, MINIMAL)?;
        attempt(notes, id, &name, &sign, alter)
    })
    .needs(&[Need::Stream])
}

fn attempt(
    notes: &Notes<'_>,
    id: &'static str,
    name: &str,
    sign: &dyn Fn(&mut Signature),
    alter: fn(&mut Params),
) -> Result<(), Miss> {
    let mut signature = Signature::default();
    sign(&mut signature);
    let url = publisher::url(notes.bench, name, &signature, alter);
    notes.bench.check_stop()?;
    notes.record_push(id, &publisher::try_url(&url));
    Ok(())
}

/// Publishes with a query that is changed after signing.
fn altered(
    id: &'static str,
    title: &'static str,
    source: Source,
    alter: fn(&mut Params),
) -> Experiment {
    publish(id, title, source, |_| {}, alter)
}

fn param(params: &mut Params, name: &str) -> Option<usize> {
    params.iter().position(|(n, _)| n == name)
}

fn set(params: &mut Params, name: &str, value: &str) {
    match param(params, name) {
        Some(at) => value.clone_into(&mut params[at].1),
        None => params.push((name.to_owned(), value.to_owned())),
    }
}

fn remove(params: &mut Params, name: &str) {
    params.retain(|(n, _)| n != name);
}

/// Publishes with a signed playlist name.
fn playlist(
    id: &'static str,
    title: &'static str,
    source: Source,
    name: &'static str,
) -> Experiment {
    let sign = move |signature: &mut Signature| {
        signature.params.push(("playlistName".to_owned(), name.to_owned()));
    };
    publish(id, title, source, sign, |_| {})
}

pub(super) fn all() -> Vec<Experiment> {
    let mut all = vec![
        altered("rtmp-right", "a valid publish URL", Documented, |_| {}),
        publish("rtmp-param-signed", "an additional parameter, signed", Documented, label, |_| {}),
        publish(
            "rtmp-param-changed",
            "a signed parameter changed afterwards",
            Documented,
            label,
            |p| {
                set(p, "label", "y");
            },
        ),
        publish("rtmp-expired", "an expired publish URL", Documented, |s| s.expires = -60, |_| {}),
        publish(
            "rtmp-year",
            "a publish URL that is valid for a year",
            Inferred,
            |s| s.expires = 31_536_000,
            |_| {},
        ),
        publish(
            "rtmp-other-channel",
            "a URL signed for another channel",
            Documented,
            |s| {
                s.channel = Some("osslive-conformance-other".to_owned());
            },
            |_| {},
        ),
        playlist("rtmp-playlist", "a playlist name", Documented, "other.m3u8"),
        playlist("rtmp-playlist-suffix", "a playlist name without .m3u8", Inferred, "other.txt"),
        playlist("rtmp-playlist-slash", "a playlist name with a slash", Inferred, "a/b.m3u8"),
        playlist("rtmp-playlist-empty", "an empty playlist name", Unknown, ""),
        missing(),
        disabled(),
    ];
    all.extend(parameters());
    all.extend(tokens());
    all.extend(codecs());
    all
}

fn label(signature: &mut Signature) {
    signature.params.push(("label".to_owned(), "x".to_owned()));
}

fn parameters() -> Vec<Experiment> {
    vec![
        altered("rtmp-unsigned", "a publish URL without a signature", Documented, Vec::clear)
            .needs(&[Need::Private]),
        altered("rtmp-key-missing", "no OSSAccessKeyId", Documented, |p| {
            remove(p, "OSSAccessKeyId");
        }),
        altered("rtmp-key-unknown", "an access key id that does not exist", Documented, |p| {
            set(p, "OSSAccessKeyId", "LTAI5tOssliveConformance");
        }),
        altered("rtmp-key-invalid", "an access key id with invalid characters", Documented, |p| {
            set(p, "OSSAccessKeyId", "a b");
        }),
        altered("rtmp-expires-missing", "no Expires", Documented, |p| remove(p, "Expires")),
        altered("rtmp-expires-empty", "an empty Expires", Documented, |p| set(p, "Expires", "")),
        altered("rtmp-expires-text", "Expires is not a number", Documented, |p| {
            set(p, "Expires", "soon");
        }),
        altered("rtmp-signature-missing", "no Signature", Documented, |p| remove(p, "Signature")),
        altered("rtmp-signature-empty", "an empty Signature", Documented, |p| {
            set(p, "Signature", "");
        }),
        altered("rtmp-signature-wrong", "a wrong Signature", Documented, |p| {
            set(p, "Signature", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        }),
        altered("rtmp-param-unsigned", "an additional parameter, not signed", Documented, |p| {
            set(p, "label", "x");
        }),
        altered("rtmp-playlist-unsigned", "a playlist name that is not signed", Documented, |p| {
            set(p, "playlistName", "other.m3u8");
        }),
        altered("rtmp-version-4", "SignatureVersion OSS4-HMAC-SHA256", Documented, |p| {
            set(p, "SignatureVersion", "OSS4-HMAC-SHA256");
        }),
        altered("rtmp-version-other", "an unknown SignatureVersion", Documented, |p| {
            set(p, "SignatureVersion", "OSS9");
        }),
    ]
}

/// Publishes to a channel that does not exist.
fn missing() -> Experiment {
    let id = "rtmp-missing-channel";
    let observation = (id, "publishing to a nonexistent channel", Inferred);
    Experiment::new(&[observation], move |notes| attempt(notes, id, &notes.name(), &|_| {}, |_| {}))
        .needs(&[Need::Stream])
}

fn disabled() -> Experiment {
    let id = "rtmp-disabled";
    let observation = (id, "publishing to a disabled channel", Documented);
    let run = move |notes: &Notes<'_>| {
        let name = notes.name();
        notes.put(id, &name, &format!("<Status>disabled</Status>{MINIMAL}"))?;
        attempt(notes, id, &name, &|_| {}, |_| {})
    };
    Experiment::new(&[observation], run).needs(&[Need::Stream])
}

fn tokens() -> Vec<Experiment> {
    let case = |id, title, source, token| {
        publish(id, title, source, move |s| s.token = token, |_| {}).needs(&[Need::Token])
    };
    vec![
        case("rtmp-token-signed", "a token that is signed", Tested, Some(true)),
        case("rtmp-token-unsigned", "a token that is not signed", Tested, Some(false)),
        case("rtmp-token-missing", "temporary credentials without the token", Inferred, None),
        publish(
            "rtmp-token-renamed",
            "a token named SecurityToken, not signed",
            Unknown,
            |s| s.token = Some(false),
            |params| {
                if let Some(at) = param(params, "security-token") {
                    "SecurityToken".clone_into(&mut params[at].0);
                }
            },
        )
        .needs(&[Need::Token]),
    ]
}

fn codecs() -> Vec<Experiment> {
    // The first bytes: key frame and codec, or format, rate and channels (FLV 10.1,
    // E.4.2 and E.4.3).
    let h263: &[u8] = &[0x12, 0, 0, 0, 0, 0];
    let vp6: &[u8] = &[0x14, 0, 0, 0, 0, 0];
    let mp3: &[u8] = &[0x2f, 0xff, 0xfb, 0x90, 0, 0];
    let pcm: &[u8] = &[0x3f, 0, 0, 0, 0, 0];
    // Enhanced RTMP: a sequence start with its FourCC.
    let hevc: &[u8] = b"\x90hvc1\x01\0\0\0\0";
    let av1: &[u8] = b"\x90av01\x81\0\0\0";
    vec![
        codec("rtmp-video-h263", "H.263 video", TagKind::Video, h263),
        codec("rtmp-video-vp6", "VP6 video", TagKind::Video, vp6),
        codec("rtmp-video-hevc", "HEVC video (enhanced RTMP)", TagKind::Video, hevc),
        codec("rtmp-video-av1", "AV1 video (enhanced RTMP)", TagKind::Video, av1),
        codec("rtmp-audio-mp3", "MP3 audio", TagKind::Audio, mp3),
        codec("rtmp-audio-pcm", "PCM audio", TagKind::Audio, pcm),
    ]
}

/// Sends a message of a codec, and waits for the service's response to it.
fn codec(id: &'static str, title: &'static str, kind: TagKind, body: &'static [u8]) -> Experiment {
    let run = move |notes: &Notes<'_>| {
        let name = notes.name();
        notes.put(id, &name, MINIMAL)?;
        let url = publisher::url(notes.bench, &name, &Signature::default(), |_| {});
        let outcome = send(notes, &url, kind, body)?;
        let record = push_record(&outcome);
        // The codec's name is the local endpoint's wording.
        let is_refused = matches!(outcome, Err(PushError::Refused { .. }));
        notes.record(id, if is_refused { Record::of("outcome", "rejected") } else { record });
        Ok(())
    };
    Experiment::new(&[(id, title, Unknown)], run).needs(&[Need::Stream])
}

fn send(
    notes: &Notes<'_>,
    url: &str,
    kind: TagKind,
    body: &[u8],
) -> Result<Result<(), PushError>, Miss> {
    let mut publisher = match publisher::connect(url) {
        Ok(publisher) => publisher,
        Err(error) => return Ok(Err(error)),
    };
    let started = Instant::now();
    let mut time = 0;
    while started.elapsed() < REFUSAL_LIMIT {
        notes.bench.pause(Duration::from_millis(40))?;
        time += 40;
        if let Err(error) = publisher.send(kind, time, body) {
            return Ok(Err(error));
        }
    }
    Ok(publisher.finish())
}
