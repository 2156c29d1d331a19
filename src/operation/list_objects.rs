//! ListObjectsV2: what is stored under a prefix.

use super::call::Call;
use super::check::in_range;
use super::read::missing;
use super::reply::{Reply, ResponseInfo};
use crate::error::{Error, Result};
use crate::request::{Method, Request, percent_decode};
use crate::xml::Element;
use time::OffsetDateTime;

/// Options for `list_objects`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListObjects {
    pub(crate) prefix: String,
    pub(crate) start_after: String,
    pub(crate) continuation_token: String,
    pub(crate) max_keys: Option<u32>,
}

impl ListObjects {
    /// Creates options for the first page of all objects.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lists only objects whose keys start with this prefix.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Lists only objects whose keys come after this one in byte order; it need not
    /// exist.
    pub fn start_after(mut self, key: impl Into<String>) -> Self {
        self.start_after = key.into();
        self
    }

    /// Continues after the page that returned this `next_token`.
    pub fn continuation_token(mut self, token: impl Into<String>) -> Self {
        self.continuation_token = token.into();
        self
    }

    /// Sets the page size, 1 to 1000. Defaults to the service's 100.
    pub fn max_keys(mut self, count: u32) -> Self {
        self.max_keys = Some(count);
        self
    }
}

/// One page of objects, returned by `list_objects`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ObjectList {
    /// The objects, in byte order of their keys.
    pub objects: Vec<ObjectSummary>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// The token of the next page, if there are more.
    pub next_token: Option<String>,
    /// Describes the call.
    pub res: ResponseInfo,
}

/// An object in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectSummary {
    /// The key.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// When it was last written, in whole seconds, if reported.
    pub last_modified: Option<OffsetDateTime>,
    /// The entity tag, in quotes, which changes with the content; empty if not
    /// reported.
    pub etag: String,
}

/// ListObjectsV2: returns one page of objects.
///
/// # Errors
///
/// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if `max_keys`
/// is not 1 to 1000.
pub fn list_objects(query: &ListObjects) -> Result<Call<ObjectList>> {
    // Keys are percent-encoded in the response: XML cannot represent all of them.
    let mut request =
        Request::new(Method::Get, "").param("list-type", "2").param("encoding-type", "url");
    for (name, value) in [
        ("prefix", &query.prefix),
        ("start-after", &query.start_after),
        ("continuation-token", &query.continuation_token),
    ] {
        // An empty parameter means the same as none.
        if !value.is_empty() {
            request = request.param(name, value);
        }
    }
    if let Some(count) = query.max_keys {
        in_range("max_keys", count, 1, 1000)?;
        request = request.param("max-keys", count.to_string());
    }
    Ok(Call::new(request, parse_list_objects))
}

fn parse_list_objects(_: &Request, reply: &Reply) -> Result<ObjectList> {
    reply.read("ListBucketResult", |root| {
        let (mut objects, mut is_truncated, mut next_token) = (Vec::new(), None, None);
        let is_encoded = root.children().any(|c| c.name() == "EncodingType" && c.value() == "url");
        for child in root.children() {
            match child.name() {
                "Contents" => objects.push(summary(child, is_encoded).map_err(|error| {
                    let number = objects.len() + 1;
                    Error::bad_reply(format!("object {number} of the list: {}", error.message()))
                })?),
                "IsTruncated" => is_truncated = Some(child.boolean()?),
                "NextContinuationToken" => {
                    next_token = Some(child.string()).filter(|token| !token.is_empty());
                }
                _ => {}
            }
        }
        let is_truncated = is_truncated.ok_or_else(|| missing("IsTruncated"))?;
        if is_truncated && next_token.is_none() {
            return Err(missing("NextContinuationToken"));
        }
        Ok(ObjectList { objects, is_truncated, next_token, res: reply.info() })
    })
}

fn summary(element: Element<'_, '_>, is_encoded: bool) -> Result<ObjectSummary> {
    let (mut key, mut size, mut last_modified, mut etag) = (None, None, None, String::new());
    for child in element.children() {
        match child.name() {
            "Key" => key = Some(object_key(child, is_encoded)?),
            "Size" => size = Some(child.number()?),
            "LastModified" => last_modified = child.optional_time(),
            "ETag" => etag = child.string(),
            _ => {}
        }
    }
    Ok(ObjectSummary {
        key: key.ok_or_else(|| missing("Key"))?,
        size: size.ok_or_else(|| missing("Size"))?,
        last_modified,
        etag,
    })
}

