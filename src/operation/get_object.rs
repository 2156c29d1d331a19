//! GetObject: the bytes of an object, or a range of them.

use super::call::Call;
use super::reply::{Reply, ResponseInfo};
use crate::error::{Error, ErrorKind, Result};
use crate::request::{Method, Request};
use std::ops::{Bound, RangeBounds};

/// Options for `get_object`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetObject {
    key: String,
    /// The first byte, and the one after the last.
    pub(crate) start: u64,
    pub(crate) end: Option<u64>,
    etag: Option<String>,
}

impl GetObject {
    /// Creates options for a whole object.
    pub fn new(key: impl Into<String>) -> Self {
        GetObject { key: key.into(), start: 0, end: None, etag: None }
    }

    /// Gets only these bytes.
    ///
    /// ```
    /// use osslive::GetObject;
    ///
    /// let head = GetObject::new("main-stage/1543895706266.ts").range(..188);
    /// let rest = GetObject::new("main-stage/1543895706266.ts").range(188..);
    /// ```
    pub fn range(mut self, bytes: impl RangeBounds<u64>) -> Self {
        self.start = match bytes.start_bound() {
            Bound::Included(first) => *first,
            Bound::Excluded(before) => before.saturating_add(1),
            Bound::Unbounded => 0,
        };
        self.end = match bytes.end_bound() {
            Bound::Included(last) => Some(last.saturating_add(1)),
            Bound::Excluded(end) => Some(*end),
            Bound::Unbounded => None,
        };
        self
    }

    /// Fails with status 412 unless the object still has this entity tag.
    pub fn if_match(mut self, etag: impl Into<String>) -> Self {
        self.etag = Some(etag.into());
        self
    }

    fn has_range(&self) -> bool {
        self.start > 0 || self.end.is_some()
    }
}

/// The metadata of an object, returned by `get_object`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ObjectInfo {
    /// The size of the whole object, in bytes.
    pub size: u64,
    /// The position of the first returned byte.
    pub start: u64,
    /// The number of returned bytes.
    pub length: u64,
    /// The entity tag, in quotes, if reported.
    pub etag: Option<String>,
    /// Describes the call.
    pub res: ResponseInfo,
}

/// GetObject: returns the bytes of an object.
///
/// The parser judges the response by its status and headers; the bytes are its
/// body.
///
/// # Errors
///
/// [`ErrorKind::InvalidArgument`] for an empty key or an empty range.
pub fn get_object(query: &GetObject) -> Result<Call<ObjectInfo>> {
    if query.key.is_empty() {
        return Err(Error::invalid("the key is empty"));
    }
    if let Some(end) = query.end.filter(|end| *end <= query.start) {
        let message = format!("range {}..{end}: must contain at least one byte", query.start);
        return Err(Error::invalid(message));
    }
    let mut request = Request::new(Method::Get, &query.key);
    if query.has_range() {
        let last = query.end.map_or(String::new(), |end| (end - 1).to_string());
        request = request.header("range", format!("bytes={}-{last}", query.start));
        // Otherwise a range beyond the end returns the whole object.
        request = request.header("x-oss-range-behavior", "standard");
    }
    if let Some(etag) = &query.etag {
        request = request.header("if-match", etag);
    }
    Ok(Call::new(request, parse_get_object))
}

fn parse_get_object(request: &Request, reply: &Reply) -> Result<ObjectInfo> {
    if !matches!(reply.status, 200..=299) {
        reply.check()?;
    }
    let Some(length) = reply.content_length else {
        let message = "the response has no length: it may be truncated";
        return Err(reply.found(Error::new(ErrorKind::Connection, message)));
    };
    let range = request.headers.iter().find(|(name, _)| *name == "range");
    let (start, size) = match (range, &reply.content_range) {
        (None, _) => (0, length),
        (Some((_, requested)), Some(range)) => content_range(requested, range, length)
            .map_err(|mismatch| reply.found(Error::bad_reply(mismatch)))?,
        (Some((_, requested)), None) => {
            let message =
                format!("the response has no Content-Range, but {requested:?} was requested");
            return Err(reply.found(Error::bad_reply(message)));
        }
    };
    Ok(ObjectInfo { size, start, length, etag: reply.etag.clone(), res: reply.info() })
}

