//! `osslive control`: injects faults into a local endpoint, controls its clock and
//! lists its requests.

mod clock;
mod fault;
mod remote;
mod requests;

use crate::failure::Outcome;
use crate::output::Output;
use clap::{Args, Subcommand};
use remote::{Remote, shown};

pub(crate) const HELP: &str = "\
The endpoint must run with `osslive local --control` on this machine.

Examples:
  osslive control fault add GetLiveChannelStat --status 503 --times 2
  osslive control clock advance 7d
  osslive control requests --operation PutLiveChannel
  osslive control reset";

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    remote: remote::Options,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Add, list and delete fault rules
    #[command(subcommand)]
    Fault(fault::Command),
    /// Show, set, move, freeze or speed up the endpoint's clock
    #[command(subcommand)]
    Clock(clock::Command),
    /// List requests and publishers, with their outcomes
    Requests(requests::Arguments),
    /// Restore the initial state: reset buckets and clock, delete all fault rules
    Reset,
    /// Check that the endpoint is running
    Health,
}

pub(crate) fn run(arguments: Arguments, output: &Output) -> Outcome {
    let remote = Remote::of(&arguments.remote)?;
    match arguments.command {
        Command::Fault(command) => fault::run(command, &remote, output),
        Command::Clock(command) => clock::run(command, &remote, output),
        Command::Requests(arguments) => requests::run(&arguments, &remote, output),
        Command::Reset => {
            remote.send("POST", "control/reset", None)?;
            output.show(&serde_json::json!({ "reset": true }), |out| writeln!(out, "reset"));
            Ok(())
        }
        Command::Health => {
            let health = remote.send("GET", "health", None)?;
            output.show(&health, |out| {
                let text = |name: &str| shown(&health[name]);
                writeln!(out, "{}, version {}", text("status"), text("version"));
            });
            Ok(())
        }
    }
}
