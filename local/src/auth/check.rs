//! Shared checks of all signatures: parts of a request, times, and faults with the
//! service's messages.

use crate::fault::Fault;
use crate::time_format;
use osslive::sign::Parts;
use time::{Duration, OffsetDateTime};

/// How far the date of a request may be from the endpoint's clock.
const MAX_SKEW: Duration = Duration::minutes(15);

pub(super) fn header<'a>(parts: &Parts<'a>, name: &str) -> Option<&'a str> {
    parts.headers.iter().find(|(n, _)| *n == name).map(|(_, value)| *value)
}

/// Returns a query parameter; a bare name has an empty value.
pub(super) fn param<'a>(parts: &Parts<'a>, name: &str) -> Option<&'a str> {
    parts.query.iter().find(|(n, _)| *n == name).map(|(_, value)| value.unwrap_or_default())
}

pub(super) fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(400, "InvalidArgument", message)
}

pub(super) fn denied(message: &str) -> Fault {
    Fault::new(403, "AccessDenied", message)
}

pub(super) fn expired(expires: OffsetDateTime, now: OffsetDateTime) -> Fault {
    denied("Request has expired.")
        .with("Expires", time_format::iso_8601(expires))
        .with("ServerTime", time_format::iso_8601(now))
}

/// Parses a time in Unix seconds, digits only.
pub(super) fn unix_time(text: &str) -> Option<OffsetDateTime> {
    let digits = Some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    OffsetDateTime::from_unix_timestamp(digits?.parse().ok()?).ok()
}

pub(super) fn check_skew(date: OffsetDateTime, now: OffsetDateTime) -> Result<(), Fault> {
    if (date - now).abs() <= MAX_SKEW {
        return Ok(());
    }
    const MESSAGE: &str =
        "The difference between the request time and the current time is too large.";
    Err(Fault::new(403, "RequestTimeTooSkewed", MESSAGE)
        .with_ec("0002-00000504")
        .with("MaxAllowedSkewMilliseconds", MAX_SKEW.whole_milliseconds().to_string())
        .with("RequestTime", time_format::iso_8601(date))
        .with("ServerTime", time_format::iso_8601(now)))
}

/// Compares in time that depends only on the lengths.
pub fn same(a: &str, b: &str) -> bool {
    let difference = a.bytes().zip(b.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b));
    a.len() == b.len() && std::hint::black_box(difference) == 0
}

pub(super) fn mismatch(key_id: &str, provided: &str, string_to_sign: &str) -> Fault {
    const MESSAGE: &str = "The request signature we calculated does not match the signature you \
                           provided. Check your key and signing method.";
    Fault::new(403, "SignatureDoesNotMatch", MESSAGE)
        .with("OSSAccessKeyId", key_id)
        .with("SignatureProvided", provided)
        .with("StringToSign", string_to_sign)
        .with("StringToSignBytes", hex_bytes(string_to_sign))
}

/// Formats bytes as OSS does in errors: hexadecimal pairs separated by spaces.
pub(super) fn hex_bytes(text: &str) -> String {
    let pairs: Vec<String> = text.bytes().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(" ")
}
