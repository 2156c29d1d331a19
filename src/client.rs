//! The client: build, sign, send, repeat where it helps, parse.

use crate::attempt::Attempt;
use crate::clock::{Clock, ServiceTime};
use crate::credentials::CredentialsProvider;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorKind, Result, code};
use crate::model::{
    Channel, ChannelConfig, ChannelHistory, ChannelList, ChannelState, ChannelStatus,
    ChannelSummary, ChannelUrls, Done, ListChannels, RtmpUrlOptions, VodPlaylist, VodTime,
};
use crate::operation::{self, Reply};
use crate::redact::Secrets;
use crate::request::Request;
use crate::retry;
use crate::sign::{self, SignatureVersion, Signer};
use crate::stop::Stop;
use crate::transport::{Outgoing, Transport};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use zeroize::Zeroize;

pub(crate) mod builder;
mod place;

/// A client for the live channels of one bucket.
///
/// All calls block and take `&self`. A clone is cheap and shares connections,
/// credentials and what was learnt about the service's clock; clones may be
/// used from any number of threads at once.
///
/// Every call may fail with the kinds of [`ErrorKind`]. Failures that may
/// pass (connections, time-outs, statuses 5xx and 429, throttling) are
/// repeated inside the call's time limit; all operations may safely be sent
/// twice.
///
/// ```no_run
/// use osslive::{ChannelConfig, Client, RtmpUrlOptions};
///
/// let client = Client::builder().region("cn-hangzhou").bucket("my-bucket").from_env().build()?;
/// client.put_channel("main-stage", &ChannelConfig::new("Main stage"))?;
/// println!("{}", client.get_rtmp_url("main-stage", &RtmpUrlOptions::new())?);
/// # Ok::<(), osslive::Error>(())
/// ```
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    timeout: Duration,
    attempts: u32,
    /// How many attempts the caller makes beyond those.
    attempts_to_come: u32,
}

