//! Signed requests for objects, which the SDK does not offer.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use osslive::request::percent_encode;
use osslive::sign::{Parts, v1};

use crate::support::{BUCKET, KEY_ID, KEY_SECRET, SOON};

/// 9999-12-31T23:59:59Z
const FAR_FUTURE: &str = "253402300799";

#[derive(Debug)]
pub struct Request<'a> {
    pub method: &'a str,
    pub key: &'a str,
    pub subresource: &'a str,
    /// A signed header.
    pub header: Option<(&'a str, &'a str)>,
    pub body: &'a str,
}

impl Request<'_> {
    pub const GET: Request<'static> =
        Request { method: "GET", key: "", subresource: "", header: None, body: "" };
    pub const PUT: Request<'static> = Request { method: "PUT", ..Request::GET };

    /// Sends it to an endpoint. Returns the head and the body of the response.
    pub fn send(&self, endpoint: &str) -> io::Result<(String, Vec<u8>)> {
        let authority = endpoint.strip_prefix("http://").expect("an http URL");
        let mut stream = TcpStream::connect(authority)?;
        stream.set_read_timeout(Some(SOON))?;
        let (method, target, body) = (self.method, self.target(), self.body);
        write!(stream, "{method} {target} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n")?;
        if let Some((name, value)) = self.header {
            write!(stream, "{name}: {value}\r\n")?;
        }
        write!(stream, "Content-Length: {}\r\n\r\n{body}", body.len())?;
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply)?;
        let head = reply.windows(4).position(|four| four == b"\r\n\r\n");
        let body = reply.split_off(head.ok_or(io::ErrorKind::UnexpectedEof)? + 4);
        Ok((String::from_utf8_lossy(&reply).into_owned(), body))
    }

    fn target(&self) -> String {
        let Request { method, key, subresource, header, .. } = *self;
        let query = [(subresource, None)];
        let query = if subresource.is_empty() { &[][..] } else { &query };
        let headers: Vec<_> = header.into_iter().collect();
        let parts = Parts { method, bucket: BUCKET, key, query, headers: &headers };
        let text = v1::string_to_sign(&parts, FAR_FUTURE);
        let signature = v1::signature(&v1::Key::new(KEY_SECRET), &text);
        let path = percent_encode(key).to_string().replace("%2F", "/");
        format!(
            "/{BUCKET}/{path}?{subresource}&OSSAccessKeyId={KEY_ID}&Expires={FAR_FUTURE}\
             &Signature={}",
            percent_encode(&signature)
        )
    }
}
