//! Diagnoses of networks: names, addresses and ports that lead elsewhere or nowhere, and
//! every way to address healthy buckets.
//!
//! Runs as root on Linux, in its own network and with its own hosts file. If that is not
//! possible, the tests are skipped.

#![cfg(all(target_os = "linux", feature = "tls"))]

#[path = "support/clip.rs"]
mod clip;
#[allow(dead_code)]
#[path = "support/fault.rs"]
mod fault;

use clip::publish_and_wait;
use fault::{Asked, FaultServer, Step, Tls};
use osslive::{
    AddressingStyle, ChannelConfig, Client, ClientBuilder, Credentials, Diagnosis,
    DiagnosisOptions, RtmpUrlOptions, SignatureVersion, Verdict,
};
use osslive_local::{Acl, Config, LocalEndpoint};
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

const INSIDE: &str = "OSSLIVE_TEST_INSIDE";

/// The local hosts, at 127.0.0.1; a host in the network that is off, and one in a network
/// without a route.
const HOSTS: &str = "127.0.0.1 localhost oss.test live-demo.oss.test live.example\n\
    10.9.0.2 live-demo.off.test off.test\n\
    192.0.2.1 live-demo.far.test far.test\n";

/// Runs a test of this file in its own network. Returns whether this process is the one
/// inside.
fn is_inside(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let can = Command::new("unshare").args(["--mount", "--net", "true"]).output();
    if !can.is_ok_and(|ran| ran.status.success()) {
        println!("skipped: this user cannot create a network namespace");
        return false;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    fs::create_dir_all(&folder).unwrap();
    let hosts = folder.join("hosts");
    fs::write(&hosts, HOSTS).unwrap();
    let script = "mount --bind \"$1\" /etc/hosts && ip link set lo up && \
        ip link add office type veth peer name desk && ip address add 10.9.0.1/24 dev office && \
        ip link set office up && ip link set desk up && shift && exec \"$@\"";
    let ran = Command::new("unshare")
        .args(["--mount", "--net", "sh", "-c", script, "sh"])
        .arg(&hosts)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let output =
        [ran.stdout, ran.stderr].map(|output| String::from_utf8_lossy(&output).into_owned());
    assert!(ran.status.success(), "{}\n{}", output[0], output[1]);
    println!("{}", output[0]);
    false
}

/// Returns clients with both kinds of keys, all kinds of addresses and both signatures.
fn ways(endpoint: &LocalEndpoint) -> Vec<(String, ClientBuilder)> {
    let port = endpoint.address().port();
    let keys = Credentials::new(Config::ACCESS_KEY_ID, Config::ACCESS_KEY_SECRET);
    let temporary = Credentials::new("STS.test", "temporary").with_security_token("token");
    let mut ways = Vec::new();
    for (host, style) in [
        ("127.0.0.1", AddressingStyle::Path),
        ("oss.test", AddressingStyle::VirtualHosted),
        ("live.example", AddressingStyle::Cname),
    ] {
        for version in [SignatureVersion::V1, SignatureVersion::V4] {
            for keys in [&keys, &temporary] {
                let builder = Client::builder()
                    .endpoint(format!("http://{host}:{port}"))
                    .region("cn-hangzhou")
                    .bucket(Config::BUCKET)
                    .addressing_style(style)
                    .signature_version(version)
                    .credentials(keys.clone())
                    .no_proxy();
                ways.push((format!("{style} {version} {}", keys.access_key_id()), builder));
            }
        }
    }
    ways
}

#[test]
fn two_hundred_healthy_setups_have_no_problems_or_warnings() {
    if !is_inside("two_hundred_healthy_setups_have_no_problems_or_warnings") {
        return;
    }
    let (mut count, mut longest) = (0, 0);
    for acl in [Acl::Private, Acl::PublicRead, Acl::PublicReadWrite] {
        let config = Config::temporary()
            .acl(acl)
            .domain("oss.test")
            .cname("live.example")
            .cors("https://www.example.com")
            .temporary_key("STS.test", "temporary", "token");
        let endpoint = LocalEndpoint::start(config).unwrap();
        let owner = endpoint.client_builder().build().unwrap();
        let channel = ChannelConfig::new("").frag_duration(1);
        owner.put_channel("idle", &channel).unwrap();
        owner.put_channel("live", &channel).unwrap();
        let _publisher = publish_and_wait(&owner, "live");
        for (way, builder) in ways(&endpoint) {
            let client = builder.build().unwrap();
            let url = |id: &str| client.get_rtmp_url(id, &RtmpUrlOptions::new()).unwrap();
            let play = client.get_play_url("live", "playlist.m3u8", 600).unwrap();
            let origin = "https://www.example.com";
            for (what, options) in [
                ("bucket", DiagnosisOptions::new()),
                ("idle", DiagnosisOptions::new().channel("idle")),
                ("idle with URL", DiagnosisOptions::new().channel("idle").publish_url(url("idle"))),
                ("live", DiagnosisOptions::new().channel("live").origin(origin)),
                ("live with URL", DiagnosisOptions::new().channel("live").publish_url(url("live"))),
                ("play URL", DiagnosisOptions::new().channel("live").play_url(play)),
            ] {
                let diagnosis = client.diagnose(&options);
                let alarms = diagnosis.problems + diagnosis.warnings;
                assert_eq!(alarms, 0, "{way}, {what}, {acl:?}: {}", found(&diagnosis));
                count += 1;
                longest = longest.max(diagnosis.elapsed_ms);
            }
        }
    }
    println!("{count} healthy runs, the longest took {longest} ms");
    assert!(count >= 200 && longest < 10_000);
}

/// Formats the problems and warnings for a message.
fn found(diagnosis: &Diagnosis) -> String {
    let is_alarm = |verdict| matches!(verdict, Verdict::Problem | Verdict::Warning);
    let found = diagnosis.checks.iter().filter(|check| is_alarm(check.verdict));
    found.map(|check| format!("\n  {}: {} -> {:?}", check.id, check.seen, check.advice)).collect()
}

/// Starts a server that sends the same response to every request.
fn server_sending(tls: Option<Tls>, response: &'static str) -> FaultServer {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let respond = Arc::new(move |_: &Asked| match response {
        "" => vec![Step::Wait],
        "reset" => vec![Step::Reset],
        response => vec![Step::Send(response.as_bytes().to_vec())],
    });
    FaultServer::start(listener, tls, respond.clone(), respond)
}

