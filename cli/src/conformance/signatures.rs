//! Observations of valid and invalid signatures in headers and URLs.

use super::experiment::{Experiment, Names, probe};
use super::observation::Need;
use super::observation::Source::{self, Documented, Inferred, Tested, Unknown};
use super::request_spec::{Date, MINIMAL, RequestSpec, Scheme, Signing, put};

/// A header with a valid form.
const AUTHORIZATION: &str =
    "OSS4-HMAC-SHA256 Credential=a/20261122/b/oss/aliyun_v4_request,Signature=c";

/// Creates a listing that is signed in this way. It finds nothing.
fn signed(
    id: &'static str,
    title: &'static str,
    source: Source,
    scheme: Scheme,
    change: fn(&mut Signing),
) -> Experiment {
    let needs = match scheme {
        Scheme::HeaderV1 | Scheme::UrlV1 => Need::Version1,
        _ => Need::Version4,
    };
    probe(id, title, source, move |n| list(n).scheme(scheme).signed(change)).needs(&[needs])
}

fn list(n: &Names<'_>) -> RequestSpec {
    RequestSpec::get("").live().param("prefix", &n.name)
}

/// Changes the last character, so that the signature keeps its form.
fn corrupt(text: String) -> String {
    let mut text = text;
    // The last character of Base64 may carry no bits.
    let at = text.trim_end_matches(['=']).len().saturating_sub(3);
    let other = if text[at..].starts_with('a') { "b" } else { "a" };
    text.replace_range(at..=at, other);
    text
}

