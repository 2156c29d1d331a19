//! Operations on many objects: listings and batch deletion.

use super::buckets::write_owner;
use super::call::Call;
use super::operation::{invalid_argument, not_implemented};
use super::service::Service;
use crate::fault::Fault;
use crate::http::Response;
use crate::store::{ObjectMeta, ObjectPage};
use crate::xml::{self, Writer};
use crate::{time_format, validate};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use osslive::request::percent_encode;
use std::borrow::Cow;

/// The maximum number of keys in one batch deletion.
const MAX_DELETE: usize = 1000;

impl Service {
    pub(super) fn list_objects(&self, call: &Call<'_>) -> Result<Response, Fault> {
        let encoding = Encoding::of(call)?;
        let max = call.max_entries("max-keys")?;
        let version_2 = match call.query.value("list-type") {
            None => false,
            Some("2") => true,
            Some(other) => return Err(invalid_argument("list-type", other, "must be 2")),
        };
        let marker = if version_2 { start_of_page(call)? } else { call.param("marker").to_owned() };
        let (prefix, delimiter) = (call.param("prefix"), call.query.value("delimiter"));
        let page = self.site.store.list_objects(&call.bucket, prefix, &marker, delimiter, max)?;
        let keys = page.objects.iter().map(|object| object.key.as_str());
        let prefixes = page.common_prefixes.iter().map(String::as_str);
        let start = if version_2 { call.param("start-after") } else { &marker };
        let asked = [prefix, start, delimiter.unwrap_or_default()];
        encoding.check(asked.into_iter().chain(keys).chain(prefixes))?;
        let document = Writer::document("ListBucketResult", |xml| {
            xml.text("Name", &call.bucket);
            xml.text("Prefix", encoding.apply(prefix));
            if version_2 {
                write_version_2(xml, call, &encoding, &page);
            } else {
                xml.text("Marker", encoding.apply(&marker));
                if let Some(next) = &page.next_marker {
                    xml.text("NextMarker", encoding.apply(next));
                }
            }
            xml.text("MaxKeys", max);
            xml.text("Delimiter", encoding.apply(delimiter.unwrap_or_default()));
            encoding.write(xml);
            xml.text("IsTruncated", page.next_marker.is_some());
            let with_owner = !version_2 || call.param("fetch-owner") == "true";
            for object in &page.objects {
                xml.element("Contents", |xml| write_object(xml, object, &encoding, with_owner));
            }
            for prefix in &page.common_prefixes {
                xml.element("CommonPrefixes", |xml| xml.text("Prefix", encoding.apply(prefix)));
            }
        });
        Ok(Response::xml(document))
    }

    pub(super) fn delete_objects(&self, call: &Call<'_>) -> Result<Response, Fault> {
        let encoding = Encoding::of(call)?;
        let (keys, quiet) = parse_delete(&call.request.body)?;
        if !quiet {
            encoding.check(keys.iter().map(String::as_str))?;
        }
        let all: Vec<&str> = keys.iter().map(String::as_str).collect();
        self.site.store.delete_objects(&call.bucket, &all)?;
        if quiet {
            return Ok(Response::empty(200));
        }
        let document = Writer::document("DeleteResult", |xml| {
            encoding.write(xml);
            for key in &keys {
                xml.element("Deleted", |xml| xml.text("Key", encoding.apply(key)));
            }
        });
        Ok(Response::xml(document))
    }
}

/// Lists multipart uploads, which never exist here.
pub(super) fn no_uploads(call: &Call<'_>) -> Result<Response, Fault> {
    let encoding = Encoding::of(call)?;
    encoding.check(
        ["key-marker", "upload-id-marker", "delimiter", "prefix"]
            .map(|name| call.param(name))
            .into_iter(),
    )?;
    let max = match call.query.value("max-uploads") {
        None => 1000,
        Some(_) => call.max_entries("max-uploads")?,
    };
    Ok(Response::xml(Writer::document("ListMultipartUploadsResult", |xml| {
        xml.text("Bucket", &call.bucket);
        encoding.write(xml);
        xml.text("KeyMarker", encoding.apply(call.param("key-marker")));
        xml.text("UploadIdMarker", call.param("upload-id-marker"));
        xml.text("NextKeyMarker", "");
        xml.text("NextUploadIdMarker", "");
        xml.text("Delimiter", encoding.apply(call.param("delimiter")));
        xml.text("Prefix", encoding.apply(call.param("prefix")));
        xml.text("MaxUploads", max);
        xml.text("IsTruncated", false);
    })))
}

fn write_version_2(xml: &mut Writer, call: &Call<'_>, encoding: &Encoding, page: &ObjectPage) {
    if let Some(start) = call.query.value("start-after") {
        xml.text("StartAfter", encoding.apply(start));
    }
    if let Some(token) = call.query.value("continuation-token") {
        xml.text("ContinuationToken", token);
    }
    if let Some(next) = &page.next_marker {
        xml.text("NextContinuationToken", BASE64_URL_SAFE_NO_PAD.encode(next));
    }
    xml.text("KeyCount", page.objects.len() + page.common_prefixes.len());
}

