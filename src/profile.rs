//! Profiles in the config files of the vendor's tools: of ossutil versions 1 and 2,
//! of the `aliyun` command, and of the credentials libraries.
//!
//! `ini` and `json` read the two formats; `mode` interprets a profile.

mod ini;
#[cfg(feature = "credential-sources")]
mod json;
mod mode;

use crate::error::{Error, Result};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

pub use mode::Profile;

/// Returns the value of an environment variable.
type Variables<'a> = &'a dyn Fn(&str) -> Option<OsString>;

impl Profile {
    /// Reads a profile from either tool's config file. The default path is
    /// `OSSUTIL_CONFIG_FILE`, else `.ossutilconfig` in the home directory, else
    /// `.aliyun/config.json`; the default name is `OSSUTIL_PROFILE`, or
    /// `ALIBABA_CLOUD_PROFILE` for the `aliyun` command's file, else the file's
    /// default profile.
    ///
    /// # Errors
    ///
    /// [`Credentials`](crate::ErrorKind::Credentials) if the file or profile does
    /// not exist, or if the profile's mode is unknown or needs the feature
    /// `credential-sources`.
    pub fn read(path: Option<&Path>, name: Option<&str>) -> Result<Self> {
        Self::read_with(path, name, &|name| env::var_os(name))
    }

    fn read_with(path: Option<&Path>, name: Option<&str>, variable: Variables<'_>) -> Result<Self> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let path = path.map(Path::to_owned).or_else(|| default_path(&set)).ok_or_else(|| {
            Error::credentials("no home directory: set the path of the config file")
        })?;
        let text = read_file(&path)?;
        let chooser = if is_json(&text) { "ALIBABA_CLOUD_PROFILE" } else { "OSSUTIL_PROFILE" };
        let chosen = || set(chooser).and_then(|name| name.into_string().ok());
        let chosen = name.map(str::to_owned).or_else(chosen);
        Self::parse(&text, chosen.as_deref())
            .map_err(|error| error.explained(&format!("in {}", path.display())))
    }

    /// Parses a profile from the content of a config file.
    pub fn parse(text: &str, name: Option<&str>) -> Result<Self> {
        if is_json(text) { from_json(text, name) } else { ini::parse(text, name) }
    }
}

#[cfg(feature = "credential-sources")]
use json::parse as from_json;

#[cfg(not(feature = "credential-sources"))]
fn from_json(_: &str, _: Option<&str>) -> Result<Profile> {
    Err(Error::credentials("a config file in JSON needs the feature \"credential-sources\""))
}

/// Returns whether a config file is JSON, which only the `aliyun` command writes.
fn is_json(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim_start().starts_with('{')
}

/// Reads a config file. Invalid UTF-8 is replaced, because comments may be in
/// another encoding.
pub(crate) fn read_file(path: &Path) -> Result<Zeroizing<String>> {
    let bytes = fs::read(path).map(Zeroizing::new).map_err(|error| {
        Error::credentials(format!("cannot read the config file {}: {error}", path.display()))
            .with_source(error)
    })?;
    Ok(Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned()))
}

fn default_path(variable: Variables<'_>) -> Option<PathBuf> {
    if let Some(path) = variable("OSSUTIL_CONFIG_FILE") {
        return Some(PathBuf::from(path));
    }
    let home = PathBuf::from(variable("HOME").or_else(|| variable("USERPROFILE"))?);
    let (ossutil, aliyun) = (home.join(".ossutilconfig"), home.join(".aliyun/config.json"));
    // If neither exists, the error names the first.
    Some(if !ossutil.is_file() && aliyun.is_file() { aliyun } else { ossutil })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::CredentialsSource;

    #[test]
    fn a_missing_file_is_named() {
        let path = Path::new("no-such-folder").join("ossutilconfig");
        let error = Profile::read(Some(&path), None).unwrap_err();
        assert!(error.message().contains("no-such-folder"));
        assert!(std::error::Error::source(&error).is_some());
    }

    /// Returns the access key id that is read with these variables.
    fn key_id(variables: &[(&str, &str)]) -> Result<String> {
        let variable = |wanted: &str| {
            let found = variables.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| OsString::from(value))
        };
        let profile = Profile::read_with(None, None, &variable)?;
        let CredentialsSource::Keys(keys) = profile.source else { panic!("no keys") };
        Ok(keys.access_key_id().to_owned())
    }

    #[test]
    fn the_environment_chooses_the_file_and_the_profile() {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
        let section = |name: &str| format!("[{name}]\naccessKeyID={name}\naccessKeySecret=s\n");
        let write = |name: &str, text: &str| fs::write(path(name), text).unwrap();
        write("named", &section("default").replace("ID=default", "ID=named"));
        write(".ossutilconfig", &(section("default") + &section("edge")));
        let (named, home_path) = (path("named"), path("."));
        let (file, home) = (("OSSUTIL_CONFIG_FILE", &*named), ("HOME", &*home_path));
        assert_eq!(key_id(&[file, home]).unwrap(), "named");
        assert_eq!(key_id(&[("OSSUTIL_CONFIG_FILE", ""), home]).unwrap(), "default");
        assert_eq!(key_id(&[home, ("OSSUTIL_PROFILE", "edge")]).unwrap(), "edge");
        assert_eq!(key_id(&[home, ("OSSUTIL_PROFILE", "")]).unwrap(), "default");
        let windows = [("HOME", ""), ("USERPROFILE", &*home_path)];
        assert_eq!(key_id(&windows).unwrap(), "default");
        assert!(key_id(&[]).unwrap_err().message().contains("no home directory"));
    }

    #[cfg(feature = "credential-sources")]
    #[test]
    fn the_file_of_the_aliyun_command_is_read_only_without_one_of_ossutil() {
        let home = tempfile::tempdir().unwrap();
        let config = |name: &str| {
            let profile = |name: &str| {
                format!(
                    r#"{{"name": "{name}", "mode": "AK", "access_key_id": "{name}",
                        "access_key_secret": "s"}}"#
                )
            };
            format!(r#"{{"current": "{name}", "profiles": [{}, {}]}}"#, profile("a"), profile("b"))
        };
        fs::create_dir(home.path().join(".aliyun")).unwrap();
        fs::write(home.path().join(".aliyun/config.json"), config("a")).unwrap();
        let home_path = home.path().to_str().unwrap();
        assert_eq!(key_id(&[("HOME", home_path)]).unwrap(), "a");
        let other = [("HOME", home_path), ("ALIBABA_CLOUD_PROFILE", "b")];
        assert_eq!(key_id(&other).unwrap(), "b");
        let ossutil = "[default]\naccessKeyID=ossutil\naccessKeySecret=s\n";
        fs::write(home.path().join(".ossutilconfig"), ossutil).unwrap();
        assert_eq!(key_id(&[("HOME", home_path)]).unwrap(), "ossutil");
    }
}
