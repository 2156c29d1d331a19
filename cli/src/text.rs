//! Formats and parses durations, times and rates.

use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const UNITS: &[(char, u64)] = &[('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];

/// Parses a duration: seconds, or numbers with the units d, h, m and s in this
/// order, such as `1h30m`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("invalid duration {text:?}: expected 90, 90s, 5m or 1h30m, for example");
    if let Ok(seconds) = text.parse::<u32>() {
        return Ok(Duration::from_secs(seconds.into()));
    }
    let (mut rest, mut total, mut greatest) = (text, 0u64, u64::MAX);
    while let Some(end) = rest.find(|c: char| !c.is_ascii_digit()) {
        let number: u64 = rest[..end].parse().map_err(|_| wrong())?;
        let unit = rest[end..].chars().next().and_then(|c| UNITS.iter().find(|unit| unit.0 == c));
        let (_, seconds) = unit.filter(|unit| unit.1 < greatest).ok_or_else(wrong)?;
        let part = number.checked_mul(*seconds).ok_or_else(wrong)?;
        total = total.checked_add(part).ok_or_else(wrong)?;
        (greatest, rest) = (*seconds, &rest[end + 1..]);
    }
    if rest.is_empty() && !text.is_empty() { Ok(Duration::from_secs(total)) } else { Err(wrong()) }
}

/// Like [`parse_duration`], but must be greater than zero.
pub(crate) fn parse_positive_duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).and_then(|length| match length {
        Duration::ZERO => Err("must be greater than zero".to_owned()),
        length => Ok(length),
    })
}

/// A time on the command line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Moment {
    At(OffsetDateTime),
    Ago(Duration),
}

impl Moment {
    /// Returns the time, relative to now.
    pub(crate) fn from(self, now: OffsetDateTime) -> OffsetDateTime {
        match self {
            Moment::At(time) => time,
            Moment::Ago(length) => now.saturating_sub(saturating(length)),
        }
    }
}

/// Parses a time: RFC 3339, Unix seconds, `now`, or relative to now, such as
/// `-10m`.
pub(crate) fn parse_moment(text: &str) -> Result<Moment, String> {
    if text == "now" {
        return Ok(Moment::Ago(Duration::ZERO));
    }
    if let Some(length) = text.strip_prefix('-') {
        return parse_duration(length).map(Moment::Ago);
    }
    if let Ok(seconds) = text.parse() {
        let time = OffsetDateTime::from_unix_timestamp(seconds);
        return time.map(Moment::At).map_err(|_| format!("{text} is out of range"));
    }
    OffsetDateTime::parse(text, &Rfc3339).map(Moment::At).map_err(|_| {
        format!(
            "invalid time {text:?}: expected 2026-05-01T19:30:00Z, 1777663800 (Unix seconds), \
             now, or -10m (ten minutes ago), for example"
        )
    })
}

/// Converts a duration without overflowing a calendar.
pub(crate) fn saturating(length: Duration) -> time::Duration {
    time::Duration::try_from(length).unwrap_or(time::Duration::MAX)
}

/// Formats a time in UTC, to the second, as RFC 3339.
pub(crate) fn moment(time: OffsetDateTime) -> String {
    let utc = time.to_offset(time::UtcOffset::UTC);
    let seconds = utc.replace_nanosecond(0).unwrap_or(utc);
    seconds.format(&Rfc3339).unwrap_or_else(|_| seconds.unix_timestamp().to_string())
}

/// Formats a duration in its two largest units: `1h 02m`, `3m 07s`, `12s`.
pub(crate) fn length(length: time::Duration) -> String {
    let seconds = length.whole_seconds().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {:02}s", seconds % 60),
        (0, ..) => format!("{hours}h {minutes:02}m"),
        _ => format!("{days}d {hours:02}h"),
    }
}

/// Formats bytes per second as bits per second, the unit of encoder settings.
pub(crate) fn bit_rate(bytes_per_second: u64) -> String {
    let bits = bytes_per_second.saturating_mul(8) as f64;
    match bits {
        0.0..1e6 => format!("{:.0} kbit/s", bits / 1e3),
        _ => format!("{:.1} Mbit/s", bits / 1e6),
    }
}

