//! Proxies from the environment: each row of a table is run with curl and with this
//! crate, through proxies that keep a log, and the results are compared.

#[allow(dead_code)]
mod support;

use osslive::{Client, Credentials};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use support::{Response, Server, idle, reply};

/// The endpoint that a guest calls; unset in the test itself.
const ENDPOINT: &str = "OSSLIVE_TEST_ENDPOINT";
/// What a guest prints if its configuration is rejected.
const REFUSED: &str = "refused";

/// A proxy that logs each request and then rejects it.
struct Proxy {
    address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let shared = log.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = shared.clone();
                thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
                    // A client that disconnects has been logged, or sent no request.
                    let _ = respond(&mut stream, &shared);
                });
            }
        });
        Proxy { address, log }
    }

    fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }
}

fn respond(stream: &mut TcpStream, log: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut first = [0];
    stream.read_exact(&mut first)?;
    let take_logs = match first[0] {
        4 => socks4(stream)?,
        5 => socks5(stream)?,
        _ => http(stream, first[0])?,
    };
    log.lock().unwrap().push(take_logs);
    stream.write_all(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

fn http(stream: &mut TcpStream, first: u8) -> std::io::Result<String> {
    let mut head = vec![first];
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let target = target.split('?').next().unwrap();
    let header = |name: &str| {
        head.lines().find_map(|line| line.to_lowercase().starts_with(name).then(|| line.to_owned()))
    };
    let credentials = header("proxy-authorization: ").unwrap_or_default();
    let credentials = credentials.split(' ').nth(2).unwrap_or("none");
    Ok(format!("{method} {target} {credentials}"))
}

fn socks4(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut request = [0; 7];
    stream.read_exact(&mut request)?;
    let mut text = Vec::new();
    let ends = if request[3..6] == [0, 0, 0] { 2 } else { 1 };
    let mut byte = [0];
    while text.iter().filter(|byte| **byte == 0).count() < ends {
        stream.read_exact(&mut byte)?;
        text.push(byte[0]);
    }
    let host = String::from_utf8_lossy(&text).replace('\0', "");
    Ok(format!("socks4 {:?} {host}", &request[1..]))
}

fn socks5(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut count = [0];
    stream.read_exact(&mut count)?;
    let mut methods = vec![0; usize::from(count[0])];
    stream.read_exact(&mut methods)?;
    let mut credentials = "none".to_owned();
    if methods.contains(&2) {
        stream.write_all(&[5, 2])?;
        let mut head = [0; 2];
        stream.read_exact(&mut head)?;
        let mut text = vec![0; usize::from(head[1]) + 1];
        stream.read_exact(&mut text)?;
        let mut password = vec![0; usize::from(text.pop().unwrap())];
        stream.read_exact(&mut password)?;
        let (user, password) = (String::from_utf8_lossy(&text), String::from_utf8_lossy(&password));
        credentials = format!("{user}:{password}");
        stream.write_all(&[1, 0])?;
    } else {
        stream.write_all(&[5, 0])?;
    }
    let mut request = [0; 5];
    stream.read_exact(&mut request)?;
    let length = match request[3] {
        1 => 5,
        4 => 17,
        _ => usize::from(request[4]) + 2,
    };
    let mut rest = vec![0; length];
    stream.read_exact(&mut rest)?;
    let host = match request[3] {
        3 => String::from_utf8_lossy(&rest[..length - 2]).into_owned(),
        _ => "an address".to_owned(),
    };
    Ok(format!("socks5 {host} {credentials}"))
}

/// A row: the environment, where PROXY and OTHER are placeholders for the authorities of
/// two proxies and DEAD for one that is not running, and the endpoint.
type Row = (&'static [(&'static str, &'static str)], &'static str);

const HTTP: &str = "http://oss.test.invalid";
const HTTPS: &str = "https://oss.test.invalid";

const ROWS: &[Row] = &[
    (&[], HTTP),
    (&[], HTTPS),
    // Each scheme has its own variable.
    (&[("http_proxy", "http://PROXY")], HTTP),
    (&[("http_proxy", "http://PROXY")], HTTPS),
    (&[("https_proxy", "http://PROXY")], HTTP),
    (&[("https_proxy", "http://PROXY")], HTTPS),
    (&[("HTTPS_PROXY", "http://PROXY")], HTTP),
    (&[("HTTPS_PROXY", "http://PROXY")], HTTPS),
    (&[("HTTP_PROXY", "http://PROXY")], HTTP),
    (&[("HTTP_PROXY", "http://PROXY")], HTTPS),
    (&[("HTTP_PROXY", "http://PROXY"), ("REQUEST_METHOD", "GET")], HTTP),
    (&[("http_proxy", "http://PROXY"), ("REQUEST_METHOD", "GET")], HTTP),
    (&[("HTTP_PROXY", "http://OTHER"), ("http_proxy", "http://PROXY")], HTTP),
    (&[("HTTPS_PROXY", "http://OTHER"), ("https_proxy", "http://PROXY")], HTTPS),
    (&[("HTTPS_PROXY", "http://PROXY"), ("https_proxy", "")], HTTPS),
    (&[("http_proxy", "http://PROXY"), ("https_proxy", "http://OTHER")], HTTP),
    (&[("http_proxy", "http://PROXY"), ("https_proxy", "http://OTHER")], HTTPS),
    // ALL_PROXY is for schemes without one.
    (&[("ALL_PROXY", "http://PROXY")], HTTP),
    (&[("ALL_PROXY", "http://PROXY")], HTTPS),
    (&[("all_proxy", "http://PROXY")], HTTP),
    (&[("all_proxy", "http://PROXY"), ("ALL_PROXY", "http://OTHER")], HTTPS),
    (&[("all_proxy", ""), ("ALL_PROXY", "http://OTHER")], HTTPS),
    (&[("ALL_PROXY", "http://OTHER"), ("https_proxy", "http://PROXY")], HTTPS),
    (&[("all_proxy", "http://OTHER"), ("HTTPS_PROXY", "http://PROXY")], HTTPS),
    (&[("ALL_PROXY", "http://OTHER"), ("http_proxy", "http://PROXY")], HTTP),
    (&[("ALL_PROXY", "http://OTHER"), ("HTTP_PROXY", "http://PROXY")], HTTP),
    (&[("ALL_PROXY", "socks5://OTHER"), ("HTTPS_PROXY", "http://PROXY")], HTTPS),
    // Forms of a value.
    (&[("https_proxy", "PROXY")], HTTPS),
    (&[("https_proxy", "PROXY/")], HTTPS),
    (&[("https_proxy", "HTTP://PROXY")], HTTPS),
    (&[("http_proxy", "http://PROXY/path?query")], HTTP),
    (&[("https_proxy", "http://user:hush@PROXY")], HTTPS),
    (&[("http_proxy", "http://user:hush@PROXY")], HTTP),
    (&[("http_proxy", "user:hush@PROXY")], HTTP),
    (&[("http_proxy", "http://us%40er:h%3Aush%25@PROXY")], HTTP),
    (&[("https_proxy", "http://us%40er:h%3Aush%25@PROXY")], HTTPS),
    (&[("http_proxy", "http://user:h@sh@PROXY")], HTTP),
    (&[("http_proxy", "http://user@PROXY")], HTTP),
    (&[("https_proxy", "http://user@PROXY")], HTTPS),
    (&[("http_proxy", "http://user:@PROXY")], HTTP),
    (&[("http_proxy", "http://:hush@PROXY")], HTTP),
    (&[("http_proxy", "http://user:a:b+c@PROXY")], HTTP),
    // SOCKS.
    (&[("ALL_PROXY", "socks5h://PROXY")], HTTP),
    (&[("ALL_PROXY", "socks5h://PROXY")], HTTPS),
    (&[("https_proxy", "SOCKS5H://PROXY")], HTTPS),
    (&[("http_proxy", "socks5h://user:hush@PROXY")], HTTP),
    (&[("http_proxy", "socks4a://PROXY")], HTTP),
    (&[("http_proxy", "socks5://PROXY")], "http://192.0.2.1"),
    (&[("http_proxy", "socks4://PROXY")], "http://192.0.2.1"),
    (&[("http_proxy", "socks://PROXY")], "http://192.0.2.1"),
    (&[("ALL_PROXY", "socks5://PROXY")], "https://192.0.2.1"),
    // With an unusable value, there is no direct connection.
    (&[("https_proxy", "ftp://PROXY")], HTTPS),
    (&[("https_proxy", "socks6://PROXY")], HTTPS),
    (&[("https_proxy", "http://")], HTTPS),
    (&[("https_proxy", "http://PROXY:x")], HTTPS),
    (&[("https_proxy", "http://127.0.0.1:99999")], HTTPS),
    (&[("https_proxy", "://PROXY")], HTTPS),
    (&[("https_proxy", "http://DEAD")], HTTPS),
    (&[("http_proxy", "http://DEAD")], HTTP),
    (&[("http_proxy", "socks5h://DEAD")], HTTP),
    // NO_PROXY.
    (&[("http_proxy", "http://PROXY"), ("no_proxy", "*")], HTTP),
    (&[("http_proxy", "http://PROXY"), ("no_proxy", " * ")], HTTP),
    (&[("http_proxy", "http://PROXY"), ("no_proxy", "*,other")], HTTP),
    (&[("http_proxy", "http://PROXY"), ("no_proxy", "*.invalid")], HTTP),
    (&[("http_proxy", "http://PROXY"), ("no_proxy", "")], HTTP),
    (&[("http_proxy", "http://PROXY"), ("no_proxy", ",")], HTTP),
    (&[("http_proxy", "http://PROXY"), ("no_proxy", "oss.test.invalid")], HTTP),
    (&[("https_proxy", "http://PROXY"), ("NO_PROXY", "oss.test.invalid")], HTTPS),
    (&[("http_proxy", "http://PROXY"), ("NO_PROXY", "OSS.Test.INVALID")], HTTP),
    (&[("http_proxy", "http://PROXY"), ("NO_PROXY", "test.invalid")], HTTP),
    (&[("http_proxy", "http://PROXY"), ("NO_PROXY", ".test.invalid")], HTTP),
    (&[("http_proxy", "http://PROXY"), ("NO_PROXY", "..test.invalid")], HTTP),
    (&[("http_proxy", "http://PROXY"), ("NO_PROXY", "invalid")], HTTP),
    (&[("http_proxy", "http://PROXY"), ("NO_PROXY", "valid")], HTTP),
    (&[("http_proxy", "http://PROXY"), ("NO_PROXY", "st.invalid")], HTTP),
    (&[("http_proxy", "http://PROXY"), ("NO_PROXY", "a.oss.test.invalid")], HTTP),
    (&[("http_proxy", "http://PROXY"), ("NO_PROXY", "test.invalid.")], HTTP),
    (&[("http_proxy", "http://PROXY"), ("NO_PROXY", ".")], HTTP),
    (&[("http_proxy", "http://PROXY"), ("NO_PROXY", "other, test.invalid")], HTTP),
    (&[("http_proxy", "http://PROXY"), ("NO_PROXY", "other ,\ttest.invalid ")], HTTP),
    (&[("http_proxy", "http://PROXY"), ("NO_PROXY", ",,other,,,test.invalid")], HTTP),
    (&[("http_proxy", "http://PROXY"), ("NO_PROXY", "oss.test.invalid:80")], HTTP),
    (
        &[("http_proxy", "http://PROXY"), ("NO_PROXY", "oss.test.invalid:9000")],
        "http://oss.test.invalid:9000",
    ),
    (
        &[("http_proxy", "http://PROXY"), ("NO_PROXY", "oss.test.invalid")],
        "http://oss.test.invalid:9000",
    ),
    (&[("http_proxy", "http://PROXY"), ("NO_PROXY", ""), ("no_proxy", "test.invalid")], HTTP),
    (&[("http_proxy", "http://PROXY"), ("NO_PROXY", "test.invalid"), ("no_proxy", "")], HTTP),
    (&[("http_proxy", "http://PROXY"), ("NO_PROXY", "test.invalid"), ("no_proxy", "other")], HTTP),
    (&[("http_proxy", "ftp://PROXY"), ("NO_PROXY", "test.invalid")], HTTP),
    // Addresses.
    (&[("http_proxy", "http://PROXY")], "http://192.0.2.1"),
    (&[("http_proxy", "http://PROXY")], "http://[2001:db8::1]"),
    (&[("https_proxy", "http://PROXY")], "https://[2001:db8::1]:8443"),
    (&[("http_proxy", "http://PROXY"), ("no_proxy", "192.0.2.1")], "http://192.0.2.1"),
    (&[("http_proxy", "http://PROXY"), ("no_proxy", "2.1")], "http://192.0.2.1"),
    (&[("http_proxy", "http://PROXY"), ("no_proxy", ".1")], "http://192.0.2.1"),
    (&[("http_proxy", "http://PROXY"), ("no_proxy", "192.0.2.0/24")], "http://192.0.2.1"),
    (&[("http_proxy", "http://PROXY"), ("no_proxy", "192.0.2.9/24")], "http://192.0.2.1"),
    (&[("http_proxy", "http://PROXY"), ("no_proxy", "192.0.2.0/31")], "http://192.0.2.1"),
    (&[("http_proxy", "http://PROXY"), ("no_proxy", "192.0.2.0/32")], "http://192.0.2.1"),
    (&[("http_proxy", "http://PROXY"), ("no_proxy", "192.0.3.0/24")], "http://192.0.2.1"),
    (&[("http_proxy", "http://PROXY"), ("no_proxy", "192.0.0.0/14")], "http://192.0.2.1"),
    (&[("http_proxy", "http://PROXY"), ("no_proxy", "192.0.2.1/0")], "http://192.0.2.1"),
    (&[("http_proxy", "http://PROXY"), ("no_proxy", "0.0.0.0/0")], "http://192.0.2.1"),
    (&[("http_proxy", "http://PROXY"), ("no_proxy", "192.0.2.0/33")], "http://192.0.2.1"),
    (&[("http_proxy", "http://PROXY"), ("no_proxy", "192.0.2.0/x")], "http://192.0.2.1"),
    (&[("http_proxy", "http://PROXY"), ("no_proxy", "192.0.2.1:80")], "http://192.0.2.1"),
    (&[("http_proxy", "http://PROXY"), ("no_proxy", "192.0.2.1")], "http://192.0.2.1:8080"),
    (&[("http_proxy", "http://PROXY"), ("no_proxy", "2001:db8::1")], "http://[2001:db8::1]"),
    (&[("http_proxy", "http://PROXY"), ("no_proxy", "[2001:db8::1]")], "http://[2001:db8::1]"),
    (&[("http_proxy", "http://PROXY"), ("no_proxy", "2001:db9::/33")], "http://[2001:db8::1]"),
    (&[("http_proxy", "http://PROXY"), ("no_proxy", "2001:db8::/0")], "http://[2001:db8::1]"),
    (&[("http_proxy", "http://PROXY"), ("no_proxy", "2001:db8::/129")], "http://[2001:db8::1]"),
    (&[("http_proxy", "http://PROXY"), ("no_proxy", "192.0.2.0/24")], "http://[2001:db8::1]"),
];

/// Requests one channel, with the configuration of a row.
fn guest(endpoint: &str) {
    let client = Client::builder()
        .endpoint(endpoint)
        .addressing_style(osslive::AddressingStyle::Cname)
        .region("cn-hangzhou")
        .bucket("live-demo")
        .credentials(Credentials::new("id", "secret"))
        .connect_timeout(Duration::from_millis(300))
        .attempts(1)
        .build();
    match client {
        Ok(client) => println!("{}", client.get_channel_status("c").unwrap_err()),
        Err(error) => println!("{REFUSED}: {error}"),
    }
}

fn run(command: &mut Command, environment: &BTreeMap<&str, String>) -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    let output = command
        .env_clear()
        .env("PATH", path)
        .envs(environment)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
#[cfg(unix)]
fn the_environment_selects_the_same_proxy_as_for_curl() {
    if let Ok(endpoint) = std::env::var(ENDPOINT) {
        return guest(&endpoint);
    }
    if Command::new("curl").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "curl is not installed");
        println!("skipped: curl is not installed");
        return;
    }
    let (proxy, other) = (Proxy::start(), Proxy::start());
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut wrong = Vec::new();
    for (variables, endpoint) in ROWS {
        let environment: BTreeMap<_, _> = variables
            .iter()
            .map(|(name, value)| {
                let value = value.replace("PROXY", &proxy.address.to_string());
                let value = value.replace("OTHER", &other.address.to_string());
                (*name, value.replace("DEAD", &dead.to_string()))
            })
            .collect();
        let take_logs = || (proxy.take_log(), other.take_log());
        let url = format!("{endpoint}/c");
        let arguments = ["-sSg", "--connect-timeout", "2", &url];
        let curl = run(Command::new("curl").args(arguments), &environment);
        let by_curl = take_logs();
        let mut environment = environment;
        environment.insert(ENDPOINT, (*endpoint).to_owned());
        let ours = run(
            Command::new(std::env::current_exe().unwrap()).args([
                "--exact",
                "the_environment_selects_the_same_proxy_as_for_curl",
                "--nocapture",
            ]),
            &environment,
        );
        let by_us = take_logs();
        if by_curl != by_us {
            wrong.push(format!(
                "{variables:?} {endpoint}: curl {by_curl:?} {curl:?}, we {by_us:?} {ours}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), ROWS.len(), wrong.join("\n"));
}

fn through(proxy: impl Into<String>, endpoint: &str) -> osslive::ClientBuilder {
    Client::builder()
        .endpoint(endpoint)
        .region("cn-hangzhou")
        .bucket("live-demo")
        .credentials(Credentials::new("id", "secret"))
        .proxy(proxy)
        .attempts(1)
}

#[test]
fn requests_to_a_proxy_have_absolute_urls_on_a_reused_connection() {
    let proxy = Server::start(|_, _| Response::Bytes(idle()));
    let url = format!("http://user:hush@{}", proxy.address);
    let client = through(url, "http://oss.test.invalid").build().unwrap();
    client.get_channel_status("c").unwrap();
    client.put_channel("d", &osslive::ChannelConfig::new("d")).unwrap_err();
    client.get_channel_status("e").unwrap();
    let seen = proxy.seen();
    let lines: Vec<_> = seen.iter().map(|seen| seen.line.as_str()).collect();
    let origin = "http://live-demo.oss.test.invalid";
    assert_eq!(
        lines,
        [
            format!("GET {origin}/c?live&comp=stat HTTP/1.1"),
            format!("PUT {origin}/d?live HTTP/1.1"),
            format!("GET {origin}/e?live&comp=stat HTTP/1.1"),
        ]
    );
    for seen in &seen {
        assert_eq!(seen.header("host"), Some("live-demo.oss.test.invalid"));
        assert_eq!(seen.header("proxy-authorization"), Some("Basic dXNlcjpodXNo"));
    }
    assert!(seen[1].body.starts_with(b"<?xml"), "{:?}", seen[1]);
}

#[test]
fn an_unreachable_proxy_is_named_in_the_error() {
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for proxy in ["http", "socks5h", "socks4a"].map(|scheme| format!("{scheme}://{dead}")) {
        for endpoint in ["http://oss.test.invalid", "https://oss.test.invalid"] {
            let client = through(&proxy, endpoint).build().unwrap();
            let error = client.get_channel_status("c").unwrap_err();
            let expected = format!("the proxy {dead} refused the connection");
            assert!(error.message().contains(&expected), "{proxy} {endpoint}: {error}");
        }
    }
    let client = through("http://proxy.test.invalid:3128", "https://oss.test.invalid");
    let error = client.build().unwrap().get_channel_status("c").unwrap_err();
    assert!(error.message().contains("the proxy proxy.test.invalid:3128"), "{error}");
}

#[test]
fn a_proxy_that_rejects_requests_is_named_in_the_error() {
    let proxy = Proxy::start();
    for endpoint in ["http://oss.test.invalid", "https://oss.test.invalid"] {
        let url = format!("http://{}", proxy.address);
        let error = through(url, endpoint).build().unwrap().get_channel_status("c").unwrap_err();
        let expected = format!("the proxy {}", proxy.address);
        assert!(error.message().contains(&expected), "{error}");
        assert!(error.to_string().contains("403"), "{error}");
    }
}

#[test]
fn a_password_echoed_by_a_proxy_is_not_shown_in_errors() {
    let proxy = Server::start(|_, seen| {
        let body = format!("denied: {:?} user:hush-hush", seen.headers);
        Response::Bytes(reply("403 Forbidden", &body))
    });
    let url = format!("http://user:hush-hush@{}", proxy.address);
    let client = through(url, "http://oss.test.invalid").build().unwrap();
    let error = client.get_channel_status("c").unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("denied"), "{shown}");
    assert!(!shown.contains("hush") && !shown.contains("dXNlcjpodXNo"), "{shown}");
}

/// Starts a SOCKS proxy that connects to one address, whatever the request.
fn socks5_to(target: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut inward = stream.unwrap();
            let mut version = [0];
            inward.read_exact(&mut version).unwrap();
            socks5(&mut inward).unwrap();
            inward.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
            let mut outward = TcpStream::connect(target).unwrap();
            let (mut to, mut from) = (outward.try_clone().unwrap(), inward.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut from, &mut to));
            thread::spawn(move || std::io::copy(&mut outward, &mut inward));
        }
    });
    address
}

#[test]
fn a_call_goes_through_a_socks_proxy() {
    let server = Server::start(|_, _| Response::Bytes(idle()));
    let proxy = socks5_to(server.address);
    for user in ["", "user:hush@"] {
        let client = through(format!("socks5h://{user}{proxy}"), "http://oss.test.invalid");
        client.build().unwrap().get_channel_status("c").unwrap();
    }
    assert_eq!(server.seen().len(), 2);
    assert_eq!(server.seen()[0].line, "GET /c?live&comp=stat HTTP/1.1");
}
