//! Selects the observations to make.

use super::catalog;
use super::experiment::Experiment;
use super::observation::{Need, Observation};
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::table::{Cell, Table};

/// Returns the experiments with the requested observations.
pub(super) fn select(only: &[String]) -> Outcome<Vec<Experiment>> {
    let mut all = catalog::all();
    if let Some(unknown) = only.iter().find(|id| !all.iter().any(|e| has(e, id))) {
        let message = format!("--only: no observation {unknown:?}; list them with --list");
        return Err(Failure::usage(message));
    }
    all.retain(|experiment| only.is_empty() || only.iter().any(|id| has(experiment, id)));
    Ok(all)
}

/// Returns whether an experiment makes an observation.
pub(super) fn has(experiment: &Experiment, id: &str) -> bool {
    experiment.observations.iter().any(|observation| observation.id == id)
}

/// Returns the requested observations.
pub(super) fn observations(experiments: &[Experiment], only: &[String]) -> Vec<Observation> {
    let all = experiments.iter().flat_map(|experiment| &experiment.observations);
    let is_wanted = |o: &&Observation| only.is_empty() || only.iter().any(|id| id == o.id);
    all.filter(is_wanted).copied().collect()
}

/// Prints the observations.
pub(super) fn list(experiments: &[Experiment], observations: &[Observation], output: &Output) {
    let mut table = Table::new(&["ID", "SOURCE", "TITLE"]);
    for observation in observations {
        let needs = experiments.iter().find(|experiment| has(experiment, observation.id));
        let is_stream = needs.is_some_and(|experiment| experiment.needs.contains(&Need::Stream));
        let title = match is_stream {
            true => format!("{} (--publish)", observation.title),
            false => observation.title.to_owned(),
        };
        let source = observation.source.to_string();
        table.row([Cell::new(observation.id), Cell::new(source), Cell::new(title)]);
    }
    let ids: Vec<_> = observations.iter().map(|observation| observation.id).collect();
    output.show(&ids, |page| table.write(page));
}
