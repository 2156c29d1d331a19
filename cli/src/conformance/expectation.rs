//! The expected results of all observations, from a file that is part of the
//! command.

use super::observation::{Observation, Source};
use super::record::{Difference, Record};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Messages that the service's documentation or its SDKs' tests contain. All other
/// messages of the local endpoint are its own wording.
const DOCUMENTED: &[&str] = &[
    "Anonymous user has no right to access this bucket.",
    "ChannelName must not contain a slash.",
    "Invalid signing product in Authorization header.",
    "Invalid signing region in Authorization header.",
    "Live channel couldn't be updated or deleted when channel is live.",
    "Master playlist has ts file.",
    "No ts file found in specified time span.",
    "No ts found in the playlist.",
    "OSS authentication requires a valid Date.",
    "Request has expired.",
    "The Length of channel name must be less than 64.",
    "The OSS Access Key Id you provided does not exist in our records.",
    "The characters encoding must be utf-8.",
    "The difference between the request time and the current time is too large.",
    "The request signature we calculated does not match the signature you provided. Check your \
     key and signing method.",
    "The signing region in credential is invalid.",
    "The specified bucket does not exist.",
    "The specified live channel does not exist.",
    "The specified method is not allowed against this resource.",
];

const FILE: &str = include_str!("expected.json");

/// The expectations, by observation id.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Expectations(BTreeMap<String, Expectation>);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Expectation {
    title: String,
    source: Source,
    /// The allowed results.
    seen: Vec<Record>,
}

impl Expectations {
    /// Returns the expectations that are part of the command.
    pub(super) fn built_in() -> Result<Self, serde_json::Error> {
        serde_json::from_str(FILE)
    }

    /// Returns the differences between a record and the expectation; if several
    /// results are allowed, from the closest one.
    pub(super) fn differences(&self, id: &str, record: &Record) -> Vec<Difference> {
        let expected = self.0.get(id).map(|expectation| &expectation.seen[..]).unwrap_or_default();
        let differences = expected.iter().map(|expected| record.differences(expected));
        let closest = differences.min_by_key(Vec::len);
        closest.unwrap_or_else(|| record.differences(&Record::default()))
    }

    /// Replaces an expectation with the observation, unless it is met.
    pub(super) fn learn(&mut self, observation: &Observation, record: &Record) {
        let Observation { id, title, source } = *observation;
        let is_met = self.differences(id, record).is_empty();
        let known = self.0.remove(id).map(|expectation| expectation.seen).unwrap_or_default();
        let seen = if is_met && !known.is_empty() {
            known
        } else {
            vec![record.clone().keep_message(DOCUMENTED)]
        };
        self.0.insert(id.to_owned(), Expectation { title: title.to_owned(), source, seen });
    }

    /// Drops observations that no longer exist.
    pub(super) fn retain(&mut self, is_observed: impl Fn(&str) -> bool) {
        self.0.retain(|id, _| is_observed(id));
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalog;
    use super::*;

    #[test]
    fn there_is_one_expectation_for_each_observation() {
        let expectations = Expectations::built_in().unwrap();
        let experiments = catalog::all();
        let observations = experiments.iter().flat_map(|experiment| &experiment.observations);
        let mut ids = Vec::new();
        for observation in observations {
            let id = observation.id;
            let Some(expected) = expectations.0.get(id) else { panic!("{id} is not expected") };
            assert_eq!(expected.title, observation.title, "{id}");
            assert_eq!(expected.source, observation.source, "{id}");
            assert!(!expected.seen.is_empty(), "{id}");
            ids.push(id);
        }
        let left: Vec<_> = expectations.0.keys().filter(|id| !ids.contains(&id.as_str())).collect();
        assert_eq!(left, [""; 0], "no such observations");
    }

    #[test]
    fn the_closest_of_several_expectations_counts() {
        let seen = vec![
            Record::of("status", "404").with("code", "A").with("ec", "1"),
            Record::of("status", "403").with("code", "B"),
        ];
        let title = String::new();
        let expectation = Expectation { title, source: Source::Unknown, seen };
        let expectations = Expectations(BTreeMap::from([("id".to_owned(), expectation)]));
        let observed = Record::of("status", "403").with("code", "C");
        let differences = expectations.differences("id", &observed);
        assert_eq!(differences.len(), 1);
        assert_eq!(differences[0].expected.as_deref(), Some("B"));
        assert_eq!(expectations.differences("id", &Record::of("status", "404")).len(), 2);
        assert_eq!(expectations.differences("other", &observed).len(), 2);
    }
}
