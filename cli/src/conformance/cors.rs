//! Observations of what other sites' pages can do in a bucket without CORS rules.

use super::experiment::{Experiment, probe};
use super::observation::Need;
use super::observation::Source::{Documented, Inferred, Tested};
use super::request_spec::{RequestSpec, Scheme, See};

const ORIGIN: &str = "https://osslive-conformance.example";
const ALLOWED: See = See::Header("access-control-allow-origin");

pub(super) fn all() -> Vec<Experiment> {
    let preflight =
        |key: &str| RequestSpec::new("OPTIONS", key).scheme(Scheme::Anonymous).see(&[ALLOWED]);
    let all = vec![
        probe("cors-none", "GetBucketCors of a bucket without rules", Documented, |_| {
            RequestSpec::get("").flag("cors")
        }),
        probe("cors-preflight", "a preflight without rules", Documented, move |n| {
            let spec = preflight(&format!("{}/playlist.m3u8", n.name)).header("origin", ORIGIN);
            spec.header("access-control-request-method", "GET")
        }),
        probe("cors-preflight-no-origin", "a preflight without Origin", Tested, move |n| {
            let spec = preflight(&format!("{}/playlist.m3u8", n.name));
            spec.header("access-control-request-method", "GET")
        }),
        probe("cors-preflight-no-method", "a preflight without a method", Tested, move |n| {
            preflight(&format!("{}/playlist.m3u8", n.name)).header("origin", ORIGIN)
        }),
        // For a browser, it does not matter whether the request itself succeeds:
        // without the header, the page cannot read the response.
        probe("cors-simple", "a request with Origin and without rules", Inferred, |n| {
            let spec =
                RequestSpec::get("").live().param("prefix", &n.name).header("origin", ORIGIN);
            spec.see(&[See::HeadersOnly, ALLOWED, See::Header("access-control-allow-methods")])
        }),
    ];
    all.into_iter().map(|experiment| experiment.needs(&[Need::NoCors])).collect()
}
