//! A part of the terminal that is drawn again in place.

use console::Term;
use std::io;

/// What stands on the terminal now, to be replaced by what comes next. What
/// was there before stays above it.
pub(super) struct Screen {
    terminal: Term,
    drawn: usize,
}

impl Screen {
    /// A buffered terminal shows each drawing at once and does not flicker.
    pub(super) fn new(terminal: Term) -> Self {
        Screen { terminal, drawn: 0 }
    }

    /// Draws lines of which there are never more than the rows that are free,
    /// nor wider ones than the columns: scrolled or wrapped ones could not be
    /// taken back.
    pub(super) fn draw(
        &mut self,
        lines: impl FnOnce(usize, usize) -> Vec<String>,
    ) -> io::Result<()> {
        let (rows, columns) = self.terminal.size();
        // The cursor stands on a row of its own.
        let rows = usize::from(rows).saturating_sub(1).max(1);
        let lines = lines(rows, columns.into());
        self.terminal.clear_last_lines(self.drawn.min(rows))?;
        for line in &lines {
            self.terminal.write_line(line)?;
        }
        self.drawn = lines.len();
        self.terminal.flush()
    }
}
