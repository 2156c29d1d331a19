//! Finds and removes what a run created, by the prefix of its names.

use super::bench::{Bench, COMMON_PREFIX, Miss};
use super::reply::Reply;
use super::request_spec::RequestSpec;
use std::time::{Duration, Instant};

/// How long a channel may stay live after its publisher has left.
const LIVE_LIMIT: Duration = Duration::from_secs(60);
/// The maximum number of pages read of a listing.
const MAX_PAGES: usize = 100;
const ID: &str = "cleanup";

/// The bucket's contents with a prefix.
#[derive(Debug, Default)]
pub(super) struct Leftovers {
    channels: Vec<String>,
    objects: Vec<String>,
}

impl Leftovers {
    /// Lists channels and objects with a prefix.
    pub(super) fn find(bench: &Bench, prefix: &str) -> Result<Self, Miss> {
        // Only our prefix is ever listed, so that nothing else is removed.
        if !prefix.starts_with(COMMON_PREFIX) {
            return Ok(Leftovers::default());
        }
        let channels = pages(bench, prefix, RequestSpec::get("").live(), |page| {
            page.texts("LiveChannel", "Name")
        })?;
        let objects =
            pages(bench, prefix, RequestSpec::get(""), |page| page.texts("Contents", "Key"))?;
        Ok(Leftovers { channels, objects })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.channels.is_empty() && self.objects.is_empty()
    }

    /// Returns the numbers of channels and objects.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.channels.len(), self.objects.len())
    }

    /// Removes everything, and returns what could not be removed, with the reason.
    pub(super) fn remove(&self, bench: &Bench) -> Vec<String> {
        // Channels first, because a live one keeps creating objects.
        let channels = self.channels.iter().map(|name| (name, remove_channel(bench, name)));
        let mut failures: Vec<_> = channels.filter_map(failure).collect();
        let objects = self.objects.iter().map(|key| (key, remove_object(bench, key)));
        failures.extend(objects.filter_map(failure));
        failures
    }
}

/// Removes what a run created, including what appears meanwhile, and returns what
/// could not be removed.
pub(super) fn remove_all(bench: &Bench, prefix: &str) -> Vec<String> {
    let mut failures = Vec::new();
    for _ in 0..3 {
        match Leftovers::find(bench, prefix) {
            Ok(found) if found.is_empty() => return Vec::new(),
            Ok(found) => failures = found.remove(bench),
            Err(miss) => failures = vec![format!("could not list the bucket: {miss}")],
        }
    }
    failures
}

fn failure((name, outcome): (&String, Result<(), String>)) -> Option<String> {
    outcome.err().map(|why| format!("{name}: {why}"))
}

/// Returns the names on all pages of a listing that have the prefix.
fn pages(
    bench: &Bench,
    prefix: &str,
    spec: RequestSpec,
    names: impl Fn(&Reply) -> Vec<String>,
) -> Result<Vec<String>, Miss> {
    let spec = spec.param("prefix", prefix).param("max-keys", 1000);
    let (mut all, mut marker) = (Vec::new(), String::new());
    for _ in 0..MAX_PAGES {
        let page = bench.send(ID, &spec.clone().param("marker", &marker))?;
        if !page.is_success() {
            return Err(Miss::Setup(page.failure()));
        }
        all.extend(names(&page).into_iter().filter(|name| name.starts_with(prefix)));
        match page.text("NextMarker").filter(|next| !next.is_empty() && *next != marker) {
            Some(next) => marker = next,
            None => break,
        }
    }
    Ok(all)
}

fn remove_channel(bench: &Bench, name: &str) -> Result<(), String> {
    let until = Instant::now() + LIVE_LIMIT;
    loop {
        let reply =
            bench.send(ID, &RequestSpec::delete(name).live()).map_err(|miss| miss.to_string())?;
        match reply.failure() {
            _ if reply.is_success() => return Ok(()),
            code if code == "ChannelStillLive" && Instant::now() < until => {
                // Disables the channel, which disconnects its publisher.
                let disable = RequestSpec::put(name).live().param("status", "disabled");
                bench.send(ID, &disable).map_err(|miss| miss.to_string())?;
                bench.pause(Duration::from_secs(1)).map_err(|miss| miss.to_string())?;
            }
            code => return Err(code),
        }
    }
}

fn remove_object(bench: &Bench, key: &str) -> Result<(), String> {
    let reply = bench.send(ID, &RequestSpec::delete(key)).map_err(|miss| miss.to_string())?;
    if reply.is_success() { Ok(()) } else { Err(reply.failure()) }
}
