//! Responses.

use crate::error::{Error, ErrorKind, Result, code};
use crate::xml::{self, Element};
use std::time::Duration;
use time::OffsetDateTime;

/// A response to a request.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The header `x-oss-request-id`.
    pub request_id: Option<String>,
    /// The header `x-oss-ec`.
    pub ec: Option<String>,
    /// The delay that the server asks for (`Retry-After`).
    pub retry_after: Option<Duration>,
    /// The header `Content-Length`; needed only for objects, as are the next two.
    pub content_length: Option<u64>,
    /// The header `Content-Range`.
    pub content_range: Option<String>,
    /// The header `ETag`.
    pub etag: Option<String>,
    /// The whole body.
    pub body: Vec<u8>,
    /// Whether the body was delimited only by the end of the connection, without
    /// `Content-Length` or chunks. It may then be truncated, and is accepted only
    /// if it has its own end marker: the end tag of XML, or `#EXT-X-ENDLIST`.
    pub ends_with_connection: bool,
    /// The time the call took.
    pub elapsed: Duration,
    /// The number of requests sent.
    pub attempts: u32,
}

impl Reply {
    pub(crate) fn info(&self) -> ResponseInfo {
        ResponseInfo {
            status: self.status,
            request_id: self.request_id.clone(),
            elapsed: self.elapsed,
            attempts: self.attempts,
        }
    }

    /// Returns the response without its body.
    pub(crate) fn head(&self) -> Reply {
        Reply {
            request_id: self.request_id.clone(),
            ec: self.ec.clone(),
            content_range: self.content_range.clone(),
            etag: self.etag.clone(),
            body: Vec::new(),
            ..*self
        }
    }

    /// Adds to an error the details of the response in which it was found.
    pub(super) fn found(&self, error: Error) -> Error {
        error
            .with_status(self.status)
            .with_request_id(self.request_id.clone())
            .with_attempts(self.attempts)
    }

    /// Checks that the response is a success.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Service`] with the service's message, or a description of a
    /// response that is not the service's; [`ErrorKind::Connection`] for a
    /// truncated one.
    pub fn check(&self) -> Result<()> {
        if self.ends_with_connection && !self.is_complete() {
            return Err(self.found(Error::new(
                ErrorKind::Connection,
                "the response is truncated: it has no length, and its body has no end marker",
            )));
        }
        match self.status {
            200..=299 => Ok(()),
            300..=399 => {
                Err(self
                    .found(Error::bad_reply(format!("redirects are not followed{}", self.begin()))))
            }
            _ => Err(self.service_error()),
        }
    }

    /// Returns whether the body is complete, judged by its content.
    fn is_complete(&self) -> bool {
        let body = self.body.trim_ascii();
        let last_line = body.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        body.is_empty()
            || last_line.trim_ascii() == b"#EXT-X-ENDLIST"
            || xml::read(body, |_| ()).is_ok()
    }

    pub(super) fn service_error(&self) -> Error {
        let error =
            xml::read(&self.body, |root| (root.name() == "Error").then(|| error_of(root, self)));
        let error = match error {
            Ok(Some(error)) => error,
            _ => {
                let message = match self.begin() {
                    begin if begin.is_empty() => "error response without a body".to_owned(),
                    begin => format!("error response without details{begin}"),
                };
                Error::new(ErrorKind::Service, message).with_ec(self.ec.clone())
            }
        };
        let known = error.request_id().map(str::to_owned).or(self.request_id.clone());
        error
            .with_status(self.status)
            .with_request_id(known)
            .with_attempts(self.attempts)
            .with_retry_after(self.retry_after)
    }

    /// Returns the first bytes of the body, for an error message.
    pub(super) fn begin(&self) -> String {
        let text = String::from_utf8_lossy(&self.body[..self.body.len().min(160)]);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.is_empty() { String::new() } else { format!(": {text:?}") }
    }

    pub(super) fn read<T>(
        &self,
        root: &str,
        read: impl FnOnce(Element<'_, '_>) -> Result<T>,
    ) -> Result<T> {
        self.check()?;
        let result = xml::read(&self.body, |found| {
            if found.name() == "Error" {
                return Err(self.service_error());
            }
            if found.name() != root {
                let name = found.name();
                let message = format!("unexpected response <{name}>: expected <{root}>");
                return Err(self.found(Error::bad_reply(message)));
            }
            read(found).map_err(|error| self.found(error))
        });
        result.unwrap_or_else(|error| {
            let message = format!("{}{}", error.message(), self.begin());
            Err(self.found(Error::bad_reply(message)))
        })
    }
}

