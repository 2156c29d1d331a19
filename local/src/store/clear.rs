//! Back to empty buckets.

use super::{Stat, Store};
use crate::fault::Fault;
use std::thread;
use std::time::{Duration, Instant};

/// How long a publisher has to close its last fragment.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked after.
const INTERVAL: Duration = Duration::from_millis(5);
/// How many names are listed at a time.
const PAGE: usize = 1000;

impl Store {
    /// Deletes all channels with their history, cutting who publishes to them,
    /// and all objects. Buckets stay, with their ACLs and rules.
    ///
    /// # Errors
    ///
    /// A publisher does not end in time, or the disk's.
    pub fn clear(&self) -> Result<(), Fault> {
        for bucket in self.buckets() {
            let name = &bucket.name;
            loop {
                let page = self.list_channels(name, "", "", PAGE)?;
                if page.channels.is_empty() {
                    break;
                }
                for channel in page.channels {
                    self.end_channel(name, &channel.name)?;
                }
            }
            loop {
                let page = self.list_objects(name, "", "", None, PAGE)?;
                if page.objects.is_empty() {
                    break;
                }
                for object in page.objects {
                    self.delete_object(name, &object.key)?;
                }
            }
        }
        Ok(())
    }

    /// Deletes a channel once nobody publishes to it any more.
    fn end_channel(&self, bucket: &str, name: &str) -> Result<(), Fault> {
        let due = Instant::now() + PATIENCE;
        loop {
            if matches!(self.stat(bucket, name), Ok(Stat::Live { .. } | Stat::Idle)) {
                self.set_channel_enabled(bucket, name, false)?;
            }
            match self.delete_channel(bucket, name) {
                Err(fault) if fault.code == "ChannelStillLive" && Instant::now() < due => {
                    thread::sleep(INTERVAL);
                }
                deleted => return deleted,
            }
        }
    }
}
