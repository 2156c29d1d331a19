//! Endpoints with a certificate from a private CA.

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use support::{
    Folder, KEY_ID, KEY_SECRET, LONG, REGION, Service, bare, free_port, run, wait_for_series,
    wait_until,
};

const RESPONSE: &str = "<ListLiveChannelResult><Prefix/><Marker/><MaxKeys>100</MaxKeys>\
                      <IsTruncated>false</IsTruncated></ListLiveChannelResult>";

/// Returns the port of a server for https://localhost, and its CA
/// certificate.
fn serve() -> (u16, String) {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = params.self_signed(&key).expect("a certificate").pem();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    let certificate = params.signed_by(&key, &issuer).expect("a certificate");
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("a certificate with its key");
    let config = Arc::new(config);
    let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = socket.local_addr().expect("an address").port();
    thread::spawn(move || {
        for stream in socket.incoming().map_while(Result::ok) {
            let connection = ServerConnection::new(config.clone()).expect("a connection");
            // A client that does not trust the certificate disconnects.
            let _ = respond(StreamOwned::new(connection, stream));
        }
    });
    (port, authority)
}

fn respond(stream: impl Read + Write) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut line, mut body) = (String::new(), 0);
    while stream.read_line(&mut line)? > 2 {
        let length =
            line.strip_prefix("content-length: ").and_then(|text| text.trim().parse().ok());
        body = length.unwrap_or(body);
        line.clear();
    }
    stream.read_exact(&mut vec![0; body])?;
    let length = RESPONSE.len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.get_mut().write_all(format!("{head}{RESPONSE}").as_bytes())?;
    stream.get_mut().flush()
}

#[test]
fn a_private_ca_in_a_file_is_trusted() {
    let home = Folder::new("certificates");
    let (port, authority) = serve();
    let list = |options: &str| {
        let line = format!(
            "channel list --endpoint https://localhost:{port} --region {REGION} \
             --bucket live-demo --addressing-style path {options}"
        );
        let mut command = bare(home.path(), &line);
        command.env("OSS_ACCESS_KEY_ID", KEY_ID).env("OSS_ACCESS_KEY_SECRET", KEY_SECRET);
        run(&mut command, LONG)
    };
    let ran = list("--json");
    assert_eq!(ran.status.code(), Some(7), "{}", ran.stderr);
    let message: serde_json::Value = serde_json::from_str(&ran.stderr).expect("a line of JSON");
    assert_eq!(message["error"]["code"], "UntrustedCertificate", "{message}");
    assert!(
        message["error"]["hint"].as_str().unwrap_or_default().contains("--ca-file"),
        "{message}"
    );

    let file = home.path().join("ca.pem");
    fs::write(&file, authority).expect("a file");
    list(&format!("--ca-file {}", file.display())).silent("a certificate that is trusted");
}

#[test]
fn webhooks_trust_the_same_certificates_as_requests() {
    let service = Service::with_channels("certificates-webhook", 1);
    service.set("channel-0", osslive::ChannelState::Disabled);
    let (port, authority) = serve();
    let line =
        format!("--interval 1s --webhook https://localhost:{port}/ --webhook-secret-file secret");
    let monitor = service.start(&line, &[]);
    wait_until("an untrusted certificate", || {
        let log = monitor.logged();
        (log.contains("UnknownIssuer"), log)
    });
    drop(monitor);
    fs::write(service.folder.path().join("ca.pem"), authority).expect("a file");
    let metrics = free_port();
    let options = format!("--metrics 127.0.0.1:{metrics} --ca-file ca.pem");
    let _monitor = service.start(&format!("{line} {options}"), &[]);
    let labels = "bucket=\"live-demo\",receiver=\"webhook-1\"";
    wait_for_series(metrics, &format!("osslive_monitor_events_delivered_total{{{labels}}} 1"));
}
