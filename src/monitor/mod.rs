//! What people do with channels: sweep many and hear what changed, put many,
//! summarise a history, cut highlights.

mod batch;
mod options;
mod pace;
mod spread;
mod stop;
mod sweep;

pub use batch::PutResult;
pub use options::{Progress, SweepOptions};
pub use stop::StopHandle;
pub use sweep::{ChannelReport, FailedChannel, Sweep};
