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
