//! A switch that ends all waiting.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Off at first; once on, it stays on, and whatever waits here wakes up.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    is_stopped: AtomicBool,
    // Held while the switch or a result changes, so that no waiter misses it
    // between looking and falling asleep.
    lock: Mutex<()>,
    changed: Condvar,
}

/// Why there is no result of a piece of work.
#[derive(Debug)]
pub(crate) enum Unfinished {
    Stopped,
    TimedOut,
    /// No thread could be started for it, or it panicked.
    Broken(io::Error),
}

impl Stop {
    pub(crate) fn stop(&self) {
        self.change(|| self.is_stopped.store(true, Ordering::SeqCst));
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::SeqCst)
    }

    /// Sleeps, but no longer than until the switch is on.
    pub(crate) fn sleep(&self, time: Duration) {
        self.wait_while(time, || true);
    }

    /// The result of work that may block with no way to interrupt it, done on
    /// a thread of its own. Who waits for it goes when the switch is on or the
    /// time is up; the work is then left to its own end.
    pub(crate) fn result_of<T: Send + 'static>(
        self: &Arc<Self>,
        limit: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Unfinished> {
        // Shared until the work has ended, however it did.
        let result = Arc::new(Mutex::new(None));
        let (stop, place) = (self.clone(), result.clone());
        let work = move || {
            // Dropped last, so that the waiter wakes up when it is alone with
            // the result, whether the work returned or panicked.
            let _wake = Wake(stop);
            let place = place;
            let done = work();
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
        };
        let thread = thread::Builder::new()
            .name("osslive".into())
            .spawn(work)
            .map_err(Unfinished::Broken)?;
        let is_going_on = || Arc::strong_count(&result) > 1;
        self.wait_while(limit, is_going_on);
        let was_going_on = is_going_on();
        match result.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(result) => {
                // It is about to end: nothing of a call that succeeded goes on
                // after it.
                let _ = thread.join();
                Ok(result)
            }
            None if self.is_stopped() => Err(Unfinished::Stopped),
            None if was_going_on => Err(Unfinished::TimedOut),
            None => Err(Unfinished::Broken(io::Error::other("the thread that did it ended early"))),
        }
    }

    fn wait_while(&self, time: Duration, mut is_waiting: impl FnMut() -> bool) {
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let _ =
            self.changed.wait_timeout_while(lock, time, |()| is_waiting() && !self.is_stopped());
    }

    fn change(&self, change: impl FnOnce()) {
        let _lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        change();
        self.changed.notify_all();
    }
}

struct Wake(Arc<Stop>);

impl Drop for Wake {
    fn drop(&mut self) {
        self.0.change(|| ());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Instant;

    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn work_that_ends_gives_its_result() {
        let stop = Arc::new(Stop::default());
        assert_eq!(stop.result_of(LONG, || 7).unwrap(), 7);
    }

    #[test]
    fn work_that_takes_too_long_is_left_behind() {
        let stop = Arc::new(Stop::default());
        let (_hold, held) = mpsc::channel::<()>();
        let result = stop.result_of(Duration::from_millis(20), move || held.recv());
        assert!(matches!(result, Err(Unfinished::TimedOut)), "{result:?}");
    }

    #[test]
    fn work_that_panics_is_an_error_at_once() {
        let stop = Arc::new(Stop::default());
        let result = stop.result_of(LONG, || std::panic::resume_unwind(Box::new("gone")));
        let result: Result<(), _> = result;
        assert!(matches!(result, Err(Unfinished::Broken(_))), "{result:?}");
    }

    #[test]
    fn the_switch_wakes_sleepers_and_waiters() {
        let stop = Arc::new(Stop::default());
        let (_hold, held) = mpsc::channel::<()>();
        let started = Instant::now();
        thread::scope(|scope| {
            scope.spawn(|| stop.sleep(LONG));
            scope.spawn(|| {
                let result = stop.result_of(LONG, move || held.recv());
                assert!(matches!(result, Err(Unfinished::Stopped)), "{result:?}");
            });
            stop.stop();
        });
        assert!(started.elapsed() < LONG / 2);
        stop.sleep(LONG);
        assert!(stop.is_stopped() && started.elapsed() < LONG / 2);
    }
}
