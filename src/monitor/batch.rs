//! Creating or replacing many channels.

use super::options::SweepOptions;
use super::par_map::par_map;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::limiter::RateLimiter;
use crate::operation::{self, ChannelConfig, ChannelUrls};
use std::collections::HashSet;

/// The result for one channel of [`put_channels`](Client::put_channels). In JSON,
/// the fields of the URLs or an `error` are next to the id.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct PutResult {
    /// The channel's id.
    pub id: String,
    /// The URLs, or the error.
    #[cfg_attr(feature = "serde", serde(flatten, with = "outcome"))]
    #[cfg_attr(feature = "schema", schemars(with = "outcome::Owned"))]
    pub result: Result<ChannelUrls>,
}

impl Client {
    /// Creates or replaces many channels, several at a time, and returns one
    /// result per channel, in order.
    ///
    /// Failures are isolated. A duplicate of an earlier id fails, because
    /// either configuration might win. Timeouts, retries and throttling are as in
    /// [`monitor_channels`](Self::monitor_channels).
    ///
    /// ```no_run
    /// # let client: osslive::Client = unimplemented!();
    /// use osslive::{ChannelConfig, SweepOptions};
    ///
    /// let channels = [
    ///     ("main-stage", ChannelConfig::new("Main stage")),
    ///     ("backstage", ChannelConfig::new("Backstage").frag_duration(2)),
    /// ];
    /// for put in client.put_channels(&channels, &SweepOptions::new()) {
    ///     match put.result {
    ///         Ok(urls) => println!("{}: {:?}", put.id, urls.publish_urls),
    ///         Err(error) => eprintln!("{}: {error}", put.id),
    ///     }
    /// }
    /// ```
    pub fn put_channels<I: AsRef<str> + Sync>(
        &self,
        channels: &[(I, ChannelConfig)],
        options: &SweepOptions<'_>,
    ) -> Vec<PutResult> {
        let mut seen = HashSet::with_capacity(channels.len());
        let entries: Vec<_> = channels
            .iter()
            .map(|(id, config)| (id.as_ref(), config, seen.insert(id.as_ref())))
            .collect();
        let limiter = RateLimiter::new(options.bounds.rate);
        let results = par_map(self, &entries, options, &limiter, |(id, config, is_first)| {
            if *is_first { operation::put_channel(id, config) } else { Err(duplicate(id)) }
        });
        let put = |((id, ..), result): (&(&str, _, _), _)| PutResult { id: (*id).into(), result };
        entries.iter().zip(results).map(put).collect()
    }
}

fn duplicate(id: &str) -> Error {
    Error::invalid(format!("duplicate channel {id:?}"))
}

#[cfg(feature = "serde")]
mod outcome {
    use super::{ChannelUrls, Error, Result};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize)]
    #[serde(untagged)]
    enum Borrowed<'a> {
        Urls(&'a ChannelUrls),
        Failure { error: &'a Error },
    }

    #[derive(Deserialize)]
    #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
    #[serde(untagged)]
    pub(super) enum Owned {
        Failure {
            /// Why the channel was not put.
            error: Error,
        },
        Urls(ChannelUrls),
    }

    pub(super) fn serialize<S: Serializer>(
        result: &Result<ChannelUrls>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match result {
            Ok(urls) => Borrowed::Urls(urls),
            Err(error) => Borrowed::Failure { error },
        }
        .serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Result<ChannelUrls>, D::Error> {
        Ok(match Owned::deserialize(from)? {
            Owned::Urls(urls) => Ok(urls),
            Owned::Failure { error } => Err(error),
        })
    }
}
