//! Work for an endpoint, and what it acknowledged when.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use osslive::request::percent_encode;
use osslive::sign::{Parts, v1};
use osslive::{ChannelConfig, ChannelState, Client, RtmpUrlOptions, SessionRecord, VodTime};
use osslive_local::push::{PushOptions, push_flv};

use crate::random::Random;
use crate::support::{BUCKET, KEY_ID, KEY_SECRET, get};

pub const CLIP: &[u8] = include_bytes!("../../assets/clip.flv");
/// The channels that are published to.
pub const STAGES: [&str; 2] = ["front-door", "后门"];

/// What a thing is, in words that can be compared; `None` if it does not exist.
pub type Value = Option<String>;

/// A thing that is changed and can be looked at.
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

/// A change: when it was asked for and when it was acknowledged, in microseconds since
/// 1970.
#[derive(Debug)]
struct Change {
    begun: u64,
    acknowledged: Option<u64>,
    value: Value,
}

/// All changes, in the order in which they were asked for.
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

    /// Notes that something was seen that came of itself.
    fn seen(&self, thing: Thing) {
        let seen = Change { begun: 0, acknowledged: Some(now()), value: Some(String::new()) };
        self.0.lock().unwrap().entry(thing).or_insert_with(|| vec![seen]);
    }

    pub fn things(&self) -> Vec<Thing> {
        self.0.lock().unwrap().keys().cloned().collect()
    }

    /// What a thing may be if the power was cut then. A change that was only asked for
    /// may have been made. `None` if nothing of it was acknowledged.
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

/// An endpoint that is worked with.
pub struct Work<'a> {
    pub client: Client,
    pub url: String,
    pub journal: &'a Journal,
}

