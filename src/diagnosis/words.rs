//! Formats times, durations and untrusted strings for display.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Shortens an untrusted string to fit into a sentence, and removes control characters.
pub(super) fn brief(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

/// Formats a time in whole seconds.
pub(super) fn time(time: OffsetDateTime) -> String {
    let whole = time.replace_nanosecond(0).unwrap_or(time);
    whole.format(&Rfc3339).unwrap_or_else(|_| whole.to_string())
}

/// Formats the absolute value of a duration, in the largest unit that gives at least two.
pub(super) fn length(length: time::Duration) -> String {
    let seconds = length.whole_seconds().unsigned_abs();
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Formats a size in the largest decimal unit that gives at least one.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..=999 => format!("{bytes} bytes"),
        1_000..=999_999 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..=999_999_999 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// Formats a number of things.
pub(super) fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::time::Duration;
    use ::time::macros::datetime;

    #[test]
    fn values_are_formatted_briefly() {
        assert_eq!(length(Duration::seconds(-90)), "90 s");
        assert_eq!(length(Duration::minutes(119)), "119 min");
        assert_eq!(length(Duration::hours(47)), "47 h");
        assert_eq!(length(Duration::days(7)), "7 days");
        assert_eq!(size(999), "999 bytes");
        assert_eq!(size(12_345), "12.3 kB");
        assert_eq!(size(5_000_000), "5.0 MB");
        assert_eq!(size(2_000_000_000), "2.0 GB");
        assert_eq!(time(datetime!(2026-11-26 12:00:01.5 UTC)), "2026-11-26T12:00:01Z");
        assert_eq!(brief("a\u{1b}[0m\n"), "a[0m");
        assert_eq!(count(1, "fragment") + &count(2, "fragment"), "1 fragment2 fragments");
    }
}
