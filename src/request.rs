//! A request without host, signature and connection, and the percent-encoder for
//! both the string to sign and the URL.

use std::borrow::Cow;
use std::fmt;

/// The HTTP method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates or replaces.
    Put,
    /// Creates a playlist, or deletes a batch of objects.
    Post,
    /// Deletes.
    Delete,
}

impl Method {
    /// Returns the method as sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Put => "PUT",
            Method::Post => "POST",
            Method::Delete => "DELETE",
        }
    }
}

/// A query parameter: a name, optionally with a value.
pub type Param = (Cow<'static, str>, Option<String>);

/// The request of an operation, without host, time and signature.
///
/// Key and query are raw: [`percent_encode`] is applied once, when the
/// request is signed and its URL is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The key within the bucket; empty for the bucket itself.
    pub key: String,
    /// The query parameters, in any order, each name once.
    pub query: Vec<Param>,
    /// The headers that are part of the operation, with names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body and its content type.
    pub body: Option<Body>,
}

/// A request's body.
#[derive(Clone, PartialEq, Eq)]
pub struct Body {
    /// The value of the Content-Type header.
    pub content_type: &'static str,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({}, {} bytes)", self.content_type, self.bytes.len())
    }
}

impl Request {
    /// Creates a request for a key, without query, headers and body.
    pub fn new(method: Method, key: impl Into<String>) -> Self {
        Request { method, key: key.into(), query: Vec::new(), headers: Vec::new(), body: None }
    }

    /// Adds a bare parameter, such as `live`.
    pub fn flag(mut self, name: &'static str) -> Self {
        self.query.push((Cow::Borrowed(name), None));
        self
    }

    /// Adds a parameter with a value. An empty value becomes a bare name, because
    /// implementations disagree on how an empty value is signed.
    pub fn param(mut self, name: &'static str, value: impl Into<String>) -> Self {
        let value = Some(value.into()).filter(|value| !value.is_empty());
        self.query.push((Cow::Borrowed(name), value));
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sets the body.
    pub fn body(mut self, content_type: &'static str, bytes: Vec<u8>) -> Self {
        self.body = Some(Body { content_type, bytes });
        self
    }
}

/// Percent-encodes a string as in RFC 3986: all but the unreserved characters,
/// `A-Z a-z 0-9 - _ . ~`, become `%XX` in upper case.
///
/// ```
/// assert_eq!(osslive::request::percent_encode("直 a/b"), "%E7%9B%B4%20a%2Fb");
/// ```
pub fn percent_encode(text: &str) -> String {
    // Allocated at full size: growing would leave a copy of the content behind.
    let special = text.bytes().filter(|byte| !is_unreserved(*byte)).count();
    let mut encoded = String::with_capacity(text.len() + 2 * special);
    push_encoded(&mut encoded, text);
    encoded
}

/// Percent-encodes a path: like [`percent_encode`], but keeps `/`.
pub fn percent_encode_path(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    push_encoded_path(&mut encoded, path);
    encoded
}

/// Percent-decodes a string once. Invalid encodings are kept as they are.
pub(crate) fn percent_decode(text: &[u8]) -> Vec<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        match (first, after) {
            (b'%', [high, low, after @ ..]) if digit(high).is_some() && digit(low).is_some() => {
                let value = digit(high).unwrap_or(0) * 16 + digit(low).unwrap_or(0);
                decoded.push(value as u8);
                rest = after;
            }
            _ => {
                decoded.push(*first);
                rest = after;
            }
        }
    }
    decoded
}

pub(crate) fn push_encoded(out: &mut String, text: &str) {
    push(out, text, false);
}

pub(crate) fn push_encoded_path(out: &mut String, path: &str) {
    push(out, path, true);
}

fn push(out: &mut String, text: &str, keep_slash: bool) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut clean_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if is_unreserved(byte) || (keep_slash && byte == b'/') {
            continue;
        }
        // Every byte of a multi-byte character is encoded, so that both ends of
        // a copied slice are character boundaries.
        if clean_from < at {
            out.push_str(&text[clean_from..at]);
        }
        out.push('%');
        out.push(HEX[usize::from(byte >> 4)].into());
        out.push(HEX[usize::from(byte & 15)].into());
        clean_from = at + 1;
    }
    if clean_from < text.len() {
        out.push_str(&text[clean_from..]);
    }
}

/// A table, because a URL has hundreds of bytes to look up.
const UNRESERVED: [bool; 256] = {
    let mut unreserved = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        let character = byte as u8;
        unreserved[byte] =
            character.is_ascii_alphanumeric() || matches!(character, b'-' | b'_' | b'.' | b'~');
        byte += 1;
    }
    unreserved
};

fn is_unreserved(byte: u8) -> bool {
    UNRESERVED[usize::from(byte)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unreserved_characters_are_unchanged() {
        assert_eq!(percent_encode("AZaz09-_.~"), "AZaz09-_.~");
    }

    #[test]
    fn every_other_ascii_character_is_encoded_in_upper_case() {
        for byte in 0u8..128 {
            let text = char::from(byte).to_string();
            let expected = if is_unreserved(byte) { text.clone() } else { format!("%{byte:02X}") };
            assert_eq!(percent_encode(&text), expected);
        }
    }

    #[test]
    fn only_a_path_keeps_its_slashes() {
        assert_eq!(percent_encode_path("a/b c/é"), "a/b%20c/%C3%A9");
        assert_eq!(percent_encode("a/b"), "a%2Fb");
    }

    #[test]
    fn characters_of_two_to_four_bytes_are_encoded_byte_by_byte() {
        assert_eq!(percent_encode("é直🎥x"), "%C3%A9%E7%9B%B4%F0%9F%8E%A5x");
    }

    #[test]
    fn decoding_reverses_encoding_and_keeps_invalid_encodings() {
        for text in ["a b/直?%", "", "%"] {
            assert_eq!(percent_decode(percent_encode(text).as_bytes()), text.as_bytes());
        }
        assert_eq!(percent_decode(b"%4%zz%41%e"), b"%4%zzA%e");
    }

    #[test]
    fn an_empty_value_is_written_as_a_bare_name() {
        let request = Request::new(Method::Get, "").flag("live").param("marker", "");
        assert_eq!(request.query, [("live".into(), None), ("marker".into(), None)]);
    }

    #[test]
    fn debug_shows_the_size_of_a_body_instead_of_its_content() {
        let request = Request::new(Method::Post, "").body("text/plain", b"secret".to_vec());
        assert_eq!(format!("{:?}", request.body.unwrap()), "Body(text/plain, 6 bytes)");
    }

    #[test]
    fn an_encoded_string_is_allocated_at_full_size() {
        for text in ["abc", "a b/c", "直播"] {
            let encoded = percent_encode(text);
            assert_eq!(encoded.capacity(), encoded.len(), "{text}");
        }
    }
}
