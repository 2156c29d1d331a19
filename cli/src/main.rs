//! The osslive command: a local endpoint for OSS live channels, and a
//! demonstration of the whole way from a channel to a playlist.

#![forbid(unsafe_code)]

mod demo;
mod local;
mod signal;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// RTMP live channels on Alibaba Cloud OSS.
#[derive(Parser)]
#[command(name = "osslive", version, about, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

// Made once, at the start: the size of a variant does not matter.
#[allow(clippy::large_enum_variant)]
#[derive(Subcommand)]
enum Command {
    /// Runs a local stand-in for the service: real RTMP in, real HLS out
    Local(local::Arguments),
    /// Creates a channel, publishes real video to it and plays it back, all on this machine
    Demo(demo::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Local(arguments) => local::run(arguments),
        Command::Demo(arguments) => demo::run(arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("osslive: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                eprintln!("  because: {cause}");
                source = cause.source();
            }
            ExitCode::FAILURE
        }
    }
}
