//! A channel's recordings: fragments and playlists, the gaps between them, what may be
//! deleted, and downloads of a part into one file.
//!
//! The service writes fragments as objects `CHANNEL/MILLISECONDS.ts`, named after
//! the time at which they start, and never deletes one.

mod contents;
mod download;
mod fragment;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod journal;
mod options;
mod partial;
mod plan;
mod pruning;
mod range;
mod round;
mod timeline;

pub use contents::{RecordedPlaylist, Recording};
pub use download::Download;
pub use fragment::Fragment;
pub use options::{DownloadOptions, DownloadProgress};
pub use pruning::Pruning;
pub use range::RecordingRange;
pub use timeline::RecordedSpan;
