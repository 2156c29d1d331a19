//! The config files of ossutil versions 1 and 2, and of the credentials libraries,
//! which have the same format.
//!
//! ossutil 1 writes one section `[Credentials]`; ossutil 2 writes `[default]`
//! and `[profile NAME]`, each of which may extend another with
//! `source_profile`. The credentials libraries use the profile's name alone as
//! the section. Names of sections and keys are case-insensitive, and keys may be
//! written as `accessKeyID`, `access-key-id` or `access_key_id`.

use super::mode::{self, Entries, Profile, plain};
use crate::error::{Error, Result};
use crate::source::{CredentialsSource, EcsRole};
use std::rc::Rc;
use zeroize::Zeroizing;

pub(super) fn parse(text: &str, name: Option<&str>) -> Result<Profile> {
    let file = Rc::new(File::parse(text));
    if let Some(role) = file.old_role(name) {
        let endpoint = file.old_endpoint();
        return Ok(Profile { source: mode::supported(role)?, region: None, endpoint });
    }
    let profile = Entry { at: file.section(name)?, file };
    let text = |names: &[&str]| profile.value(names).map(|value| value.to_string());
    Ok(Profile {
        region: text(&["region", "regionid"]),
        endpoint: text(&["endpoint"]),
        source: mode::source(&profile)?,
    })
}

/// A profile of a file: the index of its section.
struct Entry<'a> {
    file: Rc<File<'a>>,
    at: usize,
}

impl Entries for Entry<'_> {
    fn value(&self, names: &[&str]) -> Option<Zeroizing<String>> {
        self.file.value(self.at, names).map(|value| Zeroizing::new(value.to_owned()))
    }

    fn other(&self, name: &str) -> Result<Self> {
        Ok(Entry { at: self.file.section(Some(name))?, file: self.file.clone() })
    }
}

/// Splits a line into name and value: `NAME = VALUE`, or `NAME: VALUE`.
fn entry(line: &str) -> Option<(&str, &str)> {
    line.find(['=', ':']).map(|at| (&line[..at], &line[at + 1..]))
}

struct Section<'a> {
    name: String,
    entries: Vec<(String, &'a str)>,
}

struct File<'a>(Vec<Section<'a>>);

