//! The recorder: any sequence of messages becomes fragments that keep the
//! transport stream rules that do not depend on the frames' contents.
//!
//! The input is a list of messages: a byte for the kind and whether the body
//! comes from a real clip, two for the clock step, one for the
//! length of the body, and the body.

#![no_main]

use libfuzzer_sys::fuzz_target;
use osslive_local::media::flv::{Reader, TagKind};
use osslive_local::media::playlist::{self, Fragment};
use osslive_local::media::recorder::{
    Now, PlaylistState, RecordError, Recorder, RecorderSettings, Sink,
};
use std::io;
use std::sync::LazyLock;

#[path = "../../local/tests/support/tscheck.rs"]
mod tscheck;

/// Violations that depend on what the frames contain, which here is arbitrary. A decoding
/// time may also be before the clock reference: audio may arrive later than its picture
/// by more than the clock's delay, and late is better than lost.
const IGNORED: &[&str] = &[
    "no clock reference",
    "the clock reference steps by",
    "a decoding time is before the clock reference",
    "a frame without",
    "a frame with two delimiters",
    "an IDR frame not marked",
    "a key frame",
    "audio is not whole ADTS frames",
    " ms, but the stated duration is ",
];

static CLIP: LazyLock<Vec<(TagKind, Vec<u8>)>> = LazyLock::new(|| {
    let clip = include_bytes!("../../cli/assets/clip.flv");
    let tags = Reader::new(&clip[..]).expect("a clip").map(|tag| tag.expect("a tag"));
    tags.filter(|tag| tag.kind != TagKind::Script).map(|tag| (tag.kind, tag.body)).collect()
});

#[derive(Default)]
struct Shelf {
    open: Option<(String, Vec<u8>)>,
    fragments: Vec<(Fragment, Vec<u8>)>,
    state: PlaylistState,
}

impl Sink for Shelf {
    fn begin(&mut self, name: &str) -> io::Result<()> {
        if self.fragments.iter().any(|(fragment, _)| fragment.name == name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.open = Some((name.to_owned(), Vec::new()));
        Ok(())
    }

    fn write(&mut self, ts: &[u8]) -> io::Result<()> {
        assert!(ts.len().is_multiple_of(188) && ts.len() <= 128 << 10, "{} bytes", ts.len());
        self.open.as_mut().expect("a fragment was begun").1.extend_from_slice(ts);
        Ok(())
    }

    fn amend(&mut self, position: u64, ts: &[u8]) -> io::Result<()> {
        let written = &mut self.open.as_mut().expect("a fragment was begun").1;
        let position = position as usize;
        written[position..position + ts.len()].copy_from_slice(ts);
        Ok(())
    }

    fn state(&self) -> PlaylistState {
        self.state
    }

    fn finish(&mut self, fragment: &Fragment, state: PlaylistState) -> io::Result<()> {
        assert!(self.state.target == 0 || self.state.target == state.target);
        assert!(u64::from(fragment.duration_ms) <= playlist::longest_ms(state.target));
        self.state = state;

        let (name, bytes) = self.open.take().expect("a fragment was begun");
        assert_eq!(name, fragment.name);
        // Only after the clock was set back does a fragment start before its predecessor.
        let is_later = |last: &Fragment| last.start_ms < fragment.start_ms;
        let last = self.fragments.last();
        assert!(last.is_none_or(|(last, _)| is_later(last) || fragment.discontinuity));
        self.fragments.push((fragment.clone(), bytes));
        Ok(())
    }
}

fuzz_target!(|data: &[u8]| {
    let [settings, rest @ ..] = data else { return };
    let settings = RecorderSettings {
        frag_duration: u32::from(settings & 7),
        last_start_ms: 0,
        continues: settings & 8 != 0,
    };
    let mut shelf = Shelf::default();
    let mut recorder = Recorder::new(&mut shelf, settings);
    let (mut rest, mut time, mut now, mut next) = (rest, 1000_u64, 1_795_335_398_000_u64, 0);
    while let [kind, high, low, length, tail @ ..] = rest {
        let (body, tail) = tail.split_at(tail.len().min(usize::from(*length)));
        rest = tail;
        let step = i16::from_be_bytes([*high, *low]);
        // Clock steps, with occasional jumps.
        let step = i64::from(step) << if kind & 8 != 0 { 20 } else { 0 };
        time = time.saturating_add_signed(step);
        now = now.saturating_add_signed(step / 2);
        let good = (kind & 4 != 0).then(|| &CLIP[next % CLIP.len()]);
        next += usize::from(good.is_some());
        let (kind, body) = match good {
            Some((kind, body)) => (*kind, &body[..]),
            None if kind & 1 != 0 => (TagKind::Video, body),
            None => (TagKind::Audio, body),
        };
        let at = Now { unix_ms: now, uptime_ms: now };
        let recorded = match kind {
            TagKind::Video => recorder.video(at, time, body),
            _ => recorder.audio(at, time, body),
        };
        match recorded {
            Ok(()) | Err(RecordError::Unsupported(_) | RecordError::Unusable(_)) => {}
            Err(RecordError::Io(error)) => panic!("the shelf has no errors: {error}"),
        }
        recorder.stat(now);
    }
    recorder.finish().expect("the shelf has no errors");
    drop(recorder);
    let pieces: Vec<_> = shelf
        .fragments
        .iter()
        .map(|(fragment, bytes)| tscheck::Piece {
            name: &fragment.name,
            bytes,
            duration_ms: fragment.duration_ms,
            discontinuity: fragment.discontinuity,
        })
        .collect();
    let broken: Vec<String> = tscheck::check(&pieces)
        .violations
        .into_iter()
        .filter(|violation| !IGNORED.iter().any(|ignored| violation.contains(ignored)))
        .collect();
    assert!(broken.is_empty(), "{broken:#?}");
});
