//! Obtains credentials from the first source that returns any.

use super::choice::{Choice, Network};
use super::web::Web;
use super::{ecs, process, sts, uri};
use crate::discovery::nothing_found;
use crate::error::{Error, Result};
use crate::refreshing::Lease;
use crate::source::CredentialsSource;
use std::sync::OnceLock;

pub(super) struct Obtain {
    choice: Choice,
    web: Web,
    /// The index of the source that returned credentials. If it fails later,
    /// osslive does not switch to another identity.
    chosen: OnceLock<usize>,
}

impl Obtain {
    pub(super) fn new(choice: Choice, network: Network) -> Self {
        Obtain { choice, web: Web::new(network), chosen: OnceLock::new() }
    }

    pub(super) fn lease(&self) -> Result<Lease> {
        let sources = &self.choice.sources;
        if let Some(chosen) = self.chosen.get() {
            return from(&sources[*chosen], &self.web);
        }
        let mut tried = self.choice.skipped.clone();
        for (at, source) in sources.iter().enumerate() {
            match from(source, &self.web) {
                Ok(lease) => {
                    // Set once: only one thread refreshes at a time.
                    let _ = self.chosen.set(at);
                    return Ok(lease);
                }
                Err(error) if sources.len() == 1 && tried.is_empty() => return Err(error),
                Err(error) => tried.push(error.to_string()),
            }
        }
        Err(nothing_found(&tried))
    }
}

fn from(source: &CredentialsSource, web: &Web) -> Result<Lease> {
    let lease = match source {
        CredentialsSource::Keys(keys) => Ok(Lease::new(keys.clone())),
        CredentialsSource::EcsRole(role) => ecs::lease(role, web),
        CredentialsSource::OidcRole(role) => sts::lease_by_oidc(role, web),
        CredentialsSource::AssumedRole(role) => {
            from(&role.base, web).and_then(|base| sts::lease_by_keys(role, &base, web))
        }
        CredentialsSource::Process(process) => process::lease(process),
        CredentialsSource::Uri(uri) => uri::lease(uri, web),
    };
    lease.map_err(|error| named(source, error))
}

/// Adds the source to an error.
fn named(source: &CredentialsSource, error: Error) -> Error {
    // The innermost source has already been added.
    match source {
        CredentialsSource::AssumedRole(_) if error.message().starts_with("no credentials from") => {
            error
        }
        _ => error.named(&format!("no credentials from {source}")),
    }
}
