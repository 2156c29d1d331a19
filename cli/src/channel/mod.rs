//! `osslive channel`: channels one by one, as the service has them.

mod encoding;
mod import;
mod put;
mod sheet;
mod show;

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
    /// Creates a channel, or replaces the configuration of one that exists
    #[command(after_help = PUT_EXAMPLES)]
    Put(put::Arguments),
    /// Creates a channel; one that exists is left alone, with exit status 6
    #[command(after_help = CREATE_EXAMPLES)]
    Create(put::Arguments),
    /// Shows the configuration of a channel, and its unsigned URLs
    Get(Id),
    /// Lists channels, all pages of them
    #[command(after_help = LIST_EXAMPLES)]
    List(show::List),
    /// Deletes a channel; its recordings stay. One that does not exist is no failure
    Delete(Id),
    /// Lets publishers in
    Enable(Id),
    /// Keeps publishers out, and cuts one that is live
    Disable(Id),
    /// Shows what a channel is doing
    #[command(after_help = STATUS_EXAMPLES)]
    Status(show::Status),
    /// Shows the last ten finished sessions, the oldest first
    History(Id),
    /// Creates or replaces many channels, from a list
    #[command(after_help = import::HELP)]
    Import(import::Arguments),
}

#[derive(Args)]
struct Id {
    /// The channel's id
    #[arg(value_name = "CHANNEL")]
    id: String,
}

const PUT_EXAMPLES: &str = "\
Examples:
  osslive channel put main-stage --name 'Main stage' --frag-duration 2 --frag-count 5
  osslive channel put main-stage --disabled";

const CREATE_EXAMPLES: &str = "\
Examples:
  osslive channel create main-stage --name 'Main stage'
  osslive channel create main-stage --json | jq -r '.publishUrls[0]'";

const LIST_EXAMPLES: &str = "\
Examples:
  osslive channel list stage-
  osslive channel list --json | jq -r '.channels[] | select(.status == \"disabled\").name'";

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
        Command::History(Id { id }) => show::history(&id, session),
        Command::Import(arguments) => import::run(&arguments, session),
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
