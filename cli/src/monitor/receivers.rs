//! The receivers of events, and the threads that deliver them.

use super::command::OnChange;
use super::event::Event;
use super::outbox::{Outbox, Outcome};
use super::webhook::Webhook;
use sha2::{Digest, Sha256};
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The number of events that a webhook gets at a time, each from a different channel.
const PARALLEL: usize = 4;
/// How long deliveries may take once the monitor is stopping.
const GRACE: Duration = Duration::from_secs(5);
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A receiver of events.
#[derive(Debug)]
pub(super) enum Receiver {
    Command(OnChange),
    Webhook(Webhook),
}

impl Receiver {
    fn deliver(&self, event: &Event, outbox: &Outbox) -> Outcome {
        match self {
            Receiver::Command(command) => command.deliver(event, &|| outbox.is_stopped()),
            Receiver::Webhook(webhook) => webhook.deliver(event),
        }
    }

    fn parallel(&self) -> usize {
        match self {
            Receiver::Command(_) => 1,
            Receiver::Webhook(_) => PARALLEL,
        }
    }
}

/// The name of a command in the state. Changing the command does not lose its events.
pub(super) const COMMAND: &str = "command";

/// Returns a webhook's name in the state, which does not reveal the URL: it may
/// contain a token.
pub(super) fn webhook_name(url: &str) -> String {
    let digest = Sha256::digest(url.as_bytes());
    let start: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("webhook-{start}")
}

/// Threads that deliver events until the outbox is stopped.
pub(super) struct Deliveries(Vec<JoinHandle<()>>);

impl Deliveries {
    /// Starts delivery. The receivers have the same positions as in the outbox.
    pub(super) fn start(receivers: Vec<Receiver>, outbox: &Arc<Outbox>) -> io::Result<Deliveries> {
        let mut threads = Vec::new();
        for (place, receiver) in receivers.into_iter().enumerate() {
            let receiver = Arc::new(receiver);
            for _ in 0..receiver.parallel() {
                let (receiver, outbox) = (receiver.clone(), outbox.clone());
                let work = move || deliver(place, &receiver, &outbox);
                threads.push(thread::Builder::new().name("delivery".into()).spawn(work)?);
            }
        }
        Ok(Deliveries(threads))
    }

    /// Waits briefly until deliveries have ended: an event whose delivery is
    /// interrupted is delivered again.
    pub(super) fn end(self) {
        let end = Instant::now() + GRACE;
        let is_running = |threads: &[JoinHandle<()>]| threads.iter().any(|t| !t.is_finished());
        while is_running(&self.0) && Instant::now() < end {
            thread::sleep(POLL_INTERVAL);
        }
    }
}

fn deliver(place: usize, receiver: &Receiver, outbox: &Outbox) {
    while let Some((number, event)) = outbox.next(place) {
        let outcome = receiver.deliver(&event, outbox);
        outbox.settle(place, number, &event, outcome);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_webhook_does_not_show_its_url() {
        let name = webhook_name("https://hooks.example/hush");
        assert_eq!(name.len(), "webhook-".len() + 16);
        assert!(!name.contains("hush") && name == webhook_name("https://hooks.example/hush"));
        assert_ne!(name, webhook_name("https://hooks.example/other"));
    }
}
