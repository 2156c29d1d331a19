//! Asks the services that issue credentials.

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

/// The pause before a request is sent again.
const PAUSE: Duration = Duration::from_millis(200);
/// How often a request is sent at most.
const ATTEMPTS: u32 = 3;
/// How much of an answer that is no document is quoted.
const QUOTED: usize = 200;

/// The way to them.
pub(super) struct Web(Network);

/// A request to one of them.
pub(super) struct Question<'a> {
    pub(super) method: Method,
    pub(super) url: &'a str,
    pub(super) headers: &'a [(&'static str, String)],
    pub(super) body: Option<&'a Body>,
    /// Whether it is within this network, and never reached by a proxy.
    pub(super) is_near: bool,
    pub(super) connect_timeout: Duration,
    pub(super) timeout: Duration,
}

/// What it says.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Zeroizing<Vec<u8>>,
    /// When it says so, by its own clock.
    pub(super) date: Option<OffsetDateTime>,
}

impl Web {
    pub(super) fn new(network: Network) -> Self {
        Web(network)
    }

    /// Sends a request, again where it failed for the moment. An answer that is
    /// not a success is no error here.
    pub(super) fn ask(&self, question: &Question<'_>) -> Result<Answer> {
        let transport = self.transport(question)?;
        let mut attempt = 1;
        loop {
            let answer = self.ask_once(&transport, question);
            let is_over = match &answer {
                Ok(answer) => answer.status < 500 && answer.status != 429,
                // Who is silent once would be so again, and a call waits for this.
                Err(error) => error.is_permanent() || error.kind() != ErrorKind::Connection,
            };
            if is_over || attempt == ATTEMPTS {
                return answer;
            }
            thread::sleep(PAUSE * attempt);
            attempt += 1;
        }
    }

    fn ask_once(&self, transport: &Transport, question: &Question<'_>) -> Result<Answer> {
        let Question { method, url, headers, body, timeout, .. } = *question;
        let (limit, head_limit) = (timeout, timeout);
        let outgoing = Outgoing { method, url, headers, body, limit, head_limit };
        let secrets = Secrets::new(transport.proxy_secrets());
        let answer = transport.send(&outgoing).map_err(|error| secrets.redact_error(error))?;
        let date = answer.header("date").and_then(http_date);
        Ok(Answer { status: answer.reply.status, date, body: answer.reply.body.into() })
    }

    /// A connection of its own: there is a quarter of an hour between two uses.
    fn transport(&self, question: &Question<'_>) -> Result<Transport> {
        let Network { proxy, roots, user_agent } = self.0.clone();
        let settings = Settings {
            origin: question.url.to_owned(),
            connect_timeout: question.connect_timeout,
            pool_size: 1,
            user_agent,
            proxy: if question.is_near { ProxyChoice::None } else { proxy },
            roots,
        };
        Transport::new(settings, Arc::new(Stop::default()))
    }
}

impl Answer {
    /// The time by the service's clock, or by this machine's.
    pub(super) fn now(&self) -> OffsetDateTime {
        self.date.unwrap_or_else(OffsetDateTime::now_utc)
    }

    /// The body as a text, if the answer is a success.
    pub(super) fn text(&self) -> Result<&str> {
        let text = std::str::from_utf8(&self.body)
            .map_err(|_| Error::bad_reply("the response is not UTF-8"))?;
        if (200..300).contains(&self.status) { Ok(text) } else { Err(self.refusal(text.trim())) }
    }

    /// The error that a refusal is, with the beginning of what it says.
    pub(super) fn refusal(&self, said: &str) -> Error {
        let is_plain = !said.is_empty() && !said.contains(['<', '{', '\n', '\r']);
        let quoted: String = if is_plain { said.chars().take(QUOTED).collect() } else { "".into() };
        let separator = if quoted.is_empty() { "" } else { ": " };
        let message = format!("HTTP {}{separator}{quoted}", self.status);
        Error::new(ErrorKind::Credentials, message)
    }
}

/// Keeps what a request was made with out of what was said about it.
pub(super) fn without(error: Error, secrets: &[&str]) -> Error {
    Secrets::new(secrets.iter().copied()).redact_error(error)
}

/// What may not be shown of credentials.
pub(super) fn secrets_of(credentials: &Credentials) -> Vec<&str> {
    let token = credentials.security_token();
    [Some(credentials.access_key_secret()), token].into_iter().flatten().collect()
}
