//! The client: the calls of the API.

use crate::call::{Engine, Policy};
use crate::credentials::CredentialsProvider;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorKind, Result, code};
use crate::operation::{
    self, Call, Channel, ChannelConfig, ChannelHistory, ChannelList, ChannelState, ChannelStatus,
    ChannelSummary, ChannelUrls, Done, ListChannels, PublishUrl, RtmpUrlOptions, VodPlaylist,
    VodTime,
};
use crate::sign::Signer;
use crate::wipe::wipe_string;
use pages::{Page, Pages};
use std::fmt;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use time::OffsetDateTime;

pub(crate) mod builder;
pub(crate) mod objects;
mod pages;
mod place;
mod wait;

/// A client for the live channels of one bucket.
///
/// All calls block and take `&self`. Clones are cheap, share connections,
/// credentials and the measured clock skew, and can be used from any number of
/// threads at once.
///
/// Any call may fail with any [`ErrorKind`]. Transient failures (connections,
/// timeouts, statuses 5xx, 408 and 429, throttling) are retried within the call's
/// timeout; all operations are idempotent.
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
    engine: Arc<Engine>,
    timeout: Duration,
    attempts: u32,
}

impl Client {
    /// Creates a channel, or replaces its configuration (PutLiveChannel).
    ///
    /// # Errors
    ///
    /// `ChannelStillLive` while the channel is live.
    pub fn put_channel(&self, id: &str, config: &ChannelConfig) -> Result<ChannelUrls> {
        self.run(operation::put_channel(id, config)?)
    }

    /// Creates a channel that does not exist.
    ///
    /// The service has no such operation: this reads the channel first, then
    /// puts it. If two callers create the same channel at the same time, both
    /// may succeed, and the later configuration wins.
    ///
    /// # Errors
    ///
    /// [`ChannelAlreadyExists`](code::CHANNEL_ALREADY_EXISTS).
    pub fn create_channel(&self, id: &str, config: &ChannelConfig) -> Result<ChannelUrls> {
        let put = operation::put_channel(id, config)?;
        let policy = self.policy();
        match self.engine.call(&operation::get_channel(id)?, &policy) {
            Ok(found) => {
                let message = format!("the channel {id:?} already exists");
                Err(Error::new(ErrorKind::Service, message)
                    .with_code(code::CHANNEL_ALREADY_EXISTS)
                    .with_request_id(found.res.request_id)
                    .with_attempts(found.res.attempts))
            }
            Err(error) if error.code() == Some(code::NO_SUCH_LIVE_CHANNEL) => {
                self.engine.call(&put, &policy)
            }
            Err(error) => Err(error),
        }
    }

    /// Returns a channel's configuration (GetLiveChannelInfo). Its URLs and
    /// last-modified time come from ListLiveChannel if the credentials may list
    /// channels.
    ///
    /// # Errors
    ///
    /// `NoSuchLiveChannel`.
    pub fn get_channel(&self, id: &str) -> Result<Channel> {
        let policy = self.policy();
        let mut channel = self.engine.call(&operation::get_channel(id)?, &policy)?;
        let list = operation::list_channels(&ListChannels::new().prefix(id).max_keys(1))?;
        match self.engine.call(&list, &policy) {
            // The channel itself sorts before all others that start with its
            // name.
            Ok(list) => {
                if let Some(found) = list.channels.into_iter().find(|found| found.name == id) {
                    channel.last_modified = found.last_modified;
                    channel.publish_urls = found.publish_urls;
                    channel.play_urls = found.play_urls;
                }
            }
            Err(error) if error.code() == Some(code::ACCESS_DENIED) => {}
            Err(error) => return Err(error),
        }
        channel.res.elapsed = policy.started.elapsed();
        Ok(channel)
    }

    /// Deletes a channel; recordings are kept (DeleteLiveChannel). Succeeds if
    /// the channel does not exist.
    ///
    /// # Errors
    ///
    /// `ChannelStillLive` while the channel is live.
    pub fn delete_channel(&self, id: &str) -> Result<Done> {
        self.run(operation::delete_channel(id)?)
    }

    /// Returns one page of channels (ListLiveChannel).
    pub fn list_channels(&self, query: &ListChannels) -> Result<ChannelList> {
        self.run(operation::list_channels(query)?)
    }

