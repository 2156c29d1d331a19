//! Tests of every operation and every refusal, from request to response.

mod cors;
mod names;
mod objects;
mod responses;
mod vendor;

use super::*;
use crate::address::Addressing;
use crate::auth::AccessKey;
use crate::clock::Clock;
use crate::media::codec::Codec;
use crate::media::playlist::Fragment;
use crate::media::recorder::{AudioStat, PlaylistState, Sink, StreamStat, VideoStat};
use crate::site::Site;
use crate::store::{Durability, LiveSession, Publish, Store};
use base64::prelude::{BASE64_STANDARD, Engine};
use md5::{Digest, Md5};
use osslive::sign::{v1, v4};
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tempfile::TempDir;
use time::OffsetDateTime;

/// 2026-11-22T08:16:38Z.
const NOW: i64 = 1_795_335_398;
const HOST: &str = "127.0.0.1:9000";
const ID: &str = "LTAI5tDocExampleKeyId001";
const SECRET: &str = "docExampleSecret7xYzABCDEFGH01";

/// A service on a new store with the private bucket `demo`.
struct Fixture {
    service: Service,
    store: Arc<Store>,
    now: Arc<AtomicI64>,
    _folder: TempDir,
}

impl Fixture {
    fn new() -> Fixture {
        Fixture::with(None)
    }

    fn with(qps_limit: Option<u32>) -> Fixture {
        Fixture::of(Account::Established, qps_limit)
    }

    fn of(account: Account, qps_limit: Option<u32>) -> Fixture {
        let folder = crate::store::temporary::private("test-").unwrap();
        let now = Arc::new(AtomicI64::new(NOW));
        let clock = Clock::from_fn({
            let now = Arc::clone(&now);
            move || OffsetDateTime::from_unix_timestamp(now.load(Ordering::Relaxed)).unwrap()
        });
        let store =
            Arc::new(Store::open(folder.path(), Durability::Nothing, clock.clone()).unwrap());
        for bucket in ["demo", "live-demo-bucket"] {
            store.create_bucket(bucket, Acl::Private).unwrap();
        }
        let permanent = AccessKey { id: ID.into(), secret: SECRET.into(), token: None };
        let temporary = AccessKey {
            id: "STS.NTdocExampleTempKeyId1".into(),
            secret: "3dZdocExampleTempSecretabcdefgh".into(),
            token: Some("CAISdocExample+Token/With=Special&Chars==".into()),
        };
        let addressing = Addressing {
            domain: "oss-cn-hangzhou.aliyuncs.com".into(),
            first_bucket: "demo".into(),
            cnames: vec!["live.example.com".into()],
            listen: HOST.parse().unwrap(),
        };
        let (keys, region) = (vec![permanent, temporary], "cn-hangzhou".into());
        let site = Arc::new(Site::new(store.clone(), clock, addressing, keys, region));
        let cors = vec!["http://player.example".into()];
        let service = Service::new(site, Options { cors, account, qps_limit });
        Fixture { service, store, now, _folder: folder }
    }

    /// Sends a request unchanged.
    fn send(&self, request: &Request) -> TestResponse {
        TestResponse::of(self.service.respond(request))
    }

    /// Sends a request with a version 4 signature in its header.
    fn call(&self, method: &str, target: &str, body: &[u8]) -> TestResponse {
        self.call_with(method, target, &[], body)
    }

    fn call_with(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> TestResponse {
        let mut request = plain(method, target, body);
        request.headers.extend(headers.iter().map(|(n, v)| (n.to_string(), v.to_string())));
        self.sign(&mut request);
        self.send(&request)
    }

    fn sign(&self, request: &mut Request) {
        let now = OffsetDateTime::from_unix_timestamp(self.now.load(Ordering::Relaxed)).unwrap();
        let timestamp = time_format::basic(now);
        request.headers.push(("x-oss-date".into(), timestamp.clone()));
        request.headers.push(("x-oss-content-sha256".into(), "UNSIGNED-PAYLOAD".into()));
        let resource = self.service.site.addressing.resolve(&request.host, &request.path).unwrap();
        let key = String::from_utf8(resource.key).unwrap();
        let query = Query::parse(&request.query).unwrap();
        let query: Vec<_> =
            query.parts().into_iter().map(|(n, v)| (n, v.filter(|v| !v.is_empty()))).collect();
        let headers: Vec<_> =
            request.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let parts = Parts {
            method: &request.method,
            bucket: &resource.bucket,
            key: &key,
            query: &query,
            headers: &headers,
        };
        let scope = v4::Scope { date: &timestamp[..8], region: "cn-hangzhou", product: "oss" };
        let canonical = v4::canonical_request(&parts, &[], v4::UNSIGNED_PAYLOAD);
        let signature = v4::signature(
            &v4::Key::derive(SECRET, &scope),
            &v4::string_to_sign(&timestamp, &scope, &canonical),
        );
        let value = format!("OSS4-HMAC-SHA256 Credential={ID}/{scope},Signature={signature}");
        request.headers.push(("authorization".into(), value));
    }

    /// Sends a request without a signature.
    fn anonymous(&self, method: &str, target: &str) -> TestResponse {
        self.send(&plain(method, target, b""))
    }

    fn put_channel(&self, name: &str) {
        let target = format!("/demo/{}?live", osslive::request::percent_encode(name));
        assert_eq!(self.call("PUT", &target, CONFIGURATION).status, 200);
    }

    fn publish(&self, channel: &str) -> LiveSession {
        self.store
            .publish(Publish {
                bucket: "demo".into(),
                channel: channel.into(),
                playlist_name: None,
                remote: "203.0.113.9:47745".parse().unwrap(),
                cut: Box::new(|| ()),
            })
            .unwrap()
    }

    /// Publishes and records fragments of five seconds.
    fn record(&self, channel: &str, fragments: u64) {
        let mut session = self.publish(channel);
        for number in 0..fragments {
            let start_ms = NOW as u64 * 1000 + number * 5000;
            let name = format!("{start_ms}.ts");
            session.begin(&name).unwrap();
            session.write(&[0x47; 188]).unwrap();
            let fragment = Fragment { name, start_ms, duration_ms: 5000, discontinuity: false };
            session.finish(&fragment, PlaylistState::default()).unwrap();
        }
    }
}

fn plain(method: &str, target: &str, body: &[u8]) -> Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers = vec![("host".into(), HOST.into())];
    if !body.is_empty() || method == "PUT" || method == "POST" {
        headers.push(("content-length".into(), body.len().to_string()));
    }
    Request {
        method: method.into(),
        host: HOST.into(),
        path: path.into(),
        query: query.into(),
        headers,
        body: body.to_vec(),
        ..Request::default()
    }
}

