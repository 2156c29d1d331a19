//! An endpoint that is started on the data that a power cut has left.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use osslive::{ChannelConfig, Client, RtmpUrlOptions};
use osslive_local::push::{PushOptions, push_flv};
use osslive_local::{Config, LocalEndpoint};

use crate::client;
use crate::disk::Contents;
use crate::http::Request;
use crate::support::{BUCKET, KEY_ID, KEY_SECRET, REGION, get};
use crate::workload::{CLIP, Journal, Thing, Value, fragments, span};

pub struct Restarted {
    endpoint: LocalEndpoint,
    client: Client,
    data: PathBuf,
    is_durable: bool,
    case: String,
}

impl Restarted {
    /// Starts an endpoint on the data, which must succeed.
    pub fn on(data: &Path, is_durable: bool, case: &str) -> Restarted {
        let config = Config::new(data)
            .bucket(BUCKET)
            .region(REGION)
            .access_key(KEY_ID, KEY_SECRET)
            .durable(is_durable);
        let endpoint = LocalEndpoint::start(config);
        let endpoint = endpoint.unwrap_or_else(|error| panic!("{case}: it did not start: {error}"));
        let client = client(&endpoint.url());
        Restarted { endpoint, client, data: data.to_owned(), is_durable, case: case.to_owned() }
    }

    /// Checks that everything acknowledged before `at` exists, and nothing is
    /// incomplete. Returns the number of things checked.
    pub fn holds(&self, journal: &Journal, at: u64, complete: Option<&Contents>) -> usize {
        let things = journal.things();
        let channels = self.channels();
        let mut count = 0;
        for thing in &things {
            if matches!(thing, Thing::Fragment(_)) && !self.is_durable {
                continue;
            }
            let Some(allowed) = journal.allowed(thing, at) else { continue };
            let found = self.find(thing, &channels);
            assert!(
                allowed.contains(&found),
                "{}: {thing:?} is {found:.200?}, must be one of {allowed:.200?}",
                self.case
            );
            count += 1;
        }
        self.is_whole(complete);
        count
    }

    fn channels(&self) -> HashMap<String, String> {
        let channel = |channel: osslive::Result<osslive::ChannelSummary>| {
            let channel = channel.unwrap_or_else(|error| panic!("{}: {error}", self.case));
            let status = channel.status.to_string();
            (channel.name, format!("{} {status}", channel.description))
        };
        self.client.channels("").map(channel).collect()
    }

    fn find(&self, thing: &Thing, channels: &HashMap<String, String>) -> Value {
        match thing {
            Thing::Channel(name) => channels.get(name).cloned(),
            Thing::Object(key) => {
                self.object(key).map(|body| String::from_utf8(body).expect("text"))
            }
            // With permission, a missing object is a 404.
            Thing::Acl => match get(&format!("{}/{BUCKET}/none", self.endpoint.url())).0 {
                404 => Some("public-read".to_owned()),
                _ => Some("private".to_owned()),
            },
            Thing::Session(channel, expected) => {
                let history = self.client.get_channel_history(channel).ok()?;
                let is_there = history.records.iter().any(|session| span(session) == *expected);
                is_there.then(String::new)
            }
            Thing::Fragment(key) => self.object(key).map(|_| String::new()),
        }
    }

    fn object(&self, key: &str) -> Option<Vec<u8>> {
        let reply = Request { key, ..Request::GET }.send(&self.endpoint.url());
        let (head, body) = reply.unwrap_or_else(|error| panic!("{}: {error}", self.case));
        if head.starts_with("HTTP/1.1 404 ") {
            return None;
        }
        // The metadata of the upload, which is kept next to it.
        let has_record = head.to_ascii_lowercase().contains("x-oss-hash-crc64ecma");
        let is_upload = !key.ends_with(".ts");
        assert!(has_record == is_upload, "{}: {key} has lost its record: {head}", self.case);
        Some(body)
    }

    /// Checks that everything visible is complete: each file was complete before it got its
    /// name, or is a playlist rewritten from such files.
    fn is_whole(&self, complete: Option<&Contents>) {
        let objects = self.data.join(BUCKET).join("objects");
        let mut files = Vec::new();
        collect(&objects, &mut files);
        let names: HashSet<&Path> = files.iter().map(PathBuf::as_path).collect();
        for path in &files {
            let content = fs::read(path).expect("a file");
            let below = Path::new("data").join(path.strip_prefix(&self.data).expect("below it"));
            let is_complete = complete.is_none_or(|complete| {
                complete.get(&below).is_some_and(|known| known.contains(&content))
            });
            let is_live = path.file_name().is_some_and(|name| name == "playlist.m3u8");
            assert!(is_complete || is_live, "{}: {} is incomplete", self.case, below.display());
            if path.extension().is_some_and(|extension| extension == "m3u8") {
                let text = String::from_utf8(content).expect("text");
                assert!(text.starts_with("#EXTM3U\n") && text.ends_with('\n'), "{text}");
                for name in fragments(&text) {
                    let fragment = path.with_file_name(name);
                    assert!(
                        names.contains(fragment.as_path()),
                        "{}: {} lists {name}, which is missing\n{text}",
                        self.case,
                        below.display()
                    );
                }
            }
        }
        let scratch = fs::read_dir(self.data.join(".scratch")).expect("a folder");
        assert_eq!(scratch.count(), 0, "{}: something is left in .scratch", self.case);
    }

    /// Returns the state of the journal's entries, for a journal that continues
    /// from here. Objects that the endpoint created itself are left out.
    pub fn found(&self, journal: &Journal) -> Journal {
        let channels = self.channels();
        let lasts = |thing: &Thing| !matches!(thing, Thing::Session(..) | Thing::Fragment(_));
        let things = journal.things().into_iter().filter(lasts);
        Journal::continuing_from(things.map(|thing| {
            let value = self.find(&thing, &channels);
            (thing, value)
        }))
    }

    /// Checks that a channel can be created and published to.
    pub fn still_works(&self) {
        let put = self.client.put_channel("front-door", &ChannelConfig::new("").frag_duration(1));
        put.unwrap_or_else(|error| panic!("{}: {error}", self.case));
        let url = self.client.get_rtmp_url("front-door", &RtmpUrlOptions::new()).expect("a URL");
        let pushed = push_flv(&url, CLIP, PushOptions::default(), &mut |_| true);
        pushed.unwrap_or_else(|error| panic!("{}: {error}", self.case));
        let play = self.client.get_play_url("front-door", "playlist.m3u8", 60).expect("a URL");
        assert_eq!(get(&play).0, 200, "{}", self.case);
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}
