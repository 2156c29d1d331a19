//! A publish URL that an encoder uses: does it belong to the bucket, and is it
//! complete, signed and still valid?

use super::report::{CheckId, Findings};
use super::rtmp::authority_of;
use super::words;
use crate::endpoint::{Endpoint, ServiceHost};
use crate::request::percent_decode;
use crate::sign::{Signer, rtmp, v1};
use time::OffsetDateTime;

/// The parameters of a signature, in the order in which they are usually written.
const SIGNED: [&str; 3] = ["OSSAccessKeyId", "Expires", "Signature"];
/// Plausible values are below this number of seconds since 1970; milliseconds exceed it.
const MAX_SECONDS: i64 = 100_000_000_000;

/// What a publish URL is compared with.
pub(super) struct Expected<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) signer: Option<&'a Signer>,
    pub(super) now: OffsetDateTime,
    /// The channel to publish to, if it was given.
    pub(super) channel: Option<&'a str>,
    /// Whether anyone is known to be allowed to publish without a signature.
    pub(super) is_open: bool,
}

/// A publish URL in parts, decoded.
struct PublishUrl {
    authority: String,
    /// The segments of its path.
    path: Vec<String>,
    query: Vec<(String, String)>,
}

impl PublishUrl {
    fn parse(url: &str) -> Option<Self> {
        let rest = url.trim().strip_prefix("rtmp://")?;
        let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = address.split_once('/')?;
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        };
        Some(PublishUrl {
            authority: authority.to_ascii_lowercase(),
            path: path.split('/').map(decoded).collect(),
            query: pairs.map(pair).collect(),
        })
    }

    fn param(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(known, _)| known == name)?;
        Some(&found.1).filter(|value| !value.is_empty()).map(String::as_str)
    }

    fn channel(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }
}

fn decoded(text: &str) -> String {
    String::from_utf8_lossy(&percent_decode(text.as_bytes())).into_owned()
}

pub(super) fn judge(url: &str, expected: &Expected<'_>, findings: &mut Findings<'_>) {
    let Some(parsed) = PublishUrl::parse(url) else {
        let seen = match url.trim().split_once("://") {
            Some((scheme, _)) if scheme != "rtmp" => format!("the scheme is {scheme:?}"),
            _ => "not a URL of the form rtmp://HOST/live/CHANNEL?...".to_owned(),
        };
        return findings.problem(
            CheckId::PublishUrlHost,
            seen,
            "use the URL as it was signed; the service supports only rtmp://",
        );
    };
    judge_host(&parsed, expected, findings);
    judge_path(&parsed, expected, findings);
    if judge_query(&parsed, expected, findings) {
        judge_expiry(&parsed, expected, findings);
        judge_signature(&parsed, expected, findings);
        judge_playlist(&parsed, findings);
    }
}

fn judge_host(url: &PublishUrl, expected: &Expected<'_>, findings: &mut Findings<'_>) {
    let own = expected.endpoint.publish_url(url.channel());
    let authority = format!("rtmp://{}/", url.authority);
    if authority_of(&authority) == authority_of(&own) {
        return findings.ok(CheckId::PublishUrlHost, format!("the host is {}", url.authority));
    }
    let own = PublishUrl::parse(&own).map(|own| own.authority).unwrap_or_default();
    let seen = format!("the host is {}, but the bucket's is {own}", url.authority);
    let host = ServiceHost::of(&url.authority);
    let is_custom_domain = host.is_none() && ServiceHost::of(&own).is_some();
    if is_custom_domain || host.is_some_and(|host| host.bucket == Some(expected.endpoint.bucket()))
    {
        let advice = "make sure that this domain is bound to the bucket, or sign a new URL";
        return findings.warn(CheckId::PublishUrlHost, seen, advice);
    }
    findings.problem(CheckId::PublishUrlHost, seen, "sign a new URL for this bucket");
}

