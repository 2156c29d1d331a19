//! What peers may take of the endpoint: connections, time, memory.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What peers may take: no peer, and not all of them together, get more
/// connections, time or memory than this.
///
/// The defaults let any real encoder, player and SDK through and keep an
/// endpoint alive that can be reached by others.
///
/// ```
/// use osslive_local::{Config, PeerLimits};
/// let limits = PeerLimits { connections_per_address: 32, ..PeerLimits::default() };
/// let config = Config::temporary().limits(limits);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerLimits {
    /// Connections of both protocols in all; one more is closed at once.
    /// Defaults to 512. A publisher takes two file descriptors and a player
    /// up to two, so this should stay below half of what the process may open.
    pub connections: usize,
    /// Connections from one IPv4 address, or from one /64 network of IPv6.
    /// None gets more than are then left for all others, so that a few cannot
    /// take all there are. Defaults to 256.
    pub connections_per_address: usize,
    /// How long a connection may take to say its first byte, an HTTP client
    /// its headers, and how long it may stay idle between two requests.
    /// Defaults to 30 seconds.
    pub head: Duration,
    /// How long a peer may pause in the middle of what it sends or reads: a
    /// body, an answer, a stream. All pauses of a body or of a connection's
    /// answers count together, less what `rate` earns. Defaults to 30 seconds.
    pub pause: Duration,
    /// How many bytes in a second a peer must send of a body, and read of an
    /// answer, on the whole and beyond `pause`. Defaults to 4096.
    pub rate: u32,
    /// How long an RTMP client may take from its first byte until it
    /// publishes, and from the end of a stream until the next. Defaults to 20
    /// seconds.
    pub handshake: Duration,
    /// Bytes of request bodies in memory, those of small documents aside; what
    /// would exceed it is refused with 503 `ServiceUnavailable`. Defaults to
    /// 256 MiB.
    pub uploads: usize,
    /// Bytes of answers in memory until their clients have read them: lists,
    /// playlists, pages. Objects and signed playlists are read while they are
    /// sent and do not count, nor do the first 16 KiB of each answer. What
    /// would exceed it is refused with 503 `ServiceUnavailable`. Defaults to
    /// 64 MiB.
    pub answers: usize,
    /// Bytes of messages that publishers have begun to send and not finished,
    /// and of media held back until a stream's tracks are known. A publisher that would exceed it is disconnected. Defaults to 256 MiB;
    /// one publisher may have 20 MiB of it.
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

/// Counts connections, in all and by where they come from.
#[derive(Debug)]
pub(crate) struct ConnectionLimiter {
    all: usize,
    per_address: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    /// Only those that have any.
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

    /// Admits a connection until the permit is dropped; `None` if there is
    /// no place left.
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

/// What counts as one address: a host with IPv6 has a whole /64 to itself.
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
    fn an_address_gets_its_share_and_leaves_the_rest_to_others() {
        let limiter = limiter(3, 2);
        let first = take(&limiter, "10.0.0.1").unwrap();
        let _second = take(&limiter, "10.0.0.1").unwrap();
        assert!(take(&limiter, "10.0.0.1").is_none());
        let _third = take(&limiter, "10.0.0.2").unwrap();
        assert!(take(&limiter, "10.0.0.3").is_none(), "three in all");
        drop(first);
        assert!(take(&limiter, "10.0.0.3").is_some());
    }

    #[test]
    fn a_few_addresses_cannot_take_all_seats_from_the_others() {
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
    fn a_network_of_ipv6_counts_as_one_address_and_a_mapped_ipv4_as_itself() {
        let limiter = limiter(9, 1);
        let _v6 = take(&limiter, "2001:db8:1:2::3").unwrap();
        assert!(take(&limiter, "2001:db8:1:2:ffff::9").is_none());
        assert!(take(&limiter, "2001:db8:1:3::3").is_some());
        let _v4 = take(&limiter, "::ffff:10.0.0.1").unwrap();
        assert!(take(&limiter, "10.0.0.1").is_none());
    }

    #[test]
    fn nothing_is_remembered_of_who_has_left() {
        let limiter = limiter(9, 9);
        for host in 0..200 {
            drop(take(&limiter, &format!("10.0.0.{host}")));
        }
        let taken = limiter.taken.lock().unwrap();
        assert_eq!((taken.all, taken.by_origin.len()), (0, 0));
    }
}
