//! A request paired with the parser of its response.

use super::reply::Reply;
use crate::error::Result;
use crate::request::Request;

/// A call to the service that returns a `T`: the request, and the parser of its
/// response.
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

    /// Returns the request and drops the parser.
    pub fn into_request(self) -> Request {
        self.request
    }

    /// Parses the response to the request.
    ///
    /// # Errors
    ///
    /// As [`Reply::check`], and
    /// [`ErrorKind::BadReply`](crate::ErrorKind::BadReply) if the body is invalid.
    pub fn parse(&self, reply: &Reply) -> Result<T> {
        (self.parse)(&self.request, reply)
    }
}

/// Returns a call for which only success or failure matters.
pub(crate) fn attempt(request: Request) -> Call<()> {
    Call::new(request, |_, reply| reply.check())
}

/// Returns a call whose response may have any body.
pub(crate) fn attempt_body(request: Request) -> Call<Vec<u8>> {
    Call::new(request, |_, reply| reply.check().map(|()| reply.body.clone()))
}
