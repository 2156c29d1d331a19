//! What a hostile peer can make the client believe, show or do: everything is bounded, and
//! the client's own secrets are never shown.

#[allow(dead_code)]
#[path = "support/fault.rs"]
mod fault;
#[allow(dead_code)]
mod support;

use fault::{Asked, FaultServer, Step, Tls};
use osslive::{
    ChannelConfig, Client, Credentials, ErrorKind, RtmpUrlOptions, StreamState, VodTime, code,
};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{Response, Seen, Server, idle, reply};
use time::OffsetDateTime;

const SECRET: &str = "k3/yQ+w8Zr&<0aB1cD2eF3gH4iJ5kL";
const TOKEN: &str = "CAIS8QF1q6Ft5B2yfSjIr5b+MO3e/8Wj3qYQ'bHh=&<\">K0dVf3cZx9mN7pT2sLwE4uRiO6g==";

fn with_token(server: &Server) -> osslive::ClientBuilder {
    server.client().credentials(Credentials::new("LTAIid", SECRET).with_security_token(TOKEN))
}

#[test]
fn a_server_time_more_than_a_day_off_is_an_error_that_shows_both_times() {
    let body = "<Error><Code>RequestTimeTooSkewed</Code><Message>skewed</Message>\
                <ServerTime>2098-01-01T00:00:00.000Z</ServerTime></Error>";
    let server = Server::start(move |_, _| Response::Bytes(reply("403 Forbidden", body)));
    let client = server.client().build().unwrap();
    let error = client.get_channel_status("c").unwrap_err();
    assert_eq!((error.code(), error.attempts()), (Some(code::REQUEST_TIME_TOO_SKEWED), 1));
    let now = OffsetDateTime::now_utc();
    for part in ["2098-01-01T00:00:00", &format!("{}-", now.year()), "day"] {
        assert!(error.message().contains(part), "{part}: {error}");
    }
    let url = client.get_rtmp_url("c", &RtmpUrlOptions::new().expires(60)).unwrap();
    let expires = url.split("Expires=").nth(1).unwrap().split('&').next().unwrap();
    let ahead = expires.parse::<i64>().unwrap() - now.unix_timestamp();
    assert!((0..=600).contains(&ahead), "{url}");
    client.get_channel_status("c").unwrap_err();
    for seen in server.seen() {
        let year = format!("{}", now.year());
        assert!(seen.header("x-oss-date").unwrap().starts_with(&year), "{seen:?}");
    }
}

/// Returns everything that was sent, in order, encoded by `encode`.
fn echo(seen: &Seen, encode: &dyn Fn(&str) -> String) -> String {
    let headers = seen.headers.iter().map(|(name, value)| format!("{name}:{}", encode(value)));
    format!("PUT {}", headers.collect::<Vec<_>>().join("\\n"))
}

fn xml_escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;").replace('+', "&#x2B;")
}

fn percent_encoded(text: &str) -> String {
    osslive::request::percent_encode(text)
}

/// Returns the signature in a request's Authorization header.
fn signature(seen: &Seen) -> String {
    let authorization = seen.header("authorization").unwrap();
    authorization.rsplit(['=', ':']).next().unwrap().to_owned()
}

