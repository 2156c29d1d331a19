//! What is wrong with a file, and where.

use std::fmt;

#[derive(Debug, Default, PartialEq)]
pub(super) struct Mistake {
    line: Option<u64>,
    column: Option<usize>,
    what: String,
}

impl Mistake {
    /// A mistake of the whole file.
    pub(super) fn new(what: impl Into<String>) -> Self {
        Mistake { what: what.into(), ..Mistake::default() }
    }

    /// A mistake in a line, counted from 1, and there in a column.
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

/// What a file says, or what is wrong with it.
pub(super) type Result<T> = std::result::Result<T, Mistake>;
