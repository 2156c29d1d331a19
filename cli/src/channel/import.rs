//! Many channels from a list.

use crate::failure::{Exit, Failure, Outcome};
use crate::pace::Pace;
use crate::session::Session;
use crate::signal;
use crate::table::{Cell, Look, Table};
use crate::text;
use clap::Args;
use osslive::{ChannelConfig, PutResult, StopHandle, operation};
use serde::Serialize;
use std::collections::HashSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub(super) const HELP: &str = "\
The FILE is a table as spreadsheets export it, separated by commas, tabs or semicolons.
Its first line names the columns: id, and any of name, description, status (enabled or
disabled), fragDuration, fragCount and playlistName. An empty cell stands for the default.

  id,name,status,fragDuration
  main-stage,Main stage,enabled,2
  backstage,\"Backstage, left\",,

Without such a line every line is an id. Lines that begin with # are comments. Nothing is
sent unless the whole file is right. A channel that exists is replaced.

Examples:
  osslive channel import channels.csv
  osslive channel import channels.csv --check
  seq -f 'camera-%02g' 1 12 | osslive channel import -";

#[derive(Args)]
pub(super) struct Arguments {
    /// The list; - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only checks the list, and sends nothing
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    pace: Pace,
}

/// What came of a list.
#[derive(Serialize)]
struct Imported {
    results: Vec<PutResult>,
    failed: usize,
    total: usize,
}

#[derive(Serialize)]
struct Checked {
    total: usize,
}

pub(super) fn run(arguments: &Arguments, session: &Session) -> Outcome {
    let text = read(&arguments.file)?;
    let channels = parse(&text)
        .map_err(|message| Failure::usage(format!("{}: {message}", arguments.file.display())))?;
    if arguments.check {
        let checked = Checked { total: channels.len() };
        let count = text::count(channels.len(), "channel");
        session.output.show(&checked, |out| writeln!(out, "{count}, nothing wrong"));
        return Ok(());
    }
    let stop = StopHandle::new();
    signal::stops(&stop)?;
    let bar = session.progress.things(channels.len());
    let options = arguments.pace.options().stop(&stop);
    let options = options.progress(|progress| bar.set_position(progress.done as u64));
    let results = session.client.put_channels(&channels, &options);
    bar.finish_and_clear();
    show(results, session)
}

fn show(results: Vec<PutResult>, session: &Session) -> Outcome {
    let failures: Vec<_> =
        results.iter().filter_map(|put| put.result.as_ref().err()).map(Exit::of).collect();
    let imported = Imported { failed: failures.len(), total: results.len(), results };
    session.output.show(&imported, |out| {
        let mut table = Table::new(&["CHANNEL", "PUBLISH URL"]);
        for put in &imported.results {
            table.row([
                Cell::new(&put.id),
                match &put.result {
                    Ok(urls) => Cell::or_none(urls.publish_urls.first().cloned()),
                    Err(error) => Cell::new(error.to_string()).look(Look::Bad),
                },
            ]);
        }
        table.write(out);
    });
    if failures.is_empty() {
        return Ok(());
    }
    let all = text::count(imported.total, "channel");
    Err(Failure::Told(Exit::of_all(failures), format!("{} of {all} failed", imported.failed)))
}

fn read(path: &Path) -> Outcome<String> {
    let mut bytes = Vec::new();
    let read = match path.to_str() {
        Some("-") => io::stdin().lock().read_to_end(&mut bytes).map(drop),
        _ => fs::read(path).map(|read| bytes = read),
    };
    read.map_err(|error| Failure::file(path, error))?;
    String::from_utf8(bytes)
        .map_err(|_| Failure::usage(format!("{} is not text in UTF-8", name(path))))
}

fn name(path: &Path) -> String {
    match path.to_str() {
        Some("-") => "standard input".to_owned(),
        _ => path.display().to_string(),
    }
}

type Channels = Vec<(String, ChannelConfig)>;

/// Reads a list, and finds all that is wrong with it before anything is sent.
fn parse(text: &str) -> Result<Channels, String> {
    let text = text.trim_start_matches('\u{feff}');
    let mut lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let first = lines.next().ok_or("there is no channel in it")?;
    let separator = [b'\t', b';', b','].into_iter().find(|b| first.as_bytes().contains(b));
    let separator = separator.unwrap_or(b',');
    let column = first.split(char::from(separator)).next().unwrap_or_default();
    let is_table = plain(column.trim_matches('"')) == "id";
    let rows = if is_table { table(text, separator)? } else { list(text) };
    check(rows)
}

/// A line of a list: its number, the channel and its configuration.
type Row = (u64, String, ChannelConfig);

fn list(text: &str) -> Vec<Row> {
    let lines = (1..).zip(text.lines().map(str::trim));
    let lines = lines.filter(|(_, id)| !id.is_empty() && !id.starts_with('#'));
    lines.map(|(line, id)| (line, id.to_owned(), ChannelConfig::default())).collect()
}

