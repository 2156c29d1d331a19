//! Sources of credentials: an ECS instance's metadata service, STS, programs and URLs;
//! slow, faulty, down and rotating.
#![cfg(feature = "credential-sources")]

mod support;

use base64::prelude::{BASE64_STANDARD, Engine};
use hmac::{Hmac, KeyInit, Mac};
use osslive::{
    AssumedRole, Client, Credentials, CredentialsSource, CredentialsUri, EcsRole, ErrorKind,
    OidcRole, Result, code,
};
use sha1::Sha1;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};
use support::{Response, Seen, Server, idle, reply};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const ROLE: &str = "acs:ram::1234567890123456:role/live";
const PROVIDER: &str = "acs:ram::1234567890123456:oidc-provider/ack";

/// Returns credentials as a service issues them, valid for an hour.
fn document(number: u32) -> String {
    issued(number, Duration::from_secs(3600))
}

fn issued(number: u32, lifetime: Duration) -> String {
    document_until(number, &(OffsetDateTime::now_utc() + lifetime).format(&Rfc3339).unwrap())
}

fn document_until(number: u32, end: &str) -> String {
    format!(
        r#"{{"Code": "Success", "AccessKeyId": "STS.{number}", "AccessKeySecret": "secret{number}",
            "SecurityToken": "token{number}", "Expiration": "{end}"}}"#
    )
}

fn sts_document(document: &str) -> String {
    format!(r#"{{"RequestId": "R", "Credentials": {document}}}"#)
}

/// Starts a server that acts as OSS under `/live-demo`, and as `other` elsewhere.
fn server(other: impl Fn(&Seen) -> Response + Send + Sync + 'static) -> Server {
    Server::start(move |_, seen| match seen.line.contains(" /live-demo/") {
        true => Response::Bytes(idle()),
        false => other(seen),
    })
}

fn ok(body: &str) -> Response {
    Response::Bytes(reply("200 OK", body))
}

fn refused(status: &str, body: &str) -> Response {
    Response::Bytes(reply(status, body))
}

fn client(server: &Server, source: CredentialsSource) -> Client {
    server.client().credentials_source(source).build().unwrap()
}

fn ecs(server: &Server) -> EcsRole {
    EcsRole::new().endpoint(format!("http://{}", server.address))
}

/// Calls the service, and returns the id and the token that it received.
fn keys_sent(server: &Server, source: CredentialsSource) -> Result<(String, Option<String>)> {
    client(server, source).get_channel_status("c")?;
    let seen = server.seen();
    let call = seen.iter().rfind(|seen| seen.line.contains("comp=stat")).unwrap();
    let authorization = call.header("authorization").unwrap();
    let id = authorization.split("Credential=").nth(1).unwrap().split('/').next().unwrap();
    Ok((id.to_owned(), call.header("x-oss-security-token").map(str::to_owned)))
}

fn sts_1() -> (String, Option<String>) {
    ("STS.1".to_owned(), Some("token1".to_owned()))
}

fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("sources-{name}"));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

// The metadata service.

#[test]
fn an_ecs_role_is_read_with_a_token() {
    let server = server(|seen| match &*seen.line {
        "PUT /latest/api/token HTTP/1.1" => ok("imds-token\n"),
        line if seen.header("x-aliyun-ecs-metadata-token") != Some("imds-token") => {
            panic!("{line} without the token")
        }
        "GET /latest/meta-data/ram/security-credentials/ HTTP/1.1" => ok("live\n"),
        "GET /latest/meta-data/ram/security-credentials/live HTTP/1.1" => ok(&document(1)),
        line => panic!("{line}"),
    });
    let source = CredentialsSource::EcsRole(ecs(&server));
    assert_eq!(keys_sent(&server, source).unwrap(), sts_1());
    let put = &server.seen()[0];
    assert!(put.header("x-aliyun-ecs-metadata-token-ttl-seconds").is_some());
    assert_eq!(put.header("content-length"), Some("0"));
    // A name saves the request.
    let source = CredentialsSource::EcsRole(ecs(&server).name("live"));
    assert_eq!(keys_sent(&server, source).unwrap(), sts_1());
    assert_eq!(server.seen().len(), 4 + 3);
}

