//! Errors of the service that the client itself never triggers, triggered by handcrafted
//! requests: the I/O-free parts of the SDK over a bare socket.

use osslive::operation::{self, Reply};
use osslive::sign::{Parts, v1};
use osslive::{ChannelConfig, Error, code};
use osslive_local::{Config, LocalEndpoint};
use std::io::{Read, Write};
use std::net::TcpStream;
use time::macros::format_description;
use time::{Duration, OffsetDateTime};

/// A request that a careless or hostile client might send.
struct Sent<'a> {
    method: &'a str,
    bucket: &'a str,
    key: &'a str,
    query: &'a [(&'a str, Option<&'a str>)],
    headers: &'a [(&'a str, &'a str)],
    body: &'a [u8],
    signed: bool,
    /// How far the client's clock is ahead.
    ahead: Duration,
}

const SENT: Sent<'_> = Sent {
    method: "GET",
    bucket: Config::BUCKET,
    key: "",
    query: &[],
    headers: &[],
    body: b"",
    signed: true,
    ahead: Duration::ZERO,
};

impl Sent<'_> {
    /// Sends the request, and returns the error that the SDK parses from the response.
    fn error(&self, endpoint: &LocalEndpoint) -> Error {
        operation::delete_channel("c")
            .unwrap()
            .parse(&self.send(endpoint))
            .expect_err("the request was accepted")
    }

    fn send(&self, endpoint: &LocalEndpoint) -> Reply {
        let date = http_date(OffsetDateTime::now_utc() + self.ahead);
        let query: Vec<_> = self
            .query
            .iter()
            .map(|(name, value)| value.map_or(name.to_string(), |value| format!("{name}={value}")))
            .collect();
        let path = [self.bucket, self.key].map(osslive::request::percent_encode_path).join("/");
        let mut text = format!(
            "{} /{path}?{} HTTP/1.1\r\nHost: {}\r\nDate: {date}\r\nConnection: close\r\n",
            self.method,
            query.join("&"),
            endpoint.address()
        );
        if self.signed {
            let parts = Parts {
                method: self.method,
                bucket: self.bucket,
                key: self.key,
                query: self.query,
                headers: self.headers,
            };
            let key = v1::Key::new(Config::ACCESS_KEY_SECRET);
            let signature = v1::signature(&key, &v1::string_to_sign(&parts, &date));
            text += &format!("Authorization: OSS {}:{signature}\r\n", Config::ACCESS_KEY_ID);
        }
        for (name, value) in self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        if !self.body.is_empty() {
            text += &format!("Content-Length: {}\r\n", self.body.len());
        }
        let mut stream = TcpStream::connect(endpoint.address()).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        stream.write_all(b"\r\n").unwrap();
        stream.write_all(self.body).unwrap();
        let mut response = Vec::new();
        stream.read_to_end(&mut response).unwrap();
        read(&response)
    }
}

fn read(response: &[u8]) -> Reply {
    let end = response.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&response[..end]).to_lowercase();
    let header = |name: &str| {
        let line = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.map(str::to_uppercase)
    };
    Reply {
        status: head[9..12].parse().unwrap(),
        request_id: header("x-oss-request-id"),
        ec: header("x-oss-ec"),
        body: response[end + 4..].to_vec(),
        attempts: 1,
        ..Reply::default()
    }
}

fn http_date(time: OffsetDateTime) -> String {
    let format = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    time.format(format).unwrap()
}

#[test]
fn each_error_has_its_code_and_status() {
    let endpoint = LocalEndpoint::start(Config::temporary()).unwrap();
    let live = &[("live", None)][..];
    let put = Sent { method: "PUT", key: "c", query: live, ..SENT };
    let good = b"<LiveChannelConfiguration><Target><Type>HLS</Type></Target>\
                 </LiveChannelConfiguration>";
    let created = Sent { body: good, ..put }.send(&endpoint);
    assert!(
        operation::put_channel("c", &ChannelConfig::default()).unwrap().parse(&created).is_ok(),
        "{created:?}"
    );

    for (sent, code, status) in [
        (Sent { body: b"<LiveChannel", ..put }, code::MALFORMED_XML, 400),
        (
            Sent { body: good, headers: &[("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")], ..put },
            code::INVALID_DIGEST,
            400,
        ),
        (Sent { bucket: "Not_A_Bucket", ..SENT }, code::INVALID_BUCKET_NAME, 400),
        (Sent { signed: false, query: live, ..SENT }, code::ACCESS_DENIED, 403),
        (Sent { signed: false, key: "c/playlist.m3u8", ..SENT }, code::ACCESS_DENIED, 403),
        (
            Sent { ahead: Duration::hours(1), query: live, ..SENT },
            code::REQUEST_TIME_TOO_SKEWED,
            403,
        ),
        (
            Sent { ahead: -Duration::minutes(16), query: live, ..SENT },
            code::REQUEST_TIME_TOO_SKEWED,
            403,
        ),
        (Sent { key: "c/playlist.m3u8", ..SENT }, code::NO_SUCH_KEY, 404),
        (Sent { method: "PATCH", key: "c", query: live, ..SENT }, code::METHOD_NOT_ALLOWED, 405),
        (Sent { method: "DELETE", ..SENT }, code::BUCKET_NOT_EMPTY, 409),
        (Sent { method: "PUT", key: "k", ..SENT }, code::MISSING_CONTENT_LENGTH, 411),
        (Sent { query: &[("website", None)], ..SENT }, code::NOT_IMPLEMENTED, 501),
        (
            Sent { query: &[("live", None), ("max-keys", Some("1001"))], ..SENT },
            code::INVALID_ARGUMENT,
            400,
        ),
        (
            Sent { key: "c/x.m3u8", query: &[("x-oss-process", Some("hls/sign"))], ..SENT },
            code::INVALID_REQUEST,
            400,
        ),
    ] {
        let request = format!("{} /{}/{} {:?}", sent.method, sent.bucket, sent.key, sent.query);
        let error = sent.error(&endpoint);
        assert_eq!(
            (error.code(), error.status()),
            (Some(code), Some(status)),
            "{request}: {error}"
        );
        assert!(
            error.request_id().is_some() && !error.message().is_empty(),
            "{request}: {error:?}"
        );
    }
}
