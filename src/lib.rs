//! RTMP live channels on Alibaba Cloud OSS: create a channel, hand a signed
//! publish URL to an encoder, see whether it is live, read its history, and cut
//! VOD playlists from the recording.
//!
//! Calls block, and each is bounded by one timeout. There is no async runtime,
//! no build script and no unsafe code.
//!
//! # Quick start
//!
//! ```no_run
//! use osslive::{ChannelConfig, Client, Credentials, RtmpUrlOptions, StreamState};
//!
//! # fn main() -> osslive::Result<()> {
//! let client = Client::builder()
//!     .region("cn-hangzhou")
//!     .bucket("my-bucket")
//!     .credentials(Credentials::new("ACCESS_KEY_ID", "ACCESS_KEY_SECRET"))
//!     .build()?;
//!
//! client.put_channel("main-stage", &ChannelConfig::new("Main stage").frag_duration(2))?;
//! let url = client.get_rtmp_url("main-stage", &RtmpUrlOptions::new().expires(3600))?;
//! println!("publish to {url}");
//!
//! let status = client.get_channel_status("main-stage")?;
//! if status.status == StreamState::Live {
//!     println!("{:?}", status.live()?.video);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A [`Client`] is cheap to clone, and any number of threads may share one. To
//! develop and test without an account, use the local endpoint: `osslive local`
//! from a shell, or the crate `osslive-local` in a test.
//!
//! # Calls
//!
//! | call | what it does |
//! | --- | --- |
//! | [`put_channel`](Client::put_channel), [`create_channel`](Client::create_channel) | creates or replaces a channel; creates one and fails if it exists |
//! | [`get_channel`](Client::get_channel) | returns a channel's configuration |
//! | [`list_channels`](Client::list_channels), [`channels`](Client::channels) | returns one page of channels; an iterator over all of them |
//! | [`put_channel_status`](Client::put_channel_status) | enables or disables a channel; disabling disconnects its publisher |
//! | [`get_channel_status`](Client::get_channel_status) | returns whether it is live, idle or disabled; video, audio, bit rates, the publisher's address |
//! | [`wait_until_live`](Client::wait_until_live), [`wait_until_idle`](Client::wait_until_idle), [`wait_until_deleted`](Client::wait_until_deleted) | polls until a channel is live, idle or gone |
//! | [`get_channel_history`](Client::get_channel_history) | returns the last ten finished sessions |
//! | [`create_vod`](Client::create_vod), [`get_vod`](Client::get_vod) | saves a playlist of what was recorded; returns it |
//! | [`get_rtmp_url`](Client::get_rtmp_url), [`get_publish_url`](Client::get_publish_url) | signs a publish URL: as a string, or with server, stream key and expiry; sends nothing |
//! | [`get_play_url`](Client::get_play_url) | signs a play URL for a private bucket; sends nothing |
//! | [`delete_channel`](Client::delete_channel) | deletes a channel; recordings are kept |
//!
//! Many channels at once, with failures isolated and shared throttling:
//!
//! | call | what it does |
//! | --- | --- |
//! | [`monitor_channels`](Client::monitor_channels), [`ChannelMonitor`] | reads the status of many channels; polls them and reports changes |
//! | [`sweep_channels`](Client::sweep_channels) | streams the status of any number of channels, in constant memory |
//! | [`put_channels`](Client::put_channels) | creates or replaces many channels |
//! | [`send_calls`](Client::send_calls) | sends any other [`operation`] for many items |
//! | [`analyze_history`](Client::analyze_history) | summarizes the sessions of the last few days |
//! | [`create_highlights`](Client::create_highlights) | saves parts of a session as playlists |
//!
//! # Configuration
//!
//! [`Client::builder`] takes every setting. [`ClientBuilder::from_env`] reads
//! `OSS_ACCESS_KEY_ID`, `OSS_ACCESS_KEY_SECRET`, `OSS_SESSION_TOKEN`, `OSS_REGION`,
//! `OSS_ENDPOINT` and `OSS_BUCKET`; [`ClientBuilder::profile`] reads the config
//! file of ossutil or the `aliyun` command; [`ClientBuilder::default_credentials`]
//! finds credentials where the vendor's tools do, and
//! [`ClientBuilder::credentials_source`] obtains a role's credentials. Your own
//! [`CredentialsProvider`] is called before every request; [`Refreshing`] turns a
//! function that obtains temporary credentials into a provider. Each setting comes
//! from the first source that has it, and settings that contradict each other are
//! errors.
//!
//! | setting | default |
//! | --- | --- |
//! | region, endpoint | one of them is required; the region is inferred from the endpoint |
//! | signature | version 4; [version 1](SignatureVersion::V1) for gateways that only support that |
//! | addressing | virtual-hosted; path style for IP addresses and names without a dot |
//! | timeout, connect timeout | 30 s per call, including retries; 10 s |
//! | attempts | 3: connection failures, timeouts, 5xx, 408, 429 and throttling are retried, other 4xx are not |
//! | proxy | as in curl: `https_proxy`, `http_proxy` (lower case only), `all_proxy`, `no_proxy`; HTTP or SOCKS; never for loopback |
//! | root certificates | Mozilla's, or those in `SSL_CERT_FILE` and `SSL_CERT_DIR` |
//!
//! # Errors
//!
//! An [`Error`] has a [`kind`](Error::kind) (its category) and often a
//! [`code`](Error::code) (the reason), which you can compare with the constants
//! in [`code`]. It also carries the HTTP status, the request id and the
//! service's EC, and its `Display` is one line. Errors and logs never contain
//! secrets.
//!
//! ```no_run
//! use osslive::{Client, code};
//!
//! # fn example(client: Client) -> osslive::Result<()> {
//! match client.get_channel("main-stage") {
//!     Ok(channel) => println!("{}", channel.description),
//!     Err(error) if error.code() == Some(code::NO_SUCH_LIVE_CHANNEL) => println!("create it first"),
//!     Err(error) => return Err(error),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Clock skew of up to a day is corrected automatically.
//!
//! # Without the HTTP client
//!
//! [`operation`], [`sign`], [`endpoint`], [`request`] and [`xml`] do no I/O and never
//! read the clock. Use them with another HTTP client, or in pure tests (bytes in,
//! bytes out): [`operation`] builds a request and parses its response, and
//! [`sign`] is a pure function of request, credentials and time.
//!
//! # Features
//!
//! | feature | default | |
//! | --- | --- | --- |
//! | `tls` | on | HTTPS with rustls and Mozilla's root certificates |
//! | `platform-verifier` | off | rustls with the operating system's trust store |
//! | `native-tls` | off | the operating system's TLS library |
//! | `credential-sources` | off | credentials from RAM roles, programs, URLs and the `aliyun` command's config file; adds serde_json |
//! | `serde` | off | `Serialize` and `Deserialize` for results, with the service's field names |
//! | `schema` | off | `schemars::JsonSchema` for results |

