//! Limits on the resources of peers: connections, time, memory.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Limits on the connections, time and memory of each peer and of all peers
/// together.
///
/// The defaults suit any real encoder, player and SDK, and protect an endpoint
/// that others can reach.
///
/// ```
/// use osslive_local::{Config, PeerLimits};
/// let limits = PeerLimits { connections_per_address: 32, ..PeerLimits::default() };
/// let config = Config::temporary().limits(limits);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerLimits {
    /// Maximum connections of both protocols in total; further ones are closed
    /// at once. Defaults to 512. A publisher uses two file descriptors and a
    /// player up to two, so stay below half of what the process may open.
    pub connections: usize,
    /// Maximum connections from one IPv4 address or one IPv6 /64 network. No address
    /// gets more connections than are left for all others, so that a few addresses
    /// cannot use up all connections. Defaults to 256.
    pub connections_per_address: usize,
    /// How long a connection may take to send its first byte, an HTTP client to
    /// send its headers, and how long it may stay idle between two requests.
    /// Defaults to 30 seconds.
    pub head: Duration,
    /// How long a peer may pause while it sends or reads a body, a response or
    /// a stream. The pauses of a body, or of a connection's responses, add up,
    /// less the time earned by `rate`. Defaults to 30 seconds.
    pub pause: Duration,
    /// The minimum rate at which a peer must send a body and read a response,
    /// in bytes per second, on average, once `pause` is used up. Defaults to 4096.
    pub rate: u32,
    /// How long an RTMP client may take from its first byte until it
    /// publishes, and from the end of a stream to the next. Defaults to 20
    /// seconds.
    pub handshake: Duration,
    /// Maximum bytes of request bodies in memory, not counting small documents;
    /// a request that would exceed it is rejected with 503 `ServiceUnavailable`.
    /// Defaults to 256 MiB.
    pub uploads: usize,
    /// Maximum bytes of responses in memory until clients have read them: lists,
    /// playlists, pages. Objects and signed playlists are read while they are
    /// sent and do not count, nor do the first 16 KiB of each response. A request
    /// that would exceed it is rejected with 503 `ServiceUnavailable`. Defaults to
    /// 64 MiB.
    pub answers: usize,
    /// Maximum bytes of unfinished messages from publishers, and of media held
    /// back until a stream's tracks are known. A publisher that would exceed it
    /// is disconnected. Defaults to 256 MiB; a single publisher may use 20 MiB
    /// of it.
    pub messages: usize,
}

impl Default for PeerLimits {
    fn default() -> Self {
        PeerLimits {
            connections: 512,
            connections_per_address: 256,
            head: Duration::from_secs(30),
            pause: Duration::from_secs(30),
            handshake: Duration::from_secs(20),
            rate: 4096,
            uploads: 256 << 20,
            answers: 64 << 20,
            messages: 256 << 20,
        }
    }
}

/// Counts connections, in total and by origin.
#[derive(Debug)]
pub(crate) struct ConnectionLimiter {
    all: usize,
    per_address: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    /// Only origins with at least one connection.
    by_origin: HashMap<IpAddr, usize>,
}

impl ConnectionLimiter {
    pub(crate) fn new(limits: &PeerLimits) -> Self {
        let PeerLimits { connections, connections_per_address, .. } = *limits;
        ConnectionLimiter {
            all: connections,
            per_address: connections_per_address,
            taken: Mutex::default(),
        }
    }

    /// Admits a connection until the permit is dropped; returns `None` if the
    /// limit is reached.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr) -> Option<ConnectionPermit> {
        let origin = origin(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let here = taken.by_origin.get(&origin).copied().unwrap_or(0);
        let left = self.all.saturating_sub(taken.all);
        if here >= self.per_address || here >= left {
            return None;
        }
        taken.all += 1;
        taken.by_origin.insert(origin, here + 1);
        Some(ConnectionPermit { limiter: self.clone(), origin })
    }

    fn leave(&self, origin: IpAddr) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        if let Some(here) = taken.by_origin.get_mut(&origin) {
            *here -= 1;
            if *here == 0 {
                taken.by_origin.remove(&origin);
            }
        }
    }
}

/// The permit of an open connection.
#[derive(Debug)]
pub(crate) struct ConnectionPermit {
    limiter: Arc<ConnectionLimiter>,
    origin: IpAddr,
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        self.limiter.leave(self.origin);
    }
}

/// Returns what counts as one address: an IPv6 host usually has a whole /64.
fn origin(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(connections: usize, connections_per_address: usize) -> Arc<ConnectionLimiter> {
        let limits = PeerLimits { connections, connections_per_address, ..PeerLimits::default() };
        Arc::new(ConnectionLimiter::new(&limits))
    }

    fn take(limiter: &Arc<ConnectionLimiter>, address: &str) -> Option<ConnectionPermit> {
        limiter.take(address.parse().unwrap())
    }

    #[test]
    fn an_address_cannot_exceed_its_share() {
        let limiter = limiter(3, 2);
        let first = take(&limiter, "10.0.0.1").unwrap();
        let _second = take(&limiter, "10.0.0.1").unwrap();
        assert!(take(&limiter, "10.0.0.1").is_none());
        let _third = take(&limiter, "10.0.0.2").unwrap();
        assert!(take(&limiter, "10.0.0.3").is_none(), "three in total");
        drop(first);
        assert!(take(&limiter, "10.0.0.3").is_some());
    }

    #[test]
    fn a_few_addresses_cannot_use_up_all_connections() {
        let PeerLimits { connections, connections_per_address, .. } = PeerLimits::default();
        let limiter = limiter(connections, connections_per_address);
        let greedy = |host: u8| std::iter::from_fn(move || Some(format!("10.0.0.{host}")));
        let mut taken = Vec::new();
        for host in 0..8 {
            taken.push(greedy(host).map_while(|host| take(&limiter, &host)).collect::<Vec<_>>());
        }
        assert_eq!(taken[0].len(), 256);
        assert!(taken.windows(2).all(|pair| pair[1].len() <= pair[0].len()));
        assert!(take(&limiter, "10.0.1.1").is_some());
    }

    #[test]
    fn an_ipv6_network_and_a_mapped_ipv4_address_count_as_one_address() {
        let limiter = limiter(9, 1);
        let _v6 = take(&limiter, "2001:db8:1:2::3").unwrap();
        assert!(take(&limiter, "2001:db8:1:2:ffff::9").is_none());
        assert!(take(&limiter, "2001:db8:1:3::3").is_some());
        let _v4 = take(&limiter, "::ffff:10.0.0.1").unwrap();
        assert!(take(&limiter, "10.0.0.1").is_none());
    }

    #[test]
    fn closed_connections_leave_no_entries() {
        let limiter = limiter(9, 9);
        for host in 0..200 {
            drop(take(&limiter, &format!("10.0.0.{host}")));
        }
        let taken = limiter.taken.lock().unwrap();
        assert_eq!((taken.all, taken.by_origin.len()), (0, 0));
    }
}
