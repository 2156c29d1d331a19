//! Other sites' pages in a real browser, against an endpoint with the well-known
//! default key: headless Chromium, driven by `tests/real/sites.cjs`.
//!
//! Without Chromium or its driver, this is reported as skipped; with `CI` set, it
//! fails. `tests/real/setup.sh` installs them.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};

use osslive::request::percent_encode;
use osslive::sign::{Parts, v1};
use osslive::{ChannelConfig, ChannelState, Client, RtmpUrlOptions};
use osslive_local::push::{PushOptions, push_flv};
use support::{BUCKET, Browser, Endpoint, Folder, KEY_ID, KEY_SECRET, LONG, despite_crashes, run};

/// 9999-12-31T23:59:59Z: what a page could contain as a constant.
const FAR_FUTURE: &str = "253402300799";

type Params = &'static [(&'static str, Option<&'static str>)];

/// What an owner may do: method, key and parameters.
const OPERATIONS: &[(&str, &str, Params)] = &[
    ("GET", "", &[]),
    ("GET", "", &[("live", None)]),
    ("GET", "cam", &[("live", None)]),
    ("GET", "secret.svg", &[]),
    ("GET", "secret.js", &[]),
    ("PUT", "new.txt", &[]),
    ("PUT", "cam", &[("live", None), ("status", Some("disabled"))]),
    ("PUT", "", &[("cors", None)]),
    ("DELETE", "cam", &[("live", None)]),
    ("DELETE", "secret.svg", &[]),
    ("POST", "", &[("delete", None)]),
    ("POST", "cam/new.m3u8", &[("vod", None), ("startTime", Some("1")), ("endTime", Some("9"))]),
];

/// An endpoint with something to lose.
struct Stage {
    browser: Browser,
    endpoint: Endpoint,
    folder: Folder,
}

impl Stage {
    /// `None` where something is missing, which is reported.
    fn set(what: &str, arguments: &[&str]) -> Option<Stage> {
        let browser = Browser::find(what)?;
        let folder = Folder::new("sites");
        let endpoint = Endpoint::start_with(&folder.path().join("data"), arguments);
        let stage = Stage { browser, endpoint, folder };
        let client = stage.endpoint.client();
        client.put_channel("cam", &ChannelConfig::new("").frag_duration(1)).expect("a channel");
        let url = client.get_rtmp_url("cam", &RtmpUrlOptions::new()).expect("a URL");
        let clip = include_bytes!("../assets/clip.flv");
        push_flv(&url, clip, PushOptions::default(), &mut |_| true).expect("a recording");
        stage.put("secret.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>");
        stage.put("secret.js", "globalThis.stolen = true;");
        Some(stage)
    }

    fn client(&self) -> Client {
        self.endpoint.client()
    }

    fn put(&self, key: &str, body: &str) {
        let url = signed(&self.endpoint, "PUT", key, &[], "");
        let target = url.strip_prefix(&self.endpoint.url).expect("a URL of the endpoint");
        let (authority, length) = (self.endpoint.authority(), body.len());
        let mut stream = TcpStream::connect(authority).expect("the endpoint listens");
        let head = format!("PUT {target} HTTP/1.1\r\nHost: {authority}\r\nConnection: close");
        write!(stream, "{head}\r\nContent-Length: {length}\r\n\r\n{body}").expect("it is sent");
        let mut reply = String::new();
        stream.read_to_string(&mut reply).expect("a response");
        assert!(reply.starts_with("HTTP/1.1 200 "), "{reply}");
    }

    /// Returns every file in the data directory.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(&self.folder.path().join("data"), &mut files);
        files
    }

    /// Lets the pages of these hosts try everything.
    fn visit(&self, hosts: &[String], allowed: Option<&str>) -> String {
        let urls = OPERATIONS.iter().map(|(method, key, params)| {
            let url = |content_type| signed(&self.endpoint, method, key, params, content_type);
            serde_json::json!([method, url(""), url("text/plain")])
        });
        let play = self.client().get_play_url("cam", "playlist.m3u8", 3600).expect("a URL");
        let mut script = self.browser.command("sites.cjs");
        script.env("ENDPOINT", &self.endpoint.url).env("PAGE", self.endpoint.page_url());
        script.env("URLS", serde_json::Value::from_iter(urls).to_string()).env("PLAY", play);
        script.env("HOSTS", serde_json::json!(hosts).to_string());
        script.env("HLS_JS", self.browser.hls_js());
        script.envs(allowed.map(|host| ("ALLOWED", host)));
        let seen = despite_crashes(|| run(&mut script, LONG));
        assert!(seen.status.success(), "{}{}", seen.stdout, seen.stderr);
        seen.stdout
    }
}

/// Signs a URL that never expires.
fn signed(
    endpoint: &Endpoint,
    method: &str,
    key: &str,
    params: Params,
    content_type: &str,
) -> String {
    let headers = [("content-type", content_type)];
    let headers = if content_type.is_empty() { &[][..] } else { &headers };
    let parts = Parts { method, bucket: BUCKET, key, query: params, headers };
    let text = v1::string_to_sign(&parts, FAR_FUTURE);
    let signature = percent_encode(&v1::signature(&v1::Key::new(KEY_SECRET), &text)).to_string();
    let query: String = params
        .iter()
        .map(|(name, value)| match value {
            Some(value) => format!("{name}={value}&"),
            None => format!("{name}&"),
        })
        .collect();
    let base = format!("{}/{BUCKET}/{key}?{query}", endpoint.url);
    format!("{base}OSSAccessKeyId={KEY_ID}&Expires={FAR_FUTURE}&Signature={signature}")
}

fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.file_name().is_some_and(|name| name != ".lock") {
            files.insert(path.clone(), fs::read(&path).expect("a file"));
        }
    }
}

/// Returns a host with a port that nobody listens on.
fn free(host: &str) -> String {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    format!("{host}:{}", address.expect("a free port").port())
}

#[test]
fn no_page_of_another_site_gets_or_changes_anything() {
    let Some(stage) = Stage::set("other sites in a browser", &[]) else { return };
    let before = stage.files();
    // Another site, one that shares the endpoint's host, and another address, which
    // has to be configured on macOS first.
    let mut hosts = Vec::from(["localhost", "127.0.0.1", "127.0.0.2"].map(free));
    hosts.truncate(if cfg!(target_os = "macos") { 2 } else { 3 });
    let said = stage.visit(&hosts, None);
    let refused = said.lines().filter(|line| line.ends_with("is rejected")).count();
    assert_eq!(refused, hosts.len(), "{said}");
    assert!(stage.files() == before, "something was changed");
    assert_eq!(stage.client().get_channel("cam").expect("a channel").status, ChannelState::Enabled);
}

#[test]
fn an_allowed_origin_can_play_and_do_nothing_else() {
    let (allowed, other) = (free("localhost"), free("127.0.0.1"));
    let origin = format!("http://{allowed}");
    let Some(stage) = Stage::set("playback at another site", &["--cors", &origin]) else { return };
    let before = stage.files();
    let said = stage.visit(&[allowed.clone(), other], Some(&allowed));
    assert!(said.contains("ok an allowed origin plays"), "{said}");
    assert!(stage.files() == before, "something was changed");
}
