//! Progress bars, on stderr and only on a terminal.

use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// Which bars are drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    /// Whether no bar is drawn, because lines of text replace it.
    pub(crate) is_hidden: bool,
}

impl Progress {
    /// Returns a bar for bytes, or a spinner if their number is unknown.
    pub(crate) fn bytes(self, length: Option<u64>) -> ProgressBar {
        match length {
            Some(length) => self.styled(ProgressBar::new(length), "{bar:30} {percent:>3} % {msg}"),
            None => self.styled(ProgressBar::new_spinner(), "{spinner} {msg}"),
        }
    }

    /// Returns a spinner for work of unknown length, which moves by itself.
    pub(crate) fn working(self, what: &str) -> ProgressBar {
        let bar = self.bytes(None).with_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        bar
    }

    /// Returns a bar for a number of items.
    pub(crate) fn items(self, number: usize) -> ProgressBar {
        let number = u64::try_from(number).unwrap_or(u64::MAX);
        self.styled(ProgressBar::new(number), "{bar:30} {pos}/{len} {msg}")
    }

    fn styled(self, bar: ProgressBar, template: &str) -> ProgressBar {
        if self.is_hidden {
            return ProgressBar::hidden();
        }
        match ProgressStyle::with_template(template) {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    }
}
