//! RTMP, publishing only, without I/O.
//!
//! [`Session`] is the server side of one connection and [`ClientSession`] the
//! publisher side: bytes go in, events and bytes to send come out. The protocol
//! is that of Adobe's "Real-Time Messaging Protocol (RTMP) specification" 1.0.

use std::fmt;

pub mod amf0;
mod chunk;
mod client;
mod handshake;
mod link;
mod session;

pub use client::{ClientSession, ClientState};
pub use session::{Event, PublishRequest, Session};

/// Limits on what a peer can make the other side hold in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Maximum bytes of one message; at most 64 KiB until the server has accepted
    /// a stream. Defaults to 8 MiB, enough for a key frame of any live stream;
    /// the protocol's own limit is 16 MiB - 1.
    pub max_message: usize,
    /// Maximum bytes of all unfinished messages of one connection, as their
    /// headers claim. Defaults to 16 MiB. The endpoint's
    /// [`PeerLimits::messages`](crate::PeerLimits::messages) limits those of all
    /// connections together.
    pub max_pending: usize,
    /// Maximum chunk streams of one connection. Defaults to 64.
    pub max_chunk_streams: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_message: 8 << 20, max_pending: 16 << 20, max_chunk_streams: 64 }
    }
}

impl Limits {
    /// Returns the limits for a peer whose stream has not been accepted yet, and
    /// that therefore sends only commands.
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

/// Why a connection failed: the peer violated the protocol or exceeded a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProtocolError {
    /// The handshake requests a version other than 3.
    Version(u8),
    /// A chunk refers to an earlier header that was never sent.
    NoEarlierHeader(u32),
    /// More chunk streams than [`Limits::max_chunk_streams`].
    TooManyChunkStreams,
    /// A message of this many bytes exceeds [`Limits::max_message`] or the
    /// protocol's limit.
    MessageTooLong(usize),
    /// Unfinished messages exceed [`Limits::max_pending`].
    TooMuchPending,
    /// The unfinished messages of all connections use up the memory budget.
    NoRoom,
    /// A chunk size is zero or exceeds 31 bits.
    ChunkSize(u32),
    /// A control message of this type is too short.
    ShortControl(u8),
    /// A command is malformed.
    Command(amf0::DecodeError),
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProtocolError::Version(version) => write!(f, "RTMP version {version}: must be 3"),
            ProtocolError::NoEarlierHeader(id) => {
                write!(f, "chunk stream {id} starts without a full header")
            }
            ProtocolError::TooManyChunkStreams => f.write_str("too many chunk streams"),
            ProtocolError::MessageTooLong(length) => {
                write!(f, "message of {length} bytes is too long")
            }
            ProtocolError::TooMuchPending => f.write_str("too many bytes in unfinished messages"),
            ProtocolError::NoRoom => {
                f.write_str("no memory is left for unfinished messages of this connection")
            }
            ProtocolError::ChunkSize(size) => {
                write!(f, "chunk size {size}: must be 1 to 2147483647")
            }
            ProtocolError::ShortControl(kind) => {
                write!(f, "control message of type {kind} is too short")
            }
            ProtocolError::Command(error) => write!(f, "malformed command: {error}"),
        }
    }
}

impl std::error::Error for ProtocolError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_a_stream_is_accepted_only_commands_fit() {
        let opening = Limits::default().opening();
        let expected = Limits { max_message: 65_536, max_pending: 131_072, max_chunk_streams: 64 };
        assert_eq!(opening, expected);
        let lower = Limits { max_message: 10, max_pending: 20, max_chunk_streams: 3 };
        assert_eq!(lower.opening(), lower);
    }

    #[test]
    fn errors_name_the_value_that_is_wrong() {
        let message = |error: ProtocolError| error.to_string();
        assert_eq!(message(ProtocolError::Version(6)), "RTMP version 6: must be 3");
        assert_eq!(message(ProtocolError::ChunkSize(0)), "chunk size 0: must be 1 to 2147483647");
        assert_eq!(message(ProtocolError::MessageTooLong(9)), "message of 9 bytes is too long");
        let marker = ProtocolError::Command(amf0::DecodeError::Marker(17));
        assert_eq!(message(marker), "malformed command: AMF0 type 0x11 is not supported");
    }
}
