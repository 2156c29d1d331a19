//! Limits the disk space that a publisher uses, in proportion to the bytes that it
//! sends and to elapsed time.

use super::sink::{PlaylistState, Sink};
use crate::media::playlist::Fragment;
use std::io;

/// The overhead of a fragment in addition to its bytes: file blocks, a line in the
/// index, and the updated playlist.
const FRAGMENT: u64 = 16 * 1024;

/// How many bytes each received byte earns. The transport stream adds a few percent to
/// ordinary media, so media sent faster than real time never has to wait.
const PER_BYTE: u64 = 2;

/// How many bytes each millisecond earns, several times what a live stream needs:
/// tables, clock references, packets that tiny frames do not fill, a fragment per second.
const PER_MS: u64 = 128;

/// The maximum balance, in addition to what received but unwritten media has earned.
const CAPACITY: i64 = 1024 * 1024;

/// The balance of a publisher; below zero it has to wait.
#[derive(Default)]
struct Allowance {
    balance: i64,
    newest_ms: Option<u64>,
}

impl Allowance {
    /// Earns for the time until `uptime_ms`.
    fn pass(&mut self, uptime_ms: u64) {
        let last = self.newest_ms.replace(uptime_ms).unwrap_or(uptime_ms);
        self.earn(uptime_ms.saturating_sub(last).saturating_mul(PER_MS));
    }

    fn earn(&mut self, bytes: u64) {
        self.balance = self.balance.saturating_add_unsigned(bytes);
    }

    /// Limits the balance to the capacity; `pending` bytes have yet to be written.
    fn cap(&mut self, pending: usize) {
        let earned = pending as u64 * PER_BYTE;
        self.balance = self.balance.min(CAPACITY.saturating_add_unsigned(earned));
    }

    fn spend(&mut self, bytes: u64) {
        self.balance = self.balance.saturating_sub_unsigned(bytes);
    }

    fn wait_ms(&self) -> u64 {
        self.balance.min(0).unsigned_abs().div_ceil(PER_MS)
    }
}

/// A sink whose use is limited.
pub(super) struct Output<S> {
    pub(super) sink: S,
    allowance: Allowance,
}

impl<S: Sink> Output<S> {
    pub(super) fn new(sink: S) -> Self {
        Output { sink, allowance: Allowance::default() }
    }

    /// Earns for a message of `bytes` that arrived at `uptime_ms`, while `pending`
    /// bytes of earlier messages are held back.
    pub(super) fn receive(&mut self, uptime_ms: u64, bytes: usize, pending: usize) {
        self.allowance.pass(uptime_ms);
        // A message may be larger than the capacity, and still earns for all its bytes.
        self.allowance.cap(pending);
        self.allowance.earn(bytes as u64 * PER_BYTE);
    }

    /// Returns how many milliseconds to wait until the balance is no longer negative.
    pub(super) fn wait_ms(&self) -> u64 {
        self.allowance.wait_ms()
    }

    pub(super) fn begin(&mut self, name: &str) -> io::Result<()> {
        self.allowance.spend(FRAGMENT);
        self.sink.begin(name)
    }

    pub(super) fn write(&mut self, ts: &[u8]) -> io::Result<()> {
        self.allowance.spend(ts.len() as u64);
        self.sink.write(ts)
    }

    pub(super) fn amend(&mut self, position: u64, ts: &[u8]) -> io::Result<()> {
        self.sink.amend(position, ts)
    }

    pub(super) fn finish(&mut self, fragment: &Fragment, state: PlaylistState) -> io::Result<()> {
        self.sink.finish(fragment, state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_time_earn_up_to_the_capacity() {
        let mut allowance = Allowance::default();
        allowance.pass(1 << 40);
        assert_eq!(allowance.wait_ms(), 0);
        allowance.spend(1000 * PER_MS);
        assert_eq!(allowance.wait_ms(), 1000);
        allowance.pass((1 << 40) + 600);
        assert_eq!(allowance.wait_ms(), 400);
        allowance.earn(400 * PER_MS);
        assert_eq!((allowance.wait_ms(), allowance.balance), (0, 0));
        allowance.pass(u64::MAX);
        allowance.cap(0);
        assert_eq!(allowance.balance, CAPACITY);
    }

    #[test]
    fn media_held_back_keeps_its_earnings() {
        let mut allowance = Allowance::default();
        allowance.earn(10 * CAPACITY as u64);
        allowance.cap(CAPACITY as usize);
        assert_eq!(allowance.balance, 3 * CAPACITY);
        allowance.cap(0);
        assert_eq!(allowance.balance, CAPACITY);
    }

    #[test]
    fn a_clock_that_is_set_back_earns_nothing() {
        let mut allowance = Allowance::default();
        [5000, 0, 1].iter().for_each(|ms| allowance.pass(*ms));
        assert_eq!(allowance.balance, PER_MS as i64);
    }
}
