//! All observations.

use super::experiment::Experiment;
use super::{
    channels, cors, listing, names, objects, requests, rtmp, signatures, status, streams, tokens,
};

/// All experiments, the longest first.
pub(super) fn all() -> Vec<Experiment> {
    [
        streams::all(),
        rtmp::all(),
        listing::all(),
        channels::all(),
        names::all(),
        status::all(),
        requests::all(),
        signatures::all(),
        tokens::all(),
        objects::all(),
        cors::all(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_observation_has_a_unique_id_that_fits_in_a_channel_name() {
        let all = all();
        let observations: Vec<_> = all.iter().flat_map(|e| &e.observations).collect();
        let ids: HashSet<_> = observations.iter().map(|observation| observation.id).collect();
        assert_eq!(ids.len(), observations.len());
        assert!(ids.len() >= 150, "{}", ids.len());
        for id in ids {
            let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            assert!(id.bytes().all(is_plain) && id.len() <= 32, "{id}");
        }
    }
}