/// Parses a Content-Range (RFC 9110 section 14.4) and compares it with the requested
/// range. Returns the position of the first byte and the size of the object.
fn content_range(requested: &str, received: &str, length: u64) -> Result<(u64, u64), String> {
    let mismatch = || format!("unexpected Content-Range {received:?}: {requested:?} was requested");
    let read = || {
        let (range, size) = received.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let number = |text: &str| text.trim().parse::<u64>().ok();
        Some((number(first)?, number(last)?, number(size)?))
    };
    let (first, last, size) = read().ok_or_else(mismatch)?;
    let (from, to) = requested["bytes=".len()..].split_once('-').unwrap_or_default();
    let wanted = to.parse().unwrap_or(u64::MAX).min(size.saturating_sub(1));
    let is_as_requested = from == first.to_string() && last == wanted && last >= first;
    if is_as_requested && last - first + 1 == length { Ok((first, size)) } else { Err(mismatch()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::code;

    fn head(status: u16, length: u64, range: Option<&str>) -> Reply {
        Reply {
            status,
            content_length: Some(length),
            content_range: range.map(str::to_owned),
            etag: Some("\"E\"".into()),
            ..Reply::default()
        }
    }

    #[test]
    fn a_whole_object_is_a_plain_get() {
        let call = get_object(&GetObject::new("c/1.ts")).unwrap();
        assert_eq!((call.request().key.as_str(), &call.request().headers[..]), ("c/1.ts", &[][..]));
        let info = call.parse(&head(200, 7, None)).unwrap();
        assert_eq!((info.size, info.start, info.length), (7, 0, 7));
        assert_eq!(info.etag.as_deref(), Some("\"E\""));
    }

    #[test]
    fn a_range_is_written_with_its_last_byte() {
        let range =
            |options: GetObject| get_object(&options).unwrap().request().headers[0].1.clone();
        let key = || GetObject::new("k");
        assert_eq!(range(key().range(10..)), "bytes=10-");
        assert_eq!(range(key().range(..188)), "bytes=0-187");
        assert_eq!(range(key().range(5..=9)), "bytes=5-9");
        assert_eq!(range(key().if_match("\"E\"")), "\"E\"");
        for empty in [key().range(5..5), key().range(..0), GetObject::new("")] {
            assert_eq!(get_object(&empty).unwrap_err().kind(), ErrorKind::InvalidArgument);
        }
    }

    #[test]
    fn a_response_must_be_the_range_that_was_requested() {
        let call = get_object(&GetObject::new("k").range(10..20)).unwrap();
        let info = call.parse(&head(206, 10, Some("bytes 10-19/100"))).unwrap();
        assert_eq!((info.size, info.start, info.length), (100, 10, 10));
        // The object ends within the range.
        assert_eq!(call.parse(&head(206, 5, Some("bytes 10-14/15"))).unwrap().size, 15);
        for (length, range) in [
            (10, Some("bytes 0-9/100")),
            (9, Some("bytes 10-19/100")),
            (5, Some("bytes 10-14/100")),
            (10, Some("bytes 10-19/*")),
            (1, Some("bytes 19-10/100")),
            (10, Some("10-19/100")),
            (100, None),
        ] {
            let error = call.parse(&head(206, length, range)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadReply, "{range:?}");
        }
    }

    #[test]
    fn a_response_without_a_length_may_be_truncated() {
        let call = get_object(&GetObject::new("k")).unwrap();
        let error = call.parse(&Reply { status: 200, ..Reply::default() }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connection);
    }

    #[test]
    fn an_error_response_is_an_error() {
        let call = get_object(&GetObject::new("k")).unwrap();
        let body = b"<Error><Code>NoSuchKey</Code></Error>".to_vec();
        let error = call.parse(&Reply { status: 404, body, ..Reply::default() }).unwrap_err();
        assert_eq!(error.code(), Some(code::NO_SUCH_KEY));
    }
}
