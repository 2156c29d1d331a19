//! Power cuts: strace watches an endpoint at work, which is then restarted on what
//! its disk may contain if the power is cut at any moment: everything that was
//! flushed, and none, all, or any part of the rest.
//!
//! And kills: the same work, and `kill -9` at any moment.
//!
//! `OSSLIVE_CUTS` is the number of cuts for each durability setting,
//! `OSSLIVE_KILLS` that of kills.
#![cfg(target_os = "linux")]

#[path = "../support/mod.rs"]
mod support;

mod disk;
mod http;
mod random;
mod restarted;
mod trace;
mod workload;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use osslive::{Client, Credentials};
use support::{BUCKET, Endpoint, KEY_ID, KEY_SECRET, REGION, note, skipped};
use tempfile::TempDir;

use disk::{Contents, Cut, Disk};
use random::Random;
use restarted::Restarted;
use trace::Call;
use workload::{Journal, Work};

/// The number of sessions of each channel: in real time, one takes three seconds, and
/// otherwise half a second.
const ROUNDS: usize = 4;

#[test]
fn acknowledged_changes_survive_a_power_cut() {
    cut_power("without --durable", false);
}

#[test]
fn every_listed_fragment_survives_a_power_cut_if_requested() {
    cut_power("with --durable", true);
}

fn cut_power(what: &str, is_durable: bool) {
    if !has_strace(&format!("power cuts {what}")) {
        return;
    }
    let folder = in_memory();
    let journal = Journal::default();
    let (calls, complete) = watch(folder.path(), is_durable, &journal);
    let count = std::env::var("OSSLIVE_CUTS").map_or(50, |count| count.parse().expect("a number"));
    let mut random = Random::new(if is_durable { 7 } else { 8 });
    let mut moments: Vec<usize> = (0..count).map(|_| random.below(calls.len() + 1)).collect();
    moments.sort_unstable();

    let mut disk = Disk::new(folder.path());
    let mut acknowledged = 0;
    let mut done = 0;
    for (number, moment) in moments.into_iter().enumerate() {
        for call in &calls[done..moment] {
            disk.apply(call);
        }
        done = moment;
        let at = calls.get(moment).map_or(u64::MAX, |call| call.at);
        let cut = [Cut::Nothing, Cut::Everything, Cut::First, Cut::Some][number % 4];
        let after = Kept(in_memory());
        disk.cut(cut, &mut random, after.0.path());
        let case = format!(
            "{what}, cut {number} before call {moment} of {}: {cut:?}, {}",
            calls.len(),
            after.0.path().display()
        );
        let restarted = Restarted::on(&after.0.path().join("data"), is_durable, &case);
        acknowledged += restarted.holds(&journal, at, Some(&complete));
        if number % 10 == 0 {
            restarted.still_works();
        }
    }
    note(&format!(
        "{what}: {count} power cuts in {} calls; {acknowledged} acknowledged things survived",
        calls.len()
    ));
}

/// The number of kills that share a directory, which grows.
const KILLS_PER_FOLDER: usize = 25;

#[test]
fn kills_under_load_lose_no_acknowledged_change() {
    let count = std::env::var("OSSLIVE_KILLS").map_or(5, |count| count.parse().expect("a number"));
    let mut random = Random::new(9);
    let (mut acknowledged, mut survived) = (0, 0);
    let (mut folder, mut journal) = (in_memory(), Journal::default());
    for number in 0..count {
        if number % KILLS_PER_FOLDER == 0 {
            (folder, journal) = (in_memory(), Journal::default());
        }
        let data = folder.path().join("data");
        let endpoint = Endpoint::start(&data);
        let url = endpoint.url.clone();
        let after = Duration::from_millis(random.below(600) as u64);
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(after);
                endpoint.kill();
            });
            Work { client: client(&url).with_attempts(1), url, journal: &journal }.run(ROUNDS);
        });
        let case = format!("kill {number} after {after:?}, {}", data.display());
        let restarted = Restarted::on(&data, false, &case);
        acknowledged += journal.count();
        survived += restarted.holds(&journal, u64::MAX, None);
        journal = restarted.found(&journal);
    }
    note(&format!(
        "{count} kills: {acknowledged} changes were acknowledged, {survived} things survived"
    ));
}

/// Runs a workload on an endpoint in a directory. Returns its file system calls, and the
/// complete contents that each file had.
fn watch(folder: &Path, is_durable: bool, journal: &Journal) -> (Vec<Call>, Contents) {
    let log = tempfile::tempdir().expect("a folder");
    let log = log.path().join("strace.log");
    let mut command = Command::new("strace");
    command.args(["-f", "-ttt", "-xx", "-s", "4000000", "--seccomp-bpf", "-o"]).arg(&log);
    command.args(["-e", &format!("trace={}", trace::CALLS), "-e", "signal=none"]);
    command.arg(env!("CARGO_BIN_EXE_osslive")).args(["local", "--listen", "127.0.0.1:0"]);
    command.arg("--data").arg(folder.join("data")).args(["--bucket", BUCKET, "--region", REGION]);
    command.args(["--access-key-id", KEY_ID, "--access-key-secret", KEY_SECRET]);
    // Exits cleanly at the end of its input.
    command.arg("--exit-with-stdin").args(is_durable.then_some("--durable"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = command.spawn().expect("strace");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let first = lines.next().expect("a line").expect("text");
    let url = first.strip_prefix("listening on ").and_then(|rest| rest.split(' ').next());
    let url = url.unwrap_or_else(|| panic!("unexpected first line: {first}")).to_owned();
    let work = Work { client: client(&url), url, journal };
    assert!(work.run(ROUNDS), "the endpoint exited or rejected something");
    drop(child.stdin.take());
    lines.for_each(drop);
    assert!(child.wait().expect("strace").success(), "the endpoint did not exit cleanly");

    let calls = trace::read(&fs::read_to_string(&log).expect("strace's log"));
    // The power is cut only before calls that change or flush something; the others are
    // kept because these depend on them.
    let mut disk = Disk::new(folder);
    let calls: Vec<Call> = calls.into_iter().filter(|call| disk.apply(call)).collect();
    assert!(calls.len() > 500, "{} calls", calls.len());
    (calls, disk.complete)
}

fn client(url: &str) -> Client {
    Client::builder()
        .endpoint(url)
        .region(REGION)
        .bucket(BUCKET)
        .credentials(Credentials::new(KEY_ID, KEY_SECRET))
        .no_proxy()
        .build()
        .expect("a client for the endpoint")
}

/// Creates a directory in memory, where flushing costs nothing.
fn in_memory() -> TempDir {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory } else { Path::new(env!("CARGO_TARGET_TMPDIR")) };
    tempfile::Builder::new().prefix("power-cut-").tempdir_in(parent).expect("a folder")
}

/// A directory that is kept after a failure.
struct Kept(TempDir);

impl Drop for Kept {
    fn drop(&mut self) {
        self.0.disable_cleanup(thread::panicking());
    }
}

/// Returns whether processes can be traced; otherwise the test is reported as skipped.
fn has_strace(what: &str) -> bool {
    let mut command = Command::new("strace");
    command.args(["--seccomp-bpf", "-f", "-o", "/dev/null", "true"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let is_here = command.status().is_ok_and(|status| status.success());
    if !is_here {
        skipped(what, "no strace, or not allowed; tests/real/setup.sh installs it");
    }
    is_here
}
