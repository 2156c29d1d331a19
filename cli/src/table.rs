//! Tables for people. Columns are as wide as their contents and separated by two
//! spaces, so that they can be read, cut and pasted.

use crate::output::Page;
use crate::text::clean;
use console::{measure_text_width, style, truncate_str};

/// How a cell is highlighted if there are colors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Good,
    Warning,
    Bad,
    Dim,
}

/// A table cell. Its text is safe on a terminal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cell {
    text: String,
    style: Style,
    is_number: bool,
}

impl Cell {
    pub(crate) fn new(text: impl AsRef<str>) -> Self {
        Cell { text: clean(text.as_ref()), style: Style::Plain, is_number: false }
    }

    /// Returns a cell for an optional value.
    pub(crate) fn or_none(text: Option<String>) -> Self {
        text.map_or_else(|| Cell::new("-").style(Style::Dim), Cell::new)
    }

    pub(crate) fn style(mut self, style: Style) -> Self {
        self.style = style;
        self
    }

    /// Right-aligns the cell.
    pub(crate) fn number(mut self) -> Self {
        self.is_number = true;
        self
    }

    fn width(&self) -> usize {
        measure_text_width(&self.text)
    }

    fn shown(&self) -> String {
        let text = style(&self.text);
        match self.style {
            Style::Plain => text,
            Style::Good => text.green(),
            Style::Warning => text.yellow(),
            Style::Bad => text.red(),
            Style::Dim => text.dim(),
        }
        .to_string()
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Cell::new(text)
    }
}

/// Rows below a heading, if any.
#[derive(Debug, Default)]
pub(crate) struct Table {
    heading: Vec<Cell>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    pub(crate) fn new(heading: &[&str]) -> Self {
        let heading = heading.iter().map(|text| Cell::new(text).style(Style::Dim)).collect();
        Table { heading, rows: Vec::new() }
    }

    /// Returns a table of names and values.
    pub(crate) fn details() -> Self {
        Table::default()
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Adds a row with a name and its value.
    pub(crate) fn detail(&mut self, name: &str, value: impl Into<Cell>) {
        self.row([Cell::new(name).style(Style::Dim), value.into()]);
    }

    /// Returns the lines, heading first, none wider than `most`.
    pub(crate) fn lines(&self, most: usize) -> Vec<String> {
        let heading = Some(self.aligned_heading()).filter(|heading| !heading.is_empty());
        let all: Vec<&Vec<Cell>> = heading.iter().chain(&self.rows).collect();
        let columns = all.iter().map(|row| row.len()).max().unwrap_or(0);
        // The last cell of a shorter row may extend over the following columns.
        let is_in_column =
            |row: &&&Vec<Cell>, column| column + 1 < row.len() || row.len() == columns;
        let widest = |column: usize| {
            let rows = all.iter().filter(|row| is_in_column(row, column));
            rows.filter_map(|row| row.get(column)).map(Cell::width).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(widest).collect();
        all.iter().map(|row| truncate_str(&line(row, &widths), most, "…").into_owned()).collect()
    }

    /// Returns the heading, right-aligned above numbers.
    fn aligned_heading(&self) -> Vec<Cell> {
        let is_number = |column: usize| {
            let mut cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.any(|cell| cell.is_number)
        };
        let cells = self.heading.iter().enumerate();
        cells.map(|(column, cell)| Cell { is_number: is_number(column), ..cell.clone() }).collect()
    }

    pub(crate) fn write(&self, page: &mut Page) {
        self.lines(usize::MAX).iter().for_each(|line| page.push(line));
    }
}

fn line(row: &[Cell], widths: &[usize]) -> String {
    let mut line = String::new();
    for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
        let padding = " ".repeat(width.saturating_sub(cell.width()));
        let is_last = column + 1 == row.len();
        match (cell.is_number, is_last) {
            (true, _) => line.extend([padding, cell.shown()]),
            (false, true) => line.push_str(&cell.shown()),
            (false, false) => line.extend([cell.shown(), padding]),
        }
        if !is_last {
            line.push_str("  ");
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["NAME", "SIZE", "NOTE"]);
        table.row([Cell::new("直播"), Cell::new("7").number(), Cell::new("first")]);
        table.row([Cell::new("backstage"), Cell::new("1200").number(), Cell::or_none(None)]);
        table
    }

    #[test]
    fn columns_are_as_wide_as_their_contents() {
        let expected = ["NAME       SIZE  NOTE", "直播          7  first", "backstage  1200  -"];
        assert_eq!(table().lines(usize::MAX), expected);
    }

    #[test]
    fn lines_are_truncated_at_the_terminal_width() {
        assert_eq!(table().lines(12), ["NAME       …", "直播       …", "backstage  …"]);
    }

    #[test]
    fn the_last_cell_of_a_shorter_row_does_not_widen_columns() {
        let mut table = table();
        table.row([Cell::new("gone"), Cell::new("it could not be found anywhere")]);
        assert_eq!(
            table.lines(80)[2..],
            ["backstage  1200  -", "gone       it could not be found anywhere"]
        );
    }

    #[test]
    fn details_have_no_heading() {
        let mut table = Table::details();
        table.detail("status", "Live");
        table.detail("publisher", "127.0.0.1:9");
        assert_eq!(table.lines(80), ["status     Live", "publisher  127.0.0.1:9"]);
    }

    #[test]
    fn a_cell_is_harmless_to_a_terminal() {
        assert!(!Cell::new("\u{1b}[31mred").text.contains('\u{1b}'));
    }
}
