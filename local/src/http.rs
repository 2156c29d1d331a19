//! HTTP for all front ends: messages, queries, responses with objects, how they
//! are sent, and checks on the raw connection.

pub mod framing;
mod message;
mod object;
pub(crate) mod outgoing;
mod query;
pub(crate) mod raw;
mod slow;
pub mod write_timeout;

pub use message::{Body, Request, Response};
pub use object::{has_changed, object_response, with_crc};
pub use query::{Malformed, Query};
