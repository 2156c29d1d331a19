//! Operations on many channels: against a server that fails on purpose, and against
//! the local endpoint with real streams.

#[path = "support/clip.rs"]
mod clip;
#[allow(dead_code, reason = "each test uses a part of it")]
#[path = "support/faulty_service.rs"]
mod faulty_service;
#[path = "support/media_clock.rs"]
mod media_clock;
// Other tests use the rest of it.
#[allow(dead_code)]
mod support;

use faulty_service::FaultyService;
use media_clock::MediaClock;
use osslive::{
    ChannelConfig, ChannelMonitor, ChannelState, Client, ClientBuilder, ErrorKind, Highlight,
    Limits, MonitorOptions, Progress, RtmpUrlOptions, StopHandle, SweepOptions, code, operation,
};
use osslive_local::push::Publisher;
use osslive_local::{Clock, Config, Disconnect, FaultRule, LocalEndpoint};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use support::{Response, Seen, Server, idle, reply};
use time::OffsetDateTime;

const BUSY: &str = "<Error><Code>ServiceUnavailable</Code><Message>later</Message></Error>";
const FAULT: &str = "<Error><Code>InternalError</Code><Message>fault</Message></Error>";
const SLOWER: &str =
    "<Error><Code>MetaOperationQpsLimitExceeded</Code><Message>slower</Message></Error>";
const GONE: &str = "<Error><Code>NoSuchLiveChannel</Code><Message>gone</Message></Error>";
const DISABLED: &str = "<LiveChannelStat><Status>Disabled</Status></LiveChannelStat>";
const LIVE: &str = "<LiveChannelStat><Status>Live</Status>\
    <ConnectedTime>2026-11-22T08:16:38.000Z</ConnectedTime>\
    <RemoteAddr>203.0.113.9:47745</RemoteAddr></LiveChannelStat>";

/// Returns the channel of a request.
fn channel_of(seen: &Seen) -> &str {
    let path = seen.line.split([' ', '?']).nth(1).unwrap();
    path.rsplit('/').next().unwrap()
}

fn number_of(seen: &Seen) -> usize {
    channel_of(seen).trim_start_matches(|c: char| !c.is_ascii_digit()).parse().unwrap()
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("channel-{number}")).collect()
}

fn ids(reports: &[osslive::ChannelReport]) -> Vec<&str> {
    reports.iter().map(|report| report.id.as_str()).collect()
}

// One sweep, against a server that fails on purpose.

#[test]
fn a_sweep_sorts_channels_by_status_and_keeps_their_order() {
    let server = Server::start(|_, seen| {
        Response::Bytes(match number_of(seen) % 4 {
            0 => reply("200 OK", LIVE),
            1 => idle(),
            2 => reply("200 OK", DISABLED),
            _ => reply("404 Not Found", GONE),
        })
    });
    let client = server.client().build().unwrap();
    let sweep = client.monitor_channels(names(12), &SweepOptions::new());
    assert_eq!(ids(&sweep.live), ["channel-0", "channel-4", "channel-8"]);
    assert_eq!(ids(&sweep.idle), ["channel-1", "channel-5", "channel-9"]);
    assert_eq!(ids(&sweep.disabled), ["channel-2", "channel-6", "channel-10"]);
    let failed: Vec<_> = sweep.failed.iter().map(|failed| failed.id.as_str()).collect();
    assert_eq!(failed, ["channel-3", "channel-7", "channel-11"]);
    assert!(sweep.failed.iter().all(|f| f.error.code() == Some(code::NO_SUCH_LIVE_CHANNEL)));
    assert_eq!(sweep.total, 12);
    assert_eq!(sweep.live[0].status.remote_addr.as_deref(), Some("203.0.113.9:47745"));
    assert_eq!(server.seen().len(), 12);
}

#[test]
fn a_duplicate_channel_is_requested_and_listed_once() {
    let server = Server::start(|_, _| Response::Bytes(idle()));
    let client = server.client().build().unwrap();
    let sweep = client.monitor_channels(["b", "a", "b", "a"], &SweepOptions::new());
    assert_eq!(ids(&sweep.idle), ["b", "a"]);
    assert_eq!((sweep.total, server.seen().len()), (2, 2));
}

#[test]
fn a_sweep_of_nothing_is_empty() {
    let server = Server::start(|_, _| Response::Bytes(idle()));
    let client = server.client().build().unwrap();
    let sweep = client.monitor_channels(Vec::<String>::new(), &SweepOptions::new());
    assert_eq!((sweep.total, server.seen().len()), (0, 0));
}

