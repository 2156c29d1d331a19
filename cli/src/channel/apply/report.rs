//! Plans and results, for people and for programs.

use super::execute::Outcome as Applied;
use super::plan::{Action, Difference, Step};
use crate::channel::configuration::{Configuration, Field};
use crate::failure::{Exit, Failure, Outcome};
use crate::output::Page;
use crate::table::{Cell, Style, Table};
use crate::text;
use serde::Serialize;

/// A plan and its outcome.
#[derive(Serialize)]
pub(super) struct Report {
    channels: Vec<Row>,
    /// The number of channels that differ from the file.
    pub(super) changes: usize,
    /// How many of them were changed successfully; absent in a dry run.
    #[serde(flatten)]
    result: Option<Result>,
    total: usize,
}

#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    step: Step,
    #[serde(flatten)]
    applied: Option<Applied>,
}

#[derive(Serialize)]
struct Result {
    done: usize,
    failed: usize,
    skipped: usize,
}

impl Report {
    pub(super) fn planned(steps: Vec<Step>) -> Self {
        Self::new(steps, Vec::new(), None)
    }

    /// The outcomes are those of the steps that change something.
    pub(super) fn applied(steps: Vec<Step>, outcomes: Vec<Applied>) -> Self {
        let count = |is: fn(&Applied) -> bool| outcomes.iter().filter(|one| is(one)).count();
        let result = Result {
            done: count(|outcome| matches!(outcome, Applied::Done { .. })),
            failed: count(|outcome| matches!(outcome, Applied::Failed { .. })),
            skipped: count(|outcome| matches!(outcome, Applied::Skipped)),
        };
        Self::new(steps, outcomes, Some(result))
    }

    fn new(steps: Vec<Step>, outcomes: Vec<Applied>, result: Option<Result>) -> Self {
        let mut outcomes = outcomes.into_iter();
        let channels: Vec<_> = steps
            .into_iter()
            .map(|step| {
                let changes = step.action != Action::Unchanged;
                Row { applied: if changes { outcomes.next() } else { None }, step }
            })
            .collect();
        let changes = channels.iter().filter(|row| row.step.action != Action::Unchanged).count();
        Report { changes, result, total: channels.len(), channels }
    }

    /// Counts the channels by action.
    pub(super) fn summary(&self) -> String {
        let count = |action| self.channels.iter().filter(|row| row.step.action == action).count();
        let mut parts: Vec<String> = Action::CHANGES
            .into_iter()
            .map(|action| (count(action), action))
            .filter(|(number, _)| *number > 0)
            .map(|(number, action)| format!("{number} to {}", action.as_str()))
            .collect();
        let unchanged = count(Action::Unchanged);
        if unchanged > 0 || parts.is_empty() {
            parts.push(format!("{unchanged} unchanged"));
        }
        parts.join(", ")
    }

    /// Writes the remaining differences and their number.
    pub(super) fn write(&self, page: &mut Page) {
        let mut table = Table::new(&["CHANNEL", "ACTION", "RESULT"]);
        let mut is_done = true;
        for Row { step, applied } in &self.channels {
            let result = match applied {
                Some(Applied::Failed { error }) => Cell::new(error.to_string()).style(Style::Bad),
                Some(Applied::Skipped) => Cell::new("skipped").style(Style::Warning),
                _ => continue,
            };
            is_done = false;
            table.row([Cell::new(&step.id), action(step.action), result]);
        }
        if !is_done {
            table.write(page);
        }
        let done = self.result.as_ref().map_or(0, |result| result.done);
        let unchanged = self.total - self.changes;
        writeln!(page, "{}, {unchanged} unchanged", text::count(done, "change") + " made");
    }

    /// Returns the overall failure if any change failed.
    pub(super) fn failure(&self) -> Outcome {
        let Some(Result { failed, skipped, .. }) = self.result else { return Ok(()) };
        let all = text::count(self.changes, "change");
        let message = match (failed, skipped) {
            (0, 0) => return Ok(()),
            (0, _) => format!("stopped: {skipped} of {all} not made"),
            (_, 0) => format!("{failed} of {all} failed"),
            _ => format!("{failed} of {all} failed, {skipped} not made"),
        };
        let exits = self.channels.iter().filter_map(|row| match &row.applied {
            Some(Applied::Failed { error }) => Some(Exit::of(error)),
            _ => None,
        });
        Err(Failure::Message(Exit::of_all(exits), message))
    }
}

/// Writes a plan as a table with a row for each changed field.
pub(super) fn write_plan(steps: &[Step], page: &mut Page) {
    let mut table = Table::new(&["CHANNEL", "ACTION", "DETAILS"]);
    let changes: Vec<_> = steps.iter().filter(|step| step.action != Action::Unchanged).collect();
    if changes.is_empty() {
        return;
    }
    for step in changes {
        let mut details = details(step).into_iter();
        let first = [Cell::new(&step.id), action(step.action)];
        table.row(first.into_iter().chain(details.next()));
        details.for_each(|detail| table.row([Cell::new(""), Cell::new(""), detail]));
    }
    table.write(page);
}

fn action(action: Action) -> Cell {
    Cell::new(action.as_str()).style(match action {
        Action::Create => Style::Good,
        Action::Delete => Style::Bad,
        Action::Unchanged => Style::Plain,
        Action::Change | Action::Enable | Action::Disable => Style::Warning,
    })
}

fn details(step: &Step) -> Vec<Cell> {
    let mut details: Vec<Cell> = match step.action {
        Action::Create => created(&step.configuration).into_iter().collect(),
        // The action is enough.
        Action::Enable | Action::Disable => Vec::new(),
        _ => step.differences.iter().map(|one| Cell::new(changed(one))).collect(),
    };
    if step.is_live {
        let what = match step.action.needs_idle() {
            true => "live: will fail while it has a publisher",
            false => "live: its publisher will be disconnected",
        };
        details.push(Cell::new(what).style(Style::Warning));
    }
    details
}

/// Returns the settings of a new channel that are not defaults, in one line.
fn created(configuration: &Configuration) -> Option<Cell> {
    let usual = Configuration::default();
    let is_special = |field: &Field| field.wanted(configuration) != field.wanted(&usual);
    let fields = Field::ALL.into_iter().filter(is_special);
    let fields = fields.map(|field| format!("{} {}", field.name(), field.wanted(configuration)));
    let snapshot = configuration.snapshot.is_some().then(|| "snapshot".to_owned());
    let parts: Vec<_> = fields.chain(snapshot).collect();
    (!parts.is_empty()).then(|| Cell::new(parts.join(", ")))
}

fn changed(difference: &Difference) -> String {
    let Difference { field, from, to } = difference;
    match from {
        Some(from) => format!("{field}: {from} -> {to}"),
        None => format!("{field}: {to}"),
    }
}
