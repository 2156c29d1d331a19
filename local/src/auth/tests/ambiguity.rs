//! Different requests with the same string to sign: a signature of one must not be
//! valid for the other.

use super::*;
use osslive::sign::v1::{self, is_subresource};
use osslive::sign::{rtmp, v4};
use std::collections::{BTreeMap, BTreeSet};

const SECRET: &str = "docExampleSecret7xYzABCDEFGH01";
const DATE: &str = "Sun, 22 Nov 2026 08:16:38 GMT";

fn own_keys() -> Keys {
    Keys::new([AccessKey { id: "id".into(), secret: SECRET.into(), token: None }])
}

type Param = (&'static str, Option<&'static str>);

/// Keys and values that contain the separators of the string to sign.
const KEYS: &[&str] = &[
    "",
    "ch",
    "?live",
    "ch?live",
    "ch?live&status=disabled",
    "ch?status=disabled",
    "ch?response-content-type=a",
    "ch?response-content-type=a&response-expires=b",
    "ch?other",
    "ch?",
    "ch??live",
    "ch?x?live",
    "ch?live?",
    "ch?live=",
    "ch?lively",
    "ch&live",
    "ch\n",
    "ch\n/demo/ch",
    "ch\n?live",
    "ch\r\nx-oss-meta-a:1\n/demo/ch",
    "ch%3Flive",
    "x-oss-meta-a:1\n/demo/ch",
];

const PARAMS: &[Param] = &[
    ("live", None),
    ("live", Some("")),
    ("live", Some("x")),
    ("live", Some("&status=disabled")),
    ("live", Some("x&status=disabled")),
    ("status", Some("disabled")),
    ("status", Some("disabled&vod")),
    ("status", Some("a&b=c")),
    ("status", Some("a=live")),
    ("vod", None),
    ("response-content-type", Some("a")),
    ("response-content-type", Some("a&response-expires=b")),
    ("response-content-type", Some("a&&response-expires=b")),
    ("response-content-type", Some("a\n/demo/ch?live")),
    ("response-content-type", Some("a?live")),
    ("response-expires", Some("b")),
    ("response-expires", Some("b&status=disabled")),
];

const HEADERS: &[&[(&str, &str)]] = &[
    &[],
    &[("content-type", "a")],
    &[("content-md5", "a")],
    &[("x-oss-meta-a", "1")],
    &[("x-oss-meta-a", "1:2")],
    &[("x-oss-meta-a", "1,x-oss-meta-b:2")],
    &[("x-oss-meta-a", "1"), ("x-oss-meta-b", "2")],
];

/// Returns all combinations of at most three parameters with distinct names.
fn queries() -> Vec<Vec<Param>> {
    let mut all = vec![Vec::new()];
    for length in 1..=3 {
        let longer = all.iter().filter(|query: &&Vec<Param>| query.len() + 1 == length);
        let grown: Vec<Vec<Param>> = longer
            .flat_map(|query| {
                let last = query.last().map_or("", |(name, _)| name);
                let more = PARAMS.iter().filter(move |(name, _)| *name > last);
                more.map(|param| [query.as_slice(), &[*param]].concat())
            })
            .collect();
        all.extend(grown);
    }
    all
}

