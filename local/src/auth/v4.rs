//! Signature version 4 in headers and URLs.

use super::check::{
    check_skew, denied, expired, header, hex_bytes, invalid, mismatch, param, same,
};
use super::keys::Keys;
use super::v1::write_query;
use crate::fault::Fault;
use crate::time_format;
use osslive::sign::v4::{ALGORITHM, Key, Scope, TERMINATOR, UNSIGNED_PAYLOAD};
use osslive::sign::{Parts, v4};
use time::{Duration, OffsetDateTime};

/// The maximum lifetime of a signed URL, in seconds: seven days.
const MAX_EXPIRES: i64 = 604_800;
/// How many parameters without a value are tried in both forms; further ones must
/// be signed as bare names: see [`check`].
const MAX_AMBIGUOUS: usize = 4;

/// The fields of a signature.
struct Claim<'a> {
    key_id: &'a str,
    scope: Scope<'a>,
    timestamp: String,
    additional_headers: Vec<String>,
    signature: &'a str,
    token: Option<&'a str>,
}

/// Verifies `fields`, which follow the algorithm in the Authorization header:
/// names and values in any order, with or without spaces between.
pub(super) fn verify_header(
    parts: &Parts<'_>,
    fields: &str,
    keys: &Keys,
    region: &str,
    now: OffsetDateTime,
) -> Result<(), Fault> {
    let fields = parse_fields(fields)?;
    let field = |name: &str| fields.iter().find(|(n, _)| *n == name).map(|(_, value)| *value);
    let missing = |name| invalid(format!("Authorization header is invalid: {name} is missing."));
    let credential = field("Credential").ok_or_else(|| missing("Credential"))?;
    let signature = field("Signature").ok_or_else(|| missing("Signature"))?;
    let additional = field("AdditionalHeaders");
    let (time, timestamp) = header_time(parts)?;
    check_skew(time, now)?;
    let (key_id, scope) =
        parse_credential(credential, &time_format::basic(time), region, Place::Header)?;
    if header(parts, "x-oss-content-sha256").is_some_and(|hash| hash != UNSIGNED_PAYLOAD) {
        return Err(invalid("x-oss-content-sha256 must be UNSIGNED-PAYLOAD."));
    }
    let additional_headers = parse_additional(additional)?;
    let token = header(parts, "x-oss-security-token");
    check(parts, keys, &Claim { key_id, scope, timestamp, additional_headers, signature, token })
}

/// Splits the fields of an Authorization header.
fn parse_fields(fields: &str) -> Result<Vec<(&str, &str)>, Fault> {
    let mut known = vec!["Credential", "Signature", "AdditionalHeaders"];
    let pairs = fields.split(',').map(|field| {
        let (name, value) = field.trim().split_once('=').unwrap_or((field.trim(), ""));
        match known.iter().position(|n| *n == name) {
            // Each may occur once.
            Some(at) => Ok((known.swap_remove(at), value)),
            None => Err(invalid(format!(
                "Authorization header is invalid: \"{name}\" is unknown or given twice."
            ))),
        }
    });
    pairs.collect()
}

/// Returns the time of a request, and its original text, which is signed
/// unchanged: `x-oss-date`, or else `Date` in either format.
fn header_time(parts: &Parts<'_>) -> Result<(OffsetDateTime, String), Fault> {
    let text = header(parts, "x-oss-date").or_else(|| header(parts, "date")).unwrap_or_default();
    let time = time_format::parse_basic(text).or_else(|| time_format::parse_http_date(text));
    let Some(time) = time else {
        return Err(denied("OSS authentication requires a valid Date."));
    };
    Ok((time, text.to_owned()))
}

/// The place of a credential.
#[derive(Clone, Copy)]
enum Place {
    Header,
    Url,
}

impl Place {
    /// Returns the service's fault for a credential with another region or
    /// product; its EC is known only for headers.
    fn misdirected(self, what: &str, ec: &'static str) -> Fault {
        match self {
            Place::Header => {
                invalid(format!("Invalid signing {what} in Authorization header.")).with_ec(ec)
            }
            Place::Url => invalid(format!("The signing {what} in credential is invalid.")),
        }
    }
}

/// Parses `ID/DATE/REGION/oss/aliyun_v4_request` and checks its scope.
fn parse_credential<'a>(
    credential: &'a str,
    timestamp: &str,
    region: &str,
    place: Place,
) -> Result<(&'a str, Scope<'a>), Fault> {
    let mut fields = credential.rsplitn(5, '/');
    let (Some(TERMINATOR), Some(product), Some(of_region), Some(date), Some(key_id)) =
        (fields.next(), fields.next(), fields.next(), fields.next(), fields.next())
    else {
        let message = format!(
            "The credential must be AccessKeyId/yyyyMMdd/region/oss/{TERMINATOR}, not \
             \"{credential}\"."
        );
        return Err(invalid(message));
    };
    let today = timestamp.get(..8).unwrap_or_default();
    if date != today {
        let message = format!("The date of the credential must be \"{today}\", not \"{date}\".");
        return Err(invalid(message));
    }
    if of_region != region {
        return Err(place.misdirected("region", "0002-00000226"));
    }
    if product != "oss" {
        return Err(place.misdirected("product", "0002-00000227"));
    }
    Ok((key_id, Scope { date, region: of_region, product }))
}

/// Splits the names of additionally signed headers; an empty list is an error.
fn parse_additional(list: Option<&str>) -> Result<Vec<String>, Fault> {
    let Some(list) = list else { return Ok(Vec::new()) };
    if list.is_empty() {
        return Err(invalid("The list of additional headers is empty.").with_ec("0002-00000209"));
    }
    let mut names: Vec<String> = list.split(';').map(str::to_ascii_lowercase).collect();
    names.sort_unstable();
    Ok(names)
}

