//! The result of a diagnosis: checks with their verdicts.

use crate::error::Error;
use crate::spelling::spelling;
use crate::stop::StopHandle;
use std::time::Duration;

/// The verdict of a [`Check`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub enum Verdict {
    /// Not checked: it does not apply, or a problem prevents it.
    NotChecked,
    /// As it should be.
    Ok,
    /// Works, but not for every client or not in every case.
    Warning,
    /// Prevents publishing or playing.
    Problem,
}

spelling!(Verdict, "verdict", Error::invalid, {
    NotChecked = "notChecked",
    Ok = "ok",
    Warning = "warning",
    Problem = "problem",
});

/// What a [`Check`] is about. String forms never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum CheckId {
    /// Region, endpoint and bucket are complete and do not contradict each other.
    Settings,
    /// An access key is configured and well formed.
    Credentials,
    /// The proxy between this machine and the service.
    Proxy,
    /// The bucket's host name resolves.
    HostName,
    /// The service accepts connections for HTTP or HTTPS.
    HttpPort,
    /// The certificate is trusted and belongs to the host.
    Tls,
    /// OSS itself responds, not a proxy or firewall in between.
    Service,
    /// This machine's clock agrees with the service's.
    Clock,
    /// The bucket is at this endpoint and in this region.
    Endpoint,
    /// The account may use the endpoint for data.
    PublicEndpoint,
    /// The account accepts the signature version.
    SignatureVersion,
    /// The service knows the access key, and the secret and token belong to it.
    AccessKey,
    /// The bucket exists.
    Bucket,
    /// Who may read the bucket without a signature.
    BucketAcl,
    /// Whether the bucket blocks public access.
    PublicAccessBlock,
    /// The access key may list channels.
    PermissionListLiveChannel,
    /// The access key may read a channel's configuration.
    PermissionGetLiveChannelInfo,
    /// The access key may read a channel's status.
    PermissionGetLiveChannelStat,
    /// The access key may read a channel's history.
    PermissionGetLiveChannelHistory,
    /// The access key may create channels.
    PermissionPutLiveChannel,
    /// The access key may enable and disable channels.
    PermissionPutLiveChannelStatus,
    /// The access key may delete channels.
    PermissionDeleteLiveChannel,
    /// The access key may save playlists.
    PermissionPostVodPlaylist,
    /// The access key may build playlists.
    PermissionGetVodPlaylist,
    /// The channel exists.
    Channel,
    /// The channel is enabled.
    ChannelEnabled,
    /// The channel is live, and who publishes to it.
    ChannelLive,
    /// The video codec is supported in fragments.
    Video,
    /// The audio codec is supported in fragments.
    Audio,
    /// Key frames are frequent enough for the fragment duration.
    KeyFrames,
    /// The publish URL names the bucket's host.
    PublishUrlHost,
    /// The publish URL ends in the app `live` and the channel.
    PublishUrlPath,
    /// The publish URL has all parameters of a signature.
    PublishUrlQuery,
    /// The publish URL has not expired.
    PublishUrlExpires,
    /// The publish URL's signature is correct.
    PublishUrlSignature,
    /// The publish URL's playlist can be written.
    PublishUrlPlaylist,
    /// The service accepts connections for RTMP.
    RtmpPort,
    /// An RTMP server responds, not a proxy or firewall in between.
    RtmpHandshake,
    /// A stream was accepted.
    RtmpPublish,
    /// The stream arrives in a playlist.
    Fragment,
    /// The playlist can be read without a signature.
    PlayUnsigned,
    /// The playlist can be read with a signature.
    PlaySigned,
    /// The service signs the fragments in the playlist.
    PlayFragmentsSigned,
    /// The fragments in the playlist can be read.
    Fragments,
    /// Players recognize playlist and fragments by their media types.
    ContentType,
    /// Browsers play what they receive instead of downloading it.
    ForcedDownload,
    /// Pages from the given origin may play the stream.
    Cors,
    /// Fragments that are stored but in no playlist.
    UnlistedFragments,
}