fn write_object(xml: &mut Writer, object: &ObjectMeta, encoding: &Encoding, with_owner: bool) {
    xml.text("Key", encoding.apply(&object.key));
    xml.text("LastModified", time_format::iso_8601(object.last_modified));
    xml.text("ETag", format_args!("\"{}\"", object.etag));
    xml.text("Type", "Normal");
    xml.text("Size", object.size);
    xml.text("StorageClass", "Standard");
    if with_owner {
        write_owner(xml);
    }
}

/// Returns the marker of a version 2 page: from the previous page's token, which
/// is its last entry in base64, or from `start-after`.
fn start_of_page(call: &Call<'_>) -> Result<String, Fault> {
    let Some(token) = call.query.value("continuation-token") else {
        return Ok(call.param("start-after").to_owned());
    };
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| {
        invalid_argument("continuation-token", token, "must come from an earlier response")
    })
}

/// Represents a control character in a key, followed by its code, while the
/// document is parsed.
const ESCAPE: char = '\u{F8FF}';

/// Replaces references to control characters, which XML does not allow but the
/// vendor's SDKs write. [`unescape_controls`] decodes them.
///
/// CDATA sections contain no references: a body with one is not changed.
fn escape_controls(body: &str) -> Cow<'_, str> {
    if !body.contains("&#") || body.contains("<![CDATA[") {
        return body.into();
    }
    let plain = |text: &str| text.replace(ESCAPE, &format!("{ESCAPE}00"));
    let mut pieces = body.split("&#");
    let mut escaped = plain(pieces.next().unwrap_or_default());
    for piece in pieces {
        match control_reference(piece) {
            Some((code, rest)) => escaped += &format!("{ESCAPE}{code:02X}{}", plain(rest)),
            None => escaped.extend(["&#", &plain(piece)]),
        }
    }
    escaped.into()
}

/// Parses the rest of a character reference after `&#`. If it refers to a control
/// character that XML does not allow, returns its code and the text after it.
fn control_reference(text: &str) -> Option<(u8, &str)> {
    let (digits, rest) = text.split_once(';')?;
    let (digits, radix) = match digits.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (digits, 10),
    };
    let is_number = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let code = u8::from_str_radix(digits, radix).ok().filter(|_| is_number)?;
    ((1..0x20).contains(&code) && !b"\t\n\r".contains(&code)).then_some((code, rest))
}

fn unescape_controls(key: &str) -> String {
    let mut pieces = key.split(ESCAPE);
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (code, rest) = piece.split_at_checked(2).unwrap_or((piece, ""));
        plain.push(match u8::from_str_radix(code, 16) {
            Ok(0) | Err(_) => ESCAPE,
            Ok(code) => char::from(code),
        });
        plain.push_str(rest);
    }
    plain
}

fn parse_delete(body: &[u8]) -> Result<(Vec<String>, bool), Fault> {
    let text = std::str::from_utf8(body).map_err(|_| xml::malformed())?;
    let escaped = escape_controls(text);
    let is_escaped = matches!(escaped, Cow::Owned(_));
    let source = xml::check(escaped.as_bytes())?;
    let document = xml::parse(&source, "Delete")?;
    let root = document.root();
    let quiet = xml::child_text(root, "Quiet").is_some_and(|quiet| quiet.trim() == "true");
    let mut keys = Vec::new();
    for object in xml::children(root, "Object") {
        if xml::child_text(object, "VersionId").is_some() {
            return Err(not_implemented("VersionId"));
        }
        let key = xml::child_text(object, "Key").ok_or_else(xml::malformed)?;
        let key = if is_escaped { unescape_controls(&key) } else { key };
        validate::check_object(&key)?;
        keys.push(key);
    }
    if keys.is_empty() || keys.len() > MAX_DELETE {
        return Err(xml::malformed());
    }
    Ok((keys, quiet))
}

/// How keys are written: unchanged or percent-encoded, which keys with characters
/// that XML cannot represent require.
struct Encoding {
    url: bool,
}

impl Encoding {
    fn of(call: &Call<'_>) -> Result<Encoding, Fault> {
        match call.query.value("encoding-type") {
            None => Ok(Encoding { url: false }),
            Some("url") => Ok(Encoding { url: true }),
            Some(other) => Err(invalid_argument("encoding-type", other, "must be url")),
        }
    }

    /// Checks that every name can be represented, so that clients can request the
    /// keys they read.
    fn check<'a>(&self, mut names: impl Iterator<Item = &'a str>) -> Result<(), Fault> {
        if self.url || names.all(validate::fits_xml) {
            return Ok(());
        }
        const RULE: &str = "must be url: a name in the response has characters that XML forbids";
        Err(invalid_argument("encoding-type", "", RULE))
    }

    fn apply<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.url { percent_encode(text).into() } else { text.into() }
    }

    fn write(&self, xml: &mut Writer) {
        if self.url {
            xml.text("EncodingType", "url");
        }
    }
}
