//! Waiters: poll a channel's status until it is what the caller waits for.

use super::Client;
use crate::call::Policy;
use crate::error::{Error, ErrorKind, Result, code};
use crate::operation::{self, ChannelStatus, StreamState};
use crate::retry;
use std::time::{Duration, Instant};

/// The interval between the first two polls. Each one is 1.5 times
/// the previous one.
const FIRST_INTERVAL: Duration = Duration::from_millis(250);
/// The longest interval between two polls.
const LONGEST_INTERVAL: Duration = Duration::from_secs(5);

impl Client {
    /// Waits until a publisher is connected, for at most `limit`. Returns the
    /// last status.
    ///
    /// Polls at once, then after 250 ms, and each interval is 1.5 times the
    /// previous one, up to 5 s. Transient failures, including throttling,
    /// don't end the wait.
    ///
    /// ```no_run
    /// # fn wait(client: &osslive::Client) -> osslive::Result<()> {
    /// use std::time::Duration;
    ///
    /// let status = client.wait_until_live("main-stage", Duration::from_secs(120))?;
    /// println!("live from {:?}", status.remote_addr);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Code [`WaitTimedOut`](code::WAIT_TIMED_OUT) when the time is up, with the
    /// last status in the message;
    /// [`NoSuchLiveChannel`](code::NO_SUCH_LIVE_CHANNEL); kind
    /// [`Stopped`](ErrorKind::Stopped), at once, after
    /// [`shutdown`](Client::shutdown).
    pub fn wait_until_live(&self, id: &str, limit: Duration) -> Result<ChannelStatus> {
        self.wait_until(id, limit, |status| status == StreamState::Live)
    }

    /// Waits until no publisher is connected: the channel is idle or disabled.
    /// Otherwise the same as [`wait_until_live`](Client::wait_until_live).
    ///
    /// # Errors
    ///
    /// As [`wait_until_live`](Client::wait_until_live).
    pub fn wait_until_idle(&self, id: &str, limit: Duration) -> Result<ChannelStatus> {
        self.wait_until(id, limit, |status| status != StreamState::Live)
    }

    /// Waits until the channel does not exist, for at most `limit`; polls like
    /// [`wait_until_live`](Client::wait_until_live).
    ///
    /// # Errors
    ///
    /// As [`wait_until_live`](Client::wait_until_live).
    pub fn wait_until_deleted(&self, id: &str, limit: Duration) -> Result<()> {
        match self.wait_until(id, limit, |_| false) {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some(code::NO_SUCH_LIVE_CHANNEL) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn wait_until(
        &self,
        id: &str,
        limit: Duration,
        is_over: impl Fn(StreamState) -> bool,
    ) -> Result<ChannelStatus> {
        if limit.is_zero() {
            return Err(Error::invalid("time limit 0: must be greater than zero"));
        }
        let call = operation::get_channel_status(id)?;
        let (started, mut interval) = (Instant::now(), FIRST_INTERVAL);
        let mut last = None;
        loop {
            let left = limit.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Err(timed_out(id, limit, last));
            }
            let policy = self.policy();
            let timeout = policy.timeout.min(left);
            let seen = match self.engine.call(&call, &Policy { timeout, ..policy }) {
                Ok(status) if is_over(status.status) => return Ok(status),
                Err(error) if !retry::is_retryable(&error) => return Err(error),
                seen => seen.map(|status| status.status),
            };
            // When throttling, the service may ask for a longer pause.
            let retry_after = seen.as_ref().err().and_then(Error::retry_after).unwrap_or_default();
            last = Some(seen);
            let left = limit.saturating_sub(started.elapsed());
            if !self.engine.stop.sleep(interval.max(retry_after).min(left)) {
                return Err(Error::shut_down());
            }
            interval = interval.mul_f64(1.5).min(LONGEST_INTERVAL);
        }
    }
}

fn timed_out(id: &str, limit: Duration, last: Option<Result<StreamState>>) -> Error {
    let waited = format!("after {} s", limit.as_secs_f64());
    let error = match last {
        Some(Ok(state)) => {
            Error::new(ErrorKind::Timeout, format!("channel {id:?} is still {state} {waited}"))
        }
        Some(Err(error)) => {
            let message = format!("the status of channel {id:?} is unknown {waited}: {error}");
            Error::new(ErrorKind::Timeout, message).with_source(error)
        }
        None => Error::new(ErrorKind::Timeout, format!("no status of channel {id:?} {waited}")),
    };
    error.with_code(code::WAIT_TIMED_OUT)
}
