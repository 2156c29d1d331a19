//! Signature version 1 in headers and URLs.

use super::{
    Entry, Keys, check_skew, denied, expired, header, invalid, mismatch, param, same, unix_time,
};
use crate::fault::Fault;
use crate::stamp;
use osslive::request::percent_encode;
use osslive::sign::v1::is_subresource;
use osslive::sign::{Parts, v1};
use time::OffsetDateTime;

/// Verifies `fields`, what stands behind `OSS ` in the Authorization header.
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
    let Some(time) = stamp::parse_http_date(date) else {
        return Err(denied("OSS authentication requires a valid Date."));
    };
    check_skew(time, now)?;
    let key = keys.find(id, header(parts, "x-oss-security-token"))?;
    check(parts, date, key, signature)
}

/// Checks that what is signed of a request can be read in one way only.
///
/// The key stands in it as it is, and so do the sub-resources behind a `?`: a
/// signature of the key `ch?live` would hold for the channel `ch` too, and one
/// of the value `a&live` for a sub-resource of its own. The rest of the string
/// is lines, which no value can begin: of several lines only the last, the
/// resource, begins with a slash.
fn check_clear(parts: &Parts<'_>) -> Result<(), Fault> {
    let ambiguous = |what: &str, text: &str, rule: &str| {
        let message = format!(
            "Signatures of version 1 cannot cover the {what} \"{text}\" unambiguously: it must \
             not contain {rule}. Sign with version 4."
        );
        Err(invalid(message))
    };
    if parts.key.contains('?') {
        return ambiguous("key", parts.key, "a question mark");
    }
    let values = parts.query.iter().filter(|(name, _)| is_subresource(name));
    for (name, value) in values {
        let pieces = value.unwrap_or_default().split('&').skip(1);
        let mut names = pieces.map(|piece| piece.split('=').next().unwrap_or_default());
        if let Some(inner) = names.find(|name| is_subresource(name)) {
            let rule = format!("what reads as the sub-resource \"{inner}\"");
            return ambiguous("parameter", name, &rule);
        }
    }
    Ok(())
}

fn check(parts: &Parts<'_>, date: &str, entry: &Entry, signature: &str) -> Result<(), Fault> {
    check_clear(parts)?;
    let string_to_sign = v1::string_to_sign(parts, date);
    if same(&v1::signature(&entry.sha1, &string_to_sign), signature) {
        return Ok(());
    }
    Err(mismatch(&entry.key.id, signature, &string_to_sign))
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
                "A signed URL needs OSSAccessKeyId, Expires and Signature; {name} is missing."
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
        check_clear(&parts)?;
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
