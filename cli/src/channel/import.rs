//! Creates many channels from a table.

use super::configuration::Channels;
use super::{file, sheet};
use crate::failure::{Exit, Failure, Outcome};
use crate::rate_options::RateOptions;
use crate::session::Session;
use crate::signal;
use crate::table::{Cell, Style, Table};
use crate::text;
use clap::Args;
use osslive::{PutResult, StopHandle};
use serde::Serialize;
use std::path::PathBuf;

pub(super) const HELP: &str = "\
FILE is a table exported from a spreadsheet: comma-, tab- or semicolon-
separated, in UTF-8, or in UTF-16 with a byte order mark. The first line names
the columns in any order: id, and any of name (or description), status (enabled
or disabled), fragDuration, fragCount and playlistName. Empty cells use the
default.

  id,name,status,fragDuration
  main-stage,Main stage,enabled,2
  backstage,\"Backstage, left\",,

A first line sep=; sets the separator. Whitespace around cells, empty rows and
lines starting with # are ignored. With --ids, each line is a channel id, and
there is no header. Nothing is sent unless the whole file is valid. Existing
channels are replaced.

Examples:
  osslive channel import channels.csv
  osslive channel import channels.csv --dry-run
  seq -f 'camera-%02g' 1 12 | osslive channel import - --ids";

#[derive(Args)]
pub(super) struct Arguments {
    /// Table to import; - for stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Read one channel id per line, without a header
    #[arg(long)]
    ids: bool,
    /// Check the file and show its channels without sending anything
    #[arg(long, visible_alias = "check")]
    dry_run: bool,
    #[command(flatten)]
    rates: RateOptions,
}

/// The outcome of an import.
#[derive(Serialize)]
struct Imported {
    results: Vec<PutResult>,
    failed: usize,
    total: usize,
}

/// The contents of a table.
#[derive(Serialize)]
struct Checked<'a> {
    channels: Vec<&'a str>,
    total: usize,
}

pub(super) fn run(arguments: &Arguments, session: &Session) -> Outcome {
    let bytes = file::read(&arguments.file)?;
    let channels = if arguments.ids { sheet::ids(&bytes) } else { sheet::table(&bytes) };
    let channels = channels
        .map_err(|mistake| Failure::usage(format!("{}: {mistake}", file::name(&arguments.file))))?;
    if arguments.dry_run {
        plan(&channels, session);
        return Ok(());
    }
    let channels: Vec<_> =
        channels.iter().map(|(id, configuration)| (id, configuration.to_config())).collect();
    let stop = StopHandle::new();
    signal::stops(&stop)?;
    let bar = session.progress.items(channels.len());
    let options = arguments.rates.options().stop(&stop);
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
                    Err(error) => Cell::new(error.to_string()).style(Style::Bad),
                },
            ]);
        }
        table.write(out);
    });
    if failures.is_empty() {
        return Ok(());
    }
    let all = text::count(imported.total, "channel");
    Err(Failure::Message(Exit::of_all(failures), format!("{} of {all} failed", imported.failed)))
}

fn plan(channels: &Channels, session: &Session) {
    let ids: Vec<_> = channels.iter().map(|(id, _)| id.as_str()).collect();
    let checked = Checked { total: ids.len(), channels: ids };
    session.output.show(&checked, |page| {
        checked.channels.iter().for_each(|id| writeln!(page, "{id}"));
        writeln!(page, "{}, nothing sent", text::count(checked.total, "channel"));
    });
}