#[test]
fn failures_of_every_kind_are_isolated() {
    let rule =
        |channel: &str| FaultRule { channel: Some(channel.to_owned()), ..faulty_service::rule() };
    let service = FaultyService::with([
        FaultRule { status: Some(500), ..rule("busy") },
        FaultRule { status: Some(404), ..rule("gone") },
        FaultRule { body: Some("<html>".into()), ..rule("rubbish") },
        FaultRule { disconnect: Some(Disconnect::Close), ..rule("closed") },
        FaultRule { disconnect: Some(Disconnect::Hang), ..rule("silent") },
        faulty_service::idle(),
    ]);
    let client = service.client().timeout(Duration::from_secs(2)).build().unwrap();
    let bad = ["busy", "gone", "rubbish", "closed", "silent", "a/b", ""];
    let good = names(50);
    let all = bad.iter().map(|id| id.to_string()).chain(good.clone());
    let sweep = client.monitor_channels(all, &SweepOptions::new());
    assert_eq!(ids(&sweep.idle), good);
    let failed: Vec<_> = sweep
        .failed
        .iter()
        .map(|failed| (failed.id.as_str(), failed.error.kind(), failed.error.attempts()))
        .collect();
    assert_eq!(
        failed,
        [
            ("busy", ErrorKind::Service, 3),
            ("gone", ErrorKind::Service, 1),
            ("rubbish", ErrorKind::BadReply, 1),
            ("closed", ErrorKind::Connection, 3),
            ("silent", ErrorKind::Timeout, 3),
            ("a/b", ErrorKind::InvalidArgument, 0),
            ("", ErrorKind::InvalidArgument, 0),
        ]
    );
    assert_eq!((service.calls_about("busy"), service.calls_about("gone")), (3, 1));
}

#[test]
fn a_transient_failure_is_retried_and_counted() {
    let server = Server::start(|number, _| {
        Response::Bytes(if number < 3 { reply("503 Busy", BUSY) } else { idle() })
    });
    let client = server.client().build().unwrap();
    let sweep = client.monitor_channels(["c"], &SweepOptions::new());
    let res = &sweep.idle[0].status.res;
    assert_eq!((res.attempts, server.seen().len()), (3, 3));
}

