//! A server with TLS and a single response.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

const IDLE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 56\r\n\r\n\
    <LiveChannelStat><Status>Idle</Status></LiveChannelStat>";

/// Its address, and the certificate in PEM that its clients must trust.
pub(crate) struct TlsServer {
    pub(crate) url: String,
    pub(crate) roots: String,
}

impl TlsServer {
    pub(crate) fn start() -> Self {
        let (config, roots) = configuration();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let config = config.clone();
                thread::spawn(move || respond(stream, config));
            }
        });
        TlsServer { url: format!("https://localhost:{port}"), roots }
    }
}

fn respond(stream: TcpStream, config: Arc<ServerConfig>) {
    let connection = ServerConnection::new(config).expect("a connection");
    let mut stream = StreamOwned::new(connection, stream);
    let mut request = [0; 65536];
    while stream.read(&mut request).is_ok_and(|n| n > 0) {
        if stream.write_all(IDLE).is_err() {
            return;
        }
    }
}

/// Creates a server certificate signed by a CA of its own, as on the Internet.
fn configuration() -> (Arc<ServerConfig>, String) {
    let key = KeyPair::generate().expect("a key");
    let mut authority = CertificateParams::new(Vec::new()).expect("parameters");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let roots = authority.self_signed(&key).expect("a certificate").pem();
    let issuer = Issuer::new(authority, key);

    let key = KeyPair::generate().expect("a key");
    let server = CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
    let certificate = server.signed_by(&key, &issuer).expect("a certificate").into();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config =
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("TLS versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("a certificate that fits its key");
    (Arc::new(config), roots)
}