/// A response with its body read.
#[derive(Debug)]
pub(crate) struct TestResponse {
    pub(crate) status: u16,
    headers: Vec<(std::borrow::Cow<'static, str>, String)>,
    pub(crate) body: String,
}

impl TestResponse {
    pub(crate) fn of(response: Response) -> TestResponse {
        let mut bytes = Vec::new();
        match response.body {
            Body::Empty => {}
            Body::Bytes(body) => bytes = body,
            Body::File { mut file, offset, length } => {
                file.seek(SeekFrom::Start(offset)).unwrap();
                file.take(length).read_to_end(&mut bytes).unwrap();
            }
            Body::Stream { mut reader, length } => {
                reader.read_to_end(&mut bytes).unwrap();
                assert_eq!(bytes.len() as u64, length);
            }
        }
        let body = String::from_utf8(bytes).unwrap();
        TestResponse { status: response.status, headers: response.headers, body }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let is_it = |(n, _): &&(std::borrow::Cow<'_, str>, String)| n.eq_ignore_ascii_case(name);
        self.headers.iter().find(is_it).map(|(_, value)| value.as_str())
    }

    /// Returns the texts of all elements with this name, in order.
    fn texts(&self, name: &str) -> Vec<String> {
        let document = roxmltree::Document::parse(&self.body).unwrap();
        document
            .descendants()
            .filter(|node| node.tag_name().name() == name)
            .map(|node| node.text().unwrap_or_default().to_owned())
            .collect()
    }

    fn text(&self, name: &str) -> Option<String> {
        self.texts(name).into_iter().next()
    }

    /// Returns the status and code of an error.
    fn error(&self) -> (u16, String) {
        let code = (self.status >= 400).then(|| self.text("Code")).flatten();
        (self.status, code.unwrap_or_default())
    }

    /// Returns everything after the XML declaration, without whitespace between elements.
    fn xml(&self) -> String {
        self.body.lines().skip(1).map(str::trim).collect()
    }
}

const CONFIGURATION: &[u8] = b"<LiveChannelConfiguration><Description>front door</Description>\
    <Target><Type>HLS</Type><FragDuration>5</FragDuration><FragCount>3</FragCount></Target>\
    </LiveChannelConfiguration>";

#[test]
fn creating_a_channel_returns_its_urls() {
    let fixture = Fixture::new();
    let response = fixture.call("PUT", "/demo/front%20door?live", CONFIGURATION);
    assert_eq!(response.status, 200);
    assert_eq!(response.header("Content-Type"), Some("application/xml"));
    assert_eq!(
        response.xml(),
        "<CreateLiveChannelResult><PublishUrls>\
         <Url>rtmp://127.0.0.1:9000/demo/live/front%20door</Url></PublishUrls><PlayUrls>\
         <Url>http://127.0.0.1:9000/demo/front%20door/playlist.m3u8</Url></PlayUrls>\
         </CreateLiveChannelResult>"
    );
}

#[test]
fn urls_follow_the_host_of_the_request() {
    let fixture = Fixture::new();
    for (host, publish) in [
        (
            "demo.oss-cn-hangzhou.aliyuncs.com:9000",
            "rtmp://demo.oss-cn-hangzhou.aliyuncs.com:9000/live/ch",
        ),
        ("live.example.com:9000", "rtmp://live.example.com:9000/live/ch"),
    ] {
        let mut request = plain("PUT", "/ch?live", CONFIGURATION);
        request.host = host.into();
        fixture.sign(&mut request);
        let response = fixture.send(&request);
        assert_eq!(response.text("Url").as_deref(), Some(publish), "{}", response.body);
    }
}

#[test]
fn a_configuration_is_read_back_as_stored() {
    let fixture = Fixture::new();
    fixture.put_channel("ch");
    assert_eq!(
        fixture.call("GET", "/demo/ch?live=", b"").xml(),
        "<LiveChannelConfiguration><Description>front door</Description><Status>enabled</Status>\
         <Target><Type>HLS</Type><FragDuration>5</FragDuration><FragCount>3</FragCount>\
         <PlaylistName>playlist.m3u8</PlaylistName></Target></LiveChannelConfiguration>"
    );
}

#[test]
fn a_channel_can_be_disabled_enabled_and_deleted() {
    let fixture = Fixture::new();
    fixture.put_channel("ch");
    let status = |fixture: &Fixture| fixture.call("GET", "/demo/ch?comp=stat&live", b"").xml();
    assert_eq!(status(&fixture), "<LiveChannelStat><Status>Idle</Status></LiveChannelStat>");
    for _ in 0..2 {
        let response = fixture.call("PUT", "/demo/ch?live&status=disabled", b"");
        assert_eq!((response.status, response.header("Content-Length")), (200, Some("0")));
    }
    assert_eq!(status(&fixture), "<LiveChannelStat><Status>Disabled</Status></LiveChannelStat>");
    assert_eq!(fixture.call("PUT", "/demo/ch?live&status=enabled", b"").status, 200);
    for _ in 0..2 {
        assert_eq!(fixture.call("DELETE", "/demo/ch?live", b"").status, 204);
    }
    for target in ["/demo/ch?live", "/demo/ch?live&comp=stat", "/demo/ch?live&comp=history"] {
        let error = fixture.call("GET", target, b"").error();
        assert_eq!(error, (404, "NoSuchLiveChannel".into()));
    }
    let response = fixture.call("PUT", "/demo/ch?live&status=enabled", b"");
    assert_eq!(response.error(), (404, "NoSuchLiveChannel".into()));
}

#[test]
fn a_live_channel_shows_its_stream_and_cannot_be_changed() {
    let fixture = Fixture::new();
    fixture.put_channel("ch");
    let session = fixture.publish("ch");
    let stat = || fixture.call("GET", "/demo/ch?live&comp=stat", b"").xml();
    assert_eq!(
        stat(),
        "<LiveChannelStat><Status>Live</Status>\
         <ConnectedTime>2026-11-22T08:16:38.000Z</ConnectedTime>\
         <RemoteAddr>203.0.113.9:47745</RemoteAddr></LiveChannelStat>"
    );
    session.update(StreamStat {
        video: Some(VideoStat {
            codec: Codec::H264,
            width: 1280,
            height: 720,
            frame_rate: 29,
            bandwidth: 72513,
        }),
        audio: Some(AudioStat { codec: Codec::Aac, bandwidth: 6519, sample_rate: 44100 }),
    });
    assert!(stat().ends_with(
        "<Video><Width>1280</Width><Height>720</Height><FrameRate>29</FrameRate>\
         <Bandwidth>72513</Bandwidth><Codec>H264</Codec></Video><Audio>\
         <Bandwidth>6519</Bandwidth><SampleRate>44100</SampleRate><Codec>AAC</Codec></Audio>\
         </LiveChannelStat>"
    ));
    let refused = (409, "ChannelStillLive".to_owned());
    assert_eq!(fixture.call("PUT", "/demo/ch?live", CONFIGURATION).error(), refused);
    assert_eq!(fixture.call("DELETE", "/demo/ch?live", b"").error(), refused);
    assert_eq!(fixture.call("PUT", "/demo/ch?live&status=enabled", b"").error(), refused);
    assert_eq!(fixture.call("PUT", "/demo/ch?live&status=disabled", b"").status, 200);
}

#[test]
fn the_history_contains_the_ended_sessions() {
    let fixture = Fixture::new();
    fixture.put_channel("ch");
    let history = || fixture.call("GET", "/demo/ch?live&comp=history", b"").xml();
    assert_eq!(history(), "<LiveChannelHistory></LiveChannelHistory>");
    let session = fixture.publish("ch");
    fixture.now.fetch_add(10, Ordering::Relaxed);
    drop(session);
    assert_eq!(
        history(),
        "<LiveChannelHistory><LiveRecord><StartTime>2026-11-22T08:16:38.000Z</StartTime>\
         <EndTime>2026-11-22T08:16:48.000Z</EndTime><RemoteAddr>203.0.113.9:47745</RemoteAddr>\
         </LiveRecord></LiveChannelHistory>"
    );
}

#[test]
fn channels_are_listed_page_by_page() {
    let fixture = Fixture::new();
    let empty = fixture.call("GET", "/demo?live", b"");
    assert_eq!(
        empty.xml(),
        "<ListLiveChannelResult><Prefix></Prefix><Marker></Marker><MaxKeys>100</MaxKeys>\
         <IsTruncated>false</IsTruncated></ListLiveChannelResult>"
    );
    for name in ["cam-1", "cam-2", "cam-3", "直 播"] {
        fixture.put_channel(name);
    }
    let first = fixture.call("GET", "/demo/?max-keys=2&prefix=cam-&live=&marker=", b"");
    assert_eq!(first.texts("Name"), ["cam-1", "cam-2"]);
    assert_eq!(first.text("Prefix").as_deref(), Some("cam-"));
    assert_eq!(first.text("IsTruncated").as_deref(), Some("true"));
    assert_eq!(first.text("NextMarker").as_deref(), Some("cam-2"));
    let second = fixture.call("GET", "/demo?live&marker=cam-2&max-keys", b"");
    assert_eq!(second.texts("Name"), ["cam-3", "直 播"]);
    assert_eq!(second.text("Marker").as_deref(), Some("cam-2"));
    assert!(second.xml().ends_with(
        "<LiveChannel><Name>直 播</Name><Description>front door</Description>\
         <Status>enabled</Status><LastModified>2026-11-22T08:16:38.000Z</LastModified>\
         <PublishUrls><Url>rtmp://127.0.0.1:9000/demo/live/%E7%9B%B4%20%E6%92%AD</Url>\
         </PublishUrls><PlayUrls>\
         <Url>http://127.0.0.1:9000/demo/%E7%9B%B4%20%E6%92%AD/playlist.m3u8</Url></PlayUrls>\
         </LiveChannel></ListLiveChannelResult>"
    ));
    for max in ["0", "1001", "-1", "+5", "x"] {
        let response = fixture.call("GET", &format!("/demo?live&max-keys={max}"), b"");
        assert_eq!(response.error(), (400, "InvalidArgument".into()), "{max}");
        assert_eq!(response.text("ArgumentName").as_deref(), Some("max-keys"));
    }
    let long = fixture.call("GET", &format!("/demo?live&prefix={}", "x".repeat(1025)), b"");
    assert_eq!(long.header("x-oss-ec"), Some("0044-00000102"));
    let no_utf8 = fixture.anonymous("GET", "/demo?live&prefix=%ff");
    assert_eq!(no_utf8.header("x-oss-ec"), Some("0044-00000102"));
}

#[test]
fn a_vod_playlist_can_be_stored_and_fetched() {
    let fixture = Fixture::new();
    fixture.put_channel("ch");
    fixture.record("ch", 2);
    let span = format!("vod&startTime={NOW}&endTime={}", NOW + 60);
    let got = fixture.call("GET", &format!("/demo/ch?{span}"), b"");
    assert_eq!(got.status, 200);
    assert_eq!(got.header("Content-Type"), Some("application/x-mpegURL"));
    assert!(got.body.contains("#EXT-X-ENDLIST") && got.body.contains("1795335403000.ts"));
    let posted = fixture.call("POST", &format!("/demo/ch/vod.m3u8?{span}"), b"");
    assert_eq!((posted.status, posted.header("Content-Length")), (200, Some("0")));
    assert_eq!(posted.header("ETag"), got.header("ETag"));
    let object = fixture.call("GET", "/demo/ch/vod.m3u8", b"");
    assert_eq!(object.body, got.body);
    assert_eq!(object.header("ETag"), got.header("ETag"));
    assert_eq!(object.header("Content-Type"), Some("application/vnd.apple.mpegurl"));
}

#[test]
fn invalid_vod_playlist_requests_are_refused() {
    let fixture = Fixture::new();
    fixture.put_channel("ch");
    let ec = |method: &str, target: &str| {
        let response = fixture.call(method, target, b"");
        assert_eq!(response.error(), (400, "InvalidArgument".into()), "{target}");
        response.text("EC")
    };
    let start = NOW - 100;
    let end = NOW;
    let nothing = Some("0044-00000308".to_owned());
    let target = format!("/demo/ch/v.m3u8?vod&startTime={start}&endTime={end}");
    assert_eq!(ec("POST", &target), nothing);
    // Recordings matter, not whether the channel still exists.
    assert_eq!(ec("POST", &target.replace("/ch/", "/gone/")), nothing);
    let day = format!("/demo/ch?vod&startTime={start}&endTime={}", start + 86_400);
    assert_eq!(ec("GET", &day), nothing);
    let span = |start: i64, end: i64| format!("/demo/ch?vod&startTime={start}&endTime={end}");
    assert_eq!(ec("GET", &span(start, start + 86_401)).as_deref(), Some("0044-00000307"));
    assert_eq!(ec("GET", &span(end, end)), nothing, "a span of zero length is valid");
    assert_eq!(ec("GET", &span(end, start)).as_deref(), Some("0044-00000306"));
    let bad_end = Some("0044-00000305".to_owned());
    assert_eq!(ec("GET", &format!("/demo/ch?vod&startTime={start}")), bad_end);
    assert_eq!(ec("GET", &format!("/demo/ch?vod&startTime={start}&endTime=x")), bad_end);
    let bad_start = Some("0044-00000304".to_owned());
    assert_eq!(ec("GET", &format!("/demo/ch?vod&endTime={end}")), bad_start);
    assert_eq!(ec("GET", &format!("/demo/ch?vod&startTime=x&endTime={end}")), bad_start);
    let bad_name = Some("0044-00000403".to_owned());
    assert_eq!(ec("POST", "/demo/ch/vod?vod&startTime=1&endTime=2"), bad_name);
    assert_eq!(ec("POST", "/demo/ch?vod&startTime=1&endTime=2"), bad_name);
    assert_eq!(ec("POST", "/demo/ch/a/v.m3u8?vod&startTime=1&endTime=2"), None);
}

#[test]
fn channel_names_are_checked_on_every_operation() {
    let fixture = Fixture::new();
    let long = "x".repeat(64);
    let (slash, too_long) = ("/demo/a/b", format!("/demo/{long}"));
    for (method, query) in [
        ("PUT", "live"),
        ("PUT", "live&status=enabled"),
        ("GET", "live"),
        ("GET", "live&comp=stat"),
        ("GET", "live&comp=history"),
        ("DELETE", "live"),
        ("GET", "vod&startTime=1&endTime=2"),
    ] {
        for (path, message) in [
            (slash, "ChannelName must not contain a slash."),
            (too_long.as_str(), "The Length of channel name must be less than 64."),
        ] {
            let response = fixture.call(method, &format!("{path}?{query}"), CONFIGURATION);
            assert_eq!(response.error(), (400, "InvalidChannelName".into()), "{method} {path}");
            assert_eq!(response.text("Message").as_deref(), Some(message));
        }
        let no_utf8 = fixture.anonymous(method, &format!("/demo/%ff?{query}"));
        assert_eq!(no_utf8.error(), (400, "InvalidChannelName".into()));
        assert_eq!(
            no_utf8.text("Message").as_deref(),
            Some("The characters encoding must be utf-8.")
        );
    }
    assert_eq!(fixture.call("PUT", "/demo?live", b"x").error(), (400, "InvalidChannelName".into()));
    fixture.put_channel(&"x".repeat(63));
}

#[test]
fn bodies_are_checked_before_they_are_parsed() {
    let fixture = Fixture::new();
    let put = |headers: &[(&str, &str)], body: &[u8]| {
        fixture.call_with("PUT", "/demo/ch?live", headers, body)
    };
    assert_eq!(put(&[], b"").error(), (400, "MalformedXML".into()));
    assert_eq!(put(&[], b"<!DOCTYPE a><a/>").error(), (400, "MalformedXML".into()));
    let right = BASE64_STANDARD.encode(Md5::digest(CONFIGURATION));
    assert_eq!(put(&[("content-md5", &right)], CONFIGURATION).status, 200);
    for wrong in ["nonsense", "", "pvK4LxHV/BbxcPVCP+ebqA=="] {
        let response = put(&[("content-md5", wrong)], CONFIGURATION);
        assert_eq!(response.error(), (400, "InvalidDigest".into()), "{wrong}");
    }
    let response = put(&[], &vec![b' '; (64 << 10) + 1]);
    assert_eq!(response.error(), (400, "EntityTooLarge".into()));
    let mut request = plain("PUT", "/demo/ch?live", b"");
    request.headers.retain(|(name, _)| name != "content-length");
    fixture.sign(&mut request);
    assert_eq!(fixture.send(&request).error(), (411, "MissingContentLength".into()));
    request.headers.push(("transfer-encoding".into(), "chunked".into()));
    request.body = CONFIGURATION.to_vec();
    assert_eq!(fixture.send(&request).status, 200);
}

#[test]
fn every_response_has_the_headers_of_the_service() {
    let fixture = Fixture::new();
    fixture.put_channel("ch");
    let mut ids = std::collections::HashSet::new();
    for (method, target) in [
        ("GET", "/demo/ch?live"),
        ("DELETE", "/demo/none?live"),
        ("GET", "/demo/none"),
        ("HEAD", "/demo/none"),
        ("GET", "/%"),
        ("OPTIONS", "/demo/ch"),
    ] {
        let response = fixture.call_if_possible(method, target);
        assert_eq!(response.header("Server"), Some("AliyunOSS"));
        assert_eq!(response.header("Date"), Some("Sun, 22 Nov 2026 08:16:38 GMT"));
        assert_eq!(response.header("Access-Control-Allow-Origin"), None);
        assert_eq!(response.header("X-Content-Type-Options"), Some("nosniff"));
        assert_eq!(response.header("Cross-Origin-Resource-Policy"), Some("same-origin"));
        assert!(response.header("x-oss-server-time").unwrap().parse::<u64>().is_ok());
        let length: usize = response.header("Content-Length").unwrap().parse().unwrap();
        assert!(method == "HEAD" || length == response.body.len());
        let id = response.header("x-oss-request-id").unwrap().to_owned();
        assert_eq!(id.len(), 24);
        assert_eq!(&id[..8], "6B02A4E6");
        assert!(id.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b)));
        assert!(ids.insert(id));
    }
}

