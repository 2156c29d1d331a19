//! Connects to the address of a host that responds first.

use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;
use ureq::Error;

/// How long an address is tried alone before the next one is tried as well.
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects to the first address that responds: the next one is tried when one has
/// failed, or has not responded for a while (RFC 8305 section 5). Attempts still in
/// progress then end within their own timeouts.
pub(super) fn race<T: Send + 'static>(
    addresses: &[SocketAddr],
    connect: impl Fn(SocketAddr) -> Result<T, Error> + Send + Sync + 'static,
) -> Result<T, Error> {
    let [first, others @ ..] = addresses else { return Err(Error::HostNotFound) };
    if others.is_empty() {
        return connect(*first);
    }
    let connect = Arc::new(connect);
    let (sender, results) = mpsc::channel();
    let mut waiting = addresses.iter();
    let (mut in_progress, mut first_error) = (0, None);
    loop {
        let next = waiting.next();
        if let Some(address) = next.copied() {
            let (sender, connect) = (sender.clone(), connect.clone());
            // A connection that comes too late has no receiver, and is closed.
            let work = move || drop(sender.send(connect(address)));
            match thread::Builder::new().name("osslive".into()).spawn(work) {
                Ok(_) => in_progress += 1,
                Err(error) => drop(first_error.get_or_insert(Error::Io(error))),
            }
        }
        let result = match waiting.len() {
            _ if in_progress == 0 => None,
            0 => results.recv().ok(),
            _ => results.recv_timeout(HEAD_START).ok(),
        };
        match result {
            Some(Ok(connection)) => return Ok(connection),
            Some(Err(error)) => {
                in_progress -= 1;
                first_error.get_or_insert(error);
            }
            None => {}
        }
        if in_progress == 0 && waiting.len() == 0 {
            return Err(first_error.unwrap_or(Error::ConnectionFailed));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::Mutex;

    fn addresses(count: u16) -> Vec<SocketAddr> {
        (1..=count).map(|port| SocketAddr::from(([127, 0, 0, 1], port))).collect()
    }

    fn refused(address: SocketAddr) -> Error {
        Error::Io(io::Error::new(io::ErrorKind::ConnectionRefused, address.to_string()))
    }

    #[test]
    fn an_unresponsive_address_does_not_delay_the_others() {
        let (_hold, held) = mpsc::channel::<()>();
        let held = Mutex::new(held);
        let connect = move |address: SocketAddr| {
            if address.port() < 3 {
                let _ = held.lock().unwrap().recv();
            }
            Ok(address.port())
        };
        assert_eq!(race(&addresses(3), connect).unwrap(), 3);
    }

    #[test]
    fn the_next_address_is_tried_only_when_one_has_failed_or_is_slow() {
        let tried = Arc::new(Mutex::new(Vec::new()));
        let log = tried.clone();
        let connect = move |address: SocketAddr| {
            log.lock().unwrap().push(address.port());
            if address.port() == 2 { Ok(2) } else { Err(refused(address)) }
        };
        assert_eq!(race(&addresses(3), connect).unwrap(), 2);
        assert_eq!(*tried.lock().unwrap(), [1, 2]);
    }

    #[test]
    fn if_no_address_can_be_reached_the_first_error_is_returned() {
        for count in 1..=3 {
            let error = race(&addresses(count), |address| Err::<(), _>(refused(address)));
            assert!(error.unwrap_err().to_string().contains("127.0.0.1:1"), "{count}");
        }
        assert!(matches!(race(&[], |_| Ok(())), Err(Error::HostNotFound)));
    }
}
