//! Every published signature is valid, and none survives a changed byte.

mod ambiguity;

use super::*;
use crate::address::{Addressing, PublishTarget, percent_decode};
use crate::clock::Clock;
use crate::store::{Acl, Durability, Store};
use crate::time_format;
use serde_json::Value;
use time::Duration;
use time::macros::datetime;

const VECTORS: &str = include_str!("../../../tests/data/signing-vectors.json");
/// The time at which most of the vectors were made.
const NOW: i64 = 1_795_335_398;

fn cases(kind: &str) -> Vec<Value> {
    let all: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
    all.into_iter().filter(|case| case["kind"] == kind).collect()
}

fn text(case: &Value, name: &str) -> String {
    case[name].as_str().unwrap_or_default().to_owned()
}

fn keys(case: &Value) -> Keys {
    let token = case["security_token"].as_str().map(str::to_owned);
    let key = AccessKey {
        id: text(case, "access_key_id"),
        secret: text(case, "access_key_secret"),
        token,
    };
    Keys::new([key])
}

/// A request with owned strings, so that any of them can be changed.
#[derive(Clone)]
struct Owned {
    method: String,
    bucket: String,
    key: String,
    query: Vec<(String, Option<String>)>,
    headers: Vec<(String, String)>,
}

impl Owned {
    fn of_header_case(case: &Value) -> Owned {
        let params = case["params"].as_object().unwrap();
        let query = params
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().map(str::to_owned)))
            .collect();
        let mut headers: Vec<(String, String)> = case["headers"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.to_lowercase(), value.as_str().unwrap().to_owned()))
            .collect();
        headers.push(("authorization".into(), text(case, "authorization")));
        let (method, bucket, key) = (text(case, "method"), text(case, "bucket"), text(case, "key"));
        Owned { method, bucket, key, query, headers }
    }

    fn of_url_case(case: &Value, url: &str) -> Owned {
        let (_, rest) = url.split_once("://").unwrap();
        let (_, target) = rest.split_once('/').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let decode = |text: &str| String::from_utf8_lossy(&percent_decode(text).0).into_owned();
        let query = query
            .split('&')
            .map(|pair| match pair.split_once('=') {
                Some((name, value)) => (decode(name), Some(decode(value))),
                None => (decode(pair), None),
            })
            .collect();
        let headers = case["headers"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
            .collect();
        let (method, bucket) = (text(case, "method"), text(case, "bucket"));
        Owned { method, bucket, key: decode(path), query, headers }
    }

    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
    }

    fn identify(&self, keys: &Keys, region: &str, now: OffsetDateTime) -> Result<Identity, Fault> {
        let query: Vec<_> = self.query.iter().map(|(n, v)| (n.as_str(), v.as_deref())).collect();
        let headers: Vec<_> = self.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let parts = Parts {
            method: &self.method,
            bucket: &self.bucket,
            key: &self.key,
            query: &query,
            headers: &headers,
        };
        super::identify(&parts, keys, region, now)
    }
}

fn region(case: &Value) -> String {
    case["region"].as_str().unwrap_or("cn-hangzhou").to_owned()
}

/// Returns the date in a request.
fn time_of(request: &Owned) -> OffsetDateTime {
    let date = match request.header("x-oss-date") {
        "" => request.header("date"),
        date => date,
    };
    time_format::parse_basic(date).or_else(|| time_format::parse_http_date(date)).unwrap()
}

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(NOW).unwrap()
}

/// Returns strings that differ from this one in one character each.
fn neighbors(text: &str) -> impl Iterator<Item = String> {
    text.char_indices().map(move |(at, c)| {
        let other = match c {
            '0'..='8' => char::from(c as u8 + 1),
            '9' => '0',
            'x' => 'y',
            _ => 'x',
        };
        format!("{}{other}{}", &text[..at], &text[at + c.len_utf8()..])
    })
}

#[test]
fn all_test_vectors_are_present() {
    let count = |kind| cases(kind).len();
    let kinds = ["v1-header", "v1-presign", "v4-header", "v4-presign", "rtmp-url"];
    assert_eq!(kinds.map(count).iter().sum::<usize>(), 55);
}

#[test]
fn every_signed_header_is_valid_with_either_form_of_empty_values() {
    for kind in ["v1-header", "v4-header"] {
        for case in cases(kind) {
            let mut request = Owned::of_header_case(&case);
            let now = time_of(&request);
            for empty in [None, Some(String::new())] {
                for (_, value) in &mut request.query {
                    if value.as_deref().is_none_or(str::is_empty) {
                        value.clone_from(&empty);
                    }
                }
                let identity = request.identify(&keys(&case), &region(&case), now);
                assert!(matches!(identity, Ok(Identity::Header)), "{} {identity:?}", case["id"]);
            }
        }
    }
}

