//! Reads objects like a player: by URL, without credentials.

use std::time::Duration;

/// Returns the body of a URL; any status but success is an error.
pub(crate) fn get(url: &str) -> Result<Vec<u8>, ureq::Error> {
    let agent = ureq::Agent::new_with_config(
        ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(10)))
            .proxy(None)
            .build(),
    );
    agent.get(url).call()?.body_mut().with_config().limit(64 << 20).read_to_vec()
}

/// Resolves a playlist entry against the playlist's URL (RFC 3986, section 5.2), as
/// far as the service's playlists need it.
pub(crate) fn join(base: &str, entry: &str) -> String {
    if entry.contains("://") {
        return entry.to_owned();
    }
    let base = base.split('?').next().unwrap_or_default();
    let folder = base.rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("{folder}/{entry}")
}
