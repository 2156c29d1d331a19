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
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

/// Makes a call for each item, and returns the results in the order of the
/// items.
pub(super) fn par_map<T: Sync, R: Send>(
    client: &Client,
    items: &[T],
    options: &SweepOptions<'_>,
    limiter: &RateLimiter,
    call: impl Fn(&T) -> Result<Call<R>> + Sync,
) -> Vec<Result<R>> {
    let mut outcomes: Vec<_> = items.iter().map(|_| None).collect();
    let mut done = 0;
    let call = |&(_, item): &(usize, &T)| call(item);
    let each = |(index, _): (usize, &T), outcome| {
        outcomes[index] = Some(outcome);
        done += 1;
        options.report(Progress { done, total: items.len() });
    };
    let why = par_each(client, items.iter().enumerate(), options, limiter, call, each).err();
    // Only items that were not reached have no result.
    let skipped = |why| Err(Error::new(ErrorKind::Stopped, format!("skipped: {why}")));
    let result = |outcome: Option<_>| outcome.or_else(|| why.map(skipped));
    outcomes.into_iter().filter_map(result).collect()
}

/// Makes a call for each item, and passes on each result when it arrives.
///
/// Only the calls in flight take memory: a worker takes the next item when it has
/// finished one, and waits while the caller processes the results.
///
/// # Errors
///
/// Fails if the work ended before all items were taken, and says why.
pub(super) fn par_each<T: Send, R: Send>(
    client: &Client,
    items: impl Iterator<Item = T> + Send,
    options: &SweepOptions<'_>,
    limiter: &RateLimiter,
    call: impl Fn(&T) -> Result<Call<R>> + Sync,
    mut each: impl FnMut(T, Result<R>),
) -> std::result::Result<(), &'static str> {
    let deadline = options.bounds.time_limit.and_then(|limit| Instant::now().checked_add(limit));
    let workers = items.size_hint().1.unwrap_or(usize::MAX).min(options.bounds.max_parallel);
    let stop = Stop::following([&client.engine().stop, options.stop.switch()]);
    let items = Mutex::new(items);
    let work = Work { client, items, limiter, call, stop, deadline, skipped: false.into() };
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
        for (item, outcome) in receiver {
            each(item, outcome);
        }
        // The scope would wait for their work, but not for the threads to exit.
        for thread in threads {
            thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
        }
    });
    if work.skipped.load(Ordering::Relaxed) || work.take().is_some() {
        return Err(work.not_reached());
    }
    Ok(())
}

struct Work<'a, I, F> {
    client: &'a Client,
    items: Mutex<I>,
    limiter: &'a RateLimiter,
    call: F,
    /// Set when the work is stopped or the client shut down.
    stop: Arc<Stop>,
    deadline: Option<Instant>,
    /// Whether an item was taken for which there was no more time.
    skipped: AtomicBool,
}

impl<I: Iterator, R, F: Fn(&I::Item) -> Result<Call<R>>> Work<'_, I, F> {
    fn run(&self, results: &SyncSender<(I::Item, Result<R>)>) {
        while let Some(item) = self.take() {
            if !self.limiter.wait(&self.stop, self.deadline) {
                self.skipped.store(true, Ordering::Relaxed);
                return;
            }
            let policy = self.policy();
            let call = (self.call)(&item);
            let outcome = call.and_then(|call| self.client.engine().call(&call, &policy));
            if results.send((item, outcome)).is_err() {
                return;
            }
        }
    }

    /// Takes the next item. If the iterator has panicked, there is none.
    fn take(&self) -> Option<I::Item> {
        self.items.lock().ok()?.next()
    }

    /// Returns the policy of a call that starts now, which is also bounded by the time
    /// limit of the whole work.
    fn policy(&self) -> Policy<'_> {
        let policy = self.client.policy();
        let left = self.deadline.map(|deadline| deadline.saturating_duration_since(policy.started));
        let timeout = left.map_or(policy.timeout, |left| left.min(policy.timeout));
        Policy { timeout, limiter: Some(self.limiter), stop: &self.stop, ..policy }
    }

    fn not_reached(&self) -> &'static str {
        match (self.stop.is_stopped(), self.deadline) {
            (true, _) => "the operation was stopped",
            (false, Some(_)) => "the time limit was reached",
            (false, None) => "could not start a thread",
        }
    }
}
