//! Credentials with the keys derived from them, and the headers and parameters that
//! sign a request.

use super::{Parts, rtmp, v1, v4};
use crate::credentials::Credentials;
use crate::error::{Error, Result};
use crate::request::{Param, Request, percent_decode, push_encoded};
use crate::spelling::spelling;
use crate::wipe::Wiped;
use std::borrow::Cow;
use std::fmt;
use std::sync::{PoisonError, RwLock};
use time::{Date, OffsetDateTime};

/// The signature version of HTTP requests and play URLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SignatureVersion {
    /// HMAC-SHA1, for private gateways that only support version 1.
    V1,
    /// OSS4-HMAC-SHA256. The default.
    #[default]
    V4,
}

spelling!(SignatureVersion, "signature version", Error::invalid, {
    V1 = "v1",
    V4 = "v4",
});

impl TryFrom<u32> for SignatureVersion {
    type Error = Error;

    fn try_from(number: u32) -> Result<Self> {
        let found = Self::ALL.iter().find(|version| version.as_str() == format!("v{number}"));
        found
            .copied()
            .ok_or_else(|| Error::invalid(format!("signature version {number}: must be 1 or 4")))
    }
}

impl SignatureVersion {
    /// Returns whether the region is part of the signature.
    pub fn needs_region(self) -> bool {
        self == SignatureVersion::V4
    }

    /// Checks the lifetime of a URL, in seconds.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) for 0,
    /// and with version 4 for more than a week.
    pub fn check_expires(self, seconds: u32) -> Result<()> {
        let max = match self {
            SignatureVersion::V1 => u32::MAX,
            SignatureVersion::V4 => 7 * 24 * 3600,
        };
        if (1..=max).contains(&seconds) {
            return Ok(());
        }
        Err(Error::invalid(format!("expiry {seconds} seconds: must be 1 to {max}")))
    }
}

const PRODUCT: &str = "oss";

/// One set of credentials, with the HMAC keys derived from it: once for version 1 and
/// for publish URLs, once a day for version 4.
pub struct Signer {
    version: SignatureVersion,
    region: String,
    credentials: Credentials,
    v1_key: v1::Key,
    v4_key: RwLock<Option<(Date, v4::Key)>>,
}

impl Signer {
    /// Creates a signer. Only version 4 uses the region.
    pub fn new(version: SignatureVersion, region: &str, credentials: Credentials) -> Self {
        Signer {
            version,
            region: region.to_owned(),
            v1_key: v1::Key::new(credentials.access_key_secret()),
            credentials,
            v4_key: RwLock::new(None),
        }
    }

    /// Returns the credentials.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Checks that a request can be signed unambiguously. Signing itself does not
    /// check this, because a server must be able to verify any signature.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) for a
    /// key with a segment `.` or `..`, which HTTP clients and proxies resolve;
    /// with version 1 also for requests that [`v1::check`] rejects.
    pub fn check(&self, request: &Request, bucket: &str) -> Result<()> {
        if request.key.split('/').any(|segment| matches!(segment, "." | "..")) {
            let shown: String = request.key.chars().take(80).collect();
            return Err(Error::invalid(format!(
                "name {shown:?}: must not be \".\" or \"..\", which HTTP clients resolve"
            )));
        }
        match self.version {
            SignatureVersion::V1 => {
                v1::check(&parts(request, bucket, &borrowed(&request.query), &[]))
            }
            SignatureVersion::V4 => Ok(()),
        }
    }

    /// Returns the headers of a request: its own, the Content-Type of its body, and
    /// those that authorize it.
    pub fn headers(
        &self,
        request: &Request,
        bucket: &str,
        now: OffsetDateTime,
    ) -> Vec<(&'static str, String)> {
        let mut headers = Vec::with_capacity(6 + request.headers.len());
        headers.extend(request.headers.iter().cloned());
        if let Some(body) = &request.body {
            headers.push(("content-type", body.content_type.to_owned()));
        }
        if let Some(token) = self.credentials.security_token() {
            headers.push(("x-oss-security-token", token.to_owned()));
        }
        let authorization = match self.version {
            SignatureVersion::V1 => self.authorize_v1(request, bucket, now, &mut headers),
            SignatureVersion::V4 => self.authorize_v4(request, bucket, now, &mut headers),
        };
        headers.push(("authorization", authorization));
        headers
    }

