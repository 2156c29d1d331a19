//! Standard output and standard error, and what happens when they cannot be
//! written: the one way out of the command.

use crate::closed;
use crate::text::{clean, clean_json, clean_lines};
use console::Term;
use serde::Serialize;
use serde_json::{Value, json};
use std::cell::OnceCell;
use std::fmt;
use std::io::{self, Write};
use std::process::Stdio;

/// What a command prints to. Results that cannot be written are remembered, so
/// that they neither end the command early nor hide its own failure.
#[derive(Debug)]
pub(crate) struct Output {
    /// Whether results are printed as JSON.
    pub(crate) json: bool,
    is_terminal: bool,
    failure: OnceCell<io::Error>,
}

impl Output {
    /// Decides on colours for the whole process: never in a pipe or a file,
    /// nor when `NO_COLOR` (no-color.org) or `--no-color` says so.
    pub(crate) fn new(json: bool, no_color: bool) -> Self {
        let variable = |name| std::env::var_os(name).unwrap_or_default();
        let unwanted = no_color || !variable("NO_COLOR").is_empty() || variable("TERM") == "dumb";
        let is_terminal = Term::stdout().is_term();
        console::set_colors_enabled(!unwanted && is_terminal);
        console::set_colors_enabled_stderr(!unwanted && Term::stderr().is_term());
        Output { json, is_terminal, failure: OnceCell::new() }
    }

    /// Whether the output is read by a person who looks at a terminal.
    pub(crate) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Prints a result: as one JSON document, or as `human` writes it.
    pub(crate) fn show<T: Serialize>(&self, result: &T, human: impl FnOnce(&mut Page)) {
        self.print(|| serde_json::to_string_pretty(result), human);
    }

    /// Prints a result of a series: as one line of JSON, or as `human` writes it.
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

    /// Prints text, even when the output is otherwise JSON.
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

    /// Remembers that the output cannot be written, and reports it unless its
    /// reader has merely stopped reading, as `head` does.
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
                false => tell(&format!("osslive: {MESSAGE}\n  caused by: {}", clean(&cause))),
            }
        }
        let _ = self.failure.set(error);
    }

    /// Whether nothing more can be written.
    pub(crate) fn is_broken(&self) -> bool {
        self.failure.get().is_some()
    }

    /// Whether anything was lost that somebody wanted to read.
    pub(crate) fn is_lost(&self) -> bool {
        self.failure.get().is_some_and(|error| error.kind() != io::ErrorKind::BrokenPipe)
    }

    /// Prints a warning to standard error.
    pub(crate) fn warn(&self, message: &str) {
        match self.json {
            true => report(&json!({ "warning": { "message": message } })),
            false => tell(&format!("osslive: warning: {}", clean(message))),
        }
    }
}

/// Text for people, line by line. Nothing in a line can steer a terminal but
/// the styles of a table's cells.
#[derive(Debug, Default)]
pub(crate) struct Page {
    text: String,
    is_terminal: bool,
}

impl Page {
    /// Adds one line: this is what `writeln!` calls.
    pub(crate) fn write_fmt(&mut self, line: fmt::Arguments<'_>) {
        let line = line.to_string();
        self.push(&clean(line.strip_suffix('\n').unwrap_or(&line)));
    }

    #[cfg(test)]
    pub(crate) fn into_text(self) -> String {
        self.text
    }

    /// Adds a line that is safe already.
    pub(crate) fn push(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Adds a document as it is, or, on a terminal, with what could harm it
    /// escaped.
    pub(crate) fn document(&mut self, text: &str) {
        match self.is_terminal {
            true => self.text.push_str(&clean_lines(text)),
            false => self.text.push_str(text),
        }
    }
}

/// Says something on the way, to whoever asked for it by `-v`.
pub(crate) fn say(line: &str) {
    tell(&format!("* {}", clean(line)));
}

/// Asks a question on standard error, and stays in its line.
pub(crate) fn ask(question: &str) {
    let _ = io::stderr().write_all(format!("{} ", clean(question)).as_bytes());
}

/// Prints a line of JSON to standard error.
pub(crate) fn report(value: &Value) {
    tell(&clean_json(&value.to_string()));
}

/// Standard error, for the output of another program.
pub(crate) fn log_file() -> Stdio {
    Stdio::from(io::stderr())
}

/// Prints text to standard error. There is nobody to tell when that fails, and
/// the exit status says how the command went.
pub(crate) fn tell(text: &str) {
    let _ = io::stderr().write_all(format!("{text}\n").as_bytes());
}