type Observer = Arc<dyn Fn(&Attempt<'_>) + Send + Sync>;

struct Shared {
    endpoint: Endpoint,
    version: SignatureVersion,
    region: String,
    transport: Transport,
    observer: Option<Observer>,
    stop: Arc<Stop>,
    provider: RwLock<Arc<dyn CredentialsProvider>>,
    signer: RwLock<Option<Arc<Signer>>>,
    clock: Arc<dyn Clock>,
    service_time: RwLock<ServiceTime>,
}

impl Client {
    /// PutLiveChannel: creates a channel or replaces its configuration.
    ///
    /// # Errors
    ///
    /// `ChannelStillLive` while the channel is live.
    pub fn put_channel(&self, id: &str, config: &ChannelConfig) -> Result<ChannelUrls> {
        self.call(&operation::put_channel(id, config)?, operation::parse_put_channel)
    }

    /// Creates a channel that does not exist yet.
    ///
    /// The service knows no such call: this asks for the channel first and
    /// then puts it. When two callers create the same channel at the same
    /// moment, both may succeed, and the later configuration stays.
    ///
    /// # Errors
    ///
    /// [`ChannelAlreadyExists`](code::CHANNEL_ALREADY_EXISTS).
    pub fn create_channel(&self, id: &str, config: &ChannelConfig) -> Result<ChannelUrls> {
        let put = operation::put_channel(id, config)?;
        let started = Instant::now();
        let parse = |reply: &Reply| operation::parse_get_channel(id, reply);
        match self.call_since(started, &operation::get_channel(id)?, parse) {
            Ok(found) => {
                let message = format!("the channel {id:?} exists already");
                Err(Error::new(ErrorKind::Service, message)
                    .with_code(code::CHANNEL_ALREADY_EXISTS)
                    .with_request_id(found.res.request_id)
                    .with_attempts(found.res.attempts))
            }
            Err(error) if error.code() == Some(code::NO_SUCH_LIVE_CHANNEL) => {
                self.call_since(started, &put, operation::parse_put_channel)
            }
            Err(error) => Err(error),
        }
    }

    /// GetLiveChannelInfo: the configuration of a channel; with its URLs and
    /// the time of its last change from ListLiveChannel, where the
    /// credentials may list.
    ///
    /// # Errors
    ///
    /// `NoSuchLiveChannel`.
    pub fn get_channel(&self, id: &str) -> Result<Channel> {
        let started = Instant::now();
        let parse = |reply: &Reply| operation::parse_get_channel(id, reply);
        let mut channel = self.call_since(started, &operation::get_channel(id)?, parse)?;
        let query = operation::list_channels(&ListChannels::new().prefix(id).max_keys(1))?;
        match self.call_since(started, &query, operation::parse_list_channels) {
            // The channel itself sorts before all others that begin with its
            // name.
            Ok(list) => {
                if let Some(found) = list.channels.into_iter().find(|found| found.name == id) {
                    channel.last_modified = Some(found.last_modified);
                    channel.publish_urls = found.publish_urls;
                    channel.play_urls = found.play_urls;
                }
            }
            Err(error) if error.code() == Some(code::ACCESS_DENIED) => {}
            Err(error) => return Err(error),
        }
        channel.res.elapsed = started.elapsed();
        Ok(channel)
    }

    /// DeleteLiveChannel: deletes a channel; what it recorded stays. A
    /// channel that does not exist is no error.
    ///
    /// # Errors
    ///
    /// `ChannelStillLive` while the channel is live.
    pub fn delete_channel(&self, id: &str) -> Result<Done> {
        self.call(&operation::delete_channel(id)?, operation::parse_done)
    }

    /// ListLiveChannel: one page of channels.
    pub fn list_channels(&self, query: &ListChannels) -> Result<ChannelList> {
        self.call(&operation::list_channels(query)?, operation::parse_list_channels)
    }

    /// All channels whose names begin with `prefix`, page after page, in
    /// byte order. After an error the iterator ends.
    ///
    /// ```no_run
    /// # let client: osslive::Client = unimplemented!();
    /// for channel in client.channels("stage-") {
    ///     println!("{}", channel?.name);
    /// }
    /// # Ok::<(), osslive::Error>(())
    /// ```
    pub fn channels(&self, prefix: impl Into<String>) -> Channels {
        Channels {
            client: self.clone(),
            query: Some(ListChannels::new().prefix(prefix).max_keys(1000)),
            page: Vec::new().into_iter(),
        }
    }

    /// PutLiveChannelStatus: enables or disables a channel. Disabling cuts a
    /// publisher; the service takes about ten seconds for it.
    ///
    /// # Errors
    ///
    /// `NoSuchLiveChannel`.
    pub fn put_channel_status(&self, id: &str, state: ChannelState) -> Result<Done> {
        self.call(&operation::put_channel_status(id, state)?, operation::parse_done)
    }

    /// GetLiveChannelStat: what a channel is doing.
    ///
    /// # Errors
    ///
    /// `NoSuchLiveChannel`.
    pub fn get_channel_status(&self, id: &str) -> Result<ChannelStatus> {
        self.call(&operation::get_channel_status(id)?, operation::parse_get_channel_status)
    }

    /// GetLiveChannelHistory: the last ten finished sessions, the oldest
    /// first.
    ///
    /// # Errors
    ///
    /// `NoSuchLiveChannel`.
    pub fn get_channel_history(&self, id: &str) -> Result<ChannelHistory> {
        self.call(&operation::get_channel_history(id)?, operation::parse_get_channel_history)
    }

    /// PostVodPlaylist: writes a playlist of what was recorded in a time
    /// span to `CHANNEL/NAME`, replacing one of that name. `.m3u8` is added
    /// to a name without it.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` when nothing was recorded in that span.
    pub fn create_vod(&self, id: &str, name: &str, time: &VodTime) -> Result<Done> {
        self.call(&operation::create_vod(id, name, time)?, operation::parse_done)
    }

    /// GetVodPlaylist: the playlist that [`create_vod`](Self::create_vod)
    /// would write.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` when nothing was recorded in that span.
    pub fn get_vod(&self, id: &str, time: &VodTime) -> Result<VodPlaylist> {
        self.call(&operation::get_vod(id, time)?, operation::parse_get_vod)
    }

    /// A signed URL to publish to, made without asking the service. The
    /// channel need not exist yet.
    ///
    /// The URL lets anyone who has it publish until it expires: treat it as a
    /// secret.
    pub fn get_rtmp_url(&self, id: &str, options: &RtmpUrlOptions) -> Result<String> {
        operation::check_rtmp_url(id, options)?;
        let Shared { endpoint, .. } = &*self.shared;
        let expires = self.now().unix_timestamp().saturating_add(i64::from(options.expires));
        let params: Vec<_> =
            options.params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut url = endpoint.publish_url(id);
        self.signer()?.push_rtmp_query(
            &mut url,
            endpoint.bucket(),
            id,
            expires,
            &params,
            options.sign_token,
        );
        Ok(url)
    }

    /// A signed URL to play a channel of a private bucket, made without
    /// asking the service. Good for `expires` seconds, a week at most with
    /// version 4; the fragments in the playlist are signed alike
    /// (`x-oss-process=hls/sign`).
    pub fn get_play_url(&self, id: &str, playlist: &str, expires: u32) -> Result<String> {
        const WEEK: u32 = 604_800;
        let Shared { endpoint, version, .. } = &*self.shared;
        if expires == 0 || (*version == SignatureVersion::V4 && expires > WEEK) {
            return Err(Error::invalid(format!(
                "a play URL cannot be good for {expires} seconds; 1 to {WEEK} is allowed"
            )));
        }
        let request = operation::play(id, playlist)?;
        let signer = self.signer()?;
        signer.check(&request, endpoint.bucket())?;
        let mut query = signer.presign(&request, endpoint.bucket(), expires, self.now());
        let url = endpoint.url(&request.key, &query);
        query.iter_mut().for_each(|(_, value)| value.zeroize());
        Ok(url)
    }

    /// The same client with another limit for each call, repeats and waiting
    /// included.
    pub fn with_timeout(&self, timeout: Duration) -> Client {
        Client { timeout, ..self.clone() }
    }

    /// The same client with another number of times a request is sent at
    /// most, while failures may pass; 1 leaves repeating to the caller.
    pub fn with_attempts(&self, count: u32) -> Client {
        Client { attempts: count.max(1), ..self.clone() }
    }

    /// The same client for a caller that repeats calls itself, so often yet.
    pub(crate) fn with_attempts_to_come(&self, count: u32) -> Client {
        Client { attempts_to_come: count, ..self.clone() }
    }

    /// Replaces the credentials of this client and all its clones. Calls that
    /// are under way end with the ones they began with.
    pub fn set_credentials(&self, provider: impl CredentialsProvider + 'static) {
        // Every critical section here replaces or copies one pointer, so a
        // poisoned lock holds nothing half done.
        *self.shared.provider.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(provider);
    }

    /// Tells this client and all its clones to stop, so that a host can quit.
    ///
    /// Calls under way on other threads end at once, whatever they wait for,
    /// with [`ErrorKind::Stopped`]; so do all later ones. The service may or
    /// may not have carried out what was under way. Calls that send nothing,
    /// such as [`get_rtmp_url`](Self::get_rtmp_url), go on working. There is
    /// no way back: make another client.
    ///
    /// What this cannot interrupt is a [`CredentialsProvider`] that blocks. A
    /// name look-up or a connect that was under way is left to end by itself
    /// on a thread of this crate, within its own limit; no call waits for it.
    pub fn shutdown(&self) {
        self.shared.transport.shutdown();
    }

    /// The bucket.
    pub fn bucket(&self) -> &str {
        self.shared.endpoint.bucket()
    }

    /// The limit for each call.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// How often a request is sent at most.
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts
    }

    fn call<T>(&self, request: &Request, parse: impl Fn(&Reply) -> Result<T>) -> Result<T> {
        self.call_since(Instant::now(), request, parse)
    }

    /// Sends a request until it succeeds, fails for good or the time since
    /// `started` is used up. No error shows what signed the request.
    fn call_since<T>(
        &self,
        started: Instant,
        request: &Request,
        parse: impl Fn(&Reply) -> Result<T>,
    ) -> Result<T> {
        let url = self.shared.endpoint.url(&request.key, &request.query);
        let mut call = Call { request, url: &url, started, sent: 0, failed: 0, clock_set: false };
        loop {
            match self.attempt(&mut call, &parse) {
                Ok(result) => return Ok(result),
                Err((_, Some(wait))) => self.shared.stop.sleep(wait),
                Err((error, None)) => return Err(error),
            }
        }
    }

    /// Sends a request once. An error comes with the time after which it is to
    /// be sent again, if it is.
    fn attempt<T>(
        &self,
        call: &mut Call<'_>,
        parse: &impl Fn(&Reply) -> Result<T>,
    ) -> Result<T, (Error, Option<Duration>)> {
        let (request, sent) = (call.request, call.sent);
        let unsent = |error: Error| (error.with_attempts(sent), None);
        let left = self.left(call.started).map_err(unsent)?;
        let signer = self.signer().map_err(unsent)?;
        signer.check(request, self.bucket()).map_err(unsent)?;
        let headers = Headers(signer.headers(request, self.bucket(), self.now()));
        let secrets = self.secrets(&signer, &headers.0);
        call.sent += 1;
        let (number, began) = (call.sent, Instant::now());
        let observe = |outcome, repeat_in| {
            if let Some(observer) = &self.shared.observer {
                let elapsed = began.elapsed();
                observer(&Attempt { request, number, elapsed, outcome, repeat_in });
            }
        };
        match self.send(call, &headers.0, left) {
            Ok(reply) => {
                let elapsed = call.started.elapsed();
                let reply = secrets.redact_ids(Reply { attempts: number, elapsed, ..reply });
                if self.shared.observer.is_some() {
                    observe(Ok(&secrets.redact_body(&reply)), None);
                }
                parse(&reply).map_err(|error| (secrets.redact_error(error), None))
            }
            Err(error) => {
                let error = secrets.redact_error(error).with_attempts(number);
                let (error, repeat_in) = self.after(error, call);
                observe(Err(&error), repeat_in);
                Err((error, repeat_in))
            }
        }
    }

    /// What follows from an error: how long to wait before the call is sent
    /// again, if it is.
    fn after(&self, error: Error, call: &mut Call<'_>) -> (Error, Option<Duration>) {
        if let Some(server) = operation::server_time(&error).filter(|_| !call.clock_set) {
            call.clock_set = true;
            return match self.set_clock(server) {
                Ok(()) => (error, Some(Duration::ZERO)),
                Err(why) => (error.explained(why.message()), None),
            };
        }
        call.failed += 1;
        let wait = retry::wait_after(&error, call.failed);
        let end = call.started.elapsed().checked_add(wait);
        let in_time = end.is_some_and(|end| end < self.timeout);
        let may_repeat = call.failed < self.attempts && retry::may_repeat(&error);
        (error, (in_time && may_repeat).then_some(wait))
    }

    /// The time that is left for a call.
    fn left(&self, started: Instant) -> Result<Duration> {
        if self.shared.stop.is_stopped() {
            return Err(Error::shut_down());
        }
        let left = self.timeout.saturating_sub(started.elapsed());
        if left.is_zero() {
            return Err(Error::new(ErrorKind::Timeout, "no complete answer within the time limit"));
        }
        Ok(left)
    }

    fn send(
        &self,
        call: &Call<'_>,
        headers: &[(&'static str, String)],
        left: Duration,
    ) -> Result<Reply> {
        let attempts = self.attempts.saturating_add(self.attempts_to_come);
        let outgoing = Outgoing {
            method: call.request.method,
            url: call.url,
            headers,
            body: call.request.body.as_ref(),
            limit: left,
            // A connection that stays silent may not use up the time of all.
            head_limit: if call.failed + 1 < attempts { left / 3 } else { left },
        };
        let reply = self.shared.transport.send(&outgoing)?;
        let checked = reply.check().map_err(|error| match self.shared.transport.proxy() {
            // It may be the proxy that says so.
            Some(proxy) if error.code().is_none() => {
                error.explained(&format!("the request went through the proxy {proxy}"))
            }
            _ => error,
        });
        checked.map(|()| reply)
    }

    /// What a peer that echoes a request could give away.
    fn secrets<'a>(
        &'a self,
        signer: &'a Signer,
        headers: &'a [(&'static str, String)],
    ) -> Secrets<'a> {
        let credentials = signer.credentials();
        let authorization = headers.iter().find(|(name, _)| *name == "authorization");
        let signature = authorization.and_then(|(_, value)| sign::signature_in(value));
        let ours = [Some(credentials.access_key_secret()), credentials.security_token(), signature];
        let proxys = self.shared.transport.proxy_secrets();
        Secrets::new(ours.into_iter().flatten().chain(proxys))
    }

    /// The signer for the credentials of this moment. Keys are prepared only
    /// when the credentials are new.
    fn signer(&self) -> Result<Arc<Signer>> {
        let Shared { provider, signer, version, region, .. } = &*self.shared;
        let provider = provider.read().unwrap_or_else(PoisonError::into_inner).clone();
        let credentials = provider.credentials()?;
        if let Some(signer) = &*signer.read().unwrap_or_else(PoisonError::into_inner)
            && signer.credentials().is_same(&credentials)
        {
            return Ok(signer.clone());
        }
        credentials.check()?;
        let fresh = Arc::new(Signer::new(*version, region, credentials));
        *signer.write().unwrap_or_else(PoisonError::into_inner) = Some(fresh.clone());
        Ok(fresh)
    }

    /// The time, by the service's clock as far as it is known.
    pub(crate) fn now(&self) -> OffsetDateTime {
        let Shared { clock, service_time, .. } = &*self.shared;
        service_time.read().unwrap_or_else(PoisonError::into_inner).now(clock.read())
    }

    fn set_clock(&self, server: OffsetDateTime) -> Result<()> {
        let Shared { clock, service_time, .. } = &*self.shared;
        let mut service_time = service_time.write().unwrap_or_else(PoisonError::into_inner);
        service_time.correct(server, clock.read())
    }
}