impl Work<'_> {
    /// Works with everything at once for so many rounds.
    pub fn go_on(&self, rounds: usize) {
        thread::scope(|scope| {
            let stages = STAGES.map(|stage| scope.spawn(move || self.publish(stage, rounds)));
            let is_over = || stages.iter().all(thread::ScopedJoinHandle::is_finished);
            scope.spawn(|| self.change_channels(rounds * 12));
            scope.spawn(|| self.change_objects(rounds * 12));
            while !is_over() {
                STAGES.iter().for_each(|stage| self.watch(stage));
            }
        });
    }

    fn change_channels(&self, count: usize) {
        let mut random = Random::new(1);
        for number in 0..count {
            let name = format!("channel {}", random.below(8));
            let thing = Thing::Channel(name.clone());
            let is_known = self.client.get_channel(&name).is_ok();
            match random.below(3) {
                0 if is_known => {
                    self.journal.change(thing, None, || self.client.delete_channel(&name));
                }
                1 if is_known => {
                    let description = self.client.get_channel(&name).unwrap().description;
                    let value = Some(format!("{description} disabled"));
                    self.journal.change(thing, value, || {
                        self.client.put_channel_status(&name, ChannelState::Disabled)
                    });
                }
                _ => {
                    let config = ChannelConfig::new(format!("number {number}"));
                    let value = Some(format!("number {number} enabled"));
                    self.journal.change(thing, value, || self.client.put_channel(&name, &config));
                }
            }
        }
    }

    fn change_objects(&self, count: usize) {
        let mut random = Random::new(2);
        for number in 0..count {
            let key = format!("folder {}/object {}", random.below(2), random.below(4));
            let thing = Thing::Object(key.clone());
            match random.below(4) {
                0 => {
                    self.journal.change(thing, None, || self.client.delete_objects(&[&key]));
                }
                1 => {
                    let acl = ["private", "public-read"][random.below(2)];
                    self.journal.change(Thing::Acl, Some(acl.to_owned()), || {
                        self.put("", "acl", &format!("x-oss-acl: {acl}\r\n"), "")
                    });
                }
                _ => {
                    let body = format!("{number} ").repeat(random.below(2000) + 1);
                    self.journal
                        .change(thing, Some(body.clone()), || self.put(&key, "", "", &body));
                }
            }
        }
    }

    /// Publishes again and again, and makes a playlist of each session.
    fn publish(&self, stage: &str, rounds: usize) {
        let config = ChannelConfig::new("stage").frag_duration(1);
        let value = Some("stage enabled".to_owned());
        let made = || self.client.put_channel(stage, &config);
        assert!(self.journal.change(Thing::Channel(stage.to_owned()), value, made));
        for round in 0..rounds {
            let url = self.client.get_rtmp_url(stage, &RtmpUrlOptions::new()).expect("a URL");
            // Some as a file is sent, some as an encoder sends, which is cut short.
            let real_time = round % 2 == 0;
            let duration = Some(Duration::from_millis(if real_time { 2500 } else { 6000 }));
            let options = PushOptions { duration, real_time };
            push_flv(&url, CLIP, options, &mut |_| true).expect("a session");
            self.see_sessions(stage, round + 1);
            let (key, time) = (format!("{stage}/show-{round}.m3u8"), hour());
            let body = self.client.get_vod(stage, &time).expect("a playlist").text;
            let name = format!("show-{round}.m3u8");
            self.journal.change(Thing::Object(key), Some(body), || {
                self.client.create_vod(stage, &name, &time)
            });
        }
    }

    /// Waits until the history has so many sessions.
    fn see_sessions(&self, stage: &str, count: usize) {
        for _ in 0..2000 {
            let history = self.client.get_channel_history(stage).expect("a history");
            if history.records.len() == count {
                for session in &history.records {
                    self.journal.seen(Thing::Session(stage.to_owned(), span(session)));
                }
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("{stage} has no {count} sessions");
    }

    /// Looks which fragments the live playlist of a channel lists.
    fn watch(&self, stage: &str) {
        let url = self.client.get_play_url(stage, "playlist.m3u8", 3600).expect("a URL");
        let (status, body) = get(&url);
        if status == 200 {
            let text = String::from_utf8(body).expect("a playlist");
            for name in fragments(&text) {
                self.journal.seen(Thing::Fragment(format!("{stage}/{name}")));
            }
        }
        thread::sleep(Duration::from_millis(5));
    }

    /// A PUT that the SDK does not have.
    fn put(&self, key: &str, subresource: &str, headers: &str, body: &str) -> Result<(), String> {
        const FOR_EVER: &str = "253402300799";
        let query = [(subresource, None)];
        let query = if subresource.is_empty() { &[][..] } else { &query };
        let headers_signed: Vec<_> = headers.trim().split_once(": ").into_iter().collect();
        let parts = Parts { method: "PUT", bucket: BUCKET, key, query, headers: &headers_signed };
        let text = v1::string_to_sign(&parts, FOR_EVER);
        let signature = v1::signature(&v1::Key::new(KEY_SECRET), &text);
        let signature = percent_encode(&signature).to_string();
        let path = percent_encode(key).to_string().replace("%2F", "/");
        let target = format!(
            "/{BUCKET}/{path}?{subresource}&OSSAccessKeyId={KEY_ID}&Expires={FOR_EVER}\
             &Signature={signature}"
        );
        let authority = self.url.strip_prefix("http://").expect("an http URL");
        let mut stream = TcpStream::connect(authority).map_err(|error| error.to_string())?;
        let length = body.len();
        let head = format!("PUT {target} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n");
        let mut reply = String::new();
        write!(stream, "{head}{headers}Content-Length: {length}\r\n\r\n{body}")
            .and_then(|()| stream.read_to_string(&mut reply))
            .map_err(|error| error.to_string())?;
        assert!(reply.starts_with("HTTP/1.1 200 "), "{reply}");
        Ok(())
    }
}

/// When a session began and ended.
pub fn span(session: &SessionRecord) -> String {
    format!("{} to {}", session.start_time, session.end_time)
}

/// The last hour, and the rest of this second.
fn hour() -> VodTime {
    let second = (now() / 1_000_000) as i64;
    VodTime::new(second - 3600, second + 1)
}

/// The fragments that a playlist lists, without their folder.
pub fn fragments(playlist: &str) -> Vec<&str> {
    let names = playlist.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    names
        .map(|url| {
            let path = url.split('?').next().unwrap_or(url);
            path.rsplit('/').next().unwrap_or(path)
        })
        .collect()
}