/// Parses the error document of a response.
fn error_of(root: Element<'_, '_>, reply: &Reply) -> Error {
    // A hostile server may send a message of megabytes. Blank values are ignored.
    let text = |element: Element<'_, '_>| {
        let text: String = element.value().chars().take(1024).collect();
        Some(text).filter(|text| !text.is_empty())
    };
    let (mut code, mut message, mut request_id) = (None, None, None);
    let (mut ec, mut host_id, mut server_time) = (None, None, None);
    let mut endpoint = None;
    for child in root.children() {
        match child.name() {
            "Code" => code = text(child),
            "Message" => message = text(child),
            "RequestId" => request_id = text(child),
            "HostId" => host_id = text(child),
            "EC" => ec = text(child),
            "ServerTime" => server_time = text(child),
            "Endpoint" => endpoint = text(child),
            _ => {}
        }
    }
    let mut error = Error::new(ErrorKind::Service, message.unwrap_or_default());
    if let Some(endpoint) = &endpoint {
        error = error.explained(&format!("the bucket's endpoint is {endpoint}"));
    }
    let error = error
        .with_endpoint(endpoint)
        .with_request_id(request_id)
        .with_ec(ec.or_else(|| reply.ec.clone()))
        .with_host_id(host_id)
        .with_server_time(server_time);
    match code {
        Some(code) => error.with_code(code),
        None => error,
    }
}

/// Returns the time that the service adds to `RequestTimeTooSkewed`.
pub(crate) fn server_time(error: &Error) -> Option<OffsetDateTime> {
    let skewed = error.code() == Some(code::REQUEST_TIME_TOO_SKEWED);
    error.server_time().filter(|_| skewed).and_then(xml::parse_time)
}

/// Describes the call behind a result.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct ResponseInfo {
    /// The HTTP status.
    pub status: u16,
    /// The request id, which identifies the request to the service's support.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub request_id: Option<String>,
    /// The elapsed time of the call, including retries and back-off; in JSON
    /// fractional milliseconds.
    #[cfg_attr(feature = "serde", serde(rename = "elapsedMs", with = "milliseconds"))]
    #[cfg_attr(feature = "schema", schemars(with = "f64"))]
    pub elapsed: Duration,
    /// The number of requests sent: more than 1 after retries.
    pub attempts: u32,
}

#[cfg(feature = "serde")]
mod milliseconds {
    use serde::{Deserialize, Deserializer, Serializer, de};
    use std::time::Duration;

    pub(super) fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(time.as_micros() as f64 / 1000.0)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let milliseconds = f64::deserialize(from)?;
        Duration::try_from_secs_f64(milliseconds / 1000.0).map_err(de::Error::custom)
    }
}

#[cfg(test)]
pub(super) mod samples {
    use super::Reply;
    use crate::request::Request;

    /// Returns a successful response with this body.
    pub(in crate::operation) fn ok(body: &str) -> Reply {
        Reply {
            status: 200,
            request_id: Some("6B02A4E6B92475920B0002F1".into()),
            body: body.as_bytes().to_vec(),
            attempts: 1,
            ..Reply::default()
        }
    }

    pub(in crate::operation) fn query(request: &Request) -> Vec<(&str, Option<&str>)> {
        request.query.iter().map(|(name, value)| (&**name, value.as_deref())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::samples::ok;
    use super::*;

    #[test]
    fn the_head_of_a_response_is_everything_but_its_body() {
        let reply = Reply {
            status: 206,
            ec: Some("0044-00000201".into()),
            retry_after: Some(Duration::from_secs(2)),
            content_length: Some(4),
            content_range: Some("bytes 0-3/9".into()),
            etag: Some("\"E\"".into()),
            ends_with_connection: true,
            elapsed: Duration::from_millis(5),
            ..ok("body")
        };
        let with_body = Reply { body: b"body".to_vec(), ..reply.head() };
        assert!(reply.head().body.is_empty());
        assert_eq!(format!("{with_body:?}"), format!("{reply:?}"));
    }

    #[cfg(feature = "serde")]
    #[test]
    fn json_has_the_elapsed_time_in_milliseconds() {
        let reply = Reply { elapsed: Duration::from_micros(1500), ..ok("") };
        let json = serde_json::to_string(&reply.info()).unwrap();
        assert_eq!(
            json,
            r#"{"status":200,"requestId":"6B02A4E6B92475920B0002F1","elapsedMs":1.5,"attempts":1}"#
        );
        assert_eq!(serde_json::from_str::<ResponseInfo>(&json).unwrap(), reply.info());
    }
}
