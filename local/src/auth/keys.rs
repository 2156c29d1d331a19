//! The access keys of the endpoint.

use super::check::same;
use crate::fault::Fault;
use osslive::sign::v1::Key;
use std::collections::HashMap;
use std::fmt;

/// An access key that the endpoint knows.
#[derive(Clone)]
pub struct AccessKey {
    /// The key's id.
    pub id: String,
    /// The key's secret.
    pub secret: String,
    /// The token of a temporary (STS) key, which is required.
    pub token: Option<String>,
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The access keys of the endpoint, by id.
#[derive(Debug)]
pub struct Keys(HashMap<String, Entry>);

/// A key, prepared for verification.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: AccessKey,
    pub(super) sha1: Key,
}

impl Keys {
    /// Prepares keys for verification; of two with the same id, the later is used.
    pub fn new(keys: impl IntoIterator<Item = AccessKey>) -> Self {
        let entry = |key: AccessKey| {
            let sha1 = Key::new(&key.secret);
            (key.id.clone(), Entry { key, sha1 })
        };
        Keys(keys.into_iter().map(entry).collect())
    }

    /// Returns the key with this id, if the token belongs to it.
    pub(super) fn find(&self, id: &str, token: Option<&str>) -> Result<&Entry, Fault> {
        let Some(entry) = self.0.get(id) else {
            const MESSAGE: &str =
                "The OSS Access Key Id you provided does not exist in our records.";
            return Err(Fault::new(403, "InvalidAccessKeyId", MESSAGE).with("OSSAccessKeyId", id));
        };
        let fits = |entry: &Entry| match (&entry.key.token, token) {
            (None, None) => true,
            (Some(known), Some(given)) => same(known, given),
            _ => false,
        };
        if fits(entry) {
            Ok(entry)
        } else if token.is_some() && self.0.values().any(fits) {
            const MESSAGE: &str =
                "The security token you provided does not belong to the access key.";
            Err(Fault::new(403, "AccessKeyIdAndSecurityTokenNotMatch", MESSAGE))
        } else {
            const MESSAGE: &str = "The security token you provided is invalid.";
            Err(Fault::new(403, "InvalidSecurityToken", MESSAGE))
        }
    }
}
