//! The demo's output: steps and details on stdout, progress on stderr if that is a
//! terminal. With `--json`, one line per step.

use crate::output::Output;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

pub(crate) struct Report<'a> {
    steps: u32,
    output: &'a Output,
    /// The current step, for JSON.
    current: Option<Step>,
}

#[derive(Serialize)]
struct Step {
    step: u32,
    name: String,
    details: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Message<'a> {
    message: &'a str,
}

impl<'a> Report<'a> {
    pub(crate) fn new(output: &'a Output) -> Self {
        Report { steps: 0, output, current: None }
    }

    pub(crate) fn say(&mut self, text: &str) {
        self.finish();
        self.output.line(&Message { message: text }, |page| writeln!(page, "{text}"));
    }

    /// Starts a step. The demo ends at the first step that fails.
    pub(crate) fn step(&mut self, name: &str) {
        self.finish();
        self.steps += 1;
        if self.output.json {
            let (step, name) = (self.steps, name.to_owned());
            self.current = Some(Step { step, name, details: BTreeMap::new() });
        } else {
            self.output.text(|page| writeln!(page, "{}. {name}", self.steps));
        }
    }

    /// Adds a detail to the current step.
    pub(crate) fn detail(&mut self, name: &str, value: &str) {
        match &mut self.current {
            Some(step) => drop(step.details.insert(name.to_owned(), value.to_owned())),
            None => self.output.text(|page| writeln!(page, "   {name:<14} {value}")),
        }
    }

    /// Prints the current step as JSON.
    pub(crate) fn finish(&mut self) {
        if let Some(step) = self.current.take() {
            self.output.line(&step, |_| ());
        }
    }

    pub(crate) fn progress(&self, length: Duration) -> Progress {
        let bar = ProgressBar::new(u64::try_from(length.as_millis()).unwrap_or(u64::MAX));
        if let Ok(style) = ProgressStyle::with_template("   {bar:30} {msg}") {
            bar.set_style(style);
        }
        Progress(bar)
    }
}

/// A progress bar that is removed when it is dropped.
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