#[test]
fn the_number_of_concurrent_calls_is_limited() {
    let (now, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let (counter, peak) = (now, most.clone());
    let server = Server::start(move |_, _| {
        let in_flight = counter.fetch_add(1, Ordering::SeqCst) + 1;
        peak.fetch_max(in_flight, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(5));
        counter.fetch_sub(1, Ordering::SeqCst);
        Response::Bytes(idle())
    });
    let client = server.client().build().unwrap();
    let sweep = client.monitor_channels(names(60), &SweepOptions::new().max_parallel(4));
    assert_eq!((sweep.idle.len(), most.swap(0, Ordering::SeqCst)), (60, 4));
    client.monitor_channels(names(5), &SweepOptions::new().max_parallel(1));
    assert_eq!(most.load(Ordering::SeqCst), 1);
}

#[test]
fn the_rate_is_limited() {
    let server = Server::start(|_, _| Response::Bytes(idle()));
    let client = server.client().build().unwrap();
    let started = Instant::now();
    client.monitor_channels(names(21), &SweepOptions::new().rate(50.0));
    // The first call starts at once, the twentieth after it 400 ms later.
    assert!(started.elapsed() >= Duration::from_millis(400));
}

#[test]
fn a_sweep_slows_down_when_throttled() {
    let times = Arc::new(Mutex::new(Vec::new()));
    let log = times.clone();
    let server = Server::start(move |number, _| {
        log.lock().unwrap().push(Instant::now());
        Response::Bytes(if number == 40 { reply("503 Slow", SLOWER) } else { idle() })
    });
    let client = server.client().build().unwrap();
    let sweep = client.monitor_channels(names(70), &SweepOptions::new().rate(40.0));
    assert_eq!((sweep.idle.len(), sweep.failed.len()), (70, 0));
    let times = times.lock().unwrap();
    assert_eq!(times.len(), 71, "one call was retried");
    // At 40 calls a second, 14 calls take 350 ms. At half of that they take up to
    // twice as long, and a machine under load can only make it longer.
    let duration = times[56] - times[42];
    assert!(duration > Duration::from_millis(420), "14 calls in {duration:?}");
}

#[test]
fn throttled_calls_are_retried_beyond_the_number_of_attempts() {
    let server = Server::start(|number, _| {
        Response::Bytes(if number <= 6 { reply("429 Too Many", SLOWER) } else { idle() })
    });
    let client = server.client().attempts(2).build().unwrap();
    let sweep = client.monitor_channels(["c"], &SweepOptions::new());
    assert_eq!(sweep.idle[0].status.res.attempts, 7);
}

#[test]
fn throttling_does_not_count_as_an_attempt() {
    let server = Server::start(|number, _| {
        Response::Bytes(match number {
            1 | 2 | 4 => reply("429 Too Many", SLOWER),
            3 => reply("500 Fault", FAULT),
            _ => idle(),
        })
    });
    let client = server.client().attempts(2).build().unwrap();
    let sweep = client.monitor_channels(["c"], &SweepOptions::new());
    assert!(sweep.failed.is_empty(), "{:?}", sweep.failed);
    assert_eq!(sweep.idle[0].status.res.attempts, 5);
}

#[test]
fn failures_count_as_attempts_however_often_a_call_was_throttled() {
    let server = Server::start(|number, _| {
        Response::Bytes(match number {
            1 | 3 => reply("429 Too Many", SLOWER),
            _ => reply("500 Fault", FAULT),
        })
    });
    let client = server.client().attempts(2).build().unwrap();
    let sweep = client.monitor_channels(["c"], &SweepOptions::new());
    let error = &sweep.failed[0].error;
    assert_eq!((error.status(), error.attempts()), (Some(500), 4));
}

#[test]
fn an_observer_receives_all_attempts_of_a_sweep() {
    let observed = Arc::new(Mutex::new(Vec::new()));
    let log = observed.clone();
    let server = Server::start(|number, _| {
        Response::Bytes(match number {
            1..=4 => reply("429 Too Many", SLOWER),
            5 => reply("500 Fault", FAULT),
            _ => reply("404 Not Found", GONE),
        })
    });
    let client = server
        .client()
        .observer(move |attempt| {
            log.lock().unwrap().push((attempt.number, attempt.retry_in.is_some()));
        })
        .build()
        .unwrap();
    client.monitor_channels(["c"], &SweepOptions::new());
    let expected: Vec<_> = (1..=6).map(|number| (number, number < 6)).collect();
    assert_eq!(*observed.lock().unwrap(), expected);
}

#[test]
fn an_observer_receives_the_delay_of_a_retry_under_the_shared_rate() {
    let observed = Arc::new(Mutex::new(Vec::new()));
    let log = observed.clone();
    let server = Server::start(|number, _| {
        Response::Bytes(if number == 1 { reply("500 Fault", FAULT) } else { idle() })
    });
    let client = server
        .client()
        .observer(move |attempt| log.lock().unwrap().push(attempt.retry_in))
        .build()
        .unwrap();
    client.monitor_channels(["c"], &SweepOptions::new().rate(0.5));
    let observed = observed.lock().unwrap();
    // A backoff alone is at most 100 ms.
    assert!(observed[0].is_some_and(|wait| wait > Duration::from_millis(100)), "{observed:?}");
    assert_eq!(observed[1..], [None]);
}

#[test]
fn a_sweep_ends_when_its_client_is_shut_down() {
    let server = Server::start(|_, _| Response::Bytes(idle()));
    let client = server.client().build().unwrap();
    let shutdown = client.clone();
    let started = Instant::now();
    // One call an hour: all but the first wait.
    let options = SweepOptions::new().rate(1.0 / 3600.0).progress(move |_| shutdown.shutdown());
    let sweep = client.monitor_channels(names(3), &options);
    assert!(started.elapsed() < Duration::from_secs(60));
    assert_eq!((sweep.idle.len(), sweep.failed.len()), (1, 2));
    assert!(sweep.failed.iter().all(|failed| failed.error.kind() == ErrorKind::Stopped));
}

#[test]
fn a_monitor_ends_when_its_client_is_shut_down() {
    let server = Server::start(|_, _| Response::Bytes(idle()));
    let client = server.client().build().unwrap();
    let options = MonitorOptions::new().interval(Duration::from_secs(3600));
    let mut monitor = ChannelMonitor::new(&client, ["c"], options);
    assert!(monitor.next_changes().is_some());
    let waiting = thread::spawn(move || monitor.next_changes().is_none());
    client.shutdown();
    wait_for("the end of the monitor", || waiting.is_finished());
    assert!(waiting.join().unwrap());
}

#[test]
fn permanent_throttling_fails_within_the_call_timeout() {
    let server = Server::start(|_, _| Response::Bytes(reply("429 Too Many", SLOWER)));
    let client = server.client().timeout(Duration::from_millis(1500)).build().unwrap();
    let sweep = client.monitor_channels(names(2), &SweepOptions::new());
    assert_eq!(sweep.failed.len(), 2);
    let error = &sweep.failed[0].error;
    assert_eq!(error.code(), Some(code::META_OPERATION_QPS_LIMIT_EXCEEDED));
    assert!(error.attempts() > 1, "{error:?}");
}

#[test]
fn progress_is_reported_on_the_callers_thread_after_each_channel() {
    let server = Server::start(|_, seen| {
        Response::Bytes(if number_of(seen).is_multiple_of(2) {
            idle()
        } else {
            reply("404 No", GONE)
        })
    });
    let client = server.client().build().unwrap();
    let (caller, mut reported) = (thread::current().id(), Vec::new());
    let options = SweepOptions::new().progress(|Progress { done, total, .. }| {
        assert_eq!(thread::current().id(), caller);
        reported.push((done, total));
    });
    client.monitor_channels(names(20), &options);
    drop(options);
    assert_eq!(reported, (1..=20).map(|done| (done, 20)).collect::<Vec<_>>());
}

#[test]
fn a_callback_that_panics_ends_the_sweep() {
    let server = Server::start(|_, _| Response::Bytes(idle()));
    let client = server.client().build().unwrap();
    let sweep = || {
        let options = SweepOptions::new().progress(|progress| {
            assert!(progress.done < 3, "this is supposed to panic");
        });
        client.monitor_channels(names(1000), &options)
    };
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(sweep)).unwrap_err();
    assert!(server.seen().len() < 1000);
}

