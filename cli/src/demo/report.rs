//! What the demonstration says: steps and what was seen on standard output,
//! progress on standard error while it is a terminal.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, Write};
use std::time::Duration;

pub(crate) struct Report {
    steps: u32,
}

impl Report {
    pub(crate) fn new() -> Self {
        Report { steps: 0 }
    }

    pub(crate) fn say(&self, text: &str) {
        line(format_args!("{text}"));
    }

    /// Begins a step. One that does not hold ends the demonstration.
    pub(crate) fn step(&mut self, what: &str) {
        self.steps += 1;
        line(format_args!("{}. {what}", self.steps));
    }

    /// Shows something that was seen.
    pub(crate) fn detail(&self, name: &str, value: &str) {
        line(format_args!("   {name:<14} {value}"));
    }

    pub(crate) fn progress(&self, length: Duration) -> Progress {
        let bar = ProgressBar::new(u64::try_from(length.as_millis()).unwrap_or(u64::MAX));
        if let Ok(style) = ProgressStyle::with_template("   {bar:30} {msg}") {
            bar.set_style(style);
        }
        Progress(bar)
    }
}

/// Prints a line. If the reader is gone, as after `head`, the demo continues, and its
/// exit status still reports the outcome.
fn line(text: std::fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// A bar that is gone when it is dropped.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn show(&self, at: Duration, message: &str) {
        self.0.set_position(u64::try_from(at.as_millis()).unwrap_or(u64::MAX));
        self.0.set_message(message.to_owned());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
