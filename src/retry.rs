//! Which failures are worth a retry, and how long to back off before it.
//!
//! Every operation of this crate is idempotent: reads and deletions naturally, and
//! repeating a put or a playlist gives the same result.

use crate::error::{Error, ErrorKind, code};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The longest backoff before the first retry; it doubles with each retry.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
/// The longest backoff before any retry.
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// Codes that mean "later", whatever the status.
const TRANSIENT: &[&str] = &[code::INTERNAL_ERROR, code::SERVICE_UNAVAILABLE, "RequestTimeout"];

/// Codes that mean "slower", whatever the status.
const THROTTLING: &[&str] = &[
    code::META_OPERATION_QPS_LIMIT_EXCEEDED,
    "DownloadTrafficRateLimitExceeded",
    "QpsLimitExceeded",
    "Throttling",
    "TotalQpsLimitExceeded",
];

/// Returns whether the same request may succeed if it is retried.
pub(crate) fn is_retryable(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Connection => !error.is_permanent(),
        ErrorKind::Timeout => true,
        ErrorKind::Service => {
            error.status().is_some_and(|status| status >= 500 || status == 408)
                || error.code().is_some_and(|code| TRANSIENT.contains(&code))
                || is_throttled(error)
        }
        _ => false,
    }
}

/// Returns whether the error indicates throttling.
pub(crate) fn is_throttled(error: &Error) -> bool {
    error.kind() == ErrorKind::Service
        && (error.status() == Some(429)
            || error.code().is_some_and(|code| THROTTLING.contains(&code)))
}

/// Returns whether the service or only the requested channel is busy; the service does
/// not say which.
pub(crate) fn is_busy(error: &Error) -> bool {
    error.kind() == ErrorKind::Service && error.status() == Some(503) && !is_throttled(error)
}

/// Returns the backoff before retry number `retry`, counting from 1: a random time up
/// to a limit that doubles each time, so that clients which failed together do not
/// retry together.
fn backoff(retry: u32) -> Duration {
    longest_backoff(retry).mul_f64(random_fraction())
}

/// Returns the backoff after an error before retry number `retry`: no shorter
/// than the server asks for.
pub(crate) fn backoff_after(error: &Error, retry: u32) -> Duration {
    backoff(retry).max(error.retry_after().unwrap_or_default())
}

fn longest_backoff(retry: u32) -> Duration {
    let doubled = 1u32.checked_shl(retry.saturating_sub(1)).unwrap_or(u32::MAX);
    FIRST_BACKOFF.saturating_mul(doubled).min(MAX_BACKOFF)
}

/// Returns a random number from 0 to 1. The keys of a new hasher are random enough to
/// spread clients in time, and need no dependency.
fn random_fraction() -> f64 {
    RandomState::new().hash_one(()) as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(status: u16, code: &str) -> Error {
        Error::new(ErrorKind::Service, "").with_status(status).with_code(code)
    }

    #[test]
    fn server_errors_and_throttling_are_retried() {
        for error in [
            service(500, "InternalError"),
            service(502, "whatever"),
            service(503, "MetaOperationQpsLimitExceeded"),
            service(429, "whatever"),
            service(408, "whatever"),
            service(400, "RequestTimeout"),
            Error::new(ErrorKind::Connection, ""),
            Error::new(ErrorKind::Timeout, ""),
        ] {
            assert!(is_retryable(&error), "{error:?}");
        }
    }

    #[test]
    fn permanent_errors_are_not_retried() {
        for error in [
            service(403, "AccessDenied"),
            service(404, "NoSuchLiveChannel"),
            service(409, "ChannelStillLive"),
            Error::new(ErrorKind::InvalidArgument, ""),
            Error::new(ErrorKind::BadReply, ""),
            Error::new(ErrorKind::Connection, "bad certificate").permanent(),
        ] {
            assert!(!is_retryable(&error), "{error:?}");
        }
    }

    #[test]
    fn throttling_is_distinguished_from_a_busy_channel() {
        let load = |error| (is_throttled(&error), is_busy(&error));
        assert_eq!(load(service(503, "MetaOperationQpsLimitExceeded")), (true, false));
        assert_eq!(load(service(429, "whatever")), (true, false));
        assert_eq!(load(service(503, "ServiceUnavailable")), (false, true));
        assert_eq!(load(service(500, "InternalError")), (false, false));
        assert_eq!(load(Error::new(ErrorKind::Timeout, "")), (false, false));
    }

    #[test]
    fn the_longest_backoff_doubles_up_to_a_limit() {
        let waits: Vec<_> = (1..=8).map(|retry| longest_backoff(retry).as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(longest_backoff(u32::MAX), MAX_BACKOFF);
    }

    #[test]
    fn a_backoff_is_no_shorter_than_the_server_asks_for() {
        let requested = Duration::from_secs(7);
        let busy = service(503, "whatever").with_retry_after(Some(requested));
        assert_eq!(backoff_after(&busy, 1), requested);
        assert!(backoff_after(&service(503, "whatever"), 1) <= FIRST_BACKOFF);
    }

    #[test]
    fn backoffs_are_spread_over_the_whole_range() {
        let waits: Vec<_> = (0..1000).map(|_| backoff(1)).collect();
        assert!(waits.iter().all(|wait| *wait <= FIRST_BACKOFF));
        assert!(waits.iter().any(|wait| *wait < FIRST_BACKOFF / 4));
        assert!(waits.iter().any(|wait| *wait > FIRST_BACKOFF * 3 / 4));
    }
}
