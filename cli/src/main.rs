//! The osslive command: live channels on OSS from a shell, and a local endpoint for
//! trying everything.

// All output goes through `output`, which cannot panic.
#![deny(clippy::print_stdout, clippy::print_stderr, clippy::dbg_macro)]

mod channel;
mod chart;
mod clip;
mod closed;
mod confirm;
mod conformance;
mod connection;
mod control;
mod demo;
mod doctor;
mod failure;
mod fetch;
mod highlights;
mod hint;
mod history;
mod local;
mod log;
mod manual;
mod monitor;
mod output;
mod progress;
mod publish;
mod rate_options;
mod recording;
mod secret;
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
    // Not the name of the file, which ends in .exe on Windows.
    bin_name = "osslive",
    version,
    arg_required_else_help = true,
    subcommand_required = true,
    after_help = HELP,
    max_term_width = 80
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
#[command(next_help_heading = "Output")]
struct Presentation {
    /// Print results and errors as JSON
    #[arg(long, global = true)]
    json: bool,
    /// Log each request to stderr, without secrets
    #[arg(short, long, global = true)]
    verbose: bool,
    /// Disable colors [env: NO_COLOR]
    #[arg(long, global = true)]
    no_color: bool,
}

const HELP: &str = "\
Example: osslive --local channel create main-stage
Run `osslive COMMAND --help` for the connection options and more examples.

Credentials come, in this order, from --local; --profile or --config; variables
  such as OSS_ACCESS_KEY_ID; ~/.ossutilconfig; ~/.aliyun; the ECS role

Exit status: 0 success, 1 failure, 2 usage, 3 not found, 4 not allowed,
  5 not live, 6 conflict, 7 unavailable, 8 differences";

// Created once, at the start, so the size of a variant does not matter.
#[allow(clippy::large_enum_variant)]
#[derive(Subcommand)]
enum Command {
    /// Create, show and delete channels
    Channel(channel::Arguments),
    /// Sign a publish URL
    #[command(after_help = url::PUBLISH_HELP)]
    PublishUrl(url::Publish),
    /// Sign a play URL for a private bucket
    #[command(after_help = url::PLAY_HELP)]
    PlayUrl(url::Play),
    /// Publish an FLV file or pipe in real time
    #[command(after_help = publish::HELP)]
    Publish(publish::Arguments),
    /// Find out why there is no video
    #[command(after_help = doctor::HELP)]
    Doctor(doctor::Arguments),
    /// Compare OSS with the local endpoint, and report differences
    #[command(after_help = conformance::HELP)]
    Conformance(conformance::Arguments),
    /// Poll channels and report changes
    #[command(after_help = monitor::HELP)]
    Monitor(monitor::Arguments),
    /// Show past sessions as a table and a bar chart
    #[command(after_help = history::HELP)]
    History(history::Arguments),
    /// Save parts of a session as playlists
    #[command(after_help = highlights::HELP)]
    Highlights(highlights::Arguments),
    /// List, download and prune recordings
    Recording(recording::Arguments),
    /// Create VOD playlists from the recording
    Vod(vod::Arguments),
    /// Run a local endpoint: real RTMP in, real HLS out
    Local(local::Arguments),
    /// Inject faults into a local endpoint and control its clock
    #[command(after_help = control::HELP)]
    Control(control::Arguments),
    /// Check everything end to end on your machine
    Demo(demo::Arguments),
    /// Print a shell completion script
    #[command(after_help = manual::COMPLETIONS_HELP)]
    Completions(manual::Completions),
    /// Write the man pages to a directory
    Man(manual::Manual),
}

