//! Errors that the client itself detects have codes, like those of the service.

use osslive::{Client, ClientBuilder, Credentials, Error, code};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread;

fn client() -> ClientBuilder {
    Client::builder().credentials(Credentials::new("LTAI5tCodes", "secret")).no_proxy()
}

fn build_error(builder: ClientBuilder) -> Error {
    builder.build().expect_err("the configuration is incomplete")
}

fn call_error(builder: ClientBuilder) -> Error {
    let client = builder.region("cn-hangzhou").bucket("live-demo").attempts(1).build();
    client.expect("a client").get_channel("cam").expect_err("nothing responds")
}

#[test]
fn an_incomplete_configuration_has_a_code() {
    let error = build_error(client().bucket("live-demo"));
    assert_eq!(error.code(), Some(code::NO_REGION), "{error}");
    let error = build_error(client().bucket("live-demo").endpoint("http://127.0.0.1:1"));
    assert_eq!(error.code(), Some(code::NO_REGION), "{error}");
    let error = build_error(client().region("cn-hangzhou"));
    assert_eq!(error.code(), Some(code::NO_BUCKET), "{error}");
}

#[test]
fn an_unresolvable_host_has_a_code() {
    let error = call_error(client().endpoint("http://osslive.invalid"));
    assert_eq!(error.code(), Some(code::UNKNOWN_HOST), "{error}");
}

#[test]
fn a_proxy_that_rejects_requests_has_a_code() {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let proxy = format!("http://{}", socket.local_addr().expect("an address"));
    let thread = thread::spawn(move || {
        let (stream, _) = socket.accept().expect("the client connects");
        let mut lines = BufReader::new(&stream).lines().map(|line| line.expect("a request"));
        assert!(lines.next().expect("a request").starts_with("CONNECT "));
        lines.find(String::is_empty).expect("the end of the headers");
        let refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
        (&stream).write_all(refusal).expect("it is read");
    });
    let error = call_error(client().proxy(proxy).endpoint("https://oss.example.com"));
    assert_eq!(error.code(), Some(code::PROXY_FAILED), "{error}");
    thread.join().expect("the proxy received a request");
}
