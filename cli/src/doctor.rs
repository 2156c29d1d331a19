//! `osslive doctor`: finds out why there is no video.

mod send;

use crate::connection::Connection;
use crate::failure::{Exit, Failure, Outcome};
use crate::output::{Output, Page};
use crate::progress::Progress;
use crate::text::{self, clean, parse_positive_duration};
use clap::Args;
use console::style;
use indicatif::ProgressBar;
use osslive::{Check, CheckId, Client, Diagnosis, DiagnosisOptions, Verdict};
use std::io::{self, BufRead};
use std::time::Duration;

pub(crate) const HELP: &str = "\
Checks the network path to OSS, the credentials and their permissions, and on
request a channel, a publish URL, a play URL and CORS. Takes at most ten seconds
and changes nothing, except with --send. Exits with status 1 if there are
problems; warnings and checks that do not apply do not count.

Examples:
  osslive doctor
  osslive doctor main-stage --origin https://www.example.com
  osslive doctor main-stage --send
  osslive doctor main-stage --publish-url - --json < url.txt";

#[derive(Args)]
pub(crate) struct Arguments {
    /// Channel to check
    #[arg(value_name = "CHANNEL")]
    id: Option<String>,
    /// Publish URL that the encoder uses; - for stdin
    #[arg(long, value_name = "URL")]
    publish_url: Option<String>,
    /// Play URL that players use [default: the channel's]
    #[arg(long, value_name = "URL")]
    play_url: Option<String>,
    /// Check that web pages of this origin can play the stream
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,
    /// Publish a test clip to the channel, for at most this time, and check
    /// that it arrives [default: 10s]
    #[arg(
        long,
        value_name = "TIME",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "10s",
        requires = "id",
        value_parser = parse_positive_duration
    )]
    send: Option<Duration>,
}

pub(crate) fn run(
    mut arguments: Arguments,
    connection: &Connection,
    output: &Output,
    verbose: bool,
) -> Outcome {
    if arguments.publish_url.as_deref() == Some("-") {
        arguments.publish_url = Some(line_of_stdin()?);
    }
    let is_hidden = verbose || output.json;
    let reporter = Reporter { output, bar: Progress { is_hidden }.items(CheckId::ALL.len()) };
    let diagnosis = match connection.client(verbose) {
        Ok(client) => diagnose(&client, arguments, &reporter),
        Err(Failure::Call(error)) => {
            let diagnosis = Diagnosis::of_build_error(&error);
            diagnosis.checks.iter().for_each(|check| reporter.report(check));
            diagnosis
        }
        Err(other) => return Err(other),
    };
    reporter.bar.finish_and_clear();
    output.show(&diagnosis, |_| {});
    if diagnosis.problems == 0 {
        if !output.json {
            output.text(|out| writeln!(out, "{}", summary(&diagnosis)));
        }
        return Ok(());
    }
    Err(Failure::Message(Exit::Failure, summary(&diagnosis)))
}

/// Reads the URL from stdin: it is a secret, and arguments of a process are not.
fn line_of_stdin() -> Outcome<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(|error| Failure::Other(error.into()))?;
    match line.trim() {
        "" => Err(Failure::usage("no publish URL on stdin")),
        url => Ok(url.to_owned()),
    }
}

fn diagnose(client: &Client, arguments: Arguments, reporter: &Reporter<'_>) -> Diagnosis {
    let Arguments { id, publish_url, play_url, origin, send } = arguments;
    let sent = send.zip(id.as_deref()).map(|(length, id)| {
        reporter.bar.set_message("publishing a clip");
        send::send(client, id, publish_url.as_deref(), length)
    });
    let mut options = DiagnosisOptions::new().on_check(|check| {
        if sent.is_none() || !matches!(check.id, CheckId::RtmpPublish | CheckId::Fragment) {
            reporter.report(check);
        }
    });
    if let Some(id) = id {
        options = options.channel(id);
    }
    if let Some(url) = publish_url {
        options = options.publish_url(url);
    }
    if let Some(url) = play_url {
        options = options.play_url(url);
    }
    if let Some(origin) = origin {
        options = options.origin(origin);
    }
    let mut diagnosis = client.diagnose(&options);
    drop(options);
    if let Some(sent) = sent {
        let (publish, fragment) = sent.end();
        for check in [publish, fragment] {
            reporter.report(&check);
            diagnosis.replace(check);
        }
    }
    diagnosis
}

/// Prints checks as soon as they are done, above a progress bar.
struct Reporter<'a> {
    output: &'a Output,
    bar: ProgressBar,
}

impl Reporter<'_> {
    /// Prints a check. Skipped ones are only counted.
    fn report(&self, check: &Check) {
        self.bar.inc(1);
        self.bar.set_message(check.id.as_str());
        let verdict = match check.verdict {
            Verdict::Ok => style("ok      ").green(),
            Verdict::Warning => style("WARNING ").yellow(),
            Verdict::Problem => style("PROBLEM ").red().bold(),
            Verdict::NotChecked => return,
        };
        if self.output.json {
            return;
        }
        let lines = |out: &mut Page| {
            out.push(&format!("{verdict} {}: {}", check.id, clean(&check.seen)));
            if let Some(advice) = &check.advice {
                writeln!(out, "{:<8} -> {advice}", "");
            }
        };
        self.bar.suspend(|| self.output.text(lines));
    }
}

fn summary(diagnosis: &Diagnosis) -> String {
    let skipped =
        diagnosis.checks.iter().filter(|check| check.verdict == Verdict::NotChecked).count();
    format!(
        "{}, {}, {skipped} not checked",
        text::count(diagnosis.problems, "problem"),
        text::count(diagnosis.warnings, "warning"),
    )
}
