//! What the demonstration says: steps and what was seen on standard output,
//! progress on standard error while it is a terminal.

use crate::output::Output;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

pub(crate) struct Report<'a> {
    steps: u32,
    output: &'a Output,
}

impl<'a> Report<'a> {
    pub(crate) fn new(output: &'a Output) -> Self {
        Report { steps: 0, output }
    }

    pub(crate) fn say(&self, text: &str) {
        self.output.text(|page| writeln!(page, "{text}"));
    }

    /// Begins a step. One that does not hold ends the demonstration.
    pub(crate) fn step(&mut self, what: &str) {
        self.steps += 1;
        self.output.text(|page| writeln!(page, "{}. {what}", self.steps));
    }

    /// Shows something that was seen.
    pub(crate) fn detail(&self, name: &str, value: &str) {
        self.output.text(|page| writeln!(page, "   {name:<14} {value}"));
    }

    pub(crate) fn progress(&self, length: Duration) -> Progress {
        let bar = ProgressBar::new(u64::try_from(length.as_millis()).unwrap_or(u64::MAX));
        if let Ok(style) = ProgressStyle::with_template("   {bar:30} {msg}") {
            bar.set_style(style);
        }
        Progress(bar)
    }
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
