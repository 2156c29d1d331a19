//! The metrics for Prometheus.

use super::outbox::{Counts, Outbox};
use osslive::{ChannelReport, FailedChannel, StreamState, Sweep};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, prometheus_text, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// The formats of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exposition {
    OpenMetrics,
    /// The older format of Prometheus.
    Text,
}

impl Exposition {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Exposition::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Exposition::Text => prometheus_text::CONTENT_TYPE,
        }
    }
}

/// The monitor's metrics.
#[derive(Debug)]
pub(super) struct Metrics {
    bucket: String,
    outbox: Arc<Outbox>,
    /// Requests that the service throttled.
    throttled: Arc<AtomicU64>,
    state: Mutex<State>,
}

#[derive(Debug, Default, Clone)]
struct State {
    /// Sorted by channel. Replaced as a whole, so that a slow reader does not block
    /// others.
    channels: Arc<Vec<Channel>>,
    sweeps: u64,
    sweep_seconds: f64,
    status_failures: u64,
    list_failures: u64,
}

/// The metrics of a channel.
#[derive(Debug, Clone)]
struct Channel {
    id: Arc<str>,
    state: StreamState,
    connected: Option<OffsetDateTime>,
    publisher: Option<Arc<str>>,
    video_rate: Option<u64>,
    audio_rate: Option<u64>,
    frame_rate: Option<u32>,
    sessions: u64,
    /// When its status was last read; `None` if never.
    read: Option<Instant>,
}

impl Metrics {
    pub(super) fn new(bucket: &str, outbox: Arc<Outbox>, throttled: Arc<AtomicU64>) -> Metrics {
        Metrics { bucket: bucket.to_owned(), outbox, throttled, state: Mutex::default() }
    }

    /// Counts a failed attempt to list the channels.
    pub(super) fn count_list_failure(&self) {
        self.lock().list_failures += 1;
    }

    /// Takes a sweep and its duration. Channels that are not in it, or do not
    /// exist, have no metrics from now on.
    pub(super) fn update(&self, sweep: &Sweep, took: Duration) {
        // A status may have been read as early as the start of the sweep.
        let read = Instant::now().checked_sub(took);
        let before = self.lock().channels.clone();
        let find = |id: &str| {
            before.binary_search_by(|channel| (*channel.id).cmp(id)).ok().map(|at| &before[at])
        };
        let reports = sweep.live.iter().chain(&sweep.idle).chain(&sweep.disabled);
        let mut channels: Vec<Channel> =
            reports.map(|report| Channel::read(report, find(&report.id), read)).collect();
        let is_gone = |failed: &&FailedChannel| {
            failed.error.code() == Some(osslive::code::NO_SUCH_LIVE_CHANNEL)
        };
        let failed: Vec<_> = sweep.failed.iter().filter(|failed| !is_gone(failed)).collect();
        channels.extend(failed.iter().filter_map(|failed| find(&failed.id)).cloned());
        channels.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        let mut state = self.lock();
        state.channels = Arc::new(channels);
        state.sweeps += 1;
        state.sweep_seconds = took.as_secs_f64();
        state.status_failures += failed.len() as u64;
    }

    /// Writes all metrics.
    pub(super) fn write(&self, to: &mut impl fmt::Write, exposition: Exposition) -> fmt::Result {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self.snapshot()));
        match exposition {
            Exposition::OpenMetrics => text::encode(to, &registry),
            Exposition::Text => prometheus_text::encode(to, &registry),
        }
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot {
            bucket: self.bucket.clone(),
            state: self.lock().clone(),
            throttled: self.throttled.load(Ordering::Relaxed),
            receivers: self.outbox.counts(),
            now: OffsetDateTime::now_utc(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Channel {
    fn read(report: &ChannelReport, before: Option<&Channel>, read: Option<Instant>) -> Channel {
        let status = &report.status;
        let is_live = status.status == StreamState::Live;
        let video = status.video.as_ref().filter(|_| is_live);
        let audio = status.audio.as_ref().filter(|_| is_live);
        let mut channel = Channel {
            id: before.map_or_else(|| report.id.as_str().into(), |before| before.id.clone()),
            state: status.status,
            connected: status.connected_time.filter(|_| is_live),
            publisher: status.remote_addr.as_deref().filter(|_| is_live).map(Arc::from),
            video_rate: video.map(|video| video.bandwidth),
            audio_rate: audio.map(|audio| audio.bandwidth),
            frame_rate: video.map(|video| video.frame_rate),
            sessions: before.map_or(0, |before| before.sessions),
            read: read.or_else(|| before.and_then(|before| before.read)),
        };
        channel.sessions += u64::from(is_live && !before.is_some_and(|b| channel.continues(b)));
        channel
    }

    /// Returns whether this is still the same session. Fields that a status omits
    /// do not count as a difference.
    fn continues(&self, before: &Channel) -> bool {
        fn differ<T: PartialEq>(now: &Option<T>, before: &Option<T>) -> bool {
            now.as_ref().zip(before.as_ref()).is_some_and(|(now, before)| now != before)
        }
        before.state == StreamState::Live
            && !differ(&self.connected, &before.connected)
            && !differ(&self.publisher, &before.publisher)
    }
}

/// The metrics at one moment.
#[derive(Debug)]
struct Snapshot {
    bucket: String,
    state: State,
    throttled: u64,
    receivers: Vec<(String, Counts)>,
    now: OffsetDateTime,
}

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        self.channels(&mut encoder)?;
        self.monitor(&mut encoder)?;
        self.receivers(&mut encoder)
    }
}