#[test]
fn the_spacing_and_order_of_a_version_4_header_do_not_matter() {
    let case = cases("v4-header").into_iter().find(|c| c["id"] == "v4-header/additional-host");
    let case = case.unwrap();
    let mut request = Owned::of_header_case(&case);
    let authorization = format!(
        "OSS4-HMAC-SHA256 Signature={},  AdditionalHeaders=Host , \
         Credential={}/20261122/cn-hangzhou/oss/aliyun_v4_request",
        text(&case, "signature"),
        text(&case, "access_key_id"),
    );
    request.headers.last_mut().unwrap().1 = authorization;
    let identity = request.identify(&keys(&case), "cn-hangzhou", now());
    assert!(matches!(identity, Ok(Identity::Header)), "{identity:?}");
}

/// Expects a refusal of a changed request, with one of these codes.
fn expect(case: &Value, request: &Owned, now: OffsetDateTime, codes: &[&str]) {
    match request.identify(&keys(case), &region(case), now) {
        Ok(_) => panic!("{}: accepted", case["id"]),
        Err(fault) => assert!(codes.contains(&fault.code), "{} {fault:?}", case["id"]),
    }
}

#[test]
fn a_header_signature_covers_every_byte_of_the_signed_parts() {
    const MISMATCH: &[&str] = &["SignatureDoesNotMatch"];
    const DATE: &[&str] = &["SignatureDoesNotMatch", "RequestTimeTooSkewed", "AccessDenied"];
    for case in cases("v1-header").iter().chain(&cases("v4-header")) {
        let v4 = case["kind"] == "v4-header";
        let request = Owned::of_header_case(case);
        let now = time_of(&request);
        let changed = |change: &dyn Fn(&mut Owned), codes| {
            let mut request = request.clone();
            change(&mut request);
            expect(case, &request, now, codes);
        };
        for other in neighbors(&request.method) {
            changed(&|r| r.method.clone_from(&other), MISMATCH);
        }
        for other in neighbors(&request.bucket) {
            changed(&|r| r.bucket.clone_from(&other), MISMATCH);
        }
        for other in neighbors(&request.key) {
            changed(&|r| r.key.clone_from(&other), MISMATCH);
        }
        for (at, (name, value)) in request.query.iter().enumerate() {
            if !v4 && !osslive::sign::v1::is_subresource(name) {
                continue;
            }
            for other in neighbors(name) {
                changed(&|r| r.query[at].0.clone_from(&other), MISMATCH);
            }
            for other in neighbors(value.as_deref().unwrap_or_default()) {
                changed(&|r| r.query[at].1 = Some(other.clone()), MISMATCH);
            }
        }
        for (at, (name, value)) in request.headers.iter().enumerate() {
            let codes = match name.as_str() {
                "x-oss-date" => {
                    if v4 {
                        &[
                            "SignatureDoesNotMatch",
                            "RequestTimeTooSkewed",
                            "AccessDenied",
                            "InvalidArgument",
                        ]
                    } else {
                        DATE
                    }
                }
                "date" => DATE,
                "x-oss-security-token" => &["InvalidSecurityToken"],
                "x-oss-content-sha256" => &["InvalidArgument"],
                "authorization" => continue,
                _ => MISMATCH,
            };
            for other in neighbors(value) {
                changed(&|r| r.headers[at].1.clone_from(&other), codes);
            }
        }
    }
}

#[test]
fn every_byte_of_an_authorization_header_counts() {
    for case in cases("v1-header").iter().chain(&cases("v4-header")) {
        let request = Owned::of_header_case(case);
        let now = time_of(&request);
        let authorization = text(case, "authorization");
        let signature = text(case, "signature");
        let last = request.headers.len() - 1;
        for (at, other) in neighbors(&authorization).enumerate() {
            let mut request = request.clone();
            request.headers[last].1 = other;
            let in_signature = at >= authorization.len() - signature.len();
            let codes: &[&str] = if in_signature {
                &["SignatureDoesNotMatch"]
            } else {
                &["InvalidArgument", "InvalidAccessKeyId", "SignatureDoesNotMatch"]
            };
            expect(case, &request, now, codes);
        }
    }
}

