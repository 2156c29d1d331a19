//! Observations of ListLiveChannel.

use super::bench::Miss;
use super::experiment::{Experiment, Names, Notes, probe};
use super::observation::Need;
use super::observation::Source::{self, Documented, Inferred, Tested, Unknown};
use super::record::Record;
use super::request_spec::{MINIMAL, RequestSpec, Scheme, See};

const PAGE: &[See] = &[
    See::Text("Prefix"),
    See::Text("Marker"),
    See::Text("MaxKeys"),
    See::Text("IsTruncated"),
    See::Text("NextMarker"),
];

fn list(prefix: &str) -> RequestSpec {
    RequestSpec::get("").live().param("prefix", prefix)
}

/// Lists with a parameter that breaks a rule, or just complies with it.
fn parameter(
    id: &'static str,
    title: &'static str,
    source: Source,
    name: &'static str,
    value: impl Fn(&Names<'_>) -> String + Send + Sync + 'static,
) -> Experiment {
    probe(id, title, source, move |n| {
        // Finds nothing, whatever else the bucket contains.
        let spec = if name == "prefix" { RequestSpec::get("").live() } else { list(&n.name) };
        spec.param(name, value(n))
    })
}

pub(super) fn all() -> Vec<Experiment> {
    let max_keys = |id, title, source, value: &'static str| {
        parameter(id, title, source, "max-keys", move |_| value.to_owned())
    };
    vec![
        probe("list-empty", "ListLiveChannel that finds nothing", Tested, |n| {
            list(&n.name).see(PAGE)
        }),
        pages(),
        max_keys("list-max-keys-0", "max-keys 0", Documented, "0"),
        max_keys("list-max-keys-1000", "max-keys 1000", Documented, "1000"),
        max_keys("list-max-keys-1001", "max-keys 1001", Documented, "1001"),
        max_keys("list-max-keys-negative", "max-keys -1", Tested, "-1"),
        max_keys("list-max-keys-text", "max-keys is not a number", Inferred, "ten"),
        max_keys("list-max-keys-empty", "max-keys is empty", Tested, ""),
        max_keys("list-max-keys-zero-first", "max-keys 010", Unknown, "010"),
        parameter("list-prefix-1024", "prefix of 1024 bytes", Documented, "prefix", |n| {
            n.padded(1024)
        }),
        parameter("list-prefix-1025", "prefix of 1025 bytes", Documented, "prefix", |n| {
            n.padded(1025)
        }),
        parameter("list-marker-1024", "marker of 1024 bytes", Documented, "marker", |n| {
            n.padded(1024)
        }),
        parameter("list-marker-1025", "marker of 1025 bytes", Documented, "marker", |n| {
            n.padded(1025)
        }),
        parameter("list-delimiter", "a delimiter", Unknown, "delimiter", |_| "/".to_owned()),
        parameter("list-encoding-type", "encoding-type url", Unknown, "encoding-type", |_| {
            "url".to_owned()
        }),
        probe("list-prefix-not-utf-8", "a prefix that is not UTF-8", Documented, |_| {
            let mut spec = RequestSpec::get("").live();
            spec.raw_query = "&prefix=%FF";
            spec.scheme(Scheme::HeaderV1)
        })
        .needs(&[Need::Version1]),
    ]
}

/// Three channels, listed in pages.
fn pages() -> Experiment {
    let observations = [
        ("list-outline", "elements of ListLiveChannel, and their order", Tested),
        ("list-channel", "a listed channel", Documented),
        ("list-first-page", "a page of one of three channels", Tested),
        ("list-next-page", "the marker itself is not listed", Tested),
        ("list-marker-between", "a marker that is not a channel", Tested),
        ("list-last-page", "the last page", Tested),
        ("list-order", "the order of a listing", Tested),
        ("list-escapes", "a listed channel with characters that XML escapes", Inferred),
    ];
    Experiment::new(&observations, |notes| {
        let prefix = format!("{}-", notes.name());
        for name in ["b", "a", "é"] {
            notes.put("list-outline", &format!("{prefix}{name}"), MINIMAL)?;
        }
        notes.see("list-outline", &list(&prefix))?;
        let first = list(&prefix).param("max-keys", 1);
        notes.see("list-first-page", &first.clone().see(PAGE))?;
        let after = |name: &str| first.clone().param("marker", format!("{prefix}{name}"));
        notes.see("list-next-page", &after("a").see(PAGE))?;
        notes.see("list-marker-between", &after("aa").see(PAGE))?;
        notes.see("list-last-page", &after("b").see(PAGE))?;
        let order = notes.send("list-order", &list(&prefix))?;
        let names = order.texts("LiveChannel", "Name").join(" ");
        notes.record("list-order", Record::of("names", names.replace(&prefix, "")));
        one(notes)
    })
}

fn one(notes: &Notes<'_>) -> Result<(), Miss> {
    let name = format!("{}-", notes.name_of("list-escapes"));
    let description = "<Description>a &amp; &lt;b&gt;</Description>";
    let configuration = format!("{description}<Status>disabled</Status>{MINIMAL}");
    notes.put("list-escapes", &format!("{name}&lt;"), &configuration)?;
    let listed = [
        See::Text("LiveChannel/Name"),
        See::Text("LiveChannel/Description"),
        See::Text("LiveChannel/Status"),
        See::Text("LiveChannel/LastModified"),
        See::Text("LiveChannel/PublishUrls/Url"),
        See::Text("LiveChannel/PlayUrls/Url"),
    ];
    notes.see("list-escapes", &list(&name).see(&listed))?;
    let plain = format!("{}-a", notes.name());
    notes.see("list-channel", &list(&plain).see(&listed)).map(drop)
}
