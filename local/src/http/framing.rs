//! Finds the request heads on a connection and checks that each is unambiguous:
//! a proxy in front of the endpoint might otherwise interpret it differently
//! (request smuggling).
//!
//! The HTTP library drops some of the evidence (a length together with a transfer
//! coding, a fragment, line endings), so the bytes are inspected before they reach
//! it. The library still does the parsing.

use crate::fault::Fault;
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The maximum length of a head, the same as in the HTTP library.
pub(crate) const MAX_HEAD: usize = 64 * 1024;
/// The maximum number of fields in a head, the same as in the HTTP library.
const MAX_FIELDS: usize = 100;

/// Fields that may not be repeated: those that are signed, frame a body or select
/// a range of an object.
const ONCE: &[&str] = &[
    "authorization",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "expect",
    "host",
    "if-modified-since",
    "if-range",
    "if-unmodified-since",
    "range",
    "transfer-encoding",
];

/// The verdicts on the heads of a connection, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Verdicts(Arc<Mutex<VecDeque<Result<(), String>>>>);

impl Verdicts {
    /// Takes the verdict on the next head.
    ///
    /// # Errors
    ///
    /// 400 `InvalidArgument` for an ambiguous head.
    pub(crate) fn take(&self) -> Result<(), Fault> {
        let verdict = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let missing = || Err(String::from("The request does not start where one is expected."));
        verdict
            .unwrap_or_else(missing)
            .map_err(|message| Fault::new(400, "InvalidArgument", message))
    }

    /// Takes all verdicts: true for each head that is unambiguous.
    #[cfg(feature = "fuzzing")]
    pub(crate) fn drain(&self) -> Vec<bool> {
        let mut verdicts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        verdicts.drain(..).map(|verdict| verdict.is_ok()).collect()
    }

    fn push(&self, verdict: Result<(), String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(verdict);
    }
}

/// The meaning of the next bytes of a connection.
#[derive(Debug)]
enum State {
    /// A head, of which these bytes have arrived.
    Head(Vec<u8>),
    /// A body, of which this many bytes are left.
    Body(u64),
    /// Not inspected: a chunked body, or bytes after a head that was refused.
    /// Neither may be followed by another request.
    Rest,
}

/// A stream whose heads are inspected as they are read.
#[derive(Debug)]
pub(crate) struct Inspected<S> {
    stream: S,
    state: State,
    verdicts: Verdicts,
}

impl<S> Inspected<S> {
    pub(crate) fn new(stream: S) -> Self {
        Inspected { stream, state: State::Head(Vec::new()), verdicts: Verdicts::default() }
    }

    /// Returns the verdicts on its heads.
    pub(crate) fn verdicts(&self) -> Verdicts {
        self.verdicts.clone()
    }

    /// Inspects bytes that were read.
    pub(crate) fn inspect(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = match &mut self.state {
                State::Rest => return,
                State::Body(left) => {
                    let here = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    *left -= here as u64;
                    if *left == 0 {
                        self.state = State::Head(Vec::new());
                    }
                    &bytes[here..]
                }
                State::Head(head) => {
                    let (next, rest) = grow(head, bytes);
                    if let Some(next) = next {
                        self.state = match next {
                            Ok(state) => {
                                self.verdicts.push(Ok(()));
                                state
                            }
                            Err(message) => {
                                self.verdicts.push(Err(message));
                                State::Rest
                            }
                        };
                    }
                    rest
                }
            };
        }
    }
}

/// Adds bytes to a head, up to its end. When it is complete, returns the next
/// state; also returns the remaining bytes.
fn grow<'a>(head: &mut Vec<u8>, bytes: &'a [u8]) -> (Option<Result<State, String>>, &'a [u8]) {
    for (at, byte) in bytes.iter().enumerate() {
        // Empty lines before a request line are skipped.
        if !head.is_empty() || !b"\r\n".contains(byte) {
            head.push(*byte);
        }
        if head.ends_with(b"\n\r\n") || head.ends_with(b"\n\n") {
            return (Some(read(head)), &bytes[at + 1..]);
        }
        if head.len() >= MAX_HEAD {
            return (Some(Err(format!("The head is longer than {MAX_HEAD} bytes."))), &[]);
        }
    }
    (None, &[])
}

