//! Reads tables of channels, as exported by spreadsheets. Whatever is ambiguous,
//! and could create the wrong channels, is an error.

use super::configuration::{Channels, Configuration, Field, plain};
use super::mistake::{Mistake, Result};
use crate::text::count;
use csv::{ReaderBuilder, StringRecord, Trim};
use osslive::operation;
use std::collections::HashMap;

fn mistake<T>(line: u64, column: impl Into<Option<usize>>, what: impl Into<String>) -> Result<T> {
    Err(Mistake::at(line, column, what))
}

/// Reads a table whose first line names its columns.
pub(super) fn table(bytes: &[u8]) -> Result<Channels> {
    let (dialect, mut rows) = rows(bytes)?.into_parts();
    let Some((line, heading)) = rows.next() else { return empty() };
    let columns = columns(line, &heading)?;
    let mut channels = Collected::default();
    for (line, row) in rows {
        if row.len() != columns.len() {
            let cells = count(row.len(), "cell");
            return mistake(line, None, format!("{cells}: the first line has {}", columns.len()));
        }
        let (mut id, mut configuration) = ("", Configuration::default());
        for (number, (column, value)) in (1..).zip(columns.iter().zip(&row)) {
            let wrong = |what: String| Mistake::at(line, number, what);
            match column {
                Column::Id => {
                    id = value;
                    dialect.check_id(id, columns.len()).map_err(wrong)?;
                    channels.reserve(id, line).map_err(wrong)?;
                }
                _ => column.set(&mut configuration, value).map_err(wrong)?,
            }
        }
        channels.rows.push((id.to_owned(), configuration));
    }
    channels.finish()
}

/// Reads a list with one channel id per line.
pub(super) fn ids(bytes: &[u8]) -> Result<Channels> {
    let (dialect, rows) = rows(bytes)?.into_parts();
    let mut channels = Collected::default();
    for (line, row) in rows {
        let wrong = |what: String| Mistake::at(line, 1, what);
        if row.len() != 1 {
            let cells = count(row.len(), "cell");
            return mistake(line, None, format!("{cells}: must be one id per line"));
        }
        dialect.check_id(&row[0], 1).map_err(wrong)?;
        channels.reserve(&row[0], line).map_err(wrong)?;
        channels.rows.push((row[0].to_owned(), Configuration::default()));
    }
    channels.finish()
}

/// The channels so far, with unique names.
#[derive(Default)]
struct Collected {
    rows: Channels,
    lines: HashMap<String, u64>,
}

impl Collected {
    fn reserve(&mut self, id: &str, line: u64) -> std::result::Result<(), String> {
        match self.lines.insert(id.to_owned(), line) {
            Some(first) => Err(format!("channel {id:?} is already on line {first}")),
            None => Ok(()),
        }
    }

    fn finish(self) -> Result<Channels> {
        if self.rows.is_empty() { empty() } else { Ok(self.rows) }
    }
}

fn empty<T>() -> Result<T> {
    Err(Mistake::new("no channels found"))
}

/// The separator of a table's cells.
#[derive(Debug, Clone, Copy)]
struct Dialect {
    separator: char,
}

const SEPARATORS: [char; 3] = ['\t', ';', ','];

