//! Signatures on which several official SDKs agree, as a table.
//!
//! Each case of `data/signing-vectors.json` was computed by an independent
//! implementation and compared with the SDKs that it names.

use osslive::sign::{Parts, rtmp, v1, v4};
use serde_json::Value;

fn cases() -> Vec<Value> {
    serde_json::from_str(include_str!("data/signing-vectors.json")).unwrap()
}

fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().unwrap_or_else(|| panic!("{} has no {name}", case["id"]))
}

fn pairs(value: &Value) -> Vec<(&str, &str)> {
    let Some(object) = value.as_object() else { return Vec::new() };
    object.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default())).collect()
}

/// Returns the query. An empty value is a bare name, except in the one case that shows
/// how ali-oss writes it.
fn query<'a>(case: &'a Value, extra: &[(&'a str, &'a str)]) -> Vec<(&'a str, Option<&'a str>)> {
    let spelled_out = case["id"] == "v4-header/ali-oss-wire-list-empty-marker";
    pairs(&case["params"])
        .into_iter()
        .chain(extra.iter().copied())
        .map(|(name, value)| {
            let is_bare = value.is_empty() && !(spelled_out && name == "marker");
            (name, (!is_bare).then_some(value))
        })
        .collect()
}

fn url_params(case: &Value) -> Vec<(String, String)> {
    let (_, query) = text(case, "url").split_once('?').unwrap();
    let mut params: Vec<_> = query
        .split('&')
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (name.to_owned(), value.to_owned())
        })
        .collect();
    params.sort();
    params
}

#[test]
fn version_1_headers() {
    let cases = cases();
    let cases: Vec<_> = cases.iter().filter(|case| case["kind"] == "v1-header").collect();
    assert_eq!(cases.len(), 22);
    for case in cases {
        let lowered: Vec<_> = pairs(&case["headers"])
            .into_iter()
            .map(|(name, value)| (name.to_lowercase(), value))
            .collect();
        let headers: Vec<_> = lowered.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let header = |name| headers.iter().find(|(n, _)| *n == name).map(|(_, value)| *value);
        let parts = Parts {
            method: text(case, "method"),
            bucket: text(case, "bucket"),
            key: text(case, "key"),
            query: &query(case, &[]),
            headers: &headers,
        };
        let date = header("x-oss-date").or(header("date")).unwrap();
        let string = v1::string_to_sign(&parts, date);
        assert_eq!(string, text(case, "string_to_sign"), "{}", case["id"]);
        let key = v1::Key::new(text(case, "access_key_secret"));
        assert_eq!(v1::signature(&key, &string), text(case, "signature"), "{}", case["id"]);
    }
}

#[test]
fn version_1_urls() {
    let cases = cases();
    let cases: Vec<_> = cases.iter().filter(|case| case["kind"] == "v1-presign").collect();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let parts = Parts {
            method: text(case, "method"),
            bucket: text(case, "bucket"),
            key: text(case, "key"),
            query: &query(case, &[]),
            headers: &pairs(&case["headers"]),
        };
        let string = v1::string_to_sign(&parts, &case["expires_at"].to_string());
        assert_eq!(string, text(case, "string_to_sign"), "{}", case["id"]);
        let key = v1::Key::new(text(case, "access_key_secret"));
        assert_eq!(v1::signature(&key, &string), text(case, "signature"), "{}", case["id"]);
    }
}

#[test]
fn version_4_headers() {
    let cases = cases();
    let cases: Vec<_> = cases.iter().filter(|case| case["kind"] == "v4-header").collect();
    assert_eq!(cases.len(), 18);
    for case in cases {
        let headers = pairs(&case["headers"]);
        let timestamp = headers.iter().find(|(name, _)| *name == "x-oss-date").unwrap().1;
        check_version_4(case, &headers, &query(case, &[]), timestamp);
    }
}

#[test]
fn version_4_urls() {
    let cases = cases();
    let cases: Vec<_> = cases.iter().filter(|case| case["kind"] == "v4-presign").collect();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let timestamp = text(case, "date");
        let credential = format!(
            "{}/{}/{}/oss/aliyun_v4_request",
            text(case, "access_key_id"),
            &timestamp[..8],
            text(case, "region")
        );
        let expires = case["expires_seconds"].to_string();
        let extra = [
            ("x-oss-signature-version", v4::ALGORITHM),
            ("x-oss-credential", credential.as_str()),
            ("x-oss-date", timestamp),
            ("x-oss-expires", expires.as_str()),
        ];
        check_version_4(case, &pairs(&case["headers"]), &query(case, &extra), timestamp);
    }
}

