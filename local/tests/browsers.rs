//! Cross-site requests from browsers are refused, whatever their signature: the
//! default key is public, so a signature proves nothing.

mod support;

use osslive::ChannelConfig;
use osslive::request::percent_encode;
use osslive::sign::{Parts, v1};
use osslive_local::{Acl, Config};
use support::{Response, Stage};

const BUCKET: &str = Config::BUCKET;
const ELSEWHERE: &str = "http://localhost:3000";
/// 9999-12-31T23:59:59Z, which a page could contain as a constant.
const NEVER: &str = "253402300799";

/// Headers that browsers send with cross-site requests, one set per line.
const MARKS: &[&str] = &[
    "Origin: https://evil.example\r\n",
    "Origin: http://localhost:3000\r\n",
    "Origin: http://127.0.0.1\r\n",
    "Origin: null\r\n",
    "Origin:\r\n",
    "Origin: https://evil.example\r\nOrigin: http://localhost:3000\r\n",
    "Origin: http://127.0.0.1,http://127.0.0.1\r\n",
    "Origin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: cors\r\n",
    "Origin: https://evil.example\r\nSec-Fetch-Site: same-origin\r\n",
    "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n",
    "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n",
    "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\n",
    "Sec-Fetch-Site: same-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: script\r\n",
    "Sec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site\r\n",
    "Sec-Fetch-Site: else\r\n",
    "Sec-Fetch-Site:\r\n",
];

struct Site {
    stage: Stage,
}

impl Site {
    /// Starts an endpoint with a channel and a private object.
    fn start(configure: impl FnOnce(Config) -> Config) -> Site {
        let site = Site { stage: Stage::start(configure) };
        site.stage.client().put_channel("cam", &ChannelConfig::new("")).unwrap();
        assert_eq!(site.signed("PUT", "private.txt", &[], "", b"a secret").status, 200);
        assert_eq!(site.signed("PUT", "cam/p.m3u8", &[], "", PLAYLIST).status, 200);
        site
    }

    /// Sends a request with a URL signature that never expires.
    fn signed(
        &self,
        method: &str,
        key: &str,
        query: &[(&str, Option<&str>)],
        headers: &str,
        body: &[u8],
    ) -> Response {
        self.send(method, &target(method, key, query), "127.0.0.1", headers, body)
    }

    fn send(&self, method: &str, target: &str, host: &str, headers: &str, body: &[u8]) -> Response {
        let length = if body.is_empty() && method != "PUT" {
            String::new()
        } else {
            format!("Content-Length: {}\r\n", body.len())
        };
        let head = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
        let peer = self.stage.connect();
        let _ = peer.send([format!("{head}{length}{headers}\r\n").as_bytes(), body].concat());
        Response::parse(&peer.read_to_close())
    }

    /// Checks that everything is as it was at the start.
    fn assert_unchanged(&self) {
        let channel = self.stage.client().get_channel("cam").unwrap();
        assert_eq!(channel.status, osslive::ChannelState::Enabled);
        assert_eq!(
            self.stage.client().list_channels(&Default::default()).unwrap().channels.len(),
            1
        );
        assert_eq!(self.signed("GET", "private.txt", &[], "", b"").body, b"a secret");
        assert_eq!(self.signed("GET", "new.txt", &[], "", b"").status, 404);
    }
}

const PLAYLIST: &[u8] = b"#EXTM3U\n#EXTINF:1.000,\n1.ts\n#EXT-X-ENDLIST\n";

fn target(method: &str, key: &str, query: &[(&str, Option<&str>)]) -> String {
    let parts = Parts { method, bucket: BUCKET, key, query, headers: &[] };
    let text = v1::string_to_sign(&parts, NEVER);
    let signature = v1::signature(&v1::Key::new(Config::ACCESS_KEY_SECRET), &text);
    let query: String = query
        .iter()
        .map(|(name, value)| match value {
            Some(value) => format!("{name}={}&", percent_encode(value)),
            None => format!("{name}&"),
        })
        .collect();
    let id = Config::ACCESS_KEY_ID;
    let signature = percent_encode(&signature);
    format!("/{BUCKET}/{key}?{query}OSSAccessKeyId={id}&Expires={NEVER}&Signature={signature}")
}

