//! Exercises an endpoint for minutes or hours, with everything that can go wrong in
//! practice, and then checks the result:
//!
//! ```text
//! cargo run --release -p osslive-local --example soak -- --minutes 30
//! ```
//!
//! Publishers end cleanly or disconnect mid-stream, and send in real time or as
//! fast as possible; channels are disabled, deleted and created again; the wall clock
//! jumps; the endpoint, a separate process, is killed with `kill -9` and restarted;
//! readers follow the playlists all the time. For the last third it is not killed, so
//! that leaks would show.
//!
//! At the end, each listed fragment must exist and follow the rules, each existing
//! fragment must be listed, the histories must be consistent, no unfinished files may
//! be left, and neither memory nor descriptors may have grown. Exits with 1 otherwise.

use osslive::{
    ChannelConfig, ChannelState, Client, Credentials, RtmpUrlOptions, StreamState, VodTime,
};
use osslive_local::media::flv::{Reader, TagKind};
use osslive_local::push::{Publisher, PushOptions, push_flv};
use osslive_local::{Acl, Clock, Config, LocalEndpoint};
use recording::Playlist;
use std::collections::BTreeSet;
use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{env, fs, io, thread};
use time::OffsetDateTime;

#[path = "../tests/support/recording.rs"]
mod recording;
#[path = "../tests/support/tscheck.rs"]
mod tscheck;

