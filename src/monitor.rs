//! Operations on many channels and on history: sweeps, monitors, batches, summaries,
//! highlights.

mod batch;
mod calls;
mod change;
mod highlights;
mod history;
mod options;
mod par_map;
mod sessions;
mod sweep;
mod watch;

pub use batch::PutResult;
pub use change::{Change, ChangeKind, KnownChannel, Limits, Watch};
pub use highlights::{Edge, Highlight, HighlightResult};
pub use history::{Gap, HistoryAnalysis, SessionSpan};
pub use options::{Progress, SweepOptions};
pub(crate) use sessions::{Sessions, Times};
pub use sweep::{ChannelReport, FailedChannel, Sweep};
pub use watch::{ChannelMonitor, MonitorOptions};
