//! `osslive control fault`.

use super::remote::{Remote, shown};
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::table::{Cell, Table};
use crate::text::parse_length;
use base64::prelude::{BASE64_STANDARD, Engine};
use clap::{Args, Subcommand, ValueEnum};
use osslive_local::{Disconnect, FaultRule};
use serde_json::{Value, json};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How much is shown of an answer that a rule holds.
const LONGEST: usize = 40;

const ADD_EXAMPLES: &str = "\
Examples:
  osslive control fault add '*' --status 503 --probability 0.2 --seed 7
  osslive control fault add GetObject --channel 'stage/*.ts' --rate 50000
  osslive control fault add RtmpPublish --cut-after 10s --times 1";

#[derive(Subcommand)]
pub(super) enum Command {
    /// Order a fault for the calls that come after this
    #[command(after_help = ADD_EXAMPLES)]
    Add(Box<Add>),
    /// Show what is ordered, and how often it has applied
    List,
    /// Delete a fault
    Remove {
        /// Number of the fault
        #[arg(value_name = "ID")]
        id: u64,
    },
    /// Delete all faults
    Clear,
}

#[derive(Args)]
pub(super) struct Add {
    /// Operation, such as GetLiveChannelStat or GetObject; RtmpConnect;
    /// RtmpPublish; or * for all over HTTP
    #[arg(value_name = "OPERATION")]
    operation: String,
    /// Channel or object key, with * for any characters [default: all]
    #[arg(long, value_name = "PATTERN")]
    channel: Option<String>,
    /// Apply so often [default: always]
    #[arg(long, value_name = "N")]
    times: Option<u32>,
    /// Apply with this probability, from 0 to 1 [default: 1]
    #[arg(long, value_name = "P")]
    probability: Option<f64>,
    /// Seed of the probability: the same gives the same sequence [default: 0]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Answer with this HTTP status, from 400 to 599
    #[arg(long, value_name = "STATUS")]
    status: Option<u16>,
    /// Code of the refusal; of RtmpPublish, such as NetStream.Publish.BadName
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// Detailed error code of the refusal
    #[arg(long, value_name = "EC")]
    ec: Option<String>,
    /// Message of the refusal
    #[arg(long, value_name = "TEXT")]
    message: Option<String>,
    /// Wait before the answer
    #[arg(long, value_name = "TIME", value_parser = parse_length)]
    latency: Option<Duration>,
    /// Send the body at so many bytes per second
    #[arg(long, value_name = "BYTES")]
    rate: Option<u64>,
    /// Break the connection after so many bytes of the body
    #[arg(long, value_name = "BYTES")]
    cut_after_bytes: Option<u64>,
    /// Cut the publisher after this time
    #[arg(long, value_name = "TIME", value_parser = parse_length)]
    cut_after: Option<Duration>,
    /// Let the publisher go on for this time after PutLiveChannelStatus disabled
    /// its channel
    #[arg(long, value_name = "TIME", value_parser = parse_length)]
    disconnect_after: Option<Duration>,
    /// Close, reset or hang the connection instead of answering
    #[arg(long, value_enum, value_name = "HOW")]
    disconnect: Option<How>,
    /// Answer with the body in this file; - for stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = ["garbage", "raw"])]
    body: Option<PathBuf>,
    /// Media type of --body [default: application/xml]
    #[arg(long, value_name = "TYPE", requires = "body")]
    content_type: Option<String>,
    /// Send this file in place of an answer, status line and header included; - for
    /// stdin. The connection ends after it, as --disconnect says
    #[arg(long, value_name = "FILE", conflicts_with = "garbage")]
    raw: Option<PathBuf>,
    /// Send this text again and again after --raw
    #[arg(long, value_name = "TEXT", requires = "raw")]
    endless: Option<String>,
    /// Answer 200 with a body that means nothing
    #[arg(long)]
    garbage: bool,
    /// Set the Date of the answer so many seconds ahead, or back
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
            let fault = remote.ask("POST", "control/faults", Some(&rule))?;
            output.show(&fault, |out| writeln!(out, "fault {}", shown(&fault["id"])));
        }
        Command::List => {
            let list = remote.ask("GET", "control/faults", None)?;
            output.show(&list, |out| {
                let faults = list["faults"].as_array().map(Vec::as_slice).unwrap_or_default();
                if faults.is_empty() {
                    return writeln!(out, "no faults");
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
            remote.ask("DELETE", &format!("control/faults/{id}"), None)?;
            output.show(&json!({ "removed": id }), |out| writeln!(out, "removed fault {id}"));
        }
        Command::Clear => {
            remote.ask("DELETE", "control/faults", None)?;
            output.show(&json!({ "cleared": true }), |out| writeln!(out, "removed all faults"));
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

/// What a fault does, field by field.
fn effect(fault: &Value) -> String {
    let fields = fault.as_object().into_iter().flatten();
    let fields = fields.filter(|(name, _)| !["id", "operation", "hits"].contains(&name.as_str()));
    let brief = |value: &Value| shown(value).chars().take(LONGEST).collect::<String>();
    fields.map(|(name, value)| format!("{name} {}", brief(value))).collect::<Vec<_>>().join(", ")
}
