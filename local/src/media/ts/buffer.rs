//! Buffers packets before they are written to the sink.

use std::io;

/// The length of a transport packet.
pub const PACKET: usize = 188;

/// Whole packets of just under 32 KiB: each publisher has a buffer.
const SIZE: usize = 32 * 1024 / PACKET * PACKET;

/// Collects packets, and counts the bytes of a fragment.
pub(super) struct Buffer {
    bytes: Vec<u8>,
    /// How many bytes of the fragment have been written.
    flushed: u64,
}

impl Buffer {
    pub(super) fn new() -> Self {
        Buffer { bytes: Vec::with_capacity(SIZE), flushed: 0 }
    }

    /// Begins a fragment, and discards the rest of another.
    pub(super) fn begin(&mut self) {
        self.bytes.clear();
        self.flushed = 0;
    }

    /// Returns the buffer, to append to after [`reserve_packet`](Self::reserve_packet).
    pub(super) fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Returns the length of the fragment so far.
    pub(super) fn position(&self) -> u64 {
        self.flushed + self.bytes.len() as u64
    }

    /// Makes sure that there is space for a packet.
    pub(super) fn reserve_packet(
        &mut self,
        out: &mut impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.bytes.len() >= SIZE { self.flush(out) } else { Ok(()) }
    }

    /// Writes the buffered packets.
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
