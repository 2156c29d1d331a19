//! A workload for an endpoint, and a journal of what it acknowledged, and when.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use osslive::{ChannelConfig, ChannelState, Client, RtmpUrlOptions, SessionRecord, VodTime};
use osslive_local::push::{PushOptions, push_flv};

use crate::http::Request;
use crate::random::Random;

pub const CLIP: &[u8] = include_bytes!("../../assets/clip.flv");
/// The channels that are published to.
pub const STAGES: [&str; 2] = ["front-door", "后门"];

/// The state of a thing, for comparison; `None` if it does not exist.
pub type Value = Option<String>;

/// A thing that is changed and can be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    Channel(String),
    /// An object that was uploaded, or a VOD playlist.
    Object(String),
    Acl,
    /// A finished session of a channel, by its start and end.
    Session(String, String),
    /// A fragment that a live playlist has listed.
    Fragment(String),
}

/// A change: when it was requested and when it was acknowledged, in microseconds
/// since 1970.
#[derive(Debug)]
struct Change {
    begun: u64,
    acknowledged: Option<u64>,
    value: Value,
}

/// All changes, in the order of their requests.
#[derive(Debug, Default)]
pub struct Journal(Mutex<BTreeMap<Thing, Vec<Change>>>);

pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_micros() as u64
}

impl Journal {
    /// Makes a change; false once the endpoint is gone.
    pub fn change<T, E>(
        &self,
        thing: Thing,
        value: Value,
        change: impl FnOnce() -> Result<T, E>,
    ) -> bool {
        let begun = now();
        let number = {
            let mut all = self.0.lock().unwrap();
            let changes = all.entry(thing.clone()).or_default();
            changes.push(Change { begun, acknowledged: None, value });
            changes.len() - 1
        };
        let is_done = change().is_ok();
        if is_done {
            self.0.lock().unwrap().get_mut(&thing).unwrap()[number].acknowledged = Some(now());
        }
        is_done
    }

    /// Records something that happened by itself.
    fn seen(&self, thing: Thing) {
        let seen = Change { begun: 0, acknowledged: Some(now()), value: Some(String::new()) };
        self.0.lock().unwrap().entry(thing).or_insert_with(|| vec![seen]);
    }

    /// Returns a journal that continues from what was found.
    pub fn continuing_from(found: impl Iterator<Item = (Thing, Value)>) -> Journal {
        let known = |value| vec![Change { begun: 0, acknowledged: Some(0), value }];
        Journal(Mutex::new(found.map(|(thing, value)| (thing, known(value))).collect()))
    }

    /// Returns the number of acknowledged changes, without those it continued from.
    pub fn count(&self) -> usize {
        let all = self.0.lock().unwrap();
        let is_new =
            |change: &&Change| change.acknowledged.is_some_and(|acknowledged| acknowledged > 0);
        all.values().flatten().filter(is_new).count()
    }

    pub fn things(&self) -> Vec<Thing> {
        self.0.lock().unwrap().keys().cloned().collect()
    }

    /// Returns the possible states of a thing if the power was cut then. A change
    /// that was only requested may have been made. `None` if nothing about it was
    /// acknowledged.
    pub fn allowed(&self, thing: &Thing, at: u64) -> Option<Vec<Value>> {
        let all = self.0.lock().unwrap();
        let mut allowed = None;
        for change in all[thing].iter().filter(|change| change.begun < at) {
            let value = change.value.clone();
            match &mut allowed {
                _ if change.acknowledged.is_some_and(|acknowledged| acknowledged < at) => {
                    allowed = Some(vec![value]);
                }
                Some(allowed) => allowed.push(value),
                None => {}
            }
        }
        allowed
    }
}

/// An endpoint to work with.
pub struct Work<'a> {
    pub client: Client,
    pub url: String,
    pub journal: &'a Journal,
}

