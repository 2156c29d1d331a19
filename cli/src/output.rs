//! Where results go: JSON for programs, text for people.

use crate::failure::Failure;
use console::Term;
use serde::Serialize;
use std::io::{self, Write};

/// What a command prints to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// Whether results are printed as JSON.
    pub(crate) json: bool,
}

impl Output {
    /// Decides on colours for the whole process: never in a pipe or a file,
    /// nor when `NO_COLOR` (no-color.org) or `--no-color` says so.
    pub(crate) fn new(json: bool, no_color: bool) -> Self {
        let variable = |name| std::env::var_os(name).unwrap_or_default();
        let unwanted = no_color || !variable("NO_COLOR").is_empty() || variable("TERM") == "dumb";
        console::set_colors_enabled(!unwanted && Term::stdout().is_term());
        console::set_colors_enabled_stderr(!unwanted && Term::stderr().is_term());
        Output { json }
    }

    /// Prints a result: as one JSON document, or as `human` writes it.
    pub(crate) fn show<T: Serialize>(
        self,
        result: &T,
        human: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        if self.json {
            serde_json::to_writer_pretty(&mut out, result).map_err(io::Error::from)?;
            writeln!(out)?;
        } else {
            human(&mut out)?;
        }
        Ok(out.flush()?)
    }

    /// Prints a result of a series: as one line of JSON, or as `human` writes it.
    pub(crate) fn line<T: Serialize>(
        self,
        result: &T,
        human: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        if self.json {
            let line = serde_json::to_string(result).map_err(io::Error::from)?;
            writeln!(out, "{line}")?;
        } else {
            human(&mut out)?;
        }
        Ok(out.flush()?)
    }
}
