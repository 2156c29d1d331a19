//! Packets on their way to the sink.

use std::io;

/// The length of a transport packet.
pub const PACKET: usize = 188;

/// Whole packets, just under 96 KiB: each publisher has a buffer.
const SIZE: usize = 96 * 1024 / PACKET * PACKET;

/// Gathers packets, and counts those of a fragment.
pub(super) struct Buffer {
    bytes: Vec<u8>,
    /// How many bytes of the fragment have been handed on.
    flushed: u64,
}

impl Buffer {
    pub(super) fn new() -> Self {
        Buffer { bytes: Vec::with_capacity(SIZE), flushed: 0 }
    }

    /// Begins a fragment; what is left of another is discarded.
    pub(super) fn begin(&mut self) {
        self.bytes.clear();
        self.flushed = 0;
    }

    /// Where to append, once there is room.
    pub(super) fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// How long the fragment is so far.
    pub(super) fn position(&self) -> u64 {
        self.flushed + self.bytes.len() as u64
    }

    /// Makes room for a packet.
    pub(super) fn make_room(
        &mut self,
        out: &mut impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.bytes.len() >= SIZE { self.flush(out) } else { Ok(()) }
    }

    /// Hands on what there is.
    pub(super) fn flush(
        &mut self,
        out: &mut impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        if !self.bytes.is_empty() {
            out(&self.bytes)?;
            self.flushed += self.bytes.len() as u64;
            self.bytes.clear();
        }
        Ok(())
    }
}
