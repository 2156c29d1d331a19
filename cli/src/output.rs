//! Standard output and standard error, including failures to write to them. All
//! output of the command goes through this module.

use crate::closed;
use crate::text::{clean, clean_json, clean_lines};
use console::Term;
use serde::Serialize;
use serde_json::{Value, json};
use std::cell::OnceCell;
use std::fmt;
use std::io::{self, Write};
use std::process::Stdio;

/// The command's output. Write failures are remembered, so that they neither end
/// the command early nor hide its own failure.
#[derive(Debug)]
pub(crate) struct Output {
    /// Whether results are printed as JSON.
    pub(crate) json: bool,
    is_terminal: bool,
    failure: OnceCell<io::Error>,
}

impl Output {
    /// Decides on colors for the whole process: none in pipes and files, or with
    /// `NO_COLOR` (no-color.org) or `--no-color`.
    pub(crate) fn new(json: bool, no_color: bool) -> Self {
        let variable = |name| std::env::var_os(name).unwrap_or_default();
        let unwanted = no_color || !variable("NO_COLOR").is_empty() || variable("TERM") == "dumb";
        let is_terminal = Term::stdout().is_term();
        console::set_colors_enabled(!unwanted && is_terminal);
        console::set_colors_enabled_stderr(!unwanted && Term::stderr().is_term());
        Output { json, is_terminal, failure: OnceCell::new() }
    }

    /// Returns whether a person reads the output on a terminal.
    pub(crate) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Prints a result: as a JSON document, or with `human`.
    pub(crate) fn show<T: Serialize>(&self, result: &T, human: impl FnOnce(&mut Page)) {
        self.print(|| serde_json::to_string_pretty(result), human);
    }

    /// Prints an item of a series: as a line of JSON, or with `human`.
    pub(crate) fn line<T: Serialize>(&self, result: &T, human: impl FnOnce(&mut Page)) {
        self.print(|| serde_json::to_string(result), human);
    }

    fn print(
        &self,
        document: impl FnOnce() -> serde_json::Result<String>,
        human: impl FnOnce(&mut Page),
    ) {
        if !self.json {
            return self.text(human);
        }
        match document() {
            Ok(document) => self.write(&(clean_json(&document) + "\n")),
            Err(error) => self.fail(error.into()),
        }
    }

    /// Prints text, even if other output is JSON.
    pub(crate) fn text(&self, human: impl FnOnce(&mut Page)) {
        let mut page = Page { text: String::new(), is_terminal: self.is_terminal };
        human(&mut page);
        self.write(&page.text);
    }

    fn write(&self, text: &str) {
        if closed::is_stdout_closed() {
            return self.fail(io::Error::other("stdout is closed"));
        }
        let mut out = io::stdout().lock();
        if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            self.fail(error);
        }
    }

    /// Records that the output cannot be written, and reports it unless its reader
    /// simply stopped reading, like `head`.
    pub(crate) fn fail(&self, error: io::Error) {
        if self.failure.get().is_some() {
            return;
        }
        if error.kind() != io::ErrorKind::BrokenPipe {
            const MESSAGE: &str = "cannot write the output";
            let cause = error.to_string();
            match self.json {
                true => report(&json!({
                    "error": { "message": MESSAGE, "causes": [cause] }, "exitStatus": 1,
                })),
                false => to_stderr(&format!("osslive: {MESSAGE}\n  caused by: {}", clean(&cause))),
            }
        }
        let _ = self.failure.set(error);
    }

    /// Returns whether nothing more can be written.
    pub(crate) fn is_broken(&self) -> bool {
        self.failure.get().is_some()
    }

    /// Returns whether output was lost that somebody wanted to read.
    pub(crate) fn is_lost(&self) -> bool {
        self.failure.get().is_some_and(|error| error.kind() != io::ErrorKind::BrokenPipe)
    }

    /// Prints a warning to stderr.
    pub(crate) fn warn(&self, message: &str) {
        match self.json {
            true => report(&json!({ "warning": { "message": message } })),
            false => to_stderr(&format!("osslive: warning: {}", clean(message))),
        }
    }
}

/// Text for people, line by line. It cannot control a terminal, except for the
/// styles of table cells.
#[derive(Debug, Default)]
pub(crate) struct Page {
    text: String,
    is_terminal: bool,
}

impl Page {
    /// Adds a line; `writeln!` calls this.
    pub(crate) fn write_fmt(&mut self, line: fmt::Arguments<'_>) {
        let line = line.to_string();
        self.push(&clean(line.strip_suffix('\n').unwrap_or(&line)));
    }

    #[cfg(test)]
    pub(crate) fn into_text(self) -> String {
        self.text
    }

    /// Adds a line that is already safe.
    pub(crate) fn push(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Adds a document unchanged, or, on a terminal, with unsafe characters
    /// escaped.
    pub(crate) fn document(&mut self, text: &str) {
        match self.is_terminal {
            true => self.text.push_str(&clean_lines(text)),
            false => self.text.push_str(text),
        }
    }
}

/// Prints a message for `-v`.
pub(crate) fn say(line: &str) {
    to_stderr(&format!("* {}", clean(line)));
}

/// Asks a question on stderr, without a line break.
pub(crate) fn ask(question: &str) {
    let _ = io::stderr().write_all(format!("{} ", clean(question)).as_bytes());
}

/// Prints a line of JSON to stderr.
pub(crate) fn report(value: &Value) {
    to_stderr(&clean_json(&value.to_string()));
}

/// Returns stderr, for the output of another program.
pub(crate) fn log_file() -> Stdio {
    Stdio::from(io::stderr())
}

/// Prints text to stderr. A failure cannot be reported anywhere; the exit status
/// shows the outcome.
pub(crate) fn to_stderr(text: &str) {
    let _ = io::stderr().write_all(format!("{text}\n").as_bytes());
}