#[test]
fn an_instance_without_token_support_is_read_without_one_unless_a_token_is_required() {
    for status in ["404 Not Found", "403 Forbidden", "405 Method Not Allowed"] {
        let server = server(move |seen| match seen.line.starts_with("PUT") {
            true => refused(status, "no"),
            false => ok(&document(1)),
        });
        let role = ecs(&server).name("live");
        let source = CredentialsSource::EcsRole(role.clone());
        assert_eq!(keys_sent(&server, source).unwrap(), sts_1());
        let source = CredentialsSource::EcsRole(role.needs_token(true));
        let error = keys_sent(&server, source).unwrap_err();
        assert!(error.message().contains("did not issue a token: HTTP 40"), "{error}");
    }
}

#[test]
fn errors_of_the_metadata_service_are_named() {
    let with = |respond: fn() -> Response, name: &str| {
        let server = server(move |seen| match seen.line.starts_with("PUT") {
            true => ok("token"),
            false => respond(),
        });
        let role = if name.is_empty() { ecs(&server) } else { ecs(&server).name(name) };
        let error = keys_sent(&server, CredentialsSource::EcsRole(role)).unwrap_err();
        assert_eq!(error.attempts(), 0, "nothing was sent to OSS");
        error.to_string()
    };
    let not_found = || refused("404 Not Found", "<html>not found</html>");
    for (respond, name, words) in [
        (not_found as fn() -> Response, "", "this instance has no role"),
        (not_found, "live", "this instance has no role \"live\""),
        (|| ok("\n"), "", "this instance has no role"),
        (|| ok("<html>"), "live", "not a JSON object"),
        (|| ok(r#"{"Code": "Failed"}"#), "live", "returned \"Failed\""),
        (|| ok(r#"{"AccessKeyId": "x"}"#), "live", "no AccessKeySecret"),
        (|| refused("500 Oops", "try later"), "live", "HTTP 500: try later"),
        (|| Response::Close(b"garbage\r\n\r\n".to_vec()), "live", "127.0.0.1"),
        (|| ok(&issued(1, Duration::ZERO)), "live", "expired"),
    ] {
        let message = with(respond, name);
        assert!(message.contains(words), "{words}: {message}");
        assert!(message.starts_with("no credentials from the ECS"), "{message}");
        assert!(!message.contains("secret1") && !message.contains("token1"), "{message}");
    }
}

#[test]
fn a_request_to_a_service_that_is_down_briefly_is_retried() {
    let count = AtomicU32::new(0);
    let server =
        server(move |seen| match (seen.line.starts_with("PUT"), count.fetch_add(1, SeqCst)) {
            (true, 0) => refused("503 Busy", ""),
            (true, _) => ok("token"),
            (false, 2) => Response::Close(Vec::new()),
            (false, _) => ok(&document(1)),
        });
    let source = CredentialsSource::EcsRole(ecs(&server).name("live"));
    assert_eq!(keys_sent(&server, source).unwrap(), sts_1());
}

#[test]
fn the_metadata_service_is_never_reached_through_a_proxy() {
    let server = server(|seen| match seen.line.starts_with("PUT") {
        true => ok("token"),
        false => ok(&document(1)),
    });
    let client = server
        .client()
        .credentials_source(CredentialsSource::EcsRole(ecs(&server).name("live")))
        .proxy("http://127.0.0.1:1")
        .attempts(1)
        .build()
        .unwrap();
    let error = client.get_channel_status("c").unwrap_err();
    assert_eq!(error.code(), Some(code::PROXY_FAILED), "the call went there: {error}");
    assert!(client.get_rtmp_url("c", &osslive::RtmpUrlOptions::new()).unwrap().contains("STS.1"));
}

// STS.

/// Returns the parameters of a form.
fn form(seen: &Seen) -> BTreeMap<String, String> {
    let body = String::from_utf8(seen.body.clone()).unwrap();
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap();
        (name.to_owned(), decoded(value))
    };
    body.split('&').map(pair).collect()
}

fn decoded(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match first {
            b'%' => {
                let digits = std::str::from_utf8(&rest[..2]).unwrap();
                bytes.push(u8::from_str_radix(digits, 16).unwrap());
                rest = &rest[2..];
            }
            byte => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn oidc(server: &Server, token: &str, name: &str) -> OidcRole {
    let file = folder(name).join("token");
    std::fs::write(&file, token).unwrap();
    OidcRole::new(ROLE, PROVIDER, file).sts_endpoint(format!("http://{}", server.address))
}

#[test]
fn a_role_is_assumed_with_the_token_of_an_oidc_provider() {
    let server = server(|seen| {
        assert!(seen.line.starts_with("POST / "), "no parameter may be in the URL: {}", seen.line);
        assert_eq!(seen.header("content-type"), Some("application/x-www-form-urlencoded"));
        let form = form(seen);
        let get = |name: &str| form.get(name).map(String::as_str);
        assert_eq!(get("Action"), Some("AssumeRoleWithOIDC"));
        assert_eq!(get("Version"), Some("2015-04-01"));
        assert_eq!(get("RoleArn"), Some(ROLE));
        assert_eq!(get("OIDCProviderArn"), Some(PROVIDER));
        assert_eq!(get("OIDCToken"), Some("a.b+c/d=="));
        assert_eq!(get("RoleSessionName"), Some("box 1"));
        assert_eq!(get("DurationSeconds"), Some("900"));
        assert_eq!(get("Signature"), None);
        ok(&sts_document(&document(1)))
    });
    let role = oidc(&server, "a.b+c/d==\n", "oidc")
        .session_name("box 1")
        .duration(Duration::from_secs(900));
    assert_eq!(keys_sent(&server, CredentialsSource::OidcRole(role)).unwrap(), sts_1());
}

/// Checks a signature of RPC-style APIs without the SDK's help.
fn check_signature(form: &BTreeMap<String, String>, secret: &str) {
    let encode = osslive::request::percent_encode;
    let pairs = form.iter().filter(|(name, _)| *name != "Signature");
    let query: Vec<_> = pairs.map(|(n, v)| format!("{}={}", encode(n), encode(v))).collect();
    let text = format!("POST&%2F&{}", encode(&query.join("&")));
    let mut mac = Hmac::<Sha1>::new_from_slice(format!("{secret}&").as_bytes()).unwrap();
    mac.update(text.as_bytes());
    assert_eq!(form["Signature"], BASE64_STANDARD.encode(mac.finalize().into_bytes()));
}

#[test]
fn a_role_is_assumed_with_other_credentials() {
    let server = server(|seen| {
        let form = form(seen);
        check_signature(&form, "s+/=");
        assert_eq!(form["Action"], "AssumeRole");
        assert_eq!(form["AccessKeyId"], "base");
        assert_eq!(form["SecurityToken"], "base token".replace(' ', "+"));
        assert_eq!(form["ExternalId"], "x");
        assert_eq!(form["Policy"], r#"{"Version": "1"}"#);
        ok(&sts_document(&document(1)))
    });
    let keys = Credentials::new("base", "s+/=").with_security_token("base+token");
    let role = AssumedRole::new(CredentialsSource::Keys(keys), ROLE)
        .external_id("x")
        .policy(r#"{"Version": "1"}"#)
        .sts_endpoint(format!("http://{}", server.address));
    assert_eq!(keys_sent(&server, CredentialsSource::AssumedRole(role)).unwrap(), sts_1());
}

#[test]
fn a_role_of_an_instance_assumes_another() {
    let server = server(|seen| match &*seen.line {
        line if line.starts_with("PUT") => ok("token"),
        line if line.starts_with("GET") => ok(&document(7)),
        _ => {
            let form = form(seen);
            check_signature(&form, "secret7");
            assert_eq!(form["SecurityToken"], "token7");
            ok(&sts_document(&document(1)))
        }
    });
    let base = CredentialsSource::EcsRole(ecs(&server).name("live"));
    let role = AssumedRole::new(base, ROLE).sts_endpoint(format!("http://{}/", server.address));
    assert_eq!(keys_sent(&server, CredentialsSource::AssumedRole(role)).unwrap(), sts_1());
}

#[test]
fn a_machine_with_a_wrong_clock_signs_with_the_time_of_sts() {
    let date = "Tue, 27 Nov 2001 10:00:00 GMT";
    let server = server(move |seen| {
        let form = form(seen);
        let (status, body) = match form["Timestamp"] == "2001-11-27T10:00:00Z" {
            // An hour after the date, regardless of this machine's clock.
            true => ("200 OK", sts_document(&document_until(1, "2001-11-27T11:00:00Z"))),
            false => ("400 Bad Request", r#"{"Code": "InvalidTimeStamp.Expired"}"#.to_owned()),
        };
        let reply = format!(
            "HTTP/1.1 {status}\r\nDate: {date}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        Response::Bytes(reply.into_bytes())
    });
    let keys = CredentialsSource::Keys(Credentials::new("base", "s"));
    let role = AssumedRole::new(keys, ROLE).sts_endpoint(format!("http://{}", server.address));
    assert_eq!(keys_sent(&server, CredentialsSource::AssumedRole(role)).unwrap(), sts_1());
}

#[test]
fn errors_of_sts_are_passed_on_without_secrets() {
    let server = server(|seen| {
        let form = form(seen);
        let message = format!(
            r#"{{"Code": "AuthenticationFail.OIDCToken.Expired", "RequestId": "R-1",
                "Message": "This token has expired: {}"}}"#,
            form["OIDCToken"]
        );
        refused("400 Bad Request", &message)
    });
    let role = oidc(&server, "eyJhbGciOiJSUzI1NiJ9", "refused");
    let error = keys_sent(&server, CredentialsSource::OidcRole(role)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    assert_eq!(error.code(), Some("AuthenticationFail.OIDCToken.Expired"));
    assert_eq!(error.request_id(), Some("R-1"));
    let message = format!("{error} {error:?}");
    assert!(
        message.contains(&format!("no credentials from the role {ROLE} via OIDC")),
        "{message}"
    );
    assert!(
        message.contains("has expired") && !message.contains("eyJhbGciOiJSUzI1NiJ9"),
        "{message}"
    );
}

#[test]
fn a_missing_or_empty_token_file_is_named() {
    let server = server(|_| panic!("no request expected"));
    for (file, word) in [("none", "cannot read"), ("token", "is empty")] {
        let role = oidc(&server, " \n", "empty");
        let path = folder("empty").join(file);
        let role = match file {
            "token" => role,
            _ => OidcRole::new(ROLE, PROVIDER, &path),
        };
        let error = keys_sent(&server, CredentialsSource::OidcRole(role)).unwrap_err();
        let message = error.message();
        assert!(
            message.contains(word) && message.contains(&path.display().to_string()),
            "{message}"
        );
    }
}

// Programs and URLs.

#[test]
fn a_url_returns_credentials() {
    let server = server(|seen| match &*seen.line {
        "GET /creds?for=live HTTP/1.1" => ok(&document(1)),
        _ => refused("403 Forbidden", "go away"),
    });
    let uri = |path: &str| {
        let url = format!("http://{}{path}", server.address);
        CredentialsSource::Uri(CredentialsUri::new(url))
    };
    assert_eq!(keys_sent(&server, uri("/creds?for=live")).unwrap(), sts_1());
    let error = keys_sent(&server, uri("/hush")).unwrap_err();
    assert!(error.message().ends_with("HTTP 403: go away"), "{error}");
    assert!(!format!("{error:?}").contains("hush"), "{error:?}");
}

#[cfg(unix)]
#[test]
fn a_program_prints_credentials() {
    let server = server(|_| panic!("no request expected"));
    let folder = folder("a program");
    std::fs::write(folder.join("credentials.json"), document(1)).unwrap();
    let source =
        |command: String| CredentialsSource::Process(osslive::CredentialProcess::new(command));
    let file = folder.join("credentials.json");
    let cat = source(format!("cat '{}'", file.display()));
    assert_eq!(keys_sent(&server, cat).unwrap(), sts_1());
    for (command, word) in [
        ("no-such-program-here --x", "cannot be started"),
        ("sh -c 'echo not today >&2; exit 3'", "exit status: 3): not today"),
        ("echo secret1", "not a JSON object"),
        ("echo {}", "no AccessKeyId"),
        ("sh -c 'echo", "no closing one"),
    ] {
        let error = keys_sent(&server, source(command.to_owned())).unwrap_err();
        assert!(error.message().contains(word), "{error}");
        assert!(error.message().starts_with("no credentials from the command"), "{error}");
        assert!(!format!("{error:?}").contains("secret1"), "{error:?}");
    }
}

// Clients.

#[test]
fn a_wait_for_credentials_ends_at_the_timeout_or_with_the_client() {
    let server = server(|_| {
        thread::sleep(Duration::from_secs(4));
        Response::Close(Vec::new())
    });
    let waiting = client(&server, CredentialsSource::EcsRole(ecs(&server)));
    let started = Instant::now();
    let short = waiting.with_timeout(Duration::from_millis(50));
    assert_eq!(short.get_channel_status("c").unwrap_err().kind(), ErrorKind::Timeout);
    thread::scope(|scope| {
        let call = scope.spawn(|| waiting.get_channel_status("c"));
        thread::sleep(Duration::from_millis(50));
        waiting.shutdown();
        assert_eq!(call.join().unwrap().unwrap_err().kind(), ErrorKind::Stopped);
    });
    assert!(started.elapsed() < Duration::from_secs(4), "neither waited for the service");
}

#[test]
fn credentials_that_oss_rejects_are_replaced_and_the_call_succeeds() {
    let number = Arc::new(AtomicU32::new(0));
    let current = number.clone();
    let server = Server::start(move |_, seen| {
        if !seen.line.contains(" /live-demo/") {
            return ok(&document(current.load(SeqCst)));
        }
        let expected = format!("STS.{}/", current.load(SeqCst));
        match seen.header("authorization").unwrap().contains(&expected) {
            true => Response::Bytes(idle()),
            false => refused("403 Forbidden", "<Error><Code>SecurityTokenExpired</Code></Error>"),
        }
    });
    let url = format!("http://{}/creds", server.address);
    let client = client(&server, CredentialsSource::Uri(CredentialsUri::new(url)));
    client.get_channel_status("c").unwrap();
    // Revoked, long before the announced expiry.
    number.store(2, SeqCst);
    thread::sleep(Duration::from_millis(1100));
    client.get_channel_status("c").unwrap();
    // Another retry would not help.
    number.store(3, SeqCst);
    let error = client.get_channel_status("c").unwrap_err();
    assert_eq!(error.code(), Some("SecurityTokenExpired"));
}

/// An issuer whose credentials are valid for a few seconds, and that fails at times.
#[derive(Default)]
struct Issuer {
    issued: AtomicU32,
    requests: AtomicU32,
    inside: AtomicU32,
    had_parallel_refreshes: AtomicBool,
}

impl Issuer {
    /// Long enough for a busy machine, and for an emulated one.
    const LIFETIME: Duration = Duration::from_secs(if cfg!(windows) { 12 } else { 3 });

    /// Issues credentials in the format of the metadata service, or of STS.
    fn respond(&self, by_sts: bool) -> Response {
        if self.inside.fetch_add(1, SeqCst) > 0 {
            self.had_parallel_refreshes.store(true, SeqCst);
        }
        let response = match self.requests.fetch_add(1, SeqCst) % 16 {
            5 => Response::Close(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{".to_vec()),
            9 => refused("503 Busy", ""),
            13 => ok("{\"AccessKeyId\": \"STS."),
            kind => {
                if kind == 3 {
                    thread::sleep(Duration::from_millis(60));
                }
                let number = self.issued.fetch_add(1, SeqCst) + 1;
                let document = issued(number, Self::LIFETIME);
                ok(&if by_sts { sts_document(&document) } else { document })
            }
        };
        self.inside.fetch_sub(1, SeqCst);
        response
    }

    /// OSS accepts the keys of the last few rotations.
    fn call(&self, seen: &Seen) -> Response {
        match self.accepts(seen) {
            true => Response::Bytes(idle()),
            false => refused("403 Forbidden", "<Error><Code>SecurityTokenExpired</Code></Error>"),
        }
    }

    fn accepts(&self, seen: &Seen) -> bool {
        let authorization = seen.header("authorization").unwrap();
        let number = authorization.split("Credential=STS.").nth(1).unwrap();
        let number: u32 = number.split('/').next().unwrap().parse().unwrap();
        number + 8 > self.issued.load(SeqCst)
    }
}

/// A server with an issuer of each kind, and a client that uses each, with its channel.
struct Rotation {
    issuers: [Arc<Issuer>; 4],
    clients: [(&'static str, Client); 4],
    _server: Server,
}

fn rotation() -> Rotation {
    let issuers: [Arc<Issuer>; 4] = Default::default();
    let [metadata, oidc_sts, sts, uri] = issuers.clone();
    let server = Server::start_without_log(move |seen| {
        let is_about = |part: &str| seen.line.contains(part);
        match &*seen.line {
            "PUT /latest/api/token HTTP/1.1" => ok("token"),
            "POST / HTTP/1.1" if form(seen)["Action"] == "AssumeRole" => sts.respond(true),
            "POST / HTTP/1.1" => oidc_sts.respond(true),
            _ if is_about("/live-demo/metadata") => metadata.call(seen),
            _ if is_about("/live-demo/oidc") => oidc_sts.call(seen),
            _ if is_about("/live-demo/role") => sts.call(seen),
            _ if is_about("/live-demo/uri") => uri.call(seen),
            _ if is_about("/security-credentials/live") => metadata.respond(false),
            _ => uri.respond(false),
        }
    });
    let url = format!("http://{}", server.address);
    let keys = CredentialsSource::Keys(Credentials::new("base", "s"));
    let clients = [
        ("metadata", CredentialsSource::EcsRole(ecs(&server).name("live"))),
        ("oidc", CredentialsSource::OidcRole(oidc(&server, "a.b.c", "rotation"))),
        ("role", CredentialsSource::AssumedRole(AssumedRole::new(keys, ROLE).sts_endpoint(&*url))),
        ("uri", CredentialsSource::Uri(CredentialsUri::new(format!("{url}/creds")))),
    ]
    .map(|(channel, source)| (channel, client(&server, source)));
    Rotation { issuers, clients, _server: server }
}

#[test]
fn no_call_of_100_000_fails_while_the_keys_rotate_200_times() {
    const CALLS: u64 = 100_000;
    const ROTATIONS: u32 = 200;
    const SETS: u32 = 4;
    let sets: Vec<_> = (0..SETS).map(|_| rotation()).collect();
    let issuers = || sets.iter().flat_map(|set| &set.issuers);
    let clients = || sets.iter().flat_map(|set| &set.clients);
    let each = ROTATIONS.div_ceil(issuers().count() as u32);
    let calls = AtomicU64::new(0);
    let is_running = || {
        let is_rotating = issuers().any(|issuer| issuer.issued.load(SeqCst) < each);
        calls.fetch_add(1, SeqCst) < CALLS || is_rotating
    };
    let end = Instant::now() + Duration::from_secs(600);
    thread::scope(|scope| {
        for (channel, client) in clients().chain(clients()) {
            scope.spawn(|| {
                while is_running() {
                    client.get_channel_status(channel).unwrap();
                    assert!(Instant::now() < end, "timed out");
                }
            });
        }
    });
    for issuer in issuers() {
        assert!(!issuer.had_parallel_refreshes.load(SeqCst), "more than one refresh at a time");
    }
}