spelling!(CheckId, "check", Error::invalid, {
    Settings = "settings",
    Credentials = "credentials",
    Proxy = "proxy",
    HostName = "host-name",
    HttpPort = "http-port",
    Tls = "tls",
    Service = "service",
    Clock = "clock",
    Endpoint = "endpoint",
    PublicEndpoint = "public-endpoint",
    SignatureVersion = "signature-version",
    AccessKey = "access-key",
    Bucket = "bucket",
    BucketAcl = "bucket-acl",
    PublicAccessBlock = "public-access-block",
    PermissionListLiveChannel = "permission-list-live-channel",
    PermissionGetLiveChannelInfo = "permission-get-live-channel-info",
    PermissionGetLiveChannelStat = "permission-get-live-channel-stat",
    PermissionGetLiveChannelHistory = "permission-get-live-channel-history",
    PermissionPutLiveChannel = "permission-put-live-channel",
    PermissionPutLiveChannelStatus = "permission-put-live-channel-status",
    PermissionDeleteLiveChannel = "permission-delete-live-channel",
    PermissionPostVodPlaylist = "permission-post-vod-playlist",
    PermissionGetVodPlaylist = "permission-get-vod-playlist",
    Channel = "channel",
    ChannelEnabled = "channel-enabled",
    ChannelLive = "channel-live",
    Video = "video",
    Audio = "audio",
    KeyFrames = "key-frames",
    PublishUrlHost = "publish-url-host",
    PublishUrlPath = "publish-url-path",
    PublishUrlQuery = "publish-url-query",
    PublishUrlExpires = "publish-url-expires",
    PublishUrlSignature = "publish-url-signature",
    PublishUrlPlaylist = "publish-url-playlist",
    RtmpPort = "rtmp-port",
    RtmpHandshake = "rtmp-handshake",
    RtmpPublish = "rtmp-publish",
    Fragment = "fragment",
    PlayUnsigned = "play-unsigned",
    PlaySigned = "play-signed",
    PlayFragmentsSigned = "play-fragments-signed",
    Fragments = "fragments",
    ContentType = "content-type",
    ForcedDownload = "forced-download",
    Cors = "cors",
    UnlistedFragments = "unlisted-fragments",
});

/// One check of a [`Diagnosis`].
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct Check {
    /// What it is about.
    pub id: CheckId,
    /// The verdict.
    pub verdict: Verdict,
    /// What was seen, or why it was not checked, in one sentence.
    pub seen: String,
    /// What to do about a warning or a problem.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub advice: Option<String>,
}

impl Check {
    /// Creates a check, for programs that add their own findings to a diagnosis.
    pub fn new(id: CheckId, verdict: Verdict, seen: impl Into<String>) -> Self {
        Check { id, verdict, seen: seen.into(), advice: None }
    }

    /// Adds advice on what to do.
    #[must_use]
    pub fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}

/// Why there is, or may be, no video; returned by `diagnose`.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct Diagnosis {
    /// Every check, in the order of [`CheckId`].
    pub checks: Vec<Check>,
    /// The number of problems.
    pub problems: usize,
    /// The number of warnings.
    pub warnings: usize,
    /// The elapsed time in milliseconds.
    pub elapsed_ms: u64,
}

impl Diagnosis {
    /// Returns the check of this id.
    pub fn check(&self, id: CheckId) -> Option<&Check> {
        self.checks.iter().find(|check| check.id == id)
    }

    /// Replaces the check of the same id, and updates the counts.
    pub fn replace(&mut self, check: Check) {
        match self.checks.iter_mut().find(|known| known.id == check.id) {
            Some(known) => *known = check,
            None => self.checks.push(check),
        }
        self.count();
    }

    fn count(&mut self) {
        let of = |verdict| self.checks.iter().filter(|check| check.verdict == verdict).count();
        (self.problems, self.warnings) = (of(Verdict::Problem), of(Verdict::Warning));
    }
}

/// The checks so far.
pub(super) struct Findings<'a> {
    checks: Vec<Check>,
    stop: StopHandle,
    on_check: &'a mut dyn FnMut(&Check),
}

impl<'a> Findings<'a> {
    pub(super) fn new(stop: StopHandle, on_check: &'a mut dyn FnMut(&Check)) -> Self {
        Findings { checks: Vec::new(), stop, on_check }
    }

    pub(super) fn ok(&mut self, id: CheckId, seen: impl Into<String>) {
        self.judge(id, Verdict::Ok, seen.into(), None);
    }

    pub(super) fn skip(&mut self, id: CheckId, why: impl Into<String>) {
        self.judge(id, Verdict::NotChecked, why.into(), None);
    }

