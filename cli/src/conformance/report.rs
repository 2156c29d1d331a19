//! The report of a run, for people, issues and programs.

use super::expectation::Expectations;
use super::experiment::Seen;
use super::observation::{Observation, Source};
use super::record::{Difference, Record};
use crate::text::{self, clean};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// A run's result. It contains no names, keys, ids or times.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    version: &'static str,
    published: bool,
    pub(super) differ: usize,
    same: usize,
    not_observed: usize,
    observations: Vec<Line>,
}

/// An observation's result.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    id: &'static str,
    title: &'static str,
    source: Source,
    verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    observed: Option<Record>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    differences: Vec<Difference>,
    /// Why there is no record.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Verdict {
    Same,
    Differs,
    NotObserved,
}

impl Report {
    /// Compares the observations with the expectations.
    pub(super) fn new(
        observations: &[Observation],
        seen: &BTreeMap<&'static str, Seen>,
        expectations: &Expectations,
        published: bool,
    ) -> Self {
        let line = |observation: &Observation| Line::new(observation, seen, expectations);
        let observations: Vec<_> = observations.iter().map(line).collect();
        let count = |verdict| observations.iter().filter(|line| line.verdict == verdict).count();
        Report {
            version: env!("CARGO_PKG_VERSION"),
            published,
            differ: count(Verdict::Differs),
            same: count(Verdict::Same),
            not_observed: count(Verdict::NotObserved),
            observations,
        }
    }

    pub(super) fn summary(&self) -> String {
        let differ = match self.differ {
            0 => "nothing differs".to_owned(),
            1 => "1 observation differs".to_owned(),
            many => format!("{many} observations differ"),
        };
        format!("{differ}, {} as expected, {} not observed", self.same, self.not_observed)
    }