impl Dialect {
    /// Determines the separator: from a first line such as `sep=;`, which Excel
    /// writes, or else from the first line that is not a comment. Returns the rest
    /// of the text as well, and the number of lines consumed.
    fn of(text: &str) -> Result<(Self, &str, u64)> {
        let first = text.lines().next().unwrap_or_default();
        let declaration = first.trim_matches('"');
        if declaration.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("sep=")) {
            let separator = match declaration[4..].chars().collect::<Vec<_>>()[..] {
                [separator] if SEPARATORS.contains(&separator) => separator,
                _ => return mistake(1, None, format!("{first:?}: must be sep=, sep=; or sep=TAB")),
            };
            let rest = text[first.len()..].strip_prefix('\n').unwrap_or_default();
            return Ok((Dialect { separator }, rest, 1));
        }
        let is_data = |line: &&str| !line.trim().is_empty() && !line.starts_with('#');
        let heading = text.lines().find(is_data).unwrap_or_default();
        let separator = SEPARATORS.into_iter().find(|separator| heading.contains(*separator));
        Ok((Dialect { separator: separator.unwrap_or(',') }, text, 0))
    }

    /// A channel id may contain almost anything, but a line with a separator is
    /// more likely a row of another table.
    fn check_id(self, id: &str, columns: usize) -> std::result::Result<(), String> {
        operation::check_channel_name(id).map_err(|error| error.message().to_owned())?;
        match columns == 1 && id.contains(SEPARATORS) {
            true => Err(format!("{id:?} contains a separator, but the table has one column")),
            false => Ok(()),
        }
    }
}

/// The rows of a table that are not empty, with the numbers of their first lines.
struct Rows {
    dialect: Dialect,
    rows: Vec<(u64, StringRecord)>,
}

impl Rows {
    fn into_parts(self) -> (Dialect, impl Iterator<Item = (u64, StringRecord)>) {
        (self.dialect, self.rows.into_iter())
    }
}

fn rows(bytes: &[u8]) -> Result<Rows> {
    let text =
        super::encoding::decode(bytes).map_err(|(line, what)| Mistake::at(line, None, what))?;
    let (dialect, rest, skipped) = Dialect::of(&text)?;
    let lines = lines_of_rows(rest, dialect.separator, skipped)?;
    let mut reader = ReaderBuilder::new()
        .delimiter(dialect.separator as u8)
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .trim(Trim::All)
        .from_reader(rest.as_bytes());
    let mut rows = Vec::new();
    for (line, record) in lines.into_iter().zip(reader.records()) {
        let record = record.or_else(|error| mistake(line, None, error.to_string()))?;
        if record.iter().any(|cell| !cell.is_empty()) {
            rows.push((line, record));
        }
    }
    Ok(Rows { dialect, rows })
}

/// Returns the number of the line in which each row begins, in the reader's order.
/// Rejects ambiguous quotes: one that is never closed would swallow all following
/// rows.
fn lines_of_rows(text: &str, separator: char, skipped: u64) -> Result<Vec<u64>> {
    let mut begins = Vec::new();
    let mut lines = (skipped + 1..).zip(text.split('\n'));
    while let Some((begin, row)) = lines.next() {
        if row.is_empty() || row.starts_with('#') {
            continue;
        }
        begins.push(begin);
        let (mut cell, mut next) = (1, Some(row));
        while let Some(rest) = next {
            let wrong = |what: &str| mistake(begin, cell, what);
            let value;
            match rest.strip_prefix('"') {
                None => {
                    (value, next) = split(rest, separator);
                    if value.contains('"') {
                        return wrong("quote inside an unquoted cell");
                    }
                }
                Some(quoted) => {
                    let Some(after) = after_quoted(quoted, &mut lines) else {
                        return wrong("unclosed quote");
                    };
                    (value, next) = split(after, separator);
                    if !value.trim().is_empty() {
                        return wrong("text after a closing quote");
                    }
                }
            }
            cell += 1;
        }
    }
    Ok(begins)
}

/// Returns the text after a cell's closing quote, which may be on a later line. Two
/// quotes stand for a quote in the text.
fn after_quoted<'a>(
    mut inside: &'a str,
    lines: &mut impl Iterator<Item = (u64, &'a str)>,
) -> Option<&'a str> {
    loop {
        match inside.split_once('"') {
            Some((_, after)) if after.starts_with('"') => inside = &after[1..],
            Some((_, after)) => return Some(after),
            None => inside = lines.next()?.1,
        }
    }
}