impl Snapshot {
    fn channels(&self, to: &mut DescriptorEncoder) -> fmt::Result {
        let is = |state| move |channel: &Channel| Some(i64::from(channel.state == state));
        let each = |to: &mut _,
                    name,
                    help,
                    unit: Option<Unit>,
                    value: &dyn Fn(&Channel) -> Option<f64>| {
            self.each_channel(to, name, help, unit, value)
        };
        let flag = |value: Option<i64>| value.map(|value| value as f64);
        each(to, "live", "Whether a publisher is connected", None, &|channel| {
            flag(is(StreamState::Live)(channel))
        })?;
        each(to, "disabled", "Whether the channel is disabled", None, &|channel| {
            flag(is(StreamState::Disabled)(channel))
        })?;
        let help = "Video bit rate of a live channel, in bytes per second";
        each(to, "video_bit_rate", help, Some(Unit::Bytes), &|channel| {
            channel.video_rate.map(|rate| rate as f64)
        })?;
        let help = "Audio bit rate of a live channel, in bytes per second";
        each(to, "audio_bit_rate", help, Some(Unit::Bytes), &|channel| {
            channel.audio_rate.map(|rate| rate as f64)
        })?;
        let help = "Frames per second of a live channel, rounded by the service";
        each(to, "frame_rate", help, None, &|channel| channel.frame_rate.map(f64::from))?;
        let help = "Time since the publisher of a live channel connected";
        each(to, "connected", help, Some(Unit::Seconds), &|channel| {
            channel.connected.map(|since| (self.now - since).as_seconds_f64().max(0.0))
        })?;
        let help = "Time since the status of the channel was read";
        each(to, "status_age", help, Some(Unit::Seconds), &|channel| {
            channel.read.map(|read| read.elapsed().as_secs_f64())
        })?;
        self.sessions(to)
    }

    fn each_channel(
        &self,
        to: &mut DescriptorEncoder,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        value: &dyn Fn(&Channel) -> Option<f64>,
    ) -> fmt::Result {
        let name = format!("osslive_channel_{name}");
        let mut metric = to.encode_descriptor(&name, help, unit.as_ref(), MetricType::Gauge)?;
        for channel in self.state.channels.iter() {
            if let Some(value) = value(channel) {
                metric.encode_family(&self.labels(channel))?.encode_gauge(&value)?;
            }
        }
        Ok(())
    }

    fn sessions(&self, to: &mut DescriptorEncoder) -> fmt::Result {
        let help = "Sessions of the channel seen since the monitor started";
        let name = "osslive_channel_sessions";
        let mut metric = to.encode_descriptor(name, help, None, MetricType::Counter)?;
        for channel in self.state.channels.iter() {
            let labels = self.labels(channel);
            let mut metric = metric.encode_family(&labels)?;
            metric.encode_counter::<NoLabels, _, u64>(&channel.sessions, None)?;
        }
        Ok(())
    }