#[test]
fn a_sweep_can_be_stopped_from_its_own_callback() {
    let server = Server::start(|_, _| Response::Bytes(idle()));
    let client = server.client().build().unwrap();
    let stop = StopHandle::new();
    let options = SweepOptions::new().max_parallel(2).stop(&stop).progress(|progress| {
        if progress.done == 10 {
            stop.stop();
        }
    });
    let sweep = client.monitor_channels(names(1000), &options);
    assert_eq!((sweep.total, sweep.idle.len() + sweep.failed.len()), (1000, 1000));
    assert!((10..100).contains(&sweep.idle.len()), "{} were polled", sweep.idle.len());
    let error = &sweep.failed[0].error;
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Stopped, 0));
}

#[test]
fn a_time_limit_applies_to_the_whole_sweep() {
    let service = FaultyService::with([
        FaultRule { times: Some(4), ..faulty_service::idle() },
        faulty_service::silence(),
    ]);
    // A retry given up for lack of time would leave some time to further channels.
    let client = service.client().attempts(1).build().unwrap();
    let limit = Duration::from_millis(500);
    let options = SweepOptions::new().max_parallel(2).time_limit(limit);
    let started = Instant::now();
    let sweep = client.monitor_channels(names(20), &options);
    // A single call may take 30 seconds.
    assert!(started.elapsed() < Duration::from_secs(20));
    assert_eq!(sweep.idle.len(), 4);
    let kinds = |kind| sweep.failed.iter().filter(|failed| failed.error.kind() == kind).count();
    let (late, not_reached) = (kinds(ErrorKind::Timeout), kinds(ErrorKind::Stopped));
    assert_eq!(late + not_reached, 16);
    assert!(late >= 2 && not_reached >= 10, "{late} timed out, {not_reached} were not reached");
}

// A batch, against a server that fails on purpose.

#[test]
fn a_batch_returns_one_result_per_channel_and_continues_after_failures() {
    let created = "<CreateLiveChannelResult><PublishUrls><Url>rtmp://h/live/c</Url></PublishUrls>\
                   </CreateLiveChannelResult>";
    let server = Server::start(move |number, seen| match channel_of(seen) {
        "live" => Response::Bytes(reply(
            "409 Conflict",
            "<Error><Code>ChannelStillLive</Code><Message>live</Message></Error>",
        )),
        "later" if number < 4 => Response::Bytes(reply("503 Busy", BUSY)),
        _ => Response::Bytes(reply("200 OK", created)),
    });
    let client = server.client().build().unwrap();
    let config = ChannelConfig::default();
    let channels = [
        ("one", config.clone()),
        ("live", config.clone()),
        ("one", config.clone().frag_count(9)),
        ("wrong", config.clone().frag_count(0)),
        ("later", config),
    ];
    let mut done = 0;
    let options = SweepOptions::new().max_parallel(1).progress(|progress| done = progress.done);
    let results = client.put_channels(&channels, &options);
    drop(options);
    assert_eq!(done, 5);
    let reported: Vec<_> = results
        .iter()
        .map(|put| match &put.result {
            Ok(urls) => (put.id.as_str(), format!("{}", urls.res.attempts)),
            Err(error) => (put.id.as_str(), error.code().unwrap_or(error.message()).to_owned()),
        })
        .collect();
    assert_eq!(reported[0], ("one", "1".to_owned()));
    assert_eq!(reported[1], ("live", "ChannelStillLive".to_owned()));
    assert!(reported[2].0 == "one" && reported[2].1.contains("duplicate channel"), "{reported:?}");
    assert!(reported[3].0 == "wrong" && reported[3].1.contains("fragment count"), "{reported:?}");
    assert_eq!(reported[4], ("later", "2".to_owned()));
}

