//! osslive from Rust, one of the clients that `run.py` compares.
//!
//!     osslive_client PORT OPERATION COUNT THREADS
//!
//! See `c/measure.h` for its output.

use osslive::{ChannelConfig, Client, ListChannels, RtmpUrlOptions, SweepOptions};
use std::fs;
use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

fn call(client: &Client, operation: &str) -> osslive::Result<()> {
    match operation {
        "stat" => drop(black_box(client.get_channel_status("cam-0001")?)),
        "history" => drop(black_box(client.get_channel_history("cam-0001")?)),
        "put" => drop(black_box(client.put_channel("cam-0001", &ChannelConfig::new("Camera"))?)),
        "sign" => drop(black_box(client.get_rtmp_url("cam-0001", &RtmpUrlOptions::new())?)),
        "sign-param" => {
            let options = RtmpUrlOptions::new().playlist_name("other.m3u8");
            drop(black_box(client.get_rtmp_url("cam-0001", &options)?))
        }
        other => many(client, other)?,
    }
    Ok(())
}

/// Calls `list1000`, `sweep1000` or, without keeping the results, `each1000`, with any
/// number.
fn many(client: &Client, operation: &str) -> osslive::Result<()> {
    let digits = operation.find(|c: char| c.is_ascii_digit()).expect("an operation with a number");
    let (name, count) = operation.split_at(digits);
    let count: usize = count.parse().expect("a number");
    match name {
        "list" => {
            drop(black_box(client.list_channels(&ListChannels::new().max_keys(count as u32))?))
        }
        "sweep" => {
            let ids = (0..count).map(|number| format!("cam-{number:05}"));
            let sweep = client.monitor_channels(ids, &SweepOptions::new());
            assert_eq!(black_box(sweep).live.len(), count);
        }
        "each" => {
            let (ids, mut live) = ((0..count).map(|number| format!("cam-{number:05}")), 0);
            client.sweep_channels(ids, &SweepOptions::new(), |channel| {
                live += usize::from(black_box(channel).is_ok());
            })?;
            assert_eq!(live, count);
        }
        other => panic!("no operation {other}"),
    }
    Ok(())
}

fn times(client: &Client, operation: &str, count: usize) -> Vec<Duration> {
    (0..count)
        .map(|_| {
            let started = Instant::now();
            call(client, operation).expect("a response");
            started.elapsed()
        })
        .collect()
}

/// Returns the CPU time of the main thread, which does all the work if THREADS is 1.
fn cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/schedstat").expect("Linux");
    let nanoseconds = stat.split_whitespace().next().expect("a number");
    Duration::from_nanos(nanoseconds.parse().expect("a number"))
}

fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
    line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [port, operation, count, threads] = &arguments[..] else {
        panic!("osslive_client PORT OPERATION COUNT THREADS")
    };
    let (count, threads): (usize, usize) =
        (count.parse().expect("a count"), threads.parse().expect("threads"));
    let client = Client::builder()
        .endpoint(format!("http://127.0.0.1:{port}"))
        .region("cn-hangzhou")
        .bucket("live-demo")
        .credentials(osslive::Credentials::new("LTAI5tBenchKeyId", "BenchSecret7xYzABCDEFGH01"))
        .build()
        .expect("a client");
    call(&client, operation).expect("a response");
    println!("first");
    let (cpu_before, started) = (cpu(), Instant::now());
    let mut all: Vec<Duration> = thread::scope(|scope| {
        let workers: Vec<_> = (1..threads)
            .map(|_| scope.spawn(|| times(&client, operation, count / threads)))
            .collect();
        let mut all = times(&client, operation, count / threads);
        all.extend(workers.into_iter().flat_map(|worker| worker.join().expect("a thread")));
        all
    });
    let (wall, cpu) = (started.elapsed(), cpu() - cpu_before);
    all.sort_unstable();
    let at = |share: f64| all.get((all.len() as f64 * share) as usize).map_or(0.0, us);
    println!(
        "{:.3} {:.3} {:.3} {:.1} {}",
        at(0.5),
        at(0.99),
        us(&cpu) / all.len().max(1) as f64,
        all.len() as f64 / wall.as_secs_f64(),
        peak_kib()
    );
}

fn us(time: &Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
