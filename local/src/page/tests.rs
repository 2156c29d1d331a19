//! Tests of the page together with the service, from request to response.

use super::*;
use crate::address::Addressing;
use crate::api::tests::TestResponse;
use crate::api::{self, Service};
use crate::auth::AccessKey;
use crate::clock::Clock;
use crate::control_http::ControlApi;
use crate::front_ends::FrontEnds;
use crate::media::codec::Codec;
use crate::media::playlist::Fragment;
use crate::media::recorder::{AudioStat, PlaylistState, Sink, StreamStat, VideoStat};
use crate::store::{Acl, ChannelSettings, Durability, LiveSession, Publish, Store};
use serde_json::Value;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicI64, Ordering};
use tempfile::TempDir;
use time::OffsetDateTime;

/// 2026-11-22T08:16:38Z.
const NOW: i64 = 1_795_335_398;
const HOST: &str = "127.0.0.1:9000";
const TOKEN: &str = "0123456789abcdef";
/// The address of the page, with the token.
const PAGE: &str = "/_osslive/0123456789abcdef/";
const HOSTILE: &str = "<img src=x onerror=alert(1)>\"'; id; '";
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

struct Fixture {
    front_ends: FrontEnds,
    site: Arc<Site>,
    store: Arc<Store>,
    now: Arc<AtomicI64>,
    _folder: TempDir,
}

fn options() -> Options {
    Options { token: Token::new(TOKEN), remote: false, hls_js: None }
}

impl Fixture {
    fn new() -> Fixture {
        Fixture::with(options())
    }

    fn with(page: Options) -> Fixture {
        let folder = crate::store::temporary::private("test-").unwrap();
        let now = Arc::new(AtomicI64::new(NOW));
        let clock = Clock::from_fn({
            let now = Arc::clone(&now);
            move || OffsetDateTime::from_unix_timestamp(now.load(Ordering::Relaxed)).unwrap()
        });
        let store =
            Arc::new(Store::open(folder.path(), Durability::Nothing, clock.clone()).unwrap());
        store.create_bucket("demo", Acl::Private).unwrap();
        store.create_bucket("open", Acl::PublicRead).unwrap();
        let key = AccessKey { id: "id".into(), secret: "secret".into(), token: None };
        let addressing = Addressing {
            domain: "oss.test".into(),
            first_bucket: "open".into(),
            cnames: vec!["cdn.example".into()],
            listen: HOST.parse().unwrap(),
        };
        let (keys, region) = (vec![key], "cn-hangzhou".into());
        let site = Arc::new(Site::new(store.clone(), clock, addressing, keys, region));
        let cors = vec!["http://player.example".into()];
        let options = api::Options { cors, qps_limit: Some(1), ..api::Options::default() };
        let front_ends = FrontEnds {
            control: ControlApi::new(site.clone(), None),
            page: Page::new(site.clone(), page),
            service: Service::new(site.clone(), options),
        };
        Fixture { front_ends, site, store, now, _folder: folder }
    }

    fn get(&self, target: &str) -> TestResponse {
        self.send("GET", HOST, target, "127.0.0.1", &[])
    }

    fn send(
        &self,
        method: &str,
        host: &str,
        target: &str,
        peer: &str,
        headers: &[(&str, &str)],
    ) -> TestResponse {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        TestResponse::of(self.front_ends.respond(&Request {
            method: method.into(),
            host: host.into(),
            path: path.into(),
            query: query.into(),
            headers: headers.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect(),
            body: Vec::new(),
            peer: peer.parse().ok().map(|ip: IpAddr| SocketAddr::new(ip, 50_000)),
            is_http_1_0: false,
        }))
    }

    /// Gets a path below the page's address.
    fn page(&self, target: &str) -> TestResponse {
        self.get(&format!("{PAGE}{target}"))
    }

    fn json(&self, target: &str) -> Value {
        let response = self.page(target);
        assert_eq!(
            (response.status, response.header("Content-Type")),
            (200, Some("application/json"))
        );
        serde_json::from_str(&response.body).unwrap()
    }

    fn put_channel(&self, bucket: &str, name: &str) {
        let settings = ChannelSettings {
            description: format!("{name} described"),
            enabled: true,
            frag_duration: 5,
            frag_count: 3,
            playlist_name: "playlist.m3u8".into(),
            snapshot: None,
        };
        self.store.put_channel(bucket, name, settings).unwrap();
    }