#[test]
fn a_peer_that_echoes_the_request_puts_no_secret_into_errors_or_logs() {
    type Encode = fn(&str) -> String;
    type Page = fn(&str) -> Vec<u8>;
    let encodings: [Encode; 5] = [
        str::to_owned,
        xml_escaped,
        percent_encoded,
        |text| percent_encoded(text).to_lowercase().replace("%2f", "/"),
        |text| percent_encoded(&percent_encoded(text)),
    ];
    let pages: [Page; 8] = [
        |echo| reply("403 Forbidden", echo),
        |echo| reply("200 OK", echo),
        |echo| reply("200 OK", &format!("<LiveChannelStat><A>{}</A>", xml_escaped(echo))),
        |echo| reply("200 OK", &format!("<{}/>", echo.replace(['<', '>', ' '], "_"))),
        |echo| {
            let echo = xml_escaped(echo);
            let body = format!(
                "<Error><Code>SignatureDoesNotMatch</Code><Message>{echo}</Message>\
                 <RequestId>{echo}</RequestId><HostId>{echo}</HostId><EC>{echo}</EC></Error>"
            );
            reply("403 Forbidden", &body)
        },
        |echo| {
            let body = format!("<Error><Code>{}</Code></Error>", xml_escaped(echo));
            reply("403 Forbidden", &body)
        },
        |echo| {
            let status = xml_escaped(echo);
            reply(
                "200 OK",
                &format!("<LiveChannelStat><Status>{status}</Status></LiveChannelStat>"),
            )
        },
        |echo| {
            let head = "HTTP/1.1 403 No\r\nContent-Length: 0\r\n";
            format!("{head}x-oss-request-id: {echo}\r\nx-oss-ec: {echo}\r\n\r\n").into_bytes()
        },
    ];
    for (number, page) in pages.into_iter().enumerate() {
        for encode in encodings {
            let server = Server::start(move |_, seen| Response::Bytes(page(&echo(seen, &encode))));
            let log_text = Arc::new(Mutex::new(String::new()));
            let log = log_text.clone();
            let client = with_token(&server)
                .attempts(2)
                .observer(move |attempt| {
                    let body = attempt
                        .outcome
                        .map(|reply| String::from_utf8_lossy(&reply.body).into_owned());
                    *log.lock().unwrap() += &format!("{attempt} {attempt:?} {body:?}");
                })
                .build()
                .unwrap();
            let error = client.get_channel_status("c").unwrap_err();
            let source =
                std::error::Error::source(&error).map(|source| format!("{source} {source:?}"));
            #[cfg(feature = "serde")]
            let json = serde_json::to_string(&error).unwrap();
            #[cfg(not(feature = "serde"))]
            let json = "";
            let shown = format!("{error} {error:?} {source:?} {json} {}", log_text.lock().unwrap());
            let seen = server.seen();
            let mut secrets = vec![SECRET.to_owned(), TOKEN.to_owned(), "MO3e".to_owned()];
            secrets.extend(seen.iter().map(signature));
            for secret in &secrets {
                for form in [secret.clone(), percent_encoded(secret), xml_escaped(secret)] {
                    assert!(!shown.contains(&form), "page {number}: {form} in {shown}");
                }
            }
        }
    }
}

#[test]
fn an_excerpt_that_ends_inside_a_secret_does_not_show_it() {
    let server = Server::start(|_, seen| {
        let token = seen.header("x-oss-security-token").unwrap();
        Response::Bytes(reply("502 Bad Gateway", &format!("{}{token}", "x".repeat(120))))
    });
    let error = with_token(&server).attempts(1).build().unwrap().get_channel_status("c");
    let shown = error.unwrap_err().to_string();
    assert!(!shown.contains(&TOKEN[..12]), "{shown}");
}

const PLAYLIST: &str = "#EXTM3U\n#EXTINF:5.0,\n1.ts\n#EXT-X-ENDLIST\n";

/// Starts a server that sends a head and a body, and ends the connection without notice.
fn cut(tls: Option<Tls>, head: &'static str, body: &'static str) -> FaultServer {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let respond = move |_: &Asked| {
        let bytes = format!("HTTP/1.1 200 OK\r\n{head}\r\n{body}").into_bytes();
        vec![Step::Send(bytes), Step::Close]
    };
    let respond = Arc::new(respond);
    FaultServer::start(listener, tls, respond.clone(), respond)
}

fn client_of(server: &FaultServer, tls: Option<Tls>) -> Client {
    let scheme = if tls.is_some() { "https" } else { "http" };
    Client::builder()
        .endpoint(format!("{scheme}://localhost:{}", server.address.port()))
        .region("cn-hangzhou")
        .bucket("live-demo")
        .credentials(Credentials::new("id", "secret"))
        .root_certificates(fault::trusted_root())
        .no_proxy()
        .attempts(2)
        .build()
        .unwrap()
}

