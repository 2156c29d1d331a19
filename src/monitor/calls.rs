//! One operation on many items.

use super::options::SweepOptions;
use super::par_map::par_map;
use crate::client::Client;
use crate::error::Result;
use crate::limiter::RateLimiter;
use crate::operation::Call;

impl Client {
    /// Sends a call for each item, several at a time, and returns one result per
    /// item, in order. The calls are those of [`operation`](crate::operation).
    ///
    /// Failures are isolated. An item whose call could not be built fails with that
    /// error, and nothing is sent for it. Timeouts, retries and throttling are as in
    /// [`monitor_channels`](Self::monitor_channels).
    ///
    /// ```no_run
    /// # let client: osslive::Client = unimplemented!();
    /// use osslive::{SweepOptions, operation};
    ///
    /// let ids = ["main-stage", "backstage"];
    /// let options = SweepOptions::new();
    /// let found = client.send_calls(&ids, &options, |id| operation::get_channel(id));
    /// for (id, channel) in ids.iter().zip(found) {
    ///     println!("{id}: {} s per fragment", channel?.frag_duration);
    /// }
    /// # Ok::<(), osslive::Error>(())
    /// ```
    pub fn send_calls<T: Sync, R: Send>(
        &self,
        items: &[T],
        options: &SweepOptions<'_>,
        call: impl Fn(&T) -> Result<Call<R>> + Sync,
    ) -> Vec<Result<R>> {
        par_map(self, items, options, &RateLimiter::new(options.bounds.rate), call)
    }
}
