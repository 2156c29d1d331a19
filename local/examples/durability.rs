//! Measures the cost of durability: how many channels are created and how many
//! fragments recorded per second, in a folder where nothing is flushed, in one with the
//! defaults, and in one with `Config::durable`.
//!
//! ```text
//! cargo run --release -p osslive-local --example durability -- FOLDER
//! ```
//!
//! FOLDER, which should be on the disk to measure, is created and deleted afterwards.

use osslive::{ChannelConfig, Client, RtmpUrlOptions};
use osslive_local::push::{PushOptions, push_flv};
use osslive_local::{Config, LocalEndpoint};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

const CLIP: &[u8] = include_bytes!("../../cli/assets/clip.flv");
const CHANNELS: usize = 500;
/// The number of concurrent publishers, and how much media each sends as fast as possible.
const PUBLISHERS: usize = 4;
const MEDIA: Duration = Duration::from_secs(300);
/// The best of this many rounds counts, since the machine may have other work.
const ROUNDS: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).ok_or("usage: durability FOLDER")?;
    let folder = PathBuf::from(folder);
    std::fs::create_dir(&folder)?;
    let measured = measure_all(&folder);
    std::fs::remove_dir_all(&folder)?;
    measured
}

fn measure_all(folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut best = [
        ("nothing flushed", Rates::default()),
        ("default", Rates::default()),
        ("durable", Rates::default()),
    ];
    for round in 0..ROUNDS {
        let data = |name: &str| Config::new(folder.join(format!("{name}-{round}")));
        let configs = [Config::temporary(), data("usual"), data("durable").durable(true)];
        for ((_, best), config) in best.iter_mut().zip(configs) {
            let rates = measure(config)?;
            best.channels = best.channels.max(rates.channels);
            best.fragments = best.fragments.max(rates.fragments);
        }
    }
    for (what, Rates { channels, fragments }) in best {
        println!("{what}: {channels:.0} channels/s, {fragments:.0} fragments/s");
    }
    Ok(())
}

/// Rates per second.
#[derive(Default)]
struct Rates {
    channels: f64,
    fragments: f64,
}

fn measure(config: Config) -> Result<Rates, Box<dyn Error>> {
    let endpoint = LocalEndpoint::start(config)?;
    let client = endpoint.client_builder().build()?;
    let began = Instant::now();
    for number in 0..CHANNELS {
        client.put_channel(&format!("channel-{number}"), &ChannelConfig::new(""))?;
    }
    let channels = CHANNELS as f64 / began.elapsed().as_secs_f64();
    let began = Instant::now();
    thread::scope(|scope| {
        for number in 0..PUBLISHERS {
            let client = &client;
            scope.spawn(move || publish(client, &format!("stage-{number}")));
        }
    });
    let took = began.elapsed().as_secs_f64();
    let fragments = count_fragments(&client)? as f64 / took;
    endpoint.stop();
    Ok(Rates { channels, fragments })
}

fn publish(client: &Client, channel: &str) {
    let config = ChannelConfig::new("").frag_duration(1);
    client.put_channel(channel, &config).expect("a channel");
    let url = client.get_rtmp_url(channel, &RtmpUrlOptions::new()).expect("a URL");
    let options = PushOptions { duration: Some(MEDIA), real_time: false };
    push_flv(&url, CLIP, options, &mut |_| true).expect("a session");
}

fn count_fragments(client: &Client) -> osslive::Result<usize> {
    let mut count = 0;
    for object in client.objects("stage-", "") {
        count += usize::from(object?.key.ends_with(".ts"));
    }
    Ok(count)
}