/// Splits off a cell and returns the text after its separator.
fn split(text: &str, separator: char) -> (&str, Option<&str>) {
    match text.split_once(separator) {
        Some((cell, rest)) => (cell, Some(rest)),
        None => (text, None),
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Column {
    Id,
    Field(Field),
    /// A column without a name, which must be empty.
    Blank,
}

fn columns(line: u64, heading: &StringRecord) -> Result<Vec<Column>> {
    let mut columns = Vec::new();
    for (number, name) in (1..).zip(heading) {
        let Some(column) = Column::of(name) else {
            return mistake(line, number, format!("unknown column {name:?}: {COLUMNS}"));
        };
        let first = columns.iter().position(|other| *other == column);
        if let Some(first) = first.filter(|_| column != Column::Blank) {
            return mistake(line, number, format!("{name:?} is already column {}", first + 1));
        }
        columns.push(column);
    }
    if columns.contains(&Column::Id) {
        return Ok(columns);
    }
    mistake(line, None, format!("missing column id: {COLUMNS}"))
}

const COLUMNS: &str = "the first line must name the columns, which are id, name (or \
                       description), status, fragDuration, fragCount and playlistName; a list \
                       of ids alone needs --ids";

impl Column {
    fn of(name: &str) -> Option<Self> {
        match &*plain(name) {
            "id" => Some(Column::Id),
            "" => Some(Column::Blank),
            _ => Field::of(name).map(Column::Field),
        }
    }

    /// Sets a field from a cell; an empty cell means the default.
    fn set(
        self,
        configuration: &mut Configuration,
        value: &str,
    ) -> std::result::Result<(), String> {
        match self {
            _ if value.is_empty() => Ok(()),
            Column::Field(field) => field.set(configuration, value),
            Column::Blank => Err(format!("{value:?} in a column without a name")),
            Column::Id => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use osslive::ChannelState;

    fn of(text: &str) -> Vec<String> {
        let channels = table(text.as_bytes()).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        channels.into_iter().map(|(id, _)| id).collect()
    }

    #[test]
    fn a_header_names_the_columns_in_any_order() {
        let text = "Name,ID,status,Frag Duration,frag_count,playlistName\n\
            \"Stage, \"\"main\"\"\",main,disabled,2,5,live.m3u8\n\
            # a comment with \"one quote\n\
            ,back,,,,\n";
        let expected = [
            (
                "main".to_owned(),
                Configuration {
                    description: "Stage, \"main\"".to_owned(),
                    status: ChannelState::Disabled,
                    frag_duration: 2,
                    frag_count: 5,
                    playlist_name: "live.m3u8".to_owned(),
                    snapshot: None,
                },
            ),
            ("back".to_owned(), Configuration::default()),
        ];
        assert_eq!(table(text.as_bytes()).unwrap(), expected);
    }

    #[test]
    fn tables_from_spreadsheets_are_read() {
        for text in [
            "id,name\ncam,A; B\n",
            "id;name\ncam;A, B\n",
            "id\tname\ncam\tA, B; C\n",
            "name;id\nOne;cam\n",
            "sep=;\nid;name\ncam;One\n",
            "SEP=,\r\nname,id\r\n\"One\",\"cam\"\r\n",
            "\"sep=;\"\r\nid;name\r\ncam;One",
            "sep=\t\nid\tname\ncam\tOne\n",
            "\u{feff}id,name\ncam,One\n",
            "\u{feff}sep=;\nid;name\ncam;One\n",
            "id,name\rcam,One\r",
            "\"id\",\"name\"\n\"cam\",\"two\nlines\"\n",
            "\n\nid,name\n\n,\ncam,One\n,\n  ,  \n",
            "id,name,,\ncam,One,,\n,,,\n",
            " id , name \n cam , One \n",
            "id,name\n\"cam\" ,\"One, two\"\n",
            "id\ncam\n",
        ] {
            assert_eq!(of(text), ["cam"], "{text:?}");
        }
    }

    #[test]
    fn a_list_has_one_id_per_line() {
        let list = |text: &str| {
            let ids = ids(text.as_bytes());
            ids.map(|list| list.into_iter().map(|(id, _)| id).collect::<Vec<_>>())
        };
        assert_eq!(
            list("\u{feff}# cameras\ncam 1\r\n\n  cam 2\rid"),
            Ok(vec!["cam 1".to_owned(), "cam 2".to_owned(), "id".to_owned()])
        );
        for (text, words) in [
            ("cam\nid,name\n", "line 2"),
            ("id;name\n", "line 1"),
            ("cam\na;b\n", "line 2, column 1"),
            ("cam\nca/m\n", "line 2, column 1"),
            ("cam\n\"other\n", "line 2, column 1"),
            ("cam\nother\ncam\n", "line 3, column 1"),
            ("# nothing\n", "no channels"),
        ] {
            let error = list(text).unwrap_err().to_string();
            assert!(error.starts_with(words), "{text:?}: {error}");
        }
    }

    #[test]
    fn errors_name_the_position() {
        for (text, place, word) in [
            ("", "no channels", ""),
            ("# nothing\n", "no channels", ""),
            ("id,name\n", "no channels", ""),
            ("id,name\n,\n", "no channels", ""),
            ("cam\nother\n", "line 1, column 1", "--ids"),
            ("name\nOne\n", "line 1", "id"),
            ("name,status\nOne,enabled\n", "line 1", "id"),
            ("id,color\ncam,red\n", "line 1, column 2", "color"),
            ("\nid,id\ncam,cam\n", "line 2, column 2", "column 1"),
            ("id,name,description\ncam,a,b\n", "line 1, column 3", "column 2"),
            ("id;name,status\ncam;One,enabled\n", "line 1, column 2", "name,status"),
            ("id\ncam;One\n", "line 2, column 1", "separator"),
            ("sep=;\nid,name\ncam,One\n", "line 2, column 1", "id,name"),
            ("sep=;;\nid;name\n", "line 1", "sep="),
            ("sep=\nid\ncam\n", "line 1", "sep="),
            ("id,status\ncam,enabled\ncam2,on\n", "line 3, column 2", "on"),
            ("id,fragCount\ncam,many\n", "line 2, column 2", "many"),
            ("id,fragCount\ncam,101\n", "line 2, column 2", "101"),
            ("sep=,\rid,fragCount\rcam,0\r", "line 3, column 2", "0"),
            ("id,playlistName\ncam,live\n", "line 2, column 2", "m3u8"),
            ("id,name\ncam\n", "line 2", "1 cell"),
            ("id,name\ncam,One,more\n", "line 2", "3 cells"),
            ("id,,name\ncam,x,One\n", "line 2, column 2", "without a name"),
            ("id,name\n,nameless\n", "line 2, column 1", "empty"),
            ("id\nca/m\n", "line 2, column 1", "slash"),
            ("id\ncam\nother\ncam\n", "line 4, column 1", "line 2"),
            ("id,name\ncam,\"One\nother,Two\n", "line 2, column 2", "unclosed"),
            ("id,name\ncam,\"One\nother,\"Two\"\n", "line 2, column 2", "closing quote"),
            ("id,name\ncam,O\"ne\n", "line 2, column 2", "quote"),
            ("id, name\ncam, \"One, two\"\n", "line 2, column 2", "quote"),
            ("# one\n\nid,name\n\n# two\nca/m,One\n", "line 6, column 1", "slash"),
            ("id,name\na,\"b\nc\"\ncam,\"One\" x\n", "line 4, column 2", "closing quote"),
            ("id,name\ncam,\"two\nlines\"\nca/m,One\n", "line 4, column 1", "slash"),
            ("id,name\ncam,O\u{0}ne\n", "line 2", "U+0000"),
            ("id,name\ncam,O\u{1b}ne\n", "line 2", "U+001B"),
        ] {
            let error = table(text.as_bytes()).map(|found| panic!("{text:?}: {found:?}"));
            let error = error.unwrap_err().to_string();
            assert!(error.starts_with(place) && error.contains(word), "{text:?}: {error}");
        }
    }
}
