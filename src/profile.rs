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
use std::fs;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

pub use mode::Profile;

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
        let path = path.map(Path::to_owned).or_else(default_path).ok_or_else(|| {
            Error::credentials("no home directory: set the path of the config file")
        })?;
        let text = read_file(&path)?;
        let variable = if is_json(&text) { "ALIBABA_CLOUD_PROFILE" } else { "OSSUTIL_PROFILE" };
        let chosen = name.map(str::to_owned).or_else(|| variable_of(variable));
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

fn variable_of(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn default_path() -> Option<PathBuf> {
    if let Some(path) = env::var_os("OSSUTIL_CONFIG_FILE").filter(|path| !path.is_empty()) {
        return Some(PathBuf::from(path));
    }
    let home = PathBuf::from(env::var_os("HOME").or_else(|| env::var_os("USERPROFILE"))?);
    let (ossutil, aliyun) = (home.join(".ossutilconfig"), home.join(".aliyun/config.json"));
    // If neither exists, the error names the first.
    Some(if !ossutil.is_file() && aliyun.is_file() { aliyun } else { ossutil })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_named() {
        let path = Path::new("no-such-folder").join("ossutilconfig");
        let error = Profile::read(Some(&path), None).unwrap_err();
        assert!(error.message().contains("no-such-folder"));
        assert!(std::error::Error::source(&error).is_some());
    }
}