    fn publish(&self, bucket: &str, channel: &str) -> LiveSession {
        let publish = Publish {
            bucket: bucket.into(),
            channel: channel.into(),
            playlist_name: None,
            remote: "203.0.113.9:47745".parse().unwrap(),
            cut: Box::new(|| ()),
        };
        self.store.publish(publish).unwrap()
    }
}

fn record(session: &mut LiveSession, fragments: u64) {
    for number in 0..fragments {
        let start_ms = NOW as u64 * 1000 + number * 5000;
        let name = format!("{start_ms}.ts");
        session.begin(&name).unwrap();
        session.write(&[0x47; 188]).unwrap();
        let fragment = Fragment { name, start_ms, duration_ms: 5000, discontinuity: false };
        session.finish(&fragment, PlaylistState::default()).unwrap();
    }
}

#[test]
fn every_file_of_the_page_is_served_with_its_type_and_a_strict_policy() {
    let fixture = Fixture::new();
    for (path, content_type, text) in ASSETS {
        let response = fixture.page(path);
        assert_eq!((response.status, response.header("Content-Type")), (200, Some(*content_type)));
        assert_eq!(response.body, *text);
    }
    for target in ["/_osslive", "/_osslive/", PAGE, "/_osslive/0123456789abcdef/api/channels"] {
        let response = fixture.get(target);
        let policy = response.header("Content-Security-Policy").unwrap();
        for rule in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "media-src 'self' blob:",
            "connect-src 'self'",
            "img-src 'self' data:",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.split(';').any(|part| part.trim() == rule), "{target}: {rule}");
        }
        assert!(!policy.contains("unsafe"));
        assert_eq!(response.header("X-Content-Type-Options"), Some("nosniff"));
        assert_eq!(response.header("Referrer-Policy"), Some("no-referrer"));
        assert_eq!(response.header("Cache-Control"), Some("no-store"));
        let length: usize = response.header("Content-Length").unwrap().parse().unwrap();
        assert_eq!(length, response.body.len());
    }
}

#[test]
fn the_page_has_no_external_and_no_inline_resources() {
    for (path, _, text) in ASSETS {
        let namespaces = text.replace("http://www.w3.org/2000/svg", "");
        assert!(!namespaces.contains("://"), "{path} contains an external URL");
        for sink in ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval("] {
            assert!(!text.contains(sink), "{path} uses {sink}");
        }
    }
    let html = ASSETS[0].2;
    assert!(!html.contains("<style") && !html.contains("style=") && !html.contains(" on"));
    assert_eq!(
        html.matches("<script").count(),
        html.matches("<script type=\"module\" src=").count()
    );
}

#[test]
fn the_token_in_the_address_redirects_to_the_page() {
    let fixture = Fixture::new();
    for (target, status, location) in [
        ("/_osslive/?token=0123456789abcdef", 302, PAGE.into()),
        ("/_osslive?token=0123456789abcdef", 302, PAGE.into()),
        ("/_osslive/?player=hls.js&token=0123456789abcdef", 302, format!("{PAGE}?player=hls.js")),
        ("/_osslive/0123456789abcdef", 308, PAGE.into()),
    ] {
        let response = fixture.get(target);
        let expected = (status, Some(location.as_str()), None);
        let seen = (response.status, response.header("Location"), response.header("Set-Cookie"));
        assert_eq!(seen, expected, "{target}");
    }
    assert_eq!(fixture.get(PAGE).status, 200);
}

