//! What the event log hears of requests.

use super::operation::Operation;
use super::service::Service;
use crate::event::{Event, EventKind, Level};
use crate::fault::Fault;
use crate::http::{Request, Response};
use std::time::Instant;

impl Service {
    /// Reports an answer to a request that was `started`. The query is left
    /// out: it may hold a signature.
    pub(super) fn report(
        &self,
        request: &Request,
        answer: &Result<Response, Fault>,
        request_id: &str,
        started: Instant,
    ) {
        let level = answer.as_ref().map_or_else(|fault| level(fault.status), |_| Level::Debug);
        if !self.site.events.wants(level) {
            return;
        }
        let (operation, bucket, key) = match self.read(request) {
            Ok(call) => (call.operation.name(), call.bucket, call.key),
            Err(_) => (None, String::new(), request.path.clone()),
        };
        let fault = answer.as_ref().err();
        let present = |text: String| Some(text).filter(|text| !text.is_empty());
        self.site.events.record(Event {
            remote: request.peer,
            method: present(request.method.clone()),
            operation,
            bucket: present(bucket),
            key: present(key),
            status: Some(answer.as_ref().map_or_else(|fault| fault.status, |fine| fine.status)),
            code: fault.map(|fault| fault.code),
            ec: fault.and_then(|fault| fault.ec),
            message: fault.map(|fault| fault.message.clone()),
            request_id: Some(request_id.to_owned()),
            duration_ms: u64::try_from(started.elapsed().as_millis()).ok(),
            ..Event::new(self.site.clock.now(), level, EventKind::Request)
        });
    }
}

/// How severe a refusal is: what is not there may well be looked for.
fn level(status: u16) -> Level {
    match status {
        403 | 501 | 503 => Level::Warn,
        500.. => Level::Error,
        404 => Level::Debug,
        _ => Level::Info,
    }
}

impl Operation {
    /// The service's name of it; `None` for what is not implemented.
    fn name(self) -> Option<String> {
        match self {
            Operation::Refused(_) => None,
            // The variants are named as the service names its operations.
            named => Some(format!("{named:?}")),
        }
    }
}
