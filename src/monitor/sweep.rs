//! Sweeps: the status of many channels.

use super::options::SweepOptions;
use super::par_map::{par_each, par_map};
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::limiter::RateLimiter;
use crate::operation::{self, ChannelStatus, StreamState};
use std::collections::HashSet;

/// The status of many channels, returned by
/// [`monitor_channels`](Client::monitor_channels). Each list is in the order in
/// which the channels were given.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct Sweep {
    /// Live channels.
    pub live: Vec<ChannelReport>,
    /// Idle channels.
    pub idle: Vec<ChannelReport>,
    /// Disabled channels.
    pub disabled: Vec<ChannelReport>,
    /// Channels whose status could not be read, with the error.
    pub failed: Vec<FailedChannel>,
    /// The number of channels in all four lists.
    pub total: usize,
}

/// A channel's status in a [`Sweep`]. In JSON, the fields of the status are next to
/// the id.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct ChannelReport {
    /// The channel's id.
    pub id: String,
    /// Its status.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub status: ChannelStatus,
}

/// A channel in a [`Sweep`] whose status could not be read.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct FailedChannel {
    /// The channel's id.
    pub id: String,
    /// The error.
    pub error: Error,
}

impl Client {
    /// Returns the status of many channels, several at a time.
    ///
    /// Failures are isolated: each channel carries its own error. Duplicate ids
    /// are read and listed once. Memory use is that of the ids, the results and
    /// the requests in flight.
    ///
    /// When throttled, the request rate is halved, at most once a second, and then
    /// raised step by step; throttled requests are retried within the call's
    /// [`timeout`](crate::ClientBuilder::timeout). Status 503 without a throttling
    /// code lowers the rate if more than a fifth of recent responses have it.
    /// Other transient failures are retried as in a single call.
    ///
    /// ```no_run
    /// # let client: osslive::Client = unimplemented!();
    /// use osslive::SweepOptions;
    ///
    /// let ids = ["main-stage", "backstage", "audience"];
    /// let sweep = client.monitor_channels(ids, &SweepOptions::new());
    /// for channel in &sweep.live {
    ///     println!("{} is live from {:?}", channel.id, channel.status.remote_addr);
    /// }
    /// for channel in &sweep.failed {
    ///     eprintln!("{}: {}", channel.id, channel.error);
    /// }
    /// ```
    pub fn monitor_channels(
        &self,
        ids: impl IntoIterator<Item = impl Into<String>>,
        options: &SweepOptions<'_>,
    ) -> Sweep {
        let ids = distinct(ids);
        Sweep::take(self, &ids, options, &RateLimiter::new(options.bounds.rate))
    }

    /// Reads the status of any number of channels, several at a time, and calls `on_status`
    /// with each one as it arrives, on the calling thread.
    ///
    /// Nothing is kept: ids are taken from the iterator when they are needed, and
    /// memory use is that of the requests in flight. Duplicate ids are read again. While
    /// the callback runs, at most `2 * max_parallel` channels are read ahead.
    /// Failures, timeouts, retries and throttling are as in
    /// [`monitor_channels`](Self::monitor_channels); the progress callback of the
    /// options is not called.
    ///
    /// ```no_run
    /// # let client: osslive::Client = unimplemented!();
    /// use osslive::SweepOptions;
    ///
    /// let ids = (0..100_000).map(|number| format!("cam-{number}"));
    /// let mut live = 0;
    /// client.sweep_channels(ids, &SweepOptions::new().max_parallel(16), |channel| match channel {
    ///     Ok(report) => live += usize::from(report.status.remote_addr.is_some()),
    ///     Err(failed) => eprintln!("{}: {}", failed.id, failed.error),
    /// })?;
    /// println!("{live} channels are live");
    /// # Ok::<(), osslive::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Stopped`](crate::ErrorKind::Stopped) if the operation was stopped or its
    /// time limit was reached before all channels were read.
    pub fn sweep_channels<I: IntoIterator<IntoIter: Send, Item: Into<String>>>(
        &self,
        ids: I,
        options: &SweepOptions<'_>,
        mut on_status: impl FnMut(std::result::Result<ChannelReport, FailedChannel>),
    ) -> Result<()> {
        let ids = ids.into_iter().map(Into::into);
        let limiter = RateLimiter::new(options.bounds.rate);
        let status = |id: &String| operation::get_channel_status(id);
        par_each(self, ids, options, &limiter, status, |id, outcome| {
            on_status(match outcome {
                Ok(status) => Ok(ChannelReport { id, status }),
                Err(error) => Err(FailedChannel { id, error }),
            });
        })
        .map_err(|why| {
            Error::new(ErrorKind::Stopped, format!("{why} before all channels were read"))
        })
    }
}

impl Sweep {
    pub(super) fn take(
        client: &Client,
        ids: &[String],
        options: &SweepOptions<'_>,
        limiter: &RateLimiter,
    ) -> Sweep {
        let status = |id: &String| operation::get_channel_status(id);
        let outcomes = par_map(client, ids, options, limiter, status);
        Sweep::of(ids.iter().cloned().zip(outcomes))
    }

    /// Sorts the outcomes into the four lists.
    pub(super) fn of(outcomes: impl IntoIterator<Item = (String, Result<ChannelStatus>)>) -> Self {
        let mut sweep = Sweep::default();
        for (id, outcome) in outcomes {
            sweep.total += 1;
            match outcome {
                Ok(status) => {
                    let list = match status.status {
                        StreamState::Live => &mut sweep.live,
                        StreamState::Idle => &mut sweep.idle,
                        StreamState::Disabled => &mut sweep.disabled,
                    };
                    list.push(ChannelReport { id, status });
                }
                Err(error) => sweep.failed.push(FailedChannel { id, error }),
            }
        }
        // A sweep, which may have thousands of channels, is kept until the next.
        for list in [&mut sweep.live, &mut sweep.idle, &mut sweep.disabled] {
            list.shrink_to_fit();
        }
        sweep
    }
}

/// Returns each id once, at its first position.
pub(super) fn distinct(ids: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    let ids: Vec<String> = ids.into_iter().map(Into::into).collect();
    let mut seen = HashSet::with_capacity(ids.len());
    let is_first: Vec<bool> = ids.iter().map(|id| seen.insert(id.as_str())).collect();
    ids.into_iter().zip(is_first).filter_map(|(id, first)| first.then_some(id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicate_ids_are_removed_and_the_order_is_kept() {
        assert_eq!(distinct(["b", "a", "b", "c", "a"]), ["b", "a", "c"]);
        assert_eq!(distinct(Vec::<String>::new()), Vec::<String>::new());
    }
}
