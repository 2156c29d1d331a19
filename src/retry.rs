//! Which failures may be repeated, and how long to wait before.
//!
//! Every operation of this crate may be sent twice: reads and deletions
//! anyway, and a put or a playlist written again gives the same result.

use crate::error::{Error, ErrorKind, code};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The longest wait before the first repeat; it doubles with each.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// The longest wait at all.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Codes that mean "later", whatever the status.
const PASSING: &[&str] = &[code::INTERNAL_ERROR, code::SERVICE_UNAVAILABLE, "RequestTimeout"];

/// Codes that mean "slower", whatever the status.
const THROTTLING: &[&str] = &[
    code::META_OPERATION_QPS_LIMIT_EXCEEDED,
    "DownloadTrafficRateLimitExceeded",
    "QpsLimitExceeded",
    "Throttling",
    "TotalQpsLimitExceeded",
];

/// Whether the same request may fare better when it is sent again.
pub(crate) fn may_repeat(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Connection => !error.is_lasting(),
        ErrorKind::Timeout => true,
        ErrorKind::Service => {
            error.status().is_some_and(|status| status >= 500 || status == 408)
                || error.code().is_some_and(|code| PASSING.contains(&code))
                || is_throttled(error)
        }
        _ => false,
    }
}

/// Whether the service asks its callers to slow down.
pub(crate) fn is_throttled(error: &Error) -> bool {
    error.kind() == ErrorKind::Service
        && (error.status() == Some(429)
            || error.code().is_some_and(|code| THROTTLING.contains(&code)))
}

/// Whether the service is busy, or what this request was about alone: it does
/// not say which.
pub(crate) fn is_busy(error: &Error) -> bool {
    error.kind() == ErrorKind::Service && error.status() == Some(503) && !is_throttled(error)
}

/// How long to wait before repeat number `repeat`, counted from 1: anything
/// from nothing to a limit that doubles each time, so that clients which
/// failed together do not come back together.
fn wait_before(repeat: u32) -> Duration {
    longest_wait(repeat).mul_f64(random_fraction())
}

/// How long to wait after an error before repeat number `repeat`: no shorter
/// than the server asks for.
pub(crate) fn wait_after(error: &Error, repeat: u32) -> Duration {
    wait_before(repeat).max(error.retry_after().unwrap_or_default())
}

fn longest_wait(repeat: u32) -> Duration {
    let doubled = 1u32.checked_shl(repeat.saturating_sub(1)).unwrap_or(u32::MAX);
    FIRST_WAIT.saturating_mul(doubled).min(LONGEST_WAIT)
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
    fn server_faults_and_throttling_are_repeated() {
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
            assert!(may_repeat(&error), "{error:?}");
        }
    }

    #[test]
    fn what_would_fail_again_is_not_repeated() {
        for error in [
            service(403, "AccessDenied"),
            service(404, "NoSuchLiveChannel"),
            service(409, "ChannelStillLive"),
            Error::new(ErrorKind::InvalidArgument, ""),
            Error::new(ErrorKind::BadReply, ""),
            Error::new(ErrorKind::Connection, "bad certificate").lasting(),
        ] {
            assert!(!may_repeat(&error), "{error:?}");
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
    fn the_longest_wait_doubles_up_to_a_limit() {
        let waits: Vec<_> = (1..=8).map(|repeat| longest_wait(repeat).as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(longest_wait(u32::MAX), LONGEST_WAIT);
    }

    #[test]
    fn a_wait_is_no_shorter_than_the_server_asks_for() {
        let asked = Duration::from_secs(7);
        let busy = service(503, "whatever").with_retry_after(Some(asked));
        assert_eq!(wait_after(&busy, 1), asked);
        assert!(wait_after(&service(503, "whatever"), 1) <= FIRST_WAIT);
    }

    #[test]
    fn waits_are_spread_over_the_whole_range() {
        let waits: Vec<_> = (0..1000).map(|_| wait_before(1)).collect();
        assert!(waits.iter().all(|wait| *wait <= FIRST_WAIT));
        assert!(waits.iter().any(|wait| *wait < FIRST_WAIT / 4));
        assert!(waits.iter().any(|wait| *wait > FIRST_WAIT * 3 / 4));
    }
}
