//! Objects: put, copy, get, head, delete.

use super::buckets::acl_document;
use super::call::Call;
use super::headers;
use super::operation::invalid_argument;
use super::service::Service;
use crate::address::percent_decode;
use crate::fault::Fault;
use crate::http::{Request, Response, has_changed, object_response, with_crc};
use crate::store::{Acl, Upload};
use crate::xml::Writer;
use crate::{time_format, validate};
use std::borrow::Cow;

/// The parameters with which a signed request can override response headers.
const OVERRIDES: &[(&str, &str)] = &[
    ("response-cache-control", "Cache-Control"),
    ("response-content-disposition", "Content-Disposition"),
    ("response-content-encoding", "Content-Encoding"),
    ("response-content-language", "Content-Language"),
    ("response-content-type", "Content-Type"),
    ("response-expires", "Expires"),
];

impl Service {
    pub(super) fn put_object(&self, call: &Call<'_>, anonymous: bool) -> Result<Response, Fault> {
        validate::check_object(&call.key)?;
        if let Some(source) = call.request.header("x-oss-copy-source") {
            return self.copy_object(call, source, anonymous);
        }
        let upload = headers::upload(call.request)?;
        let mut body = call.request.body.as_slice();
        let object = self.site.store.upload(&call.bucket, &call.key, upload, &mut body)?;
        let tag = format!("\"{}\"", object.etag);
        Ok(with_crc(Response::empty(200), &object).with("ETag", tag))
    }

    /// Copies an object, with its metadata or that of the request.
    fn copy_object(
        &self,
        call: &Call<'_>,
        source: &str,
        anonymous: bool,
    ) -> Result<Response, Fault> {
        let (bucket, key) = parse_source(source)?;
        let acl = self.site.store.bucket(&bucket)?.access();
        if anonymous && acl == Acl::Private {
            const MESSAGE: &str = "Anonymous user has no right to access this bucket.";
            return Err(Fault::new(403, "AccessDenied", MESSAGE));
        }
        let (object, mut file) = self.site.store.object(&bucket, &key)?;
        if !has_changed(&conditions_of_copy(call.request), &object)? {
            return Ok(Response::empty(304));
        }
        let replaces = call.request.header("x-oss-metadata-directive") == Some("REPLACE");
        let upload = match replaces {
            true => headers::upload(call.request)?,
            false => Upload { content_type: Some(object.content_type), headers: object.headers },
        };
        let copy = self.site.store.upload(&call.bucket, &call.key, upload, &mut file)?;
        let document = Writer::document("CopyObjectResult", |xml| {
            xml.text("LastModified", time_format::iso_8601(copy.last_modified));
            xml.text("ETag", format_args!("\"{}\"", copy.etag));
        });
        let tag = format!("\"{}\"", copy.etag);
        Ok(with_crc(Response::xml(document), &copy).with("ETag", tag))
    }

    /// Returns the ACL of an object: always that of its bucket.
    pub(super) fn object_acl(&self, call: &Call<'_>) -> Result<Response, Fault> {
        validate::check_object(&call.key)?;
        self.site.store.object(&call.bucket, &call.key)?;
        Ok(acl_document("default"))
    }

    /// Sets the ACL of an object to that of its bucket, the only supported one.
    pub(super) fn put_object_acl(&self, call: &Call<'_>) -> Result<Response, Fault> {
        validate::check_object(&call.key)?;
        self.site.store.object(&call.bucket, &call.key)?;
        match call.request.header("x-oss-object-acl") {
            Some(_) => Ok(Response::empty(200)),
            None => Err(invalid_argument("x-oss-object-acl", "", "must be default")),
        }
    }

    pub(super) fn delete_object(&self, call: &Call<'_>) -> Result<Response, Fault> {
        validate::check_object(&call.key)?;
        self.site.store.delete_object(&call.bucket, &call.key)?;
        Ok(Response::empty(204))
    }

    /// Handles GET and HEAD; the body of HEAD is dropped later.
    pub(super) fn get_object(&self, call: &Call<'_>, anonymous: bool) -> Result<Response, Fault> {
        validate::check_object(&call.key)?;
        let overrides = overrides(call);
        if anonymous && !overrides.is_empty() {
            const MESSAGE: &str = "response-* parameters require a signed request.";
            return Err(Fault::new(400, "InvalidRequest", MESSAGE));
        }
        object_response(call.request, self.site.store.object(&call.bucket, &call.key)?, overrides)
    }
}

/// Parses `x-oss-copy-source`: `/BUCKET/KEY`, percent-encoded.
fn parse_source(source: &str) -> Result<(String, String), Fault> {
    const RULE: &str = "must be /BUCKET/KEY, percent-encoded";
    let invalid = || invalid_argument("x-oss-copy-source", source, RULE);
    if source.contains("?versionId=") {
        return Err(super::operation::not_implemented("versionId"));
    }
    let (bytes, well_formed) = percent_decode(source);
    let text = String::from_utf8(bytes).ok().filter(|_| well_formed).ok_or_else(invalid)?;
    let path = text.strip_prefix('/').unwrap_or(&text);
    let (bucket, key) = path.split_once('/').ok_or_else(invalid)?;
    validate::check_bucket(bucket)?;
    validate::check_object(key)?;
    Ok((bucket.to_owned(), key.to_owned()))
}

/// Returns a GET request with the conditions on the source of a copy.
fn conditions_of_copy(request: &Request) -> Request {
    let condition = |(name, value): &(String, String)| {
        let name = name.strip_prefix("x-oss-copy-source-")?;
        Some((name.to_owned(), value.clone()))
    };
    Request {
        headers: request.headers.iter().filter_map(condition).collect(),
        ..Request::default()
    }
}

fn overrides(call: &Call<'_>) -> Vec<(Cow<'static, str>, String)> {
    let is_printable = |value: &&str| value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let override_of = |(param, header): &(&str, &'static str)| {
        let value = call.query.value(param).filter(is_printable)?;
        Some((Cow::Borrowed(*header), value.to_owned()))
    };
    OVERRIDES.iter().filter_map(override_of).collect()
}
