//! A way to stop long work from another thread.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Stops work that runs on another thread. Clones stop the same work; what
/// is stopped stays stopped.
///
/// ```
/// use osslive::StopHandle;
///
/// let stop = StopHandle::new();
/// let button = stop.clone();
/// std::thread::spawn(move || button.stop()).join().unwrap();
/// assert!(stop.is_stopped());
/// ```
#[derive(Clone, Default)]
pub struct StopHandle(Arc<Inner>);

#[derive(Default)]
struct Inner {
    is_stopped: Mutex<bool>,
    changed: Condvar,
}

impl StopHandle {
    /// A handle that nothing listens to yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops the work, now or when it begins. Returns at once.
    pub fn stop(&self) {
        *self.lock() = true;
        self.0.changed.notify_all();
    }

    /// Whether [`stop`](Self::stop) was called.
    pub fn is_stopped(&self) -> bool {
        *self.lock()
    }

    /// Sleeps, unless stopped; whether to go on.
    pub(super) fn sleep(&self, time: Duration) -> bool {
        let waited = self.0.changed.wait_timeout_while(self.lock(), time, |stopped| !*stopped);
        let (stopped, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !*stopped
    }

    /// Waits until `ready` gives something, asking it again after each
    /// [`nudge`](Self::nudge); `None` when stopped first.
    pub(super) fn wait_for<T>(&self, mut ready: impl FnMut() -> Option<T>) -> Option<T> {
        let mut stopped = self.lock();
        loop {
            if *stopped {
                return None;
            }
            if let Some(found) = ready() {
                return Some(found);
            }
            stopped = self.0.changed.wait(stopped).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(super) fn nudge(&self) {
        // With the lock held, the nudge cannot fall between a waiter's
        // question and its sleep.
        let _waiters_sleep = self.lock();
        self.0.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.0.is_stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for StopHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StopHandle").field("is_stopped", &self.is_stopped()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::thread;

    #[test]
    fn a_sleep_ends_when_its_time_is_up_or_the_work_is_stopped() {
        let stop = StopHandle::new();
        assert!(stop.sleep(Duration::from_millis(1)));
        let sleeper = stop.clone();
        let asleep = thread::spawn(move || sleeper.sleep(Duration::from_secs(3600)));
        stop.stop();
        assert!(!asleep.join().unwrap());
        assert!(!stop.sleep(Duration::from_secs(3600)));
    }

    #[test]
    fn a_wait_ends_with_what_it_waited_for_or_a_stop() {
        let (sender, receiver) = mpsc::channel();
        let stop = StopHandle::new();
        let waiter = stop.clone();
        let waiting = thread::spawn(move || {
            (waiter.wait_for(|| receiver.try_recv().ok()), waiter.wait_for(|| None::<()>))
        });
        sender.send(7).unwrap();
        stop.nudge();
        // The second wait ends with the stop alone.
        thread::sleep(Duration::from_millis(20));
        stop.stop();
        let (found, stopped) = waiting.join().unwrap();
        assert!(found.is_none() || found == Some(7));
        assert_eq!(stopped, None);
    }
}
