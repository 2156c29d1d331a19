//! HTTP as both front ends speak it, the API and the web page: messages,
//! queries, replies with objects, how they are sent, and what is checked of a
//! connection.

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