const SIGN_IN: &str = "HTTP/1.1 200 OK\r\nServer: hotel\r\nContent-Length: 6\r\n\r\n<html>";
const PROXY_AUTHENTICATION: &str = "HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n";

#[test]
fn each_fault_of_the_network_is_reported() {
    if !is_inside("each_fault_of_the_network_is_reported") {
        return;
    }
    let endpoint = LocalEndpoint::start(Config::temporary().domain("oss.test")).unwrap();
    let port = endpoint.address().port();
    let servers = [
        server_sending(Some(Tls::WrongName), SIGN_IN),
        server_sending(Some(Tls::Expired), SIGN_IN),
        server_sending(Some(Tls::Unknown), SIGN_IN),
        server_sending(None, SIGN_IN),
        server_sending(None, PROXY_AUTHENTICATION),
        server_sending(None, ""),
        server_sending(None, "reset"),
    ];
    let [wrong_name, expired, unknown, sign_in, needs_password, silent, resets] =
        servers.each_ref().map(|server| server.address.port());
    let trusted = fault::trusted_root();
    // OSS through port 80: RTMP is then at 1935.
    let _web = forward("127.0.0.1:80", port);
    let at = |url: &str| {
        let keys = Credentials::new(Config::ACCESS_KEY_ID, Config::ACCESS_KEY_SECRET);
        Client::builder()
            .endpoint(url)
            .region("cn-hangzhou")
            .bucket(Config::BUCKET)
            .credentials(keys)
            .root_certificates(trusted)
    };
    let local = |port: u16| at(&format!("http://127.0.0.1:{port}")).no_proxy();
    let https = |port: u16| at(&format!("https://localhost:{port}")).no_proxy();
    let oss = || at(&format!("http://oss.test:{port}"));
    let proxy = |port: u16| oss().proxy(format!("http://127.0.0.1:{port}"));
    for (what, builder, id, word) in [
        ("no such name", at("http://nowhere.test").no_proxy(), "host-name", "spelling"),
        ("no such bucket's name", at("http://oss.tset").no_proxy(), "host-name", "spelling"),
        ("a closed port", local(1), "http-port", "outgoing"),
        ("a host that is off", at("http://off.test").no_proxy(), "http-port", "outgoing"),
        ("no route", at("http://far.test").no_proxy(), "http-port", "outgoing"),
        ("a firewall that drops", local(silent), "http-port", "outgoing"),
        ("a firewall that resets", local(resets), "http-port", "outgoing"),
        ("a sign-in page", local(sign_in), "service", "captive portal"),
        ("a certificate for another name", https(wrong_name), "tls", "certificate"),
        ("an expired certificate", https(expired), "tls", "certificate"),
        ("an unknown authority", https(unknown), "tls", "authority"),
        ("a proxy that is off", proxy(1), "proxy", "proxy"),
        ("a proxy that requires a password", proxy(needs_password), "proxy", "password"),
        ("no RTMP", at("http://oss.test").no_proxy(), "rtmp-port", "1935"),
    ] {
        let started = Instant::now();
        let diagnosis = builder.build().unwrap().diagnose(&DiagnosisOptions::new());
        assert!(started.elapsed() < Duration::from_secs(10), "{what}");
        let check = diagnosis.checks.iter().find(|check| check.id.as_str() == id).unwrap();
        assert_eq!(check.verdict, Verdict::Problem, "{what}: {}", found(&diagnosis));
        let advice = check.advice.as_deref().unwrap_or_default();
        assert!(advice.contains(word), "{what}: {advice}");
        let others: Vec<_> = diagnosis
            .checks
            .iter()
            .filter(|check| check.verdict == Verdict::Problem && check.id.as_str() != id)
            .filter(|check| !matches!(check.id.as_str(), "rtmp-port" | "rtmp-handshake"))
            .collect();
        assert!(others.is_empty(), "{what}: {others:?}");
    }
    // Another service is at the RTMP port.
    let _other = forward("127.0.0.1:1935", sign_in);
    let diagnosis = at("http://oss.test").no_proxy().build().unwrap();
    let diagnosis = diagnosis.diagnose(&DiagnosisOptions::new());
    let handshake = diagnosis.checks.iter().find(|check| check.id.as_str() == "rtmp-handshake");
    assert_eq!(handshake.unwrap().verdict, Verdict::Problem, "{}", found(&diagnosis));
}

/// Forwards connections to a port of this machine.
fn forward(from: &str, to: u16) -> thread::JoinHandle<()> {
    let listener = TcpListener::bind(from).unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut near, mut far) =
                (stream.unwrap(), std::net::TcpStream::connect(("127.0.0.1", to)).unwrap());
            let (mut near_too, mut far_too) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            thread::spawn(move || {
                let _ = std::io::copy(&mut near, &mut far);
                let _ = far.shutdown(std::net::Shutdown::Write);
            });
            thread::spawn(move || {
                let _ = std::io::copy(&mut far_too, &mut near_too);
                let _ = near_too.shutdown(std::net::Shutdown::Write);
            });
        }
    })
}
