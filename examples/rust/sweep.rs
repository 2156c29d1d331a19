//! Polls three channels every 30 seconds and prints the changes.
//!
//! Region, endpoint, bucket and access key come from OSS_REGION,
//! OSS_ENDPOINT, OSS_BUCKET, OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET.
//! SWEEP_SECONDS sets the interval, SWEEP_COUNT the number of sweeps.

use osslive::{ChannelMonitor, Client, Limits, MonitorOptions};
use std::env;
use std::error::Error;
use std::time::Duration;

const CHANNELS: [&str; 3] = ["main-stage", "backstage", "audience"];

fn main() -> Result<(), Box<dyn Error>> {
    let seconds: f64 = env::var("SWEEP_SECONDS").unwrap_or("30".into()).parse()?;
    let count: usize = env::var("SWEEP_COUNT").map_or(Ok(usize::MAX), |text| text.parse())?;

    let client = Client::builder().from_env().build()?;
    let options = MonitorOptions::new()
        .interval(Duration::from_secs_f64(seconds))
        .limits(Limits::new().min_bandwidth(100_000));
    let mut monitor = ChannelMonitor::new(&client, CHANNELS, options);
    for _ in 0..count {
        let Some(changes) = monitor.next_changes() else { break };
        for change in changes {
            println!("{change}");
        }
        if let Some(sweep) = monitor.last_sweep() {
            let (live, idle) = (sweep.live.len(), sweep.idle.len());
            let (disabled, failed) = (sweep.disabled.len(), sweep.failed.len());
            println!("{live} live, {idle} idle, {disabled} disabled, {failed} failed");
        }
    }
    Ok(())
}
