//! Hostile clients: none gets unauthorized access or leaves the data directory.

mod support;

use osslive::request::{Method, Request, percent_encode, percent_encode_path};
use osslive::sign::{SignatureVersion, Signer};
use osslive::{ChannelConfig, Credentials, RtmpUrlOptions, VodTime};
use osslive_local::push::{PushError, PushOptions, push_flv};
use osslive_local::rtmp::ClientState;
use osslive_local::{Acl, Clock, Config};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use support::{CLIP, Response, Stage, client_of};
use time::OffsetDateTime;

const BUCKET: &str = Config::BUCKET;
const CONFIGURATION: &str = "<LiveChannelConfiguration><Target><Type>HLS</Type></Target>\
                             </LiveChannelConfiguration>";
/// The content of a file next to the data directory, which must never be sent.
const SECRET: &str = "nobody may read this";

/// An endpoint next to foreign files.
struct Fixture {
    stage: Stage,
    outside: BTreeMap<PathBuf, (SystemTime, Vec<u8>)>,
}

impl Fixture {
    fn start(configure: impl FnOnce(Config) -> Config) -> Fixture {
        let stage = Stage::start(configure);
        let root = stage.folder.path();
        fs::write(root.join("secret.txt"), SECRET).unwrap();
        fs::write(root.join("secret.ts"), SECRET).unwrap();
        fs::write(root.join("data.m3u8"), SECRET).unwrap();
        fs::create_dir(root.join("objects")).unwrap();
        fs::write(root.join("objects/secret.txt"), SECRET).unwrap();
        let outside = outside(root);
        Fixture { stage, outside }
    }

    /// Starts an endpoint from which anyone may read and to which anyone may write.
    fn open() -> Fixture {
        Fixture::start(|config| config.acl(Acl::PublicReadWrite))
    }

    /// Sends one request and reads the response to its end.
    fn send(&self, request: impl AsRef<[u8]>) -> Response {
        let peer = self.stage.connect();
        // The endpoint may refuse before everything is sent.
        let _ = peer.send(request);
        let bytes = peer.read_to_close();
        assert!(!String::from_utf8_lossy(&bytes).contains(SECRET), "a secret was sent");
        if bytes.is_empty() {
            return Response { status: 0, head: String::new(), body: Vec::new() };
        }
        Response::parse(&bytes)
    }

    fn request(&self, method: &str, target: &str) -> Response {
        self.send(http(method, target, "127.0.0.1", "", b"hostile"))
    }

    /// Checks that nothing outside the data directory has changed, and that the data
    /// folder contains only expected files.
    fn check(&self) {
        let root = self.stage.folder.path();
        assert_eq!(outside(root), self.outside, "something outside has changed");
        for entry in fs::read_dir(root.join("data")).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let known = [".osslive", ".lock", ".scratch", BUCKET, "other-bucket"];
            assert!(known.contains(&&*name), "{name} in the data directory");
        }
        for entry in fs::read_dir(root.join("data").join(BUCKET)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let known = ["bucket.json", "channels", "fragments", "objects", "records"];
            assert!(known.contains(&&*name), "{name} in the bucket's folder");
        }
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.check();
        }
    }
}

/// Returns every file below a folder that is not in its data directory.
fn outside(root: &Path) -> BTreeMap<PathBuf, (SystemTime, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path == root.join("data") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                let modified = fs::metadata(&path).unwrap().modified().unwrap();
                found.insert(path.clone(), (modified, fs::read(&path).unwrap()));
            }
        }
    }
    found
}

