//! Providers of temporary credentials, from services or from a program.

mod choice;
#[cfg(feature = "credential-sources")]
mod document;
#[cfg(feature = "credential-sources")]
mod ecs;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
#[cfg(feature = "credential-sources")]
mod obtain;
#[cfg(feature = "credential-sources")]
mod process;
#[cfg(feature = "credential-sources")]
mod sts;
#[cfg(feature = "credential-sources")]
mod uri;
#[cfg(feature = "credential-sources")]
mod web;

use crate::credentials::CredentialsProvider;
#[cfg(not(feature = "credential-sources"))]
use crate::discovery::nothing_found;
use crate::error::Result;
use crate::source::CredentialsSource;
use std::sync::Arc;

pub(crate) use choice::{Choice, Network};

/// Creates the provider for a choice of sources. Obtains nothing yet.
///
/// # Errors
///
/// [`ErrorKind::Credentials`](crate::ErrorKind::Credentials) for a source that is
/// incomplete.
pub(crate) fn provider(choice: Choice, network: Network) -> Result<Arc<dyn CredentialsProvider>> {
    choice.sources.iter().try_for_each(CredentialsSource::check)?;
    match &choice.sources[..] {
        [CredentialsSource::Keys(keys)] => Ok(Arc::new(keys.clone())),
        _ => refreshing(choice, network),
    }
}

#[cfg(feature = "credential-sources")]
fn refreshing(choice: Choice, network: Network) -> Result<Arc<dyn CredentialsProvider>> {
    let obtain = obtain::Obtain::new(choice, network);
    Ok(Arc::new(crate::refreshing::Refreshing::new(move || obtain.lease())))
}

#[cfg(not(feature = "credential-sources"))]
fn refreshing(choice: Choice, _: Network) -> Result<Arc<dyn CredentialsProvider>> {
    let source = |source: &CredentialsSource| {
        format!("{source} needs the feature \"credential-sources\" of this library")
    };
    let tried: Vec<_> =
        choice.skipped.into_iter().chain(choice.sources.iter().map(source)).collect();
    Err(nothing_found(&tried))
}
