//! Removes the client's own secrets from what a peer sends.
//!
//! A server that echoes a request, as in error pages and strings to sign, would
//! otherwise put them into errors and logs.

use crate::error::Error;
use crate::operation::Reply;
use std::borrow::Cow;

const MARK: &str = "[redacted]";
/// A shorter secret would occur in any string, and protects nothing.
const MIN_LENGTH: usize = 4;
/// A prefix of this length already reveals a secret: echoes may be truncated.
const PREFIX: usize = 8;
/// The maximum number of nested encodings to decode.
const MAX_ENCODINGS: usize = 3;

/// The secrets of a request.
#[derive(Default)]
pub(crate) struct Secrets<'a>(Vec<&'a [u8]>);

impl<'a> Secrets<'a> {
    pub(crate) fn new(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let secrets = secrets.into_iter().filter(|secret| secret.len() >= MIN_LENGTH);
        Secrets(secrets.map(str::as_bytes).collect())
    }

    /// Returns an error without secrets, including its causes.
    pub(crate) fn redact_error(&self, error: Error) -> Error {
        error.map_strings(|text| self.redact(text))
    }

    /// Removes secrets from the response's metadata.
    pub(crate) fn redact_ids(&self, reply: Reply) -> Reply {
        let redact = |text: String| self.redact(&text).into_owned();
        Reply { request_id: reply.request_id.map(redact), ec: reply.ec.map(redact), ..reply }
    }

