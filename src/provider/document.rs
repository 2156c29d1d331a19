//! Parses credentials in JSON, in all spellings that services and programs use.

use crate::credentials::Credentials;
use crate::error::{Error, Result};
use crate::refreshing::Lease;
use crate::xml::parse_time;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// A JSON object. Values are borrowed, so that secrets are not copied.
pub(super) struct Document<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Document<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self> {
        // The parser's error message could contain a secret.
        serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .map(Document)
            .map_err(|_| Error::bad_reply("the response is not a JSON object"))
    }

    /// Returns a nested object.
    pub(super) fn object(&self, name: &str) -> Option<Document<'a>> {
        Document::parse(self.0.get(name)?.get()).ok()
    }

    /// Returns the first string among these keys that is not empty.
    pub(super) fn text(&self, names: &[&str]) -> Option<Zeroizing<String>> {
        let of = |name: &&str| {
            let text: String = serde_json::from_str(self.0.get(*name)?.get()).ok()?;
            Some(Zeroizing::new(text)).filter(|text| !text.is_empty())
        };
        names.iter().find_map(of)
    }

    /// Returns the credentials. `now` is the time by the issuer's clock.
    pub(super) fn lease(&self, now: OffsetDateTime) -> Result<Lease> {
        let part = |names: &[&str]| {
            let missing = || Error::bad_reply(format!("the response has no {}", names[0]));
            self.text(names).ok_or_else(missing)
        };
        let id = part(&["AccessKeyId", "access_key_id"])?;
        let secret = part(&["AccessKeySecret", "access_key_secret"])?;
        let mut credentials = Credentials::new(&*id, &*secret);
        if let Some(token) = self.text(&["SecurityToken", "sts_token", "security_token"]) {
            credentials = credentials.with_security_token(&*token);
        }
        let lease = Lease::new(credentials);
        let Some(expiration) = self.text(&["Expiration", "expiration"]) else { return Ok(lease) };
        let end = parse_time(&expiration).ok_or_else(|| {
            let shown: String = expiration.chars().take(40).collect();
            Error::bad_reply(format!("the expiration {shown:?} is not a time"))
        })?;
        match (end - now).try_into() {
            Ok(lifetime) => Ok(lease.valid_for(lifetime)),
            Err(_) => {
                let message = format!("the credentials have expired ({})", &*expiration);
                Err(Error::credentials(message))
            }
        }
    }

    /// Checks the field `Code`, by which the metadata service reports success.
    pub(super) fn check_code(&self) -> Result<()> {
        let Some(code) = self.text(&["Code"]).filter(|code| &**code != "Success") else {
            return Ok(());
        };
        let code: String = code.chars().take(80).collect();
        Err(Error::credentials(format!("the service returned {code:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-27 12:00 UTC);

    fn lease(text: &str) -> Result<Lease> {
        Document::parse(text)?.lease(NOW)
    }

    #[test]
    fn both_spellings_are_read() {
        for text in [
            r#"{"Code": "Success", "AccessKeyId": "STS.id", "AccessKeySecret": "s\/1",
                "SecurityToken": "t", "Expiration": "2026-11-27T13:00:00Z", "LastUpdated": 1}"#,
            r#"{"mode": "StsToken", "access_key_id": "STS.id", "access_key_secret": "s/1",
                "sts_token": "t", "expiration": "2026-11-27T21:00:00.000+08:00"}"#,
        ] {
            let expected = Credentials::new("STS.id", "s/1").with_security_token("t");
            let expected = Lease::new(expected).valid_for(std::time::Duration::from_secs(3600));
            assert_eq!(format!("{:?}", lease(text).unwrap()), format!("{expected:?}"));
        }
        let key = lease(r#"{"mode": "AK", "access_key_id": "id", "access_key_secret": "s"}"#);
        let expected = Lease::new(Credentials::new("id", "s"));
        assert_eq!(format!("{:?}", key.unwrap()), format!("{expected:?}"));
    }

    #[test]
    fn problems_are_named_and_no_secret_is_quoted() {
        for (text, word) in [
            ("hush", "JSON object"),
            (r#"["hush"]"#, "JSON object"),
            (r#"{"AccessKeySecret": "hush"}"#, "no AccessKeyId"),
            (r#"{"AccessKeyId": "id", "AccessKeySecret": ["hush"]}"#, "no AccessKeySecret"),
            (
                r#"{"AccessKeyId": "id", "AccessKeySecret": "hush", "Expiration": "soon"}"#,
                "\"soon\"",
            ),
            (
                r#"{"AccessKeyId": "id", "AccessKeySecret": "hush",
                    "Expiration": "2026-11-27T11:59:59Z"}"#,
                "have expired",
            ),
        ] {
            let error = lease(text).unwrap_err();
            assert!(error.message().contains(word), "{error}");
            assert!(!format!("{error:?}").contains("hush"), "{error:?}");
        }
        let failed = Document::parse(r#"{"Code": "Failed"}"#).unwrap();
        assert!(failed.check_code().unwrap_err().message().contains("Failed"));
    }
}
