//! One call for each of many items, several at a time, at a rate that the service
//! can handle.

use super::options::{Progress, SweepOptions};
use crate::call::Policy;
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::limiter::RateLimiter;
use crate::operation::Call;
use crate::stop::Stop;
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::thread;
use std::time::Instant;

/// Makes a call for each item, and returns the results in the order of the
/// items.
///
/// Apart from the results, only the calls in flight take memory: a worker takes the
/// next item when it has finished one, and waits while the caller processes the
/// results.
pub(super) fn par_map<T: Sync, R: Send>(
    client: &Client,
    items: &[T],
    options: &SweepOptions<'_>,
    limiter: &RateLimiter,
    call: impl Fn(&T) -> Result<Call<R>> + Sync,
) -> Vec<Result<R>> {
    let deadline = options.bounds.time_limit.and_then(|limit| Instant::now().checked_add(limit));
    let workers = options.bounds.max_parallel.min(items.len());
    let stop = Stop::following([&client.engine().stop, options.stop.switch()]);
    let work = Work { client, items, limiter, call, stop, deadline, next: 0.into() };
    let mut outcomes: Vec<_> = items.iter().map(|_| None).collect();
    let (sender, receiver) = mpsc::sync_channel(workers);
    thread::scope(|scope| {
        let mut threads = Vec::with_capacity(workers);
        for _ in 0..workers {
            let (sender, work) = (sender.clone(), &work);
            let worker = thread::Builder::new().name("osslive-sweep".into());
            // If the system has no more threads, fewer do the work.
            match worker.spawn_scoped(scope, move || work.run(&sender)) {
                Ok(thread) => threads.push(thread),
                Err(_) => break,
            }
        }
        drop(sender);
        // The loop owns the receiver: if the callback panics, the workers can
        // no longer send, and end.
        for (done, (index, outcome)) in receiver.into_iter().enumerate() {
            outcomes[index] = Some(outcome);
            options.report(Progress { done: done + 1, total: items.len() });
        }
        // The scope would wait for their work, but not for the threads to exit.
        for thread in threads {
            thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
        }
    });
    outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|| Err(work.not_reached()))).collect()
}

struct Work<'a, T, F> {
    client: &'a Client,
    items: &'a [T],
    limiter: &'a RateLimiter,
    call: F,
    /// Set when the work is stopped or the client shut down.
    stop: Arc<Stop>,
    deadline: Option<Instant>,
    next: AtomicUsize,
}

impl<T, R, F: Fn(&T) -> Result<Call<R>>> Work<'_, T, F> {
    fn run(&self, results: &SyncSender<(usize, Result<R>)>) {
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = self.items.get(index) else { return };
            if !self.limiter.wait(&self.stop, self.deadline) {
                return;
            }
            let policy = self.policy();
            let call = (self.call)(item);
            let outcome = call.and_then(|call| self.client.engine().call(&call, &policy));
            if results.send((index, outcome)).is_err() {
                return;
            }
        }
    }

    /// Returns the policy of a call that starts now, which is also bounded by the time
    /// limit of the whole work.
    fn policy(&self) -> Policy<'_> {
        let policy = self.client.policy();
        let left = self.deadline.map(|deadline| deadline.saturating_duration_since(policy.started));
        let timeout = left.map_or(policy.timeout, |left| left.min(policy.timeout));
        Policy { timeout, limiter: Some(self.limiter), stop: &self.stop, ..policy }
    }

    fn not_reached(&self) -> Error {
        let why = match (self.stop.is_stopped(), self.deadline) {
            (true, _) => "skipped: the work was stopped",
            (false, Some(_)) => "skipped: the time limit was reached",
            (false, None) => "skipped: could not start a thread",
        };
        Error::new(ErrorKind::Stopped, why)
    }
}
