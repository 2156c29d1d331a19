//! Transfers fragments into their places in a file, several at a time.

use super::journal::{Placed, file_error};
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::operation::GetObject;
use crate::recording::fragment;
use crate::stop::Stop;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// How often progress is reported.
const INTERVAL: Duration = Duration::from_millis(100);
/// How long a round that ends early waits for transfers that are about to finish.
const LINGER: Duration = Duration::from_millis(500);

/// The state shared by the workers. A transfer that cannot be interrupted outlives the
/// round and ends on its own.
pub(super) struct Round {
    pub(super) client: Client,
    pub(super) channel: String,
    /// The file, which exists.
    pub(super) path: PathBuf,
    pub(super) fragments: Vec<Placed>,
    pub(super) stop: Arc<Stop>,
    next: AtomicUsize,
    /// The number of bytes received.
    bytes: AtomicU64,
}

impl Round {
    pub(super) fn new(
        client: &Client,
        channel: &str,
        path: PathBuf,
        fragments: Vec<Placed>,
        stop: Arc<Stop>,
    ) -> Arc<Self> {
        Arc::new(Round {
            client: client.clone(),
            channel: channel.to_owned(),
            path,
            fragments,
            stop,
            next: 0.into(),
            bytes: 0.into(),
        })
    }

    /// Transfers all fragments. Reports complete ones in batches, with the total number
    /// of bytes received. Ends at the first error, and at once when stopped.
    pub(super) fn run(
        self: &Arc<Self>,
        parallel: usize,
        mut report: impl FnMut(Vec<Placed>, u64) -> Result<()>,
    ) -> Result<()> {
        let results = self.start(parallel)?;
        loop {
            let first = match results.recv_timeout(INTERVAL) {
                Ok(result) => Some(result),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return self.check_complete(),
            };
            let (complete, failed): (Vec<_>, Vec<_>) =
                first.into_iter().chain(results.try_iter()).partition(Result::is_ok);
            let complete = complete.into_iter().filter_map(Result::ok).collect();
            report(complete, self.bytes.load(Ordering::Relaxed))?;
            let failure = failed.into_iter().find_map(Result::err);
            if failure.is_some() || self.stop.is_stopped() {
                self.stop.stop();
                linger(&results);
                return Err(failure.unwrap_or_else(stopped));
            }
        }
    }

    fn start(self: &Arc<Self>, parallel: usize) -> Result<Receiver<Result<Placed>>> {
        let (sender, receiver) = mpsc::channel();
        for number in 0..parallel.min(self.fragments.len()) {
            let (sender, round) = (sender.clone(), self.clone());
            let worker = thread::Builder::new().name("osslive-download".into());
            match worker.spawn(move || round.work(&sender)) {
                Ok(_) => {}
                // If the system has no more threads, fewer do the work.
                Err(_) if number > 0 => break,
                Err(error) => {
                    let message = format!("could not start a thread: {error}");
                    return Err(Error::new(ErrorKind::Stopped, message));
                }
            }
        }
        Ok(receiver)
    }

    fn work(&self, results: &Sender<Result<Placed>>) {
        let opened = OpenOptions::new().write(true).open(&self.path);
        let mut file = match opened.map_err(|error| file_error(&self.path, &error)) {
            Ok(file) => file,
            Err(error) => return results.send(Err(error)).unwrap_or_default(),
        };
        while !self.stop.is_stopped() {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(placed) = self.fragments.get(index) else { return };
            let result = self.transfer(placed, &mut file).map(|()| *placed);
            if results.send(result).is_err() {
                return;
            }
        }
    }

    fn transfer(&self, placed: &Placed, file: &mut File) -> Result<()> {
        let key = fragment::key(&self.channel, placed.start);
        file.seek(SeekFrom::Start(placed.offset))
            .map_err(|error| file_error(&self.path, &error))?;
        let mut place = Place { round: self, file, left: placed.size };
        let result = self.client.get_object(&GetObject::new(&key), &mut place);
        let left = place.left;
        match result {
            Ok(info) if info.size == placed.size && left == 0 => Ok(()),
            Ok(info) => Err(changed(&key, placed.size, info.size)),
            Err(_) if self.stop.is_stopped() => Err(stopped()),
            Err(error) => Err(error.named(&key)),
        }
    }

    /// Checks that all bytes were received: without an error, workers end only when
    /// everything is done.
    fn check_complete(&self) -> Result<()> {
        match self.stop.is_stopped() {
            true => Err(stopped()),
            false => Ok(()),
        }
    }
}

/// Gives workers a moment to close the file, because Windows cannot replace an open
/// file.
fn linger(results: &Receiver<Result<Placed>>) {
    let end = Instant::now() + LINGER;
    while results.recv_timeout(end.saturating_duration_since(Instant::now())).is_ok() {}
}

pub(super) fn stopped() -> Error {
    Error::new(ErrorKind::Stopped, "the download was stopped; it can be resumed")
}

fn changed(key: &str, listed: u64, found: u64) -> Error {
    let message = format!("{key} changed: it was listed with {listed} bytes and now has {found}");
    Error::bad_reply(message)
}

/// A fragment's place in the file. Nothing is written beyond it.
struct Place<'a> {
    round: &'a Round,
    file: &'a mut File,
    left: u64,
}

impl Write for Place<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.round.stop.is_stopped() {
            return Err(io::Error::other("stopped"));
        }
        if bytes.len() as u64 > self.left {
            return Err(io::Error::other("the fragment is longer than listed"));
        }
        let written = self.file.write(bytes)?;
        self.left -= written as u64;
        self.round.bytes.fetch_add(written as u64, Ordering::Relaxed);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
