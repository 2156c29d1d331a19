//! Reports requests to the event log.

use super::service::Service;
use crate::event::{Event, EventKind, Level};
use crate::fault::Fault;
use crate::http::{Query, Request, Response};
use std::time::Instant;

impl Service {
    /// Reports the result of a request that began at `started`. The query is
    /// omitted: it may contain a signature.
    pub(super) fn report(
        &self,
        request: &Request,
        result: &Result<Response, Fault>,
        request_id: &str,
        started: Instant,
        note: Option<&str>,
    ) {
        let level = result.as_ref().map_or_else(|fault| level(fault.status), |_| Level::Debug);
        if !self.site.events.wants(level) {
            return;
        }
        let (operation, bucket, key) = match self.read(request) {
            Ok(call) => (call.operation.name().map(str::to_owned), call.bucket, call.key),
            Err(_) => (None, String::new(), request.path.clone()),
        };
        let fault = result.as_ref().err();
        let present = |text: String| Some(text).filter(|text| !text.is_empty());
        self.site.events.record(Event {
            remote: request.peer,
            access_key_id: access_key_id(request),
            method: present(request.method.clone()),
            operation,
            bucket: present(bucket),
            key: present(key),
            status: Some(result.as_ref().map_or_else(|fault| fault.status, |fine| fine.status)),
            code: fault.map(|fault| fault.code),
            ec: fault.and_then(|fault| fault.ec),
            message: fault.map(|fault| fault.message.clone()).or(note.map(str::to_owned)),
            request_id: Some(request_id.to_owned()),
            duration_ms: u64::try_from(started.elapsed().as_millis()).ok(),
            ..Event::new(self.site.clock.now(), level, EventKind::Request)
        });
    }
}

/// Returns the access key id in a request, whether or not its signature is valid.
fn access_key_id(request: &Request) -> Option<String> {
    let id = |credential: &str| {
        let id = credential.split(['/', ':', ',']).next().unwrap_or_default();
        Some(id.trim().to_owned()).filter(|id| !id.is_empty())
    };
    if let Some(value) = request.header("authorization") {
        return match value.split_once("Credential=") {
            Some((_, credential)) => id(credential),
            None => id(value.strip_prefix("OSS ")?),
        };
    }
    let query = Query::parse(&request.query).ok()?;
    query.value("x-oss-credential").or_else(|| query.value("OSSAccessKeyId")).and_then(id)
}

/// Returns the severity of an error: missing resources are often requested.
fn level(status: u16) -> Level {
    match status {
        403 | 501 | 503 => Level::Warn,
        500.. => Level::Error,
        404 => Level::Debug,
        _ => Level::Info,
    }
}
