//! `osslive monitor`: polls many channels.

mod board;
mod command;
mod event;
mod journal;
mod metrics;
mod notify;
mod outbox;
mod queue;
mod receivers;
mod roster;
mod screen;
mod server;
mod service;
mod signature;
mod webhook;

use crate::connection::Connection;
use crate::failure::{Exit, Failure, Outcome};
use crate::log::{Format, Log};
use crate::output::Output;
use crate::rate_options::RateOptions;
use crate::session::Session;
use crate::signal;
use crate::text::{self, clean, parse_bit_rate, parse_positive_duration};
use clap::{Args, value_parser};
use console::Term;
use osslive::{
    Attempt, Change, ChangeKind, ChannelMonitor, ErrorKind, Limits, MonitorOptions, StopHandle,
    Sweep,
};
use roster::{Departed, Roster};
use screen::Screen;
use service::{Service, Setup};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

pub(crate) const HELP: &str = "\
On a terminal, shows a table that updates at each poll. Otherwise, prints one
line per change: a channel went live or idle, was enabled or disabled, has a new
publisher, a low bit rate or frame rate, is gone, or cannot be read. The first
poll reports every channel that is not idle. Ctrl-C and SIGTERM exit with
status 0.

Examples:
  osslive monitor main-stage backstage audience --interval 10s
  osslive monitor --prefix stage- --once
  osslive monitor main-stage --min-bit-rate 800k --json
  osslive monitor --metrics 127.0.0.1:9464 --log json
  osslive monitor --on-change '/usr/local/bin/notify --to ops' --state state
  osslive monitor --webhook https://hooks.example/osslive \\
    --webhook-secret-file secret --state state";

#[derive(Args)]
pub(crate) struct Arguments {
    /// Channel ids [default: all channels]
    #[arg(value_name = "CHANNEL")]
    ids: Vec<String>,
    /// Monitor all channels whose ids start with this prefix
    #[arg(long, value_name = "PREFIX", conflicts_with = "ids")]
    prefix: Option<String>,
    /// Poll once and exit, with status 0 if every channel could be read
    #[arg(long, conflicts_with_all = ["metrics", "on_change", "webhook", "state"])]
    once: bool,
    /// Polling interval
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_positive_duration)]
    interval: Duration,
    /// Report channels below this bit rate, such as 800k
    #[arg(long, value_name = "BITS", value_parser = parse_bit_rate)]
    min_bit_rate: Option<u64>,
    /// Report frame rate drops larger than this since the last poll
    #[arg(long, value_name = "PERCENT", default_value_t = 10, value_parser = value_parser!(u8).range(0..=100))]
    frame_rate_drop: u8,
    /// How often to relist all channels, or those with --prefix
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = parse_positive_duration, conflicts_with = "ids")]
    list_interval: Duration,
    /// Log warnings and the service's events to stderr in this format
    /// [default: text, or json with --json]
    #[arg(long, value_enum, value_name = "FORMAT")]
    log: Option<Format>,
    #[command(flatten)]
    rates: RateOptions,
    #[command(flatten)]
    service: service::Options,
}

pub(crate) fn run(
    arguments: Arguments,
    connection: &Connection,
    output: &Output,
    verbose: bool,
) -> Outcome {
    let throttled = Arc::<AtomicU64>::default();
    let count = throttled.clone();
    let client = connection.observed(verbose, move |attempt| {
        count.fetch_add(u64::from(is_throttled(attempt)), Ordering::Relaxed);
    })?;
    let session = Session::with(client, connection, output, verbose);
    let roster = arguments.roster();
    let ids = roster.ids(&session.client)?;
    if arguments.once {
        return once(ids, &arguments.rates, &session);
    }
    if ids.is_empty() && !arguments.service.is_service() {
        return Err(Failure::Message(Exit::NotFound, "no channels to monitor".to_owned()));
    }
    let (log, lines) = arguments.log(output);
    let mut monitor = ChannelMonitor::new(&session.client, ids.clone(), arguments.options());
    let bucket = session.client.bucket();
    let setup =
        Setup { connection, output, log: &log, bucket, throttled, roster: &roster, ids: &ids };
    let (service, departed) = Service::start(&arguments.service, &setup, &mut monitor)?;
    // This ends all requests, including listings.
    let client = session.client.clone();
    signal::calls(move || client.shutdown())?;
    notify::ready();
    let mut watched = Watched { roster, monitor, service, departed };
    match lines {
        Some(lines) => on_screen(&mut watched, arguments.interval, &lines, &session),
        None => in_lines(&mut watched, &session),
    }
    notify::stopping();
    watched.service.end();
    Ok(())
}

/// Returns whether the service throttled requests.
fn is_throttled(attempt: &Attempt<'_>) -> bool {
    attempt.outcome.as_ref().is_err_and(|error| matches!(error.status(), Some(429 | 503)))
}