fn judge_path(url: &PublishUrl, expected: &Expected<'_>, findings: &mut Findings<'_>) {
    let id = CheckId::PublishUrlPath;
    let own = expected.endpoint.publish_url(url.channel());
    let own = PublishUrl::parse(&own).map(|own| own.path).unwrap_or_default();
    if url.channel().is_empty() || url.path != own {
        let shown = words::brief(&url.path.join("/"));
        let form = format!("{}/CHANNEL", own[..own.len().saturating_sub(1)].join("/"));
        return findings.problem(
            id,
            format!("the path is {shown:?}"),
            format!("publish to {form}: in OBS, the server ends in the app and the stream key begins with the channel"),
        );
    }
    match expected.channel {
        Some(channel) if channel != url.channel() => findings.problem(
            id,
            format!("it is for the channel {:?}, not {channel:?}", words::brief(url.channel())),
            "sign a URL for the channel that players watch",
        ),
        _ => findings.ok(id, format!("it is for the channel {:?}", words::brief(url.channel()))),
    }
}

/// Returns whether there is a complete signature to check.
fn judge_query(url: &PublishUrl, expected: &Expected<'_>, findings: &mut Findings<'_>) -> bool {
    let id = CheckId::PublishUrlQuery;
    let missing: Vec<_> = SIGNED.into_iter().filter(|name| url.param(name).is_none()).collect();
    if missing.len() == SIGNED.len() {
        if expected.is_open {
            findings.ok(id, "unsigned, which the bucket allows");
        } else {
            findings.problem(
                id,
                "the URL is not signed",
                "sign it, or paste it with everything after the question mark",
            );
        }
        return false;
    }
    if !missing.is_empty() {
        findings.problem(
            id,
            format!("parameters are missing: {}", missing.join(", ")),
            "put the URL in quotes: a shell cuts it off at the first &; paste the whole stream key",
        );
        return false;
    }
    let is_duplicate = |name: &str| url.query.iter().filter(|(known, _)| known == name).count() > 1;
    if let Some(name) = SIGNED.into_iter().find(|name| is_duplicate(name)) {
        let seen = format!("duplicate parameter {name}");
        findings.problem(id, seen, "paste the URL once, as it was signed");
        return false;
    }
    findings.ok(id, "complete");
    true
}

fn judge_expiry(url: &PublishUrl, expected: &Expected<'_>, findings: &mut Findings<'_>) {
    let id = CheckId::PublishUrlExpires;
    let text = url.param("Expires").unwrap_or_default();
    let seconds = text.parse::<i64>().ok();
    let time = seconds.filter(|seconds| (0..MAX_SECONDS).contains(seconds));
    match time.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok()) {
        Some(end) if end <= expected.now => findings.problem(
            id,
            format!("expired {} ago, at {}", words::length(expected.now - end), words::time(end)),
            "sign a new URL",
        ),
        Some(end) => findings.ok(
            id,
            format!("valid for {}, until {}", words::length(end - expected.now), words::time(end)),
        ),
        None if seconds.is_some_and(|seconds| seconds >= MAX_SECONDS) => findings.problem(
            id,
            "Expires is in milliseconds",
            "sign the URL with Expires in seconds since 1970",
        ),
        None => findings.problem(
            id,
            format!("Expires is {:?}", words::brief(text)),
            "sign the URL with Expires in seconds since 1970",
        ),
    }
}

fn judge_signature(url: &PublishUrl, expected: &Expected<'_>, findings: &mut Findings<'_>) {
    let id = CheckId::PublishUrlSignature;
    let Some(credentials) = expected.signer.map(Signer::credentials) else {
        return findings.skip(id, "there is no access key to check it with");
    };
    let key_id = url.param("OSSAccessKeyId").unwrap_or_default();
    if key_id != credentials.access_key_id() {
        let seen = format!("signed with another access key, {:?}", words::brief(key_id));
        return findings.skip(id, seen);
    }
    let Ok(expires) = url.param("Expires").unwrap_or_default().parse() else {
        return findings.skip(id, "Expires is not a number");
    };
    let key = v1::Key::new(credentials.access_key_secret());
    let valid = |takes_token: bool| {
        let is_signed = |(name, _): &&(String, String)| {
            !rtmp::RESERVED.contains(&name.as_str()) || takes_token && name == "security-token"
        };
        let params: Vec<_> = url.query.iter().filter(is_signed).collect();
        let params: Vec<_> = params.iter().map(|(name, value)| (&**name, &**value)).collect();
        let bucket = expected.endpoint.bucket();
        let text = rtmp::string_to_sign(expires, &params, bucket, url.channel());
        url.param("Signature") == Some(&*rtmp::signature(&key, &text))
    };
    if valid(true) || valid(false) {
        findings.ok(id, format!("valid for the access key {key_id}"));
    } else {
        findings.problem(
            id,
            format!("invalid for the access key {key_id}, this bucket and this channel"),
            "sign a new URL, and do not change any part of it: its parameters are signed too",
        );
    }
}

