//! The service behind the API.

use super::account::Account;
use super::request_id::RequestIds;
use super::throttle::Throttle;
use crate::cors::Rule;
use crate::site::Site;
use std::sync::Arc;

/// How the service treats its callers.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The origins whose pages may play from any bucket, as browsers send them.
    pub cors: Vec<String>,
    /// What the service refuses to the keys' account.
    pub account: Account,
    /// How many operations on live channels are answered in a second; `None`
    /// is without limit.
    pub qps_limit: Option<u32>,
}

/// The service: every operation, on one site.
#[derive(Debug)]
pub struct Service {
    pub(super) site: Arc<Site>,
    pub(super) account: Account,
    pub(super) throttle: Option<Throttle>,
    pub(super) request_ids: RequestIds,
    /// The CORS rules for playback from any bucket.
    pub(super) playback: Vec<Rule>,
}

impl Service {
    /// The service of a site.
    pub fn new(site: Arc<Site>, options: Options) -> Self {
        Service {
            site,
            account: options.account,
            throttle: options.qps_limit.map(Throttle::new),
            request_ids: RequestIds::new(),
            playback: options.cors.iter().map(|origin| Rule::playback(origin)).collect(),
        }
    }
}