    pub(crate) fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.redact_bytes(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    fn redact_bytes<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        let mut clean = Vec::new();
        let (mut at, mut copied) = (0, 0);
        while let Some(found) = text[at..].iter().position(|byte| self.may_begin(*byte)) {
            at += found;
            match self.0.iter().filter_map(|secret| match_length(&text[at..], secret)).max() {
                Some(length) => {
                    clean.extend_from_slice(&text[copied..at]);
                    clean.extend_from_slice(MARK.as_bytes());
                    at += length;
                    copied = at;
                }
                None => at += 1,
            }
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        clean.extend_from_slice(&text[copied..]);
        Cow::Owned(clean)
    }

    fn may_begin(&self, byte: u8) -> bool {
        matches!(byte, b'%' | b'&' | b'\\') || self.0.iter().any(|secret| secret[0] == byte)
    }
}

/// Returns the length of the secret, or of a long enough prefix, at the start of a
/// string, in any encoding. A secret may itself contain characters that encodings use.
fn match_length(text: &[u8], secret: &[u8]) -> Option<usize> {
    let raw = |rest: &[u8]| rest.first().map(|byte| (*byte, 1));
    let by = |first: Decoder, second: Decoder| match_by(text, secret, first, second);
    by(decode, raw).max(by(raw, decode))
}

/// Decodes the first character of a string, and returns it with its encoded length.
type Decoder = fn(&[u8]) -> Option<(u8, usize)>;

fn match_by(text: &[u8], secret: &[u8], first: Decoder, second: Decoder) -> Option<usize> {
    let (mut matched, mut length) = (0, 0);
    for wanted in secret {
        let take = |decoder: Decoder| decoder(&text[length..]).filter(|(byte, _)| byte == wanted);
        let Some((_, taken)) = take(first).or_else(|| take(second)) else { break };
        matched += 1;
        length += taken;
    }
    (matched >= secret.len().min(PREFIX)).then_some(length)
}

/// Decodes the first character of a string if it is encoded, once or several times, for
/// a URL, XML or JSON, and returns it with its encoded length.
fn decode(text: &[u8]) -> Option<(u8, usize)> {
    let (mut byte, mut taken) = decode_once(text)?;
    // `%252B` is `+`, encoded twice; so is `&amp;#43;`.
    for _ in 1..MAX_ENCODINGS {
        let rest = &text[taken..text.len().min(taken + 10)];
        let mut again = [0; 11];
        again[0] = byte;
        again[1..=rest.len()].copy_from_slice(rest);
        let Some((inner, more)) = decode_once(&again[..=rest.len()]) else { break };
        (byte, taken) = (inner, taken + more - 1);
    }
    Some((byte, taken))
}

fn decode_once(text: &[u8]) -> Option<(u8, usize)> {
    match text {
        [b'%', high, low, ..] => Some((hex(&[*high, *low])?, 3)),
        [b'\\', b'u', digits @ ..] => Some((hex(digits.get(..4)?)?, 6)),
        [b'\\', byte, ..] => Some((*byte, 2)),
        [b'&', rest @ ..] => {
            let end = rest.iter().take(10).position(|byte| *byte == b';')?;
            Some((reference(&rest[..end])?, end + 2))
        }
        _ => None,
    }
}

fn reference(name: &[u8]) -> Option<u8> {
    match name {
        b"amp" => Some(b'&'),
        b"lt" => Some(b'<'),
        b"gt" => Some(b'>'),
        b"quot" => Some(b'"'),
        b"apos" => Some(b'\''),
        [b'#', b'x' | b'X', digits @ ..] => hex(digits),
        [b'#', digits @ ..] => std::str::from_utf8(digits).ok()?.parse().ok(),
        _ => None,
    }
}

fn hex(digits: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(digits).ok()?;
    let number = u32::from_str_radix(digits, 16).ok()?;
    u8::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn redacted(secret: &str, text: &str) -> String {
        Secrets::new([secret]).redact(text).into_owned()
    }

    #[test]
    fn a_secret_is_found_in_every_encoding() {
        let secret = "ab+cd/e&f<g'h\"==";
        for text in [
            "ab+cd/e&f<g'h\"==",
            "ab%2Bcd%2Fe%26f%3Cg%27h%22%3D%3D",
            "ab%2bcd/e%26f%3cg%27h%22%3d%3d",
            "ab%252Bcd%252Fe%2526f%253Cg%2527h%2522%253D%253D",
            "ab+cd/e&amp;f&lt;g&apos;h&quot;==",
            "ab&#43;cd&#x2F;e&#38;f&#60;g&#39;h&#34;==",
            "ab&amp;#43;cd/e&amp;amp;f&lt;g&apos;h&quot;==",
            "ab+cd\\/e\\u0026f\\u003cg'h\\\"==",
            "%61%62%2B%63%64/e%26f%3Cg%27h%22%3D%3D",
        ] {
            let text = format!("before:{text} after {text}");
            assert_eq!(redacted(secret, &text), "before:[redacted] after [redacted]", "{text}");
        }
    }

    #[test]
    fn an_escaped_greater_than_sign_is_decoded() {
        assert_eq!(redacted("ab>cdefgh", "ab&gt;cdefgh"), "[redacted]");
    }

    #[test]
    fn a_truncated_secret_is_found_by_its_prefix() {
        assert_eq!(redacted("CAIS8QF1q6Ft5B2y", "token CAIS8QF1q6"), "token [redacted]");
        assert_eq!(redacted("CAIS8QF1q6Ft5B2y", "CAIS8QF"), "CAIS8QF");
    }

    #[test]
    fn other_strings_are_unchanged() {
        for text in ["", "100%", "a&b", "\\", "%", "&", "%zz", "&#;", "&#x;", "\\u12", "直播"] {
            assert_eq!(redacted("secret", text), text);
        }
        assert_eq!(redacted("", "text"), "text");
        assert_eq!(redacted("x", "text"), "text");
    }

    #[test]
    fn text_next_to_a_secret_is_unchanged() {
        assert_eq!(
            redacted("secret", "直secret播secretsecret"),
            "直[redacted]播[redacted][redacted]"
        );
    }

    #[test]
    fn request_ids_and_error_codes_are_redacted_and_the_rest_is_kept() {
        let reply = Reply {
            status: 403,
            request_id: Some("id-secret".into()),
            ec: Some("secret-1".into()),
            body: b"body".to_vec(),
            attempts: 2,
            ..Reply::default()
        };
        let clean = Secrets::new(["secret"]).redact_ids(reply);
        assert_eq!(clean.request_id.as_deref(), Some("id-[redacted]"));
        assert_eq!(clean.ec.as_deref(), Some("[redacted]-1"));
        assert_eq!((clean.status, &clean.body[..], clean.attempts), (403, &b"body"[..], 2));
    }

    #[test]
    fn a_cause_that_contains_a_secret_is_dropped() {
        let secrets = Secrets::new(["secret"]);
        let error = |cause: &str| {
            let error = Error::new(ErrorKind::Connection, "m")
                .with_source(std::io::Error::other(cause.to_owned()));
            secrets.redact_error(error)
        };
        assert!(std::error::Error::source(&error("a secret")).is_none());
        assert!(std::error::Error::source(&error("no such")).is_some());
    }
}
