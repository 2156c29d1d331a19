//! Observations of channel names and their encoding in URLs.

use super::experiment::{Experiment, Names, probe};
use super::observation::Need;
use super::observation::Source::{self, Documented, Inferred, Tested, Unknown};
use super::request_spec::{MINIMAL, RequestSpec, See, put};

const URLS: &[See] = &[See::Text("PublishUrls/Url"), See::Text("PlayUrls/Url")];

fn named(
    id: &'static str,
    title: &'static str,
    source: Source,
    name: impl Fn(&Names<'_>) -> String + Send + Sync + 'static,
) -> Experiment {
    probe(id, title, source, move |n| put(&name(n), MINIMAL).see(URLS))
}

/// Observes a channel name made of the run's prefix and a suffix.
fn and(id: &'static str, title: &'static str, source: Source, what: &'static str) -> Experiment {
    named(id, title, source, move |n| format!("{}{what}", n.prefix()))
}

pub(super) fn all() -> Vec<Experiment> {
    vec![
        named("name-63", "channel name of 63 bytes", Documented, |n| n.padded(63)),
        named("name-64", "channel name of 64 bytes", Documented, |n| n.padded(64)),
        named("name-65", "channel name of 65 bytes", Tested, |n| n.padded(65)),
        named(
            "name-64-bytes-wide",
            "channel name of 64 bytes in fewer characters",
            Inferred,
            |n| n.padded(62) + "é",
        ),
        and("name-space", "channel name with spaces", Tested, "live channel 2"),
        and("name-cjk", "channel name in Chinese", Tested, "直播频道-1"),
        and("name-plus", "channel name with a plus sign", Inferred, "a+b"),
        and("name-percent", "channel name with a percent sign", Inferred, "a%41b"),
        and("name-dots", "channel name with dots", Inferred, "a.b..c"),
        and("name-question-mark", "channel name with a question mark", Unknown, "a?b"),
        and("name-ampersand", "channel name with an ampersand", Unknown, "a&b"),
        and("name-space-at-end", "channel name that ends in a space", Unknown, "a "),
        and("name-slash", "channel name with a slash", Documented, "a/b"),
        and("name-backslash", "channel name with a backslash", Documented, "a\\b"),
        and("name-tab", "channel name with a tab", Unknown, "a\tb"),
        // Only read: a channel with such a name might not appear in any listing.
        probe("name-control", "channel name with a control character", Unknown, |n| {
            RequestSpec::get(format!("{}\u{1}", n.name)).live()
        }),
        probe("name-not-utf-8", "channel name that is not UTF-8", Documented, |n| {
            let mut spec = RequestSpec::get(&n.name).live();
            spec.raw_key = Some(format!("{}%FF", n.name));
            spec
        })
        .needs(&[Need::Version4]),
    ]
}
