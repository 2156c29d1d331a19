//! Hooks for the fuzz targets: requests without sockets, and internals.

use crate::address::{Addressing, PublishTarget};
use crate::auth::{self, AccessKey, Identity, Keys};
use crate::http::framing::Inspected;
use crate::http::{Body, Request};
use crate::store::{ChannelSettings, Durability, Store, index, temporary};
use crate::{Acl, Clock, Config, Control, InitialState, LocalEndpoint, validate};
use osslive::operation::Reply;
use osslive::sign::{Parts, v1};
use std::net::{Ipv4Addr, SocketAddr};
use tempfile::TempDir;
use time::OffsetDateTime;

/// The fixed current time; requests with this date get as far as the signature check.
const NOW: i64 = 1_795_335_398;

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(NOW).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// An endpoint with a secret that no input contains.
#[derive(Debug)]
pub struct Endpoint(LocalEndpoint);

/// The outcome of a request.
#[derive(Debug)]
pub struct Outcome {
    /// The HTTP status.
    pub status: u16,
    /// The body, if it was in memory.
    pub body: String,
    /// Whether the request was accepted as one of the owner's.
    pub is_authorized: bool,
}

impl Endpoint {
    /// Starts one in a temporary directory.
    pub fn start() -> Self {
        let config = Config::temporary()
            .bucket("live-demo-bucket")
            .clock(Clock::from_fn(now))
            .access_key("LTAI5tDocExampleKeyId001", "a secret that no input contains")
            .temporary_key("STS.Fuzz", "another one", "token");
        Endpoint(LocalEndpoint::start(config).expect("an endpoint for the fuzzer"))
    }