fn http(method: &str, target: &str, host: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Length: {length}\r\n{headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}

fn signer(version: SignatureVersion) -> Signer {
    let credentials = Credentials::new(Config::ACCESS_KEY_ID, Config::ACCESS_KEY_SECRET);
    Signer::new(version, "cn-hangzhou", credentials)
}

/// Returns a signed request to the endpoint's address, with a properly encoded key.
fn signed(
    signer: &Signer,
    request: &Request,
    bucket: &str,
    now: OffsetDateTime,
    body: &[u8],
) -> Vec<u8> {
    let headers: String = signer
        .headers(request, bucket, now)
        .into_iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let method = request.method.as_str();
    let target = target(bucket, &request.key, &query(&request.query));
    http(method, &target, "127.0.0.1", &headers, body)
}

type Params = [(std::borrow::Cow<'static, str>, Option<String>)];

fn query(params: &Params) -> String {
    let pair = |(name, value): &(std::borrow::Cow<'static, str>, Option<String>)| match value {
        Some(value) => format!("{}={}", percent_encode(name), percent_encode(value)),
        None => percent_encode(name).to_string(),
    };
    params.iter().map(pair).collect::<Vec<_>>().join("&")
}

fn target(bucket: &str, key: &str, query: &str) -> String {
    format!("/{bucket}/{}?{query}", percent_encode_path(key))
}

/// Encodings of "one folder up".
const UPS: &[&str] = &[
    "../",
    "..%2f",
    "%2e%2e/",
    "%2E%2E%2F",
    ".%2e/",
    "%252e%252e%252f",
    "%25252e%25252e%25252f",
    "..%5c",
    "..\\",
    "%2e%2e%5c",
    "%c0%ae%c0%ae/",
    "%c0%ae%c0%ae%c0%af",
    "%ef%bc%8e%ef%bc%8e%ef%bc%8f",
    "%e2%80%a5/",
    "%u002e%u002e/",
    "..;/",
    "..%00/",
    "%00../",
    "....//",
    "..././",
    "..%20/",
    "..%0d%0a/",
];

fn ways_out(file: &str) -> Vec<String> {
    let up = |up: &&str| (1..6).map(|count| up.repeat(count) + file).collect::<Vec<_>>();
    UPS.iter().flat_map(up).collect()
}

#[test]
fn no_encoding_of_a_path_leaves_the_data_folder() {
    let fixture = Fixture::open();
    let absolute = fixture.stage.folder.path().join("secret.txt").display().to_string();
    let mut paths = ways_out("secret.txt");
    paths.extend([
        absolute.clone(),
        format!("/{absolute}"),
        percent_encode(&absolute).to_string(),
        format!("file://{absolute}"),
        "%00".into(),
        "secret.txt%00.ts".into(),
        "C:%5Csecret.txt".into(),
        "%5C%5Chost%5Cshare".into(),
        "~/secret.txt".into(),
        "$HOME/secret.txt".into(),
        "con".into(),
        "aux.ts".into(),
        "x".repeat(1023),
        "a/".repeat(511),
        "%f0%9f%98%80".into(),
        "%e2%80%ae".into(),
    ]);
    for path in &paths {
        for base in ["/", "/live-demo/", "/live-demo/ch/", "/_osslive/", "/.scratch/", "/other/"] {
            for method in ["GET", "HEAD", "PUT", "DELETE"] {
                let response = fixture.request(method, &format!("{base}{path}"));
                let known = [200, 204, 400, 403, 404, 405, 501, 0];
                assert!(known.contains(&response.status), "{method} {base}{path}: {response:?}");
            }
        }
    }
    for path in ways_out("secret.ts") {
        for query in
            ["live", "live&comp=stat", "vod&startTime=1&endTime=2", "x-oss-process=hls/sign"]
        {
            fixture.request("GET", &format!("/live-demo/{path}?{query}"));
        }
    }
    fixture.check();
}

#[test]
fn the_owner_cannot_leave_the_data_folder_either() {
    let fixture = Fixture::open();
    let client = fixture.stage.client();
    let now = OffsetDateTime::now_utc();
    // Names that are valid and harmless.
    for name in ["...", "%2e%2e", "..%2f", "con", "\u{202e}x", "~", "..\u{7f}"] {
        let options = RtmpUrlOptions::new();
        client.put_channel(name, &ChannelConfig::new("").frag_duration(1)).unwrap();
        let url = client.get_rtmp_url(name, &options).unwrap();
        push_flv(&url, CLIP, PushOptions::default(), &mut |_| true).unwrap();
        let seconds = now.unix_timestamp();
        client.create_vod(name, "all", &VodTime::new(seconds - 60, seconds + 600)).unwrap();
        client.delete_channel(name).unwrap();
    }
    // Names that a path or a listing cannot represent.
    for name in ["..", ".", "..\0", "a\u{1}", "\u{ffff}"] {
        for (method, body) in
            [(Method::Put, CONFIGURATION), (Method::Get, ""), (Method::Delete, "")]
        {
            let request = Request::new(method, name).flag("live");
            let message =
                signed(&signer(SignatureVersion::V4), &request, BUCKET, now, body.as_bytes());
            let response = fixture.send(message);
            let expected = (400, "InvalidChannelName".to_owned());
            assert_eq!((response.status, response.code()), expected, "{name:?}: {response:?}");
        }
    }
    // Names of playlists.
    for playlist in
        ["../../../data.m3u8", "..\\..\\..\\data.m3u8", "..%2f..%2fdata.m3u8", "/x.m3u8"]
    {
        let config = ChannelConfig::new("").playlist_name(playlist).frag_duration(1);
        if client.put_channel("ch", &config).is_ok() {
            assert!(!playlist.contains('/'), "{playlist}");
            let url = client.get_rtmp_url("ch", &RtmpUrlOptions::new()).unwrap();
            push_flv(&url, CLIP, PushOptions::default(), &mut |_| true).unwrap();
        }
        let vod = Request::new(Method::Post, format!("ch/{playlist}"))
            .flag("vod")
            .param("startTime", "1")
            .param("endTime", "2");
        let response = fixture.send(signed(&signer(SignatureVersion::V1), &vod, BUCKET, now, b""));
        assert_eq!(response.status, 400, "{playlist}: {response:?}");
    }
    // Buckets.
    for bucket in ["..", ".", ".scratch", "../objects", "..%2fobjects", "a/b", "A", "live-demo/.."]
    {
        let put = Request::new(Method::Put, "");
        let message = signed(&signer(SignatureVersion::V4), &put, bucket, now, b"");
        let response = fixture.send(message);
        assert!((400..500).contains(&response.status), "{bucket}: {response:?}");
    }
    fixture.check();
}

#[test]
fn a_host_cannot_leave_the_data_folder() {
    let fixture = Fixture::open();
    for host in [
        "..",
        "../",
        "..%2f",
        "...localhost",
        "../.localhost",
        "..%2f.localhost",
        "%2e%2e.localhost",
        ".scratch.localhost",
        "live-demo/../...localhost",
        "live-demo.localhost/../..",
        "live-demo\\..\\.localhost",
        "live-demo@localhost",
        "[::1]/..",
        "[..]",
        "[::1",
        "a:b:c",
        ":9000",
        "127.0.0.1:99999999",
        "..oss-cn-hangzhou.aliyuncs.com",
        "../x.oss-cn-hangzhou.aliyuncs.com",
        "%00.localhost",
        "live-demo.localhost, other.localhost",
        &"a".repeat(10_000),
    ] {
        for path in
            ["/secret.txt", "/../secret.txt", "/objects/secret.txt", "/data/live-demo/bucket.json"]
        {
            for method in ["GET", "PUT"] {
                let response = fixture.send(http(method, path, host, "", b"x"));
                assert!(response.status < 500, "{method} {path} at {host}: {response:?}");
            }
        }
    }
    fixture.check();
}

#[test]
fn an_encoder_cannot_leave_the_data_folder() {
    let fixture = Fixture::open();
    let mut names = ways_out("secret");
    names.extend(
        ["..", "../..", "/etc/passwd", "\\..\\x", "a\0b", "..?playlistName=x.m3u8"]
            .map(String::from),
    );
    for name in &names {
        for (app, stream) in [
            ("live", name.clone()),
            (name, "live/ch".into()),
            ("live-demo", format!("live/{name}")),
            ("live", format!("{name}/ch")),
            ("..", format!("live/{name}")),
        ] {
            let peer = fixture.stage.connect();
            let session = peer.request_publish(app, "rtmp://127.0.0.1/live", &stream);
            let state = session.state();
            assert!(matches!(state, ClientState::Refused { .. }), "{app} {stream}: {state:?}");
        }
    }
    let url = fixture.stage.channel("ch");
    for playlist in
        ["../../../data.m3u8", "..%2f..%2f..%2fdata.m3u8", "%2e%2e/data.m3u8", "x", "/x.m3u8"]
    {
        let base = url.split('?').next().unwrap();
        let url = format!("{base}?playlistName={playlist}");
        let refusal = push_flv(&url, CLIP, PushOptions::default(), &mut |_| true).unwrap_err();
        assert!(matches!(refusal, PushError::Refused { .. }), "{playlist}: {refusal}");
    }
    let url = url.split('?').next().unwrap();
    let odd = format!("{url}?playlistName=..%255c..%252f..%7f.m3u8");
    push_flv(&odd, CLIP, PushOptions::default(), &mut |_| true).unwrap();
    fixture.check();
}

/// Starts an endpoint with a manual clock.
fn with_clock(configure: impl FnOnce(Config) -> Config) -> (Fixture, Arc<AtomicI64>) {
    let start = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let seconds = Arc::new(AtomicI64::new(start as i64));
    let clock = {
        let seconds = seconds.clone();
        Clock::from_fn(move || {
            OffsetDateTime::from_unix_timestamp(seconds.load(Ordering::SeqCst)).unwrap()
        })
    };
    (Fixture::start(|config| configure(config.clock(clock))), seconds)
}

fn time(seconds: &AtomicI64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds.load(Ordering::SeqCst)).unwrap()
}

#[test]
fn a_signature_is_valid_only_for_its_request_and_time() {
    for version in [SignatureVersion::V1, SignatureVersion::V4] {
        let (fixture, seconds) = with_clock(|config| config.bucket(BUCKET).bucket("other-bucket"));
        let signer = signer(version);
        let put = Request::new(Method::Put, "k").body("text/plain", b"mine".to_vec());
        let message = signed(&signer, &put, BUCKET, time(&seconds), b"mine");
        assert_eq!(fixture.send(&message).status, 200);
        let text = String::from_utf8(message.clone()).unwrap();
        for (from, to) in [
            ("PUT ", "DELETE "),
            ("PUT ", "GET "),
            ("/live-demo/k?", "/live-demo/l?"),
            ("/live-demo/k?", "/live-demo/k%20?"),
            ("/live-demo/k?", "/other-bucket/k?"),
            ("/live-demo/k?", "/live-demo/k?live&"),
            ("text/plain", "text/html"),
        ] {
            assert!(text.contains(from), "{text}");
            let response = fixture.send(text.replacen(from, to, 1));
            let expected = (403, "SignatureDoesNotMatch".to_owned());
            assert_eq!(
                (response.status, response.code()),
                expected,
                "{version:?} {to}: {response:?}"
            );
        }
        for by in [16 * 60, -16 * 60] {
            seconds.fetch_add(by, Ordering::SeqCst);
            let response = fixture.send(&message);
            assert_eq!((response.status, &*response.code()), (403, "RequestTimeTooSkewed"), "{by}");
            seconds.fetch_sub(by, Ordering::SeqCst);
        }
        assert_eq!(fixture.send(&message).status, 200, "within its time");
    }
}

#[test]
fn a_signed_url_is_valid_only_for_its_method_key_and_time() {
    for version in [SignatureVersion::V1, SignatureVersion::V4] {
        let (fixture, seconds) = with_clock(|config| config.bucket(BUCKET).bucket("other-bucket"));
        let signer = signer(version);
        for key in ["k", "l"] {
            let put = Request::new(Method::Put, key).body("text/plain", b"mine".to_vec());
            let message = signed(&signer, &put, BUCKET, time(&seconds), b"mine");
            assert_eq!(fixture.send(message).status, 200);
        }
        let get = Request::new(Method::Get, "k");
        let query = query(&signer.presign(&get, BUCKET, 60, time(&seconds)));
        let at = |method: &str, bucket: &str, key: &str, query: &str| {
            fixture.request(method, &target(bucket, key, query)).status
        };
        assert_eq!(at("GET", BUCKET, "k", &query), 200);
        for method in ["PUT", "DELETE", "HEAD"] {
            assert_eq!(at(method, BUCKET, "k", &query), 403, "{method}");
        }
        assert_eq!(at("GET", BUCKET, "l", &query), 403);
        assert_eq!(at("GET", "other-bucket", "k", &query), 403);
        for more in
            ["live", "vod", "bucketInfo", "response-content-type=a/b", "x-oss-process=hls/sign"]
        {
            let status = at("GET", BUCKET, "k", &format!("{query}&{more}"));
            assert!(status == 403 || status == 501, "{more}: {status}");
        }
        let later = ["Expires", "x-oss-expires"].iter().find_map(|name| {
            let (before, rest) = query.split_once(&format!("{name}="))?;
            Some(format!("{before}{name}=9{rest}"))
        });
        assert!([403, 400].contains(&at("GET", BUCKET, "k", &later.unwrap())));
        seconds.fetch_add(61, Ordering::SeqCst);
        assert_eq!(at("GET", BUCKET, "k", &query), 403, "expired");
    }
}

#[test]
fn response_overrides_in_a_signed_url_cannot_split_the_response() {
    let fixture = Fixture::open();
    let signer = signer(SignatureVersion::V1);
    fixture.request("PUT", "/live-demo/k");
    let get = Request::new(Method::Get, "k")
        .param("response-content-disposition", "a\r\nX-Evil: 1\r\n\r\nevil");
    let query = query(&signer.presign(&get, BUCKET, 60, OffsetDateTime::now_utc()));
    let response = fixture.request("GET", &target(BUCKET, "k", &query));
    assert_eq!((response.status, response.text().as_str()), (200, "hostile"));
    assert_eq!(response.header("x-evil"), None);
}

#[test]
fn a_publish_url_is_valid_only_for_its_channel_and_time() {
    let (fixture, seconds) = with_clock(|config| config);
    fixture.stage.channel("mine");
    fixture.stage.channel("other");
    let authority = format!("rtmp://{}/{BUCKET}/live/", fixture.stage.endpoint.address());
    let mut url = format!("{authority}mine");
    let expires = seconds.load(Ordering::SeqCst) + 60;
    let params = [("playlistName", "playlist.m3u8")];
    signer(SignatureVersion::V4).push_rtmp_query(&mut url, BUCKET, "mine", expires, &params, true);
    let publish = |url: &str| {
        let pushed = push_flv(url, CLIP, PushOptions::default(), &mut |_| true);
        pushed.map(|_| ()).map_err(|error| error.to_string())
    };
    publish(&url).unwrap();
    publish(&url).expect("a URL can be used again until it expires");
    for (from, to) in [
        ("/mine?", "/other?"),
        ("playlist.m3u8", "another.m3u8"),
        ("&playlistName=playlist.m3u8", ""),
        ("Expires=1", "Expires=2"),
        ("Signature=", "Signature=x"),
        ("OSSAccessKeyId=", "OSSAccessKeyId=x"),
    ] {
        assert!(url.contains(from), "{url}");
        let refusal = publish(&url.replacen(from, to, 1)).unwrap_err();
        assert!(refusal.contains("NetStream.Publish.Unauthorized"), "{to}: {refusal}");
    }
    let bare = url.split('?').next().unwrap();
    assert!(publish(bare).unwrap_err().contains("Unauthorized"), "unsigned");
    seconds.fetch_add(61, Ordering::SeqCst);
    assert!(publish(&url).unwrap_err().contains("has expired"));
}

fn temporary(id: &str, secret: &str, token: &str) -> Credentials {
    Credentials::new(id, secret).with_security_token(token)
}

#[test]
fn a_temporary_key_needs_its_own_token() {
    let fixture = Fixture::start(|config| {
        config
            .temporary_key("STS.a", "secret-a", "token-a")
            .temporary_key("STS.b", "secret-b", "token-b")
    });
    fixture.stage.channel("ch");
    let now = OffsetDateTime::now_utc();
    let get = Request::new(Method::Get, "ch").flag("live");
    let attempt = |version, credentials: Credentials| {
        let signer = Signer::new(version, "cn-hangzhou", credentials);
        let by_header = fixture.send(signed(&signer, &get, BUCKET, now, b"")).status;
        let query = query(&signer.presign(&get, BUCKET, 60, now));
        let by_url = fixture.request("GET", &target(BUCKET, "ch", &query)).status;
        let mut url = format!("rtmp://{}/{BUCKET}/live/ch", fixture.stage.endpoint.address());
        signer.push_rtmp_query(&mut url, BUCKET, "ch", now.unix_timestamp() + 60, &[], true);
        let pushed = push_flv(&url, CLIP, PushOptions::default(), &mut |_| true);
        (by_header, by_url, pushed.map(|_| ()).map_err(|error| error.to_string()))
    };
    for version in [SignatureVersion::V1, SignatureVersion::V4] {
        let own = attempt(version, temporary("STS.a", "secret-a", "token-a"));
        assert_eq!(own, (200, 200, Ok(())), "{version:?}");
        for wrong in [
            temporary("STS.a", "secret-a", "token-b"),
            temporary("STS.a", "secret-a", "token-"),
            temporary("STS.a", "secret-a", "token-aa"),
            Credentials::new("STS.a", "secret-a"),
            temporary("STS.a", "secret-b", "token-a"),
            temporary(Config::ACCESS_KEY_ID, Config::ACCESS_KEY_SECRET, "token-a"),
        ] {
            let (by_header, by_url, pushed) = attempt(version, wrong);
            assert_eq!((by_header, by_url), (403, 403), "{version:?}");
            assert!(pushed.unwrap_err().contains("Unauthorized"), "{version:?}");
        }
    }
}

#[test]
fn a_private_bucket_refuses_every_request_without_a_signature() {
    let fixture = Fixture::start(|config| config);
    fixture.stage.check_service();
    for (method, target) in [
        ("GET", "/"),
        ("GET", "/live-demo/"),
        ("GET", "/live-demo/?live"),
        ("GET", "/live-demo/?bucketInfo"),
        ("GET", "/live-demo/service?live"),
        ("GET", "/live-demo/service?live&comp=stat"),
        ("GET", "/live-demo/service?live&comp=history"),
        ("GET", "/live-demo/service?vod&startTime=1&endTime=2"),
        ("POST", "/live-demo/service/x.m3u8?vod&startTime=1&endTime=2"),
        ("PUT", "/live-demo/service?live"),
        ("PUT", "/live-demo/service?live&status=disabled"),
        ("DELETE", "/live-demo/service?live"),
        ("GET", "/live-demo/service/playlist.m3u8"),
        ("HEAD", "/live-demo/service/playlist.m3u8"),
        ("GET", "/live-demo/service/playlist.m3u8?x-oss-process=hls/sign"),
        ("PUT", "/live-demo/x"),
        ("DELETE", "/live-demo/service/playlist.m3u8"),
        ("POST", "/live-demo/?delete"),
        ("PUT", "/live-demo/"),
        ("DELETE", "/live-demo/"),
        ("PUT", "/other-bucket/"),
    ] {
        let response = fixture.request(method, target);
        assert_eq!(response.status, 403, "{method} {target}: {response:?}");
    }
    fixture.stage.client().get_channel("service").expect("the channel still exists");
}

#[test]
fn ambiguous_http_messages_are_refused() {
    let fixture = Fixture::open();
    let inner = "GET /live-demo/smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    let cases: &[(&str, &str, &str)] = &[
        ("two lengths", "Content-Length: 5\r\nContent-Length: 6\r\n", "hello"),
        ("a list of lengths", "Content-Length: 5, 6\r\n", "hello"),
        ("a length with a sign", "Content-Length: +5\r\n", "hello"),
        ("a negative length", "Content-Length: -1\r\n", "hello"),
        ("a length in hexadecimal", "Content-Length: 0x5\r\n", "hello"),
        ("a length beyond 64 bits", "Content-Length: 99999999999999999999\r\n", "hello"),
        ("an unknown coding", "Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"),
        ("chunked not last", "Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"),
        ("a folded header", "X-A: b\r\n Transfer-Encoding: chunked\r\n", ""),
        ("a space before the colon", "Content-Length : 5\r\n", "hello"),
        ("a header without a name", ": x\r\n", ""),
        ("a NUL in a header", "X-A: a\0b\r\n", ""),
        ("a bare CR in a header", "X-A: a\rContent-Length: 5\r\n", "hello"),
        ("two hosts", "Host: live-demo.localhost\r\n", ""),
        ("two authorizations", "Authorization: OSS a:b\r\nAuthorization: OSS c:d\r\n", ""),
        ("two dates", "Date: a\r\nDate: b\r\n", ""),
    ];
    for (what, headers, body) in cases {
        let message =
            format!("PUT /live-demo/k HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n{body}");
        let response = fixture.send(format!("{message}{inner}"));
        assert!([400, 403, 0].contains(&response.status), "{what}: {response:?}");
        let first = response.text().matches("HTTP/1.1 ").count();
        assert!(first <= 1, "{what}: {response:?}");
    }
    assert_eq!(fixture.request("GET", "/live-demo/k").status, 404, "none of them was stored");

    // Ambiguous messages are refused with a reason, and nothing after them is
    // processed.
    let host = "Host: 127.0.0.1\r\n";
    for (what, message) in [
        (
            "a length and a coding",
            format!(
                "PUT /live-demo/k HTTP/1.1\r\n{host}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            ),
        ),
        (
            "a coding and a length",
            format!(
                "PUT /live-demo/k HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"
            ),
        ),
        (
            "a coding twice",
            format!(
                "PUT /live-demo/k HTTP/1.1\r\n{host}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"
            ),
        ),
        ("no host", "PUT /live-demo/k HTTP/1.1\r\nContent-Length: 0\r\n\r\n".into()),
        (
            "two hosts",
            format!("PUT /live-demo/k HTTP/1.1\r\n{host}{host}Content-Length: 0\r\n\r\n"),
        ),
        (
            "a different host",
            format!("PUT http://live-demo.localhost/k HTTP/1.1\r\n{host}Content-Length: 0\r\n\r\n"),
        ),
        (
            "a bare line feed",
            format!("PUT /live-demo/k HTTP/1.1\r\n{host}X-A: b\nContent-Length: 0\r\n\r\n"),
        ),
        ("a fragment", format!("PUT /live-demo/k#?x HTTP/1.1\r\n{host}Content-Length: 0\r\n\r\n")),
        (
            "a header twice",
            format!(
                "PUT /live-demo/k HTTP/1.1\r\n{host}x-oss-meta-a: 1\r\nx-oss-meta-a: 2\r\nContent-Length: 0\r\n\r\n"
            ),
        ),
        (
            "a parameter twice",
            format!(
                "GET /live-demo/k?prefix=a&prefix=b HTTP/1.1\r\n{host}Connection: close\r\n\r\n"
            ),
        ),
        (
            "an escaped name",
            format!("GET /live-demo/k?%6Cive HTTP/1.1\r\n{host}Connection: close\r\n\r\n"),
        ),
        (
            "a semicolon",
            format!("GET /live-demo/k?live;comp=stat HTTP/1.1\r\n{host}Connection: close\r\n\r\n"),
        ),
    ] {
        let peer = fixture.stage.connect();
        let _ = peer.send(format!("{message}{inner}"));
        let responses = String::from_utf8_lossy(&peer.read_to_close()).into_owned();
        assert_eq!(responses.matches("HTTP/1.1 ").count(), 1, "{what}: {responses}");
        assert!(responses.starts_with("HTTP/1.1 400 "), "{what}: {responses}");
        assert!(responses.contains("<Code>InvalidArgument</Code>"), "{what}: {responses}");
    }
    assert_eq!(fixture.request("GET", "/live-demo/k").status, 404, "none of them was stored");

    // A chunked body ends its connection: nothing after it is processed.
    let message = format!(
        "PUT /live-demo/chunked HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n\
         5\r\nhello\r\n0\r\n\r\n{inner}"
    );
    let peer = fixture.stage.connect();
    peer.send(message).unwrap();
    let responses = String::from_utf8_lossy(&peer.read_to_close()).into_owned();
    assert!(responses.starts_with("HTTP/1.1 200 "), "{responses}");
    assert_eq!(responses.matches("HTTP/1.1 ").count(), 1, "{responses}");
    for chunk in [
        "FFFFFFFFFFFFFFFFF\r\nx",
        "-1\r\nx",
        "5;\nx\r\nhello\r\n0\r\n\r\n",
        "5\r\nhelloXX0\r\n\r\n",
    ] {
        let headers = "Transfer-Encoding: chunked\r\n";
        let response = fixture.send(format!(
            "PUT /live-demo/c HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}Connection: close\r\n\r\n{chunk}"
        ));
        assert!(response.status == 400 || response.status == 0, "{chunk:?}: {response:?}");
    }
    assert_eq!(fixture.request("GET", "/live-demo/c").status, 404);
}

/// Version 1 signs key and sub-resources in one string: of two requests that it cannot
/// distinguish, only the one for the channel is served.
#[test]
fn an_object_whose_name_looks_like_an_operation_requires_a_version_4_signature() {
    let fixture = Fixture::start(|config| config);
    fixture.stage.channel("ch");
    let now = OffsetDateTime::now_utc();
    for name in ["ch?live&status=disabled", "ch?live", "ch?comp=stat&live", "a?b?acl"] {
        for method in [Method::Put, Method::Get, Method::Delete] {
            let request = Request::new(method, name);
            let by_header =
                |version| fixture.send(signed(&signer(version), &request, BUCKET, now, b""));
            let by_url = |version| {
                let query = query(&signer(version).presign(&request, BUCKET, 60, now));
                let target = target(BUCKET, name, &query);
                fixture.send(http(method.as_str(), &target, "127.0.0.1", "", b""))
            };
            for response in [by_header(SignatureVersion::V1), by_url(SignatureVersion::V1)] {
                assert_eq!(
                    (response.status, &*response.code()),
                    (400, "InvalidArgument"),
                    "{response:?}"
                );
                assert!(response.text().contains("Sign with version 4."), "{response:?}");
            }
            for response in [by_header(SignatureVersion::V4), by_url(SignatureVersion::V4)] {
                let known = [200, 204, 404];
                assert!(known.contains(&response.status), "{method:?} {name}: {response:?}");
            }
        }
    }
    let channel = fixture.stage.client().get_channel("ch").expect("the channel still exists");
    assert_eq!(channel.status, osslive::ChannelState::Enabled);
}

#[test]
fn a_refused_upload_receives_the_reason_whatever_its_length() {
    let fixture = Fixture::start(|config| config);
    for length in [100_000, 1 << 20, 8 << 20] {
        let body = vec![b'x'; length];
        let peer = fixture.stage.connect();
        let head = format!(
            "PUT /live-demo/k HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n\r\n"
        );
        peer.send(head).unwrap();
        peer.send(&body).expect("all of the body is read");
        let response = peer.read_response();
        assert_eq!((response.status, &*response.code()), (403, "AccessDenied"), "{length}");
        // The connection can be used again.
        peer.send("GET /live-demo/k HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").unwrap();
        assert_eq!(peer.read_response().status, 403);
    }
    // The same applies to a cross-site request from a browser.
    let peer = fixture.stage.connect();
    peer.send(format!("PUT /live-demo/k HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://other.example\r\nContent-Length: {}\r\n\r\n", 8 << 20)).unwrap();
    peer.send(vec![b'x'; 8 << 20]).expect("all of the body is read");
    assert_eq!(peer.read_response().code(), "AccessForbidden");
    // A client that waits for 100 Continue receives the refusal instead.
    let peer = fixture.stage.connect();
    peer.send("PUT /live-demo/k HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n").unwrap();
    assert_eq!(peer.read_response().status, 403);
}

#[test]
fn random_bytes_get_a_response_or_a_closed_connection() {
    let fixture = Fixture::open();
    let mut seed = 1_795_335_398_u64;
    for round in 0..200 {
        let length = 1 + round * 7 % 3000;
        let mut noise: Vec<u8> = (0..length)
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (seed >> 56) as u8
            })
            .collect();
        match round % 4 {
            0 => noise[0] = 3,
            1 => noise.splice(0..0, b"GET /".iter().copied()).for_each(drop),
            2 => {
                noise.splice(0..0, b"PUT /live-demo/n HTTP/1.1\r\n".iter().copied()).for_each(drop)
            }
            _ => {}
        }
        let peer = fixture.stage.connect();
        let _ = peer.send(noise);
        let _ = peer.shutdown(std::net::Shutdown::Write);
        peer.read_to_close();
    }
    fixture.stage.check_service();
}

#[test]
fn every_kind_of_wrong_key_is_refused() {
    let fixture = Fixture::start(|config| config);
    for (id, secret) in [
        (Config::ACCESS_KEY_ID, "wrong"),
        (Config::ACCESS_KEY_ID, "osslive-local-secre"),
        ("nobody", Config::ACCESS_KEY_SECRET),
        ("../osslive-local", Config::ACCESS_KEY_SECRET),
        ("*", "*"),
    ] {
        let client = client_of(&fixture.stage.endpoint, id, secret);
        let error = client.get_channel_status("ch").unwrap_err();
        assert_eq!(error.status(), Some(403), "{id}: {error}");
    }
}