#[test]
fn every_signed_url_is_valid_until_a_byte_is_changed() {
    const CODES: &[&str] = &[
        "SignatureDoesNotMatch",
        "InvalidAccessKeyId",
        "AccessDenied",
        "InvalidArgument",
        "RequestTimeTooSkewed",
    ];
    for kind in ["v1-presign", "v4-presign"] {
        for case in cases(kind) {
            let url = text(&case, "url");
            let identify = |url: &str| {
                Owned::of_url_case(&case, url).identify(&keys(&case), &region(&case), now())
            };
            assert!(matches!(identify(&url), Ok(Identity::Url(_))), "{}", case["id"]);
            let path = url.find(".com/").unwrap() + 5;
            for (at, other) in neighbors(&url).enumerate().skip(path) {
                let start = url[..at].rfind(['?', '&']).map_or(0, |separator| separator + 1);
                let is_unsigned = url[start..].starts_with("prefix=")
                    || url[start..].starts_with("max-keys=")
                    || url[at..].starts_with("&prefix=")
                    || url[at..].starts_with("&max-keys=");
                if kind == "v1-presign" && is_unsigned {
                    continue;
                }
                match identify(&other) {
                    // Without its question mark the URL has no signature.
                    Ok(Identity::Anonymous) if !other.contains('?') => {}
                    Ok(identity) => panic!("{other} accepted: {identity:?}"),
                    Err(fault) => assert!(CODES.contains(&fault.code), "{other} {fault:?}"),
                }
            }
        }
    }
}

#[test]
fn a_signed_url_signs_other_keys_with_the_same_access_key_and_expiry() {
    for case in ["v1-presign", "v4-presign"].into_iter().flat_map(cases) {
        let (keys, region) = (keys(&case), region(&case));
        let request = Owned::of_url_case(&case, &text(&case, "url"));
        let identity = request.identify(&keys, &region, now());
        let Ok(Identity::Url(signature)) = identity else { panic!("{identity:?}") };
        for process in [None, Some("hls/sign")] {
            let query = signature.sign_get(&keys, &request.bucket, "ch/1.ts", process).unwrap();
            let signed = Owned::of_url_case(&case, &format!("http://host.com/ch/1.ts?{query}"));
            let signed = Owned { method: "GET".into(), headers: Vec::new(), ..signed };
            let at = |request: &Owned, seconds| {
                let time = now() + Duration::seconds(seconds);
                request.identify(&keys, &region, time).map_err(|fault| fault.code)
            };
            assert!(matches!(at(&signed, 3600), Ok(Identity::Url(_))), "{}: {query}", case["id"]);
            assert_eq!(at(&signed, 3601).unwrap_err(), "AccessDenied");
            let is_processed = signed.query.iter().any(|(name, _)| name == "x-oss-process");
            assert_eq!(is_processed, process.is_some());
            let other = Owned { key: "ch/2.ts".into(), ..signed };
            assert_eq!(at(&other, 0).unwrap_err(), "SignatureDoesNotMatch");
        }
    }
}

#[test]
fn a_request_without_a_signature_is_anonymous() {
    for case in cases("v1-presign") {
        let mut request = Owned::of_url_case(&case, &text(&case, "url"));
        request.query.clear();
        let identity = request.identify(&keys(&case), &region(&case), now());
        assert!(matches!(identity, Ok(Identity::Anonymous)), "{identity:?}");
    }
}

#[test]
fn a_signed_url_is_valid_until_its_expiry_and_only_for_its_method() {
    for kind in ["v1-presign", "v4-presign"] {
        for case in cases(kind) {
            let mut request = Owned::of_url_case(&case, &text(&case, "url"));
            let at = |request: &Owned, seconds| {
                let time = OffsetDateTime::from_unix_timestamp(NOW + seconds).unwrap();
                request.identify(&keys(&case), "cn-hangzhou", time).map_err(|f| (f.code, f.message))
            };
            assert!(at(&request, 3600).is_ok(), "{}", case["id"]);
            let expired = ("AccessDenied", "Request has expired.".to_owned());
            assert_eq!(at(&request, 3601).unwrap_err(), expired);
            request.key.push('x');
            assert_eq!(at(&request, 3601).unwrap_err(), expired, "expiry comes first");
            request.key.pop();
            request.method = "DELETE".into();
            assert_eq!(at(&request, 0).unwrap_err().0, "SignatureDoesNotMatch");
        }
    }
}

