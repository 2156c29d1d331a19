//! Which certificates are trusted: those in the file or folder that the environment
//! sets, as with OpenSSL and curl.
//!
//! Each case runs in its own process, because the environment is shared.

#![cfg(feature = "tls")]

#[allow(dead_code)]
#[path = "support/fault.rs"]
mod fault;

use fault::{Asked, FaultServer, Step, Tls};
use osslive::{Client, Credentials};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

const ENDPOINT: &str = "OSSLIVE_TEST_ENDPOINT";
const EXPECTED: &str = "OSSLIVE_TEST_EXPECTED";
const ROOTS: &str = "OSSLIVE_TEST_ROOTS";

/// Makes a call, and checks the outcome: success, or a word in the error.
fn guest(endpoint: String) {
    let mut builder = Client::builder()
        .endpoint(endpoint)
        .region("cn-hangzhou")
        .bucket("live-demo")
        .credentials(Credentials::new("id", "secret"))
        .attempts(2)
        .no_proxy();
    if let Ok(roots) = std::env::var(ROOTS) {
        builder = builder.root_certificates(std::fs::read(roots).unwrap());
    }
    let outcome = builder.build().and_then(|client| client.delete_channel("c"));
    let message = outcome.as_ref().err().map(|error| error.to_string()).unwrap_or_default();
    let expected = std::env::var(EXPECTED).unwrap();
    let is_expected =
        if expected.is_empty() { outcome.is_ok() } else { message.contains(&expected) };
    assert!(is_expected, "{expected:?}: {outcome:?}");
}

#[test]
fn the_environment_sets_the_trusted_certificates() {
    if let Ok(endpoint) = std::env::var(ENDPOINT) {
        return guest(endpoint);
    }
    let respond =
        |_: &Asked| vec![Step::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec())];
    let respond = Arc::new(respond);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = FaultServer::start(listener, Some(Tls::Good), respond.clone(), respond);
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("certificates-{}", std::process::id()));
    let write = |name: &str, content: &[u8]| {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let root = fault::trusted_root();
    let good = write("good.pem", root.as_bytes());
    let marked = write("marked.pem", format!("\u{feff}{root}").as_bytes());
    let windows = write("windows.pem", root.replace('\n', "\r\n").as_bytes());
    let talkative = write("talkative.pem", format!("# Our own\nCN = x\n{root}").as_bytes());
    let empty = write("empty.pem", b"");
    let wrong = write("wrong.pem", b"no certificate");
    write("folder/5ed36f99.0", root.as_bytes());
    write("folder/README", b"no certificate");
    write("folder/deeper/x.pem", b"no certificate");
    write("none/README", b"no certificate");
    let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let unknown = "untrusted TLS certificate";
    let cases: Vec<(Vec<(&str, String)>, &str)> = vec![
        (vec![], unknown),
        (vec![("SSL_CERT_FILE", String::new())], unknown),
        (vec![("SSL_CERT_FILE", good.clone())], ""),
        (vec![("SSL_CERT_FILE", marked.clone())], ""),
        (vec![("SSL_CERT_FILE", windows)], ""),
        (vec![("SSL_CERT_FILE", talkative)], ""),
        (vec![("SSL_CERT_DIR", at("folder"))], ""),
        (vec![("SSL_CERT_DIR", at("folder")), ("SSL_CERT_FILE", good)], ""),
        (vec![("SSL_CERT_FILE", at("missing.pem"))], "SSL_CERT_FILE"),
        (vec![("SSL_CERT_FILE", empty)], "SSL_CERT_FILE"),
        (vec![("SSL_CERT_FILE", wrong)], "SSL_CERT_FILE"),
        (vec![("SSL_CERT_DIR", at("missing"))], "SSL_CERT_DIR"),
        (vec![("SSL_CERT_DIR", at("none"))], "SSL_CERT_DIR"),
        (vec![(ROOTS, marked.clone())], ""),
        // Explicit certificates take precedence.
        (vec![(ROOTS, marked), ("SSL_CERT_FILE", at("missing.pem"))], ""),
    ];
    let mut failed = Vec::new();
    for (variables, expected) in cases {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_environment_sets_the_trusted_certificates"])
            .env_remove("SSL_CERT_FILE")
            .env_remove("SSL_CERT_DIR")
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .env(ENDPOINT, format!("https://localhost:{}", server.address.port()))
            .env(EXPECTED, expected)
            .output()
            .unwrap();
        if !output.status.success() {
            failed.push(format!("{variables:?}: {}", String::from_utf8_lossy(&output.stdout)));
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
