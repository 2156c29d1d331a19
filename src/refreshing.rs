//! Temporary credentials, refreshed before they expire.

use crate::clock::{Clock, Reading, SystemClock};
use crate::credentials::{Credentials, CredentialsProvider};
use crate::error::{Error, Result};
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::process;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread;
use std::time::Duration;
use time::OffsetDateTime;

/// How long before expiry credentials are refreshed, unless a third of their
/// lifetime is shorter.
const AHEAD: Duration = Duration::from_secs(15 * 60);
/// The maximum delay after a refresh that failed.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(60);
/// How long a failure is cached while there are no valid credentials.
const FAILURE_LIFETIME: Duration = Duration::from_millis(500);
/// The minimum interval between refreshes caused by rejected credentials.
const MIN_REJECTION_INTERVAL: Duration = Duration::from_secs(1);
/// How long until a refresh is considered stuck, so that another one may start.
const STUCK_AFTER: Duration = Duration::from_secs(120);
/// How often a waiting call checks its deadline.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Credentials with their lifetime.
#[derive(Debug, Clone)]
#[must_use]
pub struct Lease {
    credentials: Credentials,
    lifetime: Option<Duration>,
}

impl Lease {
    /// Creates credentials that do not expire.
    pub fn new(credentials: Credentials) -> Self {
        Lease { credentials, lifetime: None }
    }

    #[cfg(feature = "credential-sources")]
    pub(crate) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    #[cfg(feature = "fuzzing")]
    pub(crate) fn lifetime(&self) -> Option<Duration> {
        self.lifetime
    }

    /// Sets the lifetime, counted from now.
    pub fn valid_for(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// Sets the expiration time, by this machine's clock.
    pub fn until(self, expiration: OffsetDateTime) -> Self {
        let lifetime = expiration - OffsetDateTime::now_utc();
        self.valid_for(lifetime.try_into().unwrap_or_default())
    }
}

/// A [`CredentialsProvider`] that caches temporary credentials and refreshes them
/// before they expire.
///
/// The first call obtains credentials; later calls return them immediately. When a
/// third of their lifetime or 15 minutes is left, whichever is less, one thread
/// obtains new ones in the background. If that fails, the current ones are used
/// while they are valid, and the refresh is retried. Clones share the credentials.
///
/// ```
/// use osslive::{Client, Credentials, Lease, Refreshing};
/// use std::time::Duration;
///
/// let from_our_vault = || {
///     let credentials = Credentials::new("id", "secret").with_security_token("token");
///     Ok(Lease::new(credentials).valid_for(Duration::from_secs(3600)))
/// };
/// let client = Client::builder()
///     .region("cn-hangzhou")
///     .bucket("my-bucket")
///     .credentials(Refreshing::new(from_our_vault))
///     .build()?;
/// # Ok::<(), osslive::Error>(())
/// ```
#[derive(Clone)]
pub struct Refreshing(Arc<Shared>);

struct Shared {
    obtain: Box<dyn Fn() -> Result<Lease> + Send + Sync>,
    clock: Box<dyn Clock>,
    held: RwLock<Option<Held>>,
    work: Mutex<Work>,
    ended: Condvar,
}

/// The current credentials.
#[derive(Clone)]
struct Held {
    lease: Lease,
    obtained: Reading,
    is_refused: bool,
}

/// The state of refreshes.
#[derive(Default)]
struct Work {
    /// The process and the start time of the refresh in progress. A forked child
    /// does not inherit its parent's threads.
    running: Option<(u32, Duration)>,
    /// The number of finished refreshes.
    ended: u64,
    /// When the last refresh finished, and its error.
    last: Option<(Duration, Option<Error>)>,
}

impl Refreshing {
    /// Creates a provider that obtains credentials from a function. The function
    /// is called by one thread at a time and should return within a minute.
    pub fn new(obtain: impl Fn() -> Result<Lease> + Send + Sync + 'static) -> Self {
        Self::with_clock(obtain, SystemClock::new())
    }

