//! Cuts the opening, the peak and the closing of a channel's latest session.
//!
//! Usage: highlights [CHANNEL [SECONDS]]. The default length is five minutes.
//! Region, endpoint, bucket and access key come from OSS_REGION,
//! OSS_ENDPOINT, OSS_BUCKET, OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET.

use osslive::{Client, Highlight, SweepOptions};
use std::env;
use std::error::Error;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let channel = args.next().unwrap_or("main-stage".into());
    let length = Duration::from_secs(args.next().unwrap_or("300".into()).parse()?);

    let client = Client::builder().from_env().build()?;
    let highlights = [
        Highlight::new("opening", Duration::ZERO, length),
        Highlight::new("peak", length * 2, length * 3),
        Highlight::closing("closing", length),
    ];
    let options = SweepOptions::new()
        .progress(|progress| eprintln!("{} of {}", progress.done, progress.total));
    let results = client.create_highlights(&channel, &highlights, &options)?;
    for highlight in results {
        match highlight.error {
            None => {
                let url = client.get_play_url(&channel, &highlight.playlist, 3600)?;
                println!("{}: {url}", highlight.name);
            }
            Some(error) => println!("{}: {error}", highlight.name),
        }
    }
    Ok(())
}
