//! The osslive command: live channels on OSS from a shell, and a local
//! endpoint to try everything on.

// All output goes through `output`, which cannot panic.
#![deny(clippy::print_stdout, clippy::print_stderr, clippy::dbg_macro)]

mod channel;
mod chart;
mod closed;
mod connection;
mod demo;
mod failure;
mod highlights;
mod hint;
mod history;
mod local;
mod manual;
mod monitor;
mod output;
mod pace;
mod progress;
mod publish;
mod session;
mod signal;
mod table;
mod text;
mod url;
mod usage;
mod vod;

use clap::error::ErrorKind;
use clap::{ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand};
use connection::Connection;
use failure::{Failure, Outcome};
use output::Output;
use session::Session;
use std::env;
use std::process::ExitCode;

/// RTMP live channels on Alibaba Cloud OSS.
#[derive(Parser)]
#[command(
    name = "osslive",
    version,
    arg_required_else_help = true,
    subcommand_required = true,
    after_long_help = HELP,
    after_help = "See --help for keys, exit statuses and examples."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    presentation: Presentation,
}

#[derive(clap::Args)]
#[command(next_help_heading = "Presentation")]
struct Presentation {
    /// Prints results as JSON, and errors as a line of JSON on standard error
    #[arg(long, global = true)]
    json: bool,
    /// Tells each request on standard error, without secrets
    #[arg(short, long, global = true)]
    verbose: bool,
    /// Prints no colours; nor does NO_COLOR, nor anything that is no terminal
    #[arg(long, global = true)]
    no_color: bool,
}

const HELP: &str = "\
Keys:
  Access keys are never given as arguments, which every process can read. They come from
  the first of these that is there:
    --local                   the default key of `osslive local`, or
                              OSSLIVE_LOCAL_ACCESS_KEY_ID and _SECRET
    --profile, --config       a profile of ossutil's config file
    OSS_ACCESS_KEY_ID         with OSS_ACCESS_KEY_SECRET, and OSS_SESSION_TOKEN for a
                              temporary key; OSS_REGION, OSS_ENDPOINT, OSS_BUCKET
    ~/.ossutilconfig          its default profile

Times:
  All times are shown in UTC as RFC 3339. Lengths of time are written 90, 90s, 5m, 1h30m.

Exit statuses:
  0  success
  1  another failure, or several different ones in a batch; or the command succeeded and its
     output could not be written. A reader that stops early, such as head, is no failure
  2  usage: the command line, a file it names or the configuration is wrong
  3  not found: no such channel, bucket or playlist; nothing recorded in that time
  4  not allowed: no keys, wrong keys, or no right to do this; the channel is disabled
  5  not live: `channel status --live` on a channel that is not
  6  conflict: the channel already exists, or is still live
  7  unavailable: not reached, not in time or too busy; try again later

Examples:
  osslive local                                        an endpoint to try everything on
  osslive --local channel create main-stage
  osslive --local publish clip.flv main-stage
  osslive --local channel status main-stage

  export OSS_ACCESS_KEY_ID=... OSS_ACCESS_KEY_SECRET=... OSS_REGION=cn-hangzhou
  osslive --bucket my-bucket channel list";

// Made once, at the start: the size of a variant does not matter.
#[allow(clippy::large_enum_variant)]
#[derive(Subcommand)]
enum Command {
    /// Creates, shows, changes and deletes channels
    Channel(channel::Arguments),
    /// Signs a URL to publish to
    #[command(after_help = url::PUBLISH_HELP)]
    PublishUrl(url::Publish),
    /// Signs a URL to play a channel of a private bucket
    #[command(after_help = url::PLAY_HELP)]
    PlayUrl(url::Play),
    /// Publishes an FLV file or pipe in real time
    #[command(after_help = publish::HELP)]
    Publish(publish::Arguments),
    /// Watches channels: a table that stays up to date, or a line for each change
    #[command(after_help = monitor::HELP)]
    Monitor(monitor::Arguments),
    /// Shows what a channel was used for: its sessions in a table and a bar chart
    #[command(after_help = history::HELP)]
    History(history::Arguments),
    /// Cuts parts out of a session, each into a playlist of its own
    #[command(after_help = highlights::HELP)]
    Highlights(highlights::Arguments),
    /// Makes playlists of what was recorded
    Vod(vod::Arguments),
    /// Runs a local stand-in for the service: real RTMP in, real HLS out
    Local(local::Arguments),
    /// Creates a channel, publishes real video to it and plays it back, all on this machine
    Demo(demo::Arguments),
    /// Prints a completion script for a shell
    #[command(after_help = manual::COMPLETIONS_HELP)]
    Completions(manual::Completions),
    /// Writes the man pages to a folder
    Man(manual::Manual),
}

