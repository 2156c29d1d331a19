//! The front ends of HTTP, the web page and the API: which of them answers.

use crate::api::Service;
use crate::fault::Fault;
use crate::http::{Request, Response};
use crate::page::Page;

/// The page, which answers what is asked of it, and the service, which answers
/// everything else.
#[derive(Debug)]
pub struct FrontEnds {
    pub page: Page,
    pub service: Service,
}

impl FrontEnds {
    /// Answers a request. Blocks on files.
    pub fn respond(&self, request: &Request) -> Response {
        self.page.respond(request).unwrap_or_else(|| self.service.respond(request))
    }

    /// Refuses a request by its head alone: see [`Service::screen`].
    ///
    /// # Errors
    ///
    /// As [`Service::screen`].
    pub fn screen(&self, request: &Request) -> Result<(), Fault> {
        if self.page.takes(request) { Ok(()) } else { self.service.screen(request) }
    }

    /// The longest body to receive for a request, in bytes; `None` if it is
    /// answered without its body.
    pub fn body_limit(&self, request: &Request) -> Option<usize> {
        (!self.page.takes(request)).then(|| self.service.body_limit(request))
    }
}