#[test]
fn any_operation_is_sent_for_many_items_and_each_has_its_own_result() {
    let server = Server::start(|number, seen| match channel_of(seen) {
        "gone" => Response::Bytes(reply("404 Not Found", GONE)),
        "later" if number < 4 => Response::Bytes(reply("503 Slow Down", SLOWER)),
        _ => Response::Bytes(reply("200 OK", "")),
    });
    let client = server.client().build().unwrap();
    let mut done = 0;
    let options = SweepOptions::new().max_parallel(1).progress(|progress| done = progress.done);
    let items = [
        ("one", ChannelState::Enabled),
        ("gone", ChannelState::Enabled),
        ("a/b", ChannelState::Enabled),
        ("later", ChannelState::Disabled),
    ];
    let results = client
        .send_calls(&items, &options, |(id, state)| operation::put_channel_status(id, *state));
    drop(options);
    assert_eq!(done, items.len());
    assert_eq!(results[0].as_ref().unwrap().res.attempts, 1);
    assert_eq!(results[1].as_ref().unwrap_err().code(), Some(code::NO_SUCH_LIVE_CHANNEL));
    assert_eq!(results[2].as_ref().unwrap_err().code(), Some(code::INVALID_CHANNEL_NAME));
    assert_eq!(results[3].as_ref().unwrap().res.attempts, 2);
    let lines: Vec<_> = server.seen().into_iter().map(|seen| seen.line).collect();
    assert!(
        lines[0].contains("status=enabled") && lines[3].contains("status=disabled"),
        "{lines:?}"
    );
}

#[test]
fn a_stopped_batch_sends_no_more_requests() {
    let server = Server::start(|_, _| Response::Bytes(reply("200 OK", "")));
    let client = server.client().build().unwrap();
    let stop = StopHandle::new();
    let in_callback = stop.clone();
    let options =
        SweepOptions::new().max_parallel(1).stop(&stop).progress(move |_| in_callback.stop());
    let results = client.send_calls(&names(50), &options, |id| operation::delete_channel(id));
    assert!(results[0].is_ok());
    let last = results[49].as_ref().map(|_| ()).unwrap_err();
    assert_eq!(last.kind(), ErrorKind::Stopped);
    assert!(server.seen().len() < 50);
}

#[cfg(feature = "serde")]
#[test]
fn results_are_serialized_as_documented() {
    use serde_json::{Value, json};
    let server = Server::start(|_, seen| {
        Response::Bytes(match channel_of(seen) {
            "gone" => reply("404 Not Found", GONE),
            "live" => reply("200 OK", LIVE),
            "made" => reply("200 OK", "<CreateLiveChannelResult/>"),
            _ => idle(),
        })
    });
    let client = server.client().build().unwrap();
    let sweep = client.monitor_channels(["live", "gone"], &SweepOptions::new());
    let value = serde_json::to_value(&sweep).unwrap();
    assert_eq!((&value["idle"], &value["disabled"]), (&json!([]), &json!([])));
    assert_eq!(value["total"], 2);
    assert_eq!(value["live"][0]["id"], "live");
    assert_eq!(value["live"][0]["status"], "Live");
    assert_eq!(value["live"][0]["remoteAddr"], "203.0.113.9:47745");
    assert_eq!(value["failed"][0]["id"], "gone");
    assert_eq!(value["failed"][0]["error"]["code"], "NoSuchLiveChannel");
    let back: osslive::Sweep = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(serde_json::to_value(&back).unwrap(), value);

    let channels = ["made", "a/b"].map(|id| (id, ChannelConfig::default()));
    let results = client.put_channels(&channels, &SweepOptions::new());
    let value = serde_json::to_value(&results).unwrap();
    assert_eq!(value[0]["id"], "made");
    assert_eq!(value[0]["publishUrls"], json!([]));
    assert_eq!(value[0]["res"]["status"], 200);
    assert_eq!(value[0].get("error"), None);
    assert_eq!(value[1]["id"], "a/b");
    assert_eq!(value[1]["error"]["code"], "InvalidChannelName");
    let back: Vec<osslive::PutResult> = serde_json::from_value(value).unwrap();
    assert!(back[0].result.is_ok() && back[1].result.is_err());

    let now = time::macros::datetime!(2026-05-10 12:00 UTC);
    let mut watch = osslive::Watch::new(Limits::new());
    let changes = serde_json::to_value(watch.changes(&sweep, now)).unwrap();
    assert_eq!(
        changes[0],
        json!({
            "id": "live",
            "time": "2026-05-10T12:00:00Z",
            "change": "wentLive",
            "remoteAddr": "203.0.113.9:47745",
        })
    );
    assert_eq!(changes[1]["change"], "gone");
    let back: Vec<osslive::Change> = serde_json::from_value(changes).unwrap();
    assert_eq!(back.len(), 2);
    let sweep = client.monitor_channels(["a/b"], &SweepOptions::new());
    let changes = serde_json::to_value(watch.changes(&sweep, now)).unwrap();
    assert_eq!(changes[0]["change"], "failing");
    assert_eq!(changes[0]["error"]["code"], "InvalidChannelName");

    let session = osslive::SessionRecord::new(now - time::Duration::hours(1), now, "1.2.3.4:5");
    let value = serde_json::to_value(osslive::HistoryAnalysis::of(&[session], now, 1)).unwrap();
    let keys: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "averageDurationMinutes",
            "endTime",
            "gaps",
            "isTruncated",
            "longestSession",
            "sessionCount",
            "sessions",
            "startTime",
            "totalDurationHours",
            "uniqueIps",
        ]
    );
    assert_eq!((&value["sessionCount"], &value["uniqueIps"]), (&json!(1), &json!(["1.2.3.4"])));
    assert_eq!(value["averageDurationMinutes"], 60.0);
    let empty = serde_json::to_value(osslive::HistoryAnalysis::of(&[], now, 1)).unwrap();
    assert_eq!(empty["averageDurationMinutes"], Value::from(0.0));
}

