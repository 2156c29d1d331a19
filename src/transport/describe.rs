//! Describes transport errors in words.

use crate::error::{Error, ErrorKind, code};
use std::io;
use ureq::Timeout;

/// The parties in a request.
pub(super) struct Parties<'a> {
    /// Host and port of the URL.
    pub(super) host: &'a str,
    /// Host and port of the proxy.
    pub(super) proxy: Option<&'a str>,
    /// Whether the host is contacted over TLS.
    pub(super) secure: bool,
}

impl Parties<'_> {
    pub(super) fn describe(&self, error: ureq::Error) -> Error {
        let (host, peer) = (self.host, self.peer());
        let described = match &error {
            ureq::Error::Timeout(Timeout::Connect) => {
                self.at_peer(ErrorKind::Timeout, format!("timed out connecting to {peer}"))
            }
            ureq::Error::Timeout(Timeout::Resolve) => {
                self.at_peer(ErrorKind::Timeout, format!("timed out resolving {peer}"))
            }
            ureq::Error::Timeout(_) => self.timed_out(),
            ureq::Error::HostNotFound => self.unknown(format!("{peer} could not be resolved")),
            ureq::Error::ConnectionFailed => {
                self.at_peer(ErrorKind::Connection, format!("could not connect to {peer}"))
            }
            ureq::Error::ConnectProxyFailed(why) => self.refused_tunnel(why),
            ureq::Error::Io(io) => self.io_error(io),
            ureq::Error::Http(_) | ureq::Error::BadUri(_) => {
                Error::invalid("the request is not valid HTTP")
            }
            ureq::Error::TlsRequired => Error::new(
                ErrorKind::Config,
                "this build does not support TLS: use http://, or enable a TLS feature",
            ),
            // The system's verifier, if it found no certificates.
            other if other.to_string().contains("No CA certificates") => {
                connection(format!("untrusted TLS certificate of {host}: {other}"))
                    .with_code(code::UNTRUSTED_CERTIFICATE)
                    .permanent()
            }
            other => self.bad_reply(other).unwrap_or_else(|| {
                connection(format!("could not connect to {host}: {other}")).permanent()
            }),
        };
        described.with_source(error)
    }

    /// Describes the peer to which the connection is made.
    fn peer(&self) -> String {
        self.proxy.map_or(self.host.to_owned(), |proxy| format!("the proxy {proxy}"))
    }

    /// Returns the error for a peer that cannot be reached: the proxy, if there is one.
    fn at_peer(&self, kind: ErrorKind, message: String) -> Error {
        let error = Error::new(kind, message);
        if self.proxy.is_some() { error.with_code(code::PROXY_FAILED) } else { error }
    }

    /// Returns the error for a peer whose name has no address.
    fn unknown(&self, message: String) -> Error {
        let whose = if self.proxy.is_some() { code::PROXY_FAILED } else { code::UNKNOWN_HOST };
        connection(message).with_code(whose)
    }

    /// Describes the host, and the proxy on the way to it.
    fn reached(&self) -> String {
        let Parties { host, proxy, .. } = self;
        proxy.map_or(host.to_string(), |proxy| format!("{host} through the proxy {proxy}"))
    }

    fn timed_out(&self) -> Error {
        let message = format!("timed out waiting for {}", self.reached());
        Error::new(ErrorKind::Timeout, message)
    }

    /// Returns the error for a tunnel that the proxy refused. Only a string is known, with
    /// or without the proxy's status.
    fn refused_tunnel(&self, why: &str) -> Error {
        let (host, peer) = (self.host, self.peer());
        let refused = |message| connection(message).with_code(code::PROXY_FAILED);
        match number_in(why) {
            Some(status) => {
                let error = refused(format!("{peer} refused to connect to {host}: HTTP {status}"));
                if status < 500 { error.permanent() } else { error }
            }
            None => refused(format!("{peer} closed the connection to {host}")),
        }
    }

    fn io_error(&self, io: &io::Error) -> Error {
        use io::ErrorKind as Io;
        let (host, peer, reached) = (self.host, self.peer(), self.reached());
        match io.kind() {
            Io::UnexpectedEof => connection(format!(
                "the connection to {reached} was closed before the response was complete"
            )),
            Io::ConnectionRefused => {
                self.at_peer(ErrorKind::Connection, format!("{peer} refused the connection"))
            }
            Io::TimedOut => self.timed_out(),
            // The system's message starts with what std was about to do.
            Io::NotFound => {
                let why = io.to_string();
                let why = why.rsplit(": ").next().unwrap_or_default();
                self.unknown(format!("{peer} could not be resolved: {why}"))
            }
            // TLS reports an untrusted certificate as invalid data.
            Io::InvalidData if io.to_string().contains("certificate") => {
                connection(format!("untrusted TLS certificate of {host}: {io}"))
                    .with_code(code::UNTRUSTED_CERTIFICATE)
                    .permanent()
            }
            Io::InvalidData if self.secure => {
                connection(format!("TLS error with {reached}: {io}")).permanent()
            }
            Io::InvalidData => connection(format!("{peer}: {io}")).permanent(),
            _ => connection(format!("lost the connection to {reached}: {io}")),
        }
    }

    /// Returns the error for a response that is too large, or not HTTP.
    fn bad_reply(&self, error: &ureq::Error) -> Option<Error> {
        let host = self.host;
        Some(Error::bad_reply(match error {
            ureq::Error::BodyExceedsLimit(most) => {
                format!("the response is larger than {} MB", most >> 20)
            }
            ureq::Error::LargeResponseHeader(_, most) => {
                format!("the response headers are larger than {} kB", most >> 10)
            }
            // One chunk header or trailer fills the whole buffer.
            ureq::Error::BodyStalled => {
                format!("invalid HTTP response from {host}: unterminated chunk")
            }
            ureq::Error::Protocol(why) => format!("invalid HTTP response from {host}: {why}"),
            _ => return None,
        }))
    }
}

fn connection(message: String) -> Error {
    Error::new(ErrorKind::Connection, message)
}

/// Returns the first number in a string.
fn number_in(text: &str) -> Option<u16> {
    text.split(|c: char| !c.is_ascii_digit()).find_map(|digits| digits.parse().ok())
}
