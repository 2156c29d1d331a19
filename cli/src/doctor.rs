//! `osslive doctor`: why there is no picture.

use crate::connection::Connection;
use crate::failure::{Exit, Failure, Outcome};
use crate::output::Output;
use crate::text::{self, clean};
use clap::Args;
use osslive::{Check, Client, Diagnosis, DiagnosisOptions, Verdict};

pub(crate) const HELP: &str = "\
Checks the way from this machine to OSS, the access key and its permissions, and
on request a channel, a publish URL, a play URL and CORS. Takes at most ten
seconds and changes nothing. Exits with status 1 if there are problems;
warnings and checks that do not apply do not count.

Examples:
  osslive doctor
  osslive doctor main-stage --origin https://www.example.com
  osslive doctor main-stage --publish-url \"$URL\" --json";

#[derive(Args)]
pub(crate) struct Arguments {
    /// Channel to check
    #[arg(value_name = "CHANNEL")]
    id: Option<String>,
    /// Publish URL that the encoder uses
    #[arg(long, value_name = "URL")]
    publish_url: Option<String>,
    /// Play URL that players use [default: the channel's]
    #[arg(long, value_name = "URL")]
    play_url: Option<String>,
    /// Check that pages of this origin may play
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,
}

pub(crate) fn run(
    arguments: Arguments,
    connection: &Connection,
    output: &Output,
    verbose: bool,
) -> Outcome {
    let diagnosis = match connection.client(verbose) {
        Ok(client) => diagnose(&client, arguments, output),
        Err(Failure::Call(error)) => {
            let diagnosis = Diagnosis::of_build_error(&error);
            diagnosis.checks.iter().for_each(|check| tell(check, output));
            diagnosis
        }
        Err(other) => return Err(other),
    };
    output.show(&diagnosis, |_| {});
    if diagnosis.problems == 0 {
        if !output.json {
            output.text(|out| writeln!(out, "{}", summary(&diagnosis)));
        }
        return Ok(());
    }
    Err(Failure::Message(Exit::Failure, summary(&diagnosis)))
}

fn diagnose(client: &Client, arguments: Arguments, output: &Output) -> Diagnosis {
    let Arguments { id, publish_url, play_url, origin } = arguments;
    let mut options = DiagnosisOptions::new().on_check(|check| tell(check, output));
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
    client.diagnose(&options)
}

/// Prints a check as soon as it is done. What was not checked is only counted.
fn tell(check: &Check, output: &Output) {
    let verdict = match check.verdict {
        Verdict::Ok => "ok",
        Verdict::Warning => "WARNING",
        Verdict::Problem => "PROBLEM",
        Verdict::NotChecked => return,
    };
    if output.json {
        return;
    }
    output.text(|out| {
        writeln!(out, "{verdict:<8} {}: {}", check.id, clean(&check.seen));
        if let Some(advice) = &check.advice {
            writeln!(out, "{:<8} -> {}", "", clean(advice));
        }
    });
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
