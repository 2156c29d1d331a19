//! Records of observations as facets, which are names with values. They contain
//! nothing that differs between runs.

use super::mask::Mask;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An observation's facets, such as `status` and `code`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Record(BTreeMap<String, String>);

/// The message of an error. Compared only with certain expectations.
pub(super) const MESSAGE: &str = "message";
/// The facets that are shown first.
const FIRST: [&str; 4] = ["outcome", "status", "code", "ec"];

/// Facets that consist of protocol words.
const WORDS: [&str; 8] =
    ["outcome", "status", "code", "ec", "content-type", "elements", "tags", "rtmp-code"];

/// A facet that differs between two records; `None` where it is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Difference {
    pub(super) facet: String,
    pub(super) expected: Option<String>,
    pub(super) observed: Option<String>,
}

impl Record {
    /// Creates a record with one facet.
    pub(super) fn of(facet: &str, value: impl Into<String>) -> Self {
        Record::default().with(facet, value)
    }

    pub(super) fn with(mut self, facet: &str, value: impl Into<String>) -> Self {
        self.0.insert(facet.to_owned(), value.into());
        self
    }

    /// Drops the message unless it is one of these.
    pub(super) fn keep_message(mut self, known: &[&str]) -> Self {
        self.0.retain(|facet, value| facet != MESSAGE || known.contains(&value.as_str()));
        self
    }

    /// Makes it safe to publish and identical between runs.
    pub(super) fn masked(self, mask: &Mask) -> Self {
        let apply = |(facet, value): (String, String)| {
            let is_word = WORDS.contains(&facet.as_str());
            let value = if is_word { mask.word(&value) } else { mask.apply(&value) };
            (facet, value)
        };
        Record(self.0.into_iter().map(apply).collect())
    }

    /// Returns the differences from the expectation.
    pub(super) fn differences(&self, expected: &Record) -> Vec<Difference> {
        let mut facets: Vec<&String> = self.0.keys().chain(expected.0.keys()).collect();
        facets.sort_unstable_by_key(|facet| rank(facet));
        facets.dedup();
        facets.retain(|facet| *facet != MESSAGE || expected.0.contains_key(MESSAGE));
        let differs = |facet: &&String| self.0.get(*facet) != expected.0.get(*facet);
        let difference = |facet: &String| Difference {
            facet: facet.clone(),
            expected: expected.0.get(facet).cloned(),
            observed: self.0.get(facet).cloned(),
        };
        facets.into_iter().filter(differs).map(difference).collect()
    }

    /// Returns the facets in one line.
    pub(super) fn line(&self) -> String {
        let mut facets: Vec<_> = self.0.iter().collect();
        facets.sort_by_key(|(facet, _)| rank(facet));
        let facets = facets.iter().map(|(facet, value)| format!("{facet}: {value}"));
        facets.collect::<Vec<_>>().join("; ")
    }
}

fn rank(facet: &str) -> (usize, &str) {
    (FIRST.iter().position(|first| *first == facet).unwrap_or(FIRST.len()), facet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_added_and_missing_facets_are_differences() {
        let expected = Record::of("status", "404").with("code", "NoSuchKey").with("ec", "1");
        let observed = Record::of("status", "403").with("code", "NoSuchKey").with("type", "xml");
        let facets = observed.differences(&expected);
        let facets: Vec<_> = facets.iter().map(|difference| difference.facet.as_str()).collect();
        assert_eq!(facets, ["status", "ec", "type"]);
        assert_eq!(expected.differences(&expected), []);
    }

    #[test]
    fn a_message_is_compared_where_one_is_expected() {
        let with_message = |text| Record::of("status", "404").with(MESSAGE, text);
        assert_eq!(with_message("a").differences(&Record::of("status", "404")), []);
        assert_eq!(with_message("a").differences(&with_message("b")).len(), 1);
        assert_eq!(Record::of("status", "404").differences(&with_message("b")).len(), 1);
        assert_eq!(with_message("a").keep_message(&["b"]), Record::of("status", "404"));
    }

    #[test]
    fn a_bucket_named_xml_does_not_change_content_types() {
        let mut mask = Mask::default();
        mask.hide("xml", "<bucket>");
        let record = Record::of("content-type", "application/xml").with("Name", "xml");
        let masked = Record::of("content-type", "application/xml").with("Name", "<bucket>");
        assert_eq!(record.masked(&mask), masked);
    }

    #[test]
    fn the_line_of_a_record_begins_with_the_main_facets() {
        let record = Record::of("content-type", "xml").with("ec", "1").with("status", "400");
        assert_eq!(record.line(), "status: 400; ec: 1; content-type: xml");
    }
}
