//! The monitor at full scale and under repeated kills, for `make test-monitor`: it takes
//! twenty minutes.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use osslive::ChannelState;
use support::{
    Hook, Program, Service, channel, free_port, kill_repeatedly, note, scrape, wait_until,
};

/// The number of channels.
const CHANNELS: usize = 10_000;
/// The maximum memory of the process at any time, in kilobytes.
const MAX_MEMORY: u64 = 40 * 1024;

/// The duration of each run; `OSSLIVE_MONITOR_MINUTES` shortens it.
fn length() -> Duration {
    let minutes = std::env::var("OSSLIVE_MONITOR_MINUTES").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(60 * minutes.unwrap_or(10))
}

/// Returns the peak resident memory of a process, in kilobytes.
fn peak_memory(monitor: &Program) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", monitor.id())).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("its peak");
    line.split_whitespace().nth(1).and_then(|text| text.parse().ok()).expect("a number")
}

/// Ten thousand channels at fifty requests per second. In the first half of the
/// time, two channels per second are disabled; the receiver is down for five of
/// every twenty seconds. Every change must arrive.
fn ten_thousand(name: &str, limit: Option<u32>) {
    let service = Service::configured(name, CHANNELS, |config| match limit {
        Some(limit) => config.qps_limit(limit),
        None => config,
    });
    let mut hook = Hook::accepting();
    let port = free_port();
    let line = format!(
        "--rate 50 --interval 30s --log json --state state --metrics 127.0.0.1:{port} \
         --webhook {} --webhook-secret-file secret",
        hook.url()
    );
    let monitor = service.start(&line, &[]);
    wait_until("the monitor has started", || {
        (scrape(port, "/healthz").is_some(), monitor.logged())
    });
    let started = Instant::now();
    let mut expected = BTreeSet::new();
    let mut round = 0u64;
    let mut is_up = true;
    loop {
        let passed = started.elapsed();
        if passed < length() / 2 {
            for number in 0..2 {
                let id = channel(((round * 2 + number) * 7 % CHANNELS as u64) as usize);
                if service.client.put_channel_status(&id, ChannelState::Disabled).is_ok() {
                    expected.insert(format!("{id} disabled"));
                }
            }
        } else if passed >= length() && missing(&hook, &expected) == 0 {
            break;
        }
        assert!(passed < length() * 3, "{} changes are missing", missing(&hook, &expected));
        match passed.as_secs() % 20 < 5 {
            true if is_up => hook.kill(),
            false if !is_up => hook.restart(),
            _ => {}
        }
        is_up = passed.as_secs() % 20 >= 5;
        if round % 15 == 0 {
            scrape(port, "/metrics").expect("metrics");
        }
        round += 1;
        thread::sleep(Duration::from_secs(1).saturating_sub(started.elapsed() - passed));
    }
    let metrics = scrape(port, "/metrics").expect("metrics");
    let value = |name: &str| {
        let line = metrics.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.rsplit(' ').next().unwrap_or_default().to_owned()
    };
    let memory = peak_memory(&monitor);
    let (unique, all) = (hook.events().len(), hook.received().len());
    note(&format!(
        "{name}: {CHANNELS} channels, {} s, {} sweeps, the last in {} s, {} throttled; {} changes \
         made, {unique} events received, {} of them more than once; peak memory {:.1} MB",
        started.elapsed().as_secs(),
        value("osslive_monitor_sweeps_total"),
        value("osslive_monitor_sweep_duration_seconds"),
        value("osslive_monitor_throttled_total"),
        expected.len(),
        all - unique,
        memory as f64 / 1024.0,
    ));
    assert_eq!(hook.events().len(), expected.len(), "nothing else was reported");
    assert!(memory < MAX_MEMORY, "{memory} kB");
    let ran = monitor.interrupt();
    assert!(ran.status.success(), "{}", ran.stderr);
}

fn missing(hook: &Hook, expected: &BTreeSet<String>) -> usize {
    let seen: BTreeSet<String> = hook.events().into_iter().collect();
    expected.difference(&seen).count()
}

#[test]
#[ignore = "it takes ten minutes"]
fn ten_thousand_channels_in_little_memory() {
    ten_thousand("unthrottled", None);
}

#[test]
#[ignore = "it takes ten minutes"]
fn ten_thousand_channels_in_little_memory_while_the_service_throttles() {
    ten_thousand("throttled", Some(40));
}

#[test]
#[ignore = "it takes three minutes"]
fn no_change_is_lost_in_a_hundred_kills() {
    let (changes, requests) = kill_repeatedly("monitor-hundred-kills", 100);
    note(&format!("kills: {changes} changes, each received; {requests} requests in all"));
}