#[test]
fn clock_skew_of_up_to_15_minutes_is_allowed() {
    for kind in ["v1-header", "v4-header"] {
        let case = &cases(kind)[2];
        let request = Owned::of_header_case(case);
        let at = |seconds: i64| {
            let time = time_of(&request) + Duration::seconds(seconds);
            request.identify(&keys(case), "cn-hangzhou", time)
        };
        for seconds in [-900, 0, 900] {
            assert!(at(seconds).is_ok(), "{kind} {seconds}");
        }
        for seconds in [-901, 901] {
            let fault = at(seconds).unwrap_err();
            assert_eq!((fault.status, fault.code), (403, "RequestTimeTooSkewed"));
            assert_eq!(fault.ec, Some("0002-00000504"));
            let names: Vec<_> = fault.details.iter().map(|(name, _)| *name).collect();
            assert_eq!(names, ["MaxAllowedSkewMilliseconds", "RequestTime", "ServerTime"]);
            assert_eq!(fault.details[0].1, "900000");
            assert_eq!(fault.details[1].1, "2026-11-22T08:16:38.000Z");
        }
    }
}

#[test]
fn a_mismatch_shows_the_string_to_sign_that_was_computed() {
    let case = &cases("v4-header")[2];
    let mut request = Owned::of_header_case(case);
    request.headers.last_mut().unwrap().1.pop();
    let fault = request.identify(&keys(case), "cn-hangzhou", now()).unwrap_err();
    let names: Vec<_> = fault.details.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        [
            "OSSAccessKeyId",
            "SignatureProvided",
            "StringToSign",
            "StringToSignBytes",
            "CanonicalRequest",
            "CanonicalRequestBytes"
        ]
    );
    assert_eq!(fault.details[2].1, text(case, "string_to_sign"));
    assert!(fault.details[3].1.starts_with("4F 53 53 34 2D"));
    assert_eq!(fault.details[4].1, text(case, "canonical_request"));
}

fn refused(parts: &Parts<'_>) -> Fault {
    let key = AccessKey { id: "id".into(), secret: "secret".into(), token: None };
    identify(parts, &Keys::new([key]), "cn-hangzhou", now()).unwrap_err()
}

#[test]
fn malformed_header_signatures_are_refused_with_their_reason() {
    let date = ("x-oss-date", "20261122T081638Z");
    for (authorization, code, words) in [
        ("", "InvalidArgument", "Authorization header is invalid."),
        ("Basic abc", "InvalidArgument", "Authorization header is invalid."),
        ("OSS id", "InvalidArgument", "Authorization header is invalid."),
        ("OSS id:sig", "AccessDenied", "OSS authentication requires a valid Date."),
        ("OSS4-HMAC-SHA256 Signature=a", "InvalidArgument", "Credential is missing"),
        (
            "OSS4-HMAC-SHA256 Credential=id/20261122/cn-hangzhou/oss/aliyun_v4_request",
            "InvalidArgument",
            "Signature is missing",
        ),
        (
            "OSS4-HMAC-SHA256 Credential=id/20261122/cn-hangzhou/oss,Signature=a",
            "InvalidArgument",
            "The credential must be AccessKeyId/yyyyMMdd/region/oss/aliyun_v4_request",
        ),
        (
            "OSS4-HMAC-SHA256 Credential=id/20261121/cn-hangzhou/oss/aliyun_v4_request,Signature=a",
            "InvalidArgument",
            "The date of the credential must be \"20261122\", not \"20261121\".",
        ),
        (
            "OSS4-HMAC-SHA256 Credential=id/20261122/us-west-1/oss/aliyun_v4_request,Signature=a",
            "InvalidArgument",
            "Invalid signing region in Authorization header.",
        ),
        (
            "OSS4-HMAC-SHA256 Credential=id/20261122/cn-hangzhou/s3/aliyun_v4_request,Signature=a",
            "InvalidArgument",
            "Invalid signing product in Authorization header.",
        ),
        (
            "OSS4-HMAC-SHA256 Credential=no/20261122/cn-hangzhou/oss/aliyun_v4_request,Signature=a",
            "InvalidAccessKeyId",
            "The OSS Access Key Id",
        ),
    ] {
        let headers = [("authorization", authorization), date];
        let parts = Parts { method: "GET", bucket: "b", key: "", query: &[], headers: &headers };
        let fault = refused(&parts);
        assert_eq!(fault.code, code, "{authorization}");
        assert!(fault.message.contains(words), "{authorization}: {}", fault.message);
    }
    let empty = "OSS4-HMAC-SHA256 Credential=id/20261122/cn-hangzhou/oss/aliyun_v4_request,\
                 AdditionalHeaders=,Signature=a";
    let headers = [("authorization", empty), date];
    let parts = Parts { method: "GET", bucket: "b", key: "", query: &[], headers: &headers };
    assert_eq!(refused(&parts).ec, Some("0002-00000209"));
}