impl Fixture {
    fn call_if_possible(&self, method: &str, target: &str) -> TestResponse {
        if target.contains('%') {
            self.anonymous(method, target)
        } else {
            self.call(method, target, b"")
        }
    }
}

#[test]
fn an_error_response_has_the_format_of_the_service() {
    let fixture = Fixture::new();
    let response = fixture.call(
        "PUT",
        "/demo/ch?live",
        b"<LiveChannelConfiguration><Target>\
        <Type>RTMP</Type></Target></LiveChannelConfiguration>",
    );
    let id = response.header("x-oss-request-id").unwrap();
    assert_eq!(response.header("x-oss-ec"), Some("0044-00000013"));
    assert_eq!(
        response.xml(),
        format!(
            "<Error><Code>InvalidArgument</Code><Message>Type must be HLS.</Message>\
             <RequestId>{id}</RequestId><HostId>{HOST}</HostId><ArgumentName>Type</ArgumentName>\
             <ArgumentValue>RTMP</ArgumentValue><EC>0044-00000013</EC>\
             <RecommendDoc>https://api.aliyun.com/troubleshoot?q=0044-00000013</RecommendDoc>\
             </Error>"
        )
    );
}

#[test]
fn errors_of_head_requests_are_in_the_headers() {
    let fixture = Fixture::new();
    let response = fixture.call("HEAD", "/demo/none", b"");
    assert_eq!((response.status, response.body.as_str()), (404, ""));
    let document = BASE64_STANDARD.decode(response.header("x-oss-err").unwrap()).unwrap();
    assert!(String::from_utf8(document).unwrap().contains("<Code>NoSuchKey</Code>"));
    let mut request = plain("HEAD", &format!("/demo/none?x={}", "x".repeat(20_000)), b"");
    fixture.sign(&mut request);
    request.headers.last_mut().unwrap().1.push('x');
    let response = fixture.send(&request);
    assert_eq!(response.status, 403);
    assert!(response.header("x-oss-err").unwrap().len() < refusal::MAX_ERR_HEADER);
}