#[test]
fn a_body_of_unknown_length_is_accepted_only_with_its_own_end_marker() {
    for tls in [None, Some(Tls::Good)] {
        for head in ["", "Connection: close\r\n", "Content-Encoding: identity\r\n"] {
            let whole = cut(tls, head, PLAYLIST);
            let found = client_of(&whole, tls).get_vod("c", &VodTime::new(1, 2));
            assert_eq!(found.unwrap().text, PLAYLIST);
            for body in ["#EXTM3U\n#EXTINF:5.0,\n1.ts\n", "#EXTM3U\n#EXT-X-ENDLIS", "#EXTM3U"] {
                let server = cut(tls, head, body);
                let error = client_of(&server, tls).get_vod("c", &VodTime::new(1, 2)).unwrap_err();
                assert_eq!((error.kind(), error.attempts()), (ErrorKind::Connection, 2), "{error}");
                assert!(error.message().contains("length"), "{error}");
            }
        }
        let server = cut(tls, "", "<LiveChannelStat><Status>Idle</Status></LiveChannelStat>");
        assert!(client_of(&server, tls).get_channel_status("c").is_ok());
        let server = cut(tls, "", "<LiveChannelStat><Status>Idle</Status>");
        let error = client_of(&server, tls).get_channel_status("c").unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Connection, 2), "{error}");
        let server = cut(tls, "", "");
        assert!(client_of(&server, tls).delete_channel("c").is_ok());
    }
}

#[test]
fn a_response_larger_than_four_mebibytes_is_rejected() {
    for head in ["Content-Length: 4194305\r\n\r\n", "Connection: close\r\n\r\n"] {
        let server = Server::start(move |_, _| {
            let mut bytes = format!("HTTP/1.1 200 OK\r\n{head}").into_bytes();
            bytes.resize(bytes.len() + 4 * 1024 * 1024 + 1, b' ');
            Response::Close(bytes)
        });
        let error = server.client().build().unwrap().get_channel_status("c").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadReply, "{error}");
        assert!(error.message().contains("4 MB"), "{error}");
    }
}

#[test]
fn an_encoded_response_is_rejected_and_its_encoding_named() {
    for encoding in ["gzip", "br", "identity, gzip"] {
        let server = Server::start(move |_, seen| {
            assert_eq!(seen.header("accept-encoding"), Some("identity"));
            let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\n");
            Response::Bytes(format!("{head}Content-Length: 4\r\n\r\n\u{1f}abc").into_bytes())
        });
        let error = server.client().build().unwrap().get_channel_status("c").unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::BadReply, 1));
        assert!(error.message().contains(encoding), "{error}");
    }
}

#[test]
fn a_status_408_is_retried() {
    let server = Server::start(|number, _| {
        Response::Bytes(if number == 1 { reply("408 Request Timeout", "") } else { idle() })
    });
    let status = server.client().build().unwrap().get_channel_status("c").unwrap();
    assert_eq!(status.res.attempts, 2);
}

/// Starts a server that first responds with Retry-After.
fn later(retry_after: &'static str) -> Server {
    Server::start(move |number, _| {
        if number > 1 {
            return Response::Bytes(idle());
        }
        let head = format!("HTTP/1.1 503 Busy\r\nRetry-After: {retry_after}\r\n");
        Response::Bytes(format!("{head}Content-Length: 0\r\n\r\n").into_bytes())
    })
}

#[test]
fn retry_after_is_the_minimum_delay_before_a_retry() {
    let server = later("1");
    let waits = Arc::new(Mutex::new(Vec::new()));
    let log = waits.clone();
    let client = server
        .client()
        .observer(move |attempt| log.lock().unwrap().push(attempt.retry_in))
        .build()
        .unwrap();
    assert_eq!(client.get_channel_status("c").unwrap().res.attempts, 2);
    let waits = waits.lock().unwrap();
    assert!(waits[0].is_some_and(|wait| wait >= Duration::from_secs(1)), "{waits:?}");
}

#[test]
fn a_retry_after_beyond_the_time_limit_ends_the_call_at_once() {
    for retry_after in ["3600", "99999999999999999999", "Fri, 31 Dec 2999 23:59:59 GMT"] {
        let server = later(retry_after);
        let error = server.client().build().unwrap().get_channel_status("c").unwrap_err();
        assert_eq!((error.status(), error.attempts()), (Some(503), 1), "{retry_after}");
    }
}

