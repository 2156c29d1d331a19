//! What all front ends work on: the HTTP API, the web page and RTMP.

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

/// A store with the names, keys and time under which it is reached.
#[derive(Debug)]
pub struct Site {
    /// What is kept.
    pub store: Arc<Store>,
    /// The time.
    pub clock: Clock,
    /// How hosts and paths are read.
    pub addressing: Addressing,
    /// The access keys.
    pub keys: Arc<Keys>,
    /// The region that signatures of version 4 must name, and that buckets
    /// say they are in.
    pub region: String,
    /// Signs as the owner; `None` without a permanent access key.
    pub signer: Option<Signer>,
    /// Where events go.
    pub events: Arc<EventLog>,
    /// Who controls the endpoint; `None` if nobody may.
    pub control: Option<Control>,
    /// What a reset goes back to.
    pub initial: Contents,
}

impl Site {
    /// A site with access keys, temporary ones with their token.
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
    /// Goes back to the beginning, cutting publishers, and takes back what was
    /// ordered.
    ///
    /// # Errors
    ///
    /// As [`Store::restore`].
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

/// What keys keep to themselves.
pub fn secrets(keys: &[AccessKey]) -> Vec<String> {
    let tokens = keys.iter().filter_map(|key| key.token.clone());
    keys.iter().map(|key| key.secret.clone()).chain(tokens).collect()
}

/// Signs with the first permanent key.
fn signer(keys: &[AccessKey], region: &str) -> Option<Signer> {
    let key = keys.iter().find(|key| key.token.is_none())?;
    Some(Signer::new(SignatureVersion::V1, region, Credentials::new(&key.id, &key.secret)))
}
