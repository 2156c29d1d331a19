//! Times as the service writes and reads them.

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

/// A time as HTTP headers have it: `Sun, 22 Nov 2026 08:16:38 GMT`.
pub fn http_date(time: OffsetDateTime) -> String {
    write(time, HTTP)
}

/// Reads the one form of date that [`http_date`] writes.
pub fn parse_http_date(text: &str) -> Option<OffsetDateTime> {
    read(text, HTTP)
}

/// A time as signatures of version 4 have it: `20261122T081638Z`.
pub fn basic(time: OffsetDateTime) -> String {
    write(time, BASIC)
}

/// Reads the form that [`basic`] writes.
pub fn parse_basic(text: &str) -> Option<OffsetDateTime> {
    // The format's parser would take a sign before the year.
    text.starts_with(|c: char| c.is_ascii_digit()).then(|| read(text, BASIC))?
}

/// A time as the service's XML has it: `2026-11-22T08:16:38.000Z`, to the
/// second, with three zeros that OSS writes for a fraction.
pub fn iso_8601(time: OffsetDateTime) -> String {
    write(time, ISO_8601)
}

fn write(time: OffsetDateTime, format: &[BorrowedFormatItem<'_>]) -> String {
    // Formatting fails only for years that no clock here can show.
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
    fn each_form_is_written_as_the_service_writes_it() {
        assert_eq!(http_date(TIME), "Sun, 22 Nov 2026 08:16:38 GMT");
        assert_eq!(basic(TIME), "20261122T081638Z");
        assert_eq!(iso_8601(TIME), "2026-11-22T08:16:38.000Z");
    }

    #[test]
    fn what_is_written_is_read_back_to_the_second() {
        let second = datetime!(2026-11-22 08:16:38 UTC);
        assert_eq!(parse_http_date(&http_date(TIME)), Some(second));
        assert_eq!(parse_basic(&basic(TIME)), Some(second));
    }

    #[test]
    fn anything_else_is_no_date() {
        for text in ["", "Sun, 22 Nov 2026 08:16:38", "2026-11-22T08:16:38Z", "20261122T081638"] {
            assert_eq!(parse_http_date(text), None, "{text}");
            assert_eq!(parse_basic(text), None, "{text}");
        }
        assert_eq!(parse_basic("20261322T081638Z"), None);
        assert_eq!(parse_basic("+20261122T081638Z"), None);
    }
}