#[test]
fn without_the_token_the_response_only_says_where_to_find_it() {
    let fixture = Fixture::new();
    fixture.put_channel("demo", "cam");
    for target in [
        "/_osslive",
        "/_osslive/",
        "/_osslive/?token=",
        "/_osslive/?token",
        "/_osslive/?token=0123456789abcde",
        "/_osslive/?token=0123456789abcdef0",
        "/_osslive/?token=0123456789ABCDEF",
        "/_osslive/?token=x&token=0123456789abcdef",
        "/_osslive/app.js",
        "/_osslive/api/channels",
        "/_osslive/api/channels?token=0123456789abcdef",
        "/_osslive/media/demo/cam/playlist.m3u8",
        "/_osslive//",
        "/_osslive//0123456789abcdef/",
        "/_osslive/0123456789abcde/",
        "/_osslive/0123456789abcdef0/",
        "/_osslive/0123456789abcdef%2f",
        "/_osslive/%30123456789abcdef/",
        "/_osslive/x/../0123456789abcdef/",
    ] {
        for method in ["GET", "HEAD", "POST", "OPTIONS"] {
            let cookie =
                [("cookie", "token=0123456789abcdef"), ("authorization", "token 0123456789abcdef")];
            let response = fixture.send(method, HOST, target, "127.0.0.1", &cookie);
            assert_eq!(
                (response.status, response.header("Location")),
                (403, None),
                "{method} {target}"
            );
            assert!(!response.body.contains("cam") && !response.body.contains("0123"), "{target}");
            if method == "GET" {
                assert!(
                    response.body.contains("the address that the endpoint printed"),
                    "{target}: {}",
                    response.body
                );
            }
        }
    }
}

#[test]
fn cross_site_requests_are_refused_even_with_the_token() {
    let fixture = Fixture::new();
    fixture.put_channel("demo", "cam");
    let below = |path: &str| format!("{PAGE}{path}");
    for target in [
        String::from("/_osslive/?token=0123456789abcdef"),
        below(""),
        below("app.js"),
        below("api/channels"),
        below("api/publish-url?bucket=demo&channel=cam"),
        below("media/demo/cam/a.ts"),
    ] {
        for mark in [
            ("origin", "https://elsewhere.example"),
            ("origin", "http://player.example"),
            ("origin", "http://127.0.0.1:3000"),
            ("origin", "http://localhost:9000"),
            ("origin", "null"),
            ("origin", ""),
            ("origin", "http://127.0.0.1:9000,http://127.0.0.1:9000"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", ""),
        ] {
            for method in ["GET", "OPTIONS", "POST"] {
                let response = fixture.send(method, HOST, &target, "127.0.0.1", &[mark]);
                assert_eq!(response.status, 403, "{method} {target} {mark:?}");
                assert_eq!(response.header("Access-Control-Allow-Origin"), None);
                assert_eq!(response.header("Cross-Origin-Resource-Policy"), Some("same-origin"));
            }
        }
    }
    for own in [
        ("origin", "http://127.0.0.1:9000"),
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-site", "none"),
    ] {
        assert_eq!(fixture.send("GET", HOST, PAGE, "127.0.0.1", &[own]).status, 200, "{own:?}");
    }
}

#[test]
fn the_page_is_read_only() {
    let fixture = Fixture::new();
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        let response = fixture.send(method, HOST, PAGE, "127.0.0.1", &[]);
        assert_eq!(
            (response.status, response.header("Allow")),
            (405, Some("GET, HEAD")),
            "{method}"
        );
    }
    let head = fixture.send("HEAD", HOST, PAGE, "127.0.0.1", &[]);
    let length = ASSETS[0].2.len().to_string();
    assert_eq!((head.status, head.header("Content-Length")), (200, Some(length.as_str())));
    assert_eq!(head.body, "");
}

#[test]
fn the_page_is_available_only_at_loopback_addresses() {
    let fixture = Fixture::new();
    let status = |host: &str| fixture.send("GET", host, PAGE, "127.0.0.1", &[]).status;
    for host in ["127.0.0.1:9000", "127.0.0.2", "[::1]:9000", "localhost", "LOCALHOST:9000"] {
        assert_eq!(status(host), 200, "{host}");
    }
    for host in [
        "",
        "oss.test:9000",
        "10.0.0.1:9000",
        "0.0.0.0:9000",
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "localhost.",
        "127.0.0.1.",
        "[::1].evil.example",
        "evil.example@127.0.0.1",
        "[::1]'; id; '",
    ] {
        assert_eq!(status(host), 403, "{host}");
    }
}

#[test]
fn at_a_buckets_host_the_path_is_an_ordinary_key() {
    let fixture = Fixture::new();
    fixture.store.put_object("open", "_osslive/", Some("text/plain"), b"an object").unwrap();
    for host in ["open.oss.test:9000", "cdn.example"] {
        let response = fixture.send("GET", host, "/_osslive/", "127.0.0.1", &[]);
        assert_eq!((response.status, response.body.as_str()), (200, "an object"), "{host}");
        assert_eq!(response.header("Server"), Some("AliyunOSS"));
    }
}

