//! `osslive control fault`.

use super::remote::{Remote, shown};
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::table::{Cell, Table};
use crate::text::parse_duration;
use base64::prelude::{BASE64_STANDARD, Engine};
use clap::{Args, Subcommand, ValueEnum};
use osslive_local::{Disconnect, FaultRule};
use serde_json::{Value, json};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The maximum length of a rule's response in the list.
const LONGEST: usize = 40;

const ADD_EXAMPLES: &str = "\
Examples:
  osslive control fault add '*' --status 503 --probability 0.2 --seed 7
  osslive control fault add GetObject --channel 'stage/*.ts' --rate 50000
  osslive control fault add RtmpPublish --cut-after 10s --times 1";

#[derive(Subcommand)]
pub(super) enum Command {
    /// Add a fault rule for future requests
    #[command(after_help = ADD_EXAMPLES)]
    Add(Box<Add>),
    /// List fault rules and how many times each has been applied
    List,
    /// Delete a fault rule
    Remove {
        /// Rule id
        #[arg(value_name = "ID")]
        id: u64,
    },
    /// Delete all fault rules
    Clear,
}

#[derive(Args)]
pub(super) struct Add {
    /// Operation, such as GetLiveChannelStat or GetObject; RtmpConnect;
    /// RtmpPublish; or * for every HTTP operation
    #[arg(value_name = "OPERATION")]
    operation: String,
    /// Channel or object key; * matches any characters [default: all]
    #[arg(long, value_name = "PATTERN")]
    channel: Option<String>,
    /// Number of times to apply [default: unlimited]
    #[arg(long, value_name = "N")]
    times: Option<u32>,
    /// Probability of applying, 0 to 1 [default: 1]
    #[arg(long, value_name = "P")]
    probability: Option<f64>,
    /// Seed for --probability; the same seed gives the same sequence [default: 0]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Respond with this HTTP status, 400 to 599, or 200 to 599 with --body
    #[arg(long, value_name = "STATUS")]
    status: Option<u16>,
    /// Error code; for RtmpPublish a status code such as NetStream.Publish.BadName
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// Detailed error code (EC)
    #[arg(long, value_name = "EC")]
    ec: Option<String>,
    /// Error message
    #[arg(long, value_name = "TEXT")]
    message: Option<String>,
    /// Delay before responding
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    latency: Option<Duration>,
    /// Limit the response body to this many bytes per second
    #[arg(long, value_name = "BYTES")]
    rate: Option<u64>,
    /// Close the connection after this many bytes of the body
    #[arg(long, value_name = "BYTES")]
    cut_after_bytes: Option<u64>,
    /// Disconnect the publisher after this time
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    cut_after: Option<Duration>,
    /// Keep the publisher connected for this time after PutLiveChannelStatus
    /// disables its channel
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    disconnect_after: Option<Duration>,
    /// Close, reset or hang the connection instead of responding
    #[arg(long, value_enum, value_name = "HOW")]
    disconnect: Option<How>,
    /// Respond with the body in this file; - for stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = ["garbage", "raw"])]
    body: Option<PathBuf>,
    /// Media type of --body [default: application/xml]
    #[arg(long, value_name = "TYPE", requires = "body")]
    content_type: Option<String>,
    /// Send this file as the entire response, status line and headers included, then
    /// disconnect; - for stdin
    #[arg(long, value_name = "FILE", conflicts_with = "garbage")]
    raw: Option<PathBuf>,
    /// Repeat this text after --raw until the client disconnects
    #[arg(long, value_name = "TEXT", requires = "raw")]
    endless: Option<String>,
    /// Respond with 200 and a meaningless body
    #[arg(long)]
    garbage: bool,
    /// Offset the Date header by this many seconds
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    date_skew: Option<i64>,
}

#[derive(Clone, Copy, ValueEnum)]
enum How {
    Close,
    Reset,
    Hang,
}

impl Add {
    fn rule(self) -> Outcome<FaultRule> {
        let body = self.body.as_deref().map(read).transpose()?;
        let body = body.map(String::from_utf8).transpose();
        let body = body.map_err(|_| Failure::usage("--body: must be UTF-8; use --raw"))?;
        let raw = self.raw.as_deref().map(read).transpose()?;
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Ok(FaultRule {
            body,
            content_type: self.content_type,
            raw_base64: raw.map(|bytes| BASE64_STANDARD.encode(bytes)),
            endless: self.endless,
            channel: self.channel,
            times: self.times,
            probability: self.probability,
            seed: self.seed,
            status: self.status,
            code: self.code,
            ec: self.ec,
            message: self.message,
            latency_ms: self.latency.map(ms),
            bytes_per_second: self.rate,
            cut_after_bytes: self.cut_after_bytes,
            cut_after_ms: self.cut_after.map(ms),
            disconnect_after_ms: self.disconnect_after.map(ms),
            disconnect: self.disconnect.map(|how| match how {
                How::Close => Disconnect::Close,
                How::Reset => Disconnect::Reset,
                How::Hang => Disconnect::Hang,
            }),
            garbage: self.garbage,
            date_skew_seconds: self.date_skew,
            ..FaultRule::new(self.operation)
        })
    }
}

pub(super) fn run(command: Command, remote: &Remote, output: &Output) -> Outcome {
    match command {
        Command::Add(add) => {
            let rule =
                serde_json::to_value(add.rule()?).map_err(|error| Failure::Other(error.into()))?;
            let fault = remote.send("POST", "control/faults", Some(&rule))?;
            output.show(&fault, |out| writeln!(out, "added fault rule {}", shown(&fault["id"])));
        }
        Command::List => {
            let list = remote.send("GET", "control/faults", None)?;
            output.show(&list, |out| {
                let faults = list["faults"].as_array().map(Vec::as_slice).unwrap_or_default();
                if faults.is_empty() {
                    return writeln!(out, "no fault rules");
                }
                let mut table = Table::new(&["id", "operation", "hits", "effect"]);
                for fault in faults {
                    let cell = |name: &str| shown(&fault[name]);
                    table.row([
                        Cell::new(cell("id")).number(),
                        Cell::new(cell("operation")),
                        Cell::new(cell("hits")).number(),
                        Cell::new(effect(fault)),
                    ]);
                }
                table.write(out);
            });
        }
        Command::Remove { id } => {
            remote.send("DELETE", &format!("control/faults/{id}"), None)?;
            output.show(&json!({ "removed": id }), |out| writeln!(out, "removed fault rule {id}"));
        }
        Command::Clear => {
            remote.send("DELETE", "control/faults", None)?;
            output
                .show(&json!({ "cleared": true }), |out| writeln!(out, "deleted all fault rules"));
        }
    }
    Ok(())
}

fn read(path: &Path) -> Outcome<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = match path.to_str() {
        Some("-") => io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes),
        _ => fs::read(path),
    };
    read.map_err(|error| Failure::file(path, error))
}

/// Describes a fault, field by field.
fn effect(fault: &Value) -> String {
    let fields = fault.as_object().into_iter().flatten();
    let fields = fields.filter(|(name, _)| !["id", "operation", "hits"].contains(&name.as_str()));
    let brief = |value: &Value| shown(value).chars().take(LONGEST).collect::<String>();
    fields.map(|(name, value)| format!("{name} {}", brief(value))).collect::<Vec<_>>().join(", ")
}
