//! The service behind the API.

use super::account::Account;
use super::request_id::RequestIds;
use super::throttle::Throttle;
use crate::cors::Rule;
use crate::site::Site;
use std::sync::Arc;

/// The options of the service.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The origins whose pages may play from any bucket, as browsers send them.
    pub cors: Vec<String>,
    /// The kind of account to which the keys belong.
    pub account: Account,
    /// How many operations on live channels are allowed per second; `None` for
    /// no limit.
    pub qps_limit: Option<u32>,
}

/// The service: all operations on one site.
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
    /// Returns the service of a site.
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