    /// Handles a request; header names must be in lower case.
    pub fn respond(
        &self,
        method: &str,
        path: &str,
        query: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Outcome {
        let owned = |(name, value): &(&str, &str)| (name.to_string(), value.trim().to_owned());
        let host = headers.iter().find(|(name, _)| *name == "host");
        // Fields that the input does not determine keep their defaults.
        #[allow(clippy::needless_update)]
        let request = Request {
            method: method.to_owned(),
            host: host.map(|(_, value)| value.to_string()).unwrap_or_default(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers.iter().map(owned).collect(),
            body: body.to_vec(),
            ..Request::default()
        };
        self.0.front_ends.body_limit(&request);
        let response = self.0.front_ends.respond(&request);
        // CORS preflight requests and the endpoint's own pages are public.
        let is_public = method == "OPTIONS" || path.starts_with("/_osslive");
        let body = match &response.body {
            Body::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Body::Empty | Body::File { .. } | Body::Stream { .. } => String::new(),
        };
        Outcome {
            status: response.status,
            body,
            is_authorized: response.status < 400 && !is_public,
        }
    }
}

/// An endpoint under control, which holds one channel.
#[derive(Debug)]
pub struct Controlled(LocalEndpoint);

/// The channel that it holds, and its bucket.
pub const CHANNEL: &str = "cam";
const BUCKET: &str = "live-demo-bucket";

impl Controlled {
    /// Starts one in a temporary directory.
    pub fn start() -> Self {
        let state =
            format!(r#"{{"buckets":[{{"name":"{BUCKET}","channels":[{{"id":"{CHANNEL}"}}]}}]}}"#);
        let state = InitialState::parse(&state).expect("a state");
        let config = Config::temporary().clock(Clock::from_fn(now)).control().initial(state);
        Controlled(LocalEndpoint::start(config).expect("an endpoint for the fuzzer"))
    }

    /// Returns the control that requests act on.
    pub fn control(&self) -> Control {
        self.0.control().expect("it is under control")
    }

    /// Handles a control request. Unless it `may` control the endpoint, it looks like
    /// one from another machine or a web page.
    pub fn send(&self, method: &str, path: &str, query: &str, body: &[u8], may: bool) -> Outcome {
        let mut request = self.request(method, path, query, may);
        request.body = body.to_vec();
        if may {
            request.headers.push(("x-osslive-control".to_owned(), "1".to_owned()));
        }
        self.0.front_ends.body_limit(&request);
        let response = self.0.front_ends.respond(&request);
        let body = match &response.body {
            Body::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Body::Empty | Body::File { .. } | Body::Stream { .. } => String::new(),
        };
        Outcome { status: response.status, body, is_authorized: response.status < 400 }
    }

    /// Returns the service's response to a request for the channel, as the SDK sees it,
    /// and the id of the fault rule that applied. Checks the headers.
    pub fn call(&self, query: &str) -> (Reply, Option<u64>) {
        let path = format!("/{BUCKET}/{CHANNEL}");
        let response = self.0.front_ends.respond(&self.request("GET", &path, query, true));
        for (name, value) in &response.headers {
            hyper::header::HeaderName::try_from(&**name).expect("a header's name");
            hyper::header::HeaderValue::try_from(&**value).expect("a header's value");
        }
        let header = |name| response.header(name).map(str::to_owned);
        let reply = Reply {
            status: response.status,
            request_id: header("x-oss-request-id"),
            ec: header("x-oss-ec"),
            body: match &response.body {
                Body::Bytes(bytes) => bytes.clone(),
                Body::Empty | Body::File { .. } | Body::Stream { .. } => Vec::new(),
            },
            attempts: 1,
            ..Reply::default()
        };
        (reply, response.applied.map(|rule| rule.id))
    }

    fn request(&self, method: &str, path: &str, query: &str, is_local: bool) -> Request {
        let peer = if is_local { Ipv4Addr::LOCALHOST } else { Ipv4Addr::new(192, 0, 2, 1) };
        // Fields that the input does not determine keep their defaults.
        #[allow(clippy::needless_update)]
        Request {
            method: method.to_owned(),
            host: "127.0.0.1".to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            peer: Some(SocketAddr::from((peer, 1))),
            ..Request::default()
        }
    }
}

/// The index of a channel in a temporary directory.
#[derive(Debug)]
pub struct Index(TempDir);

pub use index::IndexContents;

impl Index {
    /// Creates the folder.
    pub fn open() -> Self {
        Index(temporary::private("fuzz-").expect("a directory for the fuzzer"))
    }

    /// Reads an index with these bytes, before and after removing an incomplete last
    /// line. Also returns the remaining bytes.
    pub fn read(&self, bytes: &[u8], playlist: &str) -> (IndexContents, IndexContents, Vec<u8>) {
        let path = self.0.path().join("index");
        std::fs::write(&path, bytes).expect("an index");
        let before = index::read_index(&path, playlist).expect("its contents");
        index::drop_torn_line(&path).expect("no torn line");
        let after = index::read_index(&path, playlist).expect("its contents");
        (before, after, std::fs::read(&path).expect("its bytes"))
    }
}

/// A separate store, for testing names.
#[derive(Debug)]
pub struct Names {
    store: Store,
    folder: TempDir,
}

impl Names {
    /// Opens one in the directory for temporary files.
    pub fn open() -> Self {
        let folder = temporary::private("fuzz-").expect("a folder for the fuzzer");
        let store = Store::open(folder.path(), Durability::Nothing, Clock::from_fn(now))
            .expect("a store for the fuzzer");
        for bucket in ["keys", "channels"] {
            store.create_bucket(bucket, Acl::Private).expect("a bucket");
        }
        Names { store, folder }
    }

    /// Stores an object under each valid key, and returns the keys that a listing
    /// reads back from the disk.
    pub fn keys(&self, keys: &[&str]) -> Vec<String> {
        const BUCKET: &str = "keys";
        let keys: Vec<_> = keys.iter().filter(|key| validate::check_object(key).is_ok()).collect();
        for key in &keys {
            self.store.put_object(BUCKET, key, None, key.as_bytes()).expect("an object");
        }
        let page = self.store.list_objects(BUCKET, "", "", None, 1000).expect("a listing");
        for key in &keys {
            let (meta, _) = self.store.object(BUCKET, key).expect("the object");
            assert_eq!(meta.size, key.len() as u64, "{key:?} has the content of another");
            self.store.delete_object(BUCKET, key).expect("its deletion");
        }
        page.objects.into_iter().map(|object| object.key).collect()
    }

    /// Creates a channel for each valid name, and returns the names that are
    /// listed and the number of their files.
    pub fn channels(&self, channels: &[&str]) -> (Vec<String>, usize) {
        const BUCKET: &str = "channels";
        let is_name = |name: &&&str| validate::check_channel(name).is_ok();
        let channels: Vec<_> = channels.iter().filter(is_name).collect();
        let settings = ChannelSettings {
            description: String::new(),
            enabled: true,
            frag_duration: 5,
            frag_count: 3,
            playlist_name: "playlist.m3u8".into(),
            snapshot: None,
        };
        for name in &channels {
            self.store.put_channel(BUCKET, name, settings.clone()).expect("a channel");
        }
        let files = std::fs::read_dir(self.folder.path().join(BUCKET).join("channels"));
        let files = files.map_or(0, Iterator::count);
        let page = self.store.list_channels(BUCKET, "", "", 1000).expect("a listing");
        for name in &channels {
            self.store.delete_channel(BUCKET, name).expect("its deletion");
        }
        (page.channels.into_iter().map(|channel| channel.name).collect(), files)
    }
}

/// Returns whether a channel name is valid.
pub fn is_channel(name: &str) -> bool {
    validate::check_channel(name).is_ok()
}

fn addressing() -> Addressing {
    Addressing {
        domain: "oss.test".into(),
        first_bucket: "first".into(),
        cnames: vec!["live.example.com".into()],
        listen: std::net::SocketAddr::from(([127, 0, 0, 1], 9000)),
    }
}

/// Returns the bucket and key of an HTTP request, if it names both.
pub fn resolve(host: &str, path: &str) -> Option<(String, String)> {
    let resource = addressing().resolve(host, path).ok()?;
    let key = String::from_utf8(resource.key).ok()?;
    validate::is_bucket(&resource.bucket).then_some((resource.bucket, key))
}

/// Returns the URLs to publish a channel to and to play it from.
pub fn urls(host: &str, bucket: &str, channel: &str, playlist: &str) -> (String, String) {
    let addressing = addressing();
    let publish = addressing.publish_url(host, bucket, channel);
    (publish, addressing.play_url(host, bucket, channel, playlist))
}

/// Returns the bucket and channel that an encoder publishes to.
pub fn publish_target(tc_url: &str, app: &str, stream: &str) -> Option<(String, String)> {
    let target = PublishTarget::parse(tc_url, app, stream, &addressing()).ok()?;
    Some((target.bucket, target.channel))
}

/// Returns the version 1 string to sign of a request, if its correct signature is
/// accepted.
pub fn signed_by_v1(key: &str, query: &[(&str, Option<&str>)]) -> Option<String> {
    const SECRET: &str = "secret";
    const DATE: &str = "Sun, 22 Nov 2026 08:16:38 GMT";
    let keys = Keys::new([AccessKey { id: "id".into(), secret: SECRET.into(), token: None }]);
    let parts = Parts { method: "PUT", bucket: "demo", key, query, headers: &[] };
    let text = v1::string_to_sign(&parts, DATE);
    let authorization = format!("OSS id:{}", v1::signature(&v1::Key::new(SECRET), &text));
    let headers = [("date", DATE), ("authorization", authorization.as_str())];
    let identity =
        auth::identify(&Parts { headers: &headers, ..parts }, &keys, "cn-hangzhou", now());
    matches!(identity, Ok(Identity::Header)).then_some(text)
}

/// Returns the verdicts on the request heads in a connection's bytes, received in
/// pieces of `size`.
pub fn verdicts(bytes: &[u8], size: usize) -> Vec<bool> {
    let mut inspected = Inspected::new(());
    bytes.chunks(size.max(1)).for_each(|piece| inspected.inspect(piece));
    inspected.verdicts().drain()
}
