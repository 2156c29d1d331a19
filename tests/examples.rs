//! Runs the example programs against the local endpoint.

#[path = "support/media_clock.rs"]
mod media_clock;

use media_clock::MediaClock;
use osslive::{ChannelConfig, Client};
use osslive_local::{Config, LocalEndpoint};
use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;
use time::OffsetDateTime;

/// An endpoint whose clock advances with the broadcast.
struct Stage {
    endpoint: LocalEndpoint,
    clock: MediaClock,
}

impl Stage {
    fn new() -> Self {
        let clock = MediaClock::starting_at(OffsetDateTime::now_utc() - Duration::from_secs(60));
        let config = Config::temporary().clock(clock.clock());
        Stage { endpoint: LocalEndpoint::start(config).unwrap(), clock }
    }

    fn url(&self) -> String {
        self.endpoint.url()
    }

    fn client(&self) -> Client {
        self.endpoint.client_builder().build().unwrap()
    }

    /// Records a session of thirty seconds on the main stage.
    fn broadcast(&self) {
        self.clock.record(&self.client(), "main-stage", 1, Duration::from_secs(30));
    }

    /// Runs an example, and returns what it prints.
    fn run(&self, example: &str, args: &[&str], settings: &[(&str, &str)]) -> String {
        let output = Command::new(program(example))
            .args(args)
            .env("OSS_ENDPOINT", self.url())
            .env("OSS_REGION", "cn-hangzhou")
            .env("OSS_BUCKET", Config::BUCKET)
            .env("OSS_ACCESS_KEY_ID", Config::ACCESS_KEY_ID)
            .env("OSS_ACCESS_KEY_SECRET", Config::ACCESS_KEY_SECRET)
            .env_remove("OSS_SESSION_TOKEN")
            .env("NO_PROXY", "*")
            .envs(settings.iter().copied())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{example}: {}\n{text}{errors}", output.status);
        println!("{example}\n{text}{errors}");
        text
    }
}

/// Returns the built example. Cargo builds examples when it builds all tests, but not
/// for a single one: then an earlier build is used, or a new one made if there is none.
fn program(example: &str) -> PathBuf {
    static BUILDING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = BUILDING.lock().unwrap();
    let tests = env::current_exe().unwrap();
    let folder = tests.ancestors().nth(2).unwrap().join("examples");
    let program = folder.join(format!("{example}{}", env::consts::EXE_SUFFIX));
    if !program.exists() {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--package", "osslive", "--examples"]);
        build.arg("--target-dir").arg(folder.ancestors().nth(2).unwrap());
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        assert!(build.status().unwrap().success());
    }
    program
}

#[test]
fn batch_creates_three_channels() {
    let stage = Stage::new();
    let text = stage.run("batch", &[], &[]);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    for (line, id) in lines.iter().zip(["main-stage", "backstage", "audience"]) {
        assert!(line.starts_with(&format!("{id}: publish to rtmp://127.0.0.1:")), "{line}");
    }
    let made: Vec<_> = stage.client().channels("").map(|found| found.unwrap().name).collect();
    assert_eq!(made, ["audience", "backstage", "main-stage"]);
}

#[test]
fn sweep_reports_changes_at_each_interval() {
    let stage = Stage::new();
    stage.client().put_channel("main-stage", &ChannelConfig::default()).unwrap();
    stage.client().put_channel("backstage", &ChannelConfig::default()).unwrap();
    let text = stage.run("sweep", &[], &[("SWEEP_SECONDS", "0.1"), ("SWEEP_COUNT", "3")]);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "audience does not exist", "{text}");
    assert_eq!(lines[1..], ["0 live, 2 idle, 0 disabled, 1 failed"; 3]);
}

#[test]
fn history_analyzes_a_week() {
    let stage = Stage::new();
    stage.broadcast();
    let text = stage.run("history", &[], &[]);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "sessions: 1");
    assert!(lines[2].starts_with("average:  0."), "{text}");
    assert_eq!(lines[3], "from:     127.0.0.1");
    assert!(lines[4].starts_with("longest:  0."), "{text}");
}

#[test]
fn highlights_saves_opening_peak_and_closing() {
    let stage = Stage::new();
    stage.broadcast();
    let text = stage.run("highlights", &["main-stage", "8"], &[]);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    for (line, name) in lines.iter().zip(["opening", "peak", "closing"]) {
        assert!(line.starts_with(&format!("{name}: http://127.0.0.1:")), "{text}");
        assert!(line.contains(&format!("/main-stage/{name}.m3u8?")), "{text}");
    }
}