/// Compares the signature with the expected one.
///
/// Clients disagree on whether a parameter with an empty value is signed as
/// `name` or `name=`, and the form in the request does not show it: a few such
/// parameters are each tried in both forms.
fn check(parts: &Parts<'_>, keys: &Keys, claim: &Claim<'_>) -> Result<(), Fault> {
    let entry = keys.find(claim.key_id, claim.token)?;
    let key = Key::derive(&entry.key.secret, &claim.scope);
    let additional: Vec<&str> = claim.additional_headers.iter().map(String::as_str).collect();
    let mut query = parts.query.to_vec();
    // Parameters without a value come first, as bare names.
    query.iter_mut().for_each(|(_, value)| *value = value.filter(|value| !value.is_empty()));
    query.sort_by_key(|(_, value)| value.is_some());
    let ambiguous = query.iter().take_while(|(_, value)| value.is_none()).count();
    let ambiguous = ambiguous.min(MAX_AMBIGUOUS);
    let mut refusal = None;
    for form in 0..1_u32 << ambiguous {
        for (bit, (_, value)) in query.iter_mut().take(ambiguous).enumerate() {
            *value = (form >> bit & 1 == 1).then_some("");
        }
        let parts = Parts { query: &query, ..*parts };
        let canonical = v4::canonical_request(&parts, &additional, UNSIGNED_PAYLOAD);
        let string_to_sign = v4::string_to_sign(&claim.timestamp, &claim.scope, &canonical);
        if same(&v4::signature(&key, &string_to_sign), claim.signature) {
            return Ok(());
        }
        refusal.get_or_insert_with(|| {
            let bytes = hex_bytes(&canonical);
            mismatch(claim.key_id, claim.signature, &string_to_sign)
                .with("CanonicalRequest", canonical)
                .with("CanonicalRequestBytes", bytes)
        });
    }
    Err(refusal.unwrap_or_else(|| mismatch(claim.key_id, claim.signature, "")))
}

/// A verified URL of version 4: its credential, date, expiry and token.
#[derive(Debug, Clone)]
pub struct UrlSignature {
    credential: String,
    date: String,
    expires: String,
    token: Option<String>,
    region: String,
}

pub(super) fn verify_url(
    parts: &Parts<'_>,
    keys: &Keys,
    region: &str,
    now: OffsetDateTime,
) -> Result<UrlSignature, Fault> {
    let required = |name| {
        param(parts, name).ok_or_else(|| invalid(format!("{name} is missing from the URL.")))
    };
    if required("x-oss-signature-version")? != ALGORITHM {
        return Err(invalid(format!("x-oss-signature-version must be {ALGORITHM}.")));
    }
    let signature = required("x-oss-signature").map_err(|fault| fault.with_ec("0002-00000219"))?;
    let credential = required("x-oss-credential")?;
    let date = required("x-oss-date")?;
    let expires = required("x-oss-expires")?;
    let Some(time) = time_format::parse_basic(date) else {
        return Err(invalid("x-oss-date must be a UTC time like 20261122T081638Z."));
    };
    let seconds = expires.parse().ok().filter(|seconds| (1..=MAX_EXPIRES).contains(seconds));
    let Some(seconds) = seconds else {
        return Err(invalid(format!("x-oss-expires must be between 1 and {MAX_EXPIRES} seconds.")));
    };
    if time > now {
        check_skew(time, now)?;
    }
    // Saturating, for a date near the end of the calendar.
    let until = time.saturating_add(Duration::seconds(seconds));
    if until < now {
        return Err(expired(until, now));
    }
    let (key_id, scope) = parse_credential(credential, date, region, Place::Url)?;
    let additional_headers = parse_additional(param(parts, "x-oss-additional-headers"))?;
    let token = param(parts, "x-oss-security-token");
    let timestamp = date.to_owned();
    let claim = Claim { key_id, scope, timestamp, additional_headers, signature, token };
    let unsigned = |(name, _): &&(&str, _)| *name != "x-oss-signature";
    let query: Vec<_> = parts.query.iter().filter(unsigned).copied().collect();
    check(&Parts { query: &query, ..*parts }, keys, &claim)?;
    Ok(UrlSignature {
        credential: credential.to_owned(),
        date: date.to_owned(),
        expires: expires.to_owned(),
        token: token.map(str::to_owned),
        region: region.to_owned(),
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
        let (key_id, scope) =
            parse_credential(&self.credential, &self.date, &self.region, Place::Url)?;
        let entry = keys.find(key_id, self.token.as_deref())?;
        let mut query = Vec::new();
        query.extend(process.map(|value| ("x-oss-process", Some(value))));
        query.extend([
            ("x-oss-signature-version", Some(ALGORITHM)),
            ("x-oss-credential", Some(self.credential.as_str())),
            ("x-oss-date", Some(&self.date)),
            ("x-oss-expires", Some(&self.expires)),
        ]);
        query.extend(self.token.as_deref().map(|value| ("x-oss-security-token", Some(value))));
        let parts = Parts { method: "GET", bucket, key, query: &query, headers: &[] };
        let canonical = v4::canonical_request(&parts, &[], UNSIGNED_PAYLOAD);
        let string_to_sign = v4::string_to_sign(&self.date, &scope, &canonical);
        let signature = v4::signature(&Key::derive(&entry.key.secret, &scope), &string_to_sign);
        query.push(("x-oss-signature", Some(&signature)));
        Ok(write_query(&query))
    }
}