// The monitor.

#[test]
fn a_monitor_reports_only_changes() {
    let states = ["idle", "idle", "live", "live", "gone", "live", "idle"];
    let server = Server::start(move |number, _| {
        Response::Bytes(match states[(number - 1).min(states.len() - 1)] {
            "live" => reply("200 OK", LIVE),
            "gone" => reply("404 Not Found", GONE),
            _ => idle(),
        })
    });
    let client = server.client().build().unwrap();
    let options = MonitorOptions::new().interval(Duration::from_millis(10));
    let mut monitor = ChannelMonitor::new(&client, ["c", "c"], options);
    let mut reported = Vec::new();
    for _ in 0..states.len() {
        let changes = monitor.next_changes().unwrap();
        reported.push(changes.iter().map(|change| change.to_string()).collect::<Vec<_>>());
    }
    let expected: [&[&str]; 7] = [
        &[],
        &[],
        &["c is live from 203.0.113.9:47745"],
        &[],
        &["c does not exist"],
        &["c exists again", "c is live from 203.0.113.9:47745"],
        &["c is idle"],
    ];
    assert_eq!(reported, expected);
    assert_eq!(monitor.last_sweep().unwrap().idle.len(), 1);
}

#[test]
fn the_channels_of_a_monitor_can_be_replaced_while_it_runs() {
    let server = Server::start(|_, seen| {
        Response::Bytes(if channel_of(seen) == "old" { idle() } else { reply("200 OK", LIVE) })
    });
    let client = server.client().build().unwrap();
    let options = MonitorOptions::new().interval(Duration::from_millis(10));
    let mut monitor = ChannelMonitor::new(&client, ["old"], options.clone());
    assert!(monitor.next_changes().unwrap().is_empty());
    assert!(monitor.wait_until_due());
    monitor.set_channels(["new"]);
    let gone = monitor.watch_mut().remove("old", OffsetDateTime::now_utc()).unwrap();
    assert_eq!(gone.to_string(), "old does not exist");
    let changes = monitor.next_changes().unwrap();
    assert_eq!(changes.iter().map(|change| &*change.id).collect::<Vec<_>>(), ["new"]);
    assert!(monitor.last_duration().is_some_and(|took| took > Duration::ZERO));
    // Another process continues with what this one knows.
    let mut next = ChannelMonitor::new(&client, ["new"], options);
    for (id, known) in monitor.watch().known() {
        next.watch_mut().restore(id, known.clone());
    }
    assert!(next.next_changes().unwrap().is_empty());
    monitor.stop_handle().stop();
    assert!(!monitor.wait_until_due() && monitor.next_changes().is_none());
}

#[test]
fn a_monitor_sweeps_at_its_interval() {
    let server = Server::start(|_, _| Response::Bytes(idle()));
    let client = server.client().build().unwrap();
    let interval = Duration::from_millis(100);
    let options = MonitorOptions::new().interval(interval);
    let mut monitor = ChannelMonitor::new(&client, ["c"], options);
    let started = Instant::now();
    for _ in 0..4 {
        monitor.next_changes().unwrap();
    }
    // The first sweep is due at once.
    assert!(started.elapsed() >= interval * 3);
}

#[test]
fn a_waiting_monitor_is_stopped_at_once() {
    let server = Server::start(|_, _| Response::Bytes(idle()));
    let client = server.client().build().unwrap();
    let options = MonitorOptions::new().interval(Duration::from_secs(3600));
    let mut monitor = ChannelMonitor::new(&client, ["c"], options);
    let stop = monitor.stop_handle();
    let (first, swept) = std::sync::mpsc::channel();
    let running = thread::spawn(move || {
        let changes = monitor.next_changes();
        first.send(()).unwrap();
        (changes.map(|changes| changes.len()), monitor.next_changes().is_none())
    });
    swept.recv().unwrap();
    stop.stop();
    assert_eq!(running.join().unwrap(), (Some(0), true));
}