    fn with_clock(
        obtain: impl Fn() -> Result<Lease> + Send + Sync + 'static,
        clock: impl Clock + 'static,
    ) -> Self {
        Refreshing(Arc::new(Shared {
            obtain: Box::new(obtain),
            clock: Box::new(clock),
            held: RwLock::new(None),
            work: Mutex::default(),
            ended: Condvar::new(),
        }))
    }

    /// Starts a refresh unless one is in progress.
    fn start(&self, mut work: MutexGuard<'_, Work>, now: Reading) {
        let is_running = work.running.is_some_and(|(process, began)| {
            process == process::id() && now.monotonic.saturating_sub(began) < STUCK_AFTER
        });
        if is_running {
            return;
        }
        work.running = Some((process::id(), now.monotonic));
        drop(work);
        let shared = self.0.clone();
        let thread = thread::Builder::new().name("osslive-credentials".into());
        // If no thread can be started, refresh on this one.
        if thread.spawn(move || shared.refresh()).is_err() {
            self.0.refresh();
        }
    }
}

impl CredentialsProvider for Refreshing {
    fn credentials(&self) -> Result<Credentials> {
        self.credentials_within(&|| Ok(Duration::MAX))
    }

    fn credentials_within(&self, left: &dyn Fn() -> Result<Duration>) -> Result<Credentials> {
        let shared = &*self.0;
        let now = shared.clock.read();
        if let Some(held) = shared.held().filter(|held| held.is_valid(now)) {
            if held.is_due(now) {
                let work = shared.work();
                if work.may_retry(&held, now) {
                    self.start(work, now);
                }
            }
            return Ok(held.lease.credentials);
        }
        let work = shared.work();
        if let Some(error) = work.recent_failure(now) {
            return Err(error);
        }
        let before = work.ended;
        self.start(work, now);
        shared.wait(before, left)
    }

    fn refused(&self, credentials: &Credentials) -> bool {
        let now = self.0.clock.read();
        let mut held = self.0.held.write().unwrap_or_else(PoisonError::into_inner);
        match &mut *held {
            // They have already been replaced.
            Some(held) if !held.lease.credentials.is_same(credentials) => true,
            Some(held) if held.age(now) > MIN_REJECTION_INTERVAL => {
                held.is_refused = true;
                true
            }
            _ => false,
        }
    }
}

impl fmt::Debug for Refreshing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = self.0.held();
        f.debug_tuple("Refreshing").field(&held.map(|held| held.lease.credentials)).finish()
    }
}

impl Shared {
    fn held(&self) -> Option<Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        // No critical section leaves it in an inconsistent state.
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Obtains credentials and wakes waiting calls.
    fn refresh(&self) {
        let outcome = self.obtain();
        let now = self.clock.read();
        let failure = outcome.map(|lease| {
            let fresh = Held { lease, obtained: now, is_refused: false };
            *self.held.write().unwrap_or_else(PoisonError::into_inner) = Some(fresh);
        });
        let mut work = self.work();
        work.running = None;
        work.ended += 1;
        work.last = Some((now.monotonic, failure.err()));
        self.ended.notify_all();
    }

    fn obtain(&self) -> Result<Lease> {
        // A panic in the caller's function must not leave calls waiting.
        let lease = panic::catch_unwind(AssertUnwindSafe(|| (self.obtain)()))
            .unwrap_or_else(|_| Err(Error::credentials("obtaining credentials panicked")))?;
        lease.credentials.check()?;
        match lease.lifetime {
            Some(Duration::ZERO) => Err(Error::credentials(format!(
                "the temporary credentials {} have expired; check this machine's clock",
                lease.credentials.access_key_id()
            ))),
            _ => Ok(lease),
        }
    }