    /// Iterates over all channels whose names start with `prefix`, in byte
    /// order, fetching pages as needed. Ends after an error.
    ///
    /// ```no_run
    /// # let client: osslive::Client = unimplemented!();
    /// for channel in client.channels("stage-") {
    ///     println!("{}", channel?.name);
    /// }
    /// # Ok::<(), osslive::Error>(())
    /// ```
    pub fn channels(&self, prefix: impl Into<String>) -> Channels {
        Channels::of(self.clone(), prefix.into())
    }

    /// Enables or disables a channel (PutLiveChannelStatus). Disabling
    /// disconnects its publisher; the service takes about ten seconds to do so.
    ///
    /// # Errors
    ///
    /// `NoSuchLiveChannel`.
    pub fn put_channel_status(&self, id: &str, state: ChannelState) -> Result<Done> {
        self.run(operation::put_channel_status(id, state)?)
    }

    /// Returns the channel's status (GetLiveChannelStat).
    ///
    /// # Errors
    ///
    /// `NoSuchLiveChannel`.
    pub fn get_channel_status(&self, id: &str) -> Result<ChannelStatus> {
        self.run(operation::get_channel_status(id)?)
    }

    /// Returns the last ten finished sessions, oldest first
    /// (GetLiveChannelHistory). A session is among them once the service has noticed
    /// its end: after a publisher has disconnected, call
    /// [`wait_until_idle`](Client::wait_until_idle) first.
    ///
    /// # Errors
    ///
    /// `NoSuchLiveChannel`.
    pub fn get_channel_history(&self, id: &str) -> Result<ChannelHistory> {
        self.run(operation::get_channel_history(id)?)
    }

    /// Saves a playlist of what was recorded in a time range as `CHANNEL/NAME`,
    /// replacing an existing one (PostVodPlaylist). `.m3u8` is appended to the
    /// name if missing.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` if nothing was recorded in that range.
    pub fn create_vod(&self, id: &str, name: &str, time: &VodTime) -> Result<Done> {
        self.run(operation::create_vod(id, name, time)?)
    }

    /// Returns the playlist that [`create_vod`](Self::create_vod) would save
    /// (GetVodPlaylist).
    ///
    /// # Errors
    ///
    /// `InvalidArgument` if nothing was recorded in that range.
    pub fn get_vod(&self, id: &str, time: &VodTime) -> Result<VodPlaylist> {
        self.run(operation::get_vod(id, time)?)
    }

    /// Signs a publish URL and returns it with its parts and its expiry. Sends
    /// nothing, and the channel need not exist yet.
    ///
    /// Anyone who has the URL can publish until it expires: treat it as a secret.
    ///
    /// ```no_run
    /// # let client: osslive::Client = unimplemented!();
    /// # use osslive::RtmpUrlOptions;
    /// let url = client.get_publish_url("main-stage", &RtmpUrlOptions::new())?;
    /// println!("server: {}, until {}", url.server, url.expires_at);
    /// # Ok::<(), osslive::Error>(())
    /// ```
    pub fn get_publish_url(&self, id: &str, options: &RtmpUrlOptions) -> Result<PublishUrl> {
        self.sign_publish_url(id, options).map(|(url, expires_at)| PublishUrl::new(url, expires_at))
    }

    /// Signs a publish URL and returns it as a string; see
    /// [`get_publish_url`](Self::get_publish_url).
    pub fn get_rtmp_url(&self, id: &str, options: &RtmpUrlOptions) -> Result<String> {
        self.sign_publish_url(id, options).map(|(url, _)| url)
    }

    fn sign_publish_url(
        &self,
        id: &str,
        options: &RtmpUrlOptions,
    ) -> Result<(String, OffsetDateTime)> {
        operation::check_rtmp_url(id, options)?;
        let endpoint = &self.engine.endpoint;
        let now = self.engine.now();
        let expires_at = now
            .replace_nanosecond(0)
            .unwrap_or(now)
            .saturating_add(time::Duration::seconds(options.expires.into()));
        let params: Vec<_> =
            options.params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut url = endpoint.publish_url(id);
        self.engine.signer()?.push_rtmp_query(
            &mut url,
            endpoint.bucket(),
            id,
            expires_at.unix_timestamp(),
            &params,
            options.sign_token,
        );
        Ok((url, expires_at))
    }