fn main() -> ExitCode {
    // Help and usage errors are printed before the command line is parsed
    // completely.
    let is_given = |name: &str| env::args_os().any(|argument| argument == name);
    let (json, no_color) = (is_given("--json"), is_given("--no-color"));
    let color = if no_color { ColorChoice::Never } else { ColorChoice::Auto };
    match parse(command_line().color(color)) {
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

/// Commands that do not connect.
const OFFLINE: [&str; 5] = ["local", "control", "demo", "completions", "man"];

/// Builds the command line. Options work the same before and after a command, so
/// every command has the connection options. Commands that do not use them hide
/// them, and so does the list of commands, which fits on a screen.
fn command_line() -> clap::Command {
    Connection::hide(completed())
}

/// The command line for shell completion, with options before a command.
fn completed() -> clap::Command {
    let mut command = without_values(Arguments::command());
    command.build();
    OFFLINE.iter().fold(command, |command, name| command.mut_subcommand(name, offline))
}

/// Hides the connection options of a command and its subcommands.
fn offline(command: clap::Command) -> clap::Command {
    Connection::hide(command).mut_subcommands(offline)
}

/// Names environment variables in the help without their values, so that the help
/// is the same everywhere.
fn without_values(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|argument| argument.hide_env_values(true));
    command.mut_subcommands(without_values)
}

/// Parses the command line. An option that would be ignored is an error.
fn parse(mut command: clap::Command) -> Result<Arguments, clap::Error> {
    let matches = command.try_get_matches_from_mut(env::args_os())?;
    let offline = matches.subcommand().filter(|(name, _)| OFFLINE.contains(name));
    let ignored = offline.and_then(|(name, behind)| {
        let option = Connection::given(behind, command.find_subcommand(name)?)?;
        Some((name, option))
    });
    if let Some((name, option)) = ignored {
        let message =
            format!("{option} cannot be used with '{name}', which does not connect to a service");
        return Err(command.error(ErrorKind::ArgumentConflict, message));
    }
    Arguments::from_arg_matches(&matches)
}

/// Reports the outcome of the command. Its own failure matters more than lost
/// output.
fn end(outcome: Outcome, is_local: bool, output: &Output) -> ExitCode {
    let Err(failure) = outcome else {
        return if output.is_lost() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    };
    let hint = hint::after(&failure, is_local);
    match output.json {
        true => output::report(&failure.json(hint.as_deref())),
        false => output::to_stderr(&failure.text(hint.as_deref())),
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
        Command::Doctor(arguments) => doctor::run(arguments, connection, output, verbose),
        Command::Conformance(arguments) => {
            conformance::run(&arguments, connection, output, verbose)
        }
        Command::Monitor(arguments) => monitor::run(arguments, connection, output, verbose),
        Command::History(arguments) => history::run(&arguments, &session()?),
        Command::Highlights(arguments) => highlights::run(&arguments, &session()?),
        Command::Recording(arguments) => recording::run(&arguments, &session()?),
        Command::Vod(arguments) => vod::run(&arguments, &session()?),
        Command::Local(arguments) => local::run(arguments, output),
        Command::Control(arguments) => control::run(arguments, output),
        Command::Demo(arguments) => demo::run(arguments, output).map_err(Failure::from),
        Command::Completions(arguments) => {
            manual::completions(&arguments, completed(), output);
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

    /// Returns each command by its full name, such as `osslive channel put`.
    fn every(command: &clap::Command, name: &str) -> Vec<(String, clap::Command)> {
        let below = command.get_subcommands().filter(|below| below.get_name() != "help");
        let below = below.flat_map(|below| every(below, &format!("{name} {}", below.get_name())));
        [(name.to_owned(), command.clone())].into_iter().chain(below).collect()
    }

    /// Returns what `--help` prints for each command.
    fn pages() -> Vec<(String, String)> {
        let page = |(name, _): (String, clap::Command)| {
            let words = name.split(' ').chain(["--help"]);
            let help = command_line().try_get_matches_from(words).unwrap_err();
            (name, help.render().to_string())
        };
        every(&command_line(), "osslive").into_iter().map(page).collect()
    }

    #[test]
    fn the_help_fits_on_a_screen_of_80_by_40() {
        let pages = pages();
        assert!(pages.len() > 20, "{} pages", pages.len());
        let fits = |line: &str| console::measure_text_width(line) <= 80;
        for (name, page) in &pages {
            page.lines().for_each(|line| assert!(fits(line), "{name} --help: {line:?}"));
        }
        // clap wraps longer lines badly.
        for (name, command) in every(&command_line(), "osslive") {
            let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            text.lines().for_each(|line| assert!(fits(line), "{name} --help: {line:?}"));
        }
        let (_, first) = &pages[0];
        assert!(first.lines().count() <= 40, "{} lines:\n{first}", first.lines().count());
    }

    #[test]
    fn the_short_and_the_long_help_are_the_same() {
        for (name, page) in pages() {
            assert!(!page.contains("see a summary"), "{name} --help:\n{page}");
            assert!(!page.contains("=]"), "{name} --help shows the value of a variable:\n{page}");
        }
    }

    #[test]
    fn connection_options_are_shown_where_they_are_used() {
        for (name, page) in pages() {
            let is_shown = page.contains("--addressing-style");
            let is_used = name.split(' ').nth(1).is_some_and(|first| !OFFLINE.contains(&first));
            assert_eq!(is_shown, is_used, "{name} --help");
        }
    }

    /// Reads the `osslive` commands in a page's shell blocks.
    fn commands(page: &str) -> Vec<Vec<String>> {
        let blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
        let text: String = blocks.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
        // A command inside "$(...)" counts too.
        let text = text.replace("\"$(osslive ", "\nosslive ").replace(")\"", "\n");
        let lines = text.lines().map(str::trim).filter(|line| line.starts_with("osslive "));
        let words = |line: &str| {
            let line = line.split(" | ").next().unwrap_or_default();
            shlex::split(line).unwrap_or_else(|| panic!("not a command: {line}"))
        };
        lines.map(words).collect()
    }

    #[test]
    fn the_commands_in_the_documentation_are_valid() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let docs = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
        let pages = docs.chain([root.join("README.md"), root.join("cli/README.md")]);
        let mut count = 0;
        for path in pages.filter(|path| path.extension().is_some_and(|suffix| suffix == "md")) {
            for words in commands(&std::fs::read_to_string(&path).unwrap()) {
                let result = command_line().try_get_matches_from(&words);
                let shown = path.display();
                assert!(result.is_ok(), "{shown}: {}: {}", words.join(" "), result.unwrap_err());
                count += 1;
            }
        }
        assert!(count > 25, "{count} commands");
    }
}
