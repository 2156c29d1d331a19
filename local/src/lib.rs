//! A local stand-in for the OSS live channel service, in one process: real
//! RTMP in, real HLS out, and the service's operations, signatures and errors
//! over HTTP, so that everything can be built and tested without an account.
//!
//! It serves development and tests. Production is OSS itself: the same calls
//! with another endpoint.
//!
//! Start one with [`LocalEndpoint::start`]. [`push`] publishes FLV to any
//! RTMP server, this one among them.
//!
//! Bytes go one way: connection, [`rtmp`] session, recorder, transport stream
//! muxer, file.

#![forbid(unsafe_code)]

mod address;
mod api;
mod auth;
mod budget;
mod clock;
mod cors;
mod endpoint;
mod event;
mod event_log;
mod fault;
mod front_ends;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod http;
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
pub use endpoint::{Config, LocalEndpoint};
pub use event::{Event, EventKind, Level};
pub use limits::PeerLimits;
pub use store::Acl;