/// Reads a key from a response.
pub(super) fn object_key(element: Element<'_, '_>, is_encoded: bool) -> Result<String> {
    if !is_encoded {
        return Ok(element.string());
    }
    String::from_utf8(percent_decode(element.text().as_bytes())).map_err(|error| {
        let message = format!("{} {:?}: not UTF-8", element.name(), element.text());
        Error::bad_reply(message).with_source(error)
    })
}

#[cfg(test)]
impl ObjectSummary {
    /// Creates an object of this size.
    pub(crate) fn of(key: &str, size: u64) -> Self {
        ObjectSummary { key: key.into(), size, last_modified: None, etag: String::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::reply::samples::{ok, query};
    use super::*;
    use time::macros::datetime;

    fn page(body: &str) -> Result<ObjectList> {
        let body = format!("<ListBucketResult>{body}</ListBucketResult>");
        list_objects(&ListObjects::new()).unwrap().parse(&ok(&body))
    }

    #[test]
    fn empty_parameters_are_omitted_from_a_list_request() {
        let always = [("list-type", Some("2")), ("encoding-type", Some("url"))];
        assert_eq!(query(list_objects(&ListObjects::new()).unwrap().request()), always);
        let all = ListObjects::new().prefix("c/").start_after("c/1").continuation_token("t");
        let expected = [
            ("prefix", Some("c/")),
            ("start-after", Some("c/1")),
            ("continuation-token", Some("t")),
            ("max-keys", Some("1000")),
        ];
        let call = list_objects(&all.max_keys(1000)).unwrap();
        assert_eq!(query(call.request()), [&always[..], &expected].concat());
        for count in [0, 1001] {
            assert!(list_objects(&ListObjects::new().max_keys(count)).is_err());
        }
    }

    #[test]
    fn a_page_has_keys_sizes_times_and_tags() {
        let list = page(
            "<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>\
             <NextContinuationToken>t</NextContinuationToken>\
             <Contents><Key>c%2F%01%E7%9B%B4.ts</Key><Size>7</Size><ETag>\"A1\"</ETag>\
             <LastModified>2026-11-22T08:16:38.000Z</LastModified></Contents>",
        )
        .unwrap();
        let expected = ObjectSummary {
            key: "c/\u{1}直.ts".into(),
            size: 7,
            last_modified: Some(datetime!(2026-11-22 08:16:38 UTC)),
            etag: "\"A1\"".into(),
        };
        assert_eq!(list.objects, [expected]);
        assert_eq!((list.is_truncated, list.next_token.as_deref()), (true, Some("t")));
    }

    #[test]
    fn keys_are_decoded_only_if_the_response_declares_an_encoding() {
        let contents = "<Contents><Key>a%41</Key><Size>0</Size></Contents>";
        for (encoding, key) in [
            ("", "a%41"),
            ("<EncodingType/>", "a%41"),
            ("<Prefix>url</Prefix>", "a%41"),
            ("<EncodingType>url</EncodingType>", "aA"),
        ] {
            let list = page(&format!("{encoding}<IsTruncated>false</IsTruncated>{contents}"));
            assert_eq!(list.unwrap().objects[0].key, key, "{encoding}");
        }
    }

    #[test]
    fn an_incomplete_or_invalid_page_is_an_error_that_names_the_problem() {
        let end = "<IsTruncated>false</IsTruncated>";
        for (body, word) in [
            (String::new(), "IsTruncated"),
            ("<IsTruncated>true</IsTruncated>".into(), "NextContinuationToken"),
            (format!("{end}<Contents><Size>1</Size></Contents>"), "Key"),
            (format!("{end}<Contents><Key>a</Key></Contents>"), "Size"),
            (format!("{end}<Contents><Key>a</Key><Size>-1</Size></Contents>"), "object 1"),
            (
                format!(
                    "<EncodingType>url</EncodingType>{end}\
                     <Contents><Key>%FF</Key><Size>1</Size></Contents>"
                ),
                "UTF-8",
            ),
        ] {
            let error = page(&body).unwrap_err();
            assert!(error.message().contains(word), "{error}");
        }
    }
}
