//! What a browser asks on behalf of another site is refused, whatever its
//! signature: the default key is public, so a signature proves nothing there.

mod support;

use osslive::ChannelConfig;
use osslive::request::percent_encode;
use osslive::sign::{Parts, v1};
use osslive_local::{Acl, Config};
use support::{Reply, Stage};

const BUCKET: &str = Config::BUCKET;
const ELSEWHERE: &str = "http://localhost:3000";
/// 9999-12-31T23:59:59Z: what a page could hold as a constant.
const FOR_EVER: &str = "253402300799";

/// What browsers send with a request of another site's, one set a line.
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
    /// An endpoint with a channel and a private object.
    fn start(configure: impl FnOnce(Config) -> Config) -> Site {
        let site = Site { stage: Stage::start(configure) };
        site.stage.client().put_channel("cam", &ChannelConfig::new("")).unwrap();
        assert_eq!(site.signed("PUT", "private.txt", &[], "", b"a secret").status, 200);
        assert_eq!(site.signed("PUT", "cam/p.m3u8", &[], "", PLAYLIST).status, 200);
        site
    }

    /// Sends a request with a URL signature that is good for ever.
    fn signed(
        &self,
        method: &str,
        key: &str,
        query: &[(&str, Option<&str>)],
        headers: &str,
        body: &[u8],
    ) -> Reply {
        self.send(method, &target(method, key, query), "127.0.0.1", headers, body)
    }

    fn send(&self, method: &str, target: &str, host: &str, headers: &str, body: &[u8]) -> Reply {
        let length = if body.is_empty() && method != "PUT" {
            String::new()
        } else {
            format!("Content-Length: {}\r\n", body.len())
        };
        let head = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
        let peer = self.stage.connect();
        let _ = peer.say([format!("{head}{length}{headers}\r\n").as_bytes(), body].concat());
        Reply::parse(&peer.read_to_close())
    }

    /// Everything is as it was at the start.
    fn is_untouched(&self) {
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
    let text = v1::string_to_sign(&parts, FOR_EVER);
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
    format!("/{BUCKET}/{key}?{query}OSSAccessKeyId={id}&Expires={FOR_EVER}&Signature={signature}")
}

fn allows_nothing(what: &str, reply: &Reply) {
    assert_eq!(reply.status, 403, "{what}: {reply:?}");
    let head = reply.head.to_ascii_lowercase();
    assert!(!head.contains("access-control-"), "{what}: {reply:?}");
    assert!(!reply.text().contains("a secret"), "{what}: {reply:?}");
}

/// Method, key, parameters and body of what an owner may do.
type Operation =
    (&'static str, &'static str, &'static [(&'static str, Option<&'static str>)], &'static [u8]);

const OPERATIONS: &[Operation] = &[
    ("GET", "", &[], b""),
    ("GET", "", &[("live", None)], b""),
    ("GET", "private.txt", &[], b""),
    ("HEAD", "private.txt", &[], b""),
    ("GET", "cam", &[("live", None)], b""),
    ("GET", "cam/p.m3u8", &[("x-oss-process", Some("hls/sign"))], b""),
    ("PUT", "new.txt", &[], b"from elsewhere"),
    ("PUT", "cam", &[("live", None), ("status", Some("disabled"))], b""),
    ("DELETE", "cam", &[("live", None)], b""),
    ("DELETE", "private.txt", &[], b""),
    ("POST", "", &[("delete", None)], b"<Delete><Object><Key>private.txt</Key></Object></Delete>"),
    ("DELETE", "", &[], b""),
];

#[test]
fn another_site_gets_nothing_whatever_its_signature() {
    let site = Site::start(|config| config);
    for mark in MARKS {
        for (method, key, query, body) in OPERATIONS {
            let reply = site.signed(method, key, query, mark, body);
            allows_nothing(&format!("{method} /{key} {query:?} {mark}"), &reply);
        }
        for target in ["/", "/live-demo/", "/live-demo/cam", "/other-bucket", "/%zz"] {
            let reply = site.send("GET", target, "127.0.0.1", mark, b"");
            allows_nothing(&format!("{target} {mark}"), &reply);
        }
    }
    site.is_untouched();
}

