//! What a diagnosis examines.

use super::report::Check;
use crate::stop::StopHandle;
use std::cell::RefCell;
use std::fmt;

/// Options for [`Client::diagnose`](crate::Client::diagnose).
#[derive(Default)]
#[must_use]
pub struct DiagnosisOptions<'a> {
    pub(super) channel: Option<String>,
    pub(super) publish_url: Option<String>,
    pub(super) play_url: Option<String>,
    pub(super) origin: Option<String>,
    pub(super) stop: StopHandle,
    on_check: Option<RefCell<Callback<'a>>>,
}

type Callback<'a> = Box<dyn FnMut(&Check) + 'a>;

impl<'a> DiagnosisOptions<'a> {
    /// Creates options that examine the bucket, but no channel.
    pub fn new() -> Self {
        Self::default()
    }

    /// Examines a channel, its stream and its live playlist.
    pub fn channel(mut self, id: impl Into<String>) -> Self {
        self.channel = Some(id.into());
        self
    }

    /// Examines the publish URL that an encoder uses.
    pub fn publish_url(mut self, url: impl Into<String>) -> Self {
        self.publish_url = Some(url.into());
        self
    }

    /// Examines the play URL that players use, instead of the channel's.
    pub fn play_url(mut self, url: impl Into<String>) -> Self {
        self.play_url = Some(url.into());
        self
    }

    /// Checks whether web pages from this origin, such as `https://www.example.com`,
    /// may play the stream.
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.origin = Some(origin.into());
        self
    }

    /// Sets a callback that receives each check as soon as it is done, on the
    /// calling thread, and again if a later request finds a problem.
    pub fn on_check(mut self, callback: impl FnMut(&Check) + 'a) -> Self {
        self.on_check = Some(RefCell::new(Box::new(callback)));
        self
    }

    /// Sets a handle that stops the examination. The remaining checks are reported as
    /// not checked.
    pub fn stop(mut self, stop: &StopHandle) -> Self {
        self.stop = stop.clone();
        self
    }

    pub(super) fn report(&self, check: &Check) {
        // A callback is not called from inside itself.
        let Some(callback) = &self.on_check else { return };
        if let Ok(mut callback) = callback.try_borrow_mut() {
            callback(check);
        }
    }
}

/// Omits URLs, which are secrets.
impl fmt::Debug for DiagnosisOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiagnosisOptions")
            .field("channel", &self.channel)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::report::{CheckId, Verdict};

    #[test]
    fn options_accumulate_without_showing_urls() {
        let (stop, mut reported) = (StopHandle::new(), 0);
        stop.stop();
        let options = DiagnosisOptions::new()
            .on_check(|_| reported += 1)
            .stop(&stop)
            .origin("https://a.example")
            .play_url("https://b.example/hush.m3u8")
            .publish_url("rtmp://b.example/live/hush")
            .channel("cam");
        assert!(options.stop.is_stopped());
        assert_eq!(options.play_url.as_deref(), Some("https://b.example/hush.m3u8"));
        assert_eq!(options.publish_url.as_deref(), Some("rtmp://b.example/live/hush"));
        let shown = format!("{options:?}");
        assert!(shown.contains("cam") && shown.contains("a.example"), "{shown}");
        assert!(!shown.contains("hush"), "{shown}");
        options.report(&Check::new(CheckId::Settings, Verdict::Ok, "fine"));
        drop(options);
        assert_eq!(reported, 1);
    }
}
