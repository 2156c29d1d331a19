//! Profiles of ossutil's config file, in the spelling of both its
//! generations.
//!
//! ossutil 1 writes one section `[Credentials]`; ossutil 2 writes `[default]`
//! and `[profile NAME]`, each of which may build on another by
//! `source_profile`. Names of sections and keys are taken in any case, and
//! keys in any of `accessKeyID`, `access-key-id` and `access_key_id`.

use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind, Result};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// A profile of ossutil's config file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Profile {
    /// The access key.
    pub credentials: Credentials,
    /// The region, such as `cn-hangzhou`.
    pub region: Option<String>,
    /// The endpoint.
    pub endpoint: Option<String>,
}

impl Profile {
    /// Reads a profile from a file. The default path is `OSSUTIL_CONFIG_FILE`,
    /// else `.ossutilconfig` in the home directory; the default name is
    /// `OSSUTIL_PROFILE`, else the default profile.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Credentials`] if the file or profile does not exist, or if the
    /// profile's mode is neither `AK` nor `StsToken`.
    pub fn read(path: Option<&Path>, name: Option<&str>) -> Result<Self> {
        let path = path
            .map(Path::to_owned)
            .or_else(default_path)
            .ok_or_else(|| fault("no home directory: set the path of ossutil's config file"))?;
        let bytes = fs::read(&path).map(Zeroizing::new).map_err(|error| {
            fault(format!("cannot read ossutil's config file {}: {error}", path.display()))
                .with_source(error)
        })?;
        // Comments may be in another encoding. A key that is has no use.
        let text = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
        let chosen = name.map(str::to_owned).or_else(|| variable("OSSUTIL_PROFILE"));
        Self::parse(&text, chosen.as_deref())
    }

    /// Parses a profile from the text of a config file.
    pub fn parse(text: &str, name: Option<&str>) -> Result<Self> {
        let file = File::parse(text);
        let section = file.section(name)?;
        let known = |mode: &str| matches!(&*plain(mode), "ak" | "ststoken");
        if let Some(mode) = file.value(section, &["mode"]).filter(|mode| !known(mode)) {
            return Err(fault(format!("profile mode {mode:?}: must be AK or StsToken")));
        }
        let required = |names: &[&str], what: &str| {
            file.value(section, names).ok_or_else(|| fault(format!("the profile has no {what}")))
        };
        let credentials = Credentials::new(
            required(&["accesskeyid", "accessid"], "access key id")?,
            required(&["accesskeysecret", "accesskey"], "access key secret")?,
        );
        let token = file.value(section, &["ststoken", "securitytoken"]).unwrap_or_default();
        Ok(Profile {
            credentials: credentials.with_security_token(token),
            region: file.value(section, &["region"]).map(str::to_owned),
            endpoint: file.value(section, &["endpoint"]).map(str::to_owned),
        })
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn default_path() -> Option<PathBuf> {
    if let Some(path) = env::var_os("OSSUTIL_CONFIG_FILE").filter(|path| !path.is_empty()) {
        return Some(PathBuf::from(path));
    }
    let home = env::var_os("HOME").or_else(|| env::var_os("USERPROFILE"))?;
    Some(PathBuf::from(home).join(".ossutilconfig"))
}

fn fault(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Credentials, message)
}

/// A key or section name without what its spellings differ in.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
}

/// Name and value of a line: `NAME = VALUE`, or `NAME: VALUE`.
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

    fn section(&self, name: Option<&str>) -> Result<&Section<'a>> {
        let candidates = match name.map(str::to_lowercase) {
            None => vec!["default".into(), "profile default".into(), "credentials".into()],
            Some(name) if name == "default" => vec![name, "profile default".into()],
            Some(name) => vec![format!("profile {name}")],
        };
        candidates
            .iter()
            .find_map(|candidate| self.0.iter().find(|section| section.name == *candidate))
            // ossutil 1 has a section [Default] for options, beside the keys.
            .map(|found| self.old_keys(name, found).unwrap_or(found))
            .ok_or_else(|| fault(format!("profile {:?} not found", name.unwrap_or("default"))))
    }

    fn old_keys(&self, name: Option<&str>, found: &Section<'a>) -> Option<&Section<'a>> {
        let has_keys = found.entries.iter().any(|(key, _)| key.starts_with("access"));
        let is_new = has_keys || found.entries.iter().any(|(key, _)| key == "sourceprofile");
        let wanted = name.is_none() && !is_new;
        wanted.then(|| self.0.iter().find(|section| section.name == "credentials")).flatten()
    }

    /// A value by any of its names, from the section or the profiles it
    /// builds on. The chain is as long as the file at most, so that a circle
    /// of profiles ends.
    fn value(&self, section: &Section<'a>, names: &[&str]) -> Option<&'a str> {
        let own = |section: &Section<'a>, names: &[&str]| {
            let entry = section.entries.iter().rev().find(|(key, _)| names.contains(&&**key));
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

    const OLD: &str = "[Credentials]\nlanguage=EN\nendpoint = oss-cn-beijing.aliyuncs.com\n\
        accessKeyID = id1\naccessKeySecret=secret=1\n[Default]\nloglevel=info\n";

    const NEW: &str = "# made by ossutil\n[default]\naccessKeyID=id2\naccess-key-secret=s2\n\
        region=cn-shanghai\n\n[profile Edge]\nACCESS_KEY_ID=id3\naccessKeySecret=s3\n\
        stsToken=t3\nmode=StsToken\n[profile child]\nsource_profile=edge\nregion=cn-beijing\n\
        [profile role]\nmode=EcsRamRole\n[profile loop]\nsource_profile=loop\n";

    #[test]
    fn the_first_generation_has_one_section_of_keys() {
        let profile = Profile::parse(OLD, None).unwrap();
        assert_eq!(profile.credentials, Credentials::new("id1", "secret=1"));
        assert_eq!(profile.endpoint.as_deref(), Some("oss-cn-beijing.aliyuncs.com"));
        assert_eq!(profile.region, None);
    }

    #[test]
    fn the_second_generation_has_a_default_and_named_profiles() {
        let default = Profile::parse(NEW, None).unwrap();
        assert_eq!(default.credentials, Credentials::new("id2", "s2"));
        assert_eq!(default.region.as_deref(), Some("cn-shanghai"));
        assert_eq!(Profile::parse(NEW, Some("default")).unwrap(), default);
        let edge = Profile::parse(NEW, Some("edge")).unwrap();
        assert_eq!(edge.credentials.security_token(), Some("t3"));
    }

    #[test]
    fn a_profile_builds_on_its_source() {
        let child = Profile::parse(NEW, Some("child")).unwrap();
        assert_eq!(child.credentials.access_key_id(), "id3");
        assert_eq!(child.region.as_deref(), Some("cn-beijing"));
    }

    #[test]
    fn what_cannot_be_used_is_an_error_that_says_why() {
        for (text, name, word) in [
            (NEW, Some("absent"), "absent"),
            (NEW, Some("role"), "EcsRamRole"),
            (NEW, Some("loop"), "access key id"),
            ("[default]\naccessKeyID=id\n", None, "access key secret"),
            ("", None, "default"),
        ] {
            let error = Profile::parse(text, name).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Credentials);
            assert!(error.message().contains(word), "{error}");
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let path = Path::new("no-such-folder").join("ossutilconfig");
        let error = Profile::read(Some(&path), None).unwrap_err();
        assert!(error.message().contains("no-such-folder"));
        assert!(std::error::Error::source(&error).is_some());
    }
}