impl Work<'_> {
    /// Does all kinds of work concurrently for this many rounds; returns false once
    /// the endpoint is gone.
    pub fn run(&self, rounds: usize) -> bool {
        thread::scope(|scope| {
            let stages = STAGES.map(|stage| scope.spawn(move || self.publish(stage, rounds)));
            let is_over = || stages.iter().all(thread::ScopedJoinHandle::is_finished);
            let others = [
                scope.spawn(|| self.change_channels(rounds * 12)),
                scope.spawn(|| self.change_objects(rounds * 12)),
            ];
            while !is_over() {
                STAGES.iter().for_each(|stage| self.watch(stage));
            }
            let threads = stages.into_iter().chain(others);
            threads.map(|thread| thread.join().expect("a thread")).filter(Option::is_none).count()
        }) == 0
    }

    fn change_channels(&self, count: usize) -> Option<()> {
        let mut random = Random::new(1);
        for number in 0..count {
            let name = format!("channel {}", random.below(8));
            let thing = Thing::Channel(name.clone());
            let known = self.client.get_channel(&name).ok();
            let is_done = match random.below(3) {
                0 if known.is_some() => {
                    self.journal.change(thing, None, || self.client.delete_channel(&name))
                }
                1 if known.is_some() => {
                    let value = known.map(|known| format!("{} disabled", known.description));
                    self.journal.change(thing, value, || {
                        self.client.put_channel_status(&name, ChannelState::Disabled)
                    })
                }
                _ => {
                    let config = ChannelConfig::new(format!("number {number}"));
                    let value = Some(format!("number {number} enabled"));
                    self.journal.change(thing, value, || self.client.put_channel(&name, &config))
                }
            };
            is_done.then_some(())?;
        }
        Some(())
    }

    fn change_objects(&self, count: usize) -> Option<()> {
        let mut random = Random::new(2);
        for number in 0..count {
            let key = format!("folder {}/object {}", random.below(2), random.below(4));
            let thing = Thing::Object(key.clone());
            let is_done = match random.below(4) {
                0 => self.journal.change(thing, None, || self.client.delete_objects(&[&key])),
                1 => {
                    let acl = ["private", "public-read"][random.below(2)];
                    self.journal.change(Thing::Acl, Some(acl.to_owned()), || {
                        let header = Some(("x-oss-acl", acl));
                        self.put(Request { subresource: "acl", header, ..Request::PUT })
                    })
                }
                _ => {
                    let body = format!("{number} ").repeat(random.below(2000) + 1);
                    let put = || self.put(Request { key: &key, body: &body, ..Request::PUT });
                    self.journal.change(thing, Some(body.clone()), put)
                }
            };
            is_done.then_some(())?;
        }
        Some(())
    }

    /// Publishes repeatedly, and creates playlists of the stream while it is live
    /// and afterwards.
    fn publish(&self, stage: &str, rounds: usize) -> Option<()> {
        let config = ChannelConfig::new("stage").frag_duration(1);
        let value = Some("stage enabled".to_owned());
        let made = || self.client.put_channel(stage, &config);
        self.journal.change(Thing::Channel(stage.to_owned()), value, made).then_some(())?;
        for round in 0..rounds {
            let before = self.newest_session(stage)?;
            let url = self.client.get_rtmp_url(stage, &RtmpUrlOptions::new()).ok()?;
            // Alternates between a short session in real time, like an encoder's, and the
            // whole clip at full speed.
            let real_time = round % 2 == 0;
            let duration = Some(Duration::from_millis(if real_time { 2500 } else { 6000 }));
            let options = PushOptions { duration, real_time };
            let mut is_kept = false;
            let pushed = push_flv(&url, CLIP, options, &mut |progress| {
                if !is_kept && progress.media > Duration::from_millis(2200) {
                    is_kept = true;
                    self.keep(stage, &format!("running-{round}.m3u8"));
                }
                true
            });
            pushed.ok()?;
            self.see_session_after(stage, before.as_ref())?;
            self.keep(stage, &format!("over-{round}.m3u8"))?;
        }
        Some(())
    }

    /// Creates a VOD playlist. It does not count as acknowledged if a fragment was
    /// added meanwhile, because its contents are unknown then.
    fn keep(&self, stage: &str, name: &str) -> Option<()> {
        let (key, time) = (format!("{stage}/{name}"), hour());
        let body = self.client.get_vod(stage, &time).ok()?.text;
        let mut is_made = false;
        self.journal.change(Thing::Object(key), Some(body.clone()), || {
            is_made = self.client.create_vod(stage, name, &time).is_ok();
            let now = self.client.get_vod(stage, &time).map_err(drop)?.text;
            if is_made && now == body { Ok(()) } else { Err(()) }
        });
        is_made.then_some(())
    }

    fn newest_session(&self, stage: &str) -> Option<Option<SessionRecord>> {
        let history = self.client.get_channel_history(stage).ok()?;
        Some(history.records.into_iter().max_by_key(|session| session.start_time))
    }

    /// Waits until the history has a newer session.
    fn see_session_after(&self, stage: &str, before: Option<&SessionRecord>) -> Option<()> {
        for _ in 0..2000 {
            let newest = self.newest_session(stage)?;
            if newest.as_ref().map(span) != before.map(span) {
                self.journal.seen(Thing::Session(stage.to_owned(), span(&newest?)));
                return Some(());
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("{stage} has no new session");
    }

    /// Records the fragments that a channel's live playlist lists.
    fn watch(&self, stage: &str) {
        let key = format!("{stage}/playlist.m3u8");
        let reply = Request { key: &key, ..Request::GET }.send(&self.url);
        if let Some((_, body)) = reply.ok().filter(|(head, _)| head.starts_with("HTTP/1.1 200 ")) {
            let text = String::from_utf8(body).expect("a playlist");
            for name in fragments(&text) {
                self.journal.seen(Thing::Fragment(format!("{stage}/{name}")));
            }
        }
        thread::sleep(Duration::from_millis(5));
    }

    fn put(&self, request: Request<'_>) -> Result<(), String> {
        let (head, _) = request.send(&self.url).map_err(|error| error.to_string())?;
        if head.starts_with("HTTP/1.1 200 ") { Ok(()) } else { Err(head) }
    }
}

/// Returns the start and end of a session.
pub fn span(session: &SessionRecord) -> String {
    format!("{} to {}, from {}", session.start_time, session.end_time, session.remote_addr)
}

/// The last hour, and the rest of this second.
fn hour() -> VodTime {
    let second = (now() / 1_000_000) as i64;
    VodTime::new(second - 3600, second + 1)
}

/// Returns the fragments of a playlist, without their directory.
pub fn fragments(playlist: &str) -> Vec<&str> {
    let names = playlist.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    names
        .map(|url| {
            let path = url.split('?').next().unwrap_or(url);
            path.rsplit('/').next().unwrap_or(path)
        })
        .collect()
}
