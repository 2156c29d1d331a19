//! Bar charts made of characters.

use crate::table::{Cell, Style, Table};
use std::time::Duration;

/// A bar: the text before it, its length, and the text after it.
pub(crate) struct Bar {
    pub(crate) label: String,
    pub(crate) length: Duration,
    pub(crate) value: String,
}

/// A chart whose longest bar is `width` characters wide.
pub(crate) fn bars(bars: &[Bar], width: usize) -> Table {
    let longest = bars.iter().map(|bar| bar.length).max().unwrap_or_default();
    let mut chart = Table::details();
    for bar in bars {
        let part = match longest.is_zero() {
            true => 0.0,
            false => bar.length.as_secs_f64() / longest.as_secs_f64(),
        };
        let value = Cell::new(&bar.value).number();
        let blocks = Cell::new(blocks(part, width)).style(Style::Good);
        chart.row([Cell::new(&bar.label).style(Style::Dim), value, blocks]);
    }
    chart
}

/// Draws a bar with a precision of an eighth of a character; any length above zero
/// is visible.
fn blocks(part: f64, width: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (part.clamp(0.0, 1.0) * width as f64 * 8.0).round() as usize;
    let eighths = if part > 0.0 { eighths.max(1) } else { 0 };
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(label: &str, seconds: u64) -> Bar {
        let value = format!("{seconds}s");
        Bar { label: label.into(), length: Duration::from_secs(seconds), value }
    }

    #[test]
    fn the_longest_bar_fills_the_width_and_others_are_proportional() {
        let chart = bars(&[bar("a", 80), bar("bb", 40), bar("c", 5), bar("d", 0)], 8);
        assert_eq!(
            chart.lines(80),
            ["a   80s  ████████", "bb  40s  ████", "c    5s  ▌", "d    0s  "]
        );
    }

    #[test]
    fn a_short_session_is_visible_and_an_empty_one_is_not() {
        assert_eq!(blocks(0.0001, 10), "▏");
        assert_eq!(blocks(0.0, 10), "");
        assert_eq!(blocks(7.0, 3), "███");
    }

    #[test]
    fn a_chart_of_nothing_is_empty() {
        assert_eq!(bars(&[], 10).lines(80), [""; 0]);
        assert_eq!(bars(&[bar("a", 0)], 10).lines(80), ["a  0s  "]);
    }
}