    /// Waits until the current refresh has finished.
    fn wait(&self, before: u64, left: &dyn Fn() -> Result<Duration>) -> Result<Credentials> {
        let mut work = self.work();
        while work.ended == before {
            let waited = self.ended.wait_timeout(work, left()?.min(POLL_INTERVAL));
            work = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if let Some((_, Some(error))) = &work.last {
            return Err(error.clone());
        }
        drop(work);
        let held = self.held().ok_or_else(|| Error::credentials("there are no credentials"))?;
        Ok(held.lease.credentials)
    }
}

impl Held {
    /// Returns the age by the clock that advanced more: the monotonic clock stops
    /// while the machine sleeps, and the wall clock can be set back.
    fn age(&self, now: Reading) -> Duration {
        let ticked = now.monotonic.saturating_sub(self.obtained.monotonic);
        let passed = (now.wall - self.obtained.wall).try_into().unwrap_or_default();
        ticked.max(passed)
    }

    /// Returns the remaining lifetime, or `None` if they do not expire.
    fn left(&self, now: Reading) -> Option<Duration> {
        self.lease.lifetime.map(|lifetime| lifetime.saturating_sub(self.age(now)))
    }

    fn is_valid(&self, now: Reading) -> bool {
        !self.is_refused && self.left(now) != Some(Duration::ZERO)
    }

    fn is_due(&self, now: Reading) -> bool {
        let Some(lifetime) = self.lease.lifetime else { return false };
        self.left(now).is_some_and(|left| left <= AHEAD.min(lifetime / 3))
    }
}

impl Work {
    /// Whether a refresh may start, after the last one failed or returned
    /// credentials that are about to expire as well.
    fn may_retry(&self, held: &Held, now: Reading) -> bool {
        let pause = held.left(now).map_or(MAX_RETRY_DELAY, |left| (left / 8).min(MAX_RETRY_DELAY));
        let Some((ended, _)) = &self.last else { return true };
        now.monotonic.saturating_sub(*ended) >= pause
    }