fn assert_refused(what: &str, response: &Response) {
    assert_eq!(response.status, 403, "{what}: {response:?}");
    let head = response.head.to_ascii_lowercase();
    assert!(!head.contains("access-control-"), "{what}: {response:?}");
    assert!(!response.text().contains("a secret"), "{what}: {response:?}");
}

/// Method, key, parameters and body of an operation that the owner may perform.
type Operation =
    (&'static str, &'static str, &'static [(&'static str, Option<&'static str>)], &'static [u8]);

const OPERATIONS: &[Operation] = &[
    ("GET", "", &[], b""),
    ("GET", "", &[("live", None)], b""),
    ("GET", "private.txt", &[], b""),
    ("HEAD", "private.txt", &[], b""),
    ("GET", "cam", &[("live", None)], b""),
    ("GET", "cam/p.m3u8", &[("x-oss-process", Some("hls/sign"))], b""),
    ("PUT", "new.txt", &[], b"cross-site"),
    ("PUT", "cam", &[("live", None), ("status", Some("disabled"))], b""),
    ("DELETE", "cam", &[("live", None)], b""),
    ("DELETE", "private.txt", &[], b""),
    ("POST", "", &[("delete", None)], b"<Delete><Object><Key>private.txt</Key></Object></Delete>"),
    ("DELETE", "", &[], b""),
];

#[test]
fn cross_site_requests_are_refused_even_with_a_valid_signature() {
    let site = Site::start(|config| config);
    for mark in MARKS {
        for (method, key, query, body) in OPERATIONS {
            let response = site.signed(method, key, query, mark, body);
            assert_refused(&format!("{method} /{key} {query:?} {mark}"), &response);
        }
        for target in ["/", "/live-demo/", "/live-demo/cam", "/other-bucket", "/%zz"] {
            let response = site.send("GET", target, "127.0.0.1", mark, b"");
            assert_refused(&format!("{target} {mark}"), &response);
        }
    }
    site.assert_unchanged();
}

#[test]
fn cross_site_requests_for_a_public_bucket_are_refused_too() {
    let site = Site::start(|config| config.acl(Acl::PublicReadWrite));
    for mark in MARKS {
        for (method, key) in [("GET", "private.txt"), ("PUT", "new.txt"), ("DELETE", "private.txt")]
        {
            let target = format!("/{BUCKET}/{key}");
            let response = site.send(method, &target, "127.0.0.1", mark, b"");
            assert_refused(&format!("{method} {target} {mark}"), &response);
        }
    }
    site.assert_unchanged();
}

#[test]
fn a_preflight_request_without_a_rule_is_refused() {
    let site = Site::start(|config| config);
    for method in ["GET", "PUT", "POST", "DELETE", "HEAD"] {
        let headers = format!("Origin: {ELSEWHERE}\r\nAccess-Control-Request-Method: {method}\r\n");
        for target in ["/", "/live-demo", "/live-demo/cam/p.m3u8", "/none/x"] {
            let response = site.send("OPTIONS", target, "127.0.0.1", &headers, b"");
            assert_refused(&format!("{method} {target}"), &response);
            assert!(response.text().contains("<Code>AccessForbidden</Code>"), "{response:?}");
        }
    }
}

