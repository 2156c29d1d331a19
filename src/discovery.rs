//! The default credentials of a machine, in the same order as the vendor's tools.
//!
//! Source: "Default credential provider chain" in the README of the vendor's
//! credentials libraries. OSS's own variables and ossutil's file come before
//! their general counterparts.

use crate::credentials::{self, OSS_VARIABLES, VariableNames};
use crate::error::{Error, Result};
use crate::profile::{self, Profile};
use crate::source::{CredentialsSource, CredentialsUri, EcsRole, OidcRole};
use std::env;
use std::fmt;
use std::path::{Path, PathBuf};

const GENERAL_VARIABLES: VariableNames = [
    "ALIBABA_CLOUD_ACCESS_KEY_ID",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
    "ALIBABA_CLOUD_SECURITY_TOKEN",
];

/// The default credentials of this machine: the first of these that exists.
///
/// 1. `OSS_ACCESS_KEY_ID`, `OSS_ACCESS_KEY_SECRET` and `OSS_SESSION_TOKEN` in the
///    environment
/// 2. `ALIBABA_CLOUD_ACCESS_KEY_ID`, `ALIBABA_CLOUD_ACCESS_KEY_SECRET` and
///    `ALIBABA_CLOUD_SECURITY_TOKEN`
/// 3. an OIDC role: `ALIBABA_CLOUD_ROLE_ARN`, `ALIBABA_CLOUD_OIDC_PROVIDER_ARN` and
///    `ALIBABA_CLOUD_OIDC_TOKEN_FILE`, as RRSA sets them in Kubernetes
/// 4. ossutil's config file, `~/.ossutilconfig`
/// 5. the `aliyun` command's config file, `~/.aliyun/config.json`
/// 6. the credentials libraries' file, `~/.alibabacloud/credentials`
/// 7. the role of the ECS instance, unless `ALIBABA_CLOUD_ECS_METADATA_DISABLED` is
///    `true`
/// 8. the URL in `ALIBABA_CLOUD_CREDENTIALS_URI`
///
/// If a variable or file is set but cannot be used, that is an error: osslive does
/// not fall back to another identity.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DefaultCredentials {
    /// The sources to try, in order.
    pub(crate) sources: Vec<CredentialsSource>,
    /// Why other sources do not apply.
    pub(crate) skipped: Vec<String>,
    /// Where the source was found, if it was configured.
    found: Option<String>,
    /// Region and endpoint of the profile, if the credentials come from one.
    pub(crate) region: Option<String>,
    pub(crate) endpoint: Option<String>,
}

impl DefaultCredentials {
    /// Looks for credentials in the environment and the config files of this
    /// machine. Sends nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Credentials`](crate::ErrorKind::Credentials), which names the
    /// variable or file that is wrong, or everything that was tried if nothing was
    /// found.
    pub fn find() -> Result<Self> {
        Machine { variable: &|name| env::var(name).ok() }.find()
    }

    /// Returns whether credentials are configured on this machine; otherwise only
    /// the metadata service of an ECS instance may have some.
    pub fn is_configured(&self) -> bool {
        self.found.is_some()
    }

    /// Returns why other sources do not apply, in the order in which they were
    /// tried.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    fn none() -> Self {
        let (sources, skipped) = (Vec::new(), Vec::new());
        DefaultCredentials { sources, skipped, found: None, region: None, endpoint: None }
    }

    fn from(mut self, source: CredentialsSource, place: impl Into<String>) -> Self {
        self.sources = vec![source];
        self.found = Some(place.into());
        self
    }
}

/// Describes the credentials and where they were found, without secrets.
impl fmt::Display for DefaultCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, source) in self.sources.iter().enumerate() {
            write!(f, "{}{source}", if at == 0 { "" } else { ", or " })?;
        }
        self.found.iter().try_for_each(|found| write!(f, " from {found}"))
    }
}

/// Returns the error for missing credentials, with everything that was tried.
pub(crate) fn nothing_found(tried: &[String]) -> Error {
    let tried = tried.join("; ");
    Error::credentials(format!("no credentials found: {tried}"))
}

/// The environment of a machine.
struct Machine<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
}

