//! Waits for a channel to change.

use super::show;
use crate::failure::Outcome;
use crate::session::Session;
use clap::Args;
use std::time::Duration;

pub(super) const HELP: &str = "\
Polls immediately, then after 250 ms, increasing the interval by 50% each time,
up to 5 s. Gives up after 2 minutes, or the time set by --timeout, and exits
with status 7.

Examples:
  osslive channel wait main-stage --live && echo 'on air'
  osslive channel delete old && osslive channel wait old --deleted";

/// The maximum wait without --timeout.
const LIMIT: Duration = Duration::from_secs(120);

#[derive(Args)]
pub(super) struct Arguments {
    /// Channel id
    #[arg(value_name = "CHANNEL")]
    id: String,
    #[command(flatten)]
    state: State,
}

/// What to wait for.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct State {
    /// Wait until a publisher is connected
    #[arg(long)]
    live: bool,
    /// Wait until no publisher is connected
    #[arg(long)]
    idle: bool,
    /// Wait until the channel does not exist
    #[arg(long)]
    deleted: bool,
}

pub(super) fn run(arguments: &Arguments, session: &Session) -> Outcome {
    let Arguments { id, state } = arguments;
    let limit = session.timeout.unwrap_or(LIMIT);
    if state.deleted {
        return Ok(session.client.wait_until_deleted(id, limit)?);
    }
    let status = match state.live {
        true => session.client.wait_until_live(id, limit)?,
        false => session.client.wait_until_idle(id, limit)?,
    };
    show::seen(&status, session);
    Ok(())
}
