//! One call for each of many things, several at once, at a pace that the
//! service can keep.

use super::options::{Progress, SweepOptions};
use super::pace::{Load, SharedPace};
use super::stop::StopHandle;
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ChannelStatus, ChannelUrls, ResponseInfo};
use crate::retry;
use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::thread;
use std::time::Instant;

/// Beyond this many refusals the pace does the waiting, and not the call.
const LONGEST_PATIENCE: u32 = 4;

/// A result that tells how its call went.
pub(super) trait Answer: Send {
    fn res(&mut self) -> &mut ResponseInfo;
}

impl Answer for ChannelStatus {
    fn res(&mut self) -> &mut ResponseInfo {
        &mut self.res
    }
}

impl Answer for ChannelUrls {
    fn res(&mut self) -> &mut ResponseInfo {
        &mut self.res
    }
}

/// Does a call for each item; the results stand in the order of the items,
/// whatever order they came in.
///
/// Beside the results there is never more in memory than the calls under way:
/// a worker takes the next item when it is done with one, and waits while the
/// caller is busy with the results.
pub(super) fn spread<T: Sync, R: Answer>(
    client: &Client,
    items: &[T],
    options: &SweepOptions<'_>,
    pace: &SharedPace,
    call: impl Fn(&Client, &T) -> Result<R> + Sync,
) -> Vec<Result<R>> {
    let deadline = options.bounds.time_limit.and_then(|limit| Instant::now().checked_add(limit));
    let workers = options.bounds.max_parallel.min(items.len());
    let work = Work { client, items, pace, call, stop: &options.stop, deadline, next: 0.into() };
    let mut outcomes: Vec<_> = items.iter().map(|_| None).collect();
    let (sender, receiver) = mpsc::sync_channel(workers);
    thread::scope(|scope| {
        let mut threads = Vec::with_capacity(workers);
        for _ in 0..workers {
            let (sender, work) = (sender.clone(), &work);
            let worker = thread::Builder::new().name("osslive-sweep".into());
            // When the system has no more threads, fewer do the work.
            match worker.spawn_scoped(scope, move || work.run(&sender)) {
                Ok(thread) => threads.push(thread),
                Err(_) => break,
            }
        }
        drop(sender);
        // The loop owns the receiver: when the callback panics, the workers
        // find nobody to send to, and end.
        for (done, (index, outcome)) in receiver.into_iter().enumerate() {
            outcomes[index] = Some(outcome);
            options.report(Progress { done: done + 1, total: items.len() });
        }
        // The scope would wait for their work, but not for their end.
        for thread in threads {
            thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
        }
    });
    outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|| Err(work.not_reached()))).collect()
}

struct Work<'a, T, F> {
    client: &'a Client,
    items: &'a [T],
    pace: &'a SharedPace,
    call: F,
    stop: &'a StopHandle,
    deadline: Option<Instant>,
    next: AtomicUsize,
}

impl<T, R: Answer, F: Fn(&Client, &T) -> Result<R>> Work<'_, T, F> {
    fn run(&self, results: &SyncSender<(usize, Result<R>)>) {
        // Repeats go through the pace that all workers share.
        let client = self.client.with_attempts(1);
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = self.items.get(index) else { return };
            let Some(outcome) = self.patiently(&client, item) else { return };
            if results.send((index, outcome)).is_err() {
                return;
            }
        }
    }

    /// Does a call, and repeats it where that helps: after faults as often as
    /// the client would, after requests to slow down until the time of a call
    /// is used up. `None` when stopped before the first.
    fn patiently(&self, client: &Client, item: &T) -> Option<Result<R>> {
        if !self.pace.wait(self.stop, self.deadline) {
            return None;
        }
        let (started, mut sent, mut failed) = (Instant::now(), 0, 0);
        loop {
            let to_come = self.client.attempts().saturating_sub(failed + 1);
            let limited = client.with_timeout(self.left(started)).with_attempts_to_come(to_come);
            let error = match (self.call)(&limited, item) {
                Ok(mut result) => {
                    self.pace.note(Load::Fine);
                    let res = result.res();
                    res.attempts += sent;
                    res.elapsed = started.elapsed();
                    return Some(Ok(result));
                }
                Err(error) => error,
            };
            self.pace.note(load(&error));
            sent += error.attempts();
            failed += 1;
            let error = error.with_attempts(sent);
            let wait = retry::wait_after(&error, failed.min(LONGEST_PATIENCE));
            let may_repeat = retry::is_throttled(&error)
                || (retry::may_repeat(&error) && failed < self.client.attempts());
            if !may_repeat
                || self.left(started) <= wait
                || !self.stop.sleep(wait)
                || !self.pace.wait(self.stop, self.deadline)
                || self.left(started).is_zero()
            {
                return Some(Err(error));
            }
        }
    }

    /// What is left for a call that began then.
    fn left(&self, started: Instant) -> std::time::Duration {
        let left = self.client.timeout().saturating_sub(started.elapsed());
        match self.deadline {
            Some(deadline) => left.min(deadline.saturating_duration_since(Instant::now())),
            None => left,
        }
    }

    fn not_reached(&self) -> Error {
        let why = match (self.stop.is_stopped(), self.deadline) {
            (true, _) => "not reached before the work was stopped",
            (false, Some(_)) => "not reached within the time limit",
            (false, None) => "not reached: no thread could be started",
        };
        Error::new(ErrorKind::Stopped, why)
    }
}

/// What an error says about the load of the service. An error of which the
/// service itself thought tells that it is there.
fn load(error: &Error) -> Load {
    match error.kind() {
        _ if retry::is_throttled(error) => Load::Throttled,
        _ if retry::is_busy(error) => Load::Busy,
        ErrorKind::Service if !retry::may_repeat(error) => Load::Fine,
        _ => Load::Unknown,
    }
}
