//! `osslive vod`: creates VOD playlists.

use crate::failure::{Failure, Outcome};
use crate::session::Session;
use crate::text::{Moment, parse_moment, parse_positive_duration};
use clap::{Args, Subcommand};
use osslive::VodTime;
use std::time::Duration;
use time::OffsetDateTime;

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const HELP: &str = "\
TIME is RFC 3339 (2026-05-01T19:30:00Z), Unix seconds, now, or relative to now
(-10m). The range can span at most one day; fragments that start within it are
included.

Examples:
  osslive vod create main-stage replay --last 10m
  osslive vod create main-stage evening --start 2026-05-01T19:30:00Z --end now
  osslive vod get main-stage --last 1h > last-hour.m3u8";

#[derive(Subcommand)]
enum Command {
    /// Save a playlist of a time range as CHANNEL/NAME, replacing an existing one
    #[command(after_help = HELP)]
    Create(Create),
    /// Print a playlist of a time range without saving it
    #[command(after_help = HELP)]
    Get(Get),
}

#[derive(Args)]
struct Create {
    /// Channel id
    #[arg(value_name = "CHANNEL")]
    id: String,
    /// Playlist name; .m3u8 is appended if missing
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    span: Span,
}

#[derive(Args)]
struct Get {
    /// Channel id
    #[arg(value_name = "CHANNEL")]
    id: String,
    #[command(flatten)]
    span: Span,
}

#[derive(Args)]
struct Span {
    /// Start of the time range
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = parse_moment, required_unless_present = "last")]
    start: Option<Moment>,
    /// End of the time range
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = parse_moment, default_value = "now")]
    end: Moment,
    /// Time range ending now, instead of --start and --end
    #[arg(long, value_name = "LENGTH", value_parser = parse_positive_duration, conflicts_with_all = ["start", "end"])]
    last: Option<Duration>,
}

impl Span {
    fn time(&self, now: OffsetDateTime) -> VodTime {
        let last = Moment::Ago(self.last.unwrap_or_default());
        VodTime::between(self.start.unwrap_or(last).from(now), self.end.from(now))
    }
}

pub(crate) fn run(arguments: &Arguments, session: &Session) -> Outcome {
    match &arguments.command {
        Command::Create(arguments) => create(arguments, session),
        Command::Get(arguments) => get(arguments, session),
    }
}

fn create(arguments: &Create, session: &Session) -> Outcome {
    let Create { id, name, span } = arguments;
    let done = session.client.create_vod(id, name, &span.time(OffsetDateTime::now_utc()));
    let done = done.map_err(Failure::of_recording)?;
    let suffix = if name.ends_with(".m3u8") { "" } else { ".m3u8" };
    session.output.show(&done, |out| writeln!(out, "created {id}/{name}{suffix}"));
    Ok(())
}

fn get(arguments: &Get, session: &Session) -> Outcome {
    let Get { id, span } = arguments;
    let playlist = session.client.get_vod(id, &span.time(OffsetDateTime::now_utc()));
    let playlist = playlist.map_err(Failure::of_recording)?;
    session.output.show(&playlist, |out| out.document(&playlist.text));
    Ok(())
}
