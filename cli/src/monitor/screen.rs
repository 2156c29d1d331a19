//! A part of the terminal that is redrawn in place.

use console::Term;
use std::io;

/// The lines on the terminal that the next drawing replaces. Earlier output stays
/// above them.
pub(super) struct Screen {
    terminal: Term,
    drawn: usize,
}

impl Screen {
    /// A buffered terminal shows each drawing at once, without flicker.
    pub(super) fn new(terminal: Term) -> Self {
        Screen { terminal, drawn: 0 }
    }

    /// Draws lines, at most as many as there are free rows, and none wider than the
    /// columns: scrolled or wrapped lines could not be replaced.
    pub(super) fn draw(
        &mut self,
        lines: impl FnOnce(usize, usize) -> Vec<String>,
    ) -> io::Result<()> {
        let (rows, columns) = self.terminal.size();
        // The cursor is on its own row.
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
