//! What went wrong on the way, in words.

use crate::error::{Error, ErrorKind, code};
use std::io;
use ureq::Timeout;

/// Who takes part in a request.
pub(super) struct Parties<'a> {
    /// Host and port of the URL.
    pub(super) host: &'a str,
    /// Those of the proxy.
    pub(super) proxy: Option<&'a str>,
    /// Whether the host is spoken to over TLS.
    pub(super) secure: bool,
}

impl Parties<'_> {
    pub(super) fn describe(&self, error: ureq::Error) -> Error {
        let (host, peer) = (self.host, self.peer());
        let described = match &error {
            ureq::Error::Timeout(Timeout::Connect) => {
                self.at_peer(ErrorKind::Timeout, format!("no connection to {peer} in time"))
            }
            ureq::Error::Timeout(Timeout::Resolve) => {
                self.at_peer(ErrorKind::Timeout, format!("no address for {peer} in time"))
            }
            ureq::Error::Timeout(_) => self.late(),
            ureq::Error::HostNotFound => self.unknown(format!("{peer} has no address")),
            ureq::Error::ConnectionFailed => {
                self.at_peer(ErrorKind::Connection, format!("no connection to {peer}"))
            }
            ureq::Error::ConnectProxyFailed(why) => self.refused_tunnel(why),
            ureq::Error::Io(io) => self.broken(io),
            ureq::Error::Http(_) | ureq::Error::BadUri(_) => {
                Error::invalid("the request cannot be written as HTTP")
            }
            ureq::Error::TlsRequired => Error::new(
                ErrorKind::Config,
                "this build has no TLS: use http://, or a TLS feature",
            ),
            // The system's verifier, where it found no certificates at all.
            other if other.to_string().contains("No CA certificates") => {
                connection(format!("untrusted TLS certificate of {host}: {other}"))
                    .with_code(code::UNTRUSTED_CERTIFICATE)
                    .permanent()
            }
            other => self.bad_reply(other).unwrap_or_else(|| {
                connection(format!("no connection to {host}: {other}")).permanent()
            }),
        };
        described.with_source(error)
    }

    /// Whom the connection is made to.
    fn peer(&self) -> String {
        self.proxy.map_or(self.host.to_owned(), |proxy| format!("the proxy {proxy}"))
    }

    /// A failure to reach the peer, which is the proxy's if there is one.
    fn at_peer(&self, kind: ErrorKind, message: String) -> Error {
        let error = Error::new(kind, message);
        if self.proxy.is_some() { error.with_code(code::PROXY_FAILED) } else { error }
    }

    /// A peer whose name has no address.
    fn unknown(&self, message: String) -> Error {
        let whose = if self.proxy.is_some() { code::PROXY_FAILED } else { code::UNKNOWN_HOST };
        connection(message).with_code(whose)
    }

    /// The host, and the way to it.
    fn reached(&self) -> String {
        let Parties { host, proxy, .. } = self;
        proxy.map_or(host.to_string(), |proxy| format!("{host} through the proxy {proxy}"))
    }

    fn late(&self) -> Error {
        let message = format!("no complete answer from {} in time", self.reached());
        Error::new(ErrorKind::Timeout, message)
    }

    /// All that is known is a text with or without the proxy's status.
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

    fn broken(&self, io: &io::Error) -> Error {
        use io::ErrorKind as Io;
        let (host, peer, reached) = (self.host, self.peer(), self.reached());
        match io.kind() {
            Io::UnexpectedEof => connection(format!(
                "the connection to {reached} was closed before the answer was complete"
            )),
            Io::ConnectionRefused => {
                self.at_peer(ErrorKind::Connection, format!("{peer} refused the connection"))
            }
            Io::TimedOut => self.late(),
            // The system's words begin with what std was about to do.
            Io::NotFound => {
                let why = io.to_string();
                let why = why.rsplit(": ").next().unwrap_or_default();
                self.unknown(format!("no address was found for {peer}: {why}"))
            }
            // TLS reports a certificate that it does not trust as invalid data.
            Io::InvalidData if io.to_string().contains("certificate") => {
                connection(format!("untrusted TLS certificate of {host}: {io}"))
                    .with_code(code::UNTRUSTED_CERTIFICATE)
                    .permanent()
            }
            Io::InvalidData if self.secure => {
                connection(format!("no TLS with {reached}: {io}")).permanent()
            }
            Io::InvalidData => connection(format!("{peer}: {io}")).permanent(),
            _ => connection(format!("the connection to {reached} broke: {io}")),
        }
    }

    /// An answer that is too large, or not HTTP.
    fn bad_reply(&self, error: &ureq::Error) -> Option<Error> {
        let host = self.host;
        Some(Error::bad_reply(match error {
            ureq::Error::BodyExceedsLimit(most) => {
                format!("the answer is longer than {} MB", most >> 20)
            }
            ureq::Error::LargeResponseHeader(_, most) => {
                format!("the answer's headers are longer than {} kB", most >> 10)
            }
            // One chunk header or trailer fills the whole buffer.
            ureq::Error::BodyStalled => {
                format!("the answer of {host} is not HTTP: a chunk without an end")
            }
            ureq::Error::Protocol(why) => format!("the answer of {host} is not HTTP: {why}"),
            _ => return None,
        }))
    }
}

fn connection(message: String) -> Error {
    Error::new(ErrorKind::Connection, message)
}

/// The first number in a text.
fn number_in(text: &str) -> Option<u16> {
    text.split(|c: char| !c.is_ascii_digit()).find_map(|digits| digits.parse().ok())
}