/// Parses bits per second, such as `800k` and `2.5M`, as bytes per second.
pub(crate) fn parse_bit_rate(text: &str) -> Result<u64, String> {
    let (number, unit) = match text.char_indices().next_back() {
        Some((end, 'k' | 'K')) => (&text[..end], 1e3),
        Some((end, 'm' | 'M')) => (&text[..end], 1e6),
        _ => (text, 1.0),
    };
    match number.parse::<f64>() {
        Ok(bits) if bits > 0.0 && bits.is_finite() => Ok((bits * unit / 8.0).ceil() as u64),
        _ => Err(format!("invalid bit rate {text:?}: expected a number such as 800k or 2.5M")),
    }
}

/// Formats a number of bytes.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.0} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// Formats a count: `1 channel`, `3 channels`.
pub(crate) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// Makes text of unknown origin safe for a terminal, in a single line: characters
/// that control it, change the reading direction or are invisible are escaped, such
/// as `\u{1b}`.
pub(crate) fn clean(text: &str) -> String {
    escape(text, |c| c.escape_unicode().collect())
}

/// Like [`clean`], but keeps line breaks.
pub(crate) fn clean_lines(text: &str) -> String {
    text.split('\n').map(clean).collect::<Vec<_>>().join("\n")
}

/// Escapes the same characters in a JSON document in JSON's way, such as `\u009b`,
/// which does not change its meaning.
pub(crate) fn clean_json(document: &str) -> String {
    let units = |c: char| {
        let mut units = [0; 2];
        c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect()
    };
    // Outside strings, only the line break occurs.
    document.split('\n').map(|line| escape(line, units)).collect::<Vec<_>>().join("\n")
}

fn escape(text: &str, escaped: impl Fn(char) -> String) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match is_visible(c) {
            true => safe.push(c),
            false => safe.push_str(&escaped(c)),
        }
    }
    safe
}

/// Returns whether a character is visible, or a space with a width.
fn is_visible(c: char) -> bool {
    if c.is_ascii() {
        return c == ' ' || c.is_ascii_graphic();
    }
    let is_space = c.is_whitespace() && !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}');
    is_space || (is_printable(c) && !is_blank(c))
}

/// Returns whether Unicode assigns the character and it is neither a control nor a
/// format character nor for private use. Combining marks are printable: the
/// standard library escapes them only at the start of a string.
fn is_printable(c: char) -> bool {
    format!(" {c}").escape_debug().nth(1) == Some(c)
}