/// Visits all combinations of these; headers only with few parameters.
fn for_each_request(mut visit: impl FnMut(&Parts<'_>)) {
    for query in queries() {
        let headers = if query.len() > 1 { &HEADERS[..1] } else { HEADERS };
        for (key, headers) in KEYS.iter().flat_map(|key| headers.iter().map(move |h| (key, h))) {
            visit(&Parts { method: "PUT", bucket: "demo", key, query: &query, headers });
        }
    }
}

/// Returns the meaning of a request, as far as version 1 signs it.
fn meaning(parts: &Parts<'_>) -> String {
    let mut params: Vec<(&str, &str)> = parts
        .query
        .iter()
        .filter(|(name, _)| is_subresource(name))
        .map(|(name, value)| (*name, value.unwrap_or_default()))
        .collect();
    params.sort_unstable();
    let headers: BTreeSet<_> = parts.headers.iter().collect();
    format!("{:?} {params:?} {headers:?}", (parts.method, parts.bucket, parts.key))
}

#[test]
fn version_1_accepts_at_most_one_request_per_string_to_sign() {
    let keys = own_keys();
    let mut groups: BTreeMap<String, BTreeMap<String, bool>> = BTreeMap::new();
    for_each_request(|parts| {
        let text = v1::string_to_sign(parts, DATE);
        let is_accepted = accepts(parts, &keys, &text);
        groups.entry(text).or_default().insert(meaning(parts), is_accepted);
    });
    let mut ambiguous = 0;
    for (text, requests) in &groups {
        let accepted: Vec<_> = requests.iter().filter(|(_, accepted)| **accepted).collect();
        assert!(accepted.len() <= 1, "{text:?} signs {accepted:#?}");
        ambiguous += usize::from(requests.len() > 1);
    }
    assert!(ambiguous > 100, "only {ambiguous} ambiguous strings were tried");
}

/// Returns whether a request is accepted with the signature of a string, and checks
/// that header and URL agree.
fn accepts(parts: &Parts<'_>, keys: &Keys, text: &str) -> bool {
    let authorization = format!("OSS id:{}", v1::signature(&v1::Key::new(SECRET), text));
    let mut headers = parts.headers.to_vec();
    headers.extend([("date", DATE), ("authorization", authorization.as_str())]);
    let by_header = identify(&Parts { headers: &headers, ..*parts }, keys, "cn-hangzhou", now());

    let expires = (NOW + 60).to_string();
    let signature = v1::signature(&v1::Key::new(SECRET), &v1::string_to_sign(parts, &expires));
    let mut query = parts.query.to_vec();
    query.extend([
        ("OSSAccessKeyId", Some("id")),
        ("Expires", Some(expires.as_str())),
        ("Signature", Some(signature.as_str())),
    ]);
    let by_url = identify(&Parts { query: &query, ..*parts }, keys, "cn-hangzhou", now());
    assert_eq!(by_header.is_ok(), by_url.is_ok(), "{parts:?} {by_header:?} {by_url:?}");
    if let Err(fault) = by_header {
        assert_eq!((fault.status, fault.code), (400, "InvalidArgument"), "{parts:?}");
        assert!(fault.message.contains("version 4"), "{}", fault.message);
    }
    by_url.is_ok()
}

#[test]
fn version_4_has_distinct_canonical_requests_for_distinct_requests() {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for_each_request(|parts| {
        let text = v4::canonical_request(parts, &[], v4::UNSIGNED_PAYLOAD);
        let meaning = meaning(parts);
        let earlier = seen.insert(text.clone(), meaning.clone());
        assert!(earlier.is_none_or(|earlier| earlier == meaning), "{text:?}: {meaning}");
    });
}

#[test]
fn version_1_accepts_unambiguous_requests() {
    let keys = own_keys();
    let odd: &[Param] = &[("response-content-disposition", Some("attachment; filename=a&b=c.ts"))];
    for (key, query) in [
        ("直播 1+%25", &[] as &[Param]),
        ("\u{1}\u{c}\r\n\u{1f}", &[]),
        ("ch&live", &[("live", None)]),
        ("what?.ts", &[]),
        ("a?b=live&c?d", &[("live", None)]),
        ("k", odd),
        ("k", &[("prefix", Some("a&live"))]),
    ] {
        let parts = Parts { method: "GET", bucket: "demo", key, query, headers: &[] };
        assert!(accepts(&parts, &keys, &v1::string_to_sign(&parts, DATE)), "{key:?}");
    }
}

#[test]
fn a_signed_url_does_not_sign_a_key_that_looks_like_a_sub_resource() {
    let keys = own_keys();
    let expires = (NOW + 60).to_string();
    let parts = Parts { method: "GET", bucket: "demo", key: "p.m3u8", query: &[], headers: &[] };
    let signature = v1::signature(&v1::Key::new(SECRET), &v1::string_to_sign(&parts, &expires));
    let query = [
        ("OSSAccessKeyId", Some("id")),
        ("Expires", Some(expires.as_str())),
        ("Signature", Some(signature.as_str())),
    ];
    let identity = identify(&Parts { query: &query, ..parts }, &keys, "cn-hangzhou", now());
    let Ok(Identity::Url(signature)) = identity else { panic!("{identity:?}") };
    assert!(signature.sign_get(&keys, "demo", "ch/1.ts", None).is_ok());
    for key in ["x.mp4?response-content-type=a.ts", "ch?live&comp=.ts"] {
        let fault = signature.sign_get(&keys, "demo", key, None).unwrap_err();
        assert_eq!((fault.status, fault.code), (400, "InvalidArgument"), "{key}");
    }
}

#[test]
fn at_most_one_publish_url_per_string_to_sign_is_accepted() {
    let (_folder, store, _) = rtmp_fixture(Acl::Private);
    let keys = own_keys();
    let values = ["1", "", "1\nb:2", "1\n/live-demo-bucket/ch", ":1", "1:2", "\n"];
    let names = ["a", "b", "a:1", "a\nb", "", "/live-demo-bucket/ch", "a:1\nb"];
    let channels = ["ch", "ch\nb", "a:1"];
    let params: Vec<(&str, &str)> =
        names.iter().flat_map(|name| values.map(|value| (*name, value))).collect();
    let mut queries: Vec<Vec<(&str, &str)>> = vec![Vec::new()];
    queries.extend(params.iter().map(|param| vec![*param]));
    queries.extend(params.iter().flat_map(|first| {
        let others = params.iter().filter(move |second| second.0 > first.0);
        others.map(move |second| vec![*first, *second])
    }));
    let mut accepted: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let (mut refused, expires) = (0, NOW + 60);
    for channel in channels {
        for query in &queries {
            let text = rtmp::string_to_sign(expires, query, "live-demo-bucket", channel);
            let signature = rtmp::signature(&v1::Key::new(SECRET), &text);
            let mut params: Vec<(String, String)> =
                query.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
            params.extend([
                ("OSSAccessKeyId".into(), "id".into()),
                ("Expires".into(), expires.to_string()),
                ("Signature".into(), signature),
            ]);
            let channel = channel.to_owned();
            let bucket = "live-demo-bucket".to_owned();
            let target = PublishTarget { bucket, channel, playlist_name: None, params };
            match authorize_publish(&target, &store, &keys, &Clock::from_fn(now)) {
                Ok(()) => accepted.entry(text).or_default().push(format!("{target:?}")),
                Err(fault) => {
                    assert_eq!(fault.code, "InvalidArgument", "{fault:?}");
                    refused += 1;
                }
            }
        }
    }
    for (text, targets) in accepted {
        assert_eq!(targets.len(), 1, "{text:?} signs {targets:#?}");
    }
    assert!(refused > 100, "{refused}");
}
