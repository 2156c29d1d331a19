//! What a provider is made of.

use crate::source::CredentialsSource;
use crate::transport::ProxyChoice;

/// How to reach the services that issue credentials.
#[derive(Debug, Clone)]
#[cfg_attr(not(feature = "credential-sources"), allow(dead_code, reason = "nobody is asked"))]
pub(crate) struct Network {
    pub(crate) proxy: ProxyChoice,
    /// Certificates in PEM to trust in place of the default ones.
    pub(crate) roots: Option<Vec<u8>>,
    pub(crate) user_agent: String,
}

/// Sources, of which the first one that works is used from then on.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    pub(crate) sources: Vec<CredentialsSource>,
    /// Why others were not considered.
    pub(crate) skipped: Vec<String>,
}

impl From<CredentialsSource> for Choice {
    fn from(source: CredentialsSource) -> Self {
        Choice { sources: vec![source], skipped: Vec::new() }
    }
}