#![forbid(unsafe_code)]

// The examples in the README are documentation tests too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod attempt;
mod call;
mod client;
mod clock;
pub mod credentials;
mod diagnosis;
mod discovery;
pub mod endpoint;
mod error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod limiter;
mod monitor;
pub mod operation;
mod playlist;
pub mod profile;
mod provider;
mod recording;
mod redact;
mod refreshing;
pub mod request;
mod retry;
#[cfg(feature = "schema")]
mod schema;
pub mod sign;
mod source;
mod spelling;
mod stop;
mod transport;
mod wipe;
pub mod xml;

pub use attempt::Attempt;
pub use client::builder::ClientBuilder;
pub use client::objects::Objects;
pub use client::{Channels, Client};
pub use credentials::{Credentials, CredentialsProvider};
pub use diagnosis::{Check, CheckId, Diagnosis, DiagnosisOptions, Verdict};
pub use discovery::DefaultCredentials;
pub use endpoint::AddressingStyle;
pub use error::{Error, ErrorKind, Result, code};
pub use monitor::{
    Change, ChangeKind, ChannelMonitor, ChannelReport, Edge, FailedChannel, Gap, Highlight,
    HighlightResult, HistoryAnalysis, KnownChannel, Limits, MonitorOptions, Progress, PutResult,
    SessionSpan, Sweep, SweepOptions, Watch,
};
pub use operation::{
    Audio, Channel, ChannelConfig, ChannelHistory, ChannelList, ChannelState, ChannelStatus,
    ChannelSummary, ChannelUrls, Done, GetObject, ListChannels, ListObjects, Live, ObjectInfo,
    ObjectList, ObjectSummary, PublishUrl, ResponseInfo, RtmpUrlOptions, SessionRecord, Snapshot,
    StreamState, Video, VodPlaylist, VodTime,
};
pub use recording::{
    Download, DownloadOptions, DownloadProgress, Fragment, Pruning, RecordedPlaylist, RecordedSpan,
    Recording, RecordingRange,
};
pub use refreshing::{Lease, Refreshing};
pub use sign::SignatureVersion;
pub use source::{
    AssumedRole, CredentialProcess, CredentialsSource, CredentialsUri, EcsRole, OidcRole,
};
pub use stop::StopHandle;
