//! A request and the parser of its reply, as one.

use super::reply::Reply;
use crate::error::Result;
use crate::request::Request;

/// A call of the service that returns a `T`: the request, and the parser of the
/// reply.
#[derive(Debug, Clone)]
pub struct Call<T> {
    request: Request,
    parse: fn(&Request, &Reply) -> Result<T>,
}

impl<T> Call<T> {
    pub(super) fn new(request: Request, parse: fn(&Request, &Reply) -> Result<T>) -> Self {
        Call { request, parse }
    }

    /// Returns the request.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Returns the request, and gives up the parser.
    pub fn into_request(self) -> Request {
        self.request
    }

    /// Parses the reply to the request.
    ///
    /// # Errors
    ///
    /// What [`Reply::check`] returns, and
    /// [`ErrorKind::BadReply`](crate::ErrorKind::BadReply) when the body is not
    /// what the operation returns.
    pub fn parse(&self, reply: &Reply) -> Result<T> {
        (self.parse)(&self.request, reply)
    }
}