#[test]
fn unsupported_and_invalid_requests_are_refused_with_their_reason() {
    let fixture = Fixture::new();
    for (method, target, status, code) in [
        ("GET", "/demo?policy", 501, "NotImplemented"),
        ("POST", "/demo/k?uploads", 501, "NotImplemented"),
        ("POST", "/demo/k", 405, "MethodNotAllowed"),
        ("POST", "/demo/ch?live", 405, "MethodNotAllowed"),
        ("GET", "/demo/ch?live&comp=x", 400, "InvalidArgument"),
        ("GET", "/none?live", 404, "NoSuchBucket"),
        ("PUT", "/none/ch?live", 404, "NoSuchBucket"),
        ("GET", "/Bad_Bucket?live", 400, "InvalidBucketName"),
        ("GET", "//x", 400, "InvalidBucketName"),
        ("GET", "/demo//x", 400, "InvalidObjectName"),
    ] {
        assert_eq!(fixture.call(method, target, b"").error(), (status, code.into()), "{target}");
    }
    assert_eq!(fixture.anonymous("GET", "/demo/%zz").error(), (400, "InvalidURI".into()));
    assert_eq!(fixture.anonymous("GET", "/demo/a?x=%zz").error().0, 400);
    let response = fixture.anonymous("GET", "/demo/%ff");
    assert_eq!(response.error(), (400, "InvalidArgument".into()));
    assert_eq!(response.text("Message").as_deref(), Some("The characters encoding must be utf-8."));
    let response = fixture.call("POST", "/demo/k", b"");
    assert_eq!(response.header("Allow"), Some("GET DELETE HEAD PUT POST OPTIONS"));
    assert_eq!(response.text("Method").as_deref(), Some("POST"));
    assert_eq!(response.text("ResourceType").as_deref(), Some("Object"));
    let response = fixture.call("GET", "/demo?policy", b"");
    assert_eq!(response.text("Header").as_deref(), Some("policy"));
    let tagging = [("x-oss-tagging", "a=b")];
    let response = fixture.call_with("PUT", "/demo/b", &tagging, b"");
    assert_eq!(response.text("Header").as_deref(), Some("x-oss-tagging"));
}