impl<'a> File<'a> {
    fn parse(text: &'a str) -> Self {
        let mut sections: Vec<Section<'a>> = Vec::new();
        for line in text.trim_start_matches('\u{feff}').lines().map(str::trim) {
            if line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                sections.push(Section { name: name.trim().to_lowercase(), entries: Vec::new() });
            } else if let (Some((name, value)), Some(section)) = (entry(line), sections.last_mut())
            {
                section.entries.push((plain(name.trim()), value.trim()));
            }
        }
        File(sections)
    }

    /// Returns the index of a profile's section.
    fn section(&self, name: Option<&str>) -> Result<usize> {
        let candidates = match name.map(str::to_lowercase) {
            None => vec!["default".into(), "profile default".into(), "credentials".into()],
            Some(name) if name == "default" => vec![name, "profile default".into()],
            Some(name) => vec![format!("profile {name}"), name],
        };
        candidates
            .iter()
            .find_map(|candidate| self.named(candidate))
            // ossutil 1 has a section [Default] for options, next to the keys.
            .map(|found| self.old_keys(name, found).unwrap_or(found))
            .ok_or_else(|| {
                Error::credentials(format!("profile {:?} not found", name.unwrap_or("default")))
            })
    }

    fn named(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|section| section.name == name)
    }

    fn old_keys(&self, name: Option<&str>, found: usize) -> Option<usize> {
        let is_key = |key: &str| {
            key.starts_with("access") || matches!(key, "sourceprofile" | "mode" | "type")
        };
        let is_new = self.0[found].entries.iter().any(|(key, _)| is_key(key));
        let is_old = name.is_none() && !is_new;
        is_old.then(|| self.named("credentials")).flatten()
    }

    /// Returns the role that ossutil 1 reads from its own section if there is no key:
    /// the role's URL at the metadata service.
    fn old_role(&self, name: Option<&str>) -> Option<CredentialsSource> {
        let url = self.value(self.named("akservice")?, &["ecsak"])?;
        let has_key = self
            .section(name)
            .is_ok_and(|at| self.value(at, &["accesskeyid", "accessid", "mode", "type"]).is_some());
        if has_key || name.is_some() {
            return None;
        }
        let role = url.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let host: Vec<_> = url.splitn(4, '/').take(3).collect();
        Some(CredentialsSource::EcsRole(EcsRole::new().name(role).endpoint(host.join("/"))))
    }

    fn old_endpoint(&self) -> Option<String> {
        self.value(self.named("credentials")?, &["endpoint"]).map(str::to_owned)
    }

    /// Returns a value by any of its names, from the section or the profiles it
    /// extends. The chain has at most as many links as the file has sections, so
    /// that a cycle of profiles ends.
    fn value(&self, section: usize, names: &[&str]) -> Option<&'a str> {
        let own = |section: usize, names: &[&str]| {
            let mut entries = self.0[section].entries.iter().rev();
            let entry = entries.find(|(key, _)| names.contains(&&**key));
            entry.map(|(_, value)| *value).filter(|value| !value.is_empty())
        };
        let mut section = section;
        for _ in 0..self.0.len() {
            if let Some(value) = own(section, names) {
                return Some(value);
            }
            section = self.section(Some(own(section, &["sourceprofile"])?)).ok()?;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Credentials;
    use crate::error::ErrorKind;

    const OLD: &str = "[Credentials]\nlanguage=EN\nendpoint = oss-cn-beijing.aliyuncs.com\n\
        accessKeyID = id1\naccessKeySecret=secret=1\n[Default]\nloglevel=info\n";

    const NEW: &str = "# made by ossutil\n[default]\naccessKeyID=id2\naccess-key-secret=s2\n\
        region=cn-shanghai\n\n[profile Edge]\nACCESS_KEY_ID=id3\naccessKeySecret=s3\n\
        stsToken=t3\nmode=StsToken\n[profile child]\nsource_profile=edge\nregion=cn-beijing\n\
        [profile role]\nmode=BearerToken\n[profile loop]\nsource_profile=loop\n";

    fn keys(profile: &Profile) -> Credentials {
        let CredentialsSource::Keys(keys) = &profile.source else { panic!("{profile:?}") };
        keys.clone()
    }

    #[test]
    fn ossutil_1_has_one_section_of_keys() {
        let profile = parse(OLD, None).unwrap();
        assert_eq!(keys(&profile), Credentials::new("id1", "secret=1"));
        assert_eq!(profile.endpoint.as_deref(), Some("oss-cn-beijing.aliyuncs.com"));
        assert_eq!(profile.region, None);
    }

    #[test]
    fn ossutil_2_has_a_default_and_named_profiles() {
        let default = parse(NEW, None).unwrap();
        assert_eq!(keys(&default), Credentials::new("id2", "s2"));
        assert_eq!(default.region.as_deref(), Some("cn-shanghai"));
        assert_eq!(parse(NEW, Some("default")).unwrap(), default);
        let edge = parse(NEW, Some("edge")).unwrap();
        assert_eq!(keys(&edge).security_token(), Some("t3"));
    }

    #[test]
    fn keys_of_ossutil_2_take_precedence_over_those_of_ossutil_1() {
        let both = format!("{NEW}{OLD}");
        assert_eq!(keys(&parse(&both, None).unwrap()).access_key_id(), "id2");
        assert_eq!(keys(&parse(&both, Some("edge")).unwrap()).access_key_id(), "id3");
        let file = format!("[profile default]\naccessKeyID=id4\naccessKeySecret=s\n{NEW}");
        assert_eq!(keys(&parse(&file, Some("default")).unwrap()).access_key_id(), "id2");
    }

    #[test]
    fn a_profile_extends_its_source_profile() {
        let child = parse(NEW, Some("child")).unwrap();
        assert_eq!(keys(&child).access_key_id(), "id3");
        assert_eq!(child.region.as_deref(), Some("cn-beijing"));
    }

    #[test]
    fn an_unusable_profile_is_an_error_with_the_reason() {
        for (text, name, word) in [
            (NEW, Some("absent"), "absent"),
            (NEW, Some("role"), "BearerToken"),
            (NEW, Some("loop"), "access key id"),
            ("[default]\naccessKeyID=id\n", None, "access key secret"),
            ("", None, "default"),
        ] {
            let error = parse(text, name).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Credentials);
            assert!(error.message().contains(word), "{error}");
        }
    }

    #[cfg(feature = "credential-sources")]
    #[test]
    fn modes_are_recognized_in_either_spelling() {
        let file = "[default]\nmode=EcsRamRole\necsRoleName=live\n\
            [profile oidc]\nmode=OIDC\nram-role-arn=acs:ram::1:role/pod\n\
            oidc_provider_arn=acs:ram::1:oidc-provider/ack\noidcTokenFile=/token\n\
            [profile process]\nmode=Process\ncredential_process=vault read\n\
            [client]\ntype = ram_role_arn\naccess_key_id=id\naccess_key_secret=s\n\
            role_arn=acs:ram::1:role/old\nrole_session_name=n\n";
        for (name, shown) in [
            (None, "the ECS role live"),
            (Some("oidc"), "the role acs:ram::1:role/pod via OIDC"),
            (Some("process"), "the command vault"),
            (Some("client"), "the role acs:ram::1:role/old via the access key id"),
        ] {
            assert_eq!(parse(file, name).unwrap().source.to_string(), shown);
        }
    }

    #[cfg(feature = "credential-sources")]
    #[test]
    fn ossutil_1_may_name_a_role_by_its_url() {
        let file = "[Credentials]\nendpoint=oss-cn-beijing.aliyuncs.com\n[AkService]\n\
            ecsAk=http://100.100.100.200/latest/meta-data/Ram/security-credentials/live\n";
        let profile = parse(file, None).unwrap();
        let role = EcsRole::new().name("live").endpoint("http://100.100.100.200");
        assert_eq!(profile.source, CredentialsSource::EcsRole(role));
        let keys = format!("[default]\naccessKeyID=id\naccessKeySecret=s\n{file}");
        assert!(matches!(parse(&keys, None).unwrap().source, CredentialsSource::Keys(_)));
        let named = format!("{file}[profile edge]\nregion=cn-beijing\n");
        assert!(parse(&named, Some("edge")).is_err());
        assert_eq!(profile.endpoint.as_deref(), Some("oss-cn-beijing.aliyuncs.com"));
    }
}
