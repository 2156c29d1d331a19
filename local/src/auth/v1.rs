//! Signature version 1 in headers and URLs.

use super::check::{
    check_skew, denied, expired, header, invalid, mismatch, param, same, unix_time,
};
use super::keys::{Entry, Keys};
use crate::fault::Fault;
use crate::time_format;
use osslive::request::percent_encode;
use osslive::sign::v1::is_subresource;
use osslive::sign::{Parts, v1};
use time::OffsetDateTime;

/// Verifies `fields`, which follow `OSS ` in the Authorization header.
pub(super) fn verify_header(
    parts: &Parts<'_>,
    fields: &str,
    keys: &Keys,
    now: OffsetDateTime,
) -> Result<(), Fault> {
    let Some((id, signature)) = fields.trim().split_once(':') else {
        return Err(invalid("Authorization header is invalid."));
    };
    let date = header(parts, "x-oss-date").or_else(|| header(parts, "date")).unwrap_or_default();
    let Some(time) = time_format::parse_http_date(date) else {
        return Err(denied("OSS authentication requires a valid Date."));
    };
    check_skew(time, now)?;
    let key = keys.find(id, header(parts, "x-oss-security-token"))?;
    check(parts, date, key, signature)
}

/// Checks that the string to sign of a request is unambiguous.
///
/// It contains the key unencoded, then `?` and the sub-resources: a signature of
/// the key `ch?live` would also be valid for the channel `ch`, and one of the
/// value `a&live` for a separate sub-resource. The other lines are unambiguous:
/// only the last one, the resource, begins with a slash.
fn check_unambiguous(parts: &Parts<'_>) -> Result<(), Fault> {
    let ambiguous = |what: String, inner: &str| {
        Err(invalid(format!(
            "Version 1 signatures cannot cover {what} unambiguously: it contains what looks like \
            the sub-resource \"{inner}\". Sign with version 4."
        )))
    };
    if let Some(inner) = inner_subresource(parts.key, '?') {
        return ambiguous(format!("the key \"{}\"", parts.key), inner);
    }
    for (name, value) in parts.query.iter().filter(|(name, _)| is_subresource(name)) {
        if let Some(inner) = inner_subresource(value.unwrap_or_default(), '&') {
            return ambiguous(format!("the parameter \"{name}\""), inner);
        }
    }
    Ok(())
}

/// Returns the name of a sub-resource that follows a separator in a string.
fn inner_subresource(text: &str, separator: char) -> Option<&str> {
    let pieces = text.split(separator).skip(1);
    let mut names = pieces.filter_map(|piece| piece.split(['=', '&']).next());
    names.find(|name| is_subresource(name))
}

fn check(parts: &Parts<'_>, date: &str, entry: &Entry, signature: &str) -> Result<(), Fault> {
    check_unambiguous(parts)?;
    let string_to_sign = v1::string_to_sign(parts, date);
    let is_right = |text: &str| same(&v1::signature(&entry.sha1, text), signature);
    if is_right(&string_to_sign) || without_slash(parts, date).is_some_and(|text| is_right(&text)) {
        return Ok(());
    }
    Err(mismatch(&entry.key.id, signature, &string_to_sign))
}

/// Returns the string that the vendor's SDK for C signs for a bucket at an IP
/// address: `/BUCKET` without a trailing slash, which is unambiguous.
fn without_slash(parts: &Parts<'_>, date: &str) -> Option<String> {
    if parts.bucket.is_empty() || !parts.key.is_empty() {
        return None;
    }
    let service = Parts { bucket: "", ..*parts };
    let head = v1::string_to_sign(&Parts { query: &[], ..service }, date);
    let mut text = v1::string_to_sign(&service, date);
    text.insert_str(head.len(), parts.bucket);
    Some(text)
}

/// A verified URL of version 1: its access key, expiry and token.
#[derive(Debug, Clone)]
pub struct UrlSignature {
    key_id: String,
    expires: String,
    token: Option<String>,
}

pub(super) fn verify_url(
    parts: &Parts<'_>,
    keys: &Keys,
    now: OffsetDateTime,
) -> Result<UrlSignature, Fault> {
    let required = |name| {
        param(parts, name).filter(|value| !value.is_empty()).ok_or_else(|| {
            denied(&format!(
                "A signed URL requires OSSAccessKeyId, Expires and Signature; {name} is missing."
            ))
        })
    };
    let id = required("OSSAccessKeyId")?;
    let expires = required("Expires")?;
    let signature = required("Signature")?;
    let Some(until) = unix_time(expires) else {
        return Err(denied("Expires must be a time in Unix seconds."));
    };
    if until < now {
        return Err(expired(until, now));
    }
    let token = param(parts, "security-token");
    let entry = keys.find(id, token)?;
    check(parts, expires, entry, signature)?;
    Ok(UrlSignature {
        key_id: id.to_owned(),
        expires: expires.to_owned(),
        token: token.map(str::to_owned),
    })
}

impl UrlSignature {
    pub(super) fn sign_get(
        &self,
        keys: &Keys,
        bucket: &str,
        key: &str,
        process: Option<&str>,
    ) -> Result<String, Fault> {
        let entry = keys.find(&self.key_id, self.token.as_deref())?;
        let mut query = Vec::new();
        query.extend(process.map(|value| ("x-oss-process", Some(value))));
        query.extend(self.token.as_deref().map(|value| ("security-token", Some(value))));
        let parts = Parts { method: "GET", bucket, key, query: &query, headers: &[] };
        check_unambiguous(&parts)?;
        let string_to_sign = v1::string_to_sign(&parts, &self.expires);
        let signature = v1::signature(&entry.sha1, &string_to_sign);
        query.extend([
            ("OSSAccessKeyId", Some(self.key_id.as_str())),
            ("Expires", Some(&self.expires)),
            ("Signature", Some(&signature)),
        ]);
        Ok(write_query(&query))
    }
}

pub(super) fn write_query(query: &[(&str, Option<&str>)]) -> String {
    let pair = |(name, value): &(&str, Option<&str>)| {
        format!("{name}={}", percent_encode(value.unwrap_or_default()))
    };
    query.iter().map(pair).collect::<Vec<_>>().join("&")
}