#[test]
fn a_public_acl_grants_access_to_objects_only() {
    let fixture = Fixture::new();
    fixture.put_channel("ch");
    for (acl, read, write) in [
        (Acl::Private, false, false),
        (Acl::PublicRead, true, false),
        (Acl::PublicReadWrite, true, true),
    ] {
        fixture.store.create_bucket("demo", acl).unwrap();
        fixture.call("PUT", "/demo/k", b"x");
        let is_denied = |method: &str, target: &str| {
            let response = fixture.anonymous(method, target);
            if method == "HEAD" {
                response.status == 403
            } else {
                response.error() == (403, "AccessDenied".into())
            }
        };
        assert_eq!(is_denied("GET", "/demo/k"), !read);
        assert_eq!(is_denied("HEAD", "/demo/k"), !read);
        assert_eq!(is_denied("GET", "/demo/none"), !read);
        assert_eq!(is_denied("PUT", "/demo/k2"), !write);
        assert_eq!(is_denied("DELETE", "/demo/k"), !write);
        for (method, target) in [
            ("GET", "/"),
            ("GET", "/demo"),
            ("GET", "/demo?bucketInfo"),
            ("GET", "/demo?uploads"),
            ("PUT", "/demo"),
            ("PUT", "/other"),
            ("DELETE", "/demo"),
            ("POST", "/demo?delete"),
            ("GET", "/demo?live"),
            ("GET", "/demo/ch?live"),
            ("PUT", "/demo/ch?live"),
            ("PUT", "/demo/ch?live&status=disabled"),
            ("DELETE", "/demo/ch?live"),
            ("GET", "/demo/ch?vod&startTime=1&endTime=2"),
            ("POST", "/demo/ch/v.m3u8?vod&startTime=1&endTime=2"),
        ] {
            assert!(is_denied(method, target), "{acl} {method} {target}");
        }
        // An invalid signature is refused even where none is required.
        let response =
            fixture.anonymous("GET", "/demo/k?OSSAccessKeyId=no&Expires=1795338998&Signature=x");
        assert_eq!(response.error(), (403, "InvalidAccessKeyId".into()));
    }
}