#[test]
fn malformed_url_signatures_are_refused_with_their_reason() {
    let v4 = "x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-date=20261122T081638Z&\
              x-oss-credential=id/20261122/cn-hangzhou/oss/aliyun_v4_request";
    for (query, status, words) in [
        ("Signature=a", 403, "OSSAccessKeyId is missing"),
        ("Expires=1795338998", 403, "OSSAccessKeyId is missing"),
        ("OSSAccessKeyId=id&Signature=a", 403, "Expires is missing"),
        ("OSSAccessKeyId=id&Expires=1795338998", 403, "Signature is missing"),
        ("OSSAccessKeyId=id&Expires=soon&Signature=a", 403, "Expires must be"),
        ("OSSAccessKeyId=id&Expires=-1&Signature=a", 403, "Expires must be"),
        ("OSSAccessKeyId=id&Expires=99999999999999&Signature=a", 403, "Expires must be"),
        ("x-oss-signature=a", 400, "x-oss-signature-version is missing"),
        ("x-oss-signature-version=OSS5&x-oss-signature=a", 400, "must be OSS4-HMAC-SHA256"),
        (&format!("{v4}&x-oss-expires=60"), 400, "x-oss-signature is missing"),
        (&format!("{v4}&x-oss-signature=a"), 400, "x-oss-expires is missing"),
        (&format!("{v4}&x-oss-signature=a&x-oss-expires=0"), 400, "x-oss-expires must be"),
        (&format!("{v4}&x-oss-signature=a&x-oss-expires=604801"), 400, "x-oss-expires must be"),
        (&format!("{v4}&x-oss-signature=a&x-oss-expires=604800"), 403, "does not match"),
    ] {
        let pairs: Vec<_> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let query_parts: Vec<_> = pairs.iter().map(|(n, v)| (*n, Some(*v))).collect();
        let parts =
            Parts { method: "GET", bucket: "b", key: "k", query: &query_parts, headers: &[] };
        let fault = refused(&parts);
        assert_eq!(fault.status, status, "{query} {}", fault.message);
        assert!(fault.message.contains(words), "{query} {}", fault.message);
        if words.contains("x-oss-signature is missing") {
            assert_eq!(fault.ec, Some("0002-00000219"));
        }
    }
}

#[test]
fn a_credential_with_another_scope_is_refused_with_the_services_message() {
    let place = |region: &str, product: &str| {
        let credential = format!("id/20261122/{region}/{product}/aliyun_v4_request");
        let authorization = format!("OSS4-HMAC-SHA256 Credential={credential},Signature=a");
        let headers =
            [("authorization", authorization.as_str()), ("x-oss-date", "20261122T081638Z")];
        let query = [
            ("x-oss-signature-version", Some("OSS4-HMAC-SHA256")),
            ("x-oss-date", Some("20261122T081638Z")),
            ("x-oss-expires", Some("60")),
            ("x-oss-credential", Some(credential.as_str())),
            ("x-oss-signature", Some("a")),
        ];
        let parts = Parts { method: "GET", bucket: "b", key: "k", query: &[], headers: &headers };
        let (header, url) =
            (refused(&parts), refused(&Parts { query: &query, headers: &[], ..parts }));
        assert_eq!((header.status, header.code, url.status, url.code), {
            (400, "InvalidArgument", 400, "InvalidArgument")
        });
        (header.message, header.ec, url.message)
    };
    let (header, ec, url) = place("us-west-1", "oss");
    assert_eq!(header, "Invalid signing region in Authorization header.");
    assert_eq!(
        (ec, &*url),
        (Some("0002-00000226"), "The signing region in credential is invalid.")
    );
    let (header, ec, _) = place("cn-hangzhou", "s3");
    assert_eq!(header, "Invalid signing product in Authorization header.");
    assert_eq!(ec, Some("0002-00000227"));
}

/// The vendor's SDK for Go and ossutil send no other date.
#[test]
fn version_4_signs_an_http_date_unchanged() {
    const DATE: &str = "Sun, 22 Nov 2026 08:16:38 GMT";
    let keys = Keys::new([AccessKey { id: "id".into(), secret: "s".into(), token: None }]);
    let scope = v4_scope();
    let identify_with = |signed: &str| {
        let headers = [("date", DATE), ("x-oss-content-sha256", "UNSIGNED-PAYLOAD")];
        let parts = Parts { method: "GET", bucket: "b", key: "k", query: &[], headers: &headers };
        let canonical = osslive::sign::v4::canonical_request(&parts, &[], "UNSIGNED-PAYLOAD");
        let text = osslive::sign::v4::string_to_sign(signed, &scope, &canonical);
        let key = osslive::sign::v4::Key::derive("s", &scope);
        let signature = osslive::sign::v4::signature(&key, &text);
        let authorization = format!("OSS4-HMAC-SHA256 Credential=id/{scope},Signature={signature}");
        let headers = [&headers[..], &[("authorization", authorization.as_str())]].concat();
        identify(&Parts { headers: &headers, ..parts }, &keys, "cn-hangzhou", now())
    };
    assert!(matches!(identify_with(DATE), Ok(Identity::Header)));
    assert_eq!(identify_with("20261122T081638Z").unwrap_err().code, "SignatureDoesNotMatch");
}