/// Checks a complete head, and returns the next state.
fn read(head: &[u8]) -> Result<State, String> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    let parsed = request.parse(head).map_err(|error| format!("The head is malformed: {error}."))?;
    let (true, Some(target)) = (parsed.is_complete(), request.path) else {
        return Err("The head is malformed.".into());
    };
    check_lines(head)?;
    check_fields(request.headers)?;
    let fields = Fields(request.headers);
    check_target(target, &fields, request.version == Some(1))?;
    match (fields.get("transfer-encoding"), fields.get("content-length")) {
        (Some(_), Some(_)) => {
            Err("Content-Length and Transfer-Encoding must not both be set.".into())
        }
        (Some(coding), None) if coding.eq_ignore_ascii_case("chunked") => Ok(State::Rest),
        (Some(coding), None) => {
            Err(format!("Transfer-Encoding must be chunked, not \"{}\".", coding.escape_debug()))
        }
        (None, None) => Ok(State::Head(Vec::new())),
        (None, Some(length)) => {
            let digits = Some(length).filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
            match digits.and_then(|text| text.parse().ok()) {
                Some(0) => Ok(State::Head(Vec::new())),
                Some(length) => Ok(State::Body(length)),
                None => Err("Content-Length must be a number of bytes.".into()),
            }
        }
    }
}

fn check_lines(head: &[u8]) -> Result<(), String> {
    let bare = head.iter().enumerate().any(|(at, byte)| {
        *byte == b'\n' && at.checked_sub(1).and_then(|before| head.get(before)) != Some(&b'\r')
    });
    if bare { Err("Lines of a head must end in CR LF.".into()) } else { Ok(()) }
}