/// If a foreign name resolves to this machine, browsers consider the endpoint part of
/// that site and do not mark requests as cross-site.
#[test]
fn requests_to_a_foreign_host_name_are_refused() {
    let site = Site::start(|config| config);
    for host in [
        "evil.example",
        "evil.example:9000",
        "127.0.0.1.evil.example",
        "localhost.evil.example:9000",
        "[::1].evil.example",
        "[::1]evil.example",
        "[127.0.0.1]",
        "[::1",
        "::1]",
        "evil.example@127.0.0.1",
        "127.0.0.1@evil.example",
        "127.0.0.1:9000:9000",
        "127.0.0.1:x",
        "127.0.0.1:99999",
        "127.0.0.1:",
        "localhost.",
        "127.0.0.1.",
        "127.1",
        "0x7f.0.0.1",
        "local host",
        "localhost/x",
        "localhost#x",
        "evil.example,localhost",
    ] {
        let target = target("GET", "private.txt", &[]);
        // The form for custom domains: the bucket is not in the path.
        let bound = target.strip_prefix("/live-demo").unwrap();
        for target in [target.as_str(), bound, "/_osslive/", "/"] {
            let response = site.send("GET", target, host, "", b"");
            // An invalid host is refused by the framing checks.
            assert!([400, 403].contains(&response.status), "{host} {target}: {response:?}");
            assert!(!response.text().contains("a secret"), "{host} {target}: {response:?}");
        }
    }
    for host in ["127.0.0.1", "127.0.0.1:9000", "LOCALHOST:80", "[::1]", "[::1]:9000", "10.0.0.1"] {
        let response = site.send("GET", &target("GET", "private.txt", &[]), host, "", b"");
        assert_eq!((response.status, response.text().contains("a secret")), (200, true), "{host}");
    }
}

#[test]
fn requests_that_are_not_cross_site_are_served() {
    let site = Site::start(|config| config);
    for mark in ["", "Sec-Fetch-Site: none\r\n", "Sec-Fetch-Site: same-origin\r\n"] {
        let response = site.signed("GET", "private.txt", &[], mark, b"");
        assert_eq!((response.status, &*response.body), (200, &b"a secret"[..]), "{mark}");
        assert!(response.header("access-control-allow-origin").is_none(), "{response:?}");
    }
}

/// The body contains a request signed by the owner, which must never be processed.
#[test]
fn a_request_in_a_refused_body_is_not_processed() {
    let site = Site::start(|config| config);
    let inner = format!(
        "DELETE {} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n",
        target("DELETE", "cam", &[("live", None)])
    );
    // The length and the version of an RTMP handshake.
    let handshake = [&[3][..], &[0; 1536], inner.as_bytes()].concat();
    for body in [inner.as_bytes(), &handshake] {
        for length in [body.len(), body.len() + 1_000_000] {
            let head = format!(
                "POST /live-demo/?delete HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: {ELSEWHERE}\r\n\
                 Content-Type: text/plain\r\nContent-Length: {length}\r\n\r\n"
            );
            let next = "GET /live-demo/x HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
            let peer = site.stage.connect();
            // The endpoint may close before everything is sent.
            let _ = peer.send([head.as_bytes(), body, next.as_bytes()].concat());
            let responses = String::from_utf8_lossy(&peer.read_to_close()).into_owned();
            let statuses: Vec<_> = responses.matches("HTTP/1.1 403 ").collect();
            assert_eq!(responses.matches("HTTP/1.1 ").count(), statuses.len(), "{responses}");
            assert!(statuses.len() <= 2, "{responses}");
        }
    }
    site.assert_unchanged();
}

#[test]
fn a_refusal_does_not_wait_for_the_body() {
    let site = Site::start(|config| config);
    for mark in MARKS {
        let peer = site.stage.connect();
        let target = target("PUT", "new.txt", &[]);
        let head = format!("PUT {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{mark}");
        peer.send(format!("{head}Content-Length: 1000\r\n\r\n")).unwrap();
        assert_eq!(peer.read_response().status, 403, "{mark}");
    }
    site.assert_unchanged();
}

#[test]
fn cors_rules_survive_a_restart() {
    let folder = tempfile::TempDir::new().unwrap();
    let start = || {
        let config = Config::new(folder.path().join("data"));
        let endpoint = osslive_local::LocalEndpoint::start(config).unwrap();
        Site { stage: Stage { endpoint, folder: tempfile::TempDir::new().unwrap() } }
    };
    let rules = b"<CORSConfiguration><CORSRule><AllowedOrigin>http://localhost:*</AllowedOrigin>\
        <AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>";
    let site = start();
    assert_eq!(site.signed("PUT", "private.txt", &[], "", b"a secret").status, 200);
    assert_eq!(site.signed("PUT", "", &[("cors", None)], "", rules).status, 200);
    drop(site);
    let site = start();
    let mark = format!("Origin: {ELSEWHERE}\r\nSec-Fetch-Site: cross-site\r\n");
    let response = site.signed("GET", "private.txt", &[], &mark, b"");
    assert_eq!((response.status, &*response.body), (200, &b"a secret"[..]));
    assert_eq!(response.header("access-control-allow-origin"), Some(ELSEWHERE));
    assert_eq!(response.header("vary"), Some("Origin"));
    assert_refused("DELETE", &site.signed("DELETE", "private.txt", &[], &mark, b""));
}

