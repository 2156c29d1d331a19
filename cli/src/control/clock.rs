//! `osslive control clock`.

use super::remote::{Remote, shown};
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::text::{moment, parse_duration};
use clap::Subcommand;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Show the endpoint's time
    Show,
    /// Set the clock
    Set {
        /// Time, such as 2030-01-01T00:00:00Z
        #[arg(value_name = "TIME")]
        time: String,
    },
    /// Move the clock forward or back
    Advance {
        /// Duration, such as 7d, 1h30m or -2h
        #[arg(value_name = "TIME", allow_hyphen_values = true, value_parser = signed_seconds)]
        by: f64,
    },
    /// Freeze the clock
    Freeze,
    /// Set how many seconds the clock advances per second
    Rate {
        /// From 0 to 3600
        #[arg(value_name = "RATE")]
        rate: f64,
    },
    /// Follow the system clock again
    Reset,
}

pub(super) fn run(command: Command, remote: &Remote, output: &Output) -> Outcome {
    let change = match command {
        Command::Show => None,
        Command::Set { time } => Some(json!({ "set": rfc_3339(&time)? })),
        Command::Advance { by } => Some(json!({ "advanceSeconds": by })),
        Command::Freeze => Some(json!({ "freeze": true })),
        Command::Rate { rate } => Some(json!({ "rate": rate })),
        Command::Reset => Some(json!({ "reset": true })),
    };
    let method = if change.is_some() { "PUT" } else { "GET" };
    let clock = remote.send(method, "control/clock", change.as_ref())?;
    output.show(&clock, |out| writeln!(out, "{}", text(&clock)));
    Ok(())
}

fn text(clock: &Value) -> String {
    let now = shown(&clock["now"]);
    let now = OffsetDateTime::parse(&now, &Rfc3339).map_or(now, moment);
    match clock["rate"].as_f64() {
        Some(0.0) => format!("{now}, frozen"),
        Some(rate) if rate != 1.0 => format!("{now}, at {rate} times normal speed"),
        _ => now,
    }
}

/// Parses a duration, in seconds; a minus sign means back.
fn signed_seconds(text: &str) -> Result<f64, String> {
    match text.strip_prefix('-') {
        Some(back) => parse_duration(back).map(|length| -length.as_secs_f64()),
        None => parse_duration(text).map(|length| length.as_secs_f64()),
    }
}

fn rfc_3339(text: &str) -> Outcome<String> {
    let wrong = || {
        Failure::usage(format!(
            "time {text:?}: must be an RFC 3339 time, such as 2030-01-01T00:00:00Z"
        ))
    };
    let time = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| wrong())?;
    time.format(&Rfc3339).map_err(|_| wrong())
}
