//! The requests of a diagnosis, their order and their time limits.

use super::options::DiagnosisOptions;
use super::playback::{self, Fetched, PlaylistContext};
use super::publish_url::{self, Expected};
use super::reach::{self, Observation, Route};
use super::report::{CheckId, Findings};
use super::{access, channel, rtmp};
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::operation::{
    self, BucketInfo, Call, Channel, ChannelState, ChannelStatus, ListChannels, ListObjects,
    VodTime,
};
use crate::playlist::{Playlist, resolve};
use crate::request::{Method, Request, percent_decode};
use crate::sign::Signer;
use std::collections::HashSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// The overall time limit, a second below the documented one.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(9);
/// The time limit of one request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a live channel may go without a playlist.
const FIRST_PLAYLIST: time::Duration = time::Duration::seconds(120);
/// The number of fragments to fetch at each end of a playlist.
const AT_EACH_END: usize = 4;
/// The maximum number of other playlists to read.
const MAX_PLAYLISTS: usize = 5;

/// One examination of a client's bucket.
pub(super) struct Examination<'a, 'o> {
    client: &'a Client,
    options: &'a DiagnosisOptions<'o>,
    end: Instant,
}

/// What was found out about a channel.
struct Found {
    channel: Option<Channel>,
    has_played: bool,
    bucket: Option<BucketInfo>,
}

impl<'a, 'o> Examination<'a, 'o> {
    pub(super) fn new(
        client: &'a Client,
        options: &'a DiagnosisOptions<'o>,
        started: Instant,
    ) -> Self {
        Examination { client, options, end: started + TOTAL_TIMEOUT }
    }

    pub(super) fn run(&self, findings: &mut Findings<'_>) {
        let signer = self.judge_credentials(findings);
        let probe = self.probe_rtmp();
        let mut bucket = None;
        if self.reach(findings) && signer.is_some() && self.access(findings) {
            let info = self.call(&operation::get_bucket_info());
            access::judge_bucket(&info, findings);
            bucket = info.ok();
        }
        self.judge_publish_url(signer.as_deref(), bucket.as_ref(), findings);
        if findings.is_ok(CheckId::AccessKey) {
            let found = self.channel(bucket, findings);
            self.playback(&found, findings);
        }
        if let Some(reached) = probe.and_then(|thread| thread.join().ok()) {
            let is_behind_proxy = self.client.engine().transport.proxy().is_some();
            rtmp::judge(reached, is_behind_proxy, findings);
        }
        for id in [CheckId::RtmpPublish, CheckId::Fragment] {
            findings.skip(id, "nothing was published");
        }
    }

