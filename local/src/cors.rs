//! Cross-origin resource sharing: which origins may access a bucket.
//!
//! The rules, and how they are matched, follow PutBucketCors.

use crate::address::host_name;
use serde::{Deserialize, Serialize};

/// The methods that a rule can allow.
pub const METHODS: &[&str] = &["GET", "PUT", "DELETE", "POST", "HEAD"];

/// The CORS configuration of a bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cors {
    /// The rules; the first that matches applies.
    pub rules: Vec<Rule>,
    /// Whether every response has the header `Vary: Origin`.
    pub response_vary: bool,
}

/// A CORS rule: what pages of some origins may do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The origins, each with at most one `*`.
    pub allowed_origins: Vec<String>,
    /// The methods, of [`METHODS`].
    pub allowed_methods: Vec<String>,
    /// The request headers, each with at most one `*`.
    pub allowed_headers: Vec<String>,
    /// The response headers that a page may read.
    pub expose_headers: Vec<String>,
    /// How long a browser may cache the response to a preflight request, in seconds.
    pub max_age_seconds: Option<u32>,
}

/// A cross-origin request: for an actual request, without headers.
#[derive(Debug, Clone, Copy)]
pub struct CrossOrigin<'a> {
    /// The page's origin.
    pub origin: &'a str,
    /// The method of the actual request.
    pub method: &'a str,
    /// The value of Access-Control-Request-Headers.
    pub headers: &'a str,
}

impl Rule {
    /// Returns a rule that allows pages of an origin to play.
    pub fn playback(origin: &str) -> Rule {
        const EXPOSED: &[&str] =
            &["ETag", "Content-Length", "Content-Range", "Date", "x-oss-request-id"];
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Rule {
            allowed_origins: vec![origin.to_owned()],
            allowed_methods: owned(&["GET", "HEAD"]),
            allowed_headers: owned(&["*"]),
            expose_headers: owned(EXPOSED),
            max_age_seconds: Some(600),
        }
    }

    /// Returns whether the rule allows a request: origin, method and every header.
    ///
    /// The origin must be a single one. A page without an origin (`null`: a
    /// sandboxed frame, a file) is allowed only by `*`.
    pub fn allows(&self, request: &CrossOrigin<'_>) -> bool {
        let origin = |pattern: &String| {
            pattern == "*" || is_origin(request.origin) && matches(pattern, request.origin)
        };
        let header = |name: &str| self.allowed_headers.iter().any(|pattern| matches(pattern, name));
        let mut headers = request.headers.split(',').map(str::trim).filter(|name| !name.is_empty());
        (request.origin == "null" || is_origin(request.origin))
            && self.allowed_origins.iter().any(origin)
            && self.allowed_methods.iter().any(|method| method.eq_ignore_ascii_case(request.method))
            && headers.all(header)
    }

    /// Returns whether the rule applies to all origins.
    pub fn is_for_all(&self) -> bool {
        self.allowed_origins.iter().any(|pattern| pattern == "*")
    }
}

/// Returns whether a string matches a pattern with at most one `*`, ignoring case.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_ascii_lowercase(), text.to_ascii_lowercase());
    match pattern.split_once('*') {
        Some((begin, end)) => text.strip_prefix(begin).is_some_and(|rest| rest.ends_with(end)),
        None => text == pattern,
    }
}

/// Returns whether a string is a single origin as browsers write it:
/// `SCHEME://HOST[:PORT]`.
pub fn is_origin(text: &str) -> bool {
    let Some((scheme, host)) = text.split_once("://") else { return false };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    scheme.bytes().all(allowed)
        && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && !host.starts_with(':')
        && host_name(host).is_some_and(|name| !name.is_empty())
}

