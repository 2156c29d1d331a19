//! Reads the state of a bucket that a plan needs.

use super::plan::Step;
use crate::channel::manifest::Manifest;
use crate::failure::{Exit, Failure, Outcome};
use crate::rate_options::RateOptions;
use crate::session::Session;
use crate::text;
use osslive::{Channel, Error, code, operation};
use std::collections::HashSet;

/// Returns the channels of the manifest that exist, in its order.
///
/// # Errors
///
/// Fails if any of them cannot be read: a partial plan would be misleading.
pub(super) fn existing(
    manifest: &Manifest,
    rates: &RateOptions,
    session: &Session,
) -> Outcome<Vec<Option<Channel>>> {
    let ids: Vec<&str> = manifest.channels.iter().map(|(id, _)| id.as_str()).collect();
    let bar = session.progress.items(ids.len()).with_message("channels read");
    let read = |ids: &[&str], before: u64| {
        let options = rates.options();
        let options = options.progress(|progress| bar.set_position(before + progress.done as u64));
        session.client.send_calls(ids, &options, |id| operation::get_channel(id))
    };
    // The first one alone, because most errors affect all channels.
    let (first, rest) = ids.split_at(ids.len().min(1));
    let mut results = read(first, 0);
    if results.iter().all(is_known) {
        results.extend(read(rest, 1));
    }
    bar.finish_and_clear();
    let mut found = Vec::with_capacity(results.len());
    let mut failures = Vec::new();
    for (id, result) in ids.iter().zip(results) {
        match result {
            Ok(channel) => found.push(Some(channel)),
            Err(error) if error.code() == Some(code::NO_SUCH_LIVE_CHANNEL) => found.push(None),
            Err(error) => failures.push((*id, error)),
        }
    }
    unless_failed(failures, ids.len()).map(|()| found)
}

/// Returns whether the result describes a channel or reports that it does not
/// exist.
fn is_known(result: &osslive::Result<Channel>) -> bool {
    match result {
        Ok(_) => true,
        Err(error) => error.code() == Some(code::NO_SUCH_LIVE_CHANNEL),
    }
}

fn unless_failed(mut failures: Vec<(&str, Error)>, total: usize) -> Outcome {
    match failures.len() {
        0 => Ok(()),
        // A single error is reported as it is.
        1 => Err(failures.remove(0).1.into()),
        failed => {
            let exit = Exit::of_all(failures.iter().map(|(_, error)| Exit::of(error)));
            let (id, error) = &failures[0];
            let all = text::count(total, "channel");
            let message = format!(
                "{failed} of {all} could not be read, nothing was changed; {id:?}: {error}"
            );
            Err(Failure::Message(exit, message))
        }
    }
}

/// Returns the channels with a prefix that the manifest does not list.
pub(super) fn surplus(
    manifest: &Manifest,
    prefix: &str,
    session: &Session,
) -> Outcome<Vec<String>> {
    let listed: HashSet<&str> = manifest.channels.iter().map(|(id, _)| id.as_str()).collect();
    let mut surplus = Vec::new();
    for channel in session.client.channels(prefix) {
        let id = channel?.name;
        // If a service ignored the prefix, all channels would be deleted.
        if id.starts_with(prefix) && !listed.contains(id.as_str()) {
            surplus.push(id);
        }
    }
    Ok(surplus)
}

/// Determines which channels are live, where that matters. This is only shown with
/// the plan: a status that cannot be read is left out, and the error appears when
/// the plan is applied.
pub(super) fn note_live(steps: &mut [Step], rates: &RateOptions, session: &Session) {
    let concerned = steps.iter().filter(|step| step.action.concerns_publishers());
    let ids: Vec<_> = concerned.map(|step| step.id.clone()).collect();
    let bar = session.progress.items(ids.len()).with_message("states read");
    let options = rates.options().progress(|progress| bar.set_position(progress.done as u64));
    let sweep = session.client.monitor_channels(ids, &options);
    bar.finish_and_clear();
    let live: HashSet<_> = sweep.live.into_iter().map(|channel| channel.id).collect();
    steps.iter_mut().for_each(|step| step.is_live = live.contains(&step.id));
}