    /// Returns the distinct differences, each with its observations.
    pub(super) fn differences(&self) -> Vec<(&Difference, Vec<&'static str>)> {
        let mut all: Vec<(&Difference, Vec<&'static str>)> = Vec::new();
        for line in &self.observations {
            for difference in &line.differences {
                match all.iter_mut().find(|(known, _)| *known == difference) {
                    Some((_, ids)) => ids.push(line.id),
                    None => all.push((difference, vec![line.id])),
                }
            }
        }
        all
    }

    /// Returns the source of an observation's expectation.
    fn source(&self, id: &str) -> Source {
        let line = self.observations.iter().find(|line| line.id == id);
        line.map_or(Source::Unknown, |line| line.source)
    }

    /// Counts the observations that were not made, by reason.
    fn reasons(&self) -> BTreeMap<&str, usize> {
        let mut reasons = BTreeMap::new();
        for reason in self.observations.iter().filter_map(|line| line.reason.as_deref()) {
            *reasons.entry(reason).or_default() += 1;
        }
        reasons
    }

    /// Returns the report for an issue.
    pub(super) fn markdown(&self) -> String {
        let mut page = String::from("# Conformance report\n\n");
        let published = if self.published { "with" } else { "without" };
        let (version, summary) = (self.version, self.summary());
        // Writing to a String does not fail.
        let _ = writeln!(page, "osslive {version}, {published} a stream: {summary}.\n");
        self.write_differences(&mut page);
        self.write_reasons(&mut page);
        self.write_all(&mut page);
        page
    }

    fn write_differences(&self, page: &mut String) {
        let differences = self.differences();
        if differences.is_empty() {
            return;
        }
        page.push_str("## Differences\n\n");
        page.push_str("| what | expected | observed | observations |\n| --- | --- | --- | --- |\n");
        for (difference, ids) in differences {
            let ids: Vec<_> = ids.iter().map(|id| format!("{id} ({})", self.source(id))).collect();
            let cells = [
                difference.facet.as_str(),
                difference.expected.as_deref().unwrap_or("nothing"),
                difference.observed.as_deref().unwrap_or("nothing"),
                &ids.join(", "),
            ];
            page.push_str(&row(&cells));
        }
        page.push('\n');
    }

    fn write_reasons(&self, page: &mut String) {
        let reasons = self.reasons();
        if reasons.is_empty() {
            return;
        }
        page.push_str("## Not observed\n\n| observations | reason |\n| --- | --- |\n");
        for (reason, count) in reasons {
            page.push_str(&row(&[&count.to_string(), reason]));
        }
        page.push('\n');
    }

    fn write_all(&self, page: &mut String) {
        let count = text::count(self.observations.len(), "observation");
        let _ = writeln!(page, "<details>\n<summary>All {count}</summary>\n");
        page.push_str("| id | title | source | observed |\n| --- | --- | --- | --- |\n");
        for line in &self.observations {
            let seen = line.observed.as_ref().map(Record::line);
            let seen = seen.or(line.reason.clone()).unwrap_or_default();
            let mark = if line.verdict == Verdict::Differs { "**differs** " } else { "" };
            let cells = [line.id, line.title, &line.source.to_string(), &seen];
            page.push_str(&row(&cells).replacen("| ", &format!("| {mark}"), 1));
        }
        page.push_str("\n</details>\n");
    }
}

impl Line {
    fn new(
        observation: &Observation,
        seen: &BTreeMap<&'static str, Seen>,
        expectations: &Expectations,
    ) -> Self {
        let Observation { id, title, source } = *observation;
        let nothing = Seen::NotObserved("not tried".to_owned());
        let line = Line {
            id,
            title,
            source,
            verdict: Verdict::NotObserved,
            observed: None,
            differences: Vec::new(),
            reason: None,
        };
        match seen.get(id).unwrap_or(&nothing) {
            Seen::NotObserved(reason) => Line { reason: Some(reason.clone()), ..line },
            Seen::Observed(record) => {
                let differences = expectations.differences(id, record);
                let same = differences.is_empty();
                let verdict = if same { Verdict::Same } else { Verdict::Differs };
                Line { verdict, observed: Some(record.clone()), differences, ..line }
            }
        }
    }
}

/// Returns a table row. Text from the service cannot end a cell, start markup or
/// control a terminal.
fn row(cells: &[&str]) -> String {
    let escape = |cell: &&str| {
        let mut out = String::new();
        for c in clean(cell).chars() {
            match c {
                '\n' | '\r' => out.push(' '),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '#' => out.extend(['\\', c]),
                // Escapes mentions and references to issues.
                '@' => out.push_str("&#64;"),
                other => out.push(other),
            }
        }
        out
    };
    format!("| {} |\n", cells.iter().map(escape).collect::<Vec<_>>().join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_the_service_cannot_break_the_table() {
        let cells = row(&["a|b\n# c", "<img> @all `x` \u{1b}[0m"]);
        assert_eq!(cells.lines().count(), 1);
        let bare = cells.replace("\\|", "");
        assert_eq!(bare.matches('|').count(), 3, "{cells}");
        assert!(
            !cells.contains('<') && !cells.contains('@') && !cells.contains('\u{1b}'),
            "{cells}"
        );
    }

    fn report(seen: &[(&'static str, Seen)]) -> Report {
        let observations: Vec<_> = seen
            .iter()
            .map(|(id, _)| Observation { id, title: "a title", source: Source::Unknown })
            .collect();
        let seen = seen.iter().cloned().collect();
        Report::new(&observations, &seen, &Expectations::default(), false)
    }

    #[test]
    fn a_difference_shared_by_several_observations_is_reported_once() {
        let observed = || Seen::Observed(Record::of("status", "500"));
        let report = report(&[("a", observed()), ("b", observed())]);
        assert_eq!(report.differences().len(), 1);
        let page = report.markdown();
        assert!(page.contains("2 observations differ, 0 as expected, 0 not observed"), "{page}");
        assert!(page.contains("| status | nothing | 500 | a (unknown), b (unknown) |"), "{page}");
        assert!(page.contains("| **differs** a | a title | unknown | status: 500 |"), "{page}");
    }

    #[test]
    fn missing_observations_are_counted_by_reason() {
        let none = || Seen::NotObserved("needs a stream".to_owned());
        let report = report(&[("a", none()), ("b", none())]);
        assert_eq!((report.differ, report.not_observed), (0, 2));
        assert!(report.markdown().contains("| 2 | needs a stream |"));
    }
}
