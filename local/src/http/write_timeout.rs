//! A timeout for writes: a peer may pause, but not indefinitely.

use crate::limits::PeerLimits;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

/// A stream that fails with `TimedOut` if its peer reads too slowly. Timeouts for
/// reading from the peer are up to the protocol above.
pub(crate) struct WriteTimeout {
    stream: TcpStream,
    allowance: Allowance,
    /// Active while a write is blocked.
    deadline: Pin<Box<Sleep>>,
    waiting_since: Option<Instant>,
}

impl WriteTimeout {
    pub(crate) fn new(stream: TcpStream, limits: &PeerLimits) -> Self {
        let allowance = Allowance::new(limits);
        let deadline = Box::pin(sleep(limits.pause));
        WriteTimeout { stream, allowance, deadline, waiting_since: None }
    }

    /// Checks a write: a successful one ends the wait, a blocked one starts or
    /// continues it.
    fn check<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            if let Some(since) = self.waiting_since.take() {
                self.allowance.spend(since.elapsed());
            }
            return written;
        }
        if self.waiting_since.is_none() {
            let now = Instant::now();
            self.waiting_since = Some(now);
            self.deadline.as_mut().reset(now + self.allowance.left());
        }
        self.deadline.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Checks a write, and counts its bytes.
    fn count(
        &mut self,
        written: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let written = self.check(written, context);
        if let Poll::Ready(Ok(bytes)) = &written {
            self.allowance.earn(*bytes);
        }
        written
    }
}

/// How long a peer may still make the endpoint wait: a total pause, spent by
/// waiting and earned back by transferred bytes.
#[derive(Debug)]
pub(crate) struct Allowance {
    pause: Duration,
    rate: u32,
    left: Duration,
}

impl Allowance {
    pub(crate) fn new(limits: &PeerLimits) -> Self {
        Allowance { pause: limits.pause, rate: limits.rate.max(1), left: limits.pause }
    }

    pub(crate) fn left(&self) -> Duration {
        self.left
    }

    pub(crate) fn spend(&mut self, waited: Duration) {
        self.left = self.left.saturating_sub(waited);
    }

    /// Counts bytes that were sent or received.
    pub(crate) fn earn(&mut self, bytes: usize) {
        let nanoseconds = (bytes as u64).saturating_mul(1_000_000_000) / u64::from(self.rate);
        let earned = Duration::from_nanos(nanoseconds);
        self.left = self.left.saturating_add(earned).min(self.pause);
    }
}

impl AsyncRead for WriteTimeout {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for WriteTimeout {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.count(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.count(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.check(flushed, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_below_the_minimum_rate_runs_out_of_time() {
        let limits = PeerLimits::default();
        let waits = |bytes: usize, seconds: u64| {
            let mut allowance = Allowance::new(&limits);
            let wait = Duration::from_secs(seconds);
            let still = |_: &usize| {
                let is_left = wait < allowance.left();
                allowance.spend(wait);
                allowance.earn(bytes);
                is_left
            };
            (0..1000).take_while(still).count()
        };
        assert_eq!(waits(10, 1), 30, "no single pause is too long");
        assert_eq!(waits(4096, 1), 1000);
        assert_eq!(waits(200_000, 29), 1000);
        assert_eq!(waits(1_000_000, 31), 0);
    }
}