    fn labels<'a>(&'a self, channel: &'a Channel) -> [(&'a str, &'a str); 2] {
        [("bucket", &self.bucket), ("channel", &channel.id)]
    }

    fn monitor(&self, to: &mut DescriptorEncoder) -> fmt::Result {
        let State { channels, sweeps, sweep_seconds, status_failures, list_failures } = &self.state;
        let bucket = [("bucket", self.bucket.as_str())];
        let help = "Channels that are monitored and have been read";
        let mut metric =
            to.encode_descriptor("osslive_monitor_channels", help, None, MetricType::Gauge)?;
        metric.encode_family(&bucket)?.encode_gauge(&(channels.len() as f64))?;
        let (name, help) = ("osslive_monitor_sweep_duration", "Duration of the latest sweep");
        let unit = Some(&Unit::Seconds);
        let mut metric = to.encode_descriptor(name, help, unit, MetricType::Gauge)?;
        metric.encode_family(&bucket)?.encode_gauge(sweep_seconds)?;
        for (name, help, count) in [
            ("sweeps", "Sweeps through all channels", *sweeps),
            ("throttled", "Throttled requests", self.throttled),
            ("status_failures", "Statuses that could not be read", *status_failures),
            ("list_failures", "Failed attempts to list the channels", *list_failures),
        ] {
            let name = format!("osslive_monitor_{name}");
            let mut metric = to.encode_descriptor(&name, help, None, MetricType::Counter)?;
            let mut metric = metric.encode_family(&bucket)?;
            metric.encode_counter::<NoLabels, _, u64>(&count, None)?;
        }
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        let help = "The version of the monitor";
        to.encode_descriptor("osslive_monitor", help, None, MetricType::Info)?.encode_info(&version)
    }

    fn receivers(&self, to: &mut DescriptorEncoder) -> fmt::Result {
        if self.receivers.is_empty() {
            return Ok(());
        }
        let (name, help) = ("osslive_monitor_events_queued", "Events waiting for delivery");
        let mut metric = to.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (receiver, counts) in &self.receivers {
            let labels = [("bucket", self.bucket.as_str()), ("receiver", receiver)];
            metric.encode_family(&labels)?.encode_gauge(&(counts.queued as f64))?;
        }
        type Count = fn(&Counts) -> u64;
        let counters: [(&str, &str, Count); 3] = [
            ("events_delivered", "Events delivered", |counts| counts.delivered),
            ("delivery_failures", "Failed deliveries", |counts| counts.failures),
            ("events_dropped", "Events dropped", |counts| counts.dropped),
        ];
        for (name, help, count) in counters {
            let name = format!("osslive_monitor_{name}");
            let mut metric = to.encode_descriptor(&name, help, None, MetricType::Counter)?;
            for (receiver, counts) in &self.receivers {
                let labels = [("bucket", self.bucket.as_str()), ("receiver", receiver)];
                let mut metric = metric.encode_family(&labels)?;
                let value = count(counts);
                metric.encode_counter::<NoLabels, _, u64>(&value, None)?;
            }
        }
        Ok(())
    }
}

