//! The config file of the `aliyun` command, which is JSON.

use super::mode::{self, Entries, Profile, plain};
use crate::error::{Error, Result};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::rc::Rc;
use zeroize::Zeroizing;

/// The file. Values are borrowed, so that no secret is copied.
#[derive(Deserialize)]
struct File<'a> {
    #[serde(default)]
    current: Option<String>,
    #[serde(borrow, default)]
    profiles: Vec<BTreeMap<String, &'a RawValue>>,
}

/// A profile of a file.
struct Entry<'a> {
    file: Rc<File<'a>>,
    at: usize,
}

pub(super) fn parse(text: &str, name: Option<&str>) -> Result<Profile> {
    let text = text.trim_start_matches('\u{feff}');
    // The parser's own message could quote a secret.
    let file: File = serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Error::credentials(format!(
            "the config file is not valid JSON (line {line}, column {column})"
        ))
    })?;
    let current = file.current.clone().filter(|name| !name.trim().is_empty());
    let name = name.map(str::to_owned).or(current).unwrap_or_else(|| "default".to_owned());
    let profile = find(&Rc::new(file), &name)?;
    let text = |names: &[&str]| profile.value(names).map(|value| value.to_string());
    Ok(Profile {
        region: text(&["regionid", "region"]),
        endpoint: None,
        source: mode::source(&profile)?,
    })
}

fn find<'a>(file: &Rc<File<'a>>, name: &str) -> Result<Entry<'a>> {
    let matches_name = |profile: &BTreeMap<String, &RawValue>| {
        profile.get("name").and_then(|value| text_of(value)).is_some_and(|own| *own == name)
    };
    let at = file.profiles.iter().position(matches_name);
    let at = at.ok_or_else(|| Error::credentials(format!("profile {name:?} not found")))?;
    Ok(Entry { file: file.clone(), at })
}

impl Entries for Entry<'_> {
    fn value(&self, names: &[&str]) -> Option<Zeroizing<String>> {
        let entries = &self.file.profiles[self.at];
        let of = |wanted: &&str| {
            let found = entries.iter().find(|(name, _)| plain(name) == **wanted);
            found.and_then(|(_, value)| text_of(value))
        };
        names.iter().find_map(of)
    }

    fn other(&self, name: &str) -> Result<Self> {
        find(&self.file, name)
    }
}

/// Returns a string, number or boolean as a string; `None` for anything else and for
/// an empty string.
fn text_of(value: &RawValue) -> Option<Zeroizing<String>> {
    let raw = value.get();
    let text = match raw.as_bytes().first()? {
        b'"' => serde_json::from_str(raw).ok()?,
        b'{' | b'[' | b'n' => return None,
        _ => raw.to_owned(),
    };
    Some(Zeroizing::new(text)).filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Credentials;
    use crate::error::ErrorKind;
    use crate::source::CredentialsSource;
    use std::time::Duration;

    const FILE: &str = r#"{
        "current": "laptop", "meta_path": "",
        "profiles": [
            {"name": "laptop", "mode": "AK", "access_key_id": "id1", "access_key_secret": "s1",
             "sts_token": "", "region_id": "cn-shanghai", "expired_seconds": 0, "retry_count": 3},
            {"name": "sts", "mode": "StsToken", "access_key_id": "id2",
             "access_key_secret": "s2", "sts_token": "t\u0032"},
            {"name": "role", "mode": "RamRoleArn", "access_key_id": "id3",
             "access_key_secret": "s3", "ram_role_arn": "acs:ram::1:role/live",
             "ram_session_name": "box", "expired_seconds": 1800, "sts_region": "cn-beijing",
             "enable_vpc": true, "external_id": "x", "policy": "{}"},
            {"name": "chain", "mode": "ChainableRamRoleArn", "source_profile": "role",
             "ram_role_arn": "acs:ram::2:role/other"},
            {"name": "circle", "mode": "ChainableRamRoleArn", "source_profile": "circle",
             "ram_role_arn": "acs:ram::2:role/other"},
            {"name": "ecs", "mode": "EcsRamRole", "ram_role_name": "live"},
            {"name": "any-ecs", "mode": "EcsRamRole"},
            {"name": "oidc", "mode": "OIDC", "ram_role_arn": "acs:ram::1:role/pod",
             "oidc_provider_arn": "acs:ram::1:oidc-provider/ack", "oidc_token_file": "/token"},
            {"name": "process", "mode": "External", "process_command": "vault read 'a b'"},
            {"name": "uri", "mode": "CredentialsURI", "credentials_uri": "http://127.0.0.1/x"},
            {"name": "sso", "mode": "CloudSSO", "access_token": "t"},
            {"name": "half", "mode": "AK", "access_key_id": "id4"}
        ]}"#;

    fn source(name: &str) -> CredentialsSource {
        parse(FILE, Some(name)).unwrap().source
    }

    #[test]
    fn the_current_profile_is_the_default() {
        let profile = parse(FILE, None).unwrap();
        assert_eq!(profile.source, CredentialsSource::Keys(Credentials::new("id1", "s1")));
        assert_eq!(profile.region.as_deref(), Some("cn-shanghai"));
        assert_eq!(parse(&format!("\u{feff} {FILE}"), None).unwrap(), profile);
    }

    #[test]
    fn every_mode_is_converted_to_its_source() {
        let CredentialsSource::Keys(keys) = source("sts") else { panic!("not keys") };
        assert_eq!(keys.security_token(), Some("t2"));
        let CredentialsSource::AssumedRole(role) = source("role") else { panic!("not a role") };
        assert_eq!(role.session.duration, Duration::from_secs(1800));
        assert_eq!(role.session.endpoint.as_deref(), Some("sts-vpc.cn-beijing.aliyuncs.com"));
        assert_eq!(role.session.name.as_deref(), Some("box"));
        assert_eq!(role.external_id.as_deref(), Some("x"));
        for (name, shown) in [
            (
                "chain",
                "the role acs:ram::2:role/other via the role acs:ram::1:role/live via the access key id3",
            ),
            ("ecs", "the ECS role live"),
            ("any-ecs", "the ECS instance's role"),
            ("oidc", "the role acs:ram::1:role/pod via OIDC"),
            ("process", "the command vault"),
            ("uri", "the credentials URI at 127.0.0.1"),
        ] {
            assert_eq!(source(name).to_string(), shown);
        }
    }

    #[test]
    fn an_unusable_profile_is_an_error_with_the_reason() {
        for (text, name, word) in [
            (FILE, Some("absent"), "absent"),
            (FILE, Some("sso"), "CloudSSO"),
            (FILE, Some("circle"), "circle"),
            (FILE, Some("half"), "access key secret"),
            (
                r#"{"profiles": [{"name": "default", "mode": "AK", "access_key_id": null}]}"#,
                None,
                "access key id",
            ),
            ("{}", None, "default"),
            ("{\"profiles\": [{\"name\": \"hush", None, "column"),
            ("{\"profiles\": \"hush\"}", None, "valid JSON"),
        ] {
            let error = parse(text, name).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Credentials);
            assert!(error.message().contains(word), "{error}");
            assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
        }
    }
}
