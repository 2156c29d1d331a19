//! The sources of a provider, and its network settings.

use crate::source::CredentialsSource;
use crate::transport::ProxyChoice;

/// Network settings for requests to services that issue credentials.
#[derive(Debug, Clone)]
#[cfg_attr(
    not(feature = "credential-sources"),
    allow(dead_code, reason = "only the sources use it")
)]
pub(crate) struct Network {
    pub(crate) proxy: ProxyChoice,
    /// PEM certificates to trust instead of the default ones.
    pub(crate) roots: Option<Vec<u8>>,
    pub(crate) user_agent: String,
}

/// Sources to try in order. The first one that works is used from then on.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    pub(crate) sources: Vec<CredentialsSource>,
    /// Why other sources do not apply, for the error message.
    pub(crate) skipped: Vec<String>,
}

impl From<CredentialsSource> for Choice {
    fn from(source: CredentialsSource) -> Self {
        Choice { sources: vec![source], skipped: Vec::new() }
    }
}
