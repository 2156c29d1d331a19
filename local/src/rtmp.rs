//! RTMP, publishing only, without I/O.
//!
//! [`Session`] is a server's half of one connection and [`ClientSession`] a
//! publisher's: bytes go in, events and bytes to send come out. The protocol is
//! that of Adobe's "Real-Time Messaging Protocol (RTMP) specification" 1.0.

use std::fmt;

pub mod amf0;
mod chunk;
mod client;
mod handshake;
mod link;
mod session;

pub use client::{ClientSession, ClientState};
pub use session::{Event, PublishRequest, Session};

/// What one peer may make the other hold in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes in one message; 64 KiB at most until a server has let its peer
    /// publish. Defaults to 8 MiB, which holds a key frame of any
    /// live stream; the protocol's own limit is 16 MiB - 1.
    pub max_message: usize,
    /// Bytes in all messages under way at the same time, as their headers
    /// claim. Defaults to 16 MiB. The endpoint's
    /// [`PeerLimits::messages`](crate::PeerLimits::messages) bounds what those
    /// of all connections take together.
    pub max_pending: usize,
    /// Chunk streams of one connection. Defaults to 64.
    pub max_chunk_streams: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_message: 8 << 20, max_pending: 16 << 20, max_chunk_streams: 64 }
    }
}

impl Limits {
    /// The limits for a peer that has not been let publish yet, and so has
    /// nothing but commands to send.
    fn opening(self) -> Self {
        const COMMANDS: usize = 64 * 1024;
        let Limits { max_message, max_pending, max_chunk_streams } = self;
        Limits {
            max_message: max_message.min(COMMANDS),
            max_pending: max_pending.min(2 * COMMANDS),
            max_chunk_streams,
        }
    }
}

/// Why a connection cannot go on: what the peer sent is not RTMP, or exceeds
/// the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProtocolError {
    /// The handshake asks for a version other than 3.
    Version(u8),
    /// A chunk refers to an earlier header that was never sent.
    NoEarlierHeader(u32),
    /// More chunk streams than [`Limits::max_chunk_streams`].
    TooManyChunkStreams,
    /// A message of this many bytes is longer than [`Limits::max_message`], or
    /// than the protocol can say.
    MessageTooLong(usize),
    /// Messages under way exceed [`Limits::max_pending`].
    TooMuchPending,
    /// The messages of all connections take all the memory they may.
    NoRoom,
    /// A chunk size that is zero or beyond 31 bits.
    ChunkSize(u32),
    /// A control message of this type is too short.
    ShortControl(u8),
    /// A command that cannot be read.
    Command(amf0::DecodeError),
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProtocolError::Version(version) => write!(f, "RTMP version {version}, not 3"),
            ProtocolError::NoEarlierHeader(id) => {
                write!(f, "chunk stream {id} begins without a full header")
            }
            ProtocolError::TooManyChunkStreams => f.write_str("too many chunk streams"),
            ProtocolError::MessageTooLong(length) => {
                write!(f, "a message of {length} bytes is too long")
            }
            ProtocolError::TooMuchPending => f.write_str("too many bytes in unfinished messages"),
            ProtocolError::NoRoom => {
                f.write_str("no memory is left for unfinished messages of this connection")
            }
            ProtocolError::ChunkSize(size) => write!(f, "chunk size {size} is not allowed"),
            ProtocolError::ShortControl(kind) => {
                write!(f, "control message of type {kind} is too short")
            }
            ProtocolError::Command(error) => write!(f, "unreadable command: {error}"),
        }
    }
}

impl std::error::Error for ProtocolError {}
