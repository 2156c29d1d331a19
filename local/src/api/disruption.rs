//! Answers with a fault that was ordered.

use super::refusal::{Words, refuse_in};
use super::service::Service;
use crate::control::Ordered;
use crate::fault::Fault;
use crate::http::{Body, Request, Response};
use crate::time_format;
use time::Duration;

/// What stands in place of a body: no XML, and nothing else.
const GARBAGE: &[u8] = b"\x00\xFF<?xml no<<<]]>\xC3\x28{\"\r\n\r\nHTTP/1.1";

impl Service {
    /// The fault that was ordered for a request.
    pub(super) fn ordered(&self, request: &Request) -> Option<Ordered> {
        let control = self.site.control.as_ref().filter(|control| !control.is_calm())?;
        let call = self.read(request).ok()?;
        let ordered = control.strike(call.operation.name()?, &call.key)?;
        if let Some(ms) = ordered.rule.disconnect_after_ms {
            // Without the bucket there is no publisher either.
            let time = std::time::Duration::from_millis(ms);
            let _ = self.site.store.set_grace_period(&call.bucket, &call.key, time);
        }
        Some(ordered)
    }

    /// Answers as ordered; what happens to the connection is up to whoever sends
    /// the answer.
    pub(super) fn disrupt(&self, request: &Request, ordered: Ordered) -> Response {
        let rule = ordered.rule.clone();
        let mut response = if let Some(body) = &rule.body {
            let content_type = rule.content_type.as_deref().unwrap_or("application/xml");
            let own = Response::text(rule.status.unwrap_or(200), content_type, body.clone());
            self.complete_as(request, |_| Ok(own), &ordered)
        } else if let Some(status) = rule.status {
            let words = Words {
                status,
                code: rule.code.as_deref().unwrap_or(usual_code(status)),
                message: rule.message.as_deref().unwrap_or("This fault was ordered."),
                ec: rule.ec.as_deref(),
                details: &[],
            };
            self.complete_as(request, |id| Ok(refuse_in(request, &words, id)), &ordered)
        } else if rule.garbage {
            let garbage = Response::text(200, "application/xml", String::new());
            let body = Body::Bytes(GARBAGE.repeat(16));
            self.complete_as(request, |_| Ok(Response { body, ..garbage }), &ordered)
        } else if rule.disconnect.is_some() || rule.raw_bytes().is_some() {
            self.complete_as(request, |_| Ok(Response::empty(503)), &ordered)
        } else {
            self.complete_as(request, |_| self.answer(request), &ordered)
        };
        if let Some(seconds) = rule.date_skew_seconds {
            let time = self.site.clock.now().saturating_add(Duration::seconds(seconds));
            response.headers.retain(|(name, _)| name != "Date");
            response = response.with("Date", time_format::http_date(time));
        }
        Response { ordered: Some(ordered), ..response }
    }

    fn complete_as(
        &self,
        request: &Request,
        answer: impl FnOnce(&str) -> Result<Response, Fault>,
        ordered: &Ordered,
    ) -> Response {
        let note = format!("fault rule {}", ordered.id);
        self.complete_with(request, answer, Some(&note))
    }
}

/// The code that the service uses with a status.
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