/// The monitored channels, and the receivers of their changes.
struct Watched {
    roster: Roster,
    monitor: ChannelMonitor,
    service: Service,
    /// Deleted channels that have not been reported yet.
    departed: Departed,
}

impl Watched {
    /// Waits for the next sweep and returns the changes, which are stored in the
    /// state by then; `None` once stopped.
    fn next_changes(&mut self, session: &Session) -> Option<Vec<Change>> {
        if !self.monitor.wait_until_due() {
            return None;
        }
        match self.roster.refresh(&session.client, &mut self.monitor) {
            Ok(departed) => self.departed.extend(departed),
            // This stops the monitor, too.
            Err(Failure::Call(error)) if error.kind() == ErrorKind::Stopped => {}
            Err(failure) => self.service.list_failed(&failure),
        }
        let swept = self.monitor.next_changes();
        let departed = std::mem::take(&mut self.departed);
        let mut changes = departed.changes;
        let is_stopped = swept.is_none();
        changes.extend(swept.unwrap_or_default());
        self.service.record(&changes, &departed.ids, &self.monitor);
        if is_stopped {
            return None;
        }
        self.service.measure(&self.monitor);
        Some(changes)
    }
}

impl Arguments {
    fn roster(&self) -> Roster {
        if !self.ids.is_empty() {
            return Roster::Named(self.ids.clone());
        }
        let prefix = self.prefix.clone().unwrap_or_default();
        let interval = self.list_interval;
        Roster::Listed { prefix, interval, due: Instant::now() + interval }
    }

    /// Creates the log, and the list of its lines if they are shown on the screen.
    fn log(&self, output: &Output) -> (Log, Option<Receiver<String>>) {
        let format = self.log.unwrap_or(Format::usual(output.json));
        match !output.json && output.is_terminal() {
            true => {
                let (sender, lines) = mpsc::channel();
                (Log::new(format, Some(sender)), Some(lines))
            }
            false => (Log::new(format, None), None),
        }
    }

    fn options(&self) -> MonitorOptions {
        let mut limits = Limits::new().frame_rate_drop(f64::from(self.frame_rate_drop) / 100.0);
        if let Some(rate) = self.min_bit_rate {
            limits = limits.min_bandwidth(rate);
        }
        let options = MonitorOptions::new()
            .interval(self.interval)
            .max_parallel(self.rates.parallel.into())
            .limits(limits);
        match self.rates.rate {
            Some(rate) => options.rate(rate),
            None => options,
        }
    }
}

fn once(ids: Vec<String>, rates: &RateOptions, session: &Session) -> Outcome {
    let stop = StopHandle::new();
    signal::stops(&stop)?;
    let bar = session.progress.items(ids.len());
    let options = rates.options().stop(&stop);
    let options = options.progress(|progress| bar.set_position(progress.done as u64));
    let sweep = session.client.monitor_channels(ids, &options);
    bar.finish_and_clear();
    session.output.show(&sweep, |out| board::table(&sweep).write(out));
    failures(&sweep)
}

fn failures(sweep: &Sweep) -> Outcome {
    if sweep.failed.is_empty() {
        return Ok(());
    }
    let exit = Exit::of_all(sweep.failed.iter().map(|failed| Exit::of(&failed.error)));
    let all = text::count(sweep.total, "channel");
    Err(Failure::Message(exit, format!("{} of {all} could not be read", sweep.failed.len())))
}

/// Prints changes until nobody reads them anymore.
fn in_lines(watched: &mut Watched, session: &Session) {
    while let Some(changes) = watched.next_changes(session) {
        for change in changes {
            session.output.line(&change, |out| writeln!(out, "{}", line(&change)));
        }
        if session.output.is_broken() {
            return;
        }
    }
}

fn on_screen(watched: &mut Watched, interval: Duration, log: &Receiver<String>, session: &Session) {
    let mut screen = Screen::new(Term::buffered_stdout());
    let mut latest = VecDeque::new();
    while let Some(changes) = watched.next_changes(session) {
        latest.extend(log.try_iter());
        latest.extend(changes.iter().map(line));
        latest.drain(..latest.len().saturating_sub(board::LATEST));
        if let Some(sweep) = watched.monitor.last_sweep() {
            let latest = latest.make_contiguous();
            let lines = |rows, columns| board::lines(sweep, latest, interval, rows, columns);
            if let Err(error) = screen.draw(lines) {
                return session.output.fail(error);
            }
        }
    }
}

/// Formats a change as a line for people.
fn line(change: &Change) -> String {
    let what = match &change.kind {
        // Encoders are configured in bits per second.
        ChangeKind::BandwidthLow { bandwidth, limit } => format!(
            "{} has {}, below {}",
            change.id,
            text::bit_rate(*bandwidth),
            text::bit_rate(*limit)
        ),
        ChangeKind::BandwidthRecovered { bandwidth, .. } => {
            format!("{} has {} again", change.id, text::bit_rate(*bandwidth))
        }
        _ => change.to_string(),
    };
    format!("{}  {}", text::moment(change.time), clean(&what))
}