#[test]
fn an_invalid_retry_after_is_ignored() {
    for retry_after in ["soon", "-1", "", "Thu, 01 Jan 1970 00:00:00 GMT"] {
        let server = later(retry_after);
        let status = server.client().build().unwrap().get_channel_status("c").unwrap();
        assert_eq!(status.res.attempts, 2, "{retry_after}");
    }
}

#[test]
fn an_endless_list_without_channels_ends_with_an_error() {
    let server = Server::start(|number, _| {
        let marker = "a".repeat(number);
        let body = format!(
            "<ListLiveChannelResult><IsTruncated>true</IsTruncated>\
             <NextMarker>{marker}</NextMarker></ListLiveChannelResult>"
        );
        Response::Bytes(reply("200 OK", &body))
    });
    let found: Vec<_> = server.client().build().unwrap().channels("").take(10).collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].as_ref().unwrap_err().kind(), ErrorKind::BadReply);
    assert_eq!(server.seen().len(), 100);
}

#[test]
fn a_page_without_objects_does_not_end_a_list() {
    let server = Server::start(|number, _| {
        let (more, object) = match number {
            6 => (false, "<Contents><Key>c/7.ts</Key><Size>7</Size></Contents>"),
            _ => (true, ""),
        };
        let body = format!(
            "<ListBucketResult><IsTruncated>{more}</IsTruncated>\
             <NextContinuationToken>t{number}</NextContinuationToken>{object}</ListBucketResult>"
        );
        Response::Bytes(reply("200 OK", &body))
    });
    let found: Vec<_> = server.client().build().unwrap().objects("c/", "").collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].as_ref().unwrap().key, "c/7.ts");
}

#[test]
fn an_unsolicited_response_is_never_taken_for_the_next_one() {
    for tls in [None, Some(Tls::Good)] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let respond = Arc::new(|asked: &Asked| {
            let mut steps = vec![Step::Send(idle())];
            if asked.on_connection == 1 {
                // By the time of the next request, it has arrived.
                let live = "<LiveChannelStat><Status>Live</Status></LiveChannelStat>";
                steps.push(Step::Slowly(10_000, reply("200 OK", live)));
            }
            steps
        });
        let server = FaultServer::start(listener, tls, respond.clone(), respond);
        let client = client_of(&server, tls);
        for number in 1..=5 {
            let status = client.get_channel_status("c").unwrap();
            assert_eq!(status.status, StreamState::Idle, "call {number}");
            server.settle();
        }
        assert_eq!(server.connections(), 5);
    }
}

#[test]
fn invalid_names_are_rejected_before_anything_is_sent() {
    let server = Server::start(|_, _| Response::Bytes(idle()));
    let client = server.client().build().unwrap();
    let config = ChannelConfig::new("d");
    let span = VodTime::new(1, 2);
    for name in [".", "..", "a\0b", "a\u{1}", "\u{7}", "a\u{1f}b", "a\u{fffe}", "\u{ffff}b"] {
        let errors = [
            client.put_channel(name, &config).unwrap_err(),
            client.create_channel(name, &config).unwrap_err(),
            client.get_channel(name).unwrap_err(),
            client.get_channel_status(name).unwrap_err(),
            client.get_channel_history(name).unwrap_err(),
            client.put_channel_status(name, osslive::ChannelState::Enabled).unwrap_err(),
            client.delete_channel(name).unwrap_err(),
            client.create_vod(name, "v", &span).unwrap_err(),
            client.get_vod(name, &span).unwrap_err(),
            client.get_rtmp_url(name, &RtmpUrlOptions::new()).unwrap_err(),
            client.get_play_url(name, "playlist.m3u8", 60).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.code(), Some(code::INVALID_CHANNEL_NAME), "{name:?}: {error}");
            assert_eq!(error.attempts(), 0);
        }
    }
    for text in ["a\0b", "a\u{1}", "\u{fffe}"] {
        let playlist = format!("{text}.m3u8");
        let other = ChannelConfig::new("d").playlist_name(&playlist);
        let errors = [
            client.put_channel("c", &ChannelConfig::new(text)).unwrap_err(),
            client.put_channel("c", &other).unwrap_err(),
            client.create_vod("c", text, &span).unwrap_err(),
            client.create_vod("c", &playlist, &span).unwrap_err(),
            client.get_play_url("c", &playlist, 60).unwrap_err(),
            client.list_channels(&osslive::ListChannels::new().prefix(text)).unwrap_err(),
            client.list_channels(&osslive::ListChannels::new().marker(text)).unwrap_err(),
            client.channels(text).next().unwrap().unwrap_err(),
            client
                .get_rtmp_url("c", &RtmpUrlOptions::new().param("playlistName", text))
                .unwrap_err(),
        ];
        for error in errors {
            let found = (error.kind(), error.attempts());
            assert_eq!(found, (ErrorKind::InvalidArgument, 0), "{text:?}: {error}");
        }
    }
    assert_eq!(server.seen().len(), 0);
}