/// The labels of exemplars, which counters here do not have.
type NoLabels = [(&'static str, &'static str); 0];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Format, Log};
    use serde_json::{Value, json};

    fn metrics() -> Metrics {
        let receivers = vec![("command".into(), "command".into())];
        let outbox = Outbox::new(receivers, Log::new(Format::None, None));
        Metrics::new("live-demo", Arc::new(outbox), Arc::default())
    }

    fn live(id: &str, from: &str, rate: u64) -> Value {
        json!({
            "id": id, "status": "Live", "connectedTime": "2026-05-01T19:30:00Z", "remoteAddr": from,
            "video": { "width": 16, "height": 16, "frameRate": 30, "bandwidth": rate, "codec": "H264" },
            "audio": { "bandwidth": 12_000, "sampleRate": 44_100, "codec": "AAC" },
            "res": { "status": 200, "elapsedMs": 1.0, "attempts": 1 },
        })
    }

    fn quiet(id: &str, status: &str) -> Value {
        json!({ "id": id, "status": status, "res": { "status": 200, "elapsedMs": 1.0, "attempts": 1 } })
    }

    fn sweep(
        live: Vec<Value>,
        idle: Vec<Value>,
        disabled: Vec<Value>,
        failed: Vec<Value>,
    ) -> Sweep {
        let total = live.len() + idle.len() + disabled.len() + failed.len();
        serde_json::from_value(json!({
            "live": live, "idle": idle, "disabled": disabled, "failed": failed, "total": total,
        }))
        .unwrap()
    }

    fn failed(id: &str, code: &str) -> Value {
        json!({ "id": id, "error": { "kind": "service", "code": code, "message": "", "attempts": 1 } })
    }

    fn written(metrics: &Metrics, exposition: Exposition) -> String {
        let mut text = String::new();
        metrics.write(&mut text, exposition).unwrap();
        text
    }

    /// Returns the value of a series in OpenMetrics text.
    fn value(metrics: &Metrics, series: &str) -> Option<f64> {
        let text = written(metrics, Exposition::OpenMetrics);
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{series} ")))?;
        Some(line.parse().unwrap())
    }

    fn channel(name: &str, id: &str) -> String {
        format!("osslive_channel_{name}{{bucket=\"live-demo\",channel=\"{id}\"}}")
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn each_channel_has_a_series_for_each_known_value() {
        let metrics = metrics();
        let others = (vec![quiet("b", "Idle")], vec![quiet("c", "Disabled")]);
        metrics.update(&sweep(vec![live("a", "x:1", 9)], others.0, others.1, vec![]), SECOND * 3);
        let value = |name: &str, id: &str| value(&metrics, &channel(name, id));
        assert_eq!([value("live", "a"), value("live", "b")], [Some(1.0), Some(0.0)]);
        assert_eq!([value("disabled", "a"), value("disabled", "c")], [Some(0.0), Some(1.0)]);
        assert_eq!(value("video_bit_rate_bytes", "a"), Some(9.0));
        assert_eq!(value("audio_bit_rate_bytes", "a"), Some(12_000.0));
        assert_eq!(value("frame_rate", "a"), Some(30.0));
        assert!(value("connected_seconds", "a") > Some(1e6));
        assert_eq!(value("frame_rate", "b"), None);
        assert!(value("status_age_seconds", "b") >= Some(3.0));
        assert_eq!(value("sessions_total", "a"), Some(1.0));
        let bucket = "{bucket=\"live-demo\"}";
        let monitor =
            |name: &str| super::tests::value(&metrics, &format!("osslive_monitor_{name}{bucket}"));
        assert_eq!(monitor("sweep_duration_seconds"), Some(3.0));
        assert_eq!(monitor("channels"), Some(3.0));
        assert_eq!(monitor("sweeps_total"), Some(1.0));
    }

    #[test]
    fn a_session_counts_once_and_another_publisher_is_another_session() {
        let metrics = metrics();
        for (from, sessions) in [("x:1", 1.0), ("x:1", 1.0), ("y:1", 2.0)] {
            metrics.update(&sweep(vec![live("a", from, 9)], vec![], vec![], vec![]), SECOND);
            assert_eq!(value(&metrics, &channel("sessions_total", "a")), Some(sessions));
        }
        metrics.update(&sweep(vec![], vec![quiet("a", "Idle")], vec![], vec![]), SECOND);
        metrics.update(&sweep(vec![live("a", "y:1", 9)], vec![], vec![], vec![]), SECOND);
        assert_eq!(value(&metrics, &channel("sessions_total", "a")), Some(3.0));
    }

    #[test]
    fn a_deleted_channel_has_no_series_and_a_failed_one_keeps_its_series() {
        let metrics = metrics();
        let ids = ["a", "b", "c"];
        let all = ids.map(|id| live(id, "x:1", 9)).to_vec();
        metrics.update(&sweep(all, vec![], vec![], vec![]), SECOND);
        let failures = vec![failed("a", "NoSuchLiveChannel"), failed("b", "InternalError")];
        metrics.update(&sweep(vec![], vec![], vec![], failures), SECOND);
        let known = ids.map(|id| value(&metrics, &channel("live", id)));
        assert_eq!(known, [None, Some(1.0), None]);
        let failures = "osslive_monitor_status_failures_total{bucket=\"live-demo\"}";
        assert_eq!(value(&metrics, failures), Some(1.0), "a deleted channel is not a failure");
    }

    #[test]
    fn names_of_channels_are_escaped() {
        let metrics = metrics();
        let odd = "a\"b\\c\nd直播";
        metrics.update(&sweep(vec![], vec![quiet(odd, "Idle")], vec![], vec![]), SECOND);
        assert_eq!(value(&metrics, &channel("live", "a\\\"b\\\\c\\nd直播")), Some(0.0));
    }

    #[test]
    fn both_formats_have_the_same_series() {
        let metrics = metrics();
        metrics.update(&sweep(vec![live("a", "x:1", 9)], vec![], vec![], vec![]), SECOND);
        let names = |exposition| {
            let text = written(&metrics, exposition);
            let lines = text.lines().filter(|line| !line.starts_with('#'));
            lines.filter_map(|line| Some(line.split_once(' ')?.0.to_owned())).collect::<Vec<_>>()
        };
        assert!(names(Exposition::Text).len() > 15);
        assert_eq!(names(Exposition::Text), names(Exposition::OpenMetrics));
        assert!(written(&metrics, Exposition::OpenMetrics).ends_with("# EOF\n"));
    }
}
