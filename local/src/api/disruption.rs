//! Responds according to a fault rule.

use super::refusal::{ErrorContent, refuse_in};
use super::service::Service;
use crate::control::AppliedRule;
use crate::fault::Fault;
use crate::http::{Body, Request, Response};
use crate::time_format;
use time::Duration;

/// Replaces the body: neither XML nor any other format.
const GARBAGE: &[u8] = b"\x00\xFF<?xml no<<<]]>\xC3\x28{\"\r\n\r\nHTTP/1.1";

impl Service {
    /// Returns the fault rule for a request.
    pub(super) fn applied(&self, request: &Request) -> Option<AppliedRule> {
        let control = self.site.control.as_ref().filter(|control| !control.has_no_faults())?;
        let call = self.read(request).ok()?;
        let applied = control.apply(call.operation.name()?, &call.key)?;
        if let Some(ms) = applied.rule.disconnect_after_ms {
            // If the bucket does not exist, there is no publisher either.
            let time = std::time::Duration::from_millis(ms);
            let _ = self.site.store.set_grace_period(&call.bucket, &call.key, time);
        }
        Some(applied)
    }

    /// Responds as the rule says; the sender of the response applies its effects
    /// on the connection.
    pub(super) fn disrupt(&self, request: &Request, applied: AppliedRule) -> Response {
        let rule = applied.rule.clone();
        let mut response = if let Some(body) = &rule.body {
            let content_type = rule.content_type.as_deref().unwrap_or("application/xml");
            let own = Response::text(rule.status.unwrap_or(200), content_type, body.clone());
            self.complete_as(request, |_| Ok(own), &applied)
        } else if let Some(status) = rule.status {
            let words = ErrorContent {
                status,
                code: rule.code.as_deref().unwrap_or(usual_code(status)),
                message: rule.message.as_deref().unwrap_or("Injected by a fault rule."),
                ec: rule.ec.as_deref(),
                details: &[],
            };
            self.complete_as(request, |id| Ok(refuse_in(request, &words, id)), &applied)
        } else if rule.garbage {
            let garbage = Response::text(200, "application/xml", String::new());
            let body = Body::Bytes(GARBAGE.repeat(16));
            self.complete_as(request, |_| Ok(Response { body, ..garbage }), &applied)
        } else if rule.disconnect.is_some() || rule.raw_bytes().is_some() {
            self.complete_as(request, |_| Ok(Response::empty(503)), &applied)
        } else {
            self.complete_as(request, |_| self.handle(request), &applied)
        };
        if let Some(seconds) = rule.date_skew_seconds {
            let time = self.site.clock.now().saturating_add(Duration::seconds(seconds));
            response.headers.retain(|(name, _)| name != "Date");
            response = response.with("Date", time_format::http_date(time));
        }
        Response { applied: Some(applied), ..response }
    }

    fn complete_as(
        &self,
        request: &Request,
        handler: impl FnOnce(&str) -> Result<Response, Fault>,
        applied: &AppliedRule,
    ) -> Response {
        let note = format!("fault rule {}", applied.id);
        self.complete_with(request, handler, Some(&note))
    }
}

/// Returns the code that the service usually sends with a status.
fn usual_code(status: u16) -> &'static str {
    match status {
        400 => "InvalidArgument",
        403 => "AccessDenied",
        404 => "NoSuchKey",
        405 => "MethodNotAllowed",
        408 => "RequestTimeout",
        409 => "Conflict",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        500.. => "InternalError",
        _ => "BadRequest",
    }
}