/// Checks that no field of [`ONCE`] is repeated, and that signed fields are UTF-8.
fn check_fields(fields: &[httparse::Header<'_>]) -> Result<(), String> {
    for (at, field) in fields.iter().enumerate() {
        let name = field.name.to_ascii_lowercase();
        let is_signed = name.starts_with("x-oss-");
        if !is_signed && !ONCE.contains(&name.as_str()) {
            continue;
        }
        if fields[..at].iter().any(|earlier| earlier.name.eq_ignore_ascii_case(&name)) {
            return Err(format!("The header {name} must not be repeated."));
        }
        if std::str::from_utf8(field.value).is_err() {
            return Err(format!("The header {name} must be UTF-8."));
        }
    }
    Ok(())
}

fn check_target(target: &str, fields: &Fields<'_>, is_http_1_1: bool) -> Result<(), String> {
    if target.contains('#') {
        return Err("The request target must not contain \"#\".".into());
    }
    let host = match fields.get("host") {
        None if is_http_1_1 => return Err("The header Host is missing.".into()),
        host => host.unwrap_or_default(),
    };
    if host.contains(['/', '\\', '?', '#', '@', ',', ';', '"', '<', '>', '%', ' ', '\t']) {
        return Err("The header Host must be a host with an optional port.".into());
    }
    if target.starts_with('/') || target == "*" {
        return Ok(());
    }
    let Some((_, rest)) = target.split_once("://") else {
        return Err("The request target must be a path or a URL.".into());
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.eq_ignore_ascii_case(host) {
        return Ok(());
    }
    Err("The request target and the header Host must name the same host.".into())
}

/// The fields of a head.
struct Fields<'a>(&'a [httparse::Header<'a>]);

impl<'a> Fields<'a> {
    /// Returns the value of a field, which is UTF-8 if it is one of [`ONCE`].
    fn get(&self, name: &str) -> Option<&'a str> {
        let field = self.0.iter().find(|field| field.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(field.value).ok()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Inspected<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.inspect(&buffer.filled()[before..]);
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Inspected<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the verdicts on the bytes of a connection, received in pieces of `size`.
    fn verdicts(bytes: &[u8], size: usize) -> Vec<Result<(), String>> {
        let mut inspected = Inspected::new(());
        bytes.chunks(size).for_each(|piece| inspected.inspect(piece));
        let verdicts = std::mem::take(&mut *inspected.verdicts.0.lock().unwrap());
        verdicts.into()
    }

    fn verdict(head: &str) -> Result<(), String> {
        let mut verdicts = verdicts(head.as_bytes(), 7);
        assert_eq!(verdicts.len(), 1, "{head:?}");
        verdicts.remove(0)
    }

    #[test]
    fn ordinary_requests_are_accepted_however_their_bytes_are_split() {
        let requests = b"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nGET /\
                         \r\nGET /b?live&x=%23 HTTP/1.1\r\nHost: h:9000\r\nX-A: \xff\r\nx-a: c\r\n\r\n\
                         HEAD http://H/c HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n\
                         GET /d HTTP/1.0\r\n\r\nOPTIONS * HTTP/1.1\r\nHost:\r\n\r\n";
        for size in 1..requests.len() {
            assert_eq!(verdicts(requests, size), vec![Ok(()); 5], "{size}");
        }
    }

    #[test]
    fn nothing_after_a_chunked_body_is_inspected() {
        let requests = b"PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n\
                         0\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n";
        assert_eq!(verdicts(requests, 3), [Ok(())]);
    }

    #[test]
    fn an_ambiguous_head_is_refused_with_its_reason() {
        let with = |fields: &str| format!("PUT /a HTTP/1.1\r\nHost: h\r\n{fields}\r\n");
        for (head, words) in [
            (with("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"), "not both"),
            (with("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n"), "not both"),
            (with("Transfer-Encoding: chunked, chunked\r\n"), "must be chunked"),
            (with("Transfer-Encoding: gzip, chunked\r\n"), "must be chunked"),
            (with("Transfer-Encoding: identity\r\n"), "must be chunked"),
            (with("Transfer-Encoding:\r\n"), "must be chunked"),
            (with("Transfer-Encoding: chunked\r\ntransfer-encoding: chunked\r\n"), "repeated"),
            (with("Content-Length: 4\r\ncontent-length: 4\r\n"), "repeated"),
            (with("Content-Length: 4, 4\r\n"), "a number"),
            (with("Content-Length: +4\r\n"), "a number"),
            (with("Content-Length: 99999999999999999999\r\n"), "a number"),
            (with("Content-Length:\r\n"), "a number"),
            (with("Host: h\r\n"), "repeated"),
            (with("HOST: i\r\n"), "repeated"),
            (with("Authorization: OSS a:b\r\nauthorization: OSS a:b\r\n"), "repeated"),
            (with("x-oss-date: a\r\nX-Oss-Date: b\r\n"), "repeated"),
            (with("x-oss-meta-a: a\r\nx-oss-meta-a: b\r\n"), "repeated"),
            (with("Date: a\r\nDate: b\r\n"), "repeated"),
            (with("Content-Type: a\r\nContent-Type: b\r\n"), "repeated"),
            (with("Range: bytes=0-1\r\nRange: bytes=2-3\r\n"), "repeated"),
            (with("X-A: b\r\n c\r\n"), "malformed"),
            (with("X-A: b\r\n\tTransfer-Encoding: chunked\r\n"), "malformed"),
            (with("X-A: b\n"), "CR LF"),
            (with("X-A: a\rb\r\n"), "malformed"),
            (with("X-A : b\r\n"), "malformed"),
            ("GET /a HTTP/1.1\nHost: h\n\n".into(), "CR LF"),
            ("GET /a HTTP/1.1\r\nHost: h\r\n\n".into(), "CR LF"),
            ("GET /a HTTP/1.1\r\n\r\n".into(), "Host is missing"),
            ("GET http://h/a HTTP/1.1\r\n\r\n".into(), "Host is missing"),
            ("GET http://i/a HTTP/1.1\r\nHost: h\r\n\r\n".into(), "the same host"),
            ("GET http://u@h/a HTTP/1.1\r\nHost: h\r\n\r\n".into(), "the same host"),
            ("GET h HTTP/1.1\r\nHost: i\r\n\r\n".into(), "a path or a URL"),
            ("GET /a#?live HTTP/1.1\r\nHost: h\r\n\r\n".into(), "\"#\""),
            ("GET /a?live#&status=x HTTP/1.1\r\nHost: h\r\n\r\n".into(), "\"#\""),
            ("GET /a HTTP/1.1\r\nHost: a, b\r\n\r\n".into(), "must be a host"),
            ("GET /a HTTP/1.1\r\nHost: u@h\r\n\r\n".into(), "must be a host"),
            ("GET /a HTTP/1.1\r\nHost: h/b\r\n\r\n".into(), "must be a host"),
            (format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "a".repeat(MAX_HEAD)), "longer"),
        ] {
            let refusal = verdict(&head).unwrap_err();
            assert!(refusal.contains(words), "{head:?}: {refusal}");
        }
        let mut latin = b"GET /a HTTP/1.1\r\nHost: h\r\nx-oss-meta-a: \xe9\r\n\r\n".to_vec();
        assert!(verdicts(&latin, 9)[0].as_ref().unwrap_err().contains("UTF-8"));
        latin.splice(0..0, *b"\r\n");
        assert!(verdicts(&latin, 9)[0].is_err());
    }

    #[test]
    fn nothing_after_a_refused_head_is_a_request() {
        let requests = b"GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n";
        assert_eq!(verdicts(requests, 5).len(), 1);
    }
}
