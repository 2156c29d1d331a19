//! Errors in a file, with their position.

use std::fmt;

#[derive(Debug, Default, PartialEq)]
pub(super) struct Mistake {
    line: Option<u64>,
    column: Option<usize>,
    what: String,
}

impl Mistake {
    /// Creates an error about the whole file.
    pub(super) fn new(what: impl Into<String>) -> Self {
        Mistake { what: what.into(), ..Mistake::default() }
    }

    /// Creates an error in a line, counted from 1, and optionally a column.
    pub(super) fn at(line: u64, column: impl Into<Option<usize>>, what: impl Into<String>) -> Self {
        Mistake { line: Some(line), column: column.into(), what: what.into() }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (Some(line), Some(column)) => write!(f, "line {line}, column {column}: ")?,
            (Some(line), None) => write!(f, "line {line}: ")?,
            (None, _) => {}
        }
        f.write_str(&self.what)
    }
}

/// The contents of a file, or the error in it.
pub(super) type Result<T> = std::result::Result<T, Mistake>;
