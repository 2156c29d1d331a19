//! DeleteMultipleObjects: a batch of objects.

use super::call::Call;
use super::done::{Done, parse_done};
use crate::error::{Error, Result};
use crate::request::{Method, Request};
use crate::xml::{self, Writer};
use base64::prelude::{BASE64_STANDARD, Engine};
use md5::{Digest, Md5};

/// The largest batch that the service accepts.
pub const MAX_DELETED: usize = 1000;

/// DeleteMultipleObjects: permanently deletes objects. Objects that do not exist count
/// as deleted.
///
/// Source: the service's page "DeleteMultipleObjects", which requires Content-MD5.
///
/// # Errors
///
/// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) for no keys, more
/// than [`MAX_DELETED`], an empty key, or one with characters that XML forbids.
pub fn delete_objects(keys: &[impl AsRef<str>]) -> Result<Call<Done>> {
    if !(1..=MAX_DELETED).contains(&keys.len()) {
        let message = format!("{} keys to delete: must be 1 to {MAX_DELETED}", keys.len());
        return Err(Error::invalid(message));
    }
    for key in keys.iter().map(AsRef::as_ref) {
        if key.is_empty() || !xml::allows(key) {
            let shown: String = key.chars().take(80).collect();
            return Err(Error::invalid(format!(
                "key {shown:?}: must not be empty or contain characters that XML forbids"
            )));
        }
    }
    let body = document(keys).into_bytes();
    let digest = BASE64_STANDARD.encode(Md5::digest(&body));
    let request = Request::new(Method::Post, "").flag("delete").header("content-md5", digest);
    Ok(Call::new(request.body("application/xml", body), parse_done))
}

fn document(keys: &[impl AsRef<str>]) -> String {
    let object = |xml: Writer, key: &str| xml.element("Object", |xml| xml.text("Key", key));
    let whole = Writer::new().element("Delete", |xml| {
        // With this, the response has no body.
        let xml = xml.text("Quiet", "true");
        keys.iter().fold(xml, |xml, key| object(xml, key.as_ref()))
    });
    whole.finish()
}

#[cfg(test)]
mod tests {
    use super::super::reply::samples::{ok, query};
    use super::*;

    #[test]
    fn a_batch_is_a_quiet_document_with_its_digest() {
        let call = delete_objects(&["c/1.ts", "a&b"]).unwrap();
        let request = call.request();
        assert_eq!((request.method, query(request)), (Method::Post, vec![("delete", None)]));
        let body = request.body.as_ref().unwrap();
        let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Delete><Quiet>true</Quiet>\
                        <Object><Key>c/1.ts</Key></Object><Object><Key>a&amp;b</Key></Object>\
                        </Delete>";
        assert_eq!(str::from_utf8(&body.bytes).unwrap(), expected);
        let digest = BASE64_STANDARD.encode(Md5::digest(expected));
        assert_eq!(request.headers, [("content-md5", digest)]);
        assert!(call.parse(&ok("")).is_ok());
        assert!(call.parse(&ok("<DeleteResult/>")).is_ok());
        assert!(call.parse(&ok("<Error><Code>AccessDenied</Code></Error>")).is_err());
    }

    #[test]
    fn invalid_keys_are_rejected_and_named() {
        let too_many = vec!["k"; MAX_DELETED + 1];
        for (keys, word) in [
            (&[][..], "0 keys"),
            (&too_many, "1001 keys"),
            (&["a", ""], "\"\""),
            (&["\u{1}"], "XML"),
        ] {
            let error = delete_objects(keys).unwrap_err();
            assert!(error.message().contains(word), "{error}");
        }
        assert!(delete_objects(&too_many[1..]).is_ok());
    }
}