fn table(text: &str, separator: u8) -> Result<Vec<Row>, String> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let names = reader.headers().map_err(|error| words(&error))?.clone();
    let columns: Vec<_> = names.iter().map(Column::of).collect::<Result<_, _>>()?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| words(&error))?;
        let line = record.position().map_or(0, csv::Position::line);
        let (mut id, mut config) = (String::new(), ChannelConfig::default());
        for (column, value) in columns.iter().zip(&record).filter(|(_, value)| !value.is_empty()) {
            config = match column {
                Column::Id => {
                    id = value.to_owned();
                    config
                }
                column => column.set(config, value).map_err(|why| format!("line {line}: {why}"))?,
            };
        }
        rows.push((line, id, config));
    }
    Ok(rows)
}

fn words(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { pos: Some(position), expected_len, len } => {
            let (line, cells) =
                (position.line(), text::count(usize::try_from(*len).unwrap_or(usize::MAX), "cell"));
            format!("line {line}: {cells} where the first line has {expected_len}")
        }
        _ => error.to_string(),
    }
}

enum Column {
    Id,
    Description,
    Status,
    FragDuration,
    FragCount,
    PlaylistName,
}

impl Column {
    fn of(name: &str) -> Result<Self, String> {
        match &*plain(name) {
            "id" => Ok(Column::Id),
            // The service keeps no name beside the description.
            "name" | "description" => Ok(Column::Description),
            "status" => Ok(Column::Status),
            "fragduration" => Ok(Column::FragDuration),
            "fragcount" => Ok(Column::FragCount),
            "playlistname" => Ok(Column::PlaylistName),
            _ => Err(format!(
                "the column {name:?} is unknown; there are id, name, description, status, \
                 fragDuration, fragCount and playlistName"
            )),
        }
    }

    fn set(&self, config: ChannelConfig, value: &str) -> Result<ChannelConfig, String> {
        let number = || value.parse().map_err(|_| format!("{value:?} is no whole number"));
        Ok(match self {
            Column::Id => config,
            Column::Description => config.description(value),
            Column::Status => {
                let state = value.to_lowercase().parse();
                config.state(state.map_err(|error: osslive::Error| error.to_string())?)
            }
            Column::FragDuration => config.frag_duration(number()?),
            Column::FragCount => config.frag_count(number()?),
            Column::PlaylistName => config.playlist_name(value),
        })
    }
}

/// A column's name without what its spellings differ in.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| !matches!(c, '-' | '_' | ' '));
    letters.flat_map(char::to_lowercase).collect()
}

fn check(rows: Vec<Row>) -> Result<Channels, String> {
    let mut seen = HashSet::new();
    for (line, id, config) in &rows {
        operation::put_channel(id, config).map_err(|error| format!("line {line}: {error}"))?;
        if !seen.insert(id) {
            return Err(format!("line {line}: the channel {id:?} stands there twice"));
        }
    }
    match rows.is_empty() {
        true => Err("there is no channel in it".to_owned()),
        false => Ok(rows.into_iter().map(|(_, id, config)| (id, config)).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use osslive::ChannelState;

    fn ids(text: &str) -> Vec<String> {
        parse(text).unwrap().into_iter().map(|(id, _)| id).collect()
    }

    #[test]
    fn without_a_heading_every_line_is_an_id() {
        assert_eq!(ids("\u{feff}# cameras\ncam 1\r\n\n  cam,2\n"), ["cam 1", "cam,2"]);
    }

    #[test]
    fn a_heading_makes_it_a_table() {
        let text = "ID,Name,status,Frag Duration,frag_count,playlistName\n\
            main,\"Stage, \"\"main\"\"\",disabled,2,5,live.m3u8\n\
            # a comment\n\
            back,,,,,\n";
        let expected = [
            (
                "main".to_owned(),
                ChannelConfig::default()
                    .description("Stage, \"main\"")
                    .state(ChannelState::Disabled)
                    .frag_duration(2)
                    .frag_count(5)
                    .playlist_name("live.m3u8"),
            ),
            ("back".to_owned(), ChannelConfig::default()),
        ];
        assert_eq!(parse(text).unwrap(), expected);
    }

    #[test]
    fn tabs_and_semicolons_separate_as_well() {
        assert_eq!(ids("id\tname\ncam\tA, B; C\n"), ["cam"]);
        assert_eq!(ids("id;name\ncam;A, B\n"), ["cam"]);
        assert_eq!(ids("id\ncam\n"), ["cam"]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, words) in [
            ("", &["no channel"][..]),
            ("# nothing\n", &["no channel"]),
            ("id,name\n", &["no channel"]),
            ("id,colour\ncam,red\n", &["colour", "fragDuration"]),
            ("id,status\ncam,enabled\ncam2,on\n", &["line 3", "on"]),
            ("id,fragCount\ncam,many\n", &["line 2", "many"]),
            ("id,fragCount\ncam,101\n", &["line 2", "101"]),
            ("id,name\ncam\n", &["line 2", "1 cell "]),
            ("id,name\n,nameless\n", &["line 2"]),
            ("cam\nca/m\n", &["line 2", "slash"]),
            ("cam\nother\ncam\n", &["line 3", "twice"]),
        ] {
            let error = parse(text).unwrap_err();
            assert!(words.iter().all(|word| error.contains(word)), "{text:?}: {error}");
        }
    }
}
