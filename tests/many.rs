//! Ten thousand channels on the local endpoint: put, swept at full speed, and swept under
//! a request rate limit. This is a separate program, because it measures the memory
//! of the whole process.

use osslive::{ChannelConfig, Client, SignatureVersion, SweepOptions};
use osslive_local::{Config, LocalEndpoint};
use std::fs;
use std::time::Instant;

const COUNT: usize = 10_000;
/// In KB. Responses for ten thousand channels take a quarter of it.
const MAX_GROWTH: usize = 16 << 10;
/// The same without results, for whatever the allocator keeps.
const MAX_CONSTANT: usize = 1 << 10;

fn client(endpoint: &LocalEndpoint) -> Client {
    endpoint
        .client_builder()
        // In a test build, the hashes of version 4 would take most of the time.
        .signature_version(SignatureVersion::V1)
        .build()
        .unwrap()
}

/// Returns the memory of this process in KB, including the endpoint; 0 if it is
/// unknown.
fn resident() -> usize {
    let Ok(status) = fs::read_to_string("/proc/self/status") else { return 0 };
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Sweeps all channels, and returns the largest increase of memory.
fn sweep(client: &Client, names: &[String]) -> usize {
    let (before, mut growth, started) = (resident(), 0, Instant::now());
    let options = SweepOptions::new().progress(|progress| {
        if progress.done % 100 == 0 {
            growth = resident().saturating_sub(before).max(growth);
        }
    });
    let sweep = client.monitor_channels(names, &options);
    drop(options);
    let retries: u32 = sweep.idle.iter().map(|channel| channel.status.res.attempts - 1).sum();
    println!("{:.1?}, {retries} retries, {growth} KB more", started.elapsed());
    assert!(sweep.failed.is_empty(), "{} failed: {:?}", sweep.failed.len(), sweep.failed[0]);
    assert_eq!((sweep.idle.len(), sweep.total), (COUNT, COUNT));
    assert!(sweep.idle.iter().map(|channel| &channel.id).eq(names));
    growth
}

/// Sweeps all channels twice in one go without keeping anything, and returns the largest
/// increase of memory.
fn sweep_and_forget(client: &Client, names: &[String]) -> usize {
    let (mut before, mut growth, mut idle) = (0, 0, 0);
    let ids = names.iter().cycle().take(2 * COUNT);
    let swept = client.sweep_channels(ids, &SweepOptions::new(), |channel| {
        idle += usize::from(channel.is_ok());
        // The connections and the threads exist by then.
        if idle == 1000 {
            before = resident();
        } else if idle > 1000 && idle % 1000 == 0 {
            growth = resident().saturating_sub(before).max(growth);
        }
    });
    swept.unwrap();
    assert_eq!(idle, 2 * COUNT);
    println!("{growth} KB more for twice as many channels that are not kept");
    growth
}

#[test]
fn ten_thousand_channels_are_put_and_swept_in_bounded_memory() {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<_> = (0..COUNT).map(|number| format!("channel-{number:05}")).collect();
    let endpoint = LocalEndpoint::start(Config::new(folder.path())).unwrap();
    let channels: Vec<_> = names.iter().map(|name| (name, ChannelConfig::default())).collect();
    let started = Instant::now();
    let put = client(&endpoint).put_channels(&channels, &SweepOptions::new());
    println!("put in {:.1?}", started.elapsed());
    assert!(put.iter().all(|put| put.result.is_ok()));
    drop((put, channels));
    let growth = sweep(&client(&endpoint), &names);
    assert!(growth < MAX_GROWTH, "{growth} KB more");

    let growth = sweep_and_forget(&client(&endpoint), &names);
    assert!(growth < MAX_CONSTANT, "{growth} KB more");

    drop(endpoint);
    let limited = LocalEndpoint::start(Config::new(folder.path()).qps_limit(1500)).unwrap();
    let growth = sweep(&client(&limited), &names);
    assert!(growth < MAX_GROWTH, "{growth} KB more");
}
