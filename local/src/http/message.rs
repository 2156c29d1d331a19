//! Requests and replies, apart from any connection.

use crate::control::Ordered;
use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;

/// A request as it was received.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The method, in upper case.
    pub method: String,
    /// The host, with its port where it has one; empty when none was sent.
    pub host: String,
    /// The path, raw.
    pub path: String,
    /// The query, raw, without its `?`; empty for none.
    pub query: String,
    /// The headers: names in lower case, each once, values trimmed.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Who sent it, as far as is known.
    pub peer: Option<SocketAddr>,
    /// Whether it came in HTTP/1.0, as no browser sends it.
    pub is_http_1_0: bool,
}

impl Request {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// A reply to be sent.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers, Content-Length among them.
    pub headers: Vec<(Cow<'static, str>, String)>,
    /// The body; empty in reply to HEAD.
    pub body: Body,
    /// The fault that was ordered for it.
    pub ordered: Option<Ordered>,
}

/// The body of a reply.
pub enum Body {
    /// Nothing.
    Empty,
    /// Bytes in memory.
    Bytes(Vec<u8>),
    /// A part of a file.
    File {
        /// The file.
        file: File,
        /// Where the part begins.
        offset: u64,
        /// How long it is.
        length: u64,
    },
    /// What is made while it is sent.
    Stream {
        /// Where it is read from.
        reader: Box<dyn Read + Send>,
        /// How long it is.
        length: u64,
    },
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a body of {} bytes", self.length())
    }
}

impl Body {
    /// How many bytes the body has.
    pub fn length(&self) -> u64 {
        match self {
            Body::Empty => 0,
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::File { length, .. } | Body::Stream { length, .. } => *length,
        }
    }
}

impl Response {
    /// A reply with neither headers nor body.
    pub fn empty(status: u16) -> Response {
        Response { status, headers: Vec::new(), body: Body::Empty, ordered: None }
    }

    /// A reply with a text.
    pub fn text(status: u16, content_type: &str, text: String) -> Response {
        Response { body: Body::Bytes(text.into_bytes()), ..Response::empty(status) }
            .with("Content-Type", content_type)
    }

    /// A reply 200 with an XML document.
    pub fn xml(text: String) -> Response {
        Response::text(200, "application/xml", text)
    }

    /// Adds a header.
    pub fn with(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<String>,
    ) -> Response {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The value of a header, by its name as the service writes it.
    pub fn header(&self, name: &str) -> Option<&str> {
        let is_it = |(n, _): &&(Cow<'_, str>, String)| n.eq_ignore_ascii_case(name);
        self.headers.iter().find(is_it).map(|(_, value)| value.as_str())
    }
}
