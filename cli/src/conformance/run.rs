//! Runs experiments, several at a time, and removes what they created.

use super::bench::Bench;
use super::cleanup::remove_all;
use super::experiment::{Experiment, Seen};
use crate::failure::Outcome;
use indicatif::ProgressBar;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// The number of concurrent experiments.
const WORKERS: usize = 12;

/// The observations of a run, and what it left behind.
#[derive(Default)]
pub(super) struct Run {
    pub(super) seen: BTreeMap<&'static str, Seen>,
    /// What could not be removed, with the reason.
    pub(super) left: Vec<String>,
}

/// Runs all experiments, and always removes what they created.
pub(super) fn run(bench: &Bench, experiments: &[Experiment], bar: &ProgressBar) -> Outcome<Run> {
    let permitted = bench.check_permissions();
    let seen = match permitted {
        Ok(()) => observe(bench, experiments, bar),
        Err(_) => BTreeMap::new(),
    };
    bar.set_message("removing what was created");
    bench.begin_cleanup();
    let left = remove_all(bench, &bench.prefix);
    bar.finish_and_clear();
    permitted.map(|()| Run { seen, left })
}

fn observe(
    bench: &Bench,
    experiments: &[Experiment],
    bar: &ProgressBar,
) -> BTreeMap<&'static str, Seen> {
    let (next, all) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let work = || {
        while let Some(experiment) = experiments.get(next.fetch_add(1, Ordering::Relaxed)) {
            let first = experiment.observations.first().map_or("", |observation| observation.id);
            bar.set_message(first);
            let seen = experiment.run(bench);
            all.lock().unwrap_or_else(PoisonError::into_inner).extend(seen);
            bar.inc(1);
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        // The observations of a worker that panicked count as not tried.
        workers.into_iter().for_each(|worker| drop(worker.join()));
    });
    all.into_inner().unwrap_or_else(PoisonError::into_inner)
}
