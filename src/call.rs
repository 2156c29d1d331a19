//! Makes every call: signs and sends the request, parses the response, and retries
//! if that may help.

use crate::attempt::Attempt;
use crate::clock::{Clock, ServiceTime};
use crate::credentials::{Credentials, CredentialsProvider};
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorKind, Result, code};
use crate::limiter::{Load, RateLimiter};
use crate::operation::{self, Call, Reply};
use crate::redact::Secrets;
use crate::request::{Method, Request};
use crate::retry;
use crate::sign::{self, SignatureVersion, Signer};
use crate::stop::Stop;
use crate::transport::{Outgoing, Response, Sink, Transport};
use crate::wipe::wipe_string;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// After this many failures, the rate limiter paces the retries instead of a growing
/// backoff.
const MAX_BACKOFFS: u32 = 4;

/// The codes for credentials that are expired or revoked.
const REJECTED_CREDENTIALS: [&str; 3] =
    [code::SECURITY_TOKEN_EXPIRED, code::INVALID_SECURITY_TOKEN, code::INVALID_ACCESS_KEY_ID];

/// A callback that receives each request that was sent.
pub(crate) type Observer = Arc<dyn Fn(&Attempt<'_>) + Send + Sync>;

/// What the calls of a client and its clones share.
pub(crate) struct Engine {
    pub(crate) endpoint: Endpoint,
    pub(crate) version: SignatureVersion,
    pub(crate) region: String,
    pub(crate) transport: Transport,
    pub(crate) observer: Option<Observer>,
    pub(crate) stop: Arc<Stop>,
    pub(crate) provider: RwLock<Arc<dyn CredentialsProvider>>,
    pub(crate) signer: RwLock<Option<Arc<Signer>>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) service_time: RwLock<ServiceTime>,
}

/// How often a call is attempted, and for how long.
#[derive(Clone, Copy)]
pub(crate) struct Policy<'a> {
    /// The maximum number of attempts. A retry after a clock correction does not
    /// count; with a limiter, neither does a throttled one.
    pub(crate) attempts: u32,
    /// The time limit, and when it started.
    pub(crate) timeout: Duration,
    pub(crate) started: Instant,
    /// The request rate that this call shares with others.
    pub(crate) limiter: Option<&'a RateLimiter>,
    /// Interrupts its waits.
    pub(crate) stop: &'a Stop,
}

/// A request, and how its response is handled.
pub(crate) trait Exchange {
    /// Returns the request, and a sink for the body of a successful response unless
    /// the reply keeps it.
    fn parts(&mut self) -> (&Request, Option<&mut dyn Sink>);

    /// Returns whether the latest attempt received part of the body. The next one
    /// then has the time limit and the attempts of a new call.
    fn has_advanced(&self) -> bool {
        false
    }

    /// Narrows the request to what is still missing.
    fn resume(&mut self) -> Result<()> {
        Ok(())
    }

    /// Reads the response.
    fn read(&mut self, reply: &Reply) -> Result<()>;
}

/// A call whose response is read as a whole.
struct Whole<'a, T> {
    call: &'a Call<T>,
    result: Option<T>,
}

impl<T> Exchange for Whole<'_, T> {
    fn parts(&mut self) -> (&Request, Option<&mut dyn Sink>) {
        (self.call.request(), None)
    }

    fn read(&mut self, reply: &Reply) -> Result<()> {
        self.result = Some(self.call.parse(reply)?);
        Ok(())
    }
}

/// The progress of a call.
#[derive(Default)]
struct Progress {
    /// The number of requests sent.
    sent: u32,
    /// The number of failures, not counting clock corrections.
    failures: u32,
    /// The number of failures that count as attempts.
    counted: u32,
    is_clock_set: bool,
    has_replaced_keys: bool,
}

impl Policy<'_> {
    fn left(&self) -> Duration {
        self.timeout.saturating_sub(self.started.elapsed())
    }

    /// Counts a failure, and returns the backoff before the next attempt, if
    /// there is one.
    fn backoff(&self, error: &Error, progress: &mut Progress) -> Option<Duration> {
        let is_uncounted = self.limiter.is_some() && retry::is_throttled(error);
        progress.failures = progress.failures.saturating_add(1);
        progress.counted += u32::from(!is_uncounted);
        let is_retried =
            is_uncounted || progress.counted < self.attempts && retry::is_retryable(error);
        let max_backoffs = if self.limiter.is_some() { MAX_BACKOFFS } else { u32::MAX };
        is_retried.then(|| retry::backoff_after(error, progress.failures.min(max_backoffs)))
    }

    /// Returns the minimum delay before the next attempt, given its backoff; `None`
    /// if the call times out first.
    fn retry_in(&self, backoff: Duration) -> Option<Duration> {
        let delay = self.limiter.map_or(Duration::ZERO, RateLimiter::delay);
        let wait = backoff.max(delay);
        (wait < self.left()).then_some(wait)
    }

    /// Returns the request to send. A silent connection must not use up the time of
    /// all attempts.
    fn outgoing<'a>(
        &self,
        request: &'a Request,
        url: &'a str,
        headers: &'a [(&'static str, String)],
        limit: Duration,
        progress: &Progress,
    ) -> Outgoing<'a> {
        let is_last = progress.counted.saturating_add(1) >= self.attempts;
        Outgoing {
            method: request.method,
            url,
            headers,
            body: request.body.as_ref(),
            limit,
            head_limit: if is_last { limit } else { limit / 3 },
        }
    }

    fn note(&self, load: Load) {
        if let Some(limiter) = self.limiter {
            limiter.note(load);
        }
    }

    /// Waits until the next attempt may start. Returns false if it may not.
    fn wait(&self, backoff: Duration) -> bool {
        let end = self.started.checked_add(self.timeout);
        self.stop.sleep(backoff)
            && self.limiter.is_none_or(|limiter| limiter.wait(self.stop, end))
            && !self.left().is_zero()
    }
}