    fn authorize_v1(
        &self,
        request: &Request,
        bucket: &str,
        now: OffsetDateTime,
        headers: &mut Vec<(&'static str, String)>,
    ) -> String {
        let date = http_date(now);
        let query = borrowed(&request.query);
        let text = Wiped::new(with_headers(headers, |headers| {
            v1::string_to_sign(&parts(request, bucket, &query, headers), &date)
        }));
        headers.push(("date", date));
        let id = self.credentials.access_key_id();
        format!("OSS {id}:{}", v1::signature(&self.v1_key, &text))
    }

    fn authorize_v4(
        &self,
        request: &Request,
        bucket: &str,
        now: OffsetDateTime,
        headers: &mut Vec<(&'static str, String)>,
    ) -> String {
        let timestamp = basic_timestamp(now);
        let scope = self.scope(&timestamp);
        headers.push(("x-oss-content-sha256", v4::UNSIGNED_PAYLOAD.to_owned()));
        headers.push(("x-oss-date", timestamp.clone()));
        let query = borrowed(&request.query);
        let canonical = Wiped::new(with_headers(headers, |headers| {
            let parts = parts(request, bucket, &query, headers);
            v4::canonical_request(&parts, &[], v4::UNSIGNED_PAYLOAD)
        }));
        let text = v4::string_to_sign(&timestamp, &scope, &canonical);
        let signature = v4::signature(&self.v4_key(now, &scope), &text);
        let id = self.credentials.access_key_id();
        let mut authorization = [v4::ALGORITHM, " Credential=", id, "/"].concat();
        scope.push_to(&mut authorization);
        authorization.push_str(",Signature=");
        authorization + &signature
    }

    /// Returns the whole query of a signed URL for a request without a body, valid
    /// for `expires` seconds from `now`.
    pub fn presign(
        &self,
        request: &Request,
        bucket: &str,
        expires: u32,
        now: OffsetDateTime,
    ) -> Vec<Param> {
        let mut query = request.query.clone();
        match self.version {
            SignatureVersion::V1 => self.presign_v1(request, bucket, expires, now, &mut query),
            SignatureVersion::V4 => self.presign_v4(request, bucket, expires, now, &mut query),
        }
        query
    }

    fn presign_v1(
        &self,
        request: &Request,
        bucket: &str,
        expires: u32,
        now: OffsetDateTime,
        query: &mut Vec<Param>,
    ) {
        let expires = (now.unix_timestamp() + i64::from(expires)).to_string();
        if let Some(token) = self.credentials.security_token() {
            query.push(("security-token".into(), Some(token.to_owned())));
        }
        let signed = borrowed(query);
        let parts = parts(request, bucket, &signed, &[]);
        let text = Wiped::new(v1::string_to_sign(&parts, &expires));
        let id = self.credentials.access_key_id().to_owned();
        query.push(("OSSAccessKeyId".into(), Some(id)));
        query.push(("Expires".into(), Some(expires)));
        query.push(("Signature".into(), Some(v1::signature(&self.v1_key, &text))));
    }

    fn presign_v4(
        &self,
        request: &Request,
        bucket: &str,
        expires: u32,
        now: OffsetDateTime,
        query: &mut Vec<Param>,
    ) {
        let timestamp = basic_timestamp(now);
        let scope = self.scope(&timestamp);
        let credential = format!("{}/{scope}", self.credentials.access_key_id());
        let mut push = |name: &'static str, value: String| {
            query.push((Cow::Borrowed(name), Some(value)));
        };
        push("x-oss-signature-version", v4::ALGORITHM.to_owned());
        push("x-oss-credential", credential);
        push("x-oss-date", timestamp.clone());
        push("x-oss-expires", expires.to_string());
        if let Some(token) = self.credentials.security_token() {
            push("x-oss-security-token", token.to_owned());
        }
        let canonical = Wiped::new(v4::canonical_request(
            &parts(request, bucket, &borrowed(query), &[]),
            &[],
            v4::UNSIGNED_PAYLOAD,
        ));
        let text = v4::string_to_sign(&timestamp, &scope, &canonical);
        let signature = v4::signature(&self.v4_key(now, &scope), &text);
        query.push(("x-oss-signature".into(), Some(signature)));
    }

    /// Appends the query of a publish URL: the signature, then the extra
    /// parameters in the order given.
    ///
    /// `expires` is in Unix seconds. With `sign_token`, an STS token is signed;
    /// otherwise it is only appended.
    pub fn push_rtmp_query(
        &self,
        url: &mut String,
        bucket: &str,
        channel: &str,
        expires: i64,
        params: &[(&str, &str)],
        sign_token: bool,
    ) {
        let token = self.credentials.security_token().map(|token| ("security-token", token));
        let signed = match token.filter(|_| sign_token) {
            Some(token) => Cow::Owned([params, &[token]].concat()),
            None => Cow::Borrowed(params),
        };
        let text = Wiped::new(rtmp::string_to_sign(expires, &signed, bucket, channel));
        let signature = rtmp::signature(&self.v1_key, &text);
        let params = params.iter().copied().chain(token);
        let (id, expires) = (self.credentials.access_key_id(), expires.to_string());
        // Growing would leave a copy behind.
        let own = 40 + expires.len() + 3 * (id.len() + signature.len());
        let lengths = params.clone().map(|(name, value)| 3 * (name.len() + value.len()) + 2);
        url.reserve(own + lengths.sum::<usize>());

        url.push_str("?OSSAccessKeyId=");
        push_encoded(url, id);
        url.push_str("&Expires=");
        url.push_str(&expires);
        url.push_str("&Signature=");
        push_encoded(url, &signature);
        for (name, value) in params {
            url.push('&');
            push_encoded(url, name);
            url.push('=');
            push_encoded(url, value);
        }
    }

    fn scope<'a>(&'a self, timestamp: &'a str) -> v4::Scope<'a> {
        v4::Scope { date: &timestamp[..8], region: &self.region, product: PRODUCT }
    }

    fn v4_key(&self, now: OffsetDateTime, scope: &v4::Scope<'_>) -> v4::Key {
        let today = now.date();
        // A poisoned lock still holds a complete key: keys are replaced atomically.
        let cached = self.v4_key.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, key)) = cached.as_ref().filter(|(date, _)| *date == today) {
            return key.clone();
        }
        drop(cached);
        let key = v4::Key::derive(self.credentials.access_key_secret(), scope);
        *self.v4_key.write().unwrap_or_else(PoisonError::into_inner) = Some((today, key.clone()));
        key
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("version", &self.version)
            .field("region", &self.region)
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}