    pub(super) fn warn(&mut self, id: CheckId, seen: impl Into<String>, advice: impl Into<String>) {
        self.judge(id, Verdict::Warning, seen.into(), Some(advice.into()));
    }

    pub(super) fn problem(
        &mut self,
        id: CheckId,
        seen: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.judge(id, Verdict::Problem, seen.into(), Some(advice.into()));
    }

    // Not generic, so that it is compiled once.
    #[inline(never)]
    fn judge(&mut self, id: CheckId, verdict: Verdict, seen: String, advice: Option<String>) {
        self.add(Check { id, verdict, seen, advice });
    }

    /// Keeps the first verdict, unless a later request finds a problem. A failure
    /// caused by a stop is not a finding.
    pub(super) fn add(&mut self, check: Check) {
        if self.stop.is_stopped() {
            return;
        }
        match self.checks.iter_mut().find(|known| known.id == check.id) {
            Some(known) if check.verdict <= known.verdict.max(Verdict::Ok) => return,
            Some(known) => *known = check.clone(),
            None => self.checks.push(check.clone()),
        }
        (self.on_check)(&check);
    }

    pub(super) fn is_ok(&self, id: CheckId) -> bool {
        self.checks.iter().any(|check| check.id == id && check.verdict == Verdict::Ok)
    }

    /// Returns the whole report. Checks without a verdict are marked as not checked.
    pub(super) fn finish(mut self, elapsed: Duration) -> Diagnosis {
        let why = if self.stop.is_stopped() { "stopped before this check" } else { "not reached" };
        let is_missing = |id: &&CheckId| !self.checks.iter().any(|check| check.id == **id);
        let missing: Vec<_> = CheckId::ALL.iter().filter(is_missing).collect();
        self.checks.extend(missing.iter().map(|id| Check::new(**id, Verdict::NotChecked, why)));
        let Findings { mut checks, .. } = self;
        checks.sort_by_key(|check| check.id);
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let mut diagnosis = Diagnosis { checks, problems: 0, warnings: 0, elapsed_ms };
        diagnosis.count();
        diagnosis
    }
}

/// Returns the findings of a part of an examination.
#[cfg(test)]
pub(super) fn judged(work: impl FnOnce(&mut Findings<'_>)) -> Diagnosis {
    let mut ignore = |_: &Check| {};
    let mut findings = Findings::new(StopHandle::new(), &mut ignore);
    work(&mut findings);
    findings.finish(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: CheckId = CheckId::Settings;
    const B: CheckId = CheckId::Bucket;

    fn verdict(diagnosis: &Diagnosis, id: CheckId) -> Verdict {
        diagnosis.check(id).unwrap().verdict
    }

    #[test]
    fn a_report_has_each_check_once_and_in_order() {
        let diagnosis = judged(|findings| {
            findings.ok(B, "fine");
            findings.ok(A, "fine");
        });
        let ids: Vec<_> = diagnosis.checks.iter().map(|check| check.id).collect();
        assert_eq!(ids, CheckId::ALL);
        let reached = diagnosis.checks.iter().filter(|check| check.verdict == Verdict::Ok).count();
        assert_eq!(reached, 2);
    }

    #[test]
    fn the_first_verdict_is_kept_unless_a_problem_is_found_later() {
        let diagnosis = judged(|findings| {
            findings.skip(A, "unknown");
            findings.ok(A, "fine");
            findings.ok(B, "fine");
            assert!(findings.is_ok(B) && !findings.is_ok(A));
            findings.problem(B, "wrong", "mend it");
            findings.warn(B, "odd", "look at it");
        });
        assert_eq!(verdict(&diagnosis, A), Verdict::NotChecked);
        assert_eq!(verdict(&diagnosis, B), Verdict::Problem);
        assert_eq!((diagnosis.problems, diagnosis.warnings), (1, 0));
    }

    #[test]
    fn replacing_a_check_updates_the_counts() {
        let mut diagnosis = judged(|findings| findings.problem(A, "wrong", "mend it"));
        let check = |id, verdict| Check { id, verdict, seen: String::new(), advice: None };
        diagnosis.replace(check(A, Verdict::Ok));
        assert_eq!((diagnosis.problems, diagnosis.warnings), (0, 0));
        diagnosis.replace(check(B, Verdict::Warning));
        assert_eq!((diagnosis.problems, diagnosis.warnings), (0, 1));
        assert_eq!(verdict(&diagnosis, A), Verdict::Ok);
    }
}
