//! `osslive conformance`: compares the service with the expectations.

mod bench;
mod catalog;
mod channels;
mod cleanup;
mod cors;
mod expectation;
mod experiment;
mod listing;
mod mask;
mod names;
mod objects;
mod observation;
mod publisher;
mod record;
mod reply;
mod report;
mod request_spec;
mod requests;
mod rtmp;
mod run;
mod selection;
mod signatures;
mod signing;
mod status;
mod streams;
mod tokens;

use crate::confirm;
use crate::connection::Connection;
use crate::failure::{Exit, Failure, Outcome};
use crate::output::{self, Output, say};
use crate::progress::Progress;
use crate::signal;
use crate::table::{Cell, Table};
use crate::text;
use bench::{Bench, COMMON_PREFIX};
use clap::Args;
use cleanup::Leftovers;
use expectation::Expectations;
use experiment::{Experiment, Seen};
use observation::Need;
use osslive::StopHandle;
use report::Report;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

pub(crate) const HELP: &str = "\
Compares about 300 behaviors of the service with this project's expectations,
to help improve the local endpoint. Creates channels and objects with
the prefix osslive-conformance-, removes them afterwards, and changes nothing
else: bucket settings are only read. The report contains no names, keys or ids.
Exits with status 1 if anything differs.

Examples:
  osslive conformance --bucket scratch --publish --report report.md
  osslive conformance --only put-minimal,info-defaults --yes --json
  osslive conformance --clean";

#[derive(Args)]
pub(crate) struct Arguments {
    /// Also observe streams, by publishing a test clip to several channels
    #[arg(long)]
    publish: bool,
    /// Write the report to this file, as Markdown
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Make only these observations
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    only: Vec<String>,
    /// List all observations; send nothing
    #[arg(long, conflicts_with_all = ["publish", "report", "clean"])]
    list: bool,
    /// Remove what an interrupted run left behind; observe nothing
    #[arg(long, conflicts_with_all = ["publish", "report", "only"])]
    clean: bool,
    /// Do not ask for confirmation
    #[arg(short, long)]
    yes: bool,
    /// Write what was observed as the new expectation
    #[arg(long, value_name = "FILE", hide = true)]
    write_expectation: Option<PathBuf>,
}

pub(crate) fn run(
    arguments: &Arguments,
    connection: &Connection,
    output: &Output,
    verbose: bool,
) -> Outcome {
    let experiments = selection::select(&arguments.only)?;
    let observations = selection::observations(&experiments, &arguments.only);
    if arguments.list {
        selection::list(&experiments, &observations, output);
        return Ok(());
    }
    arguments.report.as_deref().map_or(Ok(()), check_file)?;
    let stop = StopHandle::new();
    let bench = Bench::open(connection, arguments.publish, verbose, &stop)?;
    let old = find_old(&bench)?;
    if arguments.clean {
        return clean(&bench, &old, arguments.yes, output);
    }
    if !old.is_empty() {
        let what = counted(&old);
        output.warn(&format!("{what} left by another run: if it has ended, use --clean"));
    }
    announce(&plan(&bench, &experiments), arguments.yes, output)?;
    // Until here, Ctrl-C ends the process: nothing has been created.
    signal::stops(&stop)?;
    let bar = Progress { is_hidden: output.json || verbose }.items(experiments.len());
    let run = run::run(&bench, &experiments, &bar)?;
    if verbose {
        say(&format!("{} requests sent", bench.requests()));
    }
    if let Some(first) = run.left.first() {
        let count = run.left.len();
        output.warn(&format!("could not remove {count} (see --clean); the first: {first}"));
    }
    if stop.is_stopped() {
        let message = "interrupted: everything created has been removed";
        return Err(Failure::Message(Exit::Failure, message.to_owned()));
    }
    if let Some(path) = &arguments.write_expectation {
        return learn(path, &experiments, &run.seen);
    }
    let expectations = Expectations::built_in().map_err(|error| Failure::Other(error.into()))?;
    let report = Report::new(&observations, &run.seen, &expectations, arguments.publish);
    show(&report, arguments.report.as_deref(), output)?;
    match run.left.is_empty() {
        true => Ok(()),
        false => Err(Failure::Message(Exit::Failure, "not everything was removed".to_owned())),
    }
}

/// Checks that a file can be written, before hours of observations are lost.
fn check_file(path: &Path) -> Outcome {
    let is_new = !path.exists();
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.map_err(|error| Failure::file(path, error))?;
    if is_new {
        // There is nothing to report yet.
        fs::remove_file(path).map_err(|error| Failure::file(path, error))?;
    }
    Ok(())
}

