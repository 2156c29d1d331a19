//! Reports a publisher's connection to the event log.

use crate::control::AppliedRule;
use crate::event::{Event, EventKind, Level};
use crate::fault::Fault;
use crate::media::recorder::Notice;
use crate::site::Site;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

/// The maximum number of events about the stream of a session: a broken encoder
/// could otherwise fill the log.
const MAX_STREAM_EVENTS: u32 = 100;

/// Reports the sessions of one connection.
pub(super) struct Report {
    site: Arc<Site>,
    remote: SocketAddr,
    /// The access key id that the client used last.
    access_key_id: Option<String>,
    /// The bucket and channel to which the client last published.
    target: Option<(String, String)>,
    /// When the current session began, if any.
    since: Option<Instant>,
    stream_events: u32,
    /// Whether there already is an event about the client: it was accepted, or
    /// refused with a reason.
    is_known: bool,
}

impl Report {
    pub(super) fn new(site: Arc<Site>, remote: SocketAddr) -> Self {
        Report {
            site,
            remote,
            access_key_id: None,
            target: None,
            since: None,
            stream_events: 0,
            is_known: false,
        }
    }

    /// Sets the bucket and channel to which the client publishes.
    pub(super) fn set_target(&mut self, bucket: &str, channel: &str) {
        self.target = Some((bucket.to_owned(), channel.to_owned()));
    }

    /// Sets the access key id from a stream name.
    pub(super) fn set_access_key(&mut self, stream: &str) {
        let query = stream.split_once('?').map_or("", |(_, query)| query);
        let id = query.split('&').find_map(|pair| pair.strip_prefix("OSSAccessKeyId="));
        self.access_key_id = id.map(str::to_owned);
    }

    /// Reports that a fault rule refuses the client.
    pub(super) fn refuse_by_rule(&mut self, applied: &AppliedRule) {
        self.is_known = true;
        let message = Some(format!("fault rule {}", applied.id));
        let event = self.event(Level::Warn, EventKind::Refusal);
        self.record(Event { message, ..event });
    }

    /// Reports the start of a session.
    pub(super) fn publish(&mut self) {
        self.since = Some(Instant::now());
        self.is_known = true;
        self.stream_events = 0;
        self.record(self.event(Level::Info, EventKind::Publish));
    }

    /// Reports that the client or its stream is refused.
    pub(super) fn refuse(&mut self, fault: &Fault) {
        self.is_known = true;
        let level = if fault.status >= 500 { Level::Error } else { Level::Warn };
        let Fault { code, ec, .. } = *fault;
        let message = Some(fault.message.clone());
        let event = self.event(level, EventKind::Refusal);
        self.record(Event { code: Some(code), ec, message, ..event });
    }

    /// Reports a problem with the stream, of which its publisher may not know.
    pub(super) fn notice(&mut self, notice: Notice) {
        self.stream_events += 1;
        if self.stream_events <= MAX_STREAM_EVENTS {
            let event = self.event(Level::Warn, EventKind::Stream);
            self.record(Event { message: Some(notice.to_string()), ..event });
        }
    }

    /// Reports the end of the session, with the number of dropped messages.
    pub(super) fn end(&mut self, why: &Ending<'_>, dropped: u64) {
        let Some(since) = self.since.take() else { return };
        let level = match why {
            Ending::Finished | Ending::Closed | Ending::Stopped => Level::Info,
            Ending::Cut | Ending::Refused | Ending::Failed(_) => Level::Warn,
            Ending::Unwritten(_) => Level::Error,
        };
        let event = self.event(level, EventKind::End);
        self.record(Event {
            message: Some(why.to_string()),
            duration_ms: u64::try_from(since.elapsed().as_millis()).ok(),
            count: Some(dropped).filter(|dropped| *dropped > 0),
            ..event
        });
    }

    /// Reports that the connection failed, unless there already is an event about
    /// the client.
    pub(super) fn fail(&self, error: &io::Error) {
        if self.is_known {
            return;
        }
        let event = self.event(Level::Warn, EventKind::Refusal);
        self.record(Event { message: Some(error.to_string()), ..event });
    }

    fn event(&self, level: Level, kind: EventKind) -> Event {
        let (bucket, key) = self.target.clone().unzip();
        let time = self.site.clock.now();
        let access_key_id = self.access_key_id.clone();
        let remote = Some(self.remote);
        Event { remote, access_key_id, bucket, key, ..Event::new(time, level, kind) }
    }

    fn record(&self, event: Event) {
        self.site.events.record(event);
    }
}

/// Why a session ended.
#[derive(Debug)]
pub(super) enum Ending<'a> {
    /// The publisher ended the stream.
    Finished,
    /// The publisher closed the connection.
    Closed,
    /// The stream was refused.
    Refused,
    /// The channel was disabled.
    Cut,
    /// The endpoint was stopped.
    Stopped,
    /// The connection failed.
    Failed(&'a io::Error),
    /// The last fragment could not be written.
    Unwritten(&'a io::Error),
}

impl std::fmt::Display for Ending<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Ending::Finished => f.write_str("the publisher ended its stream"),
            Ending::Closed => f.write_str("the publisher closed the connection"),
            Ending::Refused => f.write_str("the stream was rejected"),
            Ending::Cut => f.write_str("the channel was disabled"),
            Ending::Stopped => f.write_str("the endpoint was stopped"),
            Ending::Failed(error) if error.kind() == io::ErrorKind::TimedOut => {
                f.write_str("timed out waiting for the publisher")
            }
            Ending::Failed(error) => write!(f, "the connection failed: {error}"),
            Ending::Unwritten(error) => {
                write!(f, "the last fragment could not be written: {error}")
            }
        }
    }
}
