//! Fault rules: when they apply and what they do.

use base64::prelude::{BASE64_STANDARD, Engine};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The operations of publishers, which the service does not name.
pub(crate) const RTMP_CONNECT: &str = "RtmpConnect";
pub(crate) const RTMP_PUBLISH: &str = "RtmpPublish";

/// The operation that disables a channel.
const DISABLING: &str = "PutLiveChannelStatus";
/// The maximum time in a rule: a day.
const MAX_MS: u64 = 86_400_000;
/// The maximum length of a string in a rule, in bytes.
const MAX_TEXT: usize = 1024;
/// How much of a response is displayed, in characters.
const BRIEF: usize = 80;
/// The maximum length of a response in a rule, in bytes.
pub(super) const MAX_RESPONSE: usize = 8 << 20;

/// How to end the connection instead of responding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Disconnect {
    /// Closes it.
    Close,
    /// Resets it.
    Reset,
    /// Sends nothing until the rule is deleted or the peer gives up.
    Hang,
}

/// A fault rule, see [`Control::add`](super::Control::add).
///
/// Names an operation and an effect; fields that are `None` or `false` have no
/// effect. In JSON the fields are in camelCase, and only `operation` is required.
///
/// ```
/// use osslive_local::FaultRule;
///
/// // The next two status requests for any camera fail with 503.
/// let rule = FaultRule {
///     channel: Some("cam-*".into()),
///     times: Some(2),
///     status: Some(503),
///     ..FaultRule::new("GetLiveChannelStat")
/// };
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct FaultRule {
    /// The operation as the service names it, such as `GetLiveChannelStat` or
    /// `GetObject`; `RtmpConnect` is a new RTMP connection, `RtmpPublish` a
    /// publisher, and `*` every HTTP operation.
    pub operation: String,
    /// The channel or object key; `*` matches any characters. Defaults to all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// How many times it applies. Defaults to no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// The probability of applying, from 0 to 1. Defaults to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// The seed for `probability`; equal seeds give equal sequences. Defaults to 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Responds with this HTTP status, 400 to 599, without performing the operation;
    /// with a `body`, from 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The error code. Over HTTP it defaults to the usual code for the status; over
    /// RTMP it rejects the publisher with a status code such as
    /// `NetStream.Publish.BadName`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The detailed error code (EC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ec: Option<String>,
    /// The error message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Delays the response by this many milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// Limits the rate of the response body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_per_second: Option<u64>,
    /// Closes the connection after this many bytes of the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut_after_bytes: Option<u64>,
    /// Disconnects a publisher this many milliseconds after it was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut_after_ms: Option<u64>,
    /// Keeps the publisher connected for this many milliseconds after
    /// `PutLiveChannelStatus` disables its channel. On the service it is about ten
    /// seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disconnect_after_ms: Option<u64>,
    /// Ends or hangs the connection instead of responding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disconnect: Option<Disconnect>,
    /// Responds with this body, and with status 200 unless `status` is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The media type of `body`. Defaults to `application/xml`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Sends this as the entire response, status line and headers included, valid or
    /// not. The connection then ends as `disconnect` says; it is closed by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// The same as `raw` for binary data, in Base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_base64: Option<String>,
    /// Repeats this after `raw` until the peer disconnects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endless: Option<String>,
    /// Responds with 200 and a meaningless body.
    #[serde(skip_serializing_if = "is_false")]
    pub garbage: bool,
    /// Offsets the `Date` header by this many seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_skew_seconds: Option<i64>,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// Why a rule is invalid; the message names the field and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError(String);

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RuleError {}

impl RuleError {
    /// Returns the error for too many rules.
    pub(super) fn too_many(most: usize) -> Self {
        RuleError(format!("there are already {most} rules: delete some"))
    }

    /// Returns the error for responses that are too large in total.
    pub(super) fn too_long(most: usize) -> Self {
        RuleError(format!("the rules contain more than {most} bytes of responses: delete some"))
    }
}

fn wrong<T>(text: String) -> Result<T, RuleError> {
    Err(RuleError(text))
}

impl FaultRule {
    /// Returns a rule for an operation, without any effect yet.
    pub fn new(operation: impl Into<String>) -> Self {
        FaultRule { operation: operation.into(), ..FaultRule::default() }
    }

    /// Validates the rule; `operations` are those over HTTP.
    pub(super) fn check(&self, operations: &[&str]) -> Result<(), RuleError> {
        let name = &*self.operation;
        let is_rtmp = matches!(name, RTMP_CONNECT | RTMP_PUBLISH);
        if !is_rtmp && name != "*" && !operations.contains(&name) {
            let name: String = name.chars().take(80).collect();
            return wrong(format!(
                "operation {name:?}: must be an operation such as GetLiveChannelStat or \
                 GetObject, RtmpConnect, RtmpPublish, or *"
            ));
        }
        self.check_ranges()?;
        self.check_fields(is_rtmp)?;
        self.check_response()?;
        if !self.has_effect() {
            return wrong(
                "the rule has no effect: set status, code, latencyMs, disconnect or another effect"
                    .to_owned(),
            );
        }
        Ok(())
    }

    /// Checks that the rule has at most one kind of response.
    fn check_response(&self) -> Result<(), RuleError> {
        let is_raw = self.raw.is_some() || self.raw_base64.is_some();
        let is_own = self.status.is_some() || self.body.is_some();
        let ends = self.disconnect.is_some() && !is_raw;
        if [is_own, ends, self.garbage, is_raw].iter().filter(|is_set| **is_set).count() > 1 {
            return wrong(
                "mutually exclusive: status or body; disconnect without raw; garbage; raw"
                    .to_owned(),
            );
        }
        if self.raw.is_some() && self.raw_base64.is_some() {
            return wrong("raw and rawBase64 are mutually exclusive".to_owned());
        }
        if is_raw && self.cut_after_bytes.is_some() {
            return wrong("cutAfterBytes: not supported with raw; truncate raw instead".to_owned());
        }
        if self.endless.is_some() && !is_raw {
            return wrong("endless: requires raw, which may be empty".to_owned());
        }
        if self.endless.as_deref() == Some("") {
            return wrong("endless: must not be empty".to_owned());
        }
        if self.content_type.is_some() && self.body.is_none() {
            return wrong("contentType: requires a body".to_owned());
        }
        if self.raw_base64.as_ref().is_some_and(|text| BASE64_STANDARD.decode(text).is_err()) {
            return wrong("rawBase64: must be Base64".to_owned());
        }
        if self.held() > MAX_RESPONSE {
            return wrong(format!("body, raw and endless exceed {MAX_RESPONSE} bytes"));
        }
        Ok(())
    }

    /// Returns the size of the rule's response in bytes.
    pub(super) fn held(&self) -> usize {
        let texts = [&self.body, &self.raw, &self.raw_base64, &self.endless];
        texts.into_iter().flatten().map(String::len).sum()
    }

    /// Returns a copy with a truncated response.
    pub(super) fn in_brief(&self) -> FaultRule {
        let brief = |text: &Option<String>| {
            text.as_ref().map(|text| text.chars().take(BRIEF).collect::<String>())
        };
        FaultRule {
            body: brief(&self.body),
            raw: brief(&self.raw),
            raw_base64: brief(&self.raw_base64),
            endless: brief(&self.endless),
            ..self.clone()
        }
    }

    /// Returns the bytes that are sent instead of a response.
    pub(crate) fn raw_bytes(&self) -> Option<Vec<u8>> {
        let decoded = |text: &String| BASE64_STANDARD.decode(text).ok();
        let text = self.raw.as_ref().map(|text| text.as_bytes().to_vec());
        text.or_else(|| self.raw_base64.as_ref().and_then(decoded))
    }

    fn check_ranges(&self) -> Result<(), RuleError> {
        let least = if self.body.is_some() { 200 } else { 400 };
        if let Some(status) = self.status.filter(|status| !(least..=599).contains(status)) {
            return wrong(format!("status {status}: must be {least} to 599"));
        }
        if self.times == Some(0) {
            return wrong("times 0: must be at least 1".to_owned());
        }
        if let Some(chance) = self.probability.filter(|chance| !(0.0..=1.0).contains(chance)) {
            return wrong(format!("probability {chance}: must be 0 to 1"));
        }
        if self.bytes_per_second == Some(0) {
            return wrong("bytesPerSecond 0: must be at least 1".to_owned());
        }
        for (field, value) in [
            ("latencyMs", self.latency_ms),
            ("cutAfterMs", self.cut_after_ms),
            ("disconnectAfterMs", self.disconnect_after_ms),
        ] {
            if let Some(value) = value.filter(|value| *value > MAX_MS) {
                return wrong(format!("{field} {value}: must be at most {MAX_MS}, a day"));
            }
        }
        if let Some(skew) = self.date_skew_seconds.filter(|skew| skew.unsigned_abs() > 1 << 31) {
            return wrong(format!("dateSkewSeconds {skew}: must be within 68 years"));
        }
        for (field, text) in [
            ("channel", &self.channel),
            ("code", &self.code),
            ("ec", &self.ec),
            ("message", &self.message),
            ("contentType", &self.content_type),
        ] {
            let Some(text) = text else { continue };
            if text.is_empty() || text.len() > MAX_TEXT || text.chars().any(char::is_control) {
                let text: String = text.chars().take(80).collect();
                return wrong(format!(
                    "{field} {text:?}: must be 1 to {MAX_TEXT} bytes without control characters"
                ));
            }
        }
        Ok(())
    }

    /// Checks that the fields are supported for the operation.
    fn check_fields(&self, is_rtmp: bool) -> Result<(), RuleError> {
        let for_http = [
            ("status", self.status.is_some()),
            ("ec", self.ec.is_some()),
            ("bytesPerSecond", self.bytes_per_second.is_some()),
            ("cutAfterBytes", self.cut_after_bytes.is_some()),
            ("garbage", self.garbage),
            ("body", self.body.is_some()),
            ("raw", self.raw.is_some()),
            ("rawBase64", self.raw_base64.is_some()),
            ("dateSkewSeconds", self.date_skew_seconds.is_some()),
        ];
        let for_publishers =
            [("code", self.code.is_some()), ("cutAfterMs", self.cut_after_ms.is_some())];
        let name = &self.operation;
        let given = |fields: &[(&'static str, bool)]| {
            fields.iter().find(|(_, is_set)| *is_set).map(|(field, _)| *field)
        };
        let refused = match (is_rtmp, name == RTMP_CONNECT) {
            (true, true) => given(&for_http).or(given(&for_publishers)),
            (true, false) => given(&for_http),
            (false, _) => given(&for_publishers[1..]),
        };
        let lingers = Some("disconnectAfterMs").filter(|_| self.disconnect_after_ms.is_some());
        let refused = refused.or(lingers.filter(|_| name != DISABLING));
        if let Some(field) = refused {
            return wrong(format!("{field}: not supported for {name}"));
        }
        if !is_rtmp && self.status.is_none() && (self.code.is_some() || self.ec.is_some()) {
            return wrong("code and ec: require a status".to_owned());
        }
        if self.message.is_some() && self.status.is_none() && self.code.is_none() {
            return wrong("message: requires a status, or a code for RtmpPublish".to_owned());
        }
        Ok(())
    }

    fn has_effect(&self) -> bool {
        self.status.is_some()
            || self.code.is_some()
            || self.latency_ms.is_some()
            || self.bytes_per_second.is_some()
            || self.cut_after_bytes.is_some()
            || self.cut_after_ms.is_some()
            || self.disconnect_after_ms.is_some()
            || self.disconnect.is_some()
            || self.garbage
            || self.body.is_some()
            || self.raw.is_some()
            || self.raw_base64.is_some()
            || self.date_skew_seconds.is_some()
    }

    /// Returns whether it applies to this operation and key.
    pub(super) fn applies_to(&self, operation: &str, key: &str) -> bool {
        let is_rtmp = matches!(operation, RTMP_CONNECT | RTMP_PUBLISH);
        (self.operation == operation || self.operation == "*" && !is_rtmp)
            && self.channel.as_deref().is_none_or(|pattern| fits(pattern, key))
    }
}

/// Returns whether a string matches a pattern in which `*` matches any characters.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPERATIONS: &[&str] = &["GetLiveChannelStat", "GetObject"];

    fn refused(text: &str) -> String {
        match serde_json::from_str::<FaultRule>(text) {
            Ok(rule) => rule.check(OPERATIONS).expect_err(text).to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn an_asterisk_matches_any_characters() {
        for (pattern, text) in [
            ("*", ""),
            ("cam", "cam"),
            ("cam-*", "cam-"),
            ("cam-*", "cam-1"),
            ("*/a.ts", "cam/a.ts"),
            ("c*m*1", "cam-11"),
            ("**", "x"),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("", "x"), ("cam", "cam-1"), ("cam-*", "cam"), ("a*a", "a")] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn an_invalid_rule_is_refused_with_the_name_of_its_field() {
        for (text, word) in [
            (r#"{"operation": "GetStat", "status": 503}"#, "GetStat"),
            (r#"{"operation": "GetObject"}"#, "no effect"),
            (r#"{"operation": "GetObject", "status": 200}"#, "status 200"),
            (r#"{"operation": "GetObject", "status": 503, "times": 0}"#, "times 0"),
            (r#"{"operation": "GetObject", "status": 503, "probability": 1.5}"#, "probability"),
            (r#"{"operation": "GetObject", "status": 503, "garbage": true}"#, "mutually exclusive"),
            (r#"{"operation": "GetObject", "code": "X"}"#, "require a status"),
            (r#"{"operation": "GetObject", "message": "X", "garbage": true}"#, "message"),
            (r#"{"operation": "GetObject", "cutAfterMs": 5}"#, "cutAfterMs"),
            (r#"{"operation": "GetObject", "disconnectAfterMs": 5}"#, "disconnectAfterMs"),
            (r#"{"operation": "GetObject", "latencyMs": 86400001}"#, "latencyMs"),
            (r#"{"operation": "GetObject", "bytesPerSecond": 0}"#, "bytesPerSecond"),
            (r#"{"operation": "GetObject", "status": 503, "raw": ""}"#, "mutually exclusive"),
            (r#"{"operation": "GetObject", "status": 199, "body": ""}"#, "status 199"),
            (r#"{"operation": "GetObject", "raw": "", "rawBase64": ""}"#, "rawBase64"),
            (r#"{"operation": "GetObject", "rawBase64": "?"}"#, "Base64"),
            (r#"{"operation": "GetObject", "endless": "x"}"#, "endless"),
            (r#"{"operation": "GetObject", "raw": "", "endless": ""}"#, "endless"),
            (r#"{"operation": "GetObject", "contentType": "text/html"}"#, "contentType"),
            (r#"{"operation": "RtmpPublish", "raw": ""}"#, "raw"),
            (r#"{"operation": "GetObject", "statsu": 503}"#, "statsu"),
            (r#"{"operation": "GetObject", "status": 503, "code": "a\nb"}"#, "code"),
            (r#"{"operation": "RtmpPublish", "status": 503}"#, "status"),
            (r#"{"operation": "RtmpConnect", "code": "X"}"#, "code"),
            (r#"{"operation": "GetObject", "disconnect": "explode"}"#, "explode"),
            ("[]", "operation"),
        ] {
            let message = refused(text);
            assert!(message.contains(word), "{text}: {message}");
        }
    }

    #[test]
    fn a_rule_in_json_contains_only_the_fields_that_are_set() {
        let rule = FaultRule { status: Some(503), ..FaultRule::new("*") };
        assert_eq!(rule.check(OPERATIONS), Ok(()));
        let text = serde_json::to_string(&rule).expect("JSON");
        assert_eq!(text, r#"{"operation":"*","status":503}"#);
        assert_eq!(serde_json::from_str::<FaultRule>(&text).expect("a rule"), rule);
    }

    #[test]
    fn an_asterisk_matches_every_operation_over_http() {
        let all = FaultRule::new("*");
        assert!(all.applies_to("GetObject", "cam/a.ts"));
        assert!(!all.applies_to(RTMP_PUBLISH, "cam"));
        let one = FaultRule { channel: Some("cam-*".into()), ..FaultRule::new(RTMP_PUBLISH) };
        assert!(one.applies_to(RTMP_PUBLISH, "cam-1") && !one.applies_to(RTMP_PUBLISH, "other"));
    }
}
