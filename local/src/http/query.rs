//! The query of a request.

use crate::address::percent_decode;
use std::collections::HashSet;

/// The parameters of a query, decoded, without repeated names.
#[derive(Debug, Default)]
pub struct Query(Vec<(String, Option<String>)>);

/// A malformed or ambiguous query.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The name of the invalid parameter, as far as it could be decoded.
    pub name: String,
    /// What is required instead.
    pub rule: &'static str,
}

impl Query {
    /// Parses the query of a request target. A `+` is a space: the vendor's SDK
    /// for Python encodes it that way, and no SDK leaves a plus sign unescaped.
    ///
    /// # Errors
    ///
    /// The query is ambiguous: a repeated name, ignoring case; an empty name; a
    /// `;`, which some parsers treat as `&`; a name with unnecessary escapes. Or
    /// it is not percent-encoded UTF-8.
    pub fn parse(raw: &str) -> Result<Query, Malformed> {
        let mut seen = HashSet::new();
        let mut params = Vec::new();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = parse_pair(pair)?;
            if !seen.insert(name.to_ascii_lowercase()) {
                return Err(malformed(name, "must not be repeated"));
            }
            params.push((name, value));
        }
        Ok(Query(params))
    }

    /// Returns the value of a parameter: empty for a bare name, `None` if absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(n, _)| n == name)?;
        Some(value.as_deref().unwrap_or_default())
    }

    /// Returns the value of a parameter; `None` if it is absent or empty.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Returns whether a parameter is present, with or without a value.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Returns the parameters in the form that signatures cover.
    pub fn parts(&self) -> Vec<(&str, Option<&str>)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect()
    }
}

fn parse_pair(pair: &str) -> Result<(String, Option<String>), Malformed> {
    const ENCODING: &str = "must be percent-encoded UTF-8";
    let (raw_name, value) = match pair.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (pair, None),
    };
    let name = decode(raw_name).ok_or_else(|| malformed(raw_name, ENCODING))?;
    let value = match value {
        Some(value) => Some(decode(value).ok_or_else(|| malformed(name.clone(), ENCODING))?),
        None => None,
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if name.is_empty() {
        return Err(malformed(name, "must have a name"));
    }
    if pair.contains(';') {
        return Err(malformed(name, "must have its semicolons escaped as %3B"));
    }
    if name != raw_name && name.bytes().all(is_plain) {
        return Err(malformed(name, "must be written without escapes"));
    }
    Ok((name, value))
}

fn malformed(name: impl Into<String>, rule: &'static str) -> Malformed {
    Malformed { name: name.into(), rule }
}

fn decode(text: &str) -> Option<String> {
    let (bytes, well_formed) = percent_decode(&text.replace('+', " "));
    String::from_utf8(bytes).ok().filter(|_| well_formed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_name_is_the_same_as_an_empty_value() {
        for raw in ["live", "live=", "a=b&live", "live=&a=b", "&live&&"] {
            let query = Query::parse(raw).unwrap();
            assert_eq!(query.get("live"), Some(""), "{raw}");
            assert_eq!(query.value("live"), None, "{raw}");
        }
        assert!(!Query::parse("Live").unwrap().has("live"));
    }

    #[test]
    fn a_plus_is_a_space() {
        let query = Query::parse("a=1+1&b=%E7%9B%B4%20%2B=x").unwrap();
        assert_eq!(query.parts(), [("a", Some("1 1")), ("b", Some("直 +=x"))]);
    }

    fn refused(raw: &str) -> (String, &'static str) {
        let Malformed { name, rule } = Query::parse(raw).unwrap_err();
        (name, rule)
    }

    #[test]
    fn invalid_escapes_and_invalid_utf8_are_refused_with_the_parameters_name() {
        const RULE: &str = "must be percent-encoded UTF-8";
        assert_eq!(refused("a=1&prefix=%ff"), ("prefix".into(), RULE));
        assert_eq!(refused("a=%4"), ("a".into(), RULE));
        assert_eq!(refused("%=1"), ("%".into(), RULE));
    }

    #[test]
    fn ambiguous_queries_are_refused() {
        for (raw, name, rule) in [
            ("a=1&a=2", "a", "repeated"),
            ("a=1&a=1", "a", "repeated"),
            ("live&live=", "live", "repeated"),
            ("live&x=1&live=evil", "live", "repeated"),
            ("live&Live", "Live", "repeated"),
            ("x-oss-expires=60&X-OSS-Expires=61", "X-OSS-Expires", "repeated"),
            ("a%20b=1&a+b=2", "a b", "repeated"),
            ("%6Cive", "live", "without escapes"),
            ("x-oss%2dexpires=60", "x-oss-expires", "without escapes"),
            ("live;status=disabled", "live;status", "semicolons"),
            ("comp=stat;live", "comp", "semicolons"),
            ("=x", "", "name"),
            ("live&=", "", "name"),
        ] {
            let (found, words) = refused(raw);
            assert!(found == name && words.contains(rule), "{raw}: {found:?} {words}");
        }
        for raw in ["a=%3B", "a%3Bb=1", "%E7%9B%B4=1", "a=%61", "live&status=x&&", "A=1&b=2"] {
            assert!(Query::parse(raw).is_ok(), "{raw}");
        }
    }
}
