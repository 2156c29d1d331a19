#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod attempt;
mod call;
mod client;
mod clock;
pub mod credentials;
pub mod endpoint;
mod error;
mod limiter;
mod monitor;
pub mod operation;
pub mod profile;
mod redact;
pub mod request;
mod retry;
#[cfg(feature = "schema")]
mod schema;
pub mod sign;
mod spelling;
mod stop;
mod transport;
pub mod xml;

pub use attempt::Attempt;
pub use client::builder::ClientBuilder;
pub use client::{Channels, Client};
pub use credentials::{Credentials, CredentialsProvider};
pub use endpoint::AddressingStyle;
pub use error::{Error, ErrorKind, Result, code};
pub use monitor::{
    Change, ChangeKind, ChannelMonitor, ChannelReport, Edge, FailedChannel, Gap, Highlight,
    HighlightResult, HistoryAnalysis, Limits, MonitorOptions, Progress, PutResult, SessionSpan,
    Sweep, SweepOptions, Watch,
};
pub use operation::{
    Audio, Channel, ChannelConfig, ChannelHistory, ChannelList, ChannelState, ChannelStatus,
    ChannelSummary, ChannelUrls, Done, ListChannels, Live, PublishUrl, ResponseInfo,
    RtmpUrlOptions, SessionRecord, Snapshot, StreamState, Video, VodPlaylist, VodTime,
};
pub use sign::SignatureVersion;
pub use stop::StopHandle;
