//! Downloads a part of a recording.

use super::mp4;
use crate::failure::{Failure, Outcome};
use crate::log::{Format, Log};
use crate::output::Page;
use crate::progress::Progress;
use crate::session::Session;
use crate::signal;
use crate::text::{self, Moment, parse_moment, parse_positive_duration};
use clap::{Args, value_parser};
use osslive::{Download, DownloadOptions, RecordingRange, StopHandle};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// How often progress is logged.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

pub(super) const HELP: &str = "\
TIME is RFC 3339 (2026-05-01T19:30:00Z), Unix seconds, now, or relative to now
(-10m). A range may be longer than a day. The file is an MPEG transport stream;
if its name ends in .mp4, it is converted to MP4 with ffmpeg.

To resume an interrupted download, run the same command again: FILE.part holds
the data, and FILE.progress records how much of it is complete. With --follow, a
live stream is downloaded until it ends.

Examples:
  osslive recording download main-stage -o show.mp4
  osslive recording download main-stage --last 26h -o night.ts
  osslive recording download main-stage --session -2h --follow";

#[derive(Args)]
pub(super) struct Arguments {
    /// Channel id
    #[arg(value_name = "CHANNEL")]
    id: String,
    /// Session: latest, or a time within it
    #[arg(long, value_name = "SESSION", allow_hyphen_values = true, value_parser = parse_session, default_value = "latest")]
    session: SessionChoice,
    /// Start of the time range, instead of a session
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = parse_moment, conflicts_with = "session")]
    from: Option<Moment>,
    /// End of the time range
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = parse_moment, default_value = "now", requires = "from")]
    to: Moment,
    /// Time range ending now, instead of --from and --to
    #[arg(long, value_name = "LENGTH", value_parser = parse_positive_duration, conflicts_with_all = ["session", "from", "to"])]
    last: Option<Duration>,
    /// File to write, .ts or .mp4 [default: CHANNEL.ts]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Keep downloading until the channel is no longer live, or until --to
    #[arg(long)]
    follow: bool,
    /// Replace an existing file, and start over instead of resuming
    #[arg(long)]
    force: bool,
    /// Log progress to stderr once a minute, in this format, instead of a bar
    #[arg(long, value_enum, value_name = "FORMAT")]
    log: Option<Format>,
    /// Maximum concurrent transfers
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = value_parser!(u8).range(1..=64))]
    parallel: u8,
}

/// The selected session.
#[derive(Debug, Clone, Copy)]
enum SessionChoice {
    Latest,
    At(Moment),
}

fn parse_session(text: &str) -> Result<SessionChoice, String> {
    match text {
        "latest" => Ok(SessionChoice::Latest),
        time => parse_moment(time).map(SessionChoice::At),
    }
}

impl Arguments {
    fn range(&self) -> RecordingRange {
        let now = OffsetDateTime::now_utc();
        match (self.last, self.from, self.session) {
            (Some(length), ..) => RecordingRange::last(length),
            (_, Some(from), _) => RecordingRange::between(from.from(now), self.to.from(now)),
            (.., SessionChoice::At(moment)) => RecordingRange::session(moment.from(now)),
            (.., SessionChoice::Latest) => RecordingRange::latest_session(),
        }
    }

    fn output(&self) -> PathBuf {
        self.output.clone().unwrap_or_else(|| format!("{}.ts", self.id).into())
    }
}

pub(super) fn run(arguments: &Arguments, session: &Session) -> Outcome {
    let output = arguments.output();
    let stop = StopHandle::new();
    if !mp4::is_wanted(&output) {
        signal::stops(&stop)?;
        let done = download(arguments, &output, &stop, session)?;
        session.output.show(&done, |page| write(&done, &output, page));
        return Ok(());
    }
    let conversion = mp4::Conversion::to(&output, arguments.force)?;
    signal::stops(&stop)?;
    if conversion.has_stream() {
        let stream = conversion.stream().display();
        session.output.warn(&format!(
            "{stream} is complete and only needs to be converted; --force downloads it again"
        ));
        conversion.run(&stop, session)?;
        session.output.show(&json!({}), |page| {
            writeln!(page, "{}", output.display());
        });
        return Ok(());
    }
    let done = download(arguments, conversion.stream(), &stop, session)?;
    conversion.run(&stop, session)?;
    session.output.show(&done, |page| write(&done, &output, page));
    Ok(())
}

fn download(
    arguments: &Arguments,
    path: &Path,
    stop: &StopHandle,
    session: &Session,
) -> Outcome<Download> {
    let log = arguments.log.map(|format| Log::new(format, None));
    let progress = Progress { is_hidden: session.progress.is_hidden || log.is_some() };
    let (bar, mut logged) = (progress.bytes(Some(0)), Instant::now());
    let options = DownloadOptions::new()
        .max_parallel(arguments.parallel.into())
        .follow(arguments.follow)
        .overwrite(arguments.force)
        .stop(stop)
        .progress(|at| {
            bar.set_length(at.total_bytes);
            bar.set_position(at.bytes);
            let [done, all] = [at.bytes, at.total_bytes].map(text::size);
            bar.set_message(format!("{done} of {all}"));
            if let Some(log) = log.as_ref().filter(|_| logged.elapsed() >= LOG_INTERVAL) {
                logged = Instant::now();
                log.info("downloading", fields(path, at.bytes, at.total_bytes));
            }
        });
    let done = session.client.download_recording(&arguments.id, &arguments.range(), path, &options);
    drop(options);
    bar.finish_and_clear();
    let done = done.map_err(Failure::of_recording)?;
    if let Some(log) = &log {
        log.info("downloaded", fields(path, done.bytes, done.bytes));
    }
    Ok(done)
}

fn fields(path: &Path, bytes: u64, total_bytes: u64) -> Value {
    json!({ "file": path.to_string_lossy(), "bytes": bytes, "totalBytes": total_bytes })
}

fn write(done: &Download, path: &Path, page: &mut Page) {
    let length = text::length(done.end_time - done.start_time);
    writeln!(
        page,
        "{}: {length} from {}, {} in {}",
        path.display(),
        text::moment(done.start_time),
        text::size(done.bytes),
        text::count(done.fragments, "fragment"),
    );
    for gap in &done.gaps {
        writeln!(
            page,
            "gap: {} from {} to {}",
            text::length(gap.end_time - gap.start_time),
            text::moment(gap.start_time),
            text::moment(gap.end_time),
        );
    }
}
