//! What an observer receives about each request.

use crate::error::{Error, Result};
use crate::operation::Reply;
use crate::request::{Request, percent_encode, percent_encode_path};
use std::fmt;
use std::time::Duration;

/// A request that was sent, and its outcome.
///
/// Displays as one line for a log. Neither that line nor any field contains
/// secrets: the signature is added later.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Attempt<'a> {
    /// The request, without its signature.
    pub request: &'a Request,
    /// The number of this attempt within its call, counting from 1.
    pub number: u32,
    /// The time this attempt took.
    pub elapsed: Duration,
    /// The outcome, without the response body.
    pub outcome: Result<&'a Reply, &'a Error>,
    /// The minimum delay before the request is retried; `None` if it is not.
    pub retry_in: Option<Duration>,
}

impl fmt::Display for Attempt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Attempt { request, number, elapsed, outcome, retry_in } = self;
        write!(f, "{} /{}", request.method.as_str(), percent_encode_path(&request.key))?;
        let mut separator = '?';
        for (name, value) in &request.query {
            write!(f, "{separator}{}", percent_encode(name))?;
            if let Some(value) = value {
                write!(f, "={}", percent_encode(value))?;
            }
            separator = '&';
        }
        write!(f, ", attempt {number}, {:.1} ms: ", elapsed.as_secs_f64() * 1000.0)?;
        match outcome {
            Ok(reply) => {
                write!(f, "HTTP {}", reply.status)?;
                reply.request_id.iter().try_for_each(|id| write!(f, ", request id {id}"))?;
            }
            Err(error) => write!(f, "{error}")?,
        }
        retry_in.iter().try_for_each(|wait| write!(f, "; retry in {} ms", wait.as_millis()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::operation;

    #[test]
    fn an_attempt_prints_as_one_line() {
        let request = operation::get_channel_status("直 1").unwrap().into_request();
        let reply =
            Reply { status: 200, request_id: Some("6B02A4E6".to_owned()), ..Reply::default() };
        let mut attempt = Attempt {
            request: &request,
            number: 1,
            elapsed: Duration::from_micros(12_340),
            outcome: Ok(&reply),
            retry_in: None,
        };
        assert_eq!(
            attempt.to_string(),
            "GET /%E7%9B%B4%201?live&comp=stat, attempt 1, 12.3 ms: HTTP 200, request id 6B02A4E6"
        );
        let error = Error::new(ErrorKind::Connection, "could not connect");
        attempt.outcome = Err(&error);
        attempt.retry_in = Some(Duration::from_millis(87));
        assert_eq!(
            attempt.to_string(),
            "GET /%E7%9B%B4%201?live&comp=stat, attempt 1, 12.3 ms: \
             could not connect; retry in 87 ms"
        );
    }
}