#[test]
fn channel_operations_are_limited_per_second() {
    let fixture = Fixture::with(Some(2));
    let list = || fixture.call("GET", "/demo?live", b"").status;
    assert_eq!([list(), list(), list()], [200, 200, 503]);
    let response = fixture.call("GET", "/demo?live", b"");
    assert_eq!(response.error(), (503, "MetaOperationQpsLimitExceeded".into()));
    assert_eq!(
        response.text("Message").as_deref(),
        Some("Qps limit for the meta operation is exceeded.")
    );
    assert_eq!(fixture.call("PUT", "/demo/k", b"x").status, 200, "objects are not limited");
    assert_eq!(fixture.anonymous("GET", "/demo?live").status, 403, "access is checked first");
    fixture.now.fetch_add(1, Ordering::Relaxed);
    assert_eq!(list(), 200);
}

#[test]
fn every_signed_url_in_the_test_vectors_is_accepted() {
    let vectors = include_str!("../../../tests/data/signing-vectors.json");
    let cases: Vec<serde_json::Value> = serde_json::from_str(vectors).unwrap();
    let mut seen = 0;
    for case in cases.iter().filter(|case| case["kind"].as_str().unwrap().ends_with("presign")) {
        let fixture = Fixture::new();
        let url = case["url"].as_str().unwrap().strip_prefix("https://").unwrap();
        let (host, target) = url.split_at(url.find('/').unwrap());
        let mut request = plain(case["method"].as_str().unwrap(), target, b"");
        request.host = host.into();
        for (name, value) in case["headers"].as_object().unwrap() {
            request.headers.push((name.clone(), value.as_str().unwrap().into()));
        }
        let response = fixture.send(&request);
        let expected: &[&str] = &["NoSuchLiveChannel", "InvalidArgument"];
        let code = response.text("Code");
        assert!(
            response.status == 200 || expected.contains(&code.as_deref().unwrap()),
            "{} {}",
            case["id"],
            response.body
        );
        assert!(!response.body.contains("Signature"), "{}", response.body);
        seen += 1;
    }
    assert_eq!(seen, 8);
}

