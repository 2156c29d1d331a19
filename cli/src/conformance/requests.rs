//! Observations of how requests are parsed, and of the parts common to all
//! responses.

use super::experiment::{Experiment, probe, probe_channel};
use super::observation::Need;
use super::observation::Source::{Documented, Inferred, Tested, Unknown};
use super::request_spec::{MINIMAL, RequestSpec, See, document, put};
use base64::prelude::{BASE64_STANDARD, Engine};
use md5::{Digest, Md5};

/// The headers of every response.
const COMMON: &[See] = &[See::Header("server"), See::Header("x-oss-request-id")];

pub(super) fn all() -> Vec<Experiment> {
    let mut all = spellings();
    all.extend(bodies());
    all.extend(responses());
    all
}

fn spellings() -> Vec<Experiment> {
    let list = || RequestSpec::get("").param("prefix", "osslive-conformance-none");
    vec![
        probe("query-live-equals", "live= is live", Tested, move |_| {
            RequestSpec::get("").param("live", "").param("prefix", "osslive-conformance-none")
        }),
        probe("query-live-value", "live with a value", Unknown, move |_| list().param("live", "1")),
        probe("query-order", "sub-resources in another order", Tested, |n| {
            RequestSpec::get(&n.name).param("comp", "stat").live()
        }),
        probe("query-unknown", "an unknown parameter", Inferred, move |_| {
            list().live().param("color", "red")
        }),
        probe("query-twice", "a repeated parameter of which one is signed", Unknown, move |_| {
            let mut spec = list().live().param("max-keys", "1");
            spec.raw_query = "&max-keys=2";
            spec
        }),
        probe("query-live-and-vod", "two sub-resources", Unknown, |n| {
            RequestSpec::get(&n.name).live().flag("vod")
        }),
        probe("query-live-and-acl", "live with a sub-resource of another kind", Unknown, |_| {
            RequestSpec::get("").live().flag("acl")
        }),
        probe("method-post-live", "POST to a channel", Unknown, |n| {
            RequestSpec::post(&n.name).live()
        }),
        probe_channel("method-head-live", "HEAD of a channel", Unknown, |n| {
            RequestSpec::new("HEAD", &n.name).live()
        }),
        probe("method-head-missing", "HEAD of a nonexistent channel", Unknown, |n| {
            RequestSpec::new("HEAD", &n.name).live().see(&[See::ErrorHeader])
        }),
        probe("method-unknown", "an unknown method", Unknown, |n| {
            RequestSpec::new("FETCH", &n.name).live()
        }),
        probe("no-such-bucket", "a bucket that does not exist", Tested, |n| {
            let mut spec = RequestSpec::get("").live();
            spec.bucket = Some(format!("{}none", n.prefix()));
            spec
        })
        .needs(&[Need::NamedBucket]),
    ]
}

fn bodies() -> Vec<Experiment> {
    let digest = |body: &[u8]| BASE64_STANDARD.encode(Md5::digest(body));
    vec![
        probe("body-md5-right", "the correct Content-MD5", Documented, move |n| {
            put(&n.name, MINIMAL).header("content-md5", digest(document(MINIMAL).as_bytes()))
        }),
        probe("body-md5-wrong", "another body's Content-MD5", Documented, move |n| {
            put(&n.name, MINIMAL).header("content-md5", digest(b"another"))
        }),
        probe("body-md5-malformed", "an invalid Content-MD5", Inferred, |n| {
            put(&n.name, MINIMAL).header("content-md5", "x")
        }),
        probe("body-chunked", "a chunked body, without Content-Length", Unknown, |n| {
            let mut spec = put(&n.name, MINIMAL);
            spec.is_chunked = true;
            spec
        }),
        probe("body-type-other", "an arbitrary Content-Type", Tested, |n| {
            put(&n.name, MINIMAL).header("content-type", "video/mp4")
        }),
        probe("body-large", "a configuration of 70 KB", Unknown, |n| {
            put(&n.name, &format!("{MINIMAL}<!--{}-->", "x".repeat(70_000)))
        }),
    ]
}

fn responses() -> Vec<Experiment> {
    vec![
        probe("response-headers", "headers of a response", Documented, |n| {
            RequestSpec::get("").live().param("prefix", &n.name).see(COMMON)
        }),
        probe("response-headers-of-error", "headers of an error", Tested, |n| {
            let ec = [See::Header("x-oss-ec"), See::Text("RecommendDoc")];
            RequestSpec::get(&n.name).live().see(COMMON).see(&ec)
        }),
        probe("response-error-ids", "ids in an error's body", Documented, |n| {
            let ids = [See::Text("RequestId"), See::Text("HostId")];
            RequestSpec::get(&n.name).live().see(&ids)
        }),
        probe("bucket-stat", "GetBucketStat counts channels", Tested, |_| {
            RequestSpec::get("").flag("stat").see(&[See::Has("LiveChannelCount")])
        }),
        probe("bucket-location", "GetBucketLocation", Documented, |_| {
            RequestSpec::get("").flag("location")
        }),
    ]
}
