//! A fixed pool of threads for blocking work.
//!
//! All of them are started with the endpoint, so that later requests never
//! depend on starting a thread, however few the system has left.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How many requests can block on files at once.
const THREADS: usize = 16;

type Job = Box<dyn FnOnce() + Send>;

/// The threads and their queue.
#[derive(Debug)]
pub(crate) struct Workers {
    queue: Mutex<Option<Sender<Job>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Workers {
    /// Starts the threads.
    ///
    /// # Errors
    ///
    /// The system cannot start a thread.
    pub(crate) fn start() -> io::Result<Self> {
        let (sender, receiver) = channel::<Job>();
        let receiver = Arc::new(Mutex::new(receiver));
        let mut threads = Vec::with_capacity(THREADS);
        for _ in 0..THREADS {
            let receiver = receiver.clone();
            let builder = thread::Builder::new().name("osslive-work".into());
            threads.push(builder.spawn(move || work(&receiver))?);
        }
        Ok(Workers { queue: Mutex::new(Some(sender)), threads: Mutex::new(threads) })
    }

    /// Queues work and returns the receiver of its result. No result arrives if
    /// the work panics or the workers have stopped.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> oneshot::Receiver<T> {
        let (sender, receiver) = oneshot::channel();
        let job = Box::new(move || {
            // The receiver may have been dropped.
            let _ = sender.send(work());
        });
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = &*queue {
            let _ = queue.send(job);
        }
        receiver
    }

    /// Accepts no more work, and waits at most `timeout` for queued work.
    pub(crate) fn stop(&self, timeout: Duration) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let until = Instant::now() + timeout;
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            while !thread.is_finished() && Instant::now() < until {
                thread::sleep(Duration::from_millis(1));
            }
            if thread.is_finished() {
                let _ = thread.join();
            }
        }
    }
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // After a panic the result is missing, which the receiver notices.
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_arrive_even_after_a_panic() {
        let workers = Workers::start().unwrap();
        for _ in 0..2 * THREADS {
            assert!(workers.run(|| panic!("a test")).blocking_recv().is_err());
        }
        let results: Vec<_> = (0..100).map(|number| workers.run(move || number)).collect();
        for (number, result) in results.into_iter().enumerate() {
            assert_eq!(result.blocking_recv(), Ok(number));
        }
    }

    #[test]
    fn queued_work_is_done_before_the_stop_and_none_after_it() {
        let workers = Workers::start().unwrap();
        let results: Vec<_> = (0..100).map(|number| workers.run(move || number)).collect();
        workers.stop(Duration::from_secs(60));
        assert!(results.into_iter().all(|mut result| result.try_recv().is_ok()));
        assert!(workers.run(|| ()).blocking_recv().is_err());
    }
}