#[test]
fn a_monitor_is_stopped_at_once_even_while_a_call_hangs() {
    let service = FaultyService::with([faulty_service::silence()]);
    let client = service.client().timeout(Duration::from_secs(60)).build().unwrap();
    let mut monitor = ChannelMonitor::new(&client, names(20), MonitorOptions::new());
    let stop = monitor.stop_handle();
    let started = Instant::now();
    let running = thread::spawn(move || {
        let mut calls = 0;
        monitor.run(|_| {
            calls += 1;
            ControlFlow::Continue(())
        });
        calls
    });
    wait_for("a call", || service.calls() > 0);
    stop.stop();
    assert_eq!(running.join().unwrap(), 0);
    assert!(started.elapsed() < Duration::from_secs(50));
    assert!(service.calls() <= 8);
}

#[test]
fn a_run_ends_when_its_callback_breaks_and_can_be_continued() {
    let server = Server::start(|number, _| {
        Response::Bytes(if !number.is_multiple_of(2) { reply("200 OK", LIVE) } else { idle() })
    });
    let client = server.client().build().unwrap();
    let options = MonitorOptions::new().interval(Duration::ZERO);
    let mut monitor = ChannelMonitor::new(&client, ["c"], options);
    for _ in 0..3 {
        let mut reported = 0;
        monitor.run(|_| {
            reported += 1;
            if reported == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!(reported, 2);
    }
    assert_eq!(server.seen().len(), 6);
}

// Against the local endpoint.

/// An endpoint for one test.
struct Stage {
    endpoint: Option<LocalEndpoint>,
}

impl Stage {
    fn with(configure: impl FnOnce(Config) -> Config) -> Self {
        let endpoint = LocalEndpoint::start(configure(Config::temporary())).unwrap();
        Stage { endpoint: Some(endpoint) }
    }

    fn builder(&self) -> ClientBuilder {
        self.endpoint.as_ref().unwrap().client_builder()
    }

    fn client(&self) -> Client {
        self.builder().build().unwrap()
    }
}

fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < until, "{what} did not happen");
        thread::sleep(Duration::from_millis(20));
    }
}

fn publish_clip(client: &Client, id: &str) -> Publisher {
    clip::publish(&client.get_rtmp_url(id, &RtmpUrlOptions::new()).unwrap())
}

#[test]
fn real_streams_are_reported_when_they_start_and_end() {
    let stage = Stage::with(|config| config);
    let client = stage.client();
    for id in ["main-stage", "backstage"] {
        client.put_channel(id, &ChannelConfig::default()).unwrap();
    }
    let options = MonitorOptions::new()
        .interval(Duration::from_millis(20))
        .limits(Limits::new().min_bandwidth(u64::MAX));
    let ids = ["main-stage", "backstage", "audience"];
    let mut monitor = ChannelMonitor::new(&client, ids, options);
    let mut reported: Vec<String> = Vec::new();
    let mut until = |what: &str| {
        wait_for(what, || {
            reported
                .extend(monitor.next_changes().unwrap().iter().map(|change| change.to_string()));
            reported.iter().any(|line| line.starts_with(what))
        });
        reported.retain(|line| !line.starts_with(what));
    };
    until("audience does not exist");
    let first = publish_clip(&client, "main-stage");
    until("main-stage is live from 127.0.0.1:");
    until("main-stage has ");
    first.finish().unwrap();
    until("main-stage is idle");
    client.put_channel_status("backstage", ChannelState::Disabled).unwrap();
    until("backstage is disabled");
    client.put_channel("audience", &ChannelConfig::default()).unwrap();
    until("audience exists again");
    assert_eq!(reported, Vec::<String>::new());
}