/// A config file.
struct ConfigFile {
    path: PathBuf,
    /// The profile's name, unless the file sets the default.
    profile: Option<String>,
    /// Whether a variable names the file or the profile.
    is_named: bool,
}

impl Machine<'_> {
    fn find(&self) -> Result<DefaultCredentials> {
        let mut found = DefaultCredentials::none();
        for names in [&OSS_VARIABLES, &GENERAL_VARIABLES] {
            if self.get(names[0]).is_some() || self.get(names[1]).is_some() {
                let keys = credentials::from_variables(names, self.variable)?;
                return Ok(found.from(CredentialsSource::Keys(keys), "the environment"));
            }
            found.skipped.push(format!("{} is not set", names[0]));
        }
        match self.oidc_role()? {
            Some(role) => {
                let role = CredentialsSource::OidcRole(role);
                return Ok(found.from(role, "the environment"));
            }
            None => found.skipped.push("ALIBABA_CLOUD_OIDC_TOKEN_FILE is not set".into()),
        }
        for file in [self.ossutil(), self.aliyun(), self.libraries()] {
            let error = match file.and_then(|file| self.read(&file)) {
                Ok((profile, path)) => {
                    found.region = profile.region;
                    found.endpoint = profile.endpoint;
                    return Ok(found.from(profile.source, path));
                }
                Err(Skipped::Absent(why)) => why,
                Err(Skipped::Wrong(error)) => return Err(error),
            };
            found.skipped.push(error);
        }
        self.network(found)
    }

    fn get(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.trim().is_empty())
    }

    fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    }

    /// Returns the role that the environment sets, such as that of a pod.
    fn oidc_role(&self) -> Result<Option<OidcRole>> {
        let [token, provider, role] = [
            "ALIBABA_CLOUD_OIDC_TOKEN_FILE",
            "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
            "ALIBABA_CLOUD_ROLE_ARN",
        ]
        .map(|name| self.get(name).ok_or(name));
        // The ARN alone is also used without OIDC.
        if token.is_err() && provider.is_err() {
            return Ok(None);
        }
        let required = |value: Result<String, &str>| value.map_err(credentials::not_set);
        let role = OidcRole::new(required(role)?, required(provider)?, required(token)?)
            .session_name(self.get("ALIBABA_CLOUD_ROLE_SESSION_NAME").unwrap_or_default());
        Ok(Some(role))
    }

    fn ossutil(&self) -> Result<ConfigFile, Skipped> {
        let profile = self.get("OSSUTIL_PROFILE");
        self.file("OSSUTIL_CONFIG_FILE", &[".ossutilconfig"], profile)
    }

    fn aliyun(&self) -> Result<ConfigFile, Skipped> {
        if self.is_true("ALIBABA_CLOUD_CLI_PROFILE_DISABLED") {
            return Err(Skipped::Absent("ALIBABA_CLOUD_CLI_PROFILE_DISABLED is true".into()));
        }
        let profile = self.get("ALIBABA_CLOUD_PROFILE");
        self.file("ALIBABA_CLOUD_CONFIG_FILE", &[".aliyun/config.json"], profile)
    }

    fn libraries(&self) -> Result<ConfigFile, Skipped> {
        let names = [".alibabacloud/credentials", ".alibabacloud/credentials.ini"];
        let profile = self.get("ALIBABA_CLOUD_PROFILE").unwrap_or_else(|| "default".into());
        let mut file = self.file("ALIBABA_CLOUD_CREDENTIALS_FILE", &names, Some(profile))?;
        // The variable primarily names a profile of the aliyun command's file.
        file.is_named = self.get("ALIBABA_CLOUD_CREDENTIALS_FILE").is_some();
        Ok(file)
    }

    /// Returns the file that the variable names, or one of these in the home directory.
    fn file(
        &self,
        variable: &str,
        names: &[&str],
        profile: Option<String>,
    ) -> Result<ConfigFile, Skipped> {
        if let Some(path) = self.get(variable) {
            return Ok(ConfigFile { path: PathBuf::from(path), profile, is_named: true });
        }
        let home = self.get("HOME").or_else(|| self.get("USERPROFILE"));
        let home = home.ok_or_else(|| Skipped::Absent("there is no home directory".into()))?;
        let mut paths = names.iter().map(|name| Path::new(&home).join(name));
        let found = paths.find(|path| path.is_file());
        let path = found.ok_or_else(|| Skipped::Absent(format!("there is no ~/{}", names[0])))?;
        let is_named = profile.is_some();
        Ok(ConfigFile { path, profile, is_named })
    }

    fn read(&self, file: &ConfigFile) -> Result<(Profile, String), Skipped> {
        let shown = file.path.display().to_string();
        let read = profile::read_file(&file.path)
            .and_then(|text| Profile::parse(&text, file.profile.as_deref()));
        match read {
            Ok(profile) => Ok((profile, shown)),
            Err(error) if file.is_named => {
                Err(Skipped::Wrong(error.explained(&format!("in {shown}"))))
            }
            Err(error) => Err(Skipped::Absent(format!("{shown}: {}", error.message()))),
        }
    }

    /// Adds the sources that have to be requested over the network.
    fn network(&self, mut found: DefaultCredentials) -> Result<DefaultCredentials> {
        if self.is_true("ALIBABA_CLOUD_ECS_METADATA_DISABLED") {
            found.skipped.push("ALIBABA_CLOUD_ECS_METADATA_DISABLED is true".into());
        } else {
            let name = self.get("ALIBABA_CLOUD_ECS_METADATA");
            if name.is_some() {
                found.found = Some("the environment".into());
            }
            let role = EcsRole::new().name(name.unwrap_or_default());
            found.sources.push(CredentialsSource::EcsRole(role));
        }
        match self.get("ALIBABA_CLOUD_CREDENTIALS_URI") {
            Some(url) => {
                found.found = Some("the environment".into());
                let uri = CredentialsSource::Uri(CredentialsUri::new(url));
                uri.check()?;
                found.sources.push(uri);
            }
            None => found.skipped.push("ALIBABA_CLOUD_CREDENTIALS_URI is not set".into()),
        }
        if found.sources.is_empty() { Err(nothing_found(&found.skipped)) } else { Ok(found) }
    }
}