/// Returns the target of a presigned GET.
fn presigned(version: u8, key: &str, query: &str) -> String {
    let base = format!("/demo/{key}?{query}");
    let parsed = Query::parse(query).unwrap();
    let mut params = parsed.parts();
    if version == 1 {
        let expires = (NOW + 60).to_string();
        let parts = Parts { method: "GET", bucket: "demo", key, query: &params, headers: &[] };
        let text = v1::string_to_sign(&parts, &expires);
        let signature = v1::signature(&v1::Key::new(SECRET), &text);
        let signature = osslive::request::percent_encode(&signature);
        return format!("{base}&OSSAccessKeyId={ID}&Expires={expires}&Signature={signature}");
    }
    let scope = v4::Scope { date: "20261122", region: "cn-hangzhou", product: "oss" };
    let credential = format!("{ID}/{scope}");
    let extra = [
        ("x-oss-signature-version", Some("OSS4-HMAC-SHA256")),
        ("x-oss-credential", Some(credential.as_str())),
        ("x-oss-date", Some("20261122T081638Z")),
        ("x-oss-expires", Some("60")),
    ];
    params.extend(extra);
    let parts = Parts { method: "GET", bucket: "demo", key, query: &params, headers: &[] };
    let canonical = v4::canonical_request(&parts, &[], v4::UNSIGNED_PAYLOAD);
    let text = v4::string_to_sign("20261122T081638Z", &scope, &canonical);
    let signature = v4::signature(&v4::Key::derive(SECRET, &scope), &text);
    let extra: String =
        extra.iter().map(|(name, value)| format!("&{name}={}", value.unwrap())).collect();
    format!("{base}{extra}&x-oss-signature={signature}")
}

#[test]
fn the_segments_of_a_signed_playlist_are_signed_with_the_same_expiry() {
    for version in [1, 4] {
        let fixture = Fixture::new();
        fixture.put_channel("ch");
        fixture.record("ch", 2);
        let target = presigned(version, "ch/playlist.m3u8", "x-oss-process=hls/sign");
        let response = fixture.anonymous("GET", &target);
        assert_eq!(response.status, 200, "{}", response.body);
        assert_eq!(response.header("Content-Type"), Some("application/vnd.apple.mpegurl"));
        let segments: Vec<&str> =
            response.body.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(segments.len(), 2);
        for segment in segments {
            let response = fixture.anonymous("GET", &format!("/demo/ch/{segment}"));
            assert_eq!((response.status, response.body.len()), (200, 188), "{}", response.body);
            let name = segment.split('?').next().unwrap();
            assert_eq!(fixture.anonymous("GET", &format!("/demo/ch/{name}")).status, 403);
        }
        fixture.now.fetch_add(61, Ordering::Relaxed);
        let late = fixture.anonymous("GET", &target);
        assert_eq!(late.text("Message").as_deref(), Some("Request has expired."));
    }
}

