//! Shared by the tests with real programs.

// Every test program is a separate crate and uses a part of this.
#![allow(dead_code, unused_imports, unreachable_pub)]

mod channel;
mod endpoint;
mod ffmpeg;
mod hook;
mod monitoring;
#[cfg(target_os = "linux")]
mod obs;
mod playlist;
mod program;
mod shell;
mod tap;
mod tools;

use std::time::Duration;

pub use channel::Channel;
pub use endpoint::{Endpoint, Folder};
pub use ffmpeg::{clip, ffmpeg, frame_times, players, probe, publish, publish_clip, refusal};
pub use hook::{HOOK_SECRET, Hook, Received, Reply};
pub use monitoring::{
    Service, channel, free_port, kill_repeatedly, scrape, shipped, wait_for_series,
};
#[cfg(target_os = "linux")]
pub use obs::{AUDIO_RATE, Home, Mode, Obs, VIDEO};
pub use playlist::{Fragment, Playlist, fetch, get};
pub use program::{Program, Ran, run, wait_until};
pub use shell::{Shell, bare, failed, has_script, on_terminal, shipped_clip};
pub use tap::Tap;
pub use tools::{Browser, Sdk, despite_crashes, has_ffmpeg, newer_ffmpeg, nginx, note, skipped};

pub const BUCKET: &str = "live-demo";
pub const REGION: &str = "cn-hangzhou";
pub const KEY_ID: &str = "LTAI5tRealClientTests01";
pub const KEY_SECRET: &str = "realClientTestsSecret0123456789";
pub const STS_ID: &str = "STS.RealClientTests01";
pub const STS_SECRET: &str = "realClientTestsTemporarySecret01";
pub const STS_TOKEN: &str = "CAISrealClient+Tests/Token=With&Special==";

/// The time limit for anything that should happen soon.
pub const SOON: Duration = Duration::from_secs(20);
/// The time limit for programs that send a clip or run a suite.
pub const LONG: Duration = Duration::from_secs(120);

/// Seconds since 1970.
pub fn unix_now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.expect("a clock after 1970").as_secs() as i64
}
