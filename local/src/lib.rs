//! A local stand-in for the OSS live channel service, in one process: real
//! RTMP in, real HLS out, and the service's operations, signatures and errors
//! over HTTP. Develop and test without an account.
//!
//! It is for development and tests. In production, use OSS itself: the same
//! calls with another endpoint.
//!
//! # In a test
//!
//! [`LocalEndpoint::start`] listens on a free port and stops when the endpoint
//! is dropped; [`Config::temporary`] keeps its data in a temporary directory.
//!
//! ```no_run
//! use osslive_local::{Config, LocalEndpoint};
//!
//! let endpoint = LocalEndpoint::start(Config::temporary())?;
//! let client = endpoint.client_builder().build()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`push`] publishes FLV to any RTMP server, including this one.
//!
//! # Without I/O
//!
//! Media flows in one direction: connection, [`rtmp`] session, recorder, MPEG-TS
//! muxer, file. [`rtmp`] and [`media`] do no I/O, so that they can be tested as
//! bytes in, bytes out.

#![forbid(unsafe_code)]

// The examples in docs/cli.md run as doc tests too.
#[cfg(doctest)]
#[doc = include_str!("../../docs/cli.md")]
struct Pages;

mod address;
mod api;
mod auth;
mod budget;
mod clock;
mod control;
mod control_http;
mod cors;
mod endpoint;
mod event;
mod event_log;
mod fault;
mod front_ends;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod guard;
mod http;
mod initial;
mod journal;
mod limits;
mod listener;
pub mod media;
mod page;
mod publisher;
pub mod push;
pub mod rtmp;
mod serve;
mod site;
mod store;
mod time_format;
mod validate;
mod workers;
mod xml;

pub use api::Account;
pub use clock::Clock;
pub use control::{ActiveFault, ClockState, Control, Disconnect, FaultRule, RuleError};
pub use endpoint::{Config, LocalEndpoint};
pub use event::{Event, EventKind, Level};
pub use initial::InitialState;
pub use limits::PeerLimits;
pub use store::Acl;
