//! Which failures are worth a retry, and how long to back off before it.
//!
//! Every operation of this crate is idempotent: reads and deletions anyway, and
//! a put or a playlist that is written again gives the same result.

use crate::error::{Error, ErrorKind, code};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The longest backoff before the first retry; it doubles with each.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
/// The longest backoff of all.
const LONGEST_BACKOFF: Duration = Duration::from_secs(5);

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

/// Returns whether the same request may succeed when it is sent again.
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

/// Returns whether the service throttles its callers.
pub(crate) fn is_throttled(error: &Error) -> bool {
    error.kind() == ErrorKind::Service
        && (error.status() == Some(429)
            || error.code().is_some_and(|code| THROTTLING.contains(&code)))
}

/// Returns whether the service is busy, or only what this request was about: it
/// does not say which.
pub(crate) fn is_busy(error: &Error) -> bool {
    error.kind() == ErrorKind::Service && error.status() == Some(503) && !is_throttled(error)
}

/// Returns the backoff before retry number `retry`, counted from 1: anything
/// from nothing to a limit that doubles each time, so that clients which failed
/// together do not come back together.
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
    FIRST_BACKOFF.saturating_mul(doubled).min(LONGEST_BACKOFF)
}

/// A number from 0 to 1. The keys of a new hasher are random enough to spread
/// clients in time, and need no dependency.
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
    fn server_faults_and_throttling_are_retried() {
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
    fn what_would_fail_again_is_not_retried() {
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
    fn a_request_to_slow_down_is_told_from_a_fault_that_may_concern_one_channel() {
        let told = |error| (is_throttled(&error), is_busy(&error));
        assert_eq!(told(service(503, "MetaOperationQpsLimitExceeded")), (true, false));
        assert_eq!(told(service(429, "whatever")), (true, false));
        assert_eq!(told(service(503, "ServiceUnavailable")), (false, true));
        assert_eq!(told(service(500, "InternalError")), (false, false));
        assert_eq!(told(Error::new(ErrorKind::Timeout, "")), (false, false));
    }

    #[test]
    fn the_longest_backoff_doubles_up_to_a_limit() {
        let waits: Vec<_> = (1..=8).map(|retry| longest_backoff(retry).as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(longest_backoff(u32::MAX), LONGEST_BACKOFF);
    }

    #[test]
    fn a_backoff_is_no_shorter_than_the_server_asks_for() {
        let asked = Duration::from_secs(7);
        let busy = service(503, "whatever").with_retry_after(Some(asked));
        assert_eq!(backoff_after(&busy, 1), asked);
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