#[test]
fn another_site_gets_nothing_of_a_public_bucket_either() {
    let site = Site::start(|config| config.acl(Acl::PublicReadWrite));
    for mark in MARKS {
        for (method, key) in [("GET", "private.txt"), ("PUT", "new.txt"), ("DELETE", "private.txt")]
        {
            let target = format!("/{BUCKET}/{key}");
            let reply = site.send(method, &target, "127.0.0.1", mark, b"");
            allows_nothing(&format!("{method} {target} {mark}"), &reply);
        }
    }
    site.is_untouched();
}

#[test]
fn a_preflight_without_a_rule_is_refused() {
    let site = Site::start(|config| config);
    for method in ["GET", "PUT", "POST", "DELETE", "HEAD"] {
        let headers = format!("Origin: {ELSEWHERE}\r\nAccess-Control-Request-Method: {method}\r\n");
        for target in ["/", "/live-demo", "/live-demo/cam/p.m3u8", "/none/x"] {
            let reply = site.send("OPTIONS", target, "127.0.0.1", &headers, b"");
            allows_nothing(&format!("{method} {target}"), &reply);
            assert!(reply.text().contains("<Code>AccessForbidden</Code>"), "{reply:?}");
        }
    }
}

/// A name of somebody else's that leads here makes this endpoint the site's
/// own: a browser then marks nothing as foreign.
#[test]
fn a_name_that_is_not_the_endpoints_own_is_refused() {
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
        // As for a custom domain: the bucket is not in the path.
        let bound = target.strip_prefix("/live-demo").unwrap();
        for target in [target.as_str(), bound, "/_osslive/", "/"] {
            let reply = site.send("GET", target, host, "", b"");
            // What is no host at all is refused before anybody reads it.
            assert!([400, 403].contains(&reply.status), "{host} {target}: {reply:?}");
            assert!(!reply.text().contains("a secret"), "{host} {target}: {reply:?}");
        }
    }
    for host in ["127.0.0.1", "127.0.0.1:9000", "LOCALHOST:80", "[::1]", "[::1]:9000", "10.0.0.1"] {
        let reply = site.send("GET", &target("GET", "private.txt", &[]), host, "", b"");
        assert_eq!((reply.status, reply.text().contains("a secret")), (200, true), "{host}");
    }
}

#[test]
fn what_no_other_site_asks_is_served_as_ever() {
    let site = Site::start(|config| config);
    for mark in ["", "Sec-Fetch-Site: none\r\n", "Sec-Fetch-Site: same-origin\r\n"] {
        let reply = site.signed("GET", "private.txt", &[], mark, b"");
        assert_eq!((reply.status, &*reply.body), (200, &b"a secret"[..]), "{mark}");
        assert!(reply.header("access-control-allow-origin").is_none(), "{reply:?}");
    }
}

/// A body that is a request of the owner's: it must never be read as one.
#[test]
fn what_a_refused_body_holds_is_no_request() {
    let site = Site::start(|config| config);
    let inner = format!(
        "DELETE {} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n",
        target("DELETE", "cam", &[("live", None)])
    );
    // As many bytes as an RTMP handshake has, and the version it begins with.
    let handshake = [&[3][..], &[0; 1536], inner.as_bytes()].concat();
    for body in [inner.as_bytes(), &handshake] {
        for length in [body.len(), body.len() + 1_000_000] {
            let head = format!(
                "POST /live-demo/?delete HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: {ELSEWHERE}\r\n\
                 Content-Type: text/plain\r\nContent-Length: {length}\r\n\r\n"
            );
            let next = "GET /live-demo/x HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
            let peer = site.stage.connect();
            // What a connection that closes early still says may get lost.
            let _ = peer.say([head.as_bytes(), body, next.as_bytes()].concat());
            let answers = String::from_utf8_lossy(&peer.read_to_close()).into_owned();
            let statuses: Vec<_> = answers.matches("HTTP/1.1 403 ").collect();
            assert_eq!(answers.matches("HTTP/1.1 ").count(), statuses.len(), "{answers}");
            assert!(statuses.len() <= 2, "{answers}");
        }
    }
    site.is_untouched();
}