    fn recent_failure(&self, now: Reading) -> Option<Error> {
        let (ended, failure) = self.last.as_ref()?;
        let is_recent = now.monotonic.saturating_sub(*ended) < FAILURE_LIFETIME;
        failure.clone().filter(|_| is_recent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
    use std::sync::mpsc;
    use std::time::Instant;
    use time::macros::datetime;

    const NOON: OffsetDateTime = datetime!(2026-11-27 12:00 UTC);
    const HOUR: Duration = Duration::from_secs(3600);

    /// Clocks set by a test.
    #[derive(Clone)]
    struct TestClock(Arc<Mutex<Reading>>);

    impl TestClock {
        fn new() -> Self {
            TestClock(Arc::new(Mutex::new(Reading { wall: NOON, monotonic: Duration::ZERO })))
        }

        fn advance(&self, time: Duration) {
            let mut reading = self.0.lock().unwrap();
            reading.wall += time;
            reading.monotonic += time;
        }
    }

    impl Clock for TestClock {
        fn read(&self) -> Reading {
            *self.0.lock().unwrap()
        }
    }

    /// An issuer of numbered keys, each valid for an hour, unless it is down.
    #[derive(Clone, Default)]
    struct Issuer {
        issued: Arc<AtomicU32>,
        requests: Arc<AtomicU32>,
        is_down: Arc<AtomicU32>,
    }

    impl Issuer {
        fn issue(&self) -> Result<Lease> {
            self.requests.fetch_add(1, SeqCst);
            if self.is_down.load(SeqCst) != 0 {
                return Err(Error::credentials("the issuer is down"));
            }
            let number = self.issued.fetch_add(1, SeqCst) + 1;
            Ok(Lease::new(Credentials::new(format!("key-{number}"), "secret")).valid_for(HOUR))
        }

        fn provider(&self) -> (Refreshing, TestClock) {
            let (clock, issuer) = (TestClock::new(), self.clone());
            (Refreshing::with_clock(move || issuer.issue(), clock.clone()), clock)
        }
    }

    fn key(provider: &Refreshing) -> String {
        provider.credentials().unwrap().access_key_id().to_owned()
    }

    /// Waits for a refresh in the background.
    fn eventually(condition: impl Fn() -> bool) {
        let end = Instant::now() + Duration::from_secs(60);
        while !condition() {
            assert!(Instant::now() < end, "timed out");
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn credentials_are_obtained_once_and_refreshed_before_they_expire() {
        let issuer = Issuer::default();
        let (provider, clock) = issuer.provider();
        assert_eq!(issuer.requests.load(SeqCst), 0, "not obtained before they are needed");
        assert_eq!((key(&provider), key(&provider)), ("key-1".into(), "key-1".into()));
        clock.advance(Duration::from_secs(44 * 60));
        assert_eq!((key(&provider), issuer.requests.load(SeqCst)), ("key-1".into(), 1));
        clock.advance(Duration::from_secs(60));
        assert_eq!(key(&provider), "key-1", "no call waits while it is valid");
        eventually(|| key(&provider) == "key-2");
        assert_eq!(issuer.requests.load(SeqCst), 2);
    }

    #[test]
    fn after_a_failed_refresh_valid_credentials_are_used_and_it_is_retried() {
        let issuer = Issuer::default();
        let (provider, clock) = issuer.provider();
        assert_eq!(key(&provider), "key-1");
        issuer.is_down.store(1, SeqCst);
        clock.advance(Duration::from_secs(50 * 60));
        assert_eq!(key(&provider), "key-1");
        eventually(|| issuer.requests.load(SeqCst) == 2 && provider.0.work().running.is_none());
        assert_eq!((key(&provider), issuer.requests.load(SeqCst)), ("key-1".into(), 2));
        clock.advance(MAX_RETRY_DELAY);
        assert_eq!(key(&provider), "key-1");
        eventually(|| issuer.requests.load(SeqCst) == 3 && provider.0.work().running.is_none());
        clock.advance(Duration::from_secs(9 * 60));
        let error = provider.credentials().unwrap_err();
        assert_eq!(error.message(), "the issuer is down");
        issuer.is_down.store(0, SeqCst);
        assert!(
            provider.credentials().is_err(),
            "an issuer that is down is not flooded with requests"
        );
        clock.advance(FAILURE_LIFETIME);
        assert_eq!(key(&provider), "key-2");
    }

    #[test]
    fn credentials_that_expired_while_the_machine_slept_are_not_used() {
        let issuer = Issuer::default();
        let (provider, clock) = issuer.provider();
        assert_eq!(key(&provider), "key-1");
        clock.0.lock().unwrap().wall += HOUR;
        assert_eq!(key(&provider), "key-2");
    }

    #[test]
    fn credentials_without_expiry_are_kept_until_the_service_rejects_them() {
        let number = AtomicU32::new(0);
        let obtain = move || {
            let number = number.fetch_add(1, SeqCst);
            Ok(Lease::new(Credentials::new(format!("key-{number}"), "secret")))
        };
        let clock = TestClock::new();
        let provider = Refreshing::with_clock(obtain, clock.clone());
        let first = provider.credentials().unwrap();
        clock.advance(1000 * HOUR);
        assert_eq!(key(&provider), "key-0");
        assert!(provider.refused(&first));
        assert_eq!(key(&provider), "key-1");
        assert!(provider.refused(&first), "others are already available");
        let second = provider.credentials().unwrap();
        assert!(!provider.refused(&second), "they are new: requesting others would not help");
    }

    #[test]
    fn expired_or_invalid_credentials_are_an_error() {
        let expired = Refreshing::new(|| {
            Ok(Lease::new(Credentials::new("id", "s")).until(datetime!(2020-01-01 0:00 UTC)))
        });
        assert!(expired.credentials().unwrap_err().message().contains("have expired"));
        let odd = Refreshing::new(|| Ok(Lease::new(Credentials::new("", "s"))));
        assert_eq!(odd.credentials().unwrap_err().kind(), ErrorKind::Credentials);
        let panics = Refreshing::new(|| panic::resume_unwind(Box::new("gone")));
        assert!(panics.credentials().unwrap_err().message().contains("panicked"));
    }

    #[test]
    fn many_threads_wait_for_one_refresh() {
        let issuer = Issuer::default();
        let (provider, _) = issuer.provider();
        thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| assert_eq!(key(&provider), "key-1"));
            }
        });
        assert_eq!(issuer.requests.load(SeqCst), 1);
    }