#[test]
fn highlights_and_history_of_a_session_of_three_minutes() {
    let start = OffsetDateTime::now_utc() - Duration::from_secs(190);
    let clock = MediaClock::starting_at(start);
    let stage = Stage::with(|config| config.clock(clock.clock()));
    let client = stage.client();
    client.put_channel("main-stage", &ChannelConfig::default()).unwrap();
    let highlights = [
        Highlight::new("opening", Duration::ZERO, Duration::from_secs(30)),
        Highlight::new("peak", Duration::from_secs(60), Duration::from_secs(90)),
        Highlight::closing("closing", Duration::from_secs(20)),
    ];
    let none = client.create_highlights("main-stage", &highlights, &SweepOptions::new()).unwrap();
    assert!(none.iter().all(|cut| cut.error.is_some() && cut.start.is_none()), "{none:?}");

    clock.record(&client, "main-stage", 2, Duration::from_secs(180));
    let times = [start + Duration::from_secs(100), start + Duration::from_secs(3600)];
    let all = [
        &highlights[..],
        &[
            Highlight::between("absolute", times[0], times[1]),
            Highlight::new("after", Duration::from_secs(600), Duration::from_secs(700)),
            Highlight::new("a/b", Duration::ZERO, Duration::from_secs(10)),
            Highlight::new("opening.m3u8", Duration::ZERO, Duration::from_secs(10)),
        ],
    ]
    .concat();
    let mut reported = Vec::new();
    let options = SweepOptions::new()
        .progress(|progress: Progress| reported.push((progress.done, progress.total)));
    let cut = client.create_highlights("main-stage", &all, &options).unwrap();
    drop(options);
    assert_eq!(reported, (1..=7).map(|done| (done, 7)).collect::<Vec<_>>());
    let names: Vec<_> = cut.iter().map(|cut| cut.playlist.as_str()).collect();
    assert_eq!(names[..4], ["opening.m3u8", "peak.m3u8", "closing.m3u8", "absolute.m3u8"]);
    let lengths: Vec<_> = cut
        .iter()
        .map(|cut| Some((cut.end? - cut.start?).whole_seconds()))
        .map(Option::unwrap_or_default)
        .collect();
    for (length, expected) in lengths.iter().zip([30, 30, 20, 80]) {
        assert!((*length - expected).abs() <= 2, "{lengths:?}");
    }
    for good in &cut[..4] {
        assert!(good.error.is_none(), "{good:?}");
        let url = client.get_play_url("main-stage", &good.playlist, 60).unwrap();
        assert!(url.contains(&good.playlist), "{url}");
    }
    let errors: Vec<_> = cut[4..].iter().map(|cut| cut.error.as_ref().unwrap()).collect();
    assert!(errors[0].message().contains("nothing"), "{errors:?}");
    assert_eq!(errors[1].kind(), ErrorKind::InvalidArgument);
    assert!(errors[2].message().contains("duplicate playlist"), "{errors:?}");

    let week = client.analyze_history("main-stage", 7).unwrap();
    assert_eq!((week.session_count, week.unique_ips.len()), (1, 1));
    assert_eq!(week.unique_ips, ["127.0.0.1"]);
    assert!((2.5..3.5).contains(&week.average_duration_minutes), "{week:?}");
    assert!(!week.is_truncated);
    assert!(client.analyze_history("main-stage", 0).is_err());
    let error = client.analyze_history("nowhere", 7).unwrap_err();
    assert_eq!(error.code(), Some(code::NO_SUCH_LIVE_CHANNEL));
    let error = client.create_highlights("nowhere", &all, &SweepOptions::new()).unwrap_err();
    assert_eq!(error.code(), Some(code::NO_SUCH_LIVE_CHANNEL));
}

#[test]
fn highlights_of_the_current_session_are_saved() {
    // For the endpoint the session has just started; for this test it has been running for
    // a minute.
    let start = OffsetDateTime::now_utc() - Duration::from_secs(60);
    let stage = Stage::with(|config| config.clock(Clock::from_fn(move || start)));
    let client = stage.client();
    client.put_channel("c", &ChannelConfig::new("").frag_duration(1)).unwrap();
    let publisher = publish_clip(&client, "c");
    let opening = [Highlight::new("opening", Duration::ZERO, Duration::from_secs(20))];
    wait_for("the first fragment", || {
        let cut = client.create_highlights("c", &opening, &SweepOptions::new()).unwrap();
        cut[0].error.is_none()
    });
    drop(publisher);
}

#[test]
fn a_highlight_longer_than_a_day_is_an_error_and_does_not_panic() {
    let history = "<LiveChannelHistory><LiveRecord>\
                   <StartTime>2026-11-22T00:00:00.000Z</StartTime>\
                   <EndTime>2026-11-24T00:00:00.000Z</EndTime>\
                   <RemoteAddr>203.0.113.9:56861</RemoteAddr></LiveRecord></LiveChannelHistory>";
    let server = Server::start(move |_, seen| {
        Response::Bytes(match seen.line.as_str() {
            line if line.contains("comp=history") => reply("200 OK", history),
            line if line.starts_with("GET") => idle(),
            line if line.contains("broken") => reply("400 Bad", GONE),
            _ => reply("200 OK", ""),
        })
    });
    let client = server.client().build().unwrap();
    let day = Duration::from_secs(86_400);
    let highlights = [
        Highlight::new("long", Duration::ZERO, day + Duration::from_secs(1)),
        Highlight::new("broken", Duration::ZERO, day),
        Highlight::new("day", Duration::ZERO, day),
    ];
    let cut = client.create_highlights("c", &highlights, &SweepOptions::new()).unwrap();
    let failed: Vec<_> = cut.iter().map(|cut| cut.error.as_ref().map(|e| e.kind())).collect();
    assert_eq!(failed, [Some(ErrorKind::InvalidArgument), Some(ErrorKind::Service), None]);
    #[cfg(feature = "serde")]
    assert_eq!(
        serde_json::to_value(&cut[2]).unwrap(),
        serde_json::json!({
            "name": "day",
            "playlist": "day.m3u8",
            "start": "2026-11-22T00:00:00Z",
            "end": "2026-11-23T00:00:00Z",
        })
    );
}
