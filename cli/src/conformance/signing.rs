//! Signs requests as specified, including incorrectly.

use super::request_spec::{Date, RequestSpec, Scheme, Token};
use osslive::request::{percent_encode, percent_encode_path};
use osslive::sign::{Parts, v1, v4};
use osslive::{Credentials, SignatureVersion};
use time::{Duration, OffsetDateTime};

/// The credentials, the bucket and the time.
pub(super) struct Signatory<'a> {
    pub(super) credentials: &'a Credentials,
    pub(super) bucket: &'a str,
    pub(super) region: &'a str,
    pub(super) version: SignatureVersion,
    pub(super) now: OffsetDateTime,
}

/// The query and headers of a signed request.
pub(super) struct Signed {
    pub(super) query: String,
    pub(super) headers: Vec<(String, String)>,
}

type Params = Vec<(String, Option<String>)>;

impl Signatory<'_> {
    pub(super) fn sign(&self, spec: &RequestSpec) -> Signed {
        let scheme = match (spec.signing.scheme, self.version) {
            (Scheme::Default, SignatureVersion::V1) => Scheme::HeaderV1,
            (Scheme::Default, _) => Scheme::HeaderV4,
            (scheme, _) => scheme,
        };
        let (mut query, mut headers) = (spec.query.clone(), spec.headers.clone());
        match scheme {
            Scheme::Anonymous | Scheme::Default => {}
            Scheme::HeaderV1 => self.authorize_v1(spec, &mut headers),
            Scheme::HeaderV4 => self.authorize_v4(spec, &mut headers),
            Scheme::UrlV1 => self.presign_v1(spec, &mut query),
            Scheme::UrlV4 => self.presign_v4(spec, &mut query),
        }
        let mut query = write_query(&query);
        if let Some(alter) = spec.signing.alter {
            match headers.iter_mut().find(|(name, _)| name == "authorization") {
                Some((_, value)) => *value = alter(std::mem::take(value)),
                None => query = alter(query),
            }
        }
        query.push_str(spec.raw_query);
        Signed { query, headers }
    }

    fn authorize_v1(&self, spec: &RequestSpec, headers: &mut Vec<(String, String)>) {
        self.push_token(spec, headers);
        let date = self.date(spec, http_date);
        if let Some(date) = &date {
            let name = if spec.signing.date == Date::OtherHeader { "x-oss-date" } else { "date" };
            headers.push((name.to_owned(), date.clone()));
        }
        let text = self.with_parts(spec, &spec.query, headers, |parts| {
            v1::string_to_sign(parts, &date.unwrap_or_default())
        });
        let value = format!("OSS {}:{}", self.key_id(spec), v1::signature(&self.v1_key(), &text));
        headers.push(("authorization".to_owned(), value));
    }

    fn authorize_v4(&self, spec: &RequestSpec, headers: &mut Vec<(String, String)>) {
        self.push_token(spec, headers);
        let date = match spec.signing.date {
            Date::OtherHeader => Some(http_date(self.now)),
            _ => self.date(spec, basic_time),
        };
        if !headers.iter().any(|(name, _)| name == "x-oss-content-sha256") {
            headers.push(("x-oss-content-sha256".to_owned(), v4::UNSIGNED_PAYLOAD.to_owned()));
        }
        if let Some(date) = &date {
            let name = if spec.signing.date == Date::OtherHeader { "date" } else { "x-oss-date" };
            headers.push((name.to_owned(), date.clone()));
        }
        let scope_day = basic_time(self.time(spec));
        let scope = self.scope(spec, &scope_day);
        let signature = self.sign_v4(spec, &spec.query, headers, &date.unwrap_or_default(), &scope);
        let additional = match spec.signing.additional_headers {
            [] => String::new(),
            names => format!(",AdditionalHeaders={}", names.join(";")),
        };
        let id = self.key_id(spec);
        let value =
            format!("{} Credential={id}/{scope}{additional},Signature={signature}", v4::ALGORITHM);
        headers.push(("authorization".to_owned(), value));
    }

    fn presign_v1(&self, spec: &RequestSpec, query: &mut Params) {
        let expires = (self.time(spec).unix_timestamp() + spec.signing.expires).to_string();
        if let Some(token) = self.token(spec) {
            query.push(("security-token".to_owned(), Some(token)));
        }
        let text = self
            .with_parts(spec, query, &spec.headers, |parts| v1::string_to_sign(parts, &expires));
        let signature = v1::signature(&self.v1_key(), &text);
        for (name, value) in [
            ("OSSAccessKeyId", self.key_id(spec)),
            ("Expires", &expires),
            ("Signature", &signature),
        ] {
            query.push((name.to_owned(), Some(value.to_owned())));
        }
    }

    fn presign_v4(&self, spec: &RequestSpec, query: &mut Params) {
        let date = basic_time(self.time(spec));
        let scope = self.scope(spec, &date);
        let credential = format!("{}/{scope}", self.key_id(spec));
        let mut push = |name: &str, value: &str| {
            query.push((name.to_owned(), Some(value.to_owned())));
        };
        push("x-oss-signature-version", v4::ALGORITHM);
        push("x-oss-credential", &credential);
        push("x-oss-date", &date);
        push("x-oss-expires", &spec.signing.expires.to_string());
        if let Some(token) = self.token(spec) {
            push("x-oss-security-token", &token);
        }
        let signature = self.sign_v4(spec, query, &spec.headers, &date, &scope);
        query.push(("x-oss-signature".to_owned(), Some(signature)));
    }

    fn sign_v4(
        &self,
        spec: &RequestSpec,
        query: &Params,
        headers: &[(String, String)],
        date: &str,
        scope: &v4::Scope<'_>,
    ) -> String {
        let additional = spec.signing.additional_headers;
        let mut canonical = self.with_parts(spec, query, headers, |parts| {
            v4::canonical_request(parts, additional, v4::UNSIGNED_PAYLOAD)
        });
        if let Some(raw) = &spec.raw_key {
            let (from, to) = (percent_encode_path(&spec.key), raw.as_str());
            canonical = canonical.replacen(&format!("/{from}\n"), &format!("/{to}\n"), 1);
        }
        let key = v4::Key::derive(self.credentials.access_key_secret(), scope);
        v4::signature(&key, &v4::string_to_sign(date, scope, &canonical))
    }

    fn with_parts<T>(
        &self,
        spec: &RequestSpec,
        query: &Params,
        headers: &[(String, String)],
        sign: impl FnOnce(&Parts<'_>) -> T,
    ) -> T {
        let query: Vec<_> = query.iter().map(|(n, v)| (n.as_str(), v.as_deref())).collect();
        let headers: Vec<_> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let bucket = spec.bucket.as_deref().unwrap_or(self.bucket);
        let (query, headers) = (&query[..], &headers[..]);
        sign(&Parts { method: spec.method, bucket, key: &spec.key, query, headers })
    }

    fn push_token(&self, spec: &RequestSpec, headers: &mut Vec<(String, String)>) {
        headers.extend(self.token(spec).map(|token| ("x-oss-security-token".to_owned(), token)));
    }

    fn token(&self, spec: &RequestSpec) -> Option<String> {
        match spec.signing.token {
            Token::Right => self.credentials.security_token().map(str::to_owned),
            Token::Wrong => Some("CAISwrong".to_owned()),
            Token::Missing => None,
        }
    }

    fn key_id(&self, spec: &RequestSpec) -> &str {
        spec.signing.key_id.unwrap_or(self.credentials.access_key_id())
    }

    fn v1_key(&self) -> v1::Key {
        v1::Key::new(self.credentials.access_key_secret())
    }

    fn scope<'a>(&'a self, spec: &RequestSpec, date: &'a str) -> v4::Scope<'a> {
        v4::Scope {
            date: date.get(..8).unwrap_or_default(),
            region: spec.signing.region.unwrap_or(self.region),
            product: spec.signing.product.unwrap_or("oss"),
        }
    }

    fn time(&self, spec: &RequestSpec) -> OffsetDateTime {
        match spec.signing.date {
            Date::Off(seconds) => self.now.saturating_add(Duration::seconds(seconds)),
            _ => self.now,
        }
    }

    fn date(&self, spec: &RequestSpec, write: fn(OffsetDateTime) -> String) -> Option<String> {
        match spec.signing.date {
            Date::Missing => None,
            Date::Text(text) => Some(text.to_owned()),
            _ => Some(write(self.time(spec))),
        }
    }
}

