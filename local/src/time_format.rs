//! The date and time formats of the service.

use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

const HTTP: &[BorrowedFormatItem<'_>] = format_description!(
    "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
);
const BASIC: &[BorrowedFormatItem<'_>] =
    format_description!("[year][month][day]T[hour][minute][second]Z");
const ISO_8601: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].000Z");

/// Formats a time as in HTTP headers: `Sun, 22 Nov 2026 08:16:38 GMT`.
pub fn http_date(time: OffsetDateTime) -> String {
    write(time, HTTP)
}

/// Parses a date in the format of [`http_date`], and no other.
pub fn parse_http_date(text: &str) -> Option<OffsetDateTime> {
    read(text, HTTP)
}

/// Formats a time as in version 4 signatures: `20261122T081638Z`.
pub fn basic(time: OffsetDateTime) -> String {
    write(time, BASIC)
}

/// Parses a time in the format of [`basic`].
pub fn parse_basic(text: &str) -> Option<OffsetDateTime> {
    // The format's parser would accept a sign before the year.
    text.starts_with(|c: char| c.is_ascii_digit()).then(|| read(text, BASIC))?
}

/// Formats a time as in the service's XML: `2026-11-22T08:16:38.000Z`, in whole
/// seconds; like OSS, it always writes zeros for the fraction.
pub fn iso_8601(time: OffsetDateTime) -> String {
    write(time, ISO_8601)
}

fn write(time: OffsetDateTime, format: &[BorrowedFormatItem<'_>]) -> String {
    // Formatting fails only for years that no clock here can reach.
    time.to_offset(time::UtcOffset::UTC).format(format).unwrap_or_default()
}

fn read(text: &str, format: &[BorrowedFormatItem<'_>]) -> Option<OffsetDateTime> {
    PrimitiveDateTime::parse(text, format).ok().map(PrimitiveDateTime::assume_utc)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const TIME: OffsetDateTime = datetime!(2026-11-22 08:16:38.9 UTC);

    #[test]
    fn formats_match_those_of_the_service() {
        assert_eq!(http_date(TIME), "Sun, 22 Nov 2026 08:16:38 GMT");
        assert_eq!(basic(TIME), "20261122T081638Z");
        assert_eq!(iso_8601(TIME), "2026-11-22T08:16:38.000Z");
    }

    #[test]
    fn times_round_trip_in_whole_seconds() {
        let second = datetime!(2026-11-22 08:16:38 UTC);
        assert_eq!(parse_http_date(&http_date(TIME)), Some(second));
        assert_eq!(parse_basic(&basic(TIME)), Some(second));
    }

    #[test]
    fn other_formats_are_rejected() {
        for text in ["", "Sun, 22 Nov 2026 08:16:38", "2026-11-22T08:16:38Z", "20261122T081638"] {
            assert_eq!(parse_http_date(text), None, "{text}");
            assert_eq!(parse_basic(text), None, "{text}");
        }
        assert_eq!(parse_basic("20261322T081638Z"), None);
        assert_eq!(parse_basic("+20261122T081638Z"), None);
    }
}
