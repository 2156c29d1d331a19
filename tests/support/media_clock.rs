//! Records long sessions in a short time: the endpoint's clock advances with the stream.

use osslive::{ChannelConfig, Client, RtmpUrlOptions, VodTime};
use osslive_local::Clock;
use osslive_local::push::{PushOptions, push_flv};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use time::OffsetDateTime;

const CLIP: &[u8] = include_bytes!("../../cli/assets/clip.flv");

/// How long the endpoint may take to record the stream.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A clock that advances only with the recorded stream.
pub struct MediaClock {
    start: OffsetDateTime,
    passed: Arc<AtomicU64>,
}

impl MediaClock {
    pub fn starting_at(start: OffsetDateTime) -> Self {
        MediaClock { start, passed: Arc::default() }
    }

    /// Returns the clock for the endpoint's configuration.
    pub fn clock(&self) -> Clock {
        let (start, passed) = (self.start, self.passed.clone());
        Clock::from_fn(move || start + Duration::from_millis(passed.load(Ordering::SeqCst)))
    }

    /// Creates a channel and records a session of `length` on it, in fragments of
    /// `seconds`.
    pub fn record(&self, client: &Client, id: &str, seconds: u32, length: Duration) {
        client.put_channel(id, &ChannelConfig::new("").frag_duration(seconds)).unwrap();
        let url = client.get_rtmp_url(id, &RtmpUrlOptions::new()).unwrap();
        let options = PushOptions { duration: Some(length), ..PushOptions::default() };
        let mut second = 0;
        push_flv(&url, CLIP, options, &mut |progress| {
            if progress.media.as_secs() > second {
                second = progress.media.as_secs();
                // If the endpoint lagged behind, fragments would get a later time.
                let open = f64::from(2 * seconds + 1);
                wait_for(|| self.recorded(client, id) + open >= second as f64);
            }
            self.passed.store(progress.media.as_millis() as u64, Ordering::SeqCst);
            true
        })
        .unwrap();
        wait_for(|| !client.get_channel_history(id).unwrap().records.is_empty());
    }

    /// Returns the seconds in complete fragments; before the first, the service has no
    /// playlist.
    fn recorded(&self, client: &Client, id: &str) -> f64 {
        let start = self.start.unix_timestamp();
        let passed = self.passed.load(Ordering::SeqCst).div_ceil(1000) as i64;
        let so_far = VodTime::new(start, start + passed + 1);
        let playlist = client.get_vod(id, &so_far).map(|vod| vod.text).unwrap_or_default();
        let durations = playlist.lines().filter_map(|line| line.strip_prefix("#EXTINF:"));
        durations.filter_map(|text| text.trim_end_matches(',').parse::<f64>().ok()).sum()
    }
}

fn wait_for(holds: impl Fn() -> bool) {
    let until = Instant::now() + TIMEOUT;
    while !holds() {
        assert!(Instant::now() < until, "the endpoint records nothing more");
        thread::sleep(Duration::from_millis(1));
    }
}