#[test]
fn playlists_that_cannot_be_signed_are_refused_with_the_services_message() {
    let fixture = Fixture::new();
    let big = vec![b'#'; (1 << 20) + 1];
    let master = b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n1.ts\n".to_vec();
    for (body, message) in [
        (
            big,
            "Size of playlist is too big: at most 1048576 bytes, and 16384 per line, are allowed.",
        ),
        (b"#EXTM3U\n".to_vec(), "No ts found in the playlist."),
        (vec![0xff; 10], "No ts found in the playlist."),
        (master, "Master playlist has ts file."),
    ] {
        assert_eq!(fixture.call("PUT", "/demo/p.m3u8", &body).status, 200);
        let response = fixture.anonymous("GET", &presigned(4, "p.m3u8", "x-oss-process=hls/sign"));
        assert_eq!(response.error(), (400, "InvalidRequest".into()));
        assert_eq!(response.text("Message").as_deref(), Some(message));
    }
    let response = fixture.call("GET", "/demo/p.m3u8?x-oss-process=hls/sign", b"");
    assert_eq!(response.error(), (400, "InvalidRequest".into()));
    let response = fixture.anonymous("GET", &presigned(4, "none", "x-oss-process=hls/sign"));
    assert_eq!(response.error(), (404, "NoSuchKey".into()));
}

#[test]
fn a_request_with_a_refused_body_gets_the_most_important_reason() {
    let fixture = Fixture::new();
    let mut request = plain("PUT", "/demo/k", b"");
    assert_eq!(fixture.service.body_limit(&request), 64 << 10);
    let refused = TestResponse::of(fixture.service.refuse(&request, too_large()));
    assert_eq!(refused.error(), (403, "AccessDenied".into()));
    fixture.sign(&mut request);
    assert_eq!(fixture.service.body_limit(&request), 64 << 20);
    let refused = TestResponse::of(fixture.service.refuse(&request, too_large()));
    assert_eq!(refused.error(), (400, "EntityTooLarge".into()));
}

/// A small random number generator, the same in every run (xorshift).
struct Noise(u64);

impl Noise {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below as u64) as usize
    }

    fn mutate(&mut self, text: &str) -> String {
        const PIECES: &[&str] = &[
            "%", "%ff", "/", "?", "&", "=", "é", "\u{0}", "..", "-", "9", "live", "vod", "\r\n",
            "bytes=", ":", ",", "",
        ];
        let mut text: Vec<char> = text.chars().collect();
        for _ in 0..=self.next(3) {
            let at = self.next(text.len() + 1);
            let end = (at + self.next(4)).min(text.len());
            let piece = PIECES[self.next(PIECES.len())];
            text.splice(at..end, piece.chars());
        }
        text.into_iter().collect()
    }
}

#[test]
fn random_requests_get_a_response_and_never_panic() {
    let fixture = Fixture::new();
    fixture.put_channel("ch");
    fixture.record("ch", 1);
    let span = format!("vod&startTime={NOW}&endTime={}", NOW + 60);
    let seeds: Vec<Request> = [
        ("PUT", "/demo/ch?live".to_owned(), CONFIGURATION),
        ("GET", "/demo/ch?live&comp=stat".to_owned(), b""),
        ("GET", "/demo?live&max-keys=10&prefix=c&marker=a".to_owned(), b""),
        ("POST", format!("/demo/ch/v.m3u8?{span}"), b""),
        ("GET", presigned(4, "ch/playlist.m3u8", "x-oss-process=hls/sign"), b""),
        ("GET", presigned(1, "ch/playlist.m3u8", "x-oss-process=hls/sign"), b""),
        ("GET", "/demo?list-type=2&continuation-token=YQ&delimiter=/".to_owned(), b""),
        ("POST", "/demo?delete".to_owned(), b"<Delete><Object><Key>a</Key></Object></Delete>"),
    ]
    .into_iter()
    .map(|(method, target, body)| {
        let mut request = plain(method, &target, body);
        request.headers.push(("range".into(), "bytes=0-1".into()));
        if !target.contains("Signature") && !target.contains("x-oss-signature") {
            fixture.sign(&mut request);
        }
        request
    })
    .collect();
    let mut noise = Noise(0x9E37_79B9_7F4A_7C15);
    for round in 0..20_000 {
        let mut request = seeds[round % seeds.len()].clone();
        match noise.next(6) {
            0 => request.path = noise.mutate(&request.path),
            1 => request.query = noise.mutate(&request.query),
            2 => request.host = noise.mutate(&request.host),
            3 => request.method = noise.mutate(&request.method),
            4 => {
                let at = noise.next(request.headers.len());
                request.headers[at].1 = noise.mutate(&request.headers[at].1);
            }
            _ => {
                let body = String::from_utf8_lossy(&request.body).into_owned();
                request.body = noise.mutate(&body).into_bytes();
                let at = request.headers.iter().position(|(name, _)| name == "authorization");
                // Signed after the change, so that it is not refused for its signature.
                if let Some(at) = at {
                    request.headers.truncate(at - 2);
                    fixture.sign(&mut request);
                }
            }
        }
        let response = fixture.service.respond(&request);
        assert!((200..=503).contains(&response.status), "{request:?} {response:?}");
        assert!(response.status != 500, "{request:?} {response:?}");
    }
}