#[test]
fn a_disabled_page_does_not_exist() {
    let fixture = Fixture::with(Options { token: None, ..options() });
    for target in ["/_osslive", "/_osslive/", "/_osslive/?token=", PAGE, "/_osslive/app.js", "/"] {
        let response = fixture.send("GET", HOST, target, "127.0.0.1", &[("accept", BROWSER)]);
        assert!([400, 403, 404].contains(&response.status), "{target}: {response:?}");
        assert_eq!(response.header("Server"), Some("AliyunOSS"), "{target}");
    }
}

#[test]
fn other_machines_need_a_remote_page_and_the_token() {
    let (closed, open) = (Fixture::new(), Fixture::with(Options { remote: true, ..options() }));
    let status = |fixture: &Fixture, peer: &str, target: &str| {
        fixture.send("GET", HOST, target, peer, &[]).status
    };
    for peer in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
        assert_eq!(status(&closed, peer, PAGE), 200, "{peer}");
    }
    for peer in ["192.0.2.7", "10.0.0.1", "2001:db8::1", "::ffff:192.0.2.7", "unknown"] {
        assert_eq!((status(&closed, peer, PAGE), status(&open, peer, PAGE)), (403, 200), "{peer}");
        assert_eq!(status(&open, peer, "/_osslive/"), 403, "{peer}");
    }
}

