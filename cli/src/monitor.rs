//! `osslive monitor`: polls many channels.

mod board;
mod screen;

use crate::failure::{Exit, Failure, Outcome};
use crate::pace::Pace;
use crate::session::Session;
use crate::signal;
use crate::text::{self, clean, parse_bit_rate, parse_positive_length};
use clap::{Args, value_parser};
use console::Term;
use osslive::{Change, ChangeKind, ChannelMonitor, Limits, MonitorOptions, StopHandle, Sweep};
use screen::Screen;
use std::time::Duration;

pub(crate) const HELP: &str = "\
On a terminal, shows a table that updates at each poll. Otherwise, prints one
line per change: a channel went live or idle, was enabled or disabled, has a new
publisher, a low bit rate or frame rate, or cannot be read. The first poll
reports every channel that is not idle. Ctrl-C exits with status 0.

Examples:
  osslive monitor main-stage backstage audience --interval 10s
  osslive monitor --prefix stage- --once
  osslive monitor main-stage --min-bit-rate 800k --json";

#[derive(Args)]
pub(crate) struct Arguments {
    /// Channel ids [default: all channels that exist at the start]
    #[arg(value_name = "CHANNEL")]
    ids: Vec<String>,
    /// Monitor all channels whose ids start with this prefix
    #[arg(long, value_name = "PREFIX", conflicts_with = "ids")]
    prefix: Option<String>,
    /// Poll once and exit, with status 0 if every channel could be read
    #[arg(long)]
    once: bool,
    /// Polling interval
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_positive_length)]
    interval: Duration,
    /// Report channels below this bit rate, such as 800k
    #[arg(long, value_name = "BITS", value_parser = parse_bit_rate)]
    min_bit_rate: Option<u64>,
    /// Report frame rate drops larger than this since the last poll
    #[arg(long, value_name = "PERCENT", default_value_t = 10, value_parser = value_parser!(u8).range(0..=100))]
    frame_rate_drop: u8,
    #[command(flatten)]
    pace: Pace,
}

pub(crate) fn run(arguments: Arguments, session: &Session) -> Outcome {
    let ids = ids(&arguments, session)?;
    if arguments.once {
        return once(ids, &arguments.pace, session);
    }
    if ids.is_empty() {
        return Err(Failure::Message(Exit::NotFound, "no channels to monitor".to_owned()));
    }
    let mut monitor = ChannelMonitor::new(&session.client, ids, arguments.options());
    signal::stops(&monitor.stop_handle())?;
    if !session.output.json && session.output.is_terminal() {
        on_screen(&mut monitor, arguments.interval, session);
    } else {
        in_lines(&mut monitor, session);
    }
    Ok(())
}

impl Arguments {
    fn options(&self) -> MonitorOptions {
        let mut limits = Limits::new().frame_rate_drop(f64::from(self.frame_rate_drop) / 100.0);
        if let Some(rate) = self.min_bit_rate {
            limits = limits.min_bandwidth(rate);
        }
        let options = MonitorOptions::new()
            .interval(self.interval)
            .max_parallel(self.pace.parallel.into())
            .limits(limits);
        match self.pace.rate {
            Some(rate) => options.rate(rate),
            None => options,
        }
    }
}

fn ids(arguments: &Arguments, session: &Session) -> Outcome<Vec<String>> {
    if !arguments.ids.is_empty() {
        return Ok(arguments.ids.clone());
    }
    let prefix = arguments.prefix.as_deref().unwrap_or_default();
    let channels = session.client.channels(prefix);
    Ok(channels.map(|channel| channel.map(|channel| channel.name)).collect::<Result<_, _>>()?)
}

fn once(ids: Vec<String>, pace: &Pace, session: &Session) -> Outcome {
    let stop = StopHandle::new();
    signal::stops(&stop)?;
    let bar = session.progress.things(ids.len());
    let options = pace.options().stop(&stop);
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

/// Prints changes for as long as there is somebody to read them.
fn in_lines(monitor: &mut ChannelMonitor, session: &Session) {
    while let Some(changes) = monitor.next_changes() {
        for change in changes {
            session.output.line(&change, |out| writeln!(out, "{}", line(&change)));
        }
        if session.output.is_broken() {
            return;
        }
    }
}

fn on_screen(monitor: &mut ChannelMonitor, interval: Duration, session: &Session) {
    let mut screen = Screen::new(Term::buffered_stdout());
    let mut latest = Vec::new();
    while let Some(changes) = monitor.next_changes() {
        latest.extend(changes.iter().map(line));
        latest.drain(..latest.len().saturating_sub(board::LATEST));
        if let Some(sweep) = monitor.last_sweep() {
            let lines = |rows, columns| board::lines(sweep, &latest, interval, rows, columns);
            if let Err(error) = screen.draw(lines) {
                return session.output.fail(error);
            }
        }
    }
}

/// A change as a line for people.
fn line(change: &Change) -> String {
    let what = match &change.kind {
        // Encoders are set in bits per second.
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