    /// Returns the time limit of the next request.
    fn limit(&self) -> Result<Duration> {
        if self.options.stop.is_stopped() {
            return Err(Error::new(ErrorKind::Stopped, "the diagnosis was stopped"));
        }
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::new(ErrorKind::Timeout, "the diagnosis timed out"));
        }
        Ok(left.min(REQUEST_TIMEOUT))
    }

    fn call<T>(&self, call: &Call<T>) -> Result<T> {
        let client = self.client.with_timeout(self.limit()?).with_attempts(1);
        client.engine().call(call, &client.policy())
    }

    fn fetch(&self, url: &str, headers: &[(&'static str, String)]) -> Result<Fetched> {
        let (response, error) = self.client.engine().fetch(url, headers, self.limit()?)?;
        let header = |name: &str| response.header(name).map(str::to_owned);
        let is_download = header("x-oss-force-download").is_some_and(|value| value == "true")
            || header("content-disposition").is_some_and(|value| value.starts_with("attachment"));
        Ok(Fetched {
            error,
            content_type: header("content-type"),
            is_download,
            allowed_origin: header("access-control-allow-origin"),
            body: response.reply.body,
        })
    }

    fn judge_credentials(&self, findings: &mut Findings<'_>) -> Option<Arc<Signer>> {
        let id = CheckId::Credentials;
        let signer = match self.client.engine().signer() {
            Ok(signer) => signer,
            Err(error) => {
                findings.problem(id, access::summary(&error), "correct the access key");
                return None;
            }
        };
        let credentials = signer.credentials();
        let key_id = credentials.access_key_id();
        let is_temporary = key_id.starts_with("STS.");
        if is_temporary && credentials.security_token().is_none() {
            let advice = "set the security token as well (OSS_SESSION_TOKEN): temporary credentials \
                          do not work without it";
            findings.problem(id, format!("{key_id} is temporary, but has no token"), advice);
            return None;
        }
        let kind = if is_temporary { "temporary" } else { "long-lived" };
        findings.ok(id, format!("{key_id}, {kind}"));
        Some(signer)
    }

    /// Probes the RTMP port in the background.
    fn probe_rtmp(&self) -> Option<thread::JoinHandle<rtmp::Reached>> {
        let engine = self.client.engine();
        let own = || engine.endpoint.publish_url("osslive");
        let url = self.options.publish_url.clone().unwrap_or_else(own);
        let stop = engine.stop.clone();
        let work = move || rtmp::probe(&url, &stop, REQUEST_TIMEOUT / 2);
        thread::Builder::new().name("osslive".into()).spawn(work).ok()
    }

    /// Returns whether OSS responds.
    fn reach(&self, findings: &mut Findings<'_>) -> bool {
        let engine = self.client.engine();
        let url = engine.endpoint.url("", &[("max-keys".into(), Some("1".into()))]);
        let fetched = self.limit().and_then(|limit| engine.fetch(&url, &[], limit));
        let seen = fetched.map(|(response, error)| Observation {
            status: response.reply.status,
            server: response.header("server").map(str::to_owned),
            is_service: response.reply.request_id.is_some()
                || error.is_some_and(|error| error.code().is_some()),
            date: response.header("date").and_then(crate::transport::http_date),
        });
        let host = url.split('/').nth(2).unwrap_or_default();
        let route = Route {
            host,
            proxy: engine.transport.proxy(),
            is_secure: engine.endpoint.secure(),
            now: engine.clock.read().wall,
        };
        reach::judge(&seen, &route, findings)
    }

    /// Returns whether the access key is accepted.
    fn access(&self, findings: &mut Findings<'_>) -> bool {
        let engine = self.client.engine();
        let Ok(signer) = engine.signer() else { return false };
        let listed = operation::list_channels(&ListChannels::new().max_keys(1))
            .and_then(|call| self.call(&call))
            .map(|_| ());
        let url = engine.endpoint.url("", &[]);
        let access = access::Access {
            key_id: signer.credentials().access_key_id(),
            endpoint: url.split('/').nth(2).unwrap_or_default(),
            region: &engine.region,
            bucket: engine.endpoint.bucket(),
        };
        access::judge(&listed, &access, findings)
    }

    fn judge_publish_url(
        &self,
        signer: Option<&Signer>,
        bucket: Option<&BucketInfo>,
        findings: &mut Findings<'_>,
    ) {
        let Some(url) = &self.options.publish_url else {
            return skip_all(PUBLISH_URL, "no publish URL was given", findings);
        };
        let engine = self.client.engine();
        let is_open = bucket.is_some_and(|bucket| {
            bucket.acl == "public-read-write" && !bucket.blocks_public_access
        });
        let channel = self.options.channel.as_deref();
        let now = engine.now();
        let expected = Expected { endpoint: &engine.endpoint, signer, now, channel, is_open };
        publish_url::judge(url, &expected, findings);
    }

    /// Tests the key's permissions on a channel: on the given one if that is harmless,
    /// otherwise on one that does not exist.
    fn channel(&self, bucket: Option<BucketInfo>, findings: &mut Findings<'_>) -> Found {
        let nonexistent =
            format!("osslive-doctor-{:016x}", RandomState::new().build_hasher().finish());
        let given = self.options.channel.as_deref();
        let invalid_id = given.and_then(|id| operation::check_channel_name(id).err());
        let id = given.filter(|_| invalid_id.is_none()).unwrap_or(&nonexistent);
        let channel = operation::get_channel(id).and_then(|call| self.call(&call));
        access::judge_permission(CheckId::PermissionGetLiveChannelInfo, &channel, findings);
        let status = operation::get_channel_status(id).and_then(|call| self.call(&call));
        access::judge_permission(CheckId::PermissionGetLiveChannelStat, &status, findings);
        self.try_permissions(id, &nonexistent, findings);
        if let Some(invalid_id) = &invalid_id {
            findings.problem(
                CheckId::Channel,
                access::summary(invalid_id),
                "correct the channel id",
            );
        }
        if id == nonexistent {
            skip_all(CHANNEL, "no channel was given", findings);
            return Found { channel: None, has_played: false, bucket };
        }
        channel::judge(&channel, &status, findings);
        let has_played = status.is_ok_and(|status| self.has_played(&status));
        Found { channel: channel.ok(), has_played, bucket }
    }

    fn has_played(&self, status: &ChannelStatus) -> bool {
        let now = self.client.engine().now();
        status.connected_time.is_some_and(|since| now - since > FIRST_PLAYLIST)
    }

    fn try_permissions(&self, id: &str, nonexistent: &str, findings: &mut Findings<'_>) {
        let history = operation::get_channel_history(id).and_then(|call| self.call(&call));
        access::judge_permission(CheckId::PermissionGetLiveChannelHistory, &history, findings);
        let put = self.tried(malformed(id));
        access::judge_permission(CheckId::PermissionPutLiveChannel, &put, findings);
        let state = operation::put_channel_status(nonexistent, ChannelState::Enabled)
            .and_then(|call| self.call(&call));
        access::judge_permission(CheckId::PermissionPutLiveChannelStatus, &state, findings);
        let delete = operation::delete_channel(nonexistent).and_then(|call| self.call(&call));
        access::judge_permission(CheckId::PermissionDeleteLiveChannel, &delete, findings);
        // Nothing was recorded in the first second of 1970.
        let never = VodTime::new(0, 1);
        let post = operation::create_vod(nonexistent, nonexistent, &never)
            .and_then(|call| self.call(&call));
        access::judge_permission(CheckId::PermissionPostVodPlaylist, &post, findings);
        let get = operation::get_vod(id, &never).and_then(|call| self.call(&call));
        access::judge_permission(CheckId::PermissionGetVodPlaylist, &get, findings);
    }

    fn tried(&self, request: Request) -> Result<()> {
        self.call(&operation::attempt(request))
    }

    fn playback(&self, found: &Found, findings: &mut Findings<'_>) {
        let Some((url, playlist)) = self.playlist(found, findings) else {
            return skip_all(PLAYBACK, "there is no playlist to examine", findings);
        };
        let fragments = both_ends(&playlist.fragments);
        let range = [("range", "bytes=0-0".to_owned())];
        let fetched: Vec<_> =
            fragments.iter().map(|uri| self.fetch(&resolve(&url, uri), &range)).collect();
        let error = |fetched: &Result<Fetched>| match fetched {
            Ok(fetched) => fetched.error.clone(),
            Err(error) => Some(error.clone()),
        };
        let failed: Vec<_> = fetched.iter().filter_map(error).collect();
        playback::judge_fragments(fetched.len(), &failed, findings);
        if let Some(channel) = found.channel.as_ref().filter(|_| !playlist.fragments.is_empty()) {
            channel::judge_key_frames(playlist.longest, channel, findings);
        }
        if let Ok(whole) = self.fetch(&url, &[]) {
            let first = fetched.first().and_then(|first| first.as_ref().ok());
            playback::judge_headers(&whole, first, findings);
        }
        self.cors(&url, fragments.first(), findings);
        self.unlisted(&playlist, findings);
    }

    /// Reads the playlist from each of its URLs, and returns the last one that could
    /// be read, with its URL.
    fn playlist(&self, found: &Found, findings: &mut Findings<'_>) -> Option<(String, Playlist)> {
        let is_public = found
            .bucket
            .as_ref()
            .map(|bucket| bucket.acl.starts_with("public") && !bucket.blocks_public_access);
        let (has_played, is_given) = (found.has_played, self.options.play_url.is_some());
        let behind = PlaylistContext { has_played, is_public, is_given };
        let mut read = None;
        for (id, url) in self.play_urls(found) {
            let playlist = playback::judge(id, &self.fetch(&url, &[]), behind, findings);
            read = playlist.map(|playlist| (url, playlist)).or(read);
        }
        read
    }

    fn play_urls(&self, found: &Found) -> Vec<(CheckId, String)> {
        if let Some(url) = &self.options.play_url {
            let is_signed = url.contains("Signature=") || url.contains("x-oss-signature=");
            let id = match is_signed {
                _ if url.contains("x-oss-process=hls") => CheckId::PlayFragmentsSigned,
                true => CheckId::PlaySigned,
                false => CheckId::PlayUnsigned,
            };
            return vec![(id, url.clone())];
        }
        let Some(channel) = &found.channel else { return Vec::new() };
        let engine = self.client.engine();
        let id = self.options.channel.as_deref().unwrap_or_default();
        let key = format!("{id}/{}", channel.playlist_name);
        let mut urls = vec![(CheckId::PlayUnsigned, engine.endpoint.url(&key, &[]))];
        if let Ok(signer) = engine.signer() {
            let request = Request::new(Method::Get, &*key);
            let query = signer.presign(&request, engine.endpoint.bucket(), 300, engine.now());
            urls.push((CheckId::PlaySigned, engine.endpoint.url(&key, &query)));
        }
        let signed = self.client.get_play_url(id, &channel.playlist_name, 300);
        urls.extend(signed.map(|url| (CheckId::PlayFragmentsSigned, url)));
        urls
    }

    fn cors(&self, url: &str, fragment: Option<&String>, findings: &mut Findings<'_>) {
        let Some(origin) = &self.options.origin else {
            return findings.skip(CheckId::Cors, "no origin was given");
        };
        let urls = [Some(url.to_owned()), fragment.map(|uri| resolve(url, uri))];
        let header = [("origin", origin.clone())];
        let fetched: Vec<_> = urls.iter().flatten().map(|url| self.fetch(url, &header)).collect();
        playback::judge_cors(origin, &fetched, findings);
    }

    fn unlisted(&self, playlist: &Playlist, findings: &mut Findings<'_>) {
        let id = CheckId::UnlistedFragments;
        let Some(channel) = &self.options.channel else {
            return findings.skip(id, "no channel was given");
        };
        let query = ListObjects::new().prefix(format!("{channel}/")).max_keys(1000);
        let stored = operation::list_objects(&query).and_then(|call| self.call(&call));
        let stored = match stored {
            Ok(stored) => stored,
            Err(error) => return findings.skip(id, access::summary(&error)),
        };
        let mut listed: HashSet<_> = names(playlist).collect();
        let keys = stored.objects.iter().map(|object| &object.key);
        let playlists: Vec<_> = keys.filter(|key| key.ends_with(".m3u8")).collect();
        for key in playlists.iter().take(MAX_PLAYLISTS) {
            let call = operation::attempt_body(Request::new(Method::Get, key.as_str()));
            let body = self.call(&call).unwrap_or_default();
            listed.extend(Playlist::parse(&body).iter().flat_map(names));
        }
        let is_more = stored.is_truncated || playlists.len() > MAX_PLAYLISTS;
        playback::judge_unlisted(&stored.objects, &listed, is_more, findings);
    }
}

const PUBLISH_URL: &[CheckId] = &[
    CheckId::PublishUrlHost,
    CheckId::PublishUrlPath,
    CheckId::PublishUrlQuery,
    CheckId::PublishUrlExpires,
    CheckId::PublishUrlSignature,
    CheckId::PublishUrlPlaylist,
];

const CHANNEL: &[CheckId] = &[
    CheckId::Channel,
    CheckId::ChannelEnabled,
    CheckId::ChannelLive,
    CheckId::Video,
    CheckId::Audio,
    CheckId::KeyFrames,
];

const PLAYBACK: &[CheckId] = &[
    CheckId::KeyFrames,
    CheckId::PlayUnsigned,
    CheckId::PlaySigned,
    CheckId::PlayFragmentsSigned,
    CheckId::Fragments,
    CheckId::ContentType,
    CheckId::ForcedDownload,
    CheckId::Cors,
    CheckId::UnlistedFragments,
];

fn skip_all(ids: &[CheckId], why: &str, findings: &mut Findings<'_>) {
    ids.iter().for_each(|id| findings.skip(*id, why));
}

/// A request to create a channel whose body is not XML, so that it cannot succeed.
fn malformed(id: &str) -> Request {
    Request::new(Method::Put, id).flag("live").body("application/xml", b"<not XML".to_vec())
}

/// Returns the first and the last fragments of a playlist.
fn both_ends(fragments: &[String]) -> Vec<String> {
    let last = fragments.len().saturating_sub(AT_EACH_END).max(AT_EACH_END);
    let (first, last) = (fragments.iter().take(AT_EACH_END), fragments.iter().skip(last));
    first.chain(last).cloned().collect()
}

/// Returns the names of a playlist's fragments, without folders and signatures.
fn names(playlist: &Playlist) -> impl Iterator<Item = String> + use<'_> {
    playlist.fragments.iter().map(|uri| {
        let path = uri.split('?').next().unwrap_or_default();
        let name = path.rsplit('/').next().unwrap_or_default();
        String::from_utf8_lossy(&percent_decode(name.as_bytes())).into_owned()
    })
}
