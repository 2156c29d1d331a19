//! A body that a fault rule sends slowly or in part.

use hyper::body::{Body, Bytes, Frame};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Sleep, sleep};

/// How often a part is sent.
const INTERVAL: Duration = Duration::from_millis(50);

/// A body, with its rate limit and the number of bytes to send.
pub(crate) struct Slow<B> {
    body: B,
    /// Bytes of the body that are not sent yet.
    pending: Bytes,
    /// How many bytes are sent at a time, if limited.
    part: Option<usize>,
    /// How many bytes are sent before the connection breaks.
    left: Option<u64>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl<B: Body<Data = Bytes, Error = io::Error> + Unpin> Slow<B> {
    pub(crate) fn new(body: B, bytes_per_second: Option<u64>, left: Option<u64>) -> Self {
        let part = |rate: u64| usize::try_from((rate / 20).max(1)).unwrap_or(usize::MAX);
        let part = bytes_per_second.map(part);
        Slow { body, pending: Bytes::new(), part, left, pause: None }
    }

    pub(crate) fn poll(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        if self.left == Some(0) {
            let broken = "connection closed by a fault rule";
            return Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::BrokenPipe, broken))));
        }
        while self.pending.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => self.pending = frame.into_data().unwrap_or_default(),
                other => return Poll::Ready(other),
            }
        }
        let most = self.left.map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX));
        let length = self.pending.len().min(self.part.unwrap_or(usize::MAX)).min(most);
        let part = self.pending.split_to(length);
        self.left = self.left.map(|left| left - length as u64);
        self.pause = self.part.or(self.left.map(|_| 0)).map(|_| Box::pin(sleep(INTERVAL)));
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    /// Returns the announced length of the body.
    pub(crate) fn remaining(&self) -> u64 {
        self.pending.len() as u64 + self.body.size_hint().exact().unwrap_or_default()
    }
}