/// Finds what earlier runs left behind.
fn find_old(bench: &Bench) -> Outcome<Leftovers> {
    Leftovers::find(bench, COMMON_PREFIX).map_err(|miss| {
        let message = format!("could not list channels and objects: {miss}");
        Failure::Message(Exit::Failure, message)
    })
}

fn counted(leftovers: &Leftovers) -> String {
    let (channels, objects) = leftovers.counts();
    format!("{} and {}", text::count(channels, "channel"), text::count(objects, "object"))
}

/// Removes what earlier runs left behind.
fn clean(bench: &Bench, old: &Leftovers, yes: bool, output: &Output) -> Outcome {
    let what = counted(old);
    if !old.is_empty() {
        announce(&format!("will remove {what} with the prefix {COMMON_PREFIX}"), yes, output)?;
        let failures = old.remove(bench);
        if let Some(first) = failures.first() {
            let message = format!("{} not removed; the first: {first}", failures.len());
            return Err(Failure::Message(Exit::Failure, message));
        }
    }
    let (channels, objects) = old.counts();
    let removed = json!({ "channels": channels, "objects": objects });
    output.show(&removed, |page| writeln!(page, "removed {what}"));
    Ok(())
}

/// Describes what a run will do and cost.
fn plan(bench: &Bench, experiments: &[Experiment]) -> String {
    let can_run = |e: &&Experiment| e.needs.iter().all(|need| bench.has(*need));
    let (streams, rest): (Vec<_>, Vec<_>) = experiments
        .iter()
        .filter(can_run)
        .partition(|experiment| experiment.needs.contains(&Need::Stream));
    // Counted on the local endpoint, plus some polling.
    let requests = 2 * rest.len() + 6 * streams.len() + 20;
    let published = match streams.len() {
        0 => String::new(),
        _ => ", publish for about 2 minutes in total and temporarily store up to 10 MB".to_owned(),
    };
    format!(
        "will send about {requests} requests to the bucket {} within 2 minutes{published}; everything \
         it creates begins with {} and is removed afterwards",
        bench.bucket(),
        bench.prefix
    )
}

/// Announces what will be done. Asks for confirmation on a terminal; otherwise,
/// `--yes` is required.
fn announce(plan: &str, yes: bool, output: &Output) -> Outcome {
    match output.json {
        true => output::report(&json!({ "plan": { "message": plan } })),
        false => output::to_stderr(&format!("osslive: {}", text::clean(plan))),
    }
    if yes {
        return Ok(());
    }
    if output.json || !confirm::is_possible() {
        return Err(Failure::usage("nothing was created: add --yes to continue without asking"));
    }
    match confirm::ask("Continue?")? {
        true => Ok(()),
        false => Err(Failure::Message(Exit::Failure, "nothing was created".to_owned())),
    }
}

/// Writes the observations as the new expectation.
fn learn(path: &Path, experiments: &[Experiment], seen: &BTreeMap<&'static str, Seen>) -> Outcome {
    let read = fs::read_to_string(path).map_err(|error| Failure::file(path, error))?;
    let mut expectations: Expectations =
        serde_json::from_str(&read).map_err(|error| Failure::Other(error.into()))?;
    for observation in experiments.iter().flat_map(|experiment| &experiment.observations) {
        if let Some(Seen::Observed(record)) = seen.get(observation.id) {
            expectations.learn(observation, record);
        }
    }
    let all = catalog::all();
    expectations.retain(|id| all.iter().any(|experiment| selection::has(experiment, id)));
    let text = serde_json::to_string_pretty(&expectations);
    let text = text.map_err(|error| Failure::Other(error.into()))? + "\n";
    fs::write(path, text).map_err(|error| Failure::file(path, error))
}

/// Writes and prints the report; differences are a failure.
fn show(report: &Report, path: Option<&Path>, output: &Output) -> Outcome {
    if let Some(path) = path {
        fs::write(path, report.markdown()).map_err(|error| Failure::file(path, error))?;
    }
    let differences = report.differences();
    output.show(report, |page| {
        if !differences.is_empty() {
            let mut table = Table::new(&["WHAT", "EXPECTED", "OBSERVED", "OBSERVATIONS"]);
            for (difference, ids) in &differences {
                let or_none = |text: &Option<String>| Cell::or_none(text.clone());
                let (expected, observed) = (&difference.expected, &difference.observed);
                let (facet, ids) = (Cell::new(&difference.facet), Cell::new(ids.join(", ")));
                table.row([facet, or_none(expected), or_none(observed), ids]);
            }
            table.write(page);
        }
    });
    match report.differ {
        0 => {
            if !output.json {
                output.text(|page| writeln!(page, "{}", report.summary()));
            }
            Ok(())
        }
        _ => Err(Failure::Message(Exit::Failure, report.summary())),
    }
}