    #[test]
    fn a_waiting_call_ends_at_its_deadline_or_when_the_client_stops() {
        let (_hold, held) = mpsc::channel::<()>();
        let held = Mutex::new(held);
        let hangs = Refreshing::new(move || {
            let _ = held.lock().unwrap().recv();
            Err(Error::credentials("never"))
        });
        let end = Instant::now() + Duration::from_millis(30);
        let error =
            hangs.credentials_within(&|| match end.checked_duration_since(Instant::now()) {
                Some(left) => Ok(left),
                None => Err(Error::new(ErrorKind::Timeout, "timed out")),
            });
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Timeout);
        let error = hangs.credentials_within(&|| Err(Error::shut_down()));
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Stopped);
    }

    #[test]
    fn a_refresh_lost_in_a_fork_does_not_block_calls() {
        let issuer = Issuer::default();
        let (provider, _) = issuer.provider();
        provider.0.work().running = Some((process::id() + 1, Duration::ZERO));
        assert_eq!(key(&provider), "key-1");
    }

    #[test]
    fn secrets_are_not_shown() {
        let provider = Refreshing::new(|| Ok(Lease::new(Credentials::new("id", "hush"))));
        provider.credentials().unwrap();
        let lease = Lease::new(Credentials::new("id", "hush"));
        assert!(!format!("{provider:?} {lease:?}").contains("hush"));
    }

    /// Credentials that are valid for this long, obtained at noon.
    fn held(lifetime: Option<Duration>) -> Held {
        let lease = Lease::new(Credentials::new("id", "secret"));
        let lease = Lease { lifetime, ..lease };
        let obtained = Reading { wall: NOON, monotonic: Duration::ZERO };
        Held { lease, obtained, is_refused: false }
    }

    fn after(time: Duration) -> Reading {
        Reading { wall: NOON + time, monotonic: time }
    }

    #[test]
    fn credentials_are_refreshed_in_the_last_third_or_quarter_of_an_hour() {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        for (lifetime, due) in [(minutes(60), minutes(45)), (minutes(9), minutes(6))] {
            let held = held(Some(lifetime));
            assert!(!held.is_due(after(due - Duration::from_secs(1))));
            assert!(held.is_due(after(due)));
        }
        assert!(!held(None).is_due(after(1000 * HOUR)));
    }

    #[test]
    fn a_failed_refresh_is_retried_after_an_eighth_of_the_remaining_lifetime() {
        let held = held(Some(Duration::from_secs(88)));
        let mut work = Work::default();
        assert!(work.may_retry(&held, after(Duration::ZERO)));
        work.last = Some((Duration::ZERO, None));
        for (seconds, may) in [(9, false), (10, true)] {
            // Ten seconds are more than an eighth of what is left then.
            assert_eq!(work.may_retry(&held, after(Duration::from_secs(seconds))), may);
        }
    }

    #[test]
    fn debug_shows_the_credentials_without_the_secret() {
        let provider = Issuer::default().provider().0;
        assert_eq!(key(&provider), "key-1");
        let shown = format!("{provider:?}");
        assert!(shown.contains("key-1") && !shown.contains("secret"), "{shown}");
    }
}
