//! Notifies systemd, if it started the process.

/// The monitor is running.
pub(super) fn ready() {
    #[cfg(target_os = "linux")]
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
}

/// The monitor is stopping.
pub(super) fn stopping() {
    #[cfg(target_os = "linux")]
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
}
