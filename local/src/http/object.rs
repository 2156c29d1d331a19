//! Responses with objects: conditions, ranges and headers.

use super::{Body, Request, Response};
use crate::fault::Fault;
use crate::store::ObjectMeta;
use crate::time_format;
use std::borrow::Cow;
use std::fs::File;

/// Returns the response with an object, or with the requested range of it, if
/// the request's conditions are met.
///
/// # Errors
///
/// 412 `PreconditionFailed`, 416 `InvalidRange`.
pub fn object_response(
    request: &Request,
    (object, file): (ObjectMeta, File),
    headers: Vec<(Cow<'static, str>, String)>,
) -> Result<Response, Fault> {
    let tag = format!("\"{}\"", object.etag);
    if !has_changed(request, &object)? {
        return Ok(Response::empty(304)
            .with("ETag", tag)
            .with("Last-Modified", time_format::http_date(object.last_modified)));
    }
    let range = range(request, &object)?;
    let (status, offset, length) = match range {
        Some((offset, length)) => (206, offset, length),
        None => (200, 0, object.size),
    };
    let body = Body::File { file, offset, length };
    let mut response = Response { headers, body, ..Response::empty(status) }
        .with("ETag", tag)
        .with("Last-Modified", time_format::http_date(object.last_modified))
        .with("Accept-Ranges", "bytes")
        .with("x-oss-object-type", "Normal")
        .with("x-oss-storage-class", "Standard");
    if range.is_none() {
        response = with_crc(response, &object);
    }
    let kept = [(String::from("Content-Type"), object.content_type)].into_iter();
    for (name, value) in kept.chain(object.headers) {
        if response.header(&name).is_none() {
            response = response.with(name, value);
        }
    }
    if range.is_some() {
        let last = offset + length - 1;
        let value = format!("bytes {offset}-{last}/{}", object.size);
        response = response.with("Content-Range", value);
    }
    Ok(response)
}

/// Adds the CRC of an object, if known, for clients to verify.
pub fn with_crc(response: Response, object: &ObjectMeta) -> Response {
    match object.crc64 {
        Some(crc) => response.with("x-oss-hash-crc64ecma", crc.to_string()),
        None => response,
    }
}

/// Evaluates the conditions of a request, entity tags before dates (RFC 9110
/// section 13.2.2). Returns false for 304.
pub fn has_changed(request: &Request, object: &ObjectMeta) -> Result<bool, Fault> {
    let is_among = |tags: &str| {
        tags.split(',').any(|tag| {
            let tag = tag.trim().trim_start_matches("W/").trim_matches('"');
            tag == "*" || tag.eq_ignore_ascii_case(&object.etag)
        })
    };
    let modified = object.last_modified.unix_timestamp();
    let is_since = |date: &str| {
        time_format::parse_http_date(date).map(|date| modified > date.unix_timestamp())
    };
    let failed = match request.header("if-match") {
        Some(tags) => !is_among(tags),
        None => request.header("if-unmodified-since").and_then(is_since).unwrap_or(false),
    };
    if failed {
        const MESSAGE: &str = "At least one of the pre-conditions you specified did not hold.";
        return Err(Fault::new(412, "PreconditionFailed", MESSAGE));
    }
    Ok(match request.header("if-none-match") {
        Some(tags) => !is_among(tags),
        None => request.header("if-modified-since").and_then(is_since).unwrap_or(true),
    })
}

/// Returns the offset and length that a Range header requests.
///
/// OSS documents its own rules: a range that is malformed or extends beyond the
/// object is ignored, unless `x-oss-range-behavior: standard` selects the rules of
/// HTTP; a range of the last 0 bytes is always invalid. Of several ranges, only
/// the first is used.
fn range(request: &Request, object: &ObjectMeta) -> Result<Option<(u64, u64)>, Fault> {
    let standard = request.header("x-oss-range-behavior") == Some("standard");
    let Some(header) = request.header("range") else { return Ok(None) };
    let if_range = request.header("if-range").map(|tag| tag.trim_matches('"'));
    if if_range.is_some_and(|tag| !tag.eq_ignore_ascii_case(&object.etag)) {
        return Ok(None);
    }
    let first = header.strip_prefix("bytes=").and_then(|ranges| ranges.split(',').next());
    let Some((first, last)) = first.and_then(|range| range.trim().split_once('-')) else {
        return Ok(None);
    };
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse());
    let size = object.size;
    // The first byte, and the byte after the last.
    let (start, end): (u64, u64) = match (number(first), number(last)) {
        (Some(Ok(start)), Some(Ok(last))) if start <= last => (start, u64::saturating_add(last, 1)),
        (Some(Ok(start)), Some(Err(_))) if last.is_empty() => (start, size),
        (Some(Err(_)), Some(Ok(suffix))) if first.is_empty() => match size.checked_sub(suffix) {
            Some(start) => (start, size),
            None if standard => (0, size),
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    if start < size && (end <= size || standard) {
        return Ok(Some((start, end.min(size) - start)));
    }
    if standard || (first.is_empty() && start == size) {
        const MESSAGE: &str = "The requested range cannot be satisfied";
        return Err(Fault::new(416, "InvalidRange", MESSAGE)
            .with("ActualObjectSize", size.to_string())
            .with("RangeRequested", header));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn object() -> ObjectMeta {
        ObjectMeta {
            key: "k".into(),
            size: 1000,
            etag: "AB12".into(),
            last_modified: datetime!(2026-11-22 08:16:38.5 UTC),
            content_type: "text/plain".into(),
            headers: Vec::new(),
            crc64: None,
        }
    }

    fn request(headers: &[(&str, &str)]) -> Request {
        let headers = headers.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect();
        Request { headers, ..Request::default() }
    }

    #[test]
    fn a_range_is_used_or_ignored_as_oss_documents() {
        for (text, expected) in [
            ("bytes=0-499", Some((0, 500))),
            ("bytes=500-999", Some((500, 500))),
            ("bytes=0-0", Some((0, 1))),
            ("bytes=-500", Some((500, 500))),
            ("bytes=500-", Some((500, 500))),
            ("bytes=0-", Some((0, 1000))),
            ("bytes=0-99,200-299", Some((0, 100))),
            ("byte=0-499", None),
            ("bytes=0-1000", None),
            ("bytes=1000-2000", None),
            ("bytes=1000-", None),
            ("bytes=-2000", None),
            ("bytes=5-2", None),
            ("bytes=-", None),
            ("bytes=", None),
            ("bytes=a-b", None),
            ("bytes=+1-2", None),
            ("bytes=0-99999999999999999999", None),
            ("bytes=18446744073709551615-18446744073709551615", None),
        ] {
            assert_eq!(range(&request(&[("range", text)]), &object()), Ok(expected), "{text}");
        }
        let nothing = range(&request(&[("range", "bytes=-0")]), &object()).unwrap_err();
        assert_eq!((nothing.status, nothing.code), (416, "InvalidRange"));
    }

    #[test]
    fn standard_ranges_are_truncated_at_the_end_and_refused_beyond_it() {
        let standard = |text| {
            let request = request(&[("range", text), ("x-oss-range-behavior", "standard")]);
            range(&request, &object()).map_err(|fault| (fault.status, fault.code))
        };
        assert_eq!(standard("bytes=500-2000"), Ok(Some((500, 500))));
        assert_eq!(standard("bytes=-2000"), Ok(Some((0, 1000))));
        assert_eq!(standard("bytes=1000-2000"), Err((416, "InvalidRange")));
        assert_eq!(standard("bytes=-0"), Err((416, "InvalidRange")));
    }

    #[test]
    fn a_range_is_ignored_if_the_object_has_changed() {
        let with = |tag| range(&request(&[("range", "bytes=0-1"), ("if-range", tag)]), &object());
        assert_eq!(with("\"AB12\""), Ok(Some((0, 2))));
        assert_eq!(with("\"CD34\""), Ok(None));
    }

    #[test]
    fn conditions_on_tags_take_precedence_over_dates() {
        let changed = |headers: &[(&str, &str)]| {
            has_changed(&request(headers), &object()).map_err(|fault| fault.status)
        };
        let (before, at) = ("Sun, 22 Nov 2026 08:16:37 GMT", "Sun, 22 Nov 2026 08:16:38 GMT");
        assert_eq!(changed(&[]), Ok(true));
        assert_eq!(changed(&[("if-none-match", "\"AB12\"")]), Ok(false));
        assert_eq!(changed(&[("if-none-match", "\"x\", W/\"ab12\"")]), Ok(false));
        assert_eq!(changed(&[("if-none-match", "\"x\"")]), Ok(true));
        assert_eq!(changed(&[("if-modified-since", at)]), Ok(false));
        assert_eq!(changed(&[("if-modified-since", before)]), Ok(true));
        assert_eq!(changed(&[("if-modified-since", "nonsense")]), Ok(true));
        assert_eq!(changed(&[("if-none-match", "\"x\""), ("if-modified-since", at)]), Ok(true));
        assert_eq!(changed(&[("if-match", "\"AB12\"")]), Ok(true));
        assert_eq!(changed(&[("if-match", "\"x\"")]), Err(412));
        assert_eq!(changed(&[("if-unmodified-since", at)]), Ok(true));
        assert_eq!(changed(&[("if-unmodified-since", before)]), Err(412));
    }
}