fn check_version_4(
    case: &Value,
    headers: &[(&str, &str)],
    query: &[(&str, Option<&str>)],
    timestamp: &str,
) {
    let parts = Parts {
        method: text(case, "method"),
        bucket: text(case, "bucket"),
        key: text(case, "key"),
        query,
        headers,
    };
    let additional: Vec<_> =
        case["additional_headers"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let canonical = v4::canonical_request(&parts, &additional, v4::UNSIGNED_PAYLOAD);
    assert_eq!(canonical, text(case, "canonical_request"), "{}", case["id"]);
    let scope = v4::Scope { date: &timestamp[..8], region: text(case, "region"), product: "oss" };
    let string = v4::string_to_sign(timestamp, &scope, &canonical);
    assert_eq!(string, text(case, "string_to_sign"), "{}", case["id"]);
    let key = v4::Key::derive(text(case, "access_key_secret"), &scope);
    assert_eq!(v4::signature(&key, &string), text(case, "signature"), "{}", case["id"]);
}

#[test]
fn publish_urls() {
    let cases = cases();
    let cases: Vec<_> = cases.iter().filter(|case| case["kind"] == "rtmp-url").collect();
    assert_eq!(cases.len(), 7);
    for case in cases {
        let mut params = pairs(&case["params"]);
        if case["id"] == "rtmp/sts-token-signed" {
            params.push(("security-token", text(case, "security_token")));
        }
        let expires = case["expires_at"].as_i64().unwrap();
        let string =
            rtmp::string_to_sign(expires, &params, text(case, "bucket"), text(case, "channel"));
        assert_eq!(string, text(case, "string_to_sign"), "{}", case["id"]);
        let key = v1::Key::new(text(case, "access_key_secret"));
        assert_eq!(rtmp::signature(&key, &string), text(case, "signature"), "{}", case["id"]);
    }
}

#[test]
fn a_signer_creates_the_same_headers_and_urls() {
    use osslive::request::{Method, Request};
    use osslive::sign::{SignatureVersion, Signer};
    use osslive::{Credentials, endpoint::Endpoint};
    use time::PrimitiveDateTime;
    use time::macros::{datetime, format_description};

    let now = datetime!(2026-11-22 08:16:38 UTC);
    let method = |case: &Value| match text(case, "method") {
        "GET" => Method::Get,
        "PUT" => Method::Put,
        "POST" => Method::Post,
        "DELETE" => Method::Delete,
        other => panic!("{other}"),
    };
    let mut compared = 0;
    for case in &cases() {
        let mut credentials =
            Credentials::new(text(case, "access_key_id"), text(case, "access_key_secret"));
        if let Some(token) = case["security_token"].as_str() {
            credentials = credentials.with_security_token(token);
        }
        let region = case["region"].as_str().unwrap_or("cn-hangzhou");
        let version = match text(case, "kind").split_once('-').unwrap().0 {
            "v4" => SignatureVersion::V4,
            _ => SignatureVersion::V1,
        };
        let signer = Signer::new(version, region, credentials);
        if case["kind"] == "rtmp-url" {
            let host = text(case, "host").split_once('.').unwrap().1;
            let endpoint = Endpoint::new(host, text(case, "bucket"), true, None).unwrap();
            let mut url = endpoint.publish_url(text(case, "channel"));
            let mut params = pairs(&case["params"]);
            params.retain(|(name, _)| *name != "security-token");
            signer.push_rtmp_query(
                &mut url,
                text(case, "bucket"),
                text(case, "channel"),
                case["expires_at"].as_i64().unwrap(),
                &params,
                case["id"] != "rtmp/sts-token-unsigned",
            );
            let ours = serde_json::json!({ "url": url });
            assert_eq!(
                url.split_once('?').unwrap().0,
                text(case, "url").split_once('?').unwrap().0
            );
            assert_eq!(url_params(&ours), url_params(case), "{}", case["id"]);
            compared += 1;
            continue;
        }
        let is_plain = |name: &str, value: &str| match name {
            "date" | "x-oss-content-sha256" | "x-oss-security-token" => true,
            "x-oss-date" => value.ends_with('Z'),
            _ => false,
        };
        let at = |text: &str| {
            let format = format_description!("[year][month][day]T[hour][minute][second]Z");
            PrimitiveDateTime::parse(text, format).unwrap().assume_utc()
        };
        let now =
            case["headers"]["x-oss-date"].as_str().filter(|d| d.ends_with('Z')).map_or(now, at);
        let ordinary = pairs(&case["headers"]).iter().all(|(name, value)| is_plain(name, value))
            && case["divergence"].is_null()
            && case["id"] != "v4-header/ali-oss-wire-list-empty-marker";
        if !ordinary {
            continue;
        }
        let mut request = Request::new(method(case), text(case, "key"));
        request.query = query(case, &[])
            .into_iter()
            .map(|(name, value)| (name.to_owned().into(), value.map(str::to_owned)))
            .collect();
        if text(case, "kind").ends_with("presign") {
            let query = signer.presign(&request, text(case, "bucket"), 3600, now);
            let host = "oss-cn-hangzhou.aliyuncs.com";
            let endpoint = Endpoint::new(host, text(case, "bucket"), true, None).unwrap();
            let ours = serde_json::json!({ "url": endpoint.url(text(case, "key"), &query) });
            assert_eq!(url_params(&ours), url_params(case), "{}", case["id"]);
        } else {
            let headers = signer.headers(&request, text(case, "bucket"), now);
            let ours = &headers.iter().find(|(name, _)| *name == "authorization").unwrap().1;
            assert_eq!(ours, text(case, "authorization"), "{}", case["id"]);
        }
        compared += 1;
    }
    assert!(compared >= 35, "only {compared} cases were compared");
}
