//! The signature of RPC-style APIs such as STS: HMAC-SHA1 over the sorted
//! parameters (SignatureVersion 1.0).
//!
//! Source: the vendor's page "RPC mechanism", whose example is the test below.

use super::v1;
use crate::request::push_encoded;
use base64::prelude::{BASE64_STANDARD, Engine};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// Returns the value of the parameter `Signature`.
pub(crate) fn sign(method: &str, parameters: &BTreeMap<&str, &str>, secret: &str) -> String {
    let key = v1::Key::new(&Zeroizing::new(format!("{secret}&")));
    BASE64_STANDARD.encode(key.sign(&string_to_sign(method, parameters)))
}

fn string_to_sign(method: &str, parameters: &BTreeMap<&str, &str>) -> Zeroizing<String> {
    let query = query(parameters);
    let mut text = Zeroizing::new(String::with_capacity(method.len() + 5 + 3 * query.len()));
    text.push_str(method);
    text.push_str("&%2F&");
    push_encoded(&mut text, &query);
    text
}

/// Returns the parameters as a query or a form. They may include a token.
pub(crate) fn query(parameters: &BTreeMap<&str, &str>) -> Zeroizing<String> {
    let length = parameters.iter().map(|(name, value)| name.len() + value.len() + 2);
    // Allocated at full size: growing would leave a copy of the content behind.
    let mut query = Zeroizing::new(String::with_capacity(3 * length.sum::<usize>()));
    for (name, value) in parameters {
        if !query.is_empty() {
            query.push('&');
        }
        push_encoded(&mut query, name);
        query.push('=');
        push_encoded(&mut query, value);
    }
    query
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_documentation_is_reproduced() {
        let parameters = BTreeMap::from([
            ("AccessKeyId", "testid"),
            ("Action", "DescribeRegions"),
            ("Format", "XML"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureNonce", "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf"),
            ("SignatureVersion", "1.0"),
            ("Timestamp", "2016-02-23T12:46:24Z"),
            ("Version", "2014-05-26"),
        ]);
        assert_eq!(sign("GET", &parameters, "testsecret"), "OLeaidS1JvxuMvnyHOwuJ+uX5qY=");
    }

    #[test]
    fn a_query_is_allocated_at_full_size() {
        let texts: Vec<_> = (0..100).map(|at| "\u{e9}".repeat(1 + at % 7 + at)).collect();
        let parameters = texts.iter().map(|text| (text.as_str(), "\u{e9}\u{e9}")).collect();
        let query = query(&parameters);
        // Four bytes per parameter: neither separator is encoded.
        assert!(query.capacity() - query.len() <= 4 * parameters.len() + 1);
    }
}
