//! A switch that interrupts all waits.

use std::any::Any;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

/// Stops an operation on another thread. Clones stop the same one, and once stopped it
/// cannot continue.
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
pub struct StopHandle(Arc<Stop>);

impl StopHandle {
    /// Creates a handle.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops the operation, now or when it starts. Returns at once.
    pub fn stop(&self) {
        self.0.stop();
    }

    /// Returns whether [`stop`](Self::stop) was called.
    pub fn is_stopped(&self) -> bool {
        self.0.is_stopped()
    }

    /// Creates a handle that `leader` also stops.
    pub(crate) fn following(leader: &Arc<Stop>) -> Self {
        StopHandle(Stop::following([leader]))
    }

    pub(crate) fn switch(&self) -> &Arc<Stop> {
        &self.0
    }
}

impl fmt::Debug for StopHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StopHandle").field("is_stopped", &self.is_stopped()).finish()
    }
}

/// A switch that starts off and, once on, stays on and wakes every waiting thread.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    is_stopped: AtomicBool,
    // Held while the switch or a result changes, so that no waiter misses it
    // between checking and sleeping.
    followers: Mutex<Vec<Weak<Stop>>>,
    changed: Condvar,
}

/// Why a piece of work has no result.
#[derive(Debug)]
pub(crate) enum Unfinished {
    Stopped,
    TimedOut,
    /// No thread could be started for it.
    NoThread(io::Error),
    Panicked(Box<dyn Any + Send>),
}

impl Stop {
    /// Creates a switch that each of these also turns on.
    pub(crate) fn following<'a>(leaders: impl IntoIterator<Item = &'a Arc<Stop>>) -> Arc<Self> {
        let stop = Arc::new(Stop::default());
        leaders.into_iter().for_each(|leader| leader.lead(&stop));
        stop
    }

    fn lead(&self, follower: &Arc<Stop>) {
        let mut followers = self.lock();
        if self.is_stopped() {
            drop(followers);
            return follower.stop();
        }
        followers.retain(|follower| follower.strong_count() > 0);
        followers.push(Arc::downgrade(follower));
    }

    pub(crate) fn stop(&self) {
        let followers = {
            let mut followers = self.lock();
            self.is_stopped.store(true, Ordering::SeqCst);
            self.changed.notify_all();
            std::mem::take(&mut *followers)
        };
        followers.iter().filter_map(Weak::upgrade).for_each(|follower| follower.stop());
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::SeqCst)
    }

    /// Sleeps for a time or until the switch is on; returns whether it is still
    /// off.
    pub(crate) fn sleep(&self, time: Duration) -> bool {
        self.wait_while(time, || true);
        !self.is_stopped()
    }

    /// Runs work that may block and cannot be interrupted on its own thread, and
    /// returns the result. The wait ends when the switch is on or at the time limit;
    /// the work is then abandoned and ends on its own.
    pub(crate) fn result_of<T: Send + 'static>(
        self: &Arc<Self>,
        limit: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Unfinished> {
        // Shared until the work has ended, even by a panic.
        let token = Arc::new(());
        let (stop, running) = (self.clone(), token.clone());
        let work = move || {
            // Dropped last, so that the waiter sees the token released.
            let _wake = WakeOnDrop(stop);
            let _running = running;
            work()
        };
        let thread = thread::Builder::new().name("osslive".into());
        let thread = thread.spawn(work).map_err(Unfinished::NoThread)?;
        let is_running = || Arc::strong_count(&token) > 1;
        self.wait_while(limit, is_running);
        if !is_running() {
            // The thread is about to end: nothing of a successful call outlives
            // the call.
            return thread.join().map_err(Unfinished::Panicked);
        }
        Err(if self.is_stopped() { Unfinished::Stopped } else { Unfinished::TimedOut })
    }

    fn wait_while(&self, time: Duration, mut is_waiting: impl FnMut() -> bool) {
        let is_waiting = |_: &mut _| is_waiting() && !self.is_stopped();
        let _ = self.changed.wait_timeout_while(self.lock(), time, is_waiting);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Stop>>> {
        // No critical section leaves the list inconsistent.
        self.followers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct WakeOnDrop(Arc<Stop>);

impl Drop for WakeOnDrop {
    fn drop(&mut self) {
        // With the lock held, this cannot happen between a waiter's check and
        // its sleep.
        let _lock = self.0.lock();
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Instant;

    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn the_result_of_finished_work_is_returned() {
        let stop = Arc::new(Stop::default());
        assert_eq!(stop.result_of(LONG, || 7).unwrap(), 7);
    }

    #[test]
    fn work_that_takes_too_long_is_abandoned() {
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
        assert!(matches!(result, Err(Unfinished::Panicked(_))), "{result:?}");
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

    #[test]
    fn sleep_returns_whether_work_may_continue() {
        let stop = Stop::default();
        assert!(stop.sleep(Duration::from_millis(1)));
        stop.stop();
        assert!(!stop.sleep(LONG));
    }

    #[test]
    fn a_switch_is_turned_on_by_any_leader_but_turns_on_none() {
        for at in 0..2 {
            let leaders = [(); 2].map(|()| Arc::new(Stop::default()));
            let (before, other) = (Stop::following(&leaders), Stop::following(&leaders));
            before.stop();
            assert!(!other.is_stopped() && leaders.iter().all(|leader| !leader.is_stopped()));
            leaders[at].stop();
            let after = Stop::following(&leaders);
            assert!(other.is_stopped() && after.is_stopped());
            assert!(!leaders[1 - at].is_stopped());
        }
    }

    #[test]
    fn dropped_followers_are_removed() {
        let leader = Arc::new(Stop::default());
        (0..1000).for_each(|_| drop(Stop::following([&leader])));
        assert!(leader.lock().len() <= 1);
    }
}