fn write_query(query: &Params) -> String {
    let pair = |(name, value): &(String, Option<String>)| match value {
        Some(value) => format!("{}={}", percent_encode(name), percent_encode(value)),
        None => percent_encode(name),
    };
    query.iter().map(pair).collect::<Vec<_>>().join("&")
}

/// Formats a time for signatures of version 4: `20261122T081638Z`.
fn basic_time(time: OffsetDateTime) -> String {
    let (year, month, day) = (time.year(), u8::from(time.month()), time.day());
    let (hour, minute, second) = time.to_hms();
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// Formats a time for HTTP (RFC 9110, section 5.6.7).
pub(super) fn http_date(time: OffsetDateTime) -> String {
    let (weekday, month) = (time.weekday().to_string(), time.month().to_string());
    let (weekday, month) = (&weekday[..3], &month[..3]);
    let (hour, minute, second) = time.to_hms();
    let (day, year) = (time.day(), time.year());
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_both_formats() {
        let time = OffsetDateTime::from_unix_timestamp(1_795_335_398).unwrap();
        assert_eq!(basic_time(time), "20261122T081638Z");
        assert_eq!(http_date(time), "Sun, 22 Nov 2026 08:16:38 GMT");
    }

    /// Compared with the SDK's signatures, which are tested against the vendor's.
    #[test]
    fn correct_signatures_match_those_of_the_sdk() {
        use osslive::request::{Method, Request};
        use osslive::sign::Signer;
        let credentials = Credentials::new("id", "secret").with_security_token("token");
        let now = OffsetDateTime::from_unix_timestamp(1_795_335_398).unwrap();
        let spec = RequestSpec::get("ch").flag("live").param("comp", "stat");
        let request = Request::new(Method::Get, "ch").flag("live").param("comp", "stat");
        for version in [SignatureVersion::V1, SignatureVersion::V4] {
            let (bucket, region) = ("live-demo", "cn-hangzhou");
            let signatory = Signatory { credentials: &credentials, bucket, region, version, now };
            let signer = Signer::new(version, region, credentials.clone());
            let of = |headers: &[(&str, String)]| {
                headers.iter().find(|(name, _)| *name == "authorization").map(|h| h.1.clone())
            };
            let ours = signatory.sign(&spec).headers;
            let ours: Vec<_> = ours.iter().map(|(n, v)| (n.as_str(), v.clone())).collect();
            assert_eq!(of(&ours), of(&signer.headers(&request, bucket, now)));
            let scheme = match version {
                SignatureVersion::V1 => Scheme::UrlV1,
                _ => Scheme::UrlV4,
            };
            let query = signer.presign(&request, bucket, 300, now);
            let query: Params = query.into_iter().map(|(n, v)| (n.into_owned(), v)).collect();
            assert_eq!(signatory.sign(&spec.clone().scheme(scheme)).query, write_query(&query));
        }
    }
}