fn v4_scope() -> osslive::sign::v4::Scope<'static> {
    osslive::sign::v4::Scope { date: "20261122", region: "cn-hangzhou", product: "oss" }
}

/// The vendor's SDK for C does this at an IP address.
#[test]
fn version_1_accepts_a_bucket_without_its_slash() {
    let keys = Keys::new([AccessKey { id: "id".into(), secret: "s".into(), token: None }]);
    let identify_with =
        |resource: &str, bucket: &str, key: &str, query: &[(&str, Option<&str>)]| {
            let date = "Sun, 22 Nov 2026 08:16:38 GMT";
            let text = format!("GET\n\n\n{date}\n{resource}");
            let signature = osslive::sign::v1::signature(&osslive::sign::v1::Key::new("s"), &text);
            let authorization = format!("OSS id:{signature}");
            let headers = [("date", date), ("authorization", authorization.as_str())];
            let parts = Parts { method: "GET", bucket, key, query, headers: &headers };
            identify(&parts, &keys, "cn-hangzhou", now()).is_ok()
        };
    let acl = [("acl", None), ("prefix", Some("a"))];
    assert!(identify_with("/demo?acl", "demo", "", &acl));
    assert!(identify_with("/demo/?acl", "demo", "", &acl));
    assert!(identify_with("/demo", "demo", "", &[]));
    assert!(!identify_with("/dem", "demo", "", &[]));
    assert!(!identify_with("/?acl", "demo", "", &acl));
    assert!(!identify_with("/demo", "demo", "k", &[]));
    assert!(!identify_with("/demo", "", "", &[]));
}

#[test]
fn a_request_with_two_signatures_is_refused() {
    let headers = [("authorization", "OSS id:sig")];
    for name in ["Signature", "OSSAccessKeyId", "x-oss-signature", "x-oss-credential"] {
        let query = [(name, Some("a"))];
        let parts =
            Parts { method: "GET", bucket: "b", key: "k", query: &query, headers: &headers };
        let fault = refused(&parts);
        assert_eq!((fault.status, fault.code), (400, "InvalidArgument"));
    }
    let token = [("x-oss-security-token", "a")];
    for (query, headers) in [
        (&[("Signature", Some("a")), ("x-oss-signature", Some("b"))][..], &[][..]),
        (&[("Expires", Some("1")), ("x-oss-credential", Some("b"))], &[]),
        (&[("Signature", Some("a")), ("security-token", Some("b"))], &token),
        (&[("x-oss-signature", Some("a")), ("x-oss-security-token", Some("b"))], &token),
    ] {
        let parts = Parts { method: "GET", bucket: "b", key: "k", query, headers };
        let fault = refused(&parts);
        assert_eq!((fault.status, fault.code), (400, "InvalidArgument"), "{query:?}");
        assert!(fault.message.contains("and"), "{}", fault.message);
    }
}

#[test]
fn repeated_fields_in_a_version_4_header_are_refused() {
    let fields = "Credential=id/20261122/cn-hangzhou/oss/aliyun_v4_request,Signature=a";
    for more in ["Signature=b", "Credential=id2", "AdditionalHeaders=a,AdditionalHeaders=b", "X=1"]
    {
        for order in [format!("{fields},{more}"), format!("{more},{fields}")] {
            let authorization = format!("OSS4-HMAC-SHA256 {order}");
            let headers =
                [("authorization", authorization.as_str()), ("x-oss-date", "20261122T081638Z")];
            let parts =
                Parts { method: "GET", bucket: "b", key: "k", query: &[], headers: &headers };
            let fault = refused(&parts);
            assert_eq!(fault.code, "InvalidArgument", "{order}");
            assert!(fault.message.contains("given twice"), "{order}: {}", fault.message);
        }
    }
}

