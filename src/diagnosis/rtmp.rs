//! The path to the service's RTMP port, up to the handshake.

use super::report::{CheckId, Findings};
use crate::stop::{Stop, Unfinished};
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

const DEFAULT_PORT: u16 = 1935;
/// Version 3 and, as part of the handshake, 1,536 bytes: a time, zero, and
/// random bytes (RTMP 1.0 section 5.2).
const VERSION: u8 = 3;
const LENGTH: usize = 1536;

/// How far a connection got.
#[derive(Debug, PartialEq)]
pub(super) enum Reached {
    Handshake,
    /// Connected, but something else responded, or nothing.
    Port(String),
    Nothing(String),
}

/// Connects to the server of a publish URL and performs the handshake. `limit` applies
/// to each of the two.
pub(super) fn probe(url: &str, stop: &Arc<Stop>, limit: Duration) -> Reached {
    let Some((host, port)) = authority_of(url) else {
        return Reached::Nothing("no host in the publish URL".to_owned());
    };
    let name = host.clone();
    let connect = move || connect(&name, port, limit);
    let socket = match stop.result_of(2 * limit, connect) {
        Ok(Ok(socket)) => socket,
        Ok(Err(error)) => return Reached::Nothing(format!("{host}:{port}: {error}")),
        Err(Unfinished::TimedOut) => return Reached::Nothing(format!("{host}:{port}: timed out")),
        Err(_) => return Reached::Nothing(format!("{host}:{port}: stopped")),
    };
    match stop.result_of(2 * limit, move || handshake(socket, limit)) {
        Ok(Ok(VERSION)) => Reached::Handshake,
        Ok(Ok(other)) => Reached::Port(format!("the first byte is {other} instead of {VERSION}")),
        Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Reached::Port("the connection was closed".to_owned())
        }
        Ok(Err(error)) => Reached::Port(error.to_string()),
        Err(_) => Reached::Port("no response".to_owned()),
    }
}

fn connect(host: &str, port: u16, limit: Duration) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no addresses");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, limit) {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn handshake(mut socket: TcpStream, limit: Duration) -> io::Result<u8> {
    socket.set_read_timeout(Some(limit))?;
    socket.set_write_timeout(Some(limit))?;
    let mut ours = [0; 1 + LENGTH];
    ours[0] = VERSION;
    socket.write_all(&ours)?;
    let mut version = [0];
    socket.read_exact(&mut version)?;
    if version[0] == VERSION {
        let mut theirs = [0; LENGTH];
        socket.read_exact(&mut theirs)?;
    }
    Ok(version[0])
}

/// Returns host and port of a publish URL, the host without brackets.
pub(super) fn authority_of(url: &str) -> Option<(String, u16)> {
    let rest = url.split_once("://")?.1;
    let authority = rest.split(['/', '?']).next().filter(|text| !text.is_empty())?;
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
        _ => (authority, DEFAULT_PORT),
    };
    Some((host.trim_matches(['[', ']']).to_owned(), port))
}

pub(super) fn judge(reached: Reached, is_behind_proxy: bool, findings: &mut Findings<'_>) {
    match reached {
        Reached::Handshake => {
            findings.ok(CheckId::RtmpPort, "connections are accepted");
            findings.ok(CheckId::RtmpHandshake, "an RTMP server responds");
        }
        Reached::Port(why) => {
            findings.ok(CheckId::RtmpPort, "connections are accepted");
            findings.problem(
                CheckId::RtmpHandshake,
                format!("no RTMP server responds: {why}"),
                "allow RTMP in the firewall: it accepts the connection, but blocks the \
                 protocol",
            );
        }
        Reached::Nothing(why) => {
            let advice = if is_behind_proxy {
                "allow direct outgoing TCP connections to the RTMP port (1935 by default): RTMP \
                 does not go through the HTTP proxy"
            } else {
                "allow outgoing TCP connections to the RTMP port (1935 by default)"
            };
            findings.problem(CheckId::RtmpPort, format!("could not connect to {why}"), advice);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::report::{Verdict, judged};
    use std::net::TcpListener;
    use std::thread;

    #[test]
    fn the_authority_of_a_publish_url_has_a_port() {
        let authority = |url| authority_of(url).map(|(host, port)| format!("{host} {port}"));
        assert_eq!(authority("rtmp://b.oss/live/c?x"), Some("b.oss 1935".into()));
        assert_eq!(authority("rtmp://127.0.0.1:9000/b/live/c"), Some("127.0.0.1 9000".into()));
        assert_eq!(authority("rtmp://[::1]:9000/live/c"), Some("::1 9000".into()));
        assert_eq!(authority("rtmp://[::1]/live/c"), Some("::1 1935".into()));
        assert_eq!(authority("rtmp:///live/c"), None);
        assert_eq!(authority("live/c"), None);
    }

    /// Returns how far a connection gets to a server that sends these bytes and closes.
    fn reached(response: &'static [u8]) -> Reached {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let mut theirs = [0; 1 + LENGTH];
            socket.read_exact(&mut theirs).unwrap();
            socket.write_all(response).unwrap();
        });
        probe(&format!("rtmp://{address}/live/c"), &Arc::default(), Duration::from_secs(5))
    }

    #[test]
    fn an_rtmp_server_is_recognized() {
        const RTMP: &[u8] = &{
            let mut response = [0; 1 + LENGTH];
            response[0] = VERSION;
            response
        };
        assert_eq!(reached(RTMP), Reached::Handshake);
        for response in [&b""[..], b"HTTP/1.1 400 Bad Request\r\n\r\n", &RTMP[..100]] {
            assert!(matches!(reached(response), Reached::Port(_)));
        }
        assert_eq!(reached(b""), Reached::Port("the connection was closed".to_owned()));
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let nothing = probe(&format!("rtmp://{free}/"), &Arc::default(), Duration::from_secs(5));
        assert!(matches!(nothing, Reached::Nothing(_)));
    }

    #[test]
    fn the_port_and_the_handshake_are_judged_separately() {
        for (reached, problem) in [
            (Reached::Handshake, None),
            (Reached::Port("closed".into()), Some(CheckId::RtmpHandshake)),
            (Reached::Nothing("host".into()), Some(CheckId::RtmpPort)),
        ] {
            let diagnosis = judged(|findings| judge(reached, false, findings));
            let problems = diagnosis.checks.iter().filter(|c| c.verdict == Verdict::Problem);
            assert_eq!(problems.map(|check| check.id).next(), problem);
        }
    }
}