#[test]
fn configured_origins_may_play() {
    let site = Site::start(|config| config.cors(ELSEWHERE).cors("HTTPS://Player.example:443"));
    for origin in [ELSEWHERE, "https://player.example"] {
        let mark = format!("Origin: {origin}\r\nSec-Fetch-Site: cross-site\r\n");
        let playlist = [("x-oss-process", Some("hls/sign"))];
        let response = site.signed("GET", "cam/p.m3u8", &playlist, &mark, b"");
        assert_eq!(
            (response.status, response.header("access-control-allow-origin")),
            (200, Some(origin))
        );
        for (method, key, query, body) in
            OPERATIONS.iter().filter(|(_, key, ..)| *key != "cam/p.m3u8")
        {
            assert_refused(
                &format!("{method} {key}"),
                &site.signed(method, key, query, &mark, body),
            );
        }
    }
    let any = Site::start(|config| config.cors("*"));
    let mark = "Origin: null\r\nSec-Fetch-Site: cross-site\r\n";
    let response = any.signed("GET", "cam/p.m3u8", &[], mark, b"");
    assert_eq!((response.status, response.header("access-control-allow-origin")), (200, Some("*")));
    assert_refused("GET", &any.signed("GET", "private.txt", &[], mark, b""));
}

#[test]
fn an_invalid_configuration_is_refused_with_a_reason() {
    let error = |configure: fn(Config) -> Config| {
        let folder = tempfile::TempDir::new().unwrap();
        let config = configure(Config::new(folder.path().join("data")));
        osslive_local::LocalEndpoint::start(config).unwrap_err().to_string()
    };
    for (message, expected) in [
        (
            error(|config| config.cors("http://localhost:3000/")),
            "CORS origin \"http://localhost:3000/\": must be * or SCHEME://HOST[:PORT] without a path",
        ),
        (
            error(|config| config.cname("cdn.example:80")),
            "custom domain \"cdn.example:80\": must be a host name without a port",
        ),
        (
            error(|config| config.page_token("short")),
            "page token: must be 16 to 128 letters, digits, hyphens and underscores",
        ),
    ] {
        assert_eq!(message, expected);
    }
}

#[test]
fn requests_to_a_custom_domain_are_served() {
    let site = Site::start(|config| config.cname("Live.Example.com"));
    let target = target("GET", "private.txt", &[]);
    let bound = target.strip_prefix("/live-demo").unwrap();
    let response = site.send("GET", bound, "live.example.com:9000", "", b"");
    assert_eq!((response.status, &*response.body), (200, &b"a secret"[..]));
    assert_eq!(site.send("GET", bound, "www.live.example.com", "", b"").status, 403);
}

#[test]
fn the_page_has_a_new_token_at_each_start_unless_one_is_set() {
    let urls = [0, 1].map(|_| Site::start(|config| config).stage.endpoint.page_url().unwrap());
    assert_ne!(urls[0].split_once("token=").unwrap().1, urls[1].split_once("token=").unwrap().1);
    let site = Site::start(|config| config.page_token("a-token-of-my-own"));
    let url = site.stage.endpoint.page_url().unwrap();
    assert_eq!(url, format!("{}/_osslive/?token=a-token-of-my-own", site.stage.endpoint.url()));
    assert!(!format!("{:?}", site.stage.endpoint).contains("a-token-of-my-own"));
    assert_eq!(Site::start(|config| config.page(false)).stage.endpoint.page_url(), None);
    let everywhere = "0.0.0.0:0".parse().unwrap();
    // On addresses other than loopback, the secret must not be the default.
    let site = Stage::start(|config| config.listen(everywhere).access_key("id", "my own secret"));
    assert!(site.endpoint.page_url().unwrap().starts_with("http://127.0.0.1:"));
}