/// Corrupts the signature of a URL, wherever it is.
fn corrupt_url(query: String) -> String {
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if name.eq_ignore_ascii_case("x-oss-signature") => {
            format!("{name}={}", "0".repeat(64))
        }
        Some(("Signature", _)) => "Signature=AAAAAAAAAAAAAAAAAAAAAAAAAAA%3D".to_owned(),
        _ => pair.to_owned(),
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// Returns a query without one of its parameters.
fn without(query: &str, name: &str) -> String {
    let is_kept = |pair: &&str| pair.split('=').next() != Some(name);
    query.split('&').filter(is_kept).collect::<Vec<_>>().join("&")
}

/// Returns a query in which a parameter has another value.
fn with(query: &str, name: &str, value: &str) -> String {
    format!("{}&{name}={value}", without(query, name))
}

pub(super) fn all() -> Vec<Experiment> {
    let mut all = vec![
        probe(
            "account-version-1",
            "whether the account may sign with version 1",
            Documented,
            |n| list(n).scheme(Scheme::HeaderV1),
        ),
        probe("anonymous-list", "ListLiveChannel without a signature", Tested, |n| {
            list(n).scheme(Scheme::Anonymous)
        })
        .needs(&[Need::Private]),
        probe("anonymous-put", "PutLiveChannel without a signature", Tested, |n| {
            put(&n.name, MINIMAL).scheme(Scheme::Anonymous)
        })
        .needs(&[Need::Private]),
        probe("anonymous-delete", "DeleteLiveChannel without a signature", Tested, |n| {
            RequestSpec::delete(&n.name).live().scheme(Scheme::Anonymous)
        })
        .needs(&[Need::Private]),
        probe("authorization-other", "an Authorization header of another kind", Inferred, |n| {
            let spec = list(n).scheme(Scheme::Anonymous);
            spec.header("authorization", "Basic eDp5")
        }),
    ];
    all.extend(headers_v4());
    all.extend(urls_v4());
    all.extend(headers_v1());
    all.extend(urls_v1());
    all
}

fn headers_v4() -> Vec<Experiment> {
    let v4 = |id, title, source, change| signed(id, title, source, Scheme::HeaderV4, change);
    vec![
        v4("v4-right", "a valid signature", Documented, |_| {}),
        v4("v4-wrong", "a wrong signature", Documented, |s| s.alter = Some(corrupt)),
        v4("v4-key-unknown", "an access key id that does not exist", Documented, |s| {
            s.key_id = Some("LTAI5tOssliveConformance");
        }),
        v4("v4-date-late", "a date 16 minutes ago", Documented, |s| s.date = Date::Off(-960)),
        v4("v4-date-early", "a date 16 minutes ahead", Documented, |s| s.date = Date::Off(960)),
        v4("v4-date-within", "a date 14 minutes ago", Documented, |s| s.date = Date::Off(-840)),
        v4("v4-date-missing", "no date", Documented, |s| s.date = Date::Missing),
        v4("v4-date-text", "an invalid date", Documented, |s| s.date = Date::Text("today")),
        v4("v4-date-header", "a Date header in place of x-oss-date", Tested, |s| {
            s.date = Date::OtherHeader;
        }),
        v4("v4-region-other", "another region", Tested, |s| s.region = Some("cn-nowhere-1")),
        v4("v4-product-other", "another product", Tested, |s| s.product = Some("ecs")),
        v4("v4-terminator-other", "a credential with another ending", Unknown, |s| {
            s.alter = Some(|text| text.replace("aliyun_v4_request", "aws4_request"));
        }),
        v4("v4-signature-missing", "no Signature", Unknown, |s| {
            s.alter = Some(|text| text.split(",Signature=").next().unwrap_or_default().to_owned());
        }),
        v4("v4-credential-missing", "no Credential", Unknown, |s| {
            s.alter = Some(|text| text.replace("Credential=", "Whatever="));
        }),
        v4("v4-additional-empty", "an empty list of additional headers", Documented, |s| {
            s.alter = Some(|text| text.replace(",Signature=", ",AdditionalHeaders=,Signature="));
        }),
        v4("v4-additional-header", "an additional header is signed", Documented, |s| {
            s.additional_headers = &["x-osslive-conformance"];
        }),
        v4("v4-spaces", "spaces after the header's commas", Tested, |s| {
            s.alter = Some(|text| text.replace(",Signature=", ", Signature="));
        }),
        probe("v4-payload-hash", "x-oss-content-sha256 is a hash", Unknown, |n| {
            let spec = list(n).scheme(Scheme::HeaderV4);
            spec.header("x-oss-content-sha256", "0".repeat(64))
        })
        .needs(&[Need::Version4]),
        probe("v4-parameter-unsigned", "a parameter that is not signed", Inferred, |n| {
            let mut spec = list(n).scheme(Scheme::HeaderV4);
            spec.raw_query = "&max-keys=2";
            spec
        })
        .needs(&[Need::Version4]),
    ]
}

fn urls_v4() -> Vec<Experiment> {
    let v4 = |id, title, source, change| signed(id, title, source, Scheme::UrlV4, change);
    vec![
        v4("v4-url-right", "a valid signature in a URL", Documented, |_| {}),
        v4("v4-url-wrong", "a wrong signature in a URL", Documented, |s| {
            s.alter = Some(corrupt_url)
        }),
        v4("v4-url-expired", "an expired URL", Documented, |s| {
            (s.date, s.expires) = (Date::Off(-120), 60);
        }),
        v4("v4-url-week", "a URL that is valid for a week", Documented, |s| s.expires = 604_800),
        v4("v4-url-over-a-week", "a URL that is valid for a week and a second", Documented, |s| {
            s.expires = 604_801;
        }),
        v4("v4-url-expires-0", "a URL with a lifetime of zero", Inferred, |s| s.expires = 0),
        v4("v4-url-early", "a URL that becomes valid in 16 minutes", Unknown, |s| {
            s.date = Date::Off(960)
        }),
        v4("v4-url-signature-missing", "no x-oss-signature", Documented, |s| {
            s.alter = Some(|query| without(&query, "x-oss-signature"));
        }),
        v4("v4-url-version-missing", "no x-oss-signature-version", Inferred, |s| {
            s.alter = Some(|query| without(&query, "x-oss-signature-version"));
        }),
        v4("v4-url-version-other", "another x-oss-signature-version", Documented, |s| {
            s.alter = Some(|query| with(&query, "x-oss-signature-version", "OSS5"));
        }),
        v4("v4-url-date-missing", "no x-oss-date", Inferred, |s| {
            s.alter = Some(|query| without(&query, "x-oss-date"));
        }),
        v4("v4-url-expires-missing", "no x-oss-expires", Inferred, |s| {
            s.alter = Some(|query| without(&query, "x-oss-expires"));
        }),
        v4("v4-url-region-other", "another region in a URL", Tested, |s| {
            s.region = Some("cn-nowhere-1");
        }),
        probe("signed-twice", "signatures in the header and in the URL", Documented, |n| {
            list(n).scheme(Scheme::UrlV4).header("authorization", AUTHORIZATION)
        })
        .needs(&[Need::Version4]),
    ]
}

fn headers_v1() -> Vec<Experiment> {
    let v1 = |id, title, source, change| signed(id, title, source, Scheme::HeaderV1, change);
    vec![
        v1("v1-right", "a valid signature", Documented, |_| {}),
        v1("v1-wrong", "a wrong signature", Documented, |s| s.alter = Some(corrupt)),
        v1("v1-key-unknown", "an access key id that does not exist", Documented, |s| {
            s.key_id = Some("LTAI5tOssliveConformance");
        }),
        v1("v1-date-late", "a date 16 minutes ago", Documented, |s| s.date = Date::Off(-960)),
        v1("v1-date-missing", "no date", Documented, |s| s.date = Date::Missing),
        v1("v1-date-text", "an invalid date", Documented, |s| s.date = Date::Text("today")),
        v1("v1-date-header", "x-oss-date in place of Date", Tested, |s| {
            s.date = Date::OtherHeader;
        }),
        v1("v1-colon-missing", "an Authorization header without a colon", Inferred, |s| {
            s.alter = Some(|text| text.replace(':', ""));
        }),
    ]
}

fn urls_v1() -> Vec<Experiment> {
    let v1 = |id, title, source, change| signed(id, title, source, Scheme::UrlV1, change);
    vec![
        v1("v1-url-right", "a valid signature in a URL", Documented, |_| {}),
        v1("v1-url-wrong", "a wrong signature in a URL", Documented, |s| {
            s.alter = Some(corrupt_url)
        }),
        v1("v1-url-expired", "an expired URL", Documented, |s| s.expires = -60),
        v1("v1-url-year", "a URL that is valid for a year", Inferred, |s| s.expires = 31_536_000),
        v1("v1-url-expires-text", "Expires is not a number", Documented, |s| {
            s.alter = Some(|query| with(&query, "Expires", "soon"));
        }),
        v1("v1-url-key-missing", "no OSSAccessKeyId", Documented, |s| {
            s.alter = Some(|query| without(&query, "OSSAccessKeyId"));
        }),
        v1("v1-url-expires-missing", "no Expires", Documented, |s| {
            s.alter = Some(|query| without(&query, "Expires"));
        }),
        v1("v1-url-signature-missing", "no Signature", Documented, |s| {
            s.alter = Some(|query| without(&query, "Signature"));
        }),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corrupted_signature_keeps_its_form() {
        assert_eq!(corrupt("OSS id:abcdefgh=".to_owned()), "OSS id:abcdeagh=");
        assert_eq!(corrupt("OSS id:abcdeagh=".to_owned()), "OSS id:abcdebgh=");
        let query = corrupt_url("live&x-oss-signature=12ab".to_owned());
        assert_eq!(query, format!("live&x-oss-signature={}", "0".repeat(64)));
        assert_eq!(with("a&b=1&c=2", "b", "3"), "a&c=2&b=3");
    }
}