impl Engine {
    /// Sends a request until it succeeds, fails permanently or reaches the limits of
    /// its policy. No error contains the secrets that signed the request.
    pub(crate) fn call<T>(&self, call: &Call<T>, policy: &Policy<'_>) -> Result<T> {
        let mut whole = Whole { call, result: None };
        self.exchange(&mut whole, policy)?;
        whole.result.ok_or_else(|| Error::bad_reply("the response was not read"))
    }

    /// The part of a call that does not depend on its result type, so that it is
    /// compiled once.
    pub(crate) fn exchange(&self, exchange: &mut dyn Exchange, policy: &Policy<'_>) -> Result<()> {
        let (mut policy, mut progress) = (*policy, Progress::default());
        loop {
            let (error, backoff) = match self.attempt(exchange, &mut policy, &mut progress) {
                Ok(()) => return Ok(()),
                Err((error, None)) => return Err(error),
                Err((error, Some(backoff))) => (error, backoff),
            };
            exchange.resume()?;
            if !policy.wait(backoff) {
                let is_shut_down = self.stop.is_stopped();
                let error = if is_shut_down { Error::shut_down() } else { error };
                return Err(error.with_attempts(progress.sent));
            }
        }
    }

    /// Sends a request once. Returns an error with the backoff before the next
    /// attempt, if there is one.
    fn attempt(
        &self,
        exchange: &mut dyn Exchange,
        policy: &mut Policy<'_>,
        progress: &mut Progress,
    ) -> Result<(), (Error, Option<Duration>)> {
        let (request, sink) = exchange.parts();
        let sent = progress.sent;
        let unsent = |error: Error| (error.with_attempts(sent), None);
        let limit = self.limit(policy).map_err(unsent)?;
        let signer = self.signer_within(&|| self.limit(policy)).map_err(unsent)?;
        signer.check(request, self.endpoint.bucket()).map_err(unsent)?;
        let url = self.endpoint.url(&request.key, &request.query);
        let headers = Headers(signer.headers(request, self.endpoint.bucket(), self.now()));
        let secrets = self.secrets(Some(&signer), signature_of(&headers.0));
        progress.sent += 1;
        let (number, began) = (progress.sent, Instant::now());
        let observe = |request: &Request, outcome: Result<&Reply, &Error>, retry_in| {
            if let Some(observer) = &self.observer {
                let elapsed = began.elapsed();
                observer(&Attempt { request, number, elapsed, outcome, retry_in });
            }
        };
        match self.send(&policy.outgoing(request, &url, &headers.0, limit, progress), sink) {
            Ok(reply) => {
                let elapsed = policy.started.elapsed();
                let reply = secrets.redact_ids(Reply { attempts: number, elapsed, ..reply });
                if self.observer.is_some() {
                    observe(request, Ok(&reply.head()), None);
                }
                let result = exchange.read(&reply);
                policy.note(Load::of(&result));
                result.map_err(|error| (secrets.redact_error(error), None))
            }
            Err(error) => {
                let error = secrets.redact_error(error).with_attempts(number);
                policy.note(Load::of_error(&error));
                if exchange.has_advanced() {
                    policy.started = Instant::now();
                    *progress = Progress { sent: number, ..Progress::default() };
                }
                let (error, backoff) = self.after(error, &signer, policy, progress);
                let retry_in = backoff.and_then(|backoff| policy.retry_in(backoff));
                observe(exchange.parts().0, Err(&error), retry_in);
                Err((error, retry_in.and(backoff)))
            }
        }
    }