/// Returns the signature in the value of an Authorization header of either version.
pub(crate) fn signature_in(authorization: &str) -> Option<&str> {
    let (before, last) = authorization.rsplit_once(',').unwrap_or(("", authorization));
    let is_v4 = before.starts_with(v4::ALGORITHM);
    if is_v4 { last.strip_prefix("Signature=") } else { last.split_once(':').map(|(_, s)| s) }
}

/// Returns the signature in the query of any signed URL, decoded.
pub(crate) fn signature_in_url(url: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let mut params = query.split('&').filter_map(|param| param.split_once('='));
    let found = params.rfind(|(name, _)| matches!(*name, "Signature" | "x-oss-signature"));
    found.map(|(_, value)| String::from_utf8_lossy(&percent_decode(value.as_bytes())).into_owned())
}

fn borrowed(query: &[Param]) -> Vec<(&str, Option<&str>)> {
    query.iter().map(|(name, value)| (name.as_ref(), value.as_deref())).collect()
}

fn with_headers<T>(
    headers: &[(&'static str, String)],
    sign: impl FnOnce(&[(&str, &str)]) -> T,
) -> T {
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    sign(&headers)
}

fn parts<'a>(
    request: &'a Request,
    bucket: &'a str,
    query: &'a [(&'a str, Option<&'a str>)],
    headers: &'a [(&'a str, &'a str)],
) -> Parts<'a> {
    Parts { method: request.method.as_str(), bucket, key: &request.key, query, headers }
}

