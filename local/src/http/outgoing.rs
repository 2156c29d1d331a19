//! Response bodies, sent block by block.

use crate::budget::Share;
use crate::http::Body;
pub(crate) use crate::http::slow::Slow;
use crate::workers::Workers;
use hyper::body::{Bytes, Frame, SizeHint};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::sync::oneshot;

/// How much of a file is read at a time.
const BLOCK: u64 = 64 << 10;

/// The body of a response, as hyper sends it.
pub(crate) enum Outgoing {
    Empty,
    Bytes(Bytes),
    Stream(Stream),
    Slow(Box<Slow<Outgoing>>),
}

impl Outgoing {
    /// Returns a body that keeps its share of the budget until it is sent.
    pub(crate) fn new(body: Body, share: Share, workers: &Arc<Workers>) -> Self {
        let stream =
            |reader, length| Outgoing::Stream(Stream::new(workers.clone(), reader, length));
        match body {
            Body::Empty => Outgoing::Empty,
            Body::Bytes(bytes) => {
                Outgoing::Bytes(Bytes::from_owner(Counted { bytes, _share: share }))
            }
            Body::File { file, offset, length } => stream(Box::new(Part { file, offset }), length),
            Body::Stream { reader, length } => stream(reader, length),
        }
    }
}

impl hyper::body::Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        match this {
            Outgoing::Empty => Poll::Ready(None),
            Outgoing::Bytes(bytes) => {
                let bytes = std::mem::take(bytes);
                *this = Outgoing::Empty;
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
            Outgoing::Stream(stream) => stream.poll(context),
            Outgoing::Slow(slow) => slow.poll(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.size_hint().exact() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Outgoing::Empty => 0,
            Outgoing::Bytes(bytes) => bytes.len() as u64,
            Outgoing::Stream(stream) => stream.remaining,
            Outgoing::Slow(slow) => slow.remaining(),
        })
    }
}

/// The bytes of a response, with their share of the budget.
struct Counted {
    bytes: Vec<u8>,
    _share: Share,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// A file, read from an offset.
struct Part {
    file: File,
    offset: u64,
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.seek(SeekFrom::Start(self.offset))?;
        let count = self.file.read(buffer)?;
        self.offset += count as u64;
        Ok(count)
    }
}

/// A reader, returned with the block that it read.
type Block = (Box<dyn Read + Send>, io::Result<Vec<u8>>);

/// A body that workers read block by block: a client that pauses occupies no
/// worker and only one block of memory.
pub(crate) struct Stream {
    workers: Arc<Workers>,
    read: Option<oneshot::Receiver<Block>>,
    remaining: u64,
}

impl Stream {
    fn new(workers: Arc<Workers>, reader: Box<dyn Read + Send>, length: u64) -> Self {
        let mut body = Stream { workers, read: None, remaining: length };
        body.read_on(reader);
        body
    }

    fn read_on(&mut self, mut reader: Box<dyn Read + Send>) {
        let remaining = self.remaining;
        self.read = (remaining > 0).then(|| {
            self.workers.run(move || {
                let block = read_block(&mut reader, remaining);
                (reader, block)
            })
        });
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let Some(read) = &mut self.read else { return Poll::Ready(None) };
        let result = ready!(Pin::new(read).poll(context));
        self.read = None;
        let (reader, block) = result.map_err(io::Error::other)?;
        let block = block?;
        self.remaining = self.remaining.saturating_sub(block.len() as u64);
        self.read_on(reader);
        Poll::Ready(Some(Ok(Frame::data(block.into()))))
    }
}

fn read_block(reader: &mut impl Read, remaining: u64) -> io::Result<Vec<u8>> {
    let length = remaining.min(BLOCK);
    let mut block = Vec::with_capacity(length as usize);
    reader.take(length).read_to_end(&mut block)?;
    // A file truncated meanwhile must not look like the end of the object.
    if block.len() as u64 == length { Ok(block) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}