fn judge_playlist(url: &PublishUrl, findings: &mut Findings<'_>) {
    let id = CheckId::PublishUrlPlaylist;
    match url.param("playlistName") {
        None => findings.ok(id, "the channel's own"),
        Some(name) if name.ends_with(".m3u8") && !name.contains('/') && name.len() > 5 => {
            findings.ok(id, format!("{:?}", words::brief(name)));
        }
        Some(name) => findings.problem(
            id,
            format!("the playlist is {:?}", words::brief(name)),
            "sign the URL with a playlistName that ends in .m3u8 and has no slash",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Credentials;
    use crate::diagnosis::report::{self, Diagnosis, Verdict};
    use crate::sign::SignatureVersion;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-26 12:00 UTC);

    fn endpoint() -> Endpoint {
        Endpoint::new("oss-cn-hangzhou.aliyuncs.com", "live-demo", true, None).unwrap()
    }

    fn signer(credentials: Credentials) -> Signer {
        Signer::new(SignatureVersion::V4, "cn-hangzhou", credentials)
    }

    fn signed(signer: &Signer, expires: i64, params: &[(&str, &str)]) -> String {
        let mut url = endpoint().publish_url("cam");
        signer.push_rtmp_query(&mut url, "live-demo", "cam", expires, params, true);
        url
    }

    fn judged_by(url: &str, signer: &Signer, channel: Option<&str>, is_open: bool) -> Diagnosis {
        let endpoint = endpoint();
        let expected =
            Expected { endpoint: &endpoint, signer: Some(signer), now: NOW, channel, is_open };
        report::judged(|findings| judge(url, &expected, findings))
    }

    fn judged(url: &str) -> Diagnosis {
        judged_by(url, &signer(Credentials::new("LTAI5t", "secret")), None, false)
    }

    /// Returns a URL that is valid for ten minutes.
    fn valid() -> String {
        let signer = signer(Credentials::new("LTAI5t", "secret"));
        signed(&signer, NOW.unix_timestamp() + 600, &[("playlistName", "a.m3u8")])
    }

    fn verdict(diagnosis: &Diagnosis, id: CheckId) -> (Verdict, &str) {
        let check = diagnosis.check(id).unwrap();
        (check.verdict, &check.seen)
    }

    #[test]
    fn an_unchanged_url_has_no_problems() {
        let diagnosis = judged(&valid());
        assert_eq!(diagnosis.problems + diagnosis.warnings, 0, "{diagnosis:#?}");
        for (id, word) in [
            (CheckId::PublishUrlHost, "live-demo.oss-cn-hangzhou.aliyuncs.com"),
            (CheckId::PublishUrlPath, "cam"),
            (CheckId::PublishUrlQuery, "complete"),
            (CheckId::PublishUrlExpires, "10 min"),
            (CheckId::PublishUrlSignature, "LTAI5t"),
            (CheckId::PublishUrlPlaylist, "a.m3u8"),
        ] {
            let (verdict, seen) = verdict(&diagnosis, id);
            assert!(verdict == Verdict::Ok && seen.contains(word), "{id}: {seen}");
        }
    }

    #[test]
    fn each_problem_with_a_url_is_reported() {
        let (url, other) = (valid(), signer(Credentials::new("LTAI5t", "other")));
        let ends = NOW.unix_timestamp() + 600;
        let without_query = url.split('?').next().unwrap();
        for (wrong, id, word) in [
            (url.replace("rtmp:", "rtmps:"), CheckId::PublishUrlHost, "rtmps"),
            (url.replace("live-demo.", "other."), CheckId::PublishUrlHost, "other."),
            (url.replace("/live/", "/stream/"), CheckId::PublishUrlPath, "stream/cam"),
            (url.replace("/live/cam", "/cam"), CheckId::PublishUrlPath, "cam"),
            (url.replace("/cam?", "/?"), CheckId::PublishUrlPath, "live/"),
            (without_query.to_owned(), CheckId::PublishUrlQuery, "not signed"),
            (url.split('&').next().unwrap().to_owned(), CheckId::PublishUrlQuery, "Expires"),
            (format!("{url}&Expires=1"), CheckId::PublishUrlQuery, "duplicate"),
            (signed(&other, ends - 1200, &[]), CheckId::PublishUrlExpires, "10 min"),
            (signed(&other, ends * 1000, &[]), CheckId::PublishUrlExpires, "milliseconds"),
            (url.replace("Expires=", "Expires=x"), CheckId::PublishUrlExpires, "x17"),
            (signed(&other, ends, &[]), CheckId::PublishUrlSignature, "LTAI5t"),
            (format!("{url}&x=y"), CheckId::PublishUrlSignature, "LTAI5t"),
            (url.replace("a.m3u8", "a.ts"), CheckId::PublishUrlPlaylist, "a.ts"),
            (url.replace("a.m3u8", "a/b.m3u8"), CheckId::PublishUrlPlaylist, "a/b"),
            (url.replace("a.m3u8", ".m3u8"), CheckId::PublishUrlPlaylist, ".m3u8"),
            ("rtmp://live-demo".to_owned(), CheckId::PublishUrlHost, "rtmp://HOST"),
        ] {
            let diagnosis = judged(&wrong);
            let (verdict, seen) = verdict(&diagnosis, id);
            assert!(verdict == Verdict::Problem && seen.contains(word), "{wrong}: {diagnosis:#?}");
        }
    }

    #[test]
    fn a_custom_domain_may_be_bound_to_the_bucket() {
        let url = valid().replace("live-demo.oss-cn-hangzhou.aliyuncs.com", "live.example.com");
        let diagnosis = judged(&url);
        let (verdict, seen) = verdict(&diagnosis, CheckId::PublishUrlHost);
        assert!(verdict == Verdict::Warning && seen.contains("live.example.com"), "{seen}");
        assert_eq!(diagnosis.problems, 0, "{diagnosis:#?}");
    }

    #[test]
    fn the_url_must_be_for_the_given_channel() {
        let signer = signer(Credentials::new("LTAI5t", "secret"));
        for (channel, expected) in [("cam", Verdict::Ok), ("other", Verdict::Problem)] {
            let diagnosis = judged_by(&valid(), &signer, Some(channel), false);
            assert_eq!(verdict(&diagnosis, CheckId::PublishUrlPath).0, expected);
        }
    }

    #[test]
    fn another_key_is_no_problem_and_tokens_may_be_signed_or_not() {
        let other = signer(Credentials::new("LTAI5other", "secret"));
        let diagnosis = judged_by(&valid(), &other, None, false);
        assert_eq!(verdict(&diagnosis, CheckId::PublishUrlSignature).0, Verdict::NotChecked);
        let temporary = Credentials::new("STS.a", "secret").with_security_token("a+token/==");
        let temporary = signer(temporary);
        for sign_token in [true, false] {
            let mut url = endpoint().publish_url("cam");
            let ends = NOW.unix_timestamp() + 600;
            temporary.push_rtmp_query(&mut url, "live-demo", "cam", ends, &[], sign_token);
            let diagnosis = judged_by(&url, &temporary, None, false);
            assert_eq!(diagnosis.problems, 0, "{diagnosis:#?}");
            assert!(!format!("{diagnosis:?}").contains("token/"), "{diagnosis:?}");
        }
    }

    #[test]
    fn an_open_bucket_needs_no_signature() {
        let signer = signer(Credentials::new("LTAI5t", "secret"));
        let url = endpoint().publish_url("cam");
        assert_eq!(judged_by(&url, &signer, None, true).problems, 0);
    }

    #[test]
    fn no_url_causes_a_panic_or_reveals_its_signature() {
        let url = valid();
        for cut in 0..url.len() {
            let diagnosis = judged(&url[..cut]);
            let signature = url.split("Signature=").nth(1).unwrap().split('&').next().unwrap();
            assert!(!format!("{diagnosis:?}").contains(&signature[..12]), "{diagnosis:?}");
        }
        for odd in ["", "rtmp://", "rtmp:///", "rtmp://a", "rtmp://a/%ff?%ff=%ff", "\u{202e}"] {
            judged(odd);
        }
    }
}