const CLIP: &[u8] = include_bytes!("../../cli/assets/clip.flv");
const BUCKET: &str = Config::BUCKET;
const PUBLISHERS: usize = 4;
const READERS: usize = 2;
/// Small enough to take effect.
const MAX_STORAGE: u64 = 24 << 20;
/// The maximum offset of the endpoint's clock.
const MAX_OFFSET_MS: i64 = 3_600_000;

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--serve", data, listen] => serve(Path::new(data), listen).map(|()| true),
        ["--minutes", minutes] => minutes.parse().map_err(Into::into).and_then(soak),
        _ => Err("usage: soak --minutes N".into()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("soak: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the endpoint's process: each line of its input is a new clock offset in
/// milliseconds.
fn serve(data: &Path, listen: &str) -> Fallible<()> {
    let offset = Arc::new(AtomicI64::new(0));
    let clock = {
        let offset = offset.clone();
        Clock::from_fn(move || {
            let offset = time::Duration::milliseconds(offset.load(Ordering::SeqCst));
            OffsetDateTime::now_utc() + offset
        })
    };
    let mut lines = io::stdin().lines();
    let set = |line: String| {
        offset.store(line.trim().parse().unwrap_or(0), Ordering::SeqCst);
    };
    set(lines.next().transpose()?.unwrap_or_default());
    let config = Config::new(data)
        .listen(listen.parse()?)
        .acl(Acl::PublicRead)
        .clock(clock)
        .max_storage(MAX_STORAGE);
    let endpoint = LocalEndpoint::start(config)?;
    println!("{}", endpoint.url());
    lines.map_while(Result::ok).for_each(set);
    Ok(())
}

/// The endpoint's process, which is restarted repeatedly.
struct Served {
    data: PathBuf,
    listen: String,
    child: Option<(Child, ChildStdin)>,
    offset_ms: i64,
}

impl Served {
    fn start(&mut self) -> Fallible<()> {
        let mut child = Command::new(env::current_exe()?)
            .arg("--serve")
            .arg(&self.data)
            .arg(&self.listen)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut stdin = child.stdin.take().ok_or("no stdin")?;
        writeln!(stdin, "{}", self.offset_ms)?;
        let mut url = String::new();
        BufReader::new(child.stdout.take().ok_or("no stdout")?).read_line(&mut url)?;
        let address = url.trim().strip_prefix("http://").ok_or("the endpoint did not start")?;
        // The same port at each restart, so that clients find it.
        address.clone_into(&mut self.listen);
        self.child = Some((child, stdin));
        Ok(())
    }

    fn kill(&mut self) -> Fallible<()> {
        if let Some((mut child, _)) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    fn set_clock(&mut self, offset_ms: i64) -> Fallible<()> {
        self.offset_ms = offset_ms;
        if let Some((_, stdin)) = &mut self.child {
            writeln!(stdin, "{offset_ms}")?;
        }
        Ok(())
    }

    /// Returns memory in KiB and the number of descriptors, if the system reports them.
    fn usage(&self) -> Option<(u64, usize)> {
        let process = PathBuf::from(format!("/proc/{}", self.child.as_ref()?.0.id()));
        let status = fs::read_to_string(process.join("status")).ok()?;
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let memory = memory.trim().trim_end_matches("kB").trim().parse().ok()?;
        Some((memory, fs::read_dir(process.join("fd")).ok()?.count()))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// A channel's sessions since it was created.
#[derive(Default)]
struct Sessions {
    /// Sessions that were accepted.
    accepted: usize,
    /// Attempts with an unknown outcome, which may have been sessions.
    unclear: usize,
}

struct Soak {
    served: Mutex<Served>,
    client: Client,
    address: String,
    channels: Vec<(String, Mutex<Sessions>)>,
    stop: AtomicBool,
    counts: Counts,
    faults: Mutex<Vec<String>>,
}

#[derive(Default)]
struct Counts {
    sessions: AtomicU64,
    hang_ups: AtomicU64,
    refusals: AtomicU64,
    kills: AtomicU64,
    disables: AtomicU64,
    deletes: AtomicU64,
    jumps: AtomicU64,
    playlists: AtomicU64,
    fragments: AtomicU64,
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A simple random number generator.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % sides
    }

    fn pause(&mut self, least_ms: u64, most_ms: u64) -> Duration {
        Duration::from_millis(least_ms + self.roll(most_ms - least_ms))
    }
}

fn soak(minutes: f64) -> Fallible<bool> {
    let length = Duration::from_secs_f64(minutes * 60.0);
    let mut builder = tempfile::Builder::new();
    builder.prefix("osslive-soak-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    let mut folder = builder.tempdir()?;
    let data = folder.path().join("data");
    let mut served =
        Served { data: data.clone(), listen: "127.0.0.1:0".into(), child: None, offset_ms: 0 };
    served.start()?;
    let address = served.listen.clone();
    let client = Client::builder()
        .endpoint(format!("http://{address}"))
        .region("cn-hangzhou")
        .bucket(BUCKET)
        // The clock may be skewed, which the client corrects after a request.
        .credentials(Credentials::new(Config::ACCESS_KEY_ID, Config::ACCESS_KEY_SECRET))
        .no_proxy()
        .build()?;
    let channels = (0..PUBLISHERS).map(|n| (format!("cam-{n}"), Mutex::default())).collect();
    let soak = Soak {
        served: Mutex::new(served),
        client,
        address,
        channels,
        stop: AtomicBool::new(false),
        counts: Counts::default(),
        faults: Mutex::default(),
    };
    for (name, _) in &soak.channels {
        soak.client.put_channel(name, &config(name))?;
    }
    let started = Instant::now();
    let usage = thread::scope(|scope| {
        for number in 0..PUBLISHERS {
            let soak = &soak;
            scope.spawn(move || soak.publish(number));
        }
        for number in 0..READERS {
            let soak = &soak;
            scope.spawn(move || soak.read(number));
        }
        let usage = soak.disturb(started, length);
        soak.stop.store(true, Ordering::SeqCst);
        usage
    });
    let usage = usage?;
    soak.check(&data)?;
    soak.report(started.elapsed(), &usage);
    let faults = lock(&soak.faults);
    if faults.is_empty() {
        drop(soak.served.lock().map(|mut served| served.kill()));
        println!("no faults");
        return Ok(true);
    }
    for fault in faults.iter() {
        println!("FAULT: {fault}");
    }
    folder.disable_cleanup(true);
    println!("{} faults; the data is in {}", faults.len(), folder.path().display());
    Ok(false)
}

fn config(name: &str) -> ChannelConfig {
    ChannelConfig::new(name).frag_duration(1).frag_count(3)
}

impl Soak {
    fn fault(&self, what: impl Into<String>) {
        let mut faults = lock(&self.faults);
        if faults.len() < 100 {
            faults.push(what.into());
        }
    }

    fn is_over(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// Runs one publisher: session after session, each with a different end.
    fn publish(&self, number: usize) {
        let mut dice = Dice(number as u64 * 7919 + 17);
        let (name, sessions) = &self.channels[number];
        while !self.is_over() {
            let options = RtmpUrlOptions::new().expires(86_400);
            let Ok(url) = self.client.get_rtmp_url(name, &options) else { continue };
            match dice.roll(4) {
                0 => self.push(&url, sessions, dice.roll(20), false),
                1 | 2 => self.push(&url, sessions, 3 + dice.roll(12), true),
                _ => self.hang_up(&url, sessions, &mut dice),
            }
            thread::sleep(dice.pause(50, 1500));
        }
    }

    fn push(&self, url: &str, sessions: &Mutex<Sessions>, seconds: u64, real_time: bool) {
        let duration = Some(Duration::from_secs(seconds.max(1)));
        let mut accepted = false;
        let options = PushOptions { duration, real_time };
        let pushed = push_flv(url, CLIP, options, &mut |_| {
            if !std::mem::replace(&mut accepted, true) {
                lock(sessions).accepted += 1;
                count(&self.counts.sessions);
            }
            !self.is_over()
        });
        if !accepted {
            lock(sessions).unclear += 1;
        }
        if pushed.is_err() {
            count(&self.counts.refusals);
        }
    }

    /// Sends a part of the clip and disconnects, like a killed encoder.
    fn hang_up(&self, url: &str, sessions: &Mutex<Sessions>, dice: &mut Dice) {
        let Ok(mut publisher) = Publisher::connect(url, Duration::from_secs(5)) else {
            lock(sessions).unclear += 1;
            return count(&self.counts.refusals);
        };
        lock(sessions).accepted += 1;
        count(&self.counts.sessions);
        count(&self.counts.hang_ups);
        let messages = dice.roll(300) as usize;
        let tags = Reader::new(CLIP).into_iter().flatten().map_while(Result::ok);
        for tag in tags.take(messages) {
            if publisher.send(tag.kind, tag.timestamp, &tag.body).is_err() {
                return;
            }
            if tag.kind == TagKind::Video {
                thread::sleep(Duration::from_millis(5));
            }
        }
    }

    /// Runs one reader: every listed fragment must exist.
    fn read(&self, number: usize) {
        let mut dice = Dice(number as u64 * 104_729 + 5);
        while !self.is_over() {
            thread::sleep(dice.pause(100, 700));
            let (name, _) = &self.channels[dice.roll(PUBLISHERS as u64) as usize];
            let key = format!("{name}/playlist.m3u8");
            let Some((200, text)) = self.get(&key) else { continue };
            count(&self.counts.playlists);
            let playlist = Playlist::read(&String::from_utf8_lossy(&text));
            for fragment in &playlist.names {
                match self.get(&format!("{name}/{fragment}")) {
                    Some((200, bytes)) if bytes.len() % 188 == 0 && !bytes.is_empty() => {
                        count(&self.counts.fragments);
                    }
                    // It may have left the window and been deleted.
                    Some((404, _)) if !self.still_lists(&key, fragment) => {}
                    None => {}
                    Some((status, bytes)) => self.fault(format!(
                        "{name}/{fragment} is listed: status {status}, {} bytes",
                        bytes.len()
                    )),
                }
            }
        }
    }

    fn still_lists(&self, key: &str, fragment: &str) -> bool {
        let text = self.get(key).filter(|(status, _)| *status == 200);
        text.is_some_and(|(_, text)| String::from_utf8_lossy(&text).contains(fragment))
    }

    /// Returns status and body of an object; `None` if the endpoint was killed meanwhile.
    fn get(&self, key: &str) -> Option<(u16, Vec<u8>)> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
        let head = "HTTP/1.1\r\nConnection: close\r\nHost";
        write!(stream, "GET /{BUCKET}/{key} {head}: {}\r\n\r\n", self.address).ok()?;
        let mut response = Vec::new();
        stream.read_to_end(&mut response).ok()?;
        let end = response.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&response[..end]).to_ascii_lowercase();
        let status = head.get(9..12)?.parse().ok()?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let body = response.split_off(end + 4);
        // Killed in the middle of a response.
        (length?.parse() == Ok(body.len())).then_some((status, body))
    }

    /// Causes all disturbances; returns the endpoint's resource usage during the last
    /// third.
    fn disturb(&self, started: Instant, length: Duration) -> Fallible<Vec<(u64, usize)>> {
        let mut dice = Dice(1_795_335_398);
        let quiet = length.mul_f64(2.0 / 3.0);
        let (mut usage, mut next_kill) = (Vec::new(), started + dice.pause(5_000, 15_000));
        let mut next_sample = started + quiet + length.mul_f64(0.05);
        while started.elapsed() < length {
            thread::sleep(dice.pause(200, 1500));
            let mut served = lock(&self.served);
            if served
                .child
                .as_mut()
                .is_some_and(|(child, _)| child.try_wait().is_ok_and(|s| s.is_some()))
            {
                self.fault("the endpoint died unexpectedly");
                served.kill()?;
                served.start()?;
            }
            if Instant::now() > next_kill && started.elapsed() < quiet {
                served.kill()?;
                thread::sleep(dice.pause(0, 500));
                served.start()?;
                count(&self.counts.kills);
                next_kill = Instant::now() + dice.pause(5_000, 40_000);
            }
            if started.elapsed() > quiet && Instant::now() > next_sample {
                usage.extend(served.usage());
                next_sample = Instant::now() + length.mul_f64(0.02);
            }
            drop(served);
            self.cause_disturbance(&mut dice)?;
        }
        Ok(usage)
    }

    fn cause_disturbance(&self, dice: &mut Dice) -> Fallible<()> {
        let (name, sessions) = &self.channels[dice.roll(PUBLISHERS as u64) as usize];
        match dice.roll(12) {
            0 => {
                if self.client.put_channel_status(name, ChannelState::Disabled).is_ok() {
                    count(&self.counts.disables);
                }
                thread::sleep(dice.pause(0, 800));
                let _ = self.client.put_channel_status(name, ChannelState::Enabled);
            }
            1 => {
                let mut sessions = lock(sessions);
                // A live channel is not deleted: then nothing changes.
                if self.client.delete_channel(name).is_ok() {
                    count(&self.counts.deletes);
                    *sessions = Sessions { accepted: 0, unclear: usize::MAX / 2 };
                    self.client.put_channel(name, &config(name))?;
                }
            }
            2 => {
                let mut served = lock(&self.served);
                let by = dice.roll(1_200_000) as i64 - 600_000;
                let offset = (served.offset_ms + by).clamp(-MAX_OFFSET_MS, MAX_OFFSET_MS);
                served.set_clock(offset)?;
                count(&self.counts.jumps);
            }
            _ => {}
        }
        Ok(())
    }

    /// Checks everything, after all publishers have ended.
    fn check(&self, data: &Path) -> Fallible<()> {
        let (mut total, now) = (0, OffsetDateTime::now_utc().unix_timestamp());
        for (name, sessions) in &self.channels {
            self.await_idle(name)?;
            let folder = data.join(BUCKET).join("objects").join(name);
            let live = fs::read_to_string(folder.join("playlist.m3u8")).unwrap_or_default();
            for violation in Playlist::read(&live).violations(&folder) {
                self.fault(format!("{name}, live: {violation}"));
            }
            // The clock was off by at most an hour in either direction.
            let span = VodTime::new(now - 43_000, now + 43_000);
            let vod = self.client.get_vod(name, &span).map(|vod| vod.text).unwrap_or_default();
            let vod = Playlist::read(&vod);
            for violation in vod.violations(&folder) {
                self.fault(format!("{name}, VOD: {violation}"));
            }
            let (mut on_disk, mut bytes) = (BTreeSet::new(), 0);
            for entry in fs::read_dir(&folder).into_iter().flatten() {
                let entry = entry?;
                let file = entry.file_name().to_string_lossy().into_owned();
                if file.ends_with(".ts") {
                    bytes += entry.metadata()?.len();
                    on_disk.insert(file);
                }
            }
            if on_disk != vod.names.iter().cloned().collect() {
                self.fault(format!(
                    "{name}: {} fragments, {} listed",
                    on_disk.len(),
                    vod.names.len()
                ));
            }
            total += bytes;
            self.check_history(name, &lock(sessions))?;
        }
        // The newest fragments of each channel are kept despite the limit.
        if total > MAX_STORAGE + (PUBLISHERS as u64) * 3 * (1 << 20) {
            self.fault(format!("{total} bytes of fragments exceed the limit of {MAX_STORAGE}"));
        }
        let scratch = fs::read_dir(data.join(".scratch"))?.count();
        if scratch > 0 {
            self.fault(format!("{scratch} unfinished files were left"));
        }
        Ok(())
    }

    fn await_idle(&self, name: &str) -> Fallible<()> {
        let started = Instant::now();
        while self.client.get_channel_status(name)?.status == StreamState::Live {
            if started.elapsed() > Duration::from_secs(60) {
                self.fault(format!("{name} is still live"));
                break;
            }
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    fn check_history(&self, name: &str, sessions: &Sessions) -> Fallible<()> {
        let records = self.client.get_channel_history(name)?.records;
        let least = sessions.accepted.min(10);
        let most = sessions.accepted.saturating_add(sessions.unclear).min(10);
        if !(least..=most).contains(&records.len()) {
            self.fault(format!("{name}: {} records, not {least} to {most}", records.len()));
        }
        for record in &records {
            if record.start_time > record.end_time || !record.remote_addr.starts_with("127.0.0.1:")
            {
                self.fault(format!("{name}: {record:?}"));
            }
        }
        Ok(())
    }

    fn report(&self, elapsed: Duration, usage: &[(u64, usize)]) {
        let Counts { sessions, hang_ups, refusals, kills, disables, deletes, jumps, .. } =
            &self.counts;
        let Counts { playlists, fragments, .. } = &self.counts;
        println!("ran for              {:.1} minutes", elapsed.as_secs_f64() / 60.0);
        for (what, counter) in [
            ("sessions", sessions),
            ("ended mid-stream", hang_ups),
            ("refused or broken", refusals),
            ("kill -9", kills),
            ("disabled", disables),
            ("deleted, recreated", deletes),
            ("clock jumps", jumps),
            ("playlists read", playlists),
            ("fragments read", fragments),
        ] {
            println!("{what:<21}{}", counter.load(Ordering::Relaxed));
        }
        let (Some(first), Some(last)) = (usage.first(), usage.last()) else { return };
        let most = usage.iter().fold((0, 0), |most, one| (most.0.max(one.0), most.1.max(one.1)));
        println!("memory               {} to {} KiB, at most {}", first.0, last.0, most.0);
        println!("descriptors          {} to {}, at most {}", first.1, last.1, most.1);
        let idle = lock(&self.served).usage();
        if let Some((memory, descriptors)) = idle {
            println!("idle                 {memory} KiB, {descriptors} descriptors");
            // Listening socket, runtime, lock, kept connections.
            if descriptors > 40 {
                self.fault(format!("{descriptors} descriptors when idle"));
            }
        }
        // Allocators retain varying amounts, but a leak would add more than 50%.
        if most.0 > first.0 + first.0 / 2 + 8 * 1024 {
            self.fault(format!("memory grew from {} to {} KiB", first.0, most.0));
        }
    }
}
