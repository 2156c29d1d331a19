//! `osslive channel`: manages channels.

mod apply;
mod configuration;
mod encoding;
mod file;
mod import;
mod manifest;
mod mistake;
mod put;
mod sheet;
mod show;
mod wait;
mod yaml;

pub(crate) use show::stream_state;

use crate::failure::Outcome;
use crate::session::Session;
use clap::{Args, Subcommand};
use osslive::ChannelState;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Create a channel, or replace the configuration of an existing one
    #[command(after_help = PUT_EXAMPLES)]
    Put(put::Arguments),
    /// Create a channel; fail with exit status 6 if it exists
    #[command(after_help = CREATE_EXAMPLES)]
    Create(put::Arguments),
    /// Show a channel's configuration and unsigned URLs
    Get(Id),
    /// List channels
    #[command(after_help = LIST_EXAMPLES)]
    List(show::List),
    /// Delete a channel; recordings are kept. Succeeds if it does not exist
    Delete(Id),
    /// Enable a channel, so that encoders can publish
    Enable(Id),
    /// Disable a channel and disconnect its publisher
    Disable(Id),
    /// Show whether a channel is live, and its stream
    #[command(after_help = STATUS_EXAMPLES)]
    Status(show::Status),
    /// Wait until a channel is live, idle or deleted
    #[command(after_help = wait::HELP)]
    Wait(wait::Arguments),
    /// Show the last ten finished sessions, oldest first
    History(Id),
    /// Create or replace many channels from a table
    #[command(after_help = import::HELP)]
    Import(import::Arguments),
    /// Apply the channels in a file, sending only changes
    #[command(after_help = apply::HELP)]
    Apply(apply::Arguments),
}

#[derive(Args)]
struct Id {
    /// Channel id
    #[arg(value_name = "CHANNEL")]
    id: String,
}

const PUT_EXAMPLES: &str = "\
Examples:
  osslive channel put main-stage --frag-duration 2 --frag-count 5
  osslive channel put main-stage --disabled";

const CREATE_EXAMPLES: &str = "\
Examples:
  osslive channel create main-stage --name 'Main stage'
  osslive channel create main-stage --json | jq -r '.publishUrls[0]'";

const LIST_EXAMPLES: &str = "\
Examples:
  osslive channel list stage-
  osslive channel list --json | jq -r '.channels[].name'";

const STATUS_EXAMPLES: &str = "\
Examples:
  osslive channel status main-stage
  osslive channel status main-stage --live >/dev/null || echo 'not live'";

pub(crate) fn run(arguments: Arguments, session: &Session) -> Outcome {
    match arguments.command {
        Command::Put(arguments) => put::put(arguments, session),
        Command::Create(arguments) => put::create(arguments, session),
        Command::Get(Id { id }) => show::channel(&id, session),
        Command::List(list) => show::list(&list, session),
        Command::Delete(Id { id }) => delete(&id, session),
        Command::Enable(Id { id }) => set_state(&id, ChannelState::Enabled, session),
        Command::Disable(Id { id }) => set_state(&id, ChannelState::Disabled, session),
        Command::Status(status) => show::status(&status, session),
        Command::Wait(arguments) => wait::run(&arguments, session),
        Command::History(Id { id }) => show::history(&id, session),
        Command::Import(arguments) => import::run(&arguments, session),
        Command::Apply(arguments) => apply::run(&arguments, session),
    }
}

fn delete(id: &str, session: &Session) -> Outcome {
    let done = session.client.delete_channel(id)?;
    session.output.show(&done, |out| writeln!(out, "deleted {id}"));
    Ok(())
}

fn set_state(id: &str, state: ChannelState, session: &Session) -> Outcome {
    let done = session.client.put_channel_status(id, state)?;
    session.output.show(&done, |out| writeln!(out, "{state} {id}"));
    Ok(())
}