#[test]
fn a_temporary_key_needs_its_own_token() {
    let key = |id: &str, token: Option<&str>| AccessKey {
        id: id.into(),
        secret: "s".into(),
        token: token.map(str::to_owned),
    };
    let keys = Keys::new([key("a", None), key("t", Some("token")), key("u", Some("other"))]);
    let code = |id, token| keys.find(id, token).err().map(|fault| fault.code);
    assert_eq!(code("a", None), None);
    assert_eq!(code("t", Some("token")), None);
    assert_eq!(code("t", None), Some("InvalidSecurityToken"));
    assert_eq!(code("t", Some("token ")), Some("InvalidSecurityToken"));
    assert_eq!(code("t", Some("other")), Some("AccessKeyIdAndSecurityTokenNotMatch"));
    assert_eq!(code("a", Some("token")), Some("AccessKeyIdAndSecurityTokenNotMatch"));
    assert_eq!(code("a", Some("nonsense")), Some("InvalidSecurityToken"));
    assert_eq!(code("x", None), Some("InvalidAccessKeyId"));
}

#[test]
fn no_secret_is_printed() {
    let key = AccessKey { id: "id".into(), secret: "hush".into(), token: Some("private".into()) };
    assert_eq!(format!("{key:?}"), r#"AccessKey { id: "id", .. }"#);
    let printed = format!("{key:?} {:?}", Keys::new([key.clone()]));
    assert!(!printed.contains("hush") && !printed.contains("private"), "{printed}");
}

/// Returns a store with the buckets of the test vectors, and their addressing.
fn rtmp_fixture(acl: Acl) -> (tempfile::TempDir, Store, Addressing) {
    let folder = crate::store::temporary::private("test-").unwrap();
    let store = Store::open(folder.path(), Durability::Nothing, Clock::system()).unwrap();
    for bucket in ["live-demo-bucket", "cpp-sdk-live-channel-bucket"] {
        store.create_bucket(bucket, acl).unwrap();
    }
    let domain = "oss-cn-hangzhou.aliyuncs.com".into();
    let addressing = Addressing {
        domain,
        first_bucket: "live-demo-bucket".into(),
        cnames: Vec::new(),
        listen: "127.0.0.1:9000".parse().unwrap(),
    };
    (folder, store, addressing)
}

/// Publishes to a URL as an encoder does, and authorizes it.
fn publish(
    url: &str,
    keys: &Keys,
    store: &Store,
    addressing: &Addressing,
    now: OffsetDateTime,
) -> Result<PublishTarget, Fault> {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let (tc_url, stream) = path.rsplit_once('/').unwrap();
    let app = tc_url.splitn(4, '/').nth(3).unwrap_or_default();
    let target = PublishTarget::parse(tc_url, app, &format!("{stream}?{query}"), addressing)?;
    authorize_publish(&target, store, keys, &Clock::from_fn(move || now))?;
    Ok(target)
}

#[test]
fn every_publish_url_is_accepted_until_a_byte_is_changed() {
    const CODES: &[&str] = &[
        "AccessDenied",
        "SignatureDoesNotMatch",
        "InvalidAccessKeyId",
        "InvalidSecurityToken",
        "InvalidArgument",
        "InvalidChannelName",
        "NoSuchBucket",
    ];
    let (_folder, store, addressing) = rtmp_fixture(Acl::Private);
    for case in cases("rtmp-url") {
        let (keys, url) = (keys(&case), text(&case, "url"));
        let expires = case["expires_at"].as_i64().unwrap();
        let at = |seconds: i64| OffsetDateTime::from_unix_timestamp(expires + seconds).unwrap();
        let publish = |url: &str, now| publish(url, &keys, &store, &addressing, now);

        let target = publish(&url, at(0)).unwrap();
        assert_eq!(target.bucket, text(&case, "bucket"));
        assert_eq!(target.channel, text(&case, "channel"));
        assert_eq!(target.playlist_name.as_deref(), case["params"]["playlistName"].as_str());
        let late = publish(&url, at(1)).unwrap_err();
        assert_eq!((late.code, late.message.as_str()), ("AccessDenied", "Request has expired."));

        let path = url.find(".com/").unwrap() + 5;
        let decoded_by_encoder = |url: &str| String::from_utf8(percent_decode(url).0).unwrap();
        if !url.contains("special") && !url.contains("%26") {
            assert!(publish(&decoded_by_encoder(&url), at(0)).is_ok(), "{url}");
        }
        for other in neighbors(&url).skip(path) {
            match publish(&other, at(-60)) {
                Ok(_) => panic!("{other} accepted"),
                Err(fault) => assert!(CODES.contains(&fault.code), "{other} {fault:?}"),
            }
        }
        let signature = url.find("Signature=").unwrap() + 10;
        for other in neighbors(&url).skip(signature).take(20) {
            assert_eq!(publish(&other, at(0)).unwrap_err().code, "SignatureDoesNotMatch");
        }
    }
}

#[test]
fn publishing_without_a_signature_requires_a_public_read_write_bucket() {
    let url = "rtmp://live-demo-bucket.oss-cn-hangzhou.aliyuncs.com/live/ch";
    let keys = Keys::new([]);
    for (acl, expected) in [
        (Acl::Private, Some("AccessDenied")),
        (Acl::PublicRead, Some("AccessDenied")),
        (Acl::PublicReadWrite, None),
    ] {
        let (_folder, store, addressing) = rtmp_fixture(acl);
        let code = |url: &str| {
            publish(url, &keys, &store, &addressing, now()).err().map(|fault| fault.code)
        };
        assert_eq!(code(url), expected, "{acl}");
        assert_eq!(code(&format!("{url}?playlistName=p.m3u8")), expected, "{acl}");
        assert_eq!(code(&format!("{url}?OSSAccessKeyId=no&Signature=a")), Some("AccessDenied"));
        let other = "rtmp://other-bucket.oss-cn-hangzhou.aliyuncs.com/live/ch";
        assert_eq!(code(other), Some("NoSuchBucket"));
        if acl == Acl::PublicReadWrite {
            assert_eq!(code(&format!("{url}?playlistName=a/b.m3u8")), Some("InvalidArgument"));
        }
    }
}

#[test]
fn an_incomplete_publish_url_is_refused_with_what_is_missing() {
    let (_folder, store, addressing) = rtmp_fixture(Acl::Private);
    let keys = Keys::new([AccessKey { id: "id".into(), secret: "s".into(), token: None }]);
    for (query, words, ec) in [
        ("", "OSSAccessKeyId is missing", Some("0002-00000801")),
        ("Expires=1795338998&Signature=a", "OSSAccessKeyId is missing", Some("0002-00000801")),
        ("OSSAccessKeyId=%01&Expires=1&Signature=a", "invalid characters", Some("0002-00000802")),
        ("OSSAccessKeyId=id&Signature=a", "Expires is missing", Some("0002-00000803")),
        ("OSSAccessKeyId=id&Expires=&Signature=a", "Expires is missing", Some("0002-00000803")),
        ("OSSAccessKeyId=id&Expires=1h&Signature=a", "Expires must be", Some("0002-00000804")),
        ("OSSAccessKeyId=id&Expires=1795338998", "Signature is missing", Some("0002-00000806")),
        ("OSSAccessKeyId=id&Expires=1&Signature=a", "expired", Some("0002-00000805")),
        (
            "OSSAccessKeyId=id&Expires=1795338998&Signature=a",
            "does not match",
            Some("0002-00000807"),
        ),
        ("SignatureVersion=OSS4-HMAC-SHA256&Credential=a", "version 1", Some("0002-00000808")),
    ] {
        let url = format!("rtmp://127.0.0.1/live-demo-bucket/live/ch?{query}");
        let fault = publish(&url, &keys, &store, &addressing, now()).unwrap_err();
        assert_eq!((fault.status, fault.ec), (403, ec), "{query}");
        assert!(fault.message.contains(words), "{query} {}", fault.message);
    }
}

#[test]
fn dates_at_the_end_of_the_calendar_are_refused_without_a_panic() {
    let query = [
        ("x-oss-signature-version", Some("OSS4-HMAC-SHA256")),
        ("x-oss-date", Some("99991231T235959Z")),
        ("x-oss-expires", Some("604800")),
        ("x-oss-credential", Some("id/99991231/cn-hangzhou/oss/aliyun_v4_request")),
        ("x-oss-signature", Some("a")),
    ];
    let parts = Parts { method: "GET", bucket: "b", key: "k", query: &query, headers: &[] };
    assert_eq!(refused(&parts).code, "RequestTimeTooSkewed");
    let key = AccessKey { id: "id".into(), secret: "s".into(), token: None };
    let end = datetime!(9999-12-31 23:59:59 UTC);
    let fault = identify(&parts, &Keys::new([key]), "cn-hangzhou", end).unwrap_err();
    assert_eq!(fault.code, "SignatureDoesNotMatch");
}

#[test]
fn strings_are_the_same_only_if_every_byte_is() {
    assert!(same("", "") && same("abc=", "abc="));
    for other in ["abc", "abc= ", "", "Abc=", "abd=", "abcd", "abc=abc="] {
        assert!(!same("abc=", other) && !same(other, "abc="), "{other}");
    }
}
