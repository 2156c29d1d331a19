//! The signature of a publish URL.

use super::check::{denied, expired, invalid, mismatch, same, unix_time};
use super::keys::Keys;
use crate::address::PublishTarget;
use crate::clock::Clock;
use crate::fault::Fault;
use crate::store::{Acl, Store};
use crate::validate;
use osslive::sign::rtmp;
use time::OffsetDateTime;

/// Parameters that are never signed.
const UNSIGNED: &[&str] = &["OSSAccessKeyId", "Expires", "Signature", "SecurityToken"];

/// Checks that an encoder may publish: its URL has a valid signature that has
/// not expired, or it has none and the bucket is public-read-write.
///
/// An STS token is accepted as `security-token`, signed or not: the vendor's
/// SDKs do both. A session continues after the URL has expired.
///
/// # Errors
///
/// 404 `NoSuchBucket`; the 403 codes of authentication, with the EC that OSS
/// documents for publishing where there is one; 400 `InvalidArgument` for a
/// playlist name that breaks the rules.
pub fn authorize_publish(
    target: &PublishTarget,
    store: &Store,
    keys: &Keys,
    clock: &Clock,
) -> Result<(), Fault> {
    validate::check_bucket(&target.bucket)?;
    let acl = store.bucket(&target.bucket)?.access();
    let signed =
        ["OSSAccessKeyId", "Expires", "Signature"].iter().any(|name| param(target, name).is_some());
    if signed || acl != Acl::PublicReadWrite {
        verify(target, keys, clock.now())?;
    }
    target.playlist_name.as_deref().map_or(Ok(()), validate::check_playlist)
}

fn verify(target: &PublishTarget, keys: &Keys, now: OffsetDateTime) -> Result<(), Fault> {
    let given = |name: &str, ec| {
        param(target, name).filter(|value| !value.is_empty()).ok_or_else(|| {
            denied(&format!("The publish URL is not signed: {name} is missing.")).with_ec(ec)
        })
    };
    if param(target, "SignatureVersion").is_some() {
        const MESSAGE: &str =
            "SignatureVersion must not be set: publish URLs use signature version 1.";
        return Err(denied(MESSAGE).with_ec("0002-00000808"));
    }
    let id = given("OSSAccessKeyId", "0002-00000801")?;
    if !id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(denied("OSSAccessKeyId has invalid characters.").with_ec("0002-00000802"));
    }
    let expires = given("Expires", "0002-00000803")?;
    let until = unix_time(expires).ok_or_else(|| {
        denied("Expires must be a time in Unix seconds.").with_ec("0002-00000804")
    })?;
    let signature = given("Signature", "0002-00000806")?;
    if until < now {
        return Err(expired(until, now).with_ec("0002-00000805"));
    }
    let token = param(target, "security-token").or_else(|| param(target, "SecurityToken"));
    let entry = keys.find(id, token)?;

    check_unambiguous(target)?;
    let string_to_sign = |with_token: bool| {
        let is_signed =
            |name: &str| !UNSIGNED.contains(&name) && (with_token || name != "security-token");
        let params: Vec<(&str, &str)> = target
            .params
            .iter()
            .filter(|(name, _)| is_signed(name))
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        rtmp::string_to_sign(until.unix_timestamp(), &params, &target.bucket, &target.channel)
    };
    let with_token = string_to_sign(true);
    let is_right = |text: &str| same(&rtmp::signature(&entry.sha1, text), signature);
    if is_right(&with_token) || is_right(&string_to_sign(false)) {
        return Ok(());
    }
    Err(mismatch(id, signature, &with_token).with_ec("0002-00000807"))
}

/// Checks that the string to sign of a publish URL is unambiguous: it has a line
/// `name:value` for each parameter, then one with the channel.
fn check_unambiguous(target: &PublishTarget) -> Result<(), Fault> {
    let is_signed = |name: &str| !UNSIGNED.contains(&name);
    let is_clear = |name: &str, value: &str| {
        !name.is_empty() && !name.contains([':', '\n']) && !value.contains('\n')
    };
    let ambiguous =
        target.params.iter().find(|(name, value)| is_signed(name) && !is_clear(name, value));
    match ambiguous {
        Some((name, _)) => Err(invalid(format!(
            "The parameter \"{}\" cannot be signed unambiguously: a name must not be empty or \
             contain a colon or a line feed, and a value must not contain a line feed.",
            name.escape_debug()
        ))),
        None => Ok(()),
    }
}

fn param<'a>(target: &'a PublishTarget, name: &str) -> Option<&'a str> {
    target.params.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}
