//! The query of a request.

use crate::address::percent_decode;
use std::collections::HashSet;

/// The parameters of a query, decoded, each name once.
#[derive(Debug, Default)]
pub struct Query(Vec<(String, Option<String>)>);

/// A query that cannot be decoded: the name of the parameter at fault, as far
/// as it could be read.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed(pub String);

impl Query {
    /// Reads a query as it stands in the request target. A `+` is a space: the
    /// vendor's SDK for Python writes it so, and no SDK leaves a plus
    /// unescaped. Of two parameters with one name, the first counts.
    pub fn parse(raw: &str) -> Result<Query, Malformed> {
        let mut seen = HashSet::new();
        let mut params = Vec::new();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = match pair.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (pair, None),
            };
            let name = decode(name).ok_or_else(|| Malformed(name.to_owned()))?;
            let value = match value {
                Some(value) => Some(decode(value).ok_or_else(|| Malformed(name.clone()))?),
                None => None,
            };
            if seen.insert(name.clone()) {
                params.push((name, value));
            }
        }
        Ok(Query(params))
    }

    /// The value of a parameter: empty for a bare name, `None` without one.
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(n, _)| n == name)?;
        Some(value.as_deref().unwrap_or_default())
    }

    /// The value of a parameter, with absent and empty being the same.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Whether a parameter is there, with or without a value.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The parameters as signatures cover them.
    pub fn parts(&self) -> Vec<(&str, Option<&str>)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect()
    }
}

fn decode(text: &str) -> Option<String> {
    let (bytes, well_formed) = percent_decode(&text.replace('+', " "));
    String::from_utf8(bytes).ok().filter(|_| well_formed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_and_without_a_value_are_alike() {
        for raw in ["live", "live=", "a=b&live", "live=&a=b", "&live&&"] {
            let query = Query::parse(raw).unwrap();
            assert_eq!(query.get("live"), Some(""), "{raw}");
            assert_eq!(query.value("live"), None, "{raw}");
        }
        assert!(!Query::parse("Live").unwrap().has("live"));
    }

    #[test]
    fn the_first_of_two_counts_and_a_plus_is_a_space() {
        let query = Query::parse("a=1+1&a=2&b=%E7%9B%B4%20%2B=x").unwrap();
        assert_eq!(query.parts(), [("a", Some("1 1")), ("b", Some("直 +=x"))]);
    }

    #[test]
    fn a_bad_escape_or_text_that_is_no_utf8_names_its_parameter() {
        assert_eq!(Query::parse("a=1&prefix=%ff").unwrap_err(), Malformed("prefix".into()));
        assert_eq!(Query::parse("a=%4").unwrap_err(), Malformed("a".into()));
        assert_eq!(Query::parse("%=1").unwrap_err(), Malformed("%".into()));
    }
}