    /// Signs a play URL for a channel of a private bucket. Sends nothing.
    ///
    /// The URL is valid for `expires` seconds, at most a week with version 4.
    /// The service signs the fragments in the playlist as well
    /// (`x-oss-process=hls/sign`).
    pub fn get_play_url(&self, id: &str, playlist: &str, expires: u32) -> Result<String> {
        let endpoint = &self.engine.endpoint;
        self.engine.version.check_expires(expires)?;
        let request = operation::play(id, playlist)?;
        let signer = self.engine.signer()?;
        signer.check(&request, endpoint.bucket())?;
        let mut query = signer.presign(&request, endpoint.bucket(), expires, self.engine.now());
        let url = endpoint.url(&request.key, &query);
        query.iter_mut().filter_map(|(_, value)| value.as_mut()).for_each(wipe_string);
        Ok(url)
    }

    /// Returns a client with a different call timeout, which includes retries and
    /// back-off.
    pub fn with_timeout(&self, timeout: Duration) -> Client {
        Client { timeout, ..self.clone() }
    }

    /// Returns a client with a different maximum number of attempts per call; 1
    /// disables retries.
    pub fn with_attempts(&self, count: u32) -> Client {
        Client { attempts: count.max(1), ..self.clone() }
    }

    /// Replaces the credentials of this client and all its clones. Calls in
    /// progress finish with the previous ones.
    pub fn set_credentials(&self, provider: impl CredentialsProvider + 'static) {
        // Every critical section here replaces or copies one pointer, so a
        // poisoned lock never holds a partial update.
        *self.engine.provider.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(provider);
    }

    /// Shuts down this client and all its clones, so that the host application can exit.
    ///
    /// Calls in progress on other threads end at once with
    /// [`ErrorKind::Stopped`], whatever they are waiting for; later calls fail
    /// in the same way. The service may or may not have executed interrupted
    /// requests. Functions that send nothing, such as
    /// [`get_rtmp_url`](Self::get_rtmp_url), keep working. A client cannot be
    /// restarted: create another one.
    ///
    /// A [`CredentialsProvider`] that blocks cannot be interrupted. Name
    /// resolution and connecting may continue on threads of this crate until
    /// they time out; no call waits for them.
    pub fn shutdown(&self) {
        self.engine.transport.shutdown();
    }

    /// Returns the bucket.
    pub fn bucket(&self) -> &str {
        self.engine.endpoint.bucket()
    }

    /// Returns the bucket's endpoint, which builds URLs for requests of your own.
    pub fn endpoint(&self) -> &Endpoint {
        &self.engine.endpoint
    }

    /// Returns the region that requests are signed for; empty if version 1 needs none.
    pub fn region(&self) -> &str {
        &self.engine.region
    }

    /// Returns a signer with the current credentials, for requests of your own.
    ///
    /// ```no_run
    /// use osslive::request::{Method, Request};
    ///
    /// # let client: osslive::Client = unimplemented!();
    /// let request = Request::new(Method::Get, "").flag("cors");
    /// let now = time::OffsetDateTime::now_utc();
    /// let headers = client.signer()?.headers(&request, client.bucket(), now);
    /// let url = client.endpoint().url(&request.key, &request.query);
    /// # Ok::<(), osslive::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Credentials`] if there are no usable credentials.
    pub fn signer(&self) -> Result<Arc<Signer>> {
        self.engine.signer()
    }