/// Names whose signature in version 1 would also be valid for something else.
const AMBIGUOUS: &[&str] = &[
    "ch?live",
    "ch?live&status=disabled",
    "?",
    "ch%3Flive",
    "ch%3flive",
    "ch%253Flive",
    "a\nb",
    "a\rb",
    "a\tb",
    "a%0Ab",
    "a%0d%0ab",
    "a%00b",
];

#[test]
fn names_that_are_ambiguous_in_version_1_are_rejected_with_it() {
    let server = Server::start(|_, _| Response::Bytes(idle()));
    let client = server.client().signature_version(osslive::SignatureVersion::V1).build().unwrap();
    let span = VodTime::new(1, 2);
    for name in AMBIGUOUS {
        let playlist = format!("{name}.m3u8");
        let errors = [
            client.put_channel(name, &ChannelConfig::new("d")).unwrap_err(),
            client.create_channel(name, &ChannelConfig::new("d")).unwrap_err(),
            client.get_channel(name).unwrap_err(),
            client.get_channel_status(name).unwrap_err(),
            client.get_channel_history(name).unwrap_err(),
            client.put_channel_status(name, osslive::ChannelState::Enabled).unwrap_err(),
            client.delete_channel(name).unwrap_err(),
            client.create_vod(name, "v", &span).unwrap_err(),
            client.create_vod("c", name, &span).unwrap_err(),
            client.get_vod(name, &span).unwrap_err(),
            client.get_play_url(name, "playlist.m3u8", 60).unwrap_err(),
            client.get_play_url("c", &playlist, 60).unwrap_err(),
            client.get_rtmp_url(name, &RtmpUrlOptions::new()).unwrap_err(),
        ];
        for error in errors {
            let found = (error.kind(), error.attempts());
            assert_eq!(found, (ErrorKind::InvalidArgument, 0), "{name:?}: {error}");
            assert!(error.message().contains("sign"), "{name:?}: {error}");
        }
    }
    assert_eq!(server.seen().len(), 0);
    for name in ["100%", "a&b=c", "a+b", "a:b", "直播", "a b", "%41", "a%20b"] {
        client.get_channel_status(name).unwrap();
        client.get_play_url(name, "playlist.m3u8", 60).unwrap();
        client.get_rtmp_url(name, &RtmpUrlOptions::new()).unwrap();
    }
}

#[test]
fn publish_urls_are_always_signed_with_version_1() {
    let server = Server::start(|_, _| Response::Bytes(idle()));
    let client = server.client().build().unwrap();
    for name in AMBIGUOUS {
        client.get_rtmp_url(name, &RtmpUrlOptions::new()).unwrap_err();
    }
    for (name, value) in [
        ("a:b", "c"),
        ("a\nb", "c"),
        ("a", "b\nc"),
        ("a", "b\rc"),
        ("/live-demo/c", "d"),
        ("a", "b\u{7f}c"),
    ] {
        let options = RtmpUrlOptions::new().param(name, value);
        let error = client.get_rtmp_url("c", &options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{name:?} {value:?}: {error}");
    }
    // Version 4 signs encoded names, which are unambiguous.
    client.get_channel_status("ch?live").unwrap();
    client.get_play_url("ch?live", "playlist.m3u8", 60).unwrap();
    assert_eq!(server.seen()[0].line, "GET /live-demo/ch%3Flive?live&comp=stat HTTP/1.1");
}
