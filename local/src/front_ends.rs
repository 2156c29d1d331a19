//! Dispatches HTTP requests to the front ends: control, the web page and the API.

use crate::api::Service;
use crate::control_http::ControlApi;
use crate::fault::Fault;
use crate::http::{Request, Response};
use crate::page::Page;

/// Control and the page, which handle their own paths, and the service, which
/// handles everything else.
#[derive(Debug)]
pub struct FrontEnds {
    pub control: ControlApi,
    pub page: Page,
    pub service: Service,
}

impl FrontEnds {
    /// Handles a request. Blocks on file I/O.
    pub fn respond(&self, request: &Request) -> Response {
        let answered = self.control.respond(request).or_else(|| self.page.respond(request));
        answered.unwrap_or_else(|| self.service.respond(request))
    }

    /// Refuses a request by its head alone: see [`Service::screen`].
    ///
    /// # Errors
    ///
    /// The same as [`Service::screen`].
    pub fn screen(&self, request: &Request) -> Result<(), Fault> {
        if self.control.takes(request) || self.page.takes(request) {
            Ok(())
        } else {
            self.service.screen(request)
        }
    }

    /// Returns the maximum body size for a request, in bytes; `None` if it is
    /// handled without its body.
    pub fn body_limit(&self, request: &Request) -> Option<usize> {
        if self.control.takes(request) {
            return self.control.body_limit(request);
        }
        (!self.page.takes(request)).then(|| self.service.body_limit(request))
    }
}