/// Letters and marks without a visible shape (Unicode's
/// Default_Ignorable_Code_Point and the blank Braille pattern). The two selectors
/// for the style of an emoji are allowed.
fn is_blank(c: char) -> bool {
    matches!(
        c,
        '\u{34f}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0d}'
            | '\u{ffa0}'
            | '\u{e0100}'..='\u{e01ef}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_units_or_is_in_seconds() {
        for (text, seconds) in
            [("0", 0), ("90", 90), ("90s", 90), ("5m", 300), ("1h30m", 5400), ("1d12h", 129_600)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn an_invalid_duration_is_rejected_with_examples() {
        for text in ["", "m", "5x", "5m5", "5m1h", "5m5m", "-5m", "1.5h", "99999999999999999999d"] {
            assert!(parse_duration(text).unwrap_err().contains("1h30m"), "{text}");
        }
        assert!(parse_positive_duration("0s").is_err());
    }

    #[test]
    fn a_time_is_a_date_a_number_or_an_offset() {
        let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        for (text, seconds) in [
            ("now", 1_800_000_000),
            ("-10m", 1_799_999_400),
            ("1777663800", 1_777_663_800),
            ("2026-05-01T19:30:00Z", 1_777_663_800),
            ("2026-05-01T21:30:00+02:00", 1_777_663_800),
        ] {
            let moment = parse_moment(text).unwrap().from(now);
            assert_eq!(moment.unix_timestamp(), seconds, "{text}");
        }
        for text in ["", "yesterday", "2026-05-01", "10m", "99999999999999"] {
            assert!(parse_moment(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_shown_in_utc_to_the_second() {
        let time = OffsetDateTime::parse("2026-05-01T21:30:00.75+02:00", &Rfc3339).unwrap();
        assert_eq!(moment(time), "2026-05-01T19:30:00Z");
    }

    #[test]
    fn durations_are_shown_in_two_units() {
        for (seconds, shown) in [
            (-1, "0s"),
            (0, "0s"),
            (59, "59s"),
            (60, "1m 00s"),
            (3599, "59m 59s"),
            (3720, "1h 02m"),
            (86_400 + 7200, "1d 02h"),
        ] {
            assert_eq!(length(time::Duration::seconds(seconds)), shown);
        }
    }

    #[test]
    fn rates_are_shown_in_bits_and_sizes_in_bytes() {
        assert_eq!(bit_rate(0), "0 kbit/s");
        assert_eq!(bit_rate(12_000), "96 kbit/s");
        assert_eq!(bit_rate(262_500), "2.1 Mbit/s");
        assert_eq!(bit_rate(u64::MAX), "18446744073709.6 Mbit/s");
        assert_eq!([size(999), size(1_500_000)], ["999 B", "1.5 MB"]);
        assert_eq!([count(1, "channel"), count(0, "channel")], ["1 channel", "0 channels"]);
    }

    #[test]
    fn bit_rates_are_written_in_bits_and_counted_in_bytes() {
        assert_eq!(parse_bit_rate("800k"), Ok(100_000));
        assert_eq!(parse_bit_rate("2.5M"), Ok(312_500));
        assert_eq!(parse_bit_rate("9"), Ok(2));
        for text in ["", "k", "0", "-1k", "nan", "fast"] {
            assert!(parse_bit_rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn control_and_invisible_characters_are_escaped() {
        for (text, cleaned) in [
            ("a\u{1b}[2Jb\u{9b}31m", "a\\u{1b}[2Jb\\u{9b}31m"),
            ("c\r\nd\te\u{7f}", "c\\u{d}\\u{a}d\\u{9}e\\u{7f}"),
            ("\u{202e}\u{2066}\u{61c}\u{200e}", "\\u{202e}\\u{2066}\\u{61c}\\u{200e}"),
            ("\u{200b}\u{200d}\u{2060}\u{feff}", "\\u{200b}\\u{200d}\\u{2060}\\u{feff}"),
            ("\u{e0041}\u{e0101}\u{ad}", "\\u{e0041}\\u{e0101}\\u{ad}"),
            ("\u{2028}\u{2029}\u{85}", "\\u{2028}\\u{2029}\\u{85}"),
            ("\u{115f}\u{3164}\u{2800}", "\\u{115f}\\u{3164}\\u{2800}"),
            ("\u{e000}\u{10ffff}\u{378}", "\\u{e000}\\u{10ffff}\\u{378}"),
        ] {
            assert_eq!(clean(text), cleaned);
            assert_eq!(clean(cleaned), cleaned, "once is enough");
        }
    }

    #[test]
    fn ordinary_text_is_unchanged() {
        for text in [
            "",
            "直播\u{3000}一",
            "café \\ 'a' \"b\" 10\u{a0}%",
            "cafe\u{301}",
            "हिन्दी ไทย עברית العربية",
            "⭐\u{fe0f}🎥",
        ] {
            assert_eq!(clean(text), text);
        }
        assert_eq!(clean_lines("#EXTM3U\n\u{1b}\n"), "#EXTM3U\n\\u{1b}\n");
    }

    #[test]
    fn escaping_does_not_change_the_meaning_of_json() {
        let value = serde_json::json!({ "a\u{9b}": ["\u{7f}\u{1b}\n", "\u{e0041} 直播 \\u009b"] });
        for document in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let cleaned = clean_json(&document);
            assert!(cleaned.chars().all(|c| c == '\n' || is_visible(c)), "{cleaned}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&cleaned).unwrap(), value);
        }
    }
}