/// A call under way.
struct Call<'a> {
    request: &'a Request,
    url: &'a str,
    started: Instant,
    /// How often it was sent.
    sent: u32,
    /// How often it failed, corrections of the clock aside.
    failed: u32,
    clock_set: bool,
}

/// Headers that are overwritten once they are of no more use.
struct Headers(Vec<(&'static str, String)>);

impl Drop for Headers {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(|(_, value)| value.zeroize());
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("endpoint", &self.shared.endpoint)
            .field("region", &self.shared.region)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// The channels of a bucket: what [`Client::channels`] returns.
#[derive(Debug)]
pub struct Channels {
    client: Client,
    /// The page to ask for next, while there is one.
    query: Option<ListChannels>,
    page: std::vec::IntoIter<ChannelSummary>,
}

impl Channels {
    fn next_page(&mut self, query: &ListChannels) -> Result<()> {
        let list = self.client.list_channels(query)?;
        self.page = list.channels.into_iter();
        let Some(marker) = list.next_marker.filter(|_| list.is_truncated) else { return Ok(()) };
        // A list that goes on for ever would keep its caller.
        if marker <= query.marker || self.page.len() == 0 {
            let message = format!("the list does not go on after {:?}", query.marker);
            return Err(Error::bad_reply(message));
        }
        self.query = Some(query.clone().marker(marker));
        Ok(())
    }
}

impl Iterator for Channels {
    type Item = Result<ChannelSummary>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(channel) = self.page.next() {
                return Some(Ok(channel));
            }
            let query = self.query.take()?;
            if let Err(error) = self.next_page(&query) {
                self.page = Vec::new().into_iter();
                return Some(Err(error));
            }
        }
    }
}

impl std::iter::FusedIterator for Channels {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Reading;
    use crate::credentials::Credentials;
    use std::sync::Mutex;
    use time::macros::datetime;

    const TRUE: OffsetDateTime = datetime!(2026-11-26 12:00 UTC);

    /// Clocks that a test sets.
    struct TestClock(Mutex<Reading>);

    impl Clock for TestClock {
        fn read(&self) -> Reading {
            *self.0.lock().unwrap()
        }
    }

    fn client(version: SignatureVersion) -> (Client, Arc<TestClock>) {
        let reading = Reading { wall: TRUE, monotonic: Duration::ZERO };
        let clock = Arc::new(TestClock(Mutex::new(reading)));
        let mut builder = Client::builder()
            .region("cn-hangzhou")
            .bucket("live-demo")
            .credentials(Credentials::new("id", "secret"))
            .signature_version(version);
        builder.clock = Some(clock.clone());
        (builder.build().unwrap(), clock)
    }

    /// Until when a publish URL and a play URL of 1,800 seconds are good.
    fn ends(client: &Client) -> [i64; 2] {
        let value = |url: &str, name: &str| {
            let rest = url.split(&format!("{name}=")).nth(1).unwrap();
            rest.split('&').next().unwrap().parse::<i64>().unwrap()
        };
        let publish = client.get_rtmp_url("c", &RtmpUrlOptions::new().expires(1800)).unwrap();
        let play = client.get_play_url("c", "playlist.m3u8", 1800).unwrap();
        [value(&publish, "Expires"), value(&play, "Expires")]
    }

    #[test]
    fn urls_are_good_for_as_long_as_asked_whatever_the_clocks_did() {
        let half_an_hour = 1800;
        for off in [time::Duration::hours(2), -time::Duration::hours(2)] {
            let (client, clock) = client(SignatureVersion::V1);
            clock.0.lock().unwrap().wall = TRUE + off;
            client.set_clock(TRUE).unwrap();
            assert_eq!(ends(&client), [TRUE.unix_timestamp() + half_an_hour; 2]);
            // Ten minutes later, before and after the wall clock is set right.
            let now = TRUE + time::Duration::minutes(10);
            for wall in [now + off, now] {
                let monotonic = Duration::from_secs(600);
                *clock.0.lock().unwrap() = Reading { wall, monotonic };
                assert_eq!(ends(&client), [now.unix_timestamp() + half_an_hour; 2]);
            }
        }
    }

    #[test]
    fn a_peer_cannot_choose_the_dates_of_urls() {
        let (client, _) = client(SignatureVersion::V1);
        client.set_clock(datetime!(2098-01-01 00:00 UTC)).unwrap_err();
        assert_eq!(ends(&client), [TRUE.unix_timestamp() + 1800; 2]);
    }
}
