//! Requests and responses, independent of connections.

use crate::control::AppliedRule;
use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;

/// A request as received.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The method, in upper case.
    pub method: String,
    /// The host, with its port if present; empty if none was sent.
    pub host: String,
    /// The path, raw.
    pub path: String,
    /// The query, raw, without its `?`; empty for none.
    pub query: String,
    /// The headers: names in lower case, without repetitions, values trimmed.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The client's address, if known.
    pub peer: Option<SocketAddr>,
    /// Whether it is an HTTP/1.0 request, which no browser sends.
    pub is_http_1_0: bool,
}

impl Request {
    /// Returns the value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// A response to be sent.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers, including Content-Length.
    pub headers: Vec<(Cow<'static, str>, String)>,
    /// The body; empty in responses to HEAD.
    pub body: Body,
    /// The fault rule that applies to it.
    pub applied: Option<AppliedRule>,
}

/// The body of a response.
pub enum Body {
    /// Nothing.
    Empty,
    /// Bytes in memory.
    Bytes(Vec<u8>),
    /// A part of a file.
    File {
        /// The file.
        file: File,
        /// The offset of the part.
        offset: u64,
        /// Its length.
        length: u64,
    },
    /// Content that is generated while it is sent.
    Stream {
        /// The source.
        reader: Box<dyn Read + Send>,
        /// Its length.
        length: u64,
    },
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a body of {} bytes", self.length())
    }
}

impl Body {
    /// Returns the length of the body.
    pub fn length(&self) -> u64 {
        match self {
            Body::Empty => 0,
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::File { length, .. } | Body::Stream { length, .. } => *length,
        }
    }
}

impl Response {
    /// Returns a response with neither headers nor body.
    pub fn empty(status: u16) -> Response {
        Response { status, headers: Vec::new(), body: Body::Empty, applied: None }
    }

    /// Returns a response with text.
    pub fn text(status: u16, content_type: &str, text: String) -> Response {
        Response { body: Body::Bytes(text.into_bytes()), ..Response::empty(status) }
            .with("Content-Type", content_type)
    }

    /// Returns a 200 response with an XML document.
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

    /// Returns the value of a header, ignoring case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let is_it = |(n, _): &&(Cow<'_, str>, String)| n.eq_ignore_ascii_case(name);
        self.headers.iter().find(is_it).map(|(_, value)| value.as_str())
    }
}
