//! Progress bars, on standard error and only where that is a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over bytes, or a spinner when nobody knows how many there are.
pub(crate) fn bytes(length: Option<u64>) -> ProgressBar {
    match length {
        Some(length) => styled(ProgressBar::new(length), "{bar:30} {percent:>3} % {msg}"),
        None => styled(ProgressBar::new_spinner(), "{spinner} {msg}"),
    }
}

/// A bar over a number of things.
pub(crate) fn things(number: usize) -> ProgressBar {
    let number = u64::try_from(number).unwrap_or(u64::MAX);
    styled(ProgressBar::new(number), "{bar:30} {pos}/{len} {msg}")
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