fn main() -> ExitCode {
    // Help and mistakes are printed before the command line is understood.
    let is_given = |name: &str| env::args_os().any(|argument| argument == name);
    let (json, no_color) = (is_given("--json"), is_given("--no-color"));
    let colour = if no_color { ColorChoice::Never } else { ColorChoice::Auto };
    match parse(command_line().color(colour)) {
        Ok(arguments) => {
            let Presentation { json, no_color, verbose } = arguments.presentation;
            let output = Output::new(json, no_color);
            let outcome = run(arguments.command, &arguments.connection, &output, verbose);
            end(outcome, arguments.connection.is_local(), &output)
        }
        Err(error) if usage::is_help(&error) => {
            let output = Output::new(false, no_color);
            output.text(|page| page.push(&usage::text(&error, console::colors_enabled())));
            end(Ok(()), false, &output)
        }
        Err(error) => {
            let output = Output::new(json, no_color);
            end(Err(Failure::CommandLine(error)), false, &output)
        }
    }
}

/// Commands that connect to nothing.
const OFFLINE: [&str; 4] = ["local", "demo", "completions", "man"];

/// The command line. Options before a command and behind it are the same, and
/// so every command has them: those without a use for them do not show them.
fn command_line() -> clap::Command {
    let mut command = Arguments::command();
    command.build();
    OFFLINE.iter().fold(command, |command, name| command.mut_subcommand(name, Connection::hide))
}

/// Reads the command line. An option that would be ignored is a mistake.
fn parse(mut command: clap::Command) -> Result<Arguments, clap::Error> {
    let matches = command.try_get_matches_from_mut(env::args_os())?;
    if let Some((name, behind)) = matches.subcommand()
        && OFFLINE.contains(&name)
        && let Some(own) = command.find_subcommand(name)
        && let Some(option) = Connection::given(behind, own)
    {
        let message = format!("{option} cannot be used with '{name}', which connects to nothing");
        return Err(command.error(ErrorKind::ArgumentConflict, message));
    }
    Arguments::from_arg_matches(&matches)
}

/// Reports how the command went. A failure of its own says more than output
/// that was lost.
fn end(outcome: Outcome, is_local: bool, output: &Output) -> ExitCode {
    let Err(failure) = outcome else {
        return if output.is_lost() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    };
    let hint = hint::after(&failure, is_local);
    match output.json {
        true => output::report(&failure.json(hint.as_deref())),
        false => output::tell(&failure.text(hint.as_deref())),
    }
    ExitCode::from(failure.exit() as u8)
}

fn run(command: Command, connection: &Connection, output: &Output, verbose: bool) -> Outcome {
    let session = || Session::open(connection, output, verbose);
    match command {
        Command::Channel(arguments) => channel::run(arguments, &session()?),
        Command::PublishUrl(arguments) => url::publish(&arguments, &session()?),
        Command::PlayUrl(arguments) => url::play(&arguments, &session()?),
        Command::Publish(arguments) => publish::run(arguments, &session()?),
        Command::Monitor(arguments) => monitor::run(arguments, &session()?),
        Command::History(arguments) => history::run(&arguments, &session()?),
        Command::Highlights(arguments) => highlights::run(&arguments, &session()?),
        Command::Vod(arguments) => vod::run(&arguments, &session()?),
        Command::Local(arguments) => local::run(arguments, output),
        Command::Demo(arguments) => demo::run(arguments).map_err(Failure::from),
        Command::Completions(arguments) => {
            manual::completions(&arguments, command_line(), output);
            Ok(())
        }
        Command::Man(arguments) => manual::pages(&arguments, command_line()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
        command_line().debug_assert();
    }
}