/// Converts an origin to the form that browsers send: in lower case and without
/// the default port of its scheme. Returns `None` for anything but `*` and
/// `SCHEME://HOST[:PORT]`.
pub fn parse_origin(text: &str) -> Option<String> {
    if text == "*" {
        return Some(text.to_owned());
    }
    let origin = text.to_ascii_lowercase();
    let implied = match origin.split_once("://")?.0 {
        "http" => ":80",
        "https" => ":443",
        _ => "",
    };
    is_origin(&origin).then(|| origin.strip_suffix(implied).unwrap_or(&origin).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(origins: &[&str], methods: &[&str], headers: &[&str]) -> Rule {
        let owned = |texts: &[&str]| texts.iter().map(|text| text.to_string()).collect();
        Rule {
            allowed_origins: owned(origins),
            allowed_methods: owned(methods),
            allowed_headers: owned(headers),
            ..Rule::default()
        }
    }

    fn allows(rule: &Rule, origin: &str, method: &str, headers: &str) -> bool {
        rule.allows(&CrossOrigin { origin, method, headers })
    }

    #[test]
    fn a_rule_matches_by_origin_method_and_every_header() {
        let rule =
            rule(&["https://*.example.com", "http://a"], &["GET", "PUT"], &["x-oss-*", "range"]);
        for (origin, method, headers, expected) in [
            ("https://a.example.com", "GET", "", true),
            ("https://a.b.example.com", "PUT", "Range, X-OSS-Date", true),
            ("HTTPS://A.Example.com", "put", "", true),
            ("http://a", "GET", " , range ,", true),
            ("https://example.com", "GET", "", false),
            ("http://a.example.com", "GET", "", false),
            ("https://a.example.com:444", "GET", "", false),
            ("https://a.example.com.evil", "GET", "", false),
            ("http://a", "DELETE", "", false),
            ("http://a", "GET", "range, authorization", false),
        ] {
            assert_eq!(
                allows(&rule, origin, method, headers),
                expected,
                "{origin} {method} {headers}"
            );
        }
    }

    #[test]
    fn an_invalid_origin_matches_no_pattern() {
        let wide = rule(&["http*", "*example.com", "*null"], &["GET"], &[]);
        let any = rule(&["*"], &["GET"], &[]);
        for origin in [
            "",
            "example.com",
            "http://",
            "://example.com",
            "http://a,https://b.example.com",
            "http://a/https://b.example.com",
            "http://a?x.example.com",
            "http://user@example.com",
            "http://a b.example.com",
            "http://a:.example.com",
            "1http://example.com",
        ] {
            assert!(!allows(&wide, origin, "GET", ""), "{origin}");
            assert!(!allows(&any, origin, "GET", ""), "{origin}");
        }
        assert!(!allows(&wide, "null", "GET", ""));
        assert!(allows(&any, "null", "GET", ""));
    }

    #[test]
    fn the_two_sides_of_an_asterisk_do_not_overlap() {
        assert!(!matches("http://ab*ba", "http://aba"));
        assert!(matches("http://ab*ba", "http://abba"));
        assert!(matches("http://localhost:*", "http://localhost:3000"));
    }

    #[test]
    fn an_origin_is_normalized_to_the_form_that_browsers_send() {
        for (text, origin) in [
            ("*", Some("*")),
            ("http://localhost:3000", Some("http://localhost:3000")),
            ("HTTP://LocalHost:80", Some("http://localhost")),
            ("https://a.example:443", Some("https://a.example")),
            ("https://a.example:80", Some("https://a.example:80")),
            ("http://[::1]:3000", Some("http://[::1]:3000")),
            ("capacitor://localhost", Some("capacitor://localhost")),
            ("http://localhost:3000/", None),
            ("http://localhost:3000/app", None),
            ("localhost:3000", None),
            ("http://*.example.com", None),
            ("http://*", None),
            ("null", None),
            ("", None),
            ("http://a http://b", None),
            ("http://a,http://b", None),
            ("http://user@a", None),
        ] {
            assert_eq!(parse_origin(text).as_deref(), origin, "{text}");
        }
    }
}
