//! Many threads share one client, over connections that break at random: no thread gets
//! another's response, and nothing leaks.
//!
//! Takes five seconds, or the number in `OSSLIVE_LOAD_SECONDS`.

use osslive::{ChannelConfig, Client, Error, ErrorKind, ListChannels};
use osslive_local::{Config, LocalEndpoint};
use socket2::SockRef;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const THREADS: usize = 64;

/// Pseudorandom numbers, the same for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        // xorshift64*, by Vigna.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % end
    }
}

/// A forwarder to a server that cuts a connection after one in `one_in` pieces of data,
/// cleanly or with RST, in the middle of the data.
struct Cutter {
    address: SocketAddr,
    cuts: Arc<AtomicUsize>,
    is_stopped: Arc<AtomicBool>,
}

impl Cutter {
    fn start(server: SocketAddr, one_in: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (cuts, is_stopped) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let (count, stop) = (cuts.clone(), is_stopped.clone());
        thread::spawn(move || {
            for (number, client) in (1..).zip(listener.incoming()) {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(client) = client else { continue };
                let Ok(server) = TcpStream::connect(server) else { continue };
                let (back, forth) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                for (seed, from, to) in
                    [(2 * number, client, forth), (2 * number + 1, server, back)]
                {
                    let (count, random) = (count.clone(), Random(seed * 0x9e37_79b9));
                    thread::spawn(move || forward(from, to, one_in, random, &count));
                }
            }
        });
        Cutter { address, cuts, is_stopped }
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

fn forward(
    mut from: TcpStream,
    mut to: TcpStream,
    one_in: u64,
    mut random: Random,
    cuts: &AtomicUsize,
) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let is_cut = random.below(one_in) == 0;
        let most = if is_cut { random.below(count as u64 + 1) as usize } else { count };
        if to.write_all(&buffer[..most]).is_err() || is_cut {
            cuts.fetch_add(usize::from(is_cut), Ordering::Relaxed);
            if random.below(2) == 0 {
                let _ = SockRef::from(&to).set_linger(Some(Duration::ZERO));
            }
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

/// Counts the outcomes of calls.
#[derive(Default)]
struct Tally {
    right: AtomicUsize,
    retried: AtomicUsize,
    broken: AtomicUsize,
}

impl Tally {
    /// Counts a call, and returns its result, if it has one. Only connection errors are
    /// allowed.
    fn take<T>(&self, result: Result<T, Error>, attempts: impl Fn(&T) -> u32) -> Option<T> {
        match result {
            Ok(value) => {
                self.right.fetch_add(1, Ordering::Relaxed);
                self.retried.fetch_add(usize::from(attempts(&value) > 1), Ordering::Relaxed);
                Some(value)
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
                self.broken.fetch_add(1, Ordering::Relaxed);
                None
            }
        }
    }
}

/// What a thread knows about a channel that only it uses.
#[derive(Default)]
struct Known {
    /// The description of the last successful put, if any.
    last: Option<String>,
    /// The descriptions of puts that failed or were retried, which the server may still
    /// execute at any later time.
    late: Vec<String>,
}

impl Known {
    fn check(&self, description: &String, what: &dyn std::fmt::Debug) {
        let is_known = self.last.as_ref() == Some(description) || self.late.contains(description);
        assert!(is_known, "{what:?} is neither {:?} nor of {:?}", self.last, self.late);
    }
}

/// Puts and gets this thread's own channels, and checks that responses are neither
/// another thread's nor those to earlier requests.
fn work(client: &Client, thread: usize, until: Instant, tally: &Tally) {
    let mut random = Random(0x1234_5678 + thread as u64);
    let mut channels: [Known; 4] = Default::default();
    let prefix = format!("load-{thread:02}-");
    let mut number = 0;
    while Instant::now() < until {
        let index = random.below(4) as usize;
        let (id, known) = (format!("{prefix}{index}"), &mut channels[index]);
        match random.below(8) {
            0..3 => {
                number += 1;
                let description = format!("thread {thread} channel {index} number {number}");
                let put = client.put_channel(&id, &ChannelConfig::new(&*description));
                let put = tally.take(put, |urls| urls.res.attempts);
                if put.as_ref().is_none_or(|urls| urls.res.attempts > 1) {
                    known.late.push(description.clone());
                }
                if let Some(urls) = put {
                    assert!(urls.publish_urls[0].ends_with(&id), "{urls:?} for {id}");
                    known.last = Some(description);
                }
            }
            3..6 if known.last.is_some() => {
                let got = tally.take(client.get_channel(&id), |got| got.res.attempts);
                if let Some(got) = got {
                    known.check(&got.description, &got);
                }
            }
            _ => {
                let list = client.list_channels(&ListChannels::new().prefix(&*prefix));
                let list = tally.take(list, |list| list.res.attempts);
                for found in list.into_iter().flat_map(|list| list.channels) {
                    let index = found.name.strip_prefix(&prefix).and_then(|n| n.parse().ok());
                    let index: usize = index.unwrap_or_else(|| panic!("{found:?} for {prefix}"));
                    channels[index].check(&found.description, &found);
                }
            }
        }
    }
}

/// Returns resident memory in kB and open descriptors of this process, if known.
fn resources() -> Option<(u64, usize)> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let resident = line.split_whitespace().nth(1)?.parse().ok()?;
    Some((resident, std::fs::read_dir("/proc/self/fd").ok()?.count()))
}

fn settle(descriptors: usize) -> usize {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let now = resources().map_or(0, |(_, descriptors)| descriptors);
        if now <= descriptors || Instant::now() > until {
            return now;
        }
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn no_thread_gets_the_response_of_another_and_nothing_leaks() {
    let seconds = std::env::var("OSSLIVE_LOAD_SECONDS").ok();
    let seconds = seconds.map_or(5, |seconds| seconds.parse().expect("a number of seconds"));
    let endpoint = LocalEndpoint::start(Config::temporary()).unwrap();
    let server: SocketAddr = endpoint.url().trim_start_matches("http://").parse().unwrap();
    let cutter = Cutter::start(server, 100);
    let cut = format!("http://{}", cutter.address);
    let client = endpoint.client_builder().endpoint(cut).build().unwrap();
    let before = resources();
    let tally = Tally::default();
    let started = Instant::now();
    let until = started + Duration::from_secs(seconds);
    // Everything has reached its full size in the first part.
    let settled = thread::scope(|scope| {
        for thread in 0..THREADS {
            let (client, tally) = (client.clone(), &tally);
            scope.spawn(move || work(&client, thread, until, tally));
        }
        thread::sleep(Duration::from_secs(seconds) / 3);
        resources()
    });
    let after = resources();
    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    let [right, retried, broken] = [&tally.right, &tally.retried, &tally.broken].map(count);
    let cuts = count(&cutter.cuts);
    println!(
        "{seconds} s, {THREADS} threads: {right} correct responses, {retried} of them after a \
         retry, {broken} failed calls, {cuts} cuts; kB and descriptors before {before:?}, after \
         a third {settled:?}, at the end {after:?}"
    );
    assert!(right > 100 && cuts > 0, "too little happened");
    drop(client);
    if let (Some((_, before)), Some((settled, _)), Some((after, _))) = (before, settled, after) {
        // The allocator keeps some memory for each of the concurrent threads.
        assert!(after < settled + 16 * 1024, "memory grew from {settled} to {after} kB");
        let open = settle(before);
        println!("descriptors once everything is closed: {open}");
        assert!(open <= before, "{open} descriptors are open; there were {before} before");
    }
    drop((cutter, endpoint));
}
