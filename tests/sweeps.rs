//! Sweeps that pass on the status of each channel when it arrives, against a server
//! with canned responses.

// Other tests use the rest of it.
#[allow(dead_code)]
mod support;

use osslive::{ChannelReport, Client, ErrorKind, FailedChannel, StopHandle, SweepOptions, code};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use support::{Response, Server, idle, reply};

const GONE: &str = "<Error><Code>NoSuchLiveChannel</Code><Message>gone</Message></Error>";

type Outcome = Result<ChannelReport, FailedChannel>;

fn names(count: usize) -> impl Iterator<Item = String> + Send {
    (0..count).map(|number| format!("channel-{number}"))
}

fn all_idle() -> Server {
    Server::start(|_, _| Response::Bytes(idle()))
}

fn client(server: &Server) -> Client {
    server.client().build().unwrap()
}

fn id(outcome: Outcome) -> String {
    outcome.map_or_else(|failed| failed.id, |report| report.id)
}

#[test]
fn each_channel_is_passed_on_with_its_status_or_its_error() {
    let server = Server::start(|_, seen| {
        Response::Bytes(match seen.line.contains("channel-3?") {
            true => reply("404 Not Found", GONE),
            false => idle(),
        })
    });
    let (mut read, mut failed, here) = (Vec::new(), Vec::new(), thread::current().id());
    let done = client(&server).sweep_channels(names(10), &SweepOptions::new(), |outcome| {
        assert_eq!(thread::current().id(), here);
        match outcome {
            Ok(report) => read.push(report.id),
            Err(channel) => failed.push(channel),
        }
    });
    done.unwrap();
    read.sort_unstable();
    let expected: Vec<_> = names(10).filter(|name| name != "channel-3").collect();
    assert_eq!(read, expected);
    assert_eq!((failed.len(), failed[0].id.as_str()), (1, "channel-3"));
    assert_eq!(failed[0].error.code(), Some(code::NO_SUCH_LIVE_CHANNEL));
}

#[test]
fn a_duplicate_channel_is_read_again() {
    let (server, mut seen) = (all_idle(), Vec::new());
    client(&server)
        .sweep_channels(["b", "a", "b"], &SweepOptions::new().max_parallel(1), |outcome| {
            seen.push(id(outcome));
        })
        .unwrap();
    assert_eq!(seen, ["b", "a", "b"]);
}

#[test]
fn without_channels_there_is_nothing_to_do() {
    let server = all_idle();
    client(&server).sweep_channels(names(0), &SweepOptions::new(), |_| panic!("nothing")).unwrap();
    assert_eq!(server.seen().len(), 0);
}

#[test]
fn ids_are_taken_when_they_are_needed() {
    const PARALLEL: usize = 4;
    let (server, taken, mut passed_on) = (all_idle(), AtomicUsize::new(0), 0);
    let ids = names(300).inspect(|_| _ = taken.fetch_add(1, Ordering::SeqCst));
    let options = SweepOptions::new().max_parallel(PARALLEL);
    client(&server)
        .sweep_channels(ids, &options, |_| {
            // Those that wait to be passed on, and those that are being read.
            let ahead = taken.load(Ordering::SeqCst) - passed_on;
            assert!(ahead <= 2 * PARALLEL + 1, "{ahead} ids ahead");
            passed_on += 1;
        })
        .unwrap();
    assert_eq!(passed_on, 300);
}

#[test]
fn a_sweep_that_is_stopped_says_that_channels_remain() {
    let (server, stop, passed_on) = (all_idle(), StopHandle::new(), Cell::new(0));
    let options = SweepOptions::new().max_parallel(2).stop(&stop);
    let stopped = client(&server).sweep_channels(names(1_000_000), &options, |_| {
        passed_on.set(passed_on.get() + 1);
        if passed_on.get() == 10 {
            stop.stop();
        }
    });
    let error = stopped.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Stopped);
    assert_eq!(error.to_string(), "the operation was stopped before all channels were read");
    assert!((10..=15).contains(&passed_on.get()), "{} channels", passed_on.get());
}

#[test]
fn a_sweep_that_is_stopped_after_the_last_channel_is_complete() {
    let (server, stop) = (all_idle(), StopHandle::new());
    let options = SweepOptions::new().stop(&stop);
    client(&server).sweep_channels(["only"], &options, |_| stop.stop()).unwrap();
}

#[test]
fn a_sweep_that_reaches_its_time_limit_says_that_channels_remain() {
    let server = all_idle();
    let options = SweepOptions::new().rate(20.0).time_limit(Duration::from_millis(300));
    let mut passed_on = 0;
    let stopped = client(&server).sweep_channels(names(1000), &options, |_| passed_on += 1);
    let error = stopped.unwrap_err().to_string();
    assert_eq!(error, "the time limit was reached before all channels were read");
    assert!((1..100).contains(&passed_on), "{passed_on} channels");
}

#[test]
fn a_callback_or_an_iterator_that_panics_ends_the_sweep() {
    let server = all_idle();
    let sweep = |ids: Box<dyn Iterator<Item = String> + Send>, after: usize| {
        let mut left = after;
        catch_unwind(AssertUnwindSafe(|| {
            client(&server).sweep_channels(ids, &SweepOptions::new(), |_| {
                left = left.checked_sub(1).expect("the callback panics");
            })
        }))
        .unwrap_err()
    };
    let panic = sweep(Box::new(names(1000)), 5);
    assert_eq!(panic.downcast_ref::<String>().unwrap(), "the callback panics");
    let ids = names(1000).inspect(|name| assert!(name != "channel-5", "the iterator panics"));
    let panic = sweep(Box::new(ids), 1000);
    assert_eq!(*panic.downcast_ref::<&str>().unwrap(), "the iterator panics");
}