/// Why a file is not used.
enum Skipped {
    Absent(String),
    Wrong(Error),
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::fs;

    /// A machine with these variables and a home directory with these files.
    fn find(
        variables: &[(&str, &str)],
        files: &[(&str, &str)],
    ) -> Result<(String, DefaultCredentials)> {
        let home = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = home.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let mut all: BTreeMap<&str, String> =
            variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        all.insert("HOME", home.path().display().to_string());
        let machine = Machine { variable: &|name| all.get(name).cloned() };
        let found = machine.find()?;
        let shown = found.to_string().replace(&*home.path().to_string_lossy(), "~");
        let shown = shown.replace('\\', "/");
        Ok((shown, found))
    }

    const OSS: [(&str, &str); 2] = [("OSS_ACCESS_KEY_ID", "oss"), ("OSS_ACCESS_KEY_SECRET", "s")];
    const GENERAL: [(&str, &str); 2] =
        [("ALIBABA_CLOUD_ACCESS_KEY_ID", "general"), ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "s")];
    const OIDC: [(&str, &str); 3] = [
        ("ALIBABA_CLOUD_ROLE_ARN", "acs:ram::1:role/pod"),
        ("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "acs:ram::1:oidc-provider/ack"),
        ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "/token"),
    ];
    const OSSUTIL: (&str, &str) = (
        ".ossutilconfig",
        "[default]\naccessKeyID=ossutil\naccessKeySecret=s\nregion=cn-beijing\n",
    );
    const ALIYUN: (&str, &str) = (
        ".aliyun/config.json",
        r#"{"current": "c", "profiles": [{"name": "c", "mode": "AK", "access_key_id": "aliyun",
            "access_key_secret": "s", "region_id": "cn-qingdao"}]}"#,
    );
    #[cfg(feature = "credential-sources")]
    const LIBRARIES: (&str, &str) = (
        ".alibabacloud/credentials",
        "[default]\ntype = access_key\naccess_key_id = libraries\naccess_key_secret = s\n",
    );

    #[test]
    #[cfg(feature = "credential-sources")]
    fn the_first_source_that_exists_is_used() {
        let uri = ("ALIBABA_CLOUD_CREDENTIALS_URI", "http://127.0.0.1/c");
        let mut variables = [&OSS[..], &GENERAL, &OIDC, &[uri]].concat();
        let mut files = vec![OSSUTIL, ALIYUN, LIBRARIES];
        let mut expect = |drop_variables: usize, drop_files: usize, shown: &str| {
            assert_eq!(find(&variables, &files).unwrap().0, shown);
            variables.drain(..drop_variables);
            files.drain(..drop_files);
        };
        expect(2, 0, "the access key oss from the environment");
        expect(2, 0, "the access key general from the environment");
        expect(3, 0, "the role acs:ram::1:role/pod via OIDC from the environment");
        expect(0, 1, "the access key ossutil from ~/.ossutilconfig");
        expect(0, 1, "the access key aliyun from ~/.aliyun/config.json");
        expect(0, 1, "the access key libraries from ~/.alibabacloud/credentials");
        let last = "the ECS instance's role, or the credentials URI at 127.0.0.1";
        expect(1, 0, &format!("{last} from the environment"));
        assert_eq!(find(&[], &[]).unwrap().0, "the ECS instance's role");
    }

    #[test]
    fn the_region_comes_from_the_profile() {
        let (_, found) = find(&[], &[OSSUTIL]).unwrap();
        assert_eq!(found.region.as_deref(), Some("cn-beijing"));
        assert!(found.is_configured());
        assert_eq!(found.skipped()[0], "OSS_ACCESS_KEY_ID is not set");
        assert!(!find(&[], &[]).unwrap().1.is_configured());
    }

    #[test]
    #[cfg(feature = "credential-sources")]
    fn variables_choose_the_profile_and_the_role() {
        let file = (".ossutilconfig", "[profile edge]\naccessKeyID=edge\naccessKeySecret=s\n");
        let (shown, _) = find(&[("OSSUTIL_PROFILE", "edge")], &[file]).unwrap();
        assert_eq!(shown, "the access key edge from ~/.ossutilconfig");
        let role = [("ALIBABA_CLOUD_ECS_METADATA", "live")];
        assert_eq!(find(&role, &[]).unwrap().0, "the ECS role live from the environment");
    }

    #[test]
    fn a_configured_source_that_cannot_be_used_is_an_error() {
        for (variables, files, word) in [
            (&OSS[..1], &[][..], "OSS_ACCESS_KEY_SECRET"),
            (&OSS[1..], &[], "OSS_ACCESS_KEY_ID"),
            (&GENERAL[..1], &[ALIYUN], "ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
            (&OIDC[1..], &[], "ALIBABA_CLOUD_ROLE_ARN"),
            (&OIDC[..2], &[], "ALIBABA_CLOUD_OIDC_TOKEN_FILE"),
            (&[("OSSUTIL_PROFILE", "absent")], &[OSSUTIL], "absent"),
            (&[("OSSUTIL_CONFIG_FILE", "/no/such/file")], &[ALIYUN], "/no/such/file"),
            (&[("ALIBABA_CLOUD_CREDENTIALS_URI", "nonsense")], &[], "http://"),
        ] {
            let error = find(variables, files).unwrap_err();
            assert!(error.message().contains(word), "{error}");
        }
    }

    #[test]
    fn if_nothing_is_found_the_error_lists_everything_that_was_tried_in_order() {
        let off = [
            ("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true"),
            ("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "TRUE"),
        ];
        let broken = (".ossutilconfig", "[profile other]\n");
        let message = find(&off, &[broken]).unwrap_err().message().to_owned();
        let mut rest = &*message;
        for word in [
            "no credentials found: OSS_ACCESS_KEY_ID is not set",
            "ALIBABA_CLOUD_ACCESS_KEY_ID is not set",
            "ALIBABA_CLOUD_OIDC_TOKEN_FILE is not set",
            ".ossutilconfig: profile \"default\" not found",
            "ALIBABA_CLOUD_CLI_PROFILE_DISABLED is true",
            "there is no ~/.alibabacloud/credentials",
            "ALIBABA_CLOUD_ECS_METADATA_DISABLED is true",
            "ALIBABA_CLOUD_CREDENTIALS_URI is not set",
        ] {
            let at = rest.find(word).unwrap_or_else(|| panic!("{word} in {message}"));
            rest = &rest[at + word.len()..];
        }
    }
}
