//! Executes a plan.

use super::plan::{Action, Step};
use crate::rate_options::RateOptions;
use crate::session::Session;
use osslive::{ChannelUrls, Error, ErrorKind, StopHandle, SweepOptions, operation};
use serde::Serialize;

/// The outcome of a step.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub(super) enum Outcome {
    /// The URLs of a channel that was created or changed.
    Done {
        #[serde(flatten, skip_serializing_if = "Option::is_none")]
        urls: Option<Urls>,
    },
    Failed {
        error: Error,
    },
    /// Nothing was sent: the operation was stopped, or it was a deletion after a
    /// failure.
    Skipped,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Urls {
    publish_urls: Vec<String>,
    play_urls: Vec<String>,
}

impl Urls {
    fn of(urls: ChannelUrls) -> Option<Self> {
        Some(Urls { publish_urls: urls.publish_urls, play_urls: urls.play_urls })
    }
}

impl Outcome {
    fn of<T>(result: osslive::Result<T>, urls: impl FnOnce(T) -> Option<Urls>) -> Self {
        match result {
            Ok(done) => Outcome::Done { urls: urls(done) },
            Err(error) if error.kind() == ErrorKind::Stopped => Outcome::Skipped,
            Err(error) => Outcome::Failed { error },
        }
    }
}

/// Executes the steps that change something, grouped by kind, and returns their
/// outcomes in the order of the plan. Channels are deleted last, and only if
/// everything else succeeded: otherwise, their replacements may be missing.
pub(super) fn execute(
    steps: &[&Step],
    rates: &RateOptions,
    session: &Session,
    stop: &StopHandle,
) -> Vec<Outcome> {
    let bar = session.progress.items(steps.len()).with_message("changes");
    let mut outcomes = vec![Outcome::Skipped; steps.len()];
    let mut before = 0;
    for actions in TURNS {
        let turn: Vec<usize> =
            (0..steps.len()).filter(|&at| actions.contains(&steps[at].action)).collect();
        let has_failed =
            || outcomes.iter().any(|outcome| matches!(outcome, Outcome::Failed { .. }));
        if turn.is_empty() || actions == [Action::Delete] && has_failed() {
            continue;
        }
        let options = rates.options().stop(stop);
        let options = options.progress(|progress| bar.set_position(before + progress.done as u64));
        let chosen: Vec<&Step> = turn.iter().map(|&at| steps[at]).collect();
        let results = send(&chosen, session, &options);
        drop(options);
        before += turn.len() as u64;
        for (at, outcome) in turn.into_iter().zip(results) {
            outcomes[at] = outcome;
        }
    }
    bar.finish_and_clear();
    outcomes
}

/// Steps whose requests are sent together, in the order of the groups.
const TURNS: [&[Action]; 3] =
    [&[Action::Create, Action::Change], &[Action::Enable, Action::Disable], &[Action::Delete]];

fn send(steps: &[&Step], session: &Session, options: &SweepOptions<'_>) -> Vec<Outcome> {
    let client = &session.client;
    let is_put = |step: &&Step| matches!(step.action, Action::Create | Action::Change);
    if steps.iter().all(is_put) {
        let put = |step: &&Step| operation::put_channel(&step.id, &step.configuration.to_config());
        let results = client.send_calls(steps, options, put);
        return results.into_iter().map(|result| Outcome::of(result, Urls::of)).collect();
    }
    let call = |step: &&Step| match step.action {
        Action::Delete => operation::delete_channel(&step.id),
        _ => operation::put_channel_status(&step.id, step.configuration.status),
    };
    let results = client.send_calls(steps, options, call);
    results.into_iter().map(|result| Outcome::of(result, |_| None)).collect()
}
