//! `osslive channel apply`: brings the channels of a bucket in line with a file.

mod execute;
mod plan;
mod report;
mod survey;

use super::manifest::{self, Manifest};
use super::{file, sheet};
use crate::confirm;
use crate::failure::{Exit, Failure, Outcome};
use crate::rate_options::RateOptions;
use crate::session::Session;
use crate::signal;
use crate::text;
use clap::{Args, ValueEnum};
use osslive::StopHandle;
use plan::{Action, Step};
use report::Report;
use std::path::{Path, PathBuf};

pub(super) const HELP: &str = "\
FILE lists channels by id, each with its complete configuration: fields that are
not set use their defaults. A table has the columns of channel import.

  prefix: stage-               # optional; needed for --prune
  defaults:                    # optional
    fragDuration: 2
  channels:
    stage-main:
      name: Main stage
      status: disabled
    stage-left:                # only the defaults

Fields: name (or description), status, fragDuration, fragCount, playlistName and
snapshot. Only differences are sent, so applying a file twice changes nothing.
A live channel cannot be changed or deleted: it fails with a conflict, and the
others are applied. Ctrl-C stops before the next channel.

Examples:
  osslive channel apply channels.yaml --dry-run
  osslive channel apply channels.yaml --prune
  osslive channel apply channels.yaml --dry-run --exit-code; echo $?";

#[derive(Args)]
pub(super) struct Arguments {
    /// YAML, JSON, or a table; - for stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Format of FILE [default: table for .csv, .tsv and .txt, else yaml]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// Show what would change without changing anything
    #[arg(long)]
    dry_run: bool,
    /// With --dry-run, exit with status 8 if anything would change
    #[arg(long, requires = "dry_run")]
    exit_code: bool,
    /// Delete channels that have FILE's prefix but are not in it
    #[arg(long)]
    prune: bool,
    /// Delete channels without asking
    #[arg(short, long, requires = "prune")]
    yes: bool,
    #[command(flatten)]
    rates: RateOptions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Yaml,
    Table,
}

pub(super) fn run(arguments: &Arguments, session: &Session) -> Outcome {
    let manifest = read(arguments)?;
    let prefix = if arguments.prune { Some(prefix(&manifest, arguments)?) } else { None };
    let found = survey::existing(&manifest, &arguments.rates, session)?;
    let surplus = match prefix {
        Some(prefix) => survey::surplus(&manifest, prefix, session)?,
        None => Vec::new(),
    };
    let mut steps = plan::plan(manifest.channels, &found, surplus);
    survey::note_live(&mut steps, &arguments.rates, session);
    if !session.output.json {
        session.output.text(|page| report::write_plan(&steps, page));
    }
    if arguments.dry_run {
        return dry_run(steps, arguments.exit_code, session);
    }
    confirm_deletions(&steps, arguments.yes, session)?;
    apply(steps, &arguments.rates, session)
}

fn read(arguments: &Arguments) -> Outcome<Manifest> {
    let bytes = file::read(&arguments.file)?;
    let manifest = match arguments.format.unwrap_or_else(|| Format::of(&arguments.file)) {
        Format::Yaml => manifest::parse(&bytes),
        Format::Table => sheet::table(&bytes).map(Manifest::from),
    };
    let named = |mistake| Failure::usage(format!("{}: {mistake}", file::name(&arguments.file)));
    manifest.map_err(named)
}

impl Format {
    fn of(path: &Path) -> Self {
        let suffix = path.extension().and_then(|suffix| suffix.to_str()).unwrap_or_default();
        match &*suffix.to_lowercase() {
            "csv" | "tsv" | "txt" => Format::Table,
            _ => Format::Yaml,
        }
    }
}

/// Without a prefix, every channel in the bucket would be deleted.
fn prefix<'a>(manifest: &'a Manifest, arguments: &Arguments) -> Outcome<&'a str> {
    manifest.prefix.as_deref().ok_or_else(|| {
        let file = file::name(&arguments.file);
        Failure::usage(format!(
            "{file}: --prune needs the prefix field, which limits what may be deleted; tables \
             cannot have one"
        ))
    })
}

fn dry_run(steps: Vec<Step>, exit_code: bool, session: &Session) -> Outcome {
    let report = Report::planned(steps);
    session.output.show(&report, |page| writeln!(page, "{}; nothing sent", report.summary()));
    match report.changes > 0 && exit_code {
        true => Err(Failure::Message(
            Exit::Differs,
            format!("{} to make", text::count(report.changes, "change")),
        )),
        false => Ok(()),
    }
}

fn confirm_deletions(steps: &[Step], yes: bool, session: &Session) -> Outcome {
    let number = steps.iter().filter(|step| step.action == Action::Delete).count();
    if number == 0 || yes {
        return Ok(());
    }
    let channels = text::count(number, "channel");
    if session.output.json || !confirm::is_possible() {
        return Err(Failure::usage(format!(
            "{channels} would be deleted: add --yes to delete without asking"
        )));
    }
    match confirm::ask(&format!("Delete {channels}?"))? {
        true => Ok(()),
        false => Err(Failure::Message(Exit::Failure, "nothing was changed".to_owned())),
    }
}

fn apply(steps: Vec<Step>, rates: &RateOptions, session: &Session) -> Outcome {
    let stop = StopHandle::new();
    signal::stops(&stop)?;
    let changing: Vec<&Step> =
        steps.iter().filter(|step| step.action != Action::Unchanged).collect();
    let outcomes = execute::execute(&changing, rates, session, &stop);
    let report = Report::applied(steps, outcomes);
    session.output.show(&report, |page| report.write(page));
    report.failure()
}
