//! The state shared by all front ends: the HTTP API, the web page and RTMP.

use crate::address::Addressing;
use crate::auth::{AccessKey, Keys};
use crate::clock::Clock;
use crate::control::Control;
use crate::event_log::EventLog;
use crate::fault::Fault;
use crate::store::{Contents, Store};
use osslive::Credentials;
use osslive::sign::{SignatureVersion, Signer};
use std::sync::Arc;

/// A store, with the names, keys and clock with which it is accessed.
#[derive(Debug)]
pub struct Site {
    /// The store.
    pub store: Arc<Store>,
    /// The clock.
    pub clock: Clock,
    /// How hosts and paths are resolved.
    pub addressing: Addressing,
    /// The access keys.
    pub keys: Arc<Keys>,
    /// The region that version 4 signatures must name, and that buckets report.
    pub region: String,
    /// The owner's signer; `None` without a permanent access key.
    pub signer: Option<Signer>,
    /// The event log.
    pub events: Arc<EventLog>,
    /// The control over the endpoint; `None` if it is disabled.
    pub control: Option<Control>,
    /// The state that a reset restores.
    pub initial: Contents,
}

impl Site {
    /// Returns a site with these access keys; temporary ones have a token.
    pub fn new(
        store: Arc<Store>,
        clock: Clock,
        addressing: Addressing,
        keys: Vec<AccessKey>,
        region: String,
    ) -> Self {
        let signer = signer(&keys, &region);
        let events = Arc::new(EventLog::new(secrets(&keys)));
        Site {
            store,
            clock,
            addressing,
            keys: Arc::new(Keys::new(keys)),
            region,
            signer,
            events,
            control: None,
            initial: Contents::default(),
        }
    }
}

impl Site {
    /// Restores the initial state, disconnects publishers and removes the fault
    /// rules.
    ///
    /// # Errors
    ///
    /// The same as [`Store::restore`].
    pub fn reset(&self) -> Result<(), Fault> {
        if let Some(control) = &self.control {
            control.clear_faults();
            control.reset_clock();
        }
        self.store.restore(&self.initial)?;
        if let Some(control) = &self.control {
            control.clear_requests();
        }
        Ok(())
    }
}

/// Returns the secrets and tokens of keys.
pub fn secrets(keys: &[AccessKey]) -> Vec<String> {
    let tokens = keys.iter().filter_map(|key| key.token.clone());
    keys.iter().map(|key| key.secret.clone()).chain(tokens).collect()
}

/// Returns a signer with the first permanent key.
fn signer(keys: &[AccessKey], region: &str) -> Option<Signer> {
    let key = keys.iter().find(|key| key.token.is_none())?;
    Some(Signer::new(SignatureVersion::V1, region, Credentials::new(&key.id, &key.secret)))
}
