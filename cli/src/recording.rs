//! `osslive recording`: lists, downloads and prunes recordings.

mod download;
mod list;
mod mp4;
mod prune;

use crate::failure::Outcome;
use crate::session::Session;
use clap::{Args, Subcommand};

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show what is stored: times, gaps, sizes and playlists
    #[command(after_help = list::HELP)]
    List(list::Arguments),
    /// Download any part of a recording into one file
    #[command(after_help = download::HELP)]
    Download(download::Arguments),
    /// Delete fragments and playlists older than a number of days
    #[command(after_help = prune::HELP)]
    Prune(prune::Arguments),
}

pub(crate) fn run(arguments: &Arguments, session: &Session) -> Outcome {
    match &arguments.command {
        Command::List(arguments) => list::run(arguments, session),
        Command::Download(arguments) => download::run(arguments, session),
        Command::Prune(arguments) => prune::run(arguments, session),
    }
}
