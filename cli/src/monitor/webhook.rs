//! Sends events as HTTP requests.

use super::event::Event;
use super::outbox::Outcome;
use super::signature::Signer;
use std::time::{Duration, SystemTime};
use time::OffsetDateTime;
use ureq::Agent;
use ureq::http::{HeaderMap, Uri};

/// A receiver's time limit.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);
/// The maximum delay that a receiver may request.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60 * 60);

/// A URL that receives events.
#[derive(Debug)]
pub(super) struct Webhook {
    url: String,
    agent: Agent,
    signer: Signer,
}

/// Checks the URL of a webhook. Errors do not show it: it may contain a token.
pub(super) fn check_url(text: &str) -> Result<(), &'static str> {
    let uri: Uri = text.parse().map_err(|_| "is not valid")?;
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    let has_user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
    match uri.host() {
        Some(host) if is_http && !host.is_empty() && !has_user => Ok(()),
        _ if has_user => Err("must not contain a user name or password"),
        _ => Err("must start with http:// or https:// and a host"),
    }
}

impl Webhook {
    pub(super) fn new(url: String, agent: Agent, signer: Signer) -> Webhook {
        Webhook { url, agent, signer }
    }

    /// Sends an event once.
    pub(super) fn deliver(&self, event: &Event) -> Outcome {
        let body = event.json();
        let timestamp = OffsetDateTime::now_utc().unix_timestamp();
        let request = self
            .agent
            .post(&self.url)
            .header("user-agent", "osslive-cli")
            .header("content-type", "application/json")
            .header("webhook-id", &event.id)
            .header("webhook-timestamp", timestamp.to_string())
            .header("webhook-signature", self.signer.sign(&event.id, timestamp, &body))
            .config()
            .timeout_global(Some(TIMEOUT))
            .build();
        match request.send(body.as_bytes()) {
            Ok(response) => judge(response.status().as_u16(), response.headers()),
            Err(error) => Outcome::Failed { why: describe(&error), retry_after: None },
        }
    }
}

/// Interprets a status. A misconfigured receiver is usually fixed within a day,
/// so that every status but 410 is worth a retry.
fn judge(status: u16, headers: &HeaderMap) -> Outcome {
    match status {
        200..=299 => Outcome::Delivered,
        410 => Outcome::Refused("HTTP 410".to_owned()),
        300..=399 => Outcome::Failed {
            why: format!("HTTP {status}: redirects are not followed"),
            retry_after: None,
        },
        _ => Outcome::Failed {
            why: format!("HTTP {status}"),
            retry_after: retry_after(headers, SystemTime::now()),
        },
    }
}

/// Reads `Retry-After`: seconds, or a date.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get("retry-after")?.to_str().ok()?.trim();
    let length = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default(),
    };
    Some(length.min(LONGEST_RETRY_AFTER))
}

/// Formats an error without the URL, which may contain a token.
fn describe(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => format!("timed out after {} s", TIMEOUT.as_secs()),
        ureq::Error::Io(error) => error.to_string(),
        ureq::Error::HostNotFound => "the host could not be resolved".to_owned(),
        ureq::Error::ConnectionFailed => "could not connect".to_owned(),
        ureq::Error::Protocol(_) => "the response is not HTTP".to_owned(),
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => {
            format!("TLS failed: {error}")
        }
        ureq::Error::BadUri(_) => "the URL cannot be used".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(retry_after: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", retry_after.parse().unwrap());
        headers
    }

    #[test]
    fn only_success_counts_as_delivered_and_only_410_gives_up_at_once() {
        for status in 200..=599 {
            let outcome = judge(status, &HeaderMap::new());
            let is_right = match status {
                200..=299 => matches!(outcome, Outcome::Delivered),
                410 => matches!(outcome, Outcome::Refused(_)),
                _ => matches!(outcome, Outcome::Failed { .. }),
            };
            assert!(is_right, "{status}: {outcome:?}");
        }
    }

    #[test]
    fn retry_after_is_in_seconds_or_a_date_and_is_limited() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777 - 20);
        let read = |text: &str| retry_after(&headers(text), now).map(|wait| wait.as_secs());
        assert_eq!(read("120"), Some(120));
        assert_eq!(read("Sun, 06 Nov 1994 08:49:37 GMT"), Some(20));
        assert_eq!(read("Sun, 06 Nov 1994 07:49:37 GMT"), Some(0), "it is in the past");
        assert_eq!(read("99999999"), Some(3600));
        assert_eq!(read("soon"), None);
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    #[test]
    fn a_url_must_be_http_without_a_password() {
        for good in ["http://127.0.0.1:8080", "https://hooks.example/a?token=hush"] {
            assert_eq!(check_url(good), Ok(()));
        }
        for bad in
            ["", "hush", "ftp://hush/x", "https://u:hush@host/", "https:///hush", "http://a b"]
        {
            assert!(check_url(bad).is_err(), "{bad}");
        }
    }
}
