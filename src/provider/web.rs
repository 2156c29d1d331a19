//! HTTP requests to the services that issue credentials.

use super::choice::Network;
use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind, Result};
use crate::redact::Secrets;
use crate::request::{Body, Method};
use crate::stop::Stop;
use crate::transport::{Outgoing, ProxyChoice, Settings, Transport, http_date};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// The delay before the second attempt.
const RETRY_DELAY: Duration = Duration::from_millis(200);
/// The maximum number of attempts.
const ATTEMPTS: u32 = 3;
/// How many characters of an unexpected response are quoted.
const MAX_QUOTED: usize = 200;

/// Sends the requests.
pub(super) struct Web(Network);

/// A request to such a service.
pub(super) struct Query<'a> {
    pub(super) method: Method,
    pub(super) url: &'a str,
    pub(super) headers: &'a [(&'static str, String)],
    pub(super) body: Option<&'a Body>,
    /// Whether the service is on the local network, where no proxy is used.
    pub(super) is_local: bool,
    pub(super) connect_timeout: Duration,
    pub(super) timeout: Duration,
}

/// The response to such a request.
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) body: Zeroizing<Vec<u8>>,
    /// The `Date` header: the service's time.
    pub(super) date: Option<OffsetDateTime>,
}

impl Web {
    pub(super) fn new(network: Network) -> Self {
        Web(network)
    }

    /// Sends a request, and retries connection failures, 5xx and 429. Returns
    /// responses of any status.
    pub(super) fn send(&self, query: &Query<'_>) -> Result<Response> {
        let transport = self.transport(query)?;
        let mut attempt = 1;
        loop {
            let response = self.send_once(&transport, query);
            let is_over = match &response {
                Ok(response) => response.status < 500 && response.status != 429,
                // Timeouts are not retried: a call is waiting for this.
                Err(error) => error.is_permanent() || error.kind() != ErrorKind::Connection,
            };
            if is_over || attempt == ATTEMPTS {
                return response;
            }
            thread::sleep(RETRY_DELAY * attempt);
            attempt += 1;
        }
    }

    fn send_once(&self, transport: &Transport, query: &Query<'_>) -> Result<Response> {
        let Query { method, url, headers, body, timeout, .. } = *query;
        let (limit, head_limit) = (timeout, timeout);
        let outgoing = Outgoing { method, url, headers, body, limit, head_limit };
        let secrets = Secrets::new(transport.proxy_secrets());
        let response =
            transport.send(&outgoing, None).map_err(|error| secrets.redact_error(error))?;
        let date = response.header("date").and_then(http_date);
        Ok(Response { status: response.reply.status, date, body: response.reply.body.into() })
    }

    /// Creates a transport for one request: the next is usually minutes away.
    fn transport(&self, query: &Query<'_>) -> Result<Transport> {
        let Network { proxy, roots, user_agent } = self.0.clone();
        let settings = Settings {
            origin: query.url.to_owned(),
            connect_timeout: query.connect_timeout,
            pool_size: 1,
            user_agent,
            proxy: if query.is_local { ProxyChoice::None } else { proxy },
            roots,
        };
        Transport::new(settings, Arc::new(Stop::default()))
    }
}

impl Response {
    /// Returns the service's time, or this machine's if it is unknown.
    pub(super) fn now(&self) -> OffsetDateTime {
        self.date.unwrap_or_else(OffsetDateTime::now_utc)
    }

    /// Returns the body as a string if the response is a success.
    pub(super) fn text(&self) -> Result<&str> {
        let text = std::str::from_utf8(&self.body)
            .map_err(|_| Error::bad_reply("the response is not UTF-8"))?;
        if (200..300).contains(&self.status) {
            Ok(text)
        } else {
            Err(self.error_response(text.trim()))
        }
    }

    /// Returns the error for an unsuccessful response, with the beginning of its
    /// body.
    pub(super) fn error_response(&self, body: &str) -> Error {
        let is_plain = !body.is_empty() && !body.contains(['<', '{', '\n', '\r']);
        let quoted: String =
            if is_plain { body.chars().take(MAX_QUOTED).collect() } else { "".into() };
        let separator = if quoted.is_empty() { "" } else { ": " };
        let message = format!("HTTP {}{separator}{quoted}", self.status);
        Error::credentials(message)
    }
}

/// Removes secrets from an error.
pub(super) fn without(error: Error, secrets: &[&str]) -> Error {
    Secrets::new(secrets.iter().copied()).redact_error(error)
}

/// Returns the secret parts of credentials.
pub(super) fn secrets_of(credentials: &Credentials) -> Vec<&str> {
    let token = credentials.security_token();
    [Some(credentials.access_key_secret()), token].into_iter().flatten().collect()
}