/// `Sun, 22 Nov 2026 08:16:38 GMT` (RFC 9110 section 5.6.7).
fn http_date(now: OffsetDateTime) -> String {
    let now = now.to_offset(time::UtcOffset::UTC);
    let weekday = &now.weekday().to_string()[..3];
    let month = &now.month().to_string()[..3];
    let (hour, minute, second) = now.to_hms();
    let (day, year) = (now.day(), now.year());
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

/// `20261122T081638Z` (ISO 8601, basic format).
fn basic_timestamp(now: OffsetDateTime) -> String {
    let now = now.to_offset(time::UtcOffset::UTC);
    let (year, month, day) = now.to_calendar_date();
    let (hour, minute, second) = now.to_hms();
    // Formatting two numbers takes a third of the time of six.
    let date = year * 10_000 + i32::from(u8::from(month)) * 100 + i32::from(day);
    let time = u32::from(hour) * 10_000 + u32::from(minute) * 100 + u32::from(second);
    format!("{date:08}T{time:06}Z")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Method;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-22 08:16:38 UTC);

    fn signer(version: SignatureVersion) -> Signer {
        let credentials =
            Credentials::new("LTAI5tDocExampleKeyId001", "docExampleSecret7xYzABCDEFGH01");
        Signer::new(version, "cn-hangzhou", credentials)
    }

    fn stat() -> Request {
        Request::new(Method::Get, "test-channel").flag("live").param("comp", "stat")
    }

    fn authorization(headers: &[(&str, String)]) -> String {
        headers.iter().find(|(name, _)| *name == "authorization").unwrap().1.clone()
    }

    #[test]
    fn dates_are_formatted_in_utc_for_http_and_iso_8601() {
        let elsewhere = NOW.to_offset(time::macros::offset!(+9));
        assert_eq!(http_date(elsewhere), "Sun, 22 Nov 2026 08:16:38 GMT");
        assert_eq!(basic_timestamp(elsewhere), "20261122T081638Z");
    }

    #[test]
    fn version_1_signs_with_the_date_header() {
        let headers = signer(SignatureVersion::V1).headers(&stat(), "live-demo-bucket", NOW);
        assert_eq!(
            authorization(&headers),
            "OSS LTAI5tDocExampleKeyId001:ocH/3JAMPBHJJs/FhgW0IVGi1+E="
        );
        assert!(headers.contains(&("date", "Sun, 22 Nov 2026 08:16:38 GMT".into())));
    }

    #[test]
    fn version_4_signs_with_a_key_of_the_day() {
        let signer = signer(SignatureVersion::V4);
        let first = authorization(&signer.headers(&stat(), "live-demo-bucket", NOW));
        assert_eq!(
            first,
            "OSS4-HMAC-SHA256 Credential=LTAI5tDocExampleKeyId001/20261122/cn-hangzhou/oss/\
             aliyun_v4_request,Signature=\
             ff40202dd79fcf9024976bfb4fdee37a6da1762a168088f4682563050bd7baf4"
        );
        let tomorrow = NOW + time::Duration::days(1);
        let next_day = authorization(&signer.headers(&stat(), "live-demo-bucket", tomorrow));
        assert!(next_day.contains("/20261123/"));
        let fresh = self::signer(SignatureVersion::V4);
        let expected = authorization(&fresh.headers(&stat(), "live-demo-bucket", tomorrow));
        assert_eq!(next_day, expected);
        assert_eq!(authorization(&signer.headers(&stat(), "live-demo-bucket", NOW)), first);
    }

    #[test]
    fn version_4_signs_different_strings_for_different_requests() {
        // Without encoding, joining key and query would give the same string for each pair.
        let texts = |key: &str, query: &[(&str, Option<&str>)]| {
            let parts = Parts { method: "GET", bucket: "b", key, query, headers: &[] };
            v4::canonical_request(&parts, &[], v4::UNSIGNED_PAYLOAD)
        };
        for ((key, query), (other_key, other_query)) in [
            (("a?live", &[][..]), ("a", &[("live", None)][..])),
            (("a\nb", &[]), ("a", &[("b", None)])),
            (("a", &[("b", Some("c&d"))]), ("a", &[("b", Some("c")), ("d", None)])),
            (("a", &[("b=c", None)]), ("a", &[("b", Some("c"))])),
            (("a%3Flive", &[]), ("a?live", &[])),
        ] {
            assert_ne!(texts(key, query), texts(other_key, other_query), "{key} {other_key}");
        }
    }

    #[test]
    fn a_path_that_clients_resolve_is_rejected_with_either_version() {
        for version in [SignatureVersion::V1, SignatureVersion::V4] {
            for key in [".", "..", "a/../b", "./a", "a/."] {
                let error = signer(version).check(&Request::new(Method::Get, key), "b");
                assert!(error.unwrap_err().message().contains(key));
            }
            for key in ["", "...", "a.b/..c", ".a"] {
                assert!(signer(version).check(&Request::new(Method::Get, key), "b").is_ok());
            }
        }
    }

    #[test]
    fn a_signer_does_not_show_its_secrets() {
        let credentials = Credentials::new("id", "hush").with_security_token("quiet");
        let shown = format!("{:?}", Signer::new(SignatureVersion::V4, "r", credentials));
        assert!(shown.contains("V4") && shown.contains("\"id\""), "{shown}");
        assert!(!shown.contains("hush") && !shown.contains("quiet"), "{shown}");
    }

    #[test]
    fn only_version_4_needs_a_region_and_limits_the_lifetime_of_a_url_to_a_week() {
        let (v1, v4) = (SignatureVersion::V1, SignatureVersion::V4);
        assert_eq!((v1.needs_region(), v4.needs_region()), (false, true));
        for (version, longest) in [(v1, u32::MAX), (v4, 604_800)] {
            assert!(version.check_expires(1).is_ok());
            assert!(version.check_expires(longest).is_ok());
            assert!(version.check_expires(0).is_err());
        }
        let error = v4.check_expires(604_801).unwrap_err();
        assert_eq!(error.message(), "expiry 604801 seconds: must be 1 to 604800");
    }

    #[test]
    fn the_signature_of_a_request_is_found_in_its_header_or_url() {
        for (version, length) in [(SignatureVersion::V1, 28), (SignatureVersion::V4, 64)] {
            let signer = signer(version);
            let header = authorization(&signer.headers(&stat(), "b", NOW));
            let signature = signature_in(&header).unwrap();
            assert_eq!((signature.len(), header.ends_with(signature)), (length, true));

            let query = signer.presign(&stat(), "b", 60, NOW);
            let signature = query.last().unwrap().1.clone().unwrap();
            let mut url = "https://b.h/test-channel".to_owned();
            for (at, (name, value)) in query.iter().enumerate() {
                url.push(if at == 0 { '?' } else { '&' });
                url.push_str(name);
                if let Some(value) = value {
                    url.push('=');
                    push_encoded(&mut url, value);
                }
            }
            assert_eq!(signature_in_url(&url), Some(signature));
        }
        for header in ["", "OSS", "OSS4-HMAC-SHA256 Credential=a,AdditionalHeaders=b"] {
            assert_eq!(signature_in(header), None);
        }
        for url in ["", "https://b.h/c", "https://b.h/c?live&comp=stat"] {
            assert_eq!(signature_in_url(url), None);
        }
    }

    /// Growing it would leave a copy of the token behind.
    #[test]
    fn a_publish_url_is_allocated_at_full_size() {
        let (id, text) = ("\u{e9}".repeat(50), "\u{e9}".repeat(5));
        let signer = Signer::new(SignatureVersion::V4, "r", Credentials::new(id, "secret"));
        let params = [(text.as_str(), text.as_str()); 100];
        let mut url = String::new();
        signer.push_rtmp_query(&mut url, "b", "c", 1_795_334_400, &params, true);
        // At most, the signature would be three times as long.
        assert!(url.capacity() - url.len() <= 60, "{} {}", url.capacity(), url.len());
    }
}