    /// Returns the backoff before the next attempt, or `None` if the error is not worth
    /// a retry. The first sign of clock skew is corrected, and rejected credentials are
    /// replaced once, if others may be available.
    fn after(
        &self,
        error: Error,
        signer: &Signer,
        policy: &Policy<'_>,
        progress: &mut Progress,
    ) -> (Error, Option<Duration>) {
        if let Some(server) = operation::server_time(&error).filter(|_| !progress.is_clock_set) {
            progress.is_clock_set = true;
            return match self.set_clock(server) {
                Ok(()) => (error, Some(Duration::ZERO)),
                Err(why) => (error.explained(why.message()), None),
            };
        }
        let are_keys_rejected =
            error.code().is_some_and(|code| REJECTED_CREDENTIALS.contains(&code));
        if are_keys_rejected && !progress.has_replaced_keys {
            progress.has_replaced_keys = true;
            if self.provider().refused(signer.credentials()) {
                return (error, Some(Duration::ZERO));
            }
        }
        let backoff = policy.backoff(&error, progress);
        (error, backoff)
    }

    /// Returns the time left for an attempt.
    fn limit(&self, policy: &Policy<'_>) -> Result<Duration> {
        if self.stop.is_stopped() {
            return Err(Error::shut_down());
        }
        let left = policy.left();
        if left.is_zero() {
            return Err(Error::new(ErrorKind::Timeout, "timed out"));
        }
        Ok(left)
    }

    fn send(&self, outgoing: &Outgoing<'_>, sink: Option<&mut dyn Sink>) -> Result<Reply> {
        let reply = self.transport.send(outgoing, sink)?.reply;
        let checked = reply.check().map_err(|error| match self.transport.proxy() {
            // The error may come from the proxy.
            Some(proxy) if error.code().is_none() => {
                error.explained(&format!("sent through the proxy {proxy}"))
            }
            _ => error,
        });
        checked.map(|()| reply)
    }

    /// Fetches a URL once, without signing the request, and returns the response along
    /// with the error it represents, if any. No error contains a secret.
    ///
    /// # Errors
    ///
    /// As [`Transport::send`].
    pub(crate) fn fetch(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        limit: Duration,
    ) -> Result<(Response, Option<Error>)> {
        let body = None;
        let outgoing =
            Outgoing { method: Method::Get, url, headers, body, limit, head_limit: limit };
        let (signer, signature) = (self.signer().ok(), sign::signature_in_url(url));
        let secrets = self.secrets(signer.as_deref(), signature.as_deref());
        let response =
            self.transport.send(&outgoing, None).map_err(|error| secrets.redact_error(error))?;
        let error = response.reply.check().err().map(|error| secrets.redact_error(error));
        Ok((response, error))
    }

    /// Returns the secrets that a peer could leak by echoing a request.
    fn secrets<'a>(
        &'a self,
        signer: Option<&'a Signer>,
        signature: Option<&'a str>,
    ) -> Secrets<'a> {
        let credentials = signer.map(Signer::credentials);
        let secret = credentials.map(Credentials::access_key_secret);
        let token = credentials.and_then(Credentials::security_token);
        let proxy_secrets = self.transport.proxy_secrets();
        Secrets::new([secret, token, signature].into_iter().flatten().chain(proxy_secrets))
    }

    fn provider(&self) -> Arc<dyn CredentialsProvider> {
        self.provider.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the signer for the current credentials. Signing keys are derived only
    /// when the credentials change.
    pub(crate) fn signer(&self) -> Result<Arc<Signer>> {
        self.signer_within(&|| match self.stop.is_stopped() {
            true => Err(Error::shut_down()),
            false => Ok(Duration::MAX),
        })
    }

    fn signer_within(&self, left: &dyn Fn() -> Result<Duration>) -> Result<Arc<Signer>> {
        let credentials = self.provider().credentials_within(left)?;
        let is_current = |signer: &&Arc<Signer>| signer.credentials().is_same(&credentials);
        let signer = self.signer.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(signer) = signer.as_ref().filter(is_current) {
            return Ok(signer.clone());
        }
        drop(signer);
        credentials.check()?;
        let fresh = Arc::new(Signer::new(self.version, &self.region, credentials));
        *self.signer.write().unwrap_or_else(PoisonError::into_inner) = Some(fresh.clone());
        Ok(fresh)
    }

    /// Returns the service's time as far as it is known.
    pub(crate) fn now(&self) -> OffsetDateTime {
        let service_time = self.service_time.read().unwrap_or_else(PoisonError::into_inner);
        service_time.now(self.clock.read())
    }

    pub(crate) fn set_clock(&self, server: OffsetDateTime) -> Result<()> {
        let mut service_time = self.service_time.write().unwrap_or_else(PoisonError::into_inner);
        service_time.correct(server, self.clock.read())
    }
}

fn signature_of<'a>(headers: &'a [(&'static str, String)]) -> Option<&'a str> {
    let (_, authorization) = headers.iter().find(|(name, _)| *name == "authorization")?;
    sign::signature_in(authorization)
}

/// Headers that are overwritten when they are dropped.
struct Headers(Vec<(&'static str, String)>);

impl Drop for Headers {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(|(_, value)| wipe_string(value));
    }
}
