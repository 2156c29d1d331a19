//! Tests of the store through its public methods, with a manual clock.

mod channels;
mod foreign;
mod fragments;
mod kills;
mod objects;
mod power;
mod setbacks;
mod storage;
mod threads;

use super::*;
use crate::media::playlist::Fragment;
use crate::media::recorder::{PlaylistState, Sink};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use time::OffsetDateTime;

const BUCKET: &str = "live-demo";
const START_MS: u64 = 1_795_335_398_000;

/// A store with one bucket in a separate folder.
struct Fixture {
    store: Arc<Store>,
    now_ms: Arc<AtomicU64>,
    folder: TempDir,
}

impl Fixture {
    fn new() -> Self {
        let folder = crate::store::temporary::private("test-").unwrap();
        let now_ms = Arc::new(AtomicU64::new(START_MS));
        let store = open(folder.path(), &now_ms);
        store.create_bucket(BUCKET, Acl::Private).unwrap();
        Fixture { store, now_ms, folder }
    }

    fn with_channel(name: &str) -> Self {
        let fixture = Fixture::new();
        fixture.store.put_channel(BUCKET, name, settings()).unwrap();
        fixture
    }

    /// Simulates a new process on the same folder; sessions of the old one must
    /// have been dropped (a clean end) or forgotten (a kill).
    fn restart(&mut self) {
        self.store = open(self.folder.path(), &self.now_ms);
    }

    /// Does the same with another durability.
    fn open_as(&mut self, durability: Durability) {
        self.store = open_as(self.folder.path(), durability, &self.now_ms);
    }

    fn pass_ms(&self, ms: u64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }

    fn now(&self) -> OffsetDateTime {
        at(self.now_ms.load(Ordering::SeqCst))
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(BUCKET).join(relative)
    }

    /// Returns the metadata of an object.
    fn head(&self, key: &str) -> Result<ObjectMeta, Fault> {
        self.store.object(BUCKET, key).map(|(meta, _)| meta)
    }

    fn publish(&self, channel: &str) -> Result<LiveSession, Fault> {
        self.publish_as(channel, None, || {})
    }

    fn publish_as(
        &self,
        channel: &str,
        playlist: Option<&str>,
        cut: impl Fn() + Send + Sync + 'static,
    ) -> Result<LiveSession, Fault> {
        self.store.publish(Publish {
            bucket: BUCKET.to_owned(),
            channel: channel.to_owned(),
            playlist_name: playlist.map(str::to_owned),
            remote: remote(),
            cut: Box::new(cut),
        })
    }

    fn text(&self, key: &str) -> String {
        let (_, mut file) = self.store.object(BUCKET, key).unwrap();
        let mut text = String::new();
        io::Read::read_to_string(&mut file, &mut text).unwrap();
        text
    }

    /// Records a fragment of two seconds that starts now.
    fn fragment(&self, session: &mut LiveSession) -> String {
        self.fragment_of(session, false)
    }

    fn fragment_of(&self, session: &mut LiveSession, discontinuity: bool) -> String {
        let start_ms = self.now_ms.load(Ordering::SeqCst).max(session.last_start_ms() + 1);
        let name = format!("{start_ms}.ts");
        session.begin(&name).unwrap();
        session.write(b"media of ").unwrap();
        session.write(name.as_bytes()).unwrap();
        self.pass_ms(2000);
        let fragment = Fragment { name: name.clone(), start_ms, duration_ms: 2000, discontinuity };
        session.finish(&fragment, PlaylistState::default()).unwrap();
        name
    }

    fn fragments(&self, session: &mut LiveSession, count: usize) -> Vec<String> {
        (0..count).map(|_| self.fragment(session)).collect()
    }

    fn live_playlist(&self, key: &str) -> Playlist {
        Playlist::read(&self.text(key))
    }

    fn vod(&self, channel: &str, start_s: i64, end_s: i64) -> Result<Playlist, Fault> {
        self.store.vod_playlist(BUCKET, channel, start_s, end_s).map(|text| Playlist::read(&text))
    }

    fn vod_names(&self, channel: &str) -> Vec<String> {
        self.vod(channel, 0, i64::MAX).map(|playlist| playlist.names).unwrap_or_default()
    }

    fn keys(&self) -> Vec<String> {
        let page = self.store.list_objects(BUCKET, "", "", None, 1000).unwrap();
        page.objects.into_iter().map(|object| object.key).collect()
    }
}

/// A parsed playlist.
#[derive(Debug, PartialEq)]
struct Playlist {
    media_sequence: u64,
    discontinuity_sequence: u64,
    names: Vec<String>,
    /// The names after an EXT-X-DISCONTINUITY.
    breaks: Vec<String>,
    ends: bool,
}

impl Playlist {
    fn read(text: &str) -> Self {
        let value = |tag: &str| {
            text.lines().find_map(|line| line.strip_prefix(tag)?.parse().ok()).unwrap_or(0)
        };
        let mut playlist = Playlist {
            media_sequence: value("#EXT-X-MEDIA-SEQUENCE:"),
            discontinuity_sequence: value("#EXT-X-DISCONTINUITY-SEQUENCE:"),
            names: Vec::new(),
            breaks: Vec::new(),
            ends: text.contains("#EXT-X-ENDLIST"),
        };
        let mut broken = false;
        for line in text.lines() {
            broken |= line == "#EXT-X-DISCONTINUITY";
            if !line.starts_with('#') {
                playlist.names.push(line.to_owned());
                if std::mem::take(&mut broken) {
                    playlist.breaks.push(line.to_owned());
                }
            }
        }
        playlist
    }
}

fn open(folder: &Path, now_ms: &Arc<AtomicU64>) -> Arc<Store> {
    open_as(folder, Durability::Nothing, now_ms)
}

fn open_as(folder: &Path, durability: Durability, now_ms: &Arc<AtomicU64>) -> Arc<Store> {
    let now_ms = now_ms.clone();
    let clock = Clock::from_fn(move || at(now_ms.load(Ordering::SeqCst)));
    // A forgotten session keeps its bucket alive, unlike that of a killed process.
    let naming = Naming { folds_case: cfg!(windows) };
    Arc::new(Store::load(folder, naming, durability, clock).unwrap())
}

fn at(ms: u64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).unwrap()
}

fn settings() -> ChannelSettings {
    ChannelSettings {
        description: "front door camera".to_owned(),
        enabled: true,
        frag_duration: 2,
        frag_count: 3,
        playlist_name: "playlist.m3u8".to_owned(),
        snapshot: None,
    }
}

fn remote() -> SocketAddr {
    "203.0.113.9:47745".parse().unwrap()
}

fn code<T: fmt::Debug>(result: Result<T, Fault>) -> (u16, &'static str) {
    let fault = result.unwrap_err();
    (fault.status, fault.code)
}
