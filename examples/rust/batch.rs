//! Creates three channels in one call.
//!
//! Region, endpoint, bucket and access key come from OSS_REGION,
//! OSS_ENDPOINT, OSS_BUCKET, OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET.

use osslive::{ChannelConfig, Client, RtmpUrlOptions, SweepOptions};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let client = Client::builder().from_env().build()?;
    let channels = [
        ("main-stage", ChannelConfig::new("Main stage")),
        ("backstage", ChannelConfig::new("Backstage").frag_duration(2)),
        ("audience", ChannelConfig::new("Audience").frag_count(6)),
    ];
    let options = SweepOptions::new()
        .progress(|progress| eprintln!("{} of {}", progress.done, progress.total));
    let mut failures = 0;
    for put in client.put_channels(&channels, &options) {
        match put.result {
            Ok(_) => {
                let url = client.get_rtmp_url(&put.id, &RtmpUrlOptions::new())?;
                println!("{}: publish to {url}", put.id);
            }
            Err(error) => {
                failures += 1;
                println!("{}: {error}", put.id);
            }
        }
    }
    if failures > 0 { Err(format!("{failures} channels were not created").into()) } else { Ok(()) }
}