#[test]
fn a_refusal_waits_for_no_body() {
    let site = Site::start(|config| config);
    for mark in MARKS {
        let peer = site.stage.connect();
        let target = target("PUT", "new.txt", &[]);
        let head = format!("PUT {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{mark}");
        peer.say(format!("{head}Content-Length: 1000\r\n\r\n")).unwrap();
        assert_eq!(peer.read_response().status, 403, "{mark}");
    }
    site.is_untouched();
}

#[test]
fn rules_outlive_the_endpoint() {
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
    let reply = site.signed("GET", "private.txt", &[], &mark, b"");
    assert_eq!((reply.status, &*reply.body), (200, &b"a secret"[..]));
    assert_eq!(reply.header("access-control-allow-origin"), Some(ELSEWHERE));
    assert_eq!(reply.header("vary"), Some("Origin"));
    allows_nothing("DELETE", &site.signed("DELETE", "private.txt", &[], &mark, b""));
}

#[test]
fn an_origin_that_may_play_is_named_in_the_configuration() {
    let site = Site::start(|config| config.cors(ELSEWHERE).cors("HTTPS://Player.example:443"));
    for origin in [ELSEWHERE, "https://player.example"] {
        let mark = format!("Origin: {origin}\r\nSec-Fetch-Site: cross-site\r\n");
        let playlist = [("x-oss-process", Some("hls/sign"))];
        let reply = site.signed("GET", "cam/p.m3u8", &playlist, &mark, b"");
        assert_eq!(
            (reply.status, reply.header("access-control-allow-origin")),
            (200, Some(origin))
        );
        for (method, key, query, body) in
            OPERATIONS.iter().filter(|(_, key, ..)| *key != "cam/p.m3u8")
        {
            allows_nothing(
                &format!("{method} {key}"),
                &site.signed(method, key, query, &mark, body),
            );
        }
    }
    let any = Site::start(|config| config.cors("*"));
    let mark = "Origin: null\r\nSec-Fetch-Site: cross-site\r\n";
    let reply = any.signed("GET", "cam/p.m3u8", &[], mark, b"");
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (200, Some("*")));
    allows_nothing("GET", &any.signed("GET", "private.txt", &[], mark, b""));
}

#[test]
fn what_cannot_be_configured_is_said() {
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
fn a_custom_domain_is_a_name_of_the_endpoint() {
    let site = Site::start(|config| config.cname("Live.Example.com"));
    let target = target("GET", "private.txt", &[]);
    let bound = target.strip_prefix("/live-demo").unwrap();
    let reply = site.send("GET", bound, "live.example.com:9000", "", b"");
    assert_eq!((reply.status, &*reply.body), (200, &b"a secret"[..]));
    assert_eq!(site.send("GET", bound, "www.live.example.com", "", b"").status, 403);
}

#[test]
fn the_page_has_another_token_at_each_start_unless_one_is_set() {
    let urls = [0, 1].map(|_| Site::start(|config| config).stage.endpoint.page_url().unwrap());
    assert_ne!(urls[0].split_once("token=").unwrap().1, urls[1].split_once("token=").unwrap().1);
    let site = Site::start(|config| config.page_token("a-token-of-my-own"));
    let url = site.stage.endpoint.page_url().unwrap();
    assert_eq!(url, format!("{}/_osslive/?token=a-token-of-my-own", site.stage.endpoint.url()));
    assert!(!format!("{:?}", site.stage.endpoint).contains("a-token-of-my-own"));
    assert_eq!(Site::start(|config| config.page(false)).stage.endpoint.page_url(), None);
    let everywhere = "0.0.0.0:0".parse().unwrap();
    // Beyond loopback a secret of one's own is asked for.
    let site = Stage::start(|config| config.listen(everywhere).access_key("id", "my own secret"));
    assert!(site.endpoint.page_url().unwrap().starts_with("http://127.0.0.1:"));
}
