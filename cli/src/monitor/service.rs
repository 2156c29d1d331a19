//! The monitor as a service: metrics, events and state.

use super::command::{self, OnChange};
use super::event::Event;
use super::journal::Journal;
use super::metrics::Metrics;
use super::outbox::Outbox;
use super::receivers::{COMMAND, Deliveries, Receiver, webhook_name};
use super::roster::{Departed, Roster};
use super::server;
use super::signature::Signer;
use super::webhook::{self, Webhook};
use crate::connection::Connection;
use crate::failure::{Failure, Outcome};
use crate::log::Log;
use crate::output::Output;
use crate::secret;
use clap::Args;
use osslive::{Change, ChannelMonitor};
use serde_json::json;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use time::OffsetDateTime;
use zeroize::Zeroizing;

#[derive(Args)]
#[command(next_help_heading = "Service")]
pub(super) struct Options {
    /// Serve metrics for Prometheus at /metrics, without authentication; port 0
    /// picks a free one
    #[arg(long, value_name = "HOST:PORT")]
    metrics: Option<SocketAddr>,
    /// Run this program for each event, with OSSLIVE_* variables and JSON on stdin
    #[arg(long, value_name = "COMMAND", value_parser = command::parse_command)]
    on_change: Option<std::vec::Vec<String>>,
    /// Send each event to this URL as a signed POST request (repeatable)
    /// [env: OSSLIVE_MONITOR_WEBHOOK]
    #[arg(
        id = "webhook",
        long,
        value_name = "URL",
        requires = "webhook_secret_file",
        env = "OSSLIVE_MONITOR_WEBHOOK",
        hide_env = true
    )]
    webhooks: Vec<String>,
    /// File that contains the secret that signs webhooks; - for stdin
    #[arg(long, value_name = "FILE", requires = "webhook")]
    webhook_secret_file: Option<PathBuf>,
    /// Keep undelivered events and the last known state of channels in this file
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
}

impl Options {
    /// Returns whether the monitor works for other programs rather than for a
    /// person.
    pub(super) fn is_service(&self) -> bool {
        self.metrics.is_some()
            || self.on_change.is_some()
            || !self.webhooks.is_empty()
            || self.state.is_some()
    }

    /// The receivers of events, with their names in the state and in the log.
    fn receivers(&self, setup: &Setup<'_>) -> Outcome<Vec<(Receiver, String, String)>> {
        let mut receivers = Vec::new();
        if let Some(words) = &self.on_change {
            let command = OnChange::new(words.clone(), setup.log.is_on_stderr());
            receivers.push((Receiver::Command(command), COMMAND.to_owned(), COMMAND.to_owned()));
        }
        let Some(file) = &self.webhook_secret_file else { return Ok(receivers) };
        let signer = signer(file, setup.output)?;
        let agent = setup.connection.agent(webhook::TIMEOUT)?;
        for (number, url) in (1..).zip(&self.webhooks) {
            // clap would show the URL, which may contain a token.
            let wrong = |wrong| Failure::usage(format!("--webhook: URL {number} {wrong}"));
            webhook::check_url(url).map_err(wrong)?;
            if self.webhooks[..number - 1].contains(url) {
                return Err(wrong("is a duplicate"));
            }
            let webhook = Webhook::new(url.clone(), agent.clone(), signer.clone());
            let label = format!("webhook-{number}");
            receivers.push((Receiver::Webhook(webhook), webhook_name(url), label));
        }
        Ok(receivers)
    }
}

fn signer(file: &Path, output: &Output) -> Outcome<Signer> {
    let secret = Zeroizing::new(secret::read(file, output)?);
    Signer::new(&secret).map_err(|wrong| Failure::usage(format!("{}: {wrong}", file.display())))
}

/// The context of a service.
pub(super) struct Setup<'a> {
    pub(super) connection: &'a Connection,
    pub(super) output: &'a Output,
    pub(super) log: &'a Log,
    pub(super) bucket: &'a str,
    /// Counts throttled requests.
    pub(super) throttled: Arc<AtomicU64>,
    pub(super) roster: &'a Roster,
    /// The current channels.
    pub(super) ids: &'a [String],
}