#[test]
fn requests_through_a_proxy_need_a_remote_page() {
    let (closed, open) = (Fixture::new(), Fixture::with(Options { remote: true, ..options() }));
    for header in [
        ("forwarded", "for=192.0.2.7"),
        ("via", "1.1 proxy"),
        ("x-forwarded-for", "192.0.2.7"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-for", ""),
        ("x-forwarded-host", "stream.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded", "for=x"),
        ("x-real-ip", "192.0.2.7"),
    ] {
        let status =
            |fixture: &Fixture| fixture.send("GET", HOST, PAGE, "127.0.0.1", &[header]).status;
        assert_eq!((status(&closed), status(&open)), (403, 200), "{header:?}");
    }
    for (fixture, status) in [(closed, 403), (open, 200)] {
        let request = Request {
            method: "GET".into(),
            host: HOST.into(),
            path: PAGE.into(),
            peer: "127.0.0.1:50000".parse().ok(),
            is_http_1_0: true,
            ..Request::default()
        };
        assert_eq!(fixture.front_ends.respond(&request).status, status);
    }
}

#[test]
fn a_token_is_long_enough_and_needs_no_escaping() {
    let tokens: Vec<_> = (0..100).map(|_| Token::random().unwrap()).collect();
    for (number, token) in tokens.iter().enumerate() {
        assert!(token.as_str().len() == 32 && Token::new(token.as_str()).is_some());
        assert!(!tokens[..number].contains(token), "duplicate token");
        assert_eq!(format!("{token:?}"), "Token(***)");
    }
    let long = "x".repeat(128);
    for (text, is_token) in [
        ("0123456789abcde", false),
        ("0123456789_bcde-", true),
        (long.as_str(), true),
        ("0123456789abcde/", false),
        ("0123456789abcde%", false),
        ("", false),
    ] {
        assert_eq!(Token::new(text).is_some(), is_token, "{text}");
    }
    assert!(Token::new(&format!("{long}x")).is_none());
}

#[test]
fn a_browser_at_the_root_is_redirected_to_the_page() {
    let fixture = Fixture::new();
    let root = |method, target, headers: &[_]| fixture.send(method, HOST, target, "::1", headers);
    let response = root("GET", "/", &[("accept", BROWSER)]);
    assert_eq!((response.status, response.header("Location")), (302, Some("/_osslive/")));
    assert_eq!(response.header("Vary"), Some("Accept"));
}

#[test]
fn sdk_requests_are_never_redirected_to_the_page() {
    let fixture = Fixture::new();
    let denied = |method, host, target, peer, headers: &[_]| {
        let response = fixture.send(method, host, target, peer, headers);
        assert_ne!(response.status / 100, 3, "{target} {headers:?}");
        assert_eq!(response.header("Server"), Some("AliyunOSS"), "{target} {headers:?}");
        let policy = response.header("Content-Security-Policy");
        assert_eq!(policy, Some("sandbox; default-src 'none'"), "{target} {headers:?}");
    };
    let html = ("accept", BROWSER);
    denied("GET", HOST, "/", "::1", &[]);
    denied("GET", HOST, "/", "::1", &[("accept", "*/*")]);
    denied("GET", HOST, "/", "::1", &[("accept", "application/xml")]);
    denied("GET", HOST, "/", "::1", &[html, ("authorization", "OSS id:signature")]);
    denied("GET", HOST, "/?max-keys=1", "::1", &[html]);
    denied("GET", HOST, "/?OSSAccessKeyId=id&Expires=1&Signature=x", "::1", &[html]);
    denied("PUT", HOST, "/", "::1", &[html]);
    denied("GET", HOST, "/demo", "::1", &[html]);
    denied("GET", "open.oss.test", "/", "::1", &[html]);
    denied("GET", "cdn.example", "/", "::1", &[html]);
    denied("GET", HOST, "/", "192.0.2.7", &[html]);
}

#[test]
fn the_list_shows_the_status_of_every_channel() {
    let fixture = Fixture::new();
    for name in ["main", "spare", "off"] {
        fixture.put_channel("demo", name);
    }
    fixture.put_channel("open", "main");
    fixture.store.set_channel_enabled("demo", "off", false).unwrap();
    let session = fixture.publish("demo", "main");
    let video = VideoStat {
        codec: Codec::H264,
        width: 1280,
        height: 720,
        frame_rate: 30,
        bandwidth: 250_000,
    };
    let audio = AudioStat { codec: Codec::Aac, bandwidth: 16_000, sample_rate: 48_000 };
    session.update(StreamStat { video: Some(video), audio: Some(audio) });

    let list = fixture.json("api/channels");
    assert_eq!(
        (&list["total"], &list["live"], &list["truncated"]),
        (&4.into(), &1.into(), &false.into())
    );
    assert_eq!(list["now"], "2026-11-22T08:16:38Z");
    let channels = list["channels"].as_array().unwrap();
    let brief: Vec<_> = channels
        .iter()
        .map(|c| ["bucket", "name", "status"].map(|name| c[name].as_str().unwrap()).join(" "))
        .collect();
    assert_eq!(brief, ["demo main Live", "demo off Disabled", "demo spare Idle", "open main Idle"]);
    let expected = serde_json::json!({
        "connectedTime": "2026-11-22T08:16:38Z",
        "remoteAddr": "203.0.113.9:47745",
        "video": {
            "codec": "H264", "width": 1280, "height": 720, "frameRate": 30, "bandwidth": 250_000
        },
        "audio": { "codec": "AAC", "sampleRate": 48_000, "bandwidth": 16_000 },
    });
    assert_eq!(channels[0]["live"], expected);
    assert!(channels[1].get("live").is_none());

    let found = fixture.json("api/channels?search=SPARE+described");
    assert_eq!((&found["total"], &found["channels"][0]["name"]), (&1.into(), &"spare".into()));
}

#[test]
fn all_live_channels_are_listed_even_if_the_list_is_truncated() {
    let fixture = Fixture::new();
    for number in 0..600 {
        fixture.put_channel("demo", &format!("a{number:03}"));
    }
    fixture.put_channel("demo", "z-live");
    let _session = fixture.publish("demo", "z-live");
    let list = fixture.json("api/channels");
    assert_eq!((&list["total"], &list["truncated"]), (&601.into(), &true.into()));
    let channels = list["channels"].as_array().unwrap();
    assert_eq!((channels.len(), &channels[500]["name"]), (501, &"z-live".into()));
}

#[test]
fn hostile_names_are_always_plain_text() {
    let fixture = Fixture::new();
    fixture.put_channel("demo", HOSTILE);
    let list = fixture.page("api/channels");
    let read: Value = serde_json::from_str(&list.body).unwrap();
    assert_eq!(read["channels"][0]["name"], HOSTILE);

    let encoded = osslive::request::percent_encode(HOSTILE);
    let target = format!("api/publish-url?bucket=demo&channel={encoded}");
    let publish = fixture.json(&target);
    let command = publish["ffmpeg"].as_str().unwrap();
    // A single shell argument: there are no quotes between the two.
    assert_eq!(command.matches('\'').count(), 2, "{command}");
    assert!(!command.contains(['<', '"', '\\']), "{command}");
}

#[test]
fn a_channel_shows_its_sessions_and_playlists_newest_first() {
    let fixture = Fixture::new();
    fixture.put_channel("demo", "a b");
    let mut session = fixture.publish("demo", "a b");
    let detail = || fixture.json("api/channel?bucket=demo&channel=a%20b");
    assert_eq!(detail().get("livePlaylist"), None, "no fragment is listed yet");
    fixture.now.store(NOW + 10, Ordering::Relaxed);
    record(&mut session, 2);
    let live = detail();
    assert_eq!(live["livePlaylist"], "media/demo/a%20b/playlist.m3u8");
    assert_eq!(live["sessions"], serde_json::json!([]));
    drop(session);
    let vod = "#EXTM3U\n#EXTINF:2.5,\nx.ts\n#EXTINF:4.000,\ny.ts\n#EXT-X-ENDLIST\n";
    fixture.store.put_object("demo", "a b/vod.m3u8", None, vod.as_bytes()).unwrap();

    let detail = detail();
    assert_eq!(detail.get("livePlaylist"), None, "a live playlist is not a recording");
    let expected = serde_json::json!([{
        "start": "2026-11-22T08:16:38Z",
        "end": "2026-11-22T08:16:48Z",
        "remoteAddr": "203.0.113.9:47745",
        "url": format!("media/demo/a%20b/recording.m3u8?from={NOW}&to={}", NOW + 10),
    }]);
    assert_eq!(detail["sessions"], expected);
    let playlists = detail["playlists"].as_array().unwrap();
    assert_eq!(playlists.len(), 1);
    assert_eq!(
        (&playlists[0]["name"], &playlists[0]["seconds"]),
        (&"vod.m3u8".into(), &6.5.into())
    );
    assert_eq!(playlists[0]["url"], "media/demo/a%20b/vod.m3u8");

    let recording = fixture.page(detail["sessions"][0]["url"].as_str().unwrap());
    assert_eq!(recording.header("Content-Type"), Some("application/vnd.apple.mpegurl"));
    assert_eq!(recording.body.matches("#EXTINF:5.000").count(), 2, "{}", recording.body);
    assert!(recording.body.contains("#EXT-X-ENDLIST"));
}

#[test]
fn errors_are_returned_as_json() {
    let fixture = Fixture::new();
    for (target, code) in [
        ("channel?bucket=demo&channel=none", "NoSuchLiveChannel"),
        ("channel?bucket=none&channel=none", "NoSuchBucket"),
        ("channel", "NoSuchBucket"),
        ("publish-url?bucket=demo&channel=none", "NoSuchLiveChannel"),
        ("publish-url?bucket=demo&channel=a%2Fb", "InvalidChannelName"),
        ("channels?search=%ff", "InvalidArgument"),
    ] {
        let response = fixture.page(&format!("api/{target}"));
        let error: Value = serde_json::from_str(&response.body).unwrap();
        assert!((400..500).contains(&response.status), "{target}");
        assert_eq!(error["code"], code, "{target}");
    }
}

#[test]
fn a_private_channel_can_be_played_including_ranges() {
    let fixture = Fixture::new();
    fixture.put_channel("demo", "cam");
    record(&mut fixture.publish("demo", "cam"), 1);
    let playlist = fixture.page("media/demo/cam/playlist.m3u8");
    assert_eq!(playlist.header("Content-Type"), Some("application/vnd.apple.mpegurl"));
    let segment = format!("{PAGE}media/demo/cam/{NOW}000.ts");
    assert!(playlist.body.contains(&format!("{NOW}000.ts")));
    assert_eq!((fixture.get(&segment).status, fixture.get(&segment).body.len()), (200, 188));
    let range = [("range", "bytes=10-19")];
    let part = fixture.send("GET", HOST, &segment, "::1", &range);
    assert_eq!((part.status, part.header("Content-Range")), (206, Some("bytes 10-19/188")));
    assert_eq!(part.body.len(), 10);
    assert_eq!(fixture.get(&segment).header("Content-Type"), Some("video/mp2t"));
}

#[test]
fn only_playlists_and_fragments_can_be_played() {
    let fixture = Fixture::new();
    fixture.store.put_object("demo", "cam/secret.txt", None, b"secret").unwrap();
    fixture.store.put_object("demo", "cam/page.html", Some("text/html"), b"secret").unwrap();
    fixture.store.put_object("demo", "a.ts", Some("text/html"), b"fragment").unwrap();
    for path in [
        "demo/cam/secret.txt",
        "demo/cam/page.html",
        "demo/cam/",
        "demo",
        "demo/",
        "",
        "demo/..%2f..%2f..%2fetc%2fpasswd",
        "demo/../demo/bucket.json",
        "..%2fdemo/a.ts",
        "../demo/a.ts",
        "./demo/a.ts",
        "demo/%2fa.ts",
        "demo//a.ts",
        "demo/..%2fobjects%2fa.ts",
        "demo/..%5cobjects%5ca.ts",
        "demo/../objects/a.ts",
        "demo/%00a.ts",
        "demo/%ff.ts",
        "demo/%zz.ts",
        "none/a.ts",
    ] {
        let response = fixture.page(&format!("media/{path}"));
        assert!((400..500).contains(&response.status), "{path}: {response:?}");
        assert!(!response.body.contains("secret") && !response.body.contains("root:"), "{path}");
    }
    let response = fixture.page("media/demo/a.ts");
    assert_eq!((response.status, response.header("Content-Type")), (200, Some("video/mp2t")));
}

#[test]
fn a_recording_requires_valid_times_and_a_channel() {
    let fixture = Fixture::new();
    for (path, status) in [
        ("cam/r.m3u8?from=x&to=2", 400),
        ("cam/r.m3u8?from=1&to=99999999999999999999", 400),
        ("cam/r.m3u8?from=-5&to=-1", 400),
        ("r.m3u8?from=1&to=2", 400),
        ("cam/r.m3u8?from=1", 404),
    ] {
        assert_eq!(fixture.page(&format!("media/demo/{path}")).status, status, "{path}");
    }
}

#[test]
fn a_publish_url_is_valid_for_a_day_and_shown_in_all_forms_for_encoders() {
    let fixture = Fixture::new();
    fixture.put_channel("demo", "live 1");
    let response = fixture.json("api/publish-url?bucket=demo&channel=live%201");
    let text = |name: &str| response[name].as_str().unwrap().to_owned();
    let (url, key) = (text("url"), text("streamKey"));
    assert_eq!(text("server"), "rtmp://127.0.0.1:9000/demo/live");
    assert_eq!(format!("{}/{key}", text("server")), url);
    assert!(text("ffmpeg").ends_with(&format!("-f flv '{url}'")));
    assert_eq!(response["expires"], "2026-11-23T08:16:38Z");
    assert!(key.starts_with("live%201?OSSAccessKeyId=id&"), "{key}");
    assert!(!url.contains("secret"));

    let target = crate::address::PublishTarget::parse(
        "rtmp://127.0.0.1:9000/demo/live",
        "demo/live",
        &key,
        &fixture.site.addressing,
    )
    .unwrap();
    let clock = |now| Clock::from_fn(move || OffsetDateTime::from_unix_timestamp(now).unwrap());
    let authorize = |now| {
        let keys = &fixture.site.keys;
        crate::auth::authorize_publish(&target, &fixture.store, keys, &clock(now))
            .map_err(|f| f.code)
    };
    assert_eq!((authorize(NOW), authorize(NOW + 86_400)), (Ok(()), Ok(())));
    assert_eq!(authorize(NOW + 86_401), Err("AccessDenied"));
}

#[test]
fn the_page_does_not_count_against_the_limit_of_operations() {
    let fixture = Fixture::new();
    fixture.put_channel("demo", "cam");
    for _ in 0..3 {
        assert_eq!(fixture.page("api/channels").status, 200);
        assert_eq!(fixture.page("api/channel?bucket=demo&channel=cam").status, 200);
    }
}

#[test]
fn hls_js_is_served_if_configured() {
    assert_eq!(Fixture::new().page("hls.js").status, 404);
    let options = Options { hls_js: Some("var Hls;".into()), ..options() };
    let fixture = Fixture::with(options);
    let response = fixture.page("hls.js");
    assert_eq!((response.status, response.body.as_str()), (200, "var Hls;"));
    assert_eq!(fixture.json("api/channels")["hlsJs"], true);
}
