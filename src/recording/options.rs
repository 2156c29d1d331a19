//! Options for downloads of recordings.

use crate::stop::StopHandle;
use std::cell::RefCell;
use std::fmt;
use std::time::Duration;

/// The maximum number of concurrent transfers.
const MAX_PARALLEL: usize = 64;

/// The progress of a download.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct DownloadProgress {
    /// The bytes in the file, including those of earlier attempts.
    pub bytes: u64,
    /// The bytes known to be recorded, which grow while a stream is followed.
    pub total_bytes: u64,
    /// The number of complete fragments.
    pub fragments: usize,
    /// The number of fragments known to be recorded.
    pub total_fragments: usize,
}

/// Options for [`download_recording`](crate::Client::download_recording).
///
/// ```
/// use osslive::DownloadOptions;
///
/// let options = DownloadOptions::new()
///     .follow(true)
///     .progress(|progress| eprint!("\r{} of {} bytes", progress.bytes, progress.total_bytes));
/// ```
#[must_use]
pub struct DownloadOptions<'a> {
    pub(super) parallel: usize,
    pub(super) follow: bool,
    pub(super) overwrite: bool,
    pub(super) poll_interval: Duration,
    pub(super) stop: StopHandle,
    progress: Option<RefCell<Callback<'a>>>,
}

type Callback<'a> = Box<dyn FnMut(DownloadProgress) + 'a>;

impl<'a> DownloadOptions<'a> {
    /// Creates options with four concurrent transfers.
    pub fn new() -> Self {
        DownloadOptions {
            parallel: 4,
            follow: false,
            overwrite: false,
            poll_interval: Duration::from_secs(5),
            stop: StopHandle::new(),
            progress: None,
        }
    }

    /// Sets the maximum number of concurrent transfers, clamped to 1 to 64. Above
    /// 16, raise the client's [`pool_size`](crate::ClientBuilder::pool_size) as
    /// well. Defaults to 4.
    pub fn max_parallel(mut self, transfers: usize) -> Self {
        self.parallel = transfers.clamp(1, MAX_PARALLEL);
        self
    }

    /// Keeps downloading a range that has not ended, until the channel is no longer
    /// live or the end of the range is reached. Transient failures then do not end
    /// the download. Defaults to `false`, which downloads only what is recorded so
    /// far.
    pub fn follow(mut self, follow: bool) -> Self {
        self.follow = follow;
        self
    }

    /// Replaces an existing file, and starts over instead of resuming. Defaults to
    /// `false`.
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = overwrite;
        self
    }

    /// Sets how often to poll for new fragments while following. Defaults to five
    /// seconds.
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = interval;
        self
    }

    /// Sets a handle that stops the download from another thread or from the
    /// progress callback. It fails with [`ErrorKind::Stopped`](crate::ErrorKind::Stopped)
    /// and can be resumed.
    pub fn stop(mut self, handle: &StopHandle) -> Self {
        self.stop = handle.clone();
        self
    }

    /// Sets a progress callback, called on the calling thread several times a
    /// second. It need not be `Send` or fast.
    pub fn progress(mut self, callback: impl FnMut(DownloadProgress) + 'a) -> Self {
        self.progress = Some(RefCell::new(Box::new(callback)));
        self
    }

    pub(super) fn report(&self, progress: DownloadProgress) {
        // A callback that starts another download with the same options is not
        // called from inside itself.
        let Some(callback) = &self.progress else { return };
        if let Ok(mut callback) = callback.try_borrow_mut() {
            callback(progress);
        }
    }
}

impl Default for DownloadOptions<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for DownloadOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DownloadOptions")
            .field("parallel", &self.parallel)
            .field("follow", &self.follow)
            .field("overwrite", &self.overwrite)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_accumulate() {
        let (stop, mut reported) = (StopHandle::new(), 0);
        stop.stop();
        let options = DownloadOptions::new()
            .progress(|_| reported += 1)
            .stop(&stop)
            .poll_interval(Duration::from_secs(1))
            .overwrite(true)
            .follow(true)
            .max_parallel(3);
        assert!(options.stop.is_stopped() && options.overwrite && options.follow);
        assert_eq!((options.parallel, options.poll_interval), (3, Duration::from_secs(1)));
        let shown = format!("{options:?}");
        assert!(shown.contains("parallel: 3, follow: true, overwrite: true"), "{shown}");
        let progress = DownloadProgress { bytes: 1, total_bytes: 2, ..Default::default() };
        options.report(progress);
        drop(options);
        assert_eq!(reported, 1);
    }
}