/// A running service.
pub(super) struct Service {
    bucket: String,
    log: Log,
    outbox: Arc<Outbox>,
    metrics: Arc<Metrics>,
    deliveries: Deliveries,
}

impl Service {
    /// Starts a service: everything that can fail because of the command line or
    /// this machine fails here. Also returns the channels that were deleted since
    /// the state was written.
    pub(super) fn start(
        options: &Options,
        setup: &Setup<'_>,
        monitor: &mut ChannelMonitor,
    ) -> Outcome<(Service, Departed)> {
        let (mut receivers, mut names) = (Vec::new(), Vec::new());
        for (receiver, name, label) in options.receivers(setup)? {
            receivers.push(receiver);
            names.push((name, label));
        }
        let outbox = Arc::new(Outbox::new(names, setup.log.clone()));
        let metrics = Metrics::new(setup.bucket, outbox.clone(), setup.throttled.clone());
        let metrics = Arc::new(metrics);
        let mut departed = Departed::default();
        if let Some(path) = &options.state {
            resume(path, setup, &outbox, monitor)?;
            let now = OffsetDateTime::now_utc();
            departed = setup.roster.compare(setup.ids, monitor.watch_mut(), now);
        }
        if let Some(address) = options.metrics {
            serve(address, metrics.clone(), setup.log)?;
        }
        let deliveries = Deliveries::start(receivers, &outbox)
            .map_err(|error| Failure::Io("cannot start a thread".into(), error))?;
        let (bucket, log) = (setup.bucket.to_owned(), setup.log.clone());
        Ok((Service { bucket, log, outbox, metrics, deliveries }, departed))
    }

    /// Takes changes, and the channels that are no longer monitored. They are in
    /// the state when this returns.
    pub(super) fn record(&self, changes: &[Change], departed: &[String], monitor: &ChannelMonitor) {
        let events = changes.iter().filter_map(|change| Event::of(change, &self.bucket)).collect();
        let mut ids: Vec<String> = changes.iter().map(|change| change.id.clone()).collect();
        ids.extend_from_slice(departed);
        self.outbox.record(events, &ids, monitor.watch());
    }

    /// Takes the results of the latest sweep.
    pub(super) fn measure(&self, monitor: &ChannelMonitor) {
        if let (Some(sweep), Some(took)) = (monitor.last_sweep(), monitor.last_duration()) {
            self.metrics.update(sweep, took);
        }
    }

    /// Records that the channels could not be listed.
    pub(super) fn list_failed(&self, failure: &Failure) {
        self.metrics.count_list_failure();
        let error = failure.to_string();
        self.log.warn("cannot list the channels; will retry", json!({ "error": error }));
    }

    /// Ends deliveries.
    pub(super) fn end(self) {
        self.outbox.stop();
        self.deliveries.end();
        match self.outbox.stop() {
            (0, _) => {}
            (left, true) => {
                self.log
                    .info("undelivered events are in the state file", json!({ "events": left }));
            }
            (left, false) => {
                let message = "undelivered events are lost: use --state to keep them";
                self.log.warn(message, json!({ "events": left }));
            }
        }
    }
}

fn serve(address: SocketAddr, metrics: Arc<Metrics>, log: &Log) -> Outcome {
    let address = server::start(address, metrics)
        .map_err(|error| Failure::Io(format!("cannot serve metrics on {address}"), error))?;
    log.info("serving metrics", json!({ "url": format!("http://{address}/metrics") }));
    Ok(())
}

/// Continues with an earlier monitor's state and undelivered events.
fn resume(
    path: &Path,
    setup: &Setup<'_>,
    outbox: &Outbox,
    monitor: &mut ChannelMonitor,
) -> Outcome {
    let (journal, restored) = Journal::open(path, setup.bucket).map_err(Failure::usage)?;
    if restored.was_torn {
        let message = "ignoring the incomplete last line of the state file";
        setup.log.warn(message, json!({ "file": path.display().to_string() }));
    }
    if !restored.known.is_empty() {
        let fields = json!({
            "file": path.display().to_string(), "channels": restored.known.len(),
            "events": restored.events.len(),
        });
        setup.log.info("resuming from the state", fields);
    }
    for (id, known) in &restored.known {
        monitor.watch_mut().restore(id, known.clone());
    }
    outbox.resume(journal, restored);
    Ok(())
}