    /// Returns the state that all calls of this client and its clones share.
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Returns the policy of a call that starts now.
    pub(crate) fn policy(&self) -> Policy<'_> {
        Policy {
            attempts: self.attempts,
            timeout: self.timeout,
            started: Instant::now(),
            limiter: None,
            stop: &self.engine.stop,
        }
    }

    fn run<T>(&self, call: Call<T>) -> Result<T> {
        self.engine.call(&call, &self.policy())
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("endpoint", &self.engine.endpoint)
            .field("region", &self.engine.region)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// An iterator over channels, returned by [`Client::channels`].
#[derive(Debug)]
pub struct Channels(Pages<ChannelSummary>);

impl Channels {
    fn of(client: Client, prefix: String) -> Self {
        Channels(Pages::new(move |marker| {
            let query = ListChannels::new().prefix(&prefix).marker(marker).max_keys(1000);
            let list = client.list_channels(&query)?;
            let next = list.next_marker.filter(|_| list.is_truncated);
            if next.as_deref().is_some_and(|next| next < marker) {
                let message = format!("the list is out of order after {marker:?}");
                return Err(Error::bad_reply(message));
            }
            Ok(Page { items: list.channels, next })
        }))
    }
}

impl Iterator for Channels {
    type Item = Result<ChannelSummary>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

impl std::iter::FusedIterator for Channels {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, Reading};
    use crate::credentials::Credentials;
    use crate::sign::SignatureVersion;
    use std::sync::Mutex;
    use time::macros::datetime;

    const TRUE_TIME: OffsetDateTime = datetime!(2026-11-26 12:00 UTC);

    /// Clocks set by a test.
    struct TestClock(Mutex<Reading>);

    impl Clock for TestClock {
        fn read(&self) -> Reading {
            *self.0.lock().unwrap()
        }
    }

    fn client(version: SignatureVersion) -> (Client, Arc<TestClock>) {
        let reading = Reading { wall: TRUE_TIME, monotonic: Duration::ZERO };
        let clock = Arc::new(TestClock(Mutex::new(reading)));
        let mut builder = Client::builder()
            .region("cn-hangzhou")
            .bucket("live-demo")
            .credentials(Credentials::new("id", "secret"))
            .signature_version(version);
        builder.clock = Some(clock.clone());
        (builder.build().unwrap(), clock)
    }

    #[test]
    fn a_client_signs_for_its_region_with_its_credentials() {
        let (client, _) = client(SignatureVersion::V4);
        assert_eq!(client.region(), "cn-hangzhou");
        let url = "https://live-demo.oss-cn-hangzhou.aliyuncs.com/";
        assert_eq!(client.endpoint().url("", &[]), url);
        assert_eq!(client.signer().unwrap().credentials().access_key_id(), "id");
        client.set_credentials(Credentials::new("another", "secret"));
        assert_eq!(client.signer().unwrap().credentials().access_key_id(), "another");
        client.set_credentials(|| Err(Error::credentials("no credentials today")));
        assert_eq!(client.signer().err().unwrap().kind(), ErrorKind::Credentials);
    }

    /// Returns the expiry of a publish URL and of a play URL valid for 1,800 seconds.
    fn expiries(client: &Client) -> [i64; 2] {
        let value = |url: &str, name: &str| {
            let rest = url.split(&format!("{name}=")).nth(1).unwrap();
            rest.split('&').next().unwrap().parse::<i64>().unwrap()
        };
        let publish = client.get_rtmp_url("c", &RtmpUrlOptions::new().expires(1800)).unwrap();
        let play = client.get_play_url("c", "playlist.m3u8", 1800).unwrap();
        [value(&publish, "Expires"), value(&play, "Expires")]
    }

    #[test]
    fn urls_are_valid_for_the_requested_time_despite_clock_changes() {
        let half_an_hour = 1800;
        for off in [time::Duration::hours(2), -time::Duration::hours(2)] {
            let (client, clock) = client(SignatureVersion::V1);
            clock.0.lock().unwrap().wall = TRUE_TIME + off;
            client.engine.set_clock(TRUE_TIME).unwrap();
            assert_eq!(expiries(&client), [TRUE_TIME.unix_timestamp() + half_an_hour; 2]);
            // Ten minutes later, before and after the wall clock is corrected.
            let now = TRUE_TIME + time::Duration::minutes(10);
            for wall in [now + off, now] {
                let monotonic = Duration::from_secs(600);
                *clock.0.lock().unwrap() = Reading { wall, monotonic };
                assert_eq!(expiries(&client), [now.unix_timestamp() + half_an_hour; 2]);
            }
        }
    }

    #[test]
    fn a_peer_cannot_choose_the_dates_of_urls() {
        let (client, _) = client(SignatureVersion::V1);
        client.engine.set_clock(datetime!(2098-01-01 00:00 UTC)).unwrap_err();
        assert_eq!(expiries(&client), [TRUE_TIME.unix_timestamp() + 1800; 2]);
    }
}
