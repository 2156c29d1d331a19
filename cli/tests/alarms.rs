//! The monitor's alarms for a publisher that stalls, recovers and slows down, on
//! the local endpoint.

mod support;

use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use osslive_local::media::flv::Reader;
use osslive_local::push::Publisher;
use support::{LONG, Program, SOON, Shell, shipped_clip, wait_until};

/// Sends the clip in a loop, at a variable percentage of its speed, until that
/// exceeds 100.
fn publish(url: &str, speed: &AtomicU32) {
    const STEP: Duration = Duration::from_millis(20);
    let file = fs::read(shipped_clip()).expect("the clip");
    let reader = Reader::new(&file[..]).expect("FLV");
    let tags: Vec<_> = reader.map(|tag| tag.expect("a tag")).collect();
    let length = tags.iter().map(|tag| tag.timestamp).max().unwrap_or(0) + 40;
    let mut publisher = Publisher::connect(url, SOON).expect("accepted");
    let (mut media_ms, mut last, started) = (0.0, Instant::now(), Instant::now());
    let mut due = (0..).flat_map(|round| tags.iter().map(move |tag| (round * length, tag)));
    let mut next = due.next();
    while speed.load(Ordering::Relaxed) <= 100 && started.elapsed() < LONG {
        let percent = f64::from(speed.load(Ordering::Relaxed));
        media_ms += last.elapsed().as_secs_f64() * percent * 10.0;
        last = Instant::now();
        while let Some((base, tag)) =
            next.filter(|(base, tag)| f64::from(base + tag.timestamp) <= media_ms)
        {
            let is_first = base == 0 || !tag.is_header();
            if is_first {
                publisher.send(tag.kind, base + tag.timestamp, &tag.body).expect("sent");
            }
            next = due.next();
        }
        thread::sleep(STEP);
    }
}

/// Waits for an alarm of a kind after the first `seen` lines; returns the number of
/// lines then.
fn wait_for(monitor: &Program, seen: usize, kind: &str) -> usize {
    let mut lines = 0;
    wait_until(kind, || {
        let text = monitor.printed();
        lines = text.lines().count();
        (text.lines().skip(seen).any(|line| line.contains(&format!("\"{kind}\""))), text)
    });
    lines
}

#[test]
fn a_publisher_that_stalls_or_slows_down_is_reported() {
    let shell = Shell::new("alarms");
    shell.text("channel create cam");
    let url = shell.text("publish-url cam");
    let speed = AtomicU32::new(100);
    thread::scope(|scope| {
        scope.spawn(|| publish(url.trim(), &speed));
        let watching = Program::start(
            &mut shell.command("monitor cam --interval 1s --min-bit-rate 60k --json"),
        );
        let mut seen = wait_for(&watching, 0, "wentLive");
        wait_until("a full frame rate", || {
            let status = shell.json("channel status cam");
            let rate = status["video"]["frameRate"].as_u64().unwrap_or(0);
            (rate >= 20 && status["audio"]["bandwidth"].as_u64() > Some(0), status)
        });
        speed.store(0, Ordering::Relaxed);
        seen = wait_for(&watching, seen, "bandwidthLow");
        speed.store(100, Ordering::Relaxed);
        seen = wait_for(&watching, seen, "bandwidthRecovered");
        thread::sleep(Duration::from_secs(6));
        speed.store(40, Ordering::Relaxed);
        wait_for(&watching, seen, "frameRateFell");
        speed.store(101, Ordering::Relaxed);
    });
}
