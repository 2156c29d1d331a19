//! Sources of credentials, as data.
//!
//! [`ClientBuilder::credentials_source`](crate::ClientBuilder::credentials_source)
//! takes them. The names and defaults are those of the vendor's credentials
//! libraries and of the `aliyun` command.

use crate::credentials::Credentials;
use crate::error::{Error, Result};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The default lifetime of a role's credentials.
const DEFAULT_SESSION: Duration = Duration::from_secs(3600);
/// The minimum lifetime that STS accepts.
const MIN_SESSION: Duration = Duration::from_secs(15 * 60);

/// A source of credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialsSource {
    /// An access key, temporary or not.
    Keys(Credentials),
    /// The RAM role of the ECS instance that the program runs on.
    EcsRole(EcsRole),
    /// A RAM role, assumed with an OIDC token, as RRSA does in Kubernetes.
    OidcRole(OidcRole),
    /// A RAM role, assumed with other credentials.
    AssumedRole(AssumedRole),
    /// A program that prints credentials.
    Process(CredentialProcess),
    /// A URL that returns credentials.
    Uri(CredentialsUri),
}

impl CredentialsSource {
    /// Checks that the source is complete. Sends nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Credentials`](crate::ErrorKind::Credentials), which names what is
    /// missing or wrong.
    pub fn check(&self) -> Result<()> {
        match self {
            CredentialsSource::Keys(credentials) => credentials.check(),
            CredentialsSource::EcsRole(_) => Ok(()),
            CredentialsSource::OidcRole(role) => {
                present(&role.provider_arn, "the ARN of the OIDC provider")?;
                let token_file = role.token_file.to_string_lossy();
                present(&token_file, "the file with the OIDC token")?;
                role.session.check()
            }
            CredentialsSource::AssumedRole(role) => {
                role.base.check()?;
                role.session.check()
            }
            CredentialsSource::Process(process) => present(&process.command, "the command"),
            CredentialsSource::Uri(uri) => uri.check(),
        }
    }
}

/// Describes the source, without secrets.
impl fmt::Display for CredentialsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CredentialsSource::Keys(keys) => write!(f, "the access key {}", keys.access_key_id()),
            CredentialsSource::EcsRole(EcsRole { name: Some(name), .. }) => {
                write!(f, "the ECS role {name}")
            }
            CredentialsSource::EcsRole(_) => f.write_str("the ECS instance's role"),
            CredentialsSource::OidcRole(role) => {
                write!(f, "the role {} via OIDC", role.session.role_arn)
            }
            CredentialsSource::AssumedRole(role) => {
                write!(f, "the role {} via {}", role.session.role_arn, role.base)
            }
            CredentialsSource::Process(process) => write!(f, "the command {}", process.program()),
            CredentialsSource::Uri(uri) => write!(f, "the credentials URI at {}", uri.host()),
        }
    }
}

/// The RAM role of an ECS instance. Its metadata service issues the credentials.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct EcsRole {
    pub(crate) name: Option<String>,
    pub(crate) needs_token: bool,
    pub(crate) endpoint: Option<String>,
}

impl EcsRole {
    /// Creates the role of this instance.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the role's name, which saves a request. Defaults to the name that the
    /// metadata service returns.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = unless_blank(name);
        self
    }

    /// Requires the metadata service's token mode (IMDSv2), as
    /// `ALIBABA_CLOUD_IMDSV1_DISABLED=true` in the environment does. Defaults to
    /// false, which falls back to the mode without tokens.
    pub fn needs_token(mut self, needs_token: bool) -> Self {
        self.needs_token = needs_token;
        self
    }

    /// Sets the metadata service. Defaults to `OSSLIVE_ECS_METADATA_ENDPOINT` in the
    /// environment if set, else to `http://100.100.100.200`.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = unless_blank(url);
        self
    }
}

/// The parameters of a role's session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) role_arn: String,
    pub(crate) name: Option<String>,
    pub(crate) policy: Option<String>,
    pub(crate) duration: Duration,
    pub(crate) endpoint: Option<String>,
}

impl Session {
    fn new(role_arn: impl Into<String>) -> Self {
        Session {
            role_arn: role_arn.into(),
            name: None,
            policy: None,
            duration: DEFAULT_SESSION,
            endpoint: None,
        }
    }

    fn check(&self) -> Result<()> {
        present(&self.role_arn, "the ARN of the role")?;
        if self.duration < MIN_SESSION {
            let seconds = self.duration.as_secs();
            return Err(Error::credentials(format!(
                "a session of {seconds} s for {}: must be 900 s or more",
                self.role_arn
            )));
        }
        Ok(())
    }
}

/// The global endpoint of STS.
const STS: &str = "sts.aliyuncs.com";

/// Returns the endpoint of STS in a region.
pub(crate) fn sts_endpoint(region: Option<&str>, vpc: bool) -> String {
    match region {
        Some(region) if vpc => format!("sts-vpc.{region}.aliyuncs.com"),
        Some(region) => format!("sts.{region}.aliyuncs.com"),
        None => STS.to_owned(),
    }
}

/// The settings that both kinds of role have in common.
macro_rules! session_settings {
    () => {
        /// Sets the session's name, which appears in RAM's logs. Defaults to
        /// `osslive`.
        pub fn session_name(mut self, name: impl Into<String>) -> Self {
            self.session.name = unless_blank(name);
            self
        }

        /// Sets a policy, in JSON, that restricts the session's permissions.
        pub fn policy(mut self, policy: impl Into<String>) -> Self {
            self.session.policy = unless_blank(policy);
            self
        }

        /// Sets how long each set of credentials is valid, 15 minutes or more.
        /// Defaults to an hour, a role's maximum unless it is configured
        /// otherwise.
        pub fn duration(mut self, duration: Duration) -> Self {
            self.session.duration = duration;
            self
        }

        /// Sets the endpoint of STS: a host, optionally with a scheme and a port.
        /// Defaults to `ALIBABA_CLOUD_STS_ENDPOINT` in the environment, else to that
        /// of the region in `ALIBABA_CLOUD_STS_REGION`, else to `sts.aliyuncs.com`.
        pub fn sts_endpoint(mut self, endpoint: impl Into<String>) -> Self {
            self.session.endpoint = unless_blank(endpoint);
            self
        }
    };
}

/// A RAM role, assumed with a token of an OIDC provider (AssumeRoleWithOIDC).
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct OidcRole {
    pub(crate) provider_arn: String,
    pub(crate) token_file: PathBuf,
    pub(crate) session: Session,
}

impl OidcRole {
    /// Creates a role from its ARN, the ARN of the OIDC provider, and the file with
    /// the token, which is read again for each refresh.
    pub fn new(
        role_arn: impl Into<String>,
        provider_arn: impl Into<String>,
        token_file: impl AsRef<Path>,
    ) -> Self {
        OidcRole {
            provider_arn: provider_arn.into(),
            token_file: token_file.as_ref().to_owned(),
            session: Session::new(role_arn),
        }
    }

    session_settings!();
}

/// A RAM role, assumed with other credentials (AssumeRole).
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct AssumedRole {
    pub(crate) base: Box<CredentialsSource>,
    pub(crate) external_id: Option<String>,
    pub(crate) session: Session,
}

impl AssumedRole {
    /// Creates a role from its ARN and the credentials that may assume it.
    pub fn new(base: CredentialsSource, role_arn: impl Into<String>) -> Self {
        let session = Session::new(role_arn);
        AssumedRole { base: Box::new(base), external_id: None, session }
    }

    /// Sets the external id that the role requires.
    pub fn external_id(mut self, id: impl Into<String>) -> Self {
        self.external_id = unless_blank(id);
        self
    }

    session_settings!();
}

/// A program that prints credentials as JSON on standard output.
#[derive(Clone, PartialEq, Eq)]
#[must_use]
pub struct CredentialProcess {
    pub(crate) command: String,
}

impl CredentialProcess {
    /// Creates a source from a command with its arguments, separated by spaces. Single
    /// and double quotation marks keep an argument together; except on Windows, a
    /// backslash escapes the next character. No shell is involved.
    ///
    /// The command must print an object of `AccessKeyId`, `AccessKeySecret` and, for
    /// temporary credentials, `SecurityToken` and `Expiration` (RFC 3339), or of
    /// `access_key_id`, `access_key_secret`, `sts_token` and `expiration`, within
    /// 30 seconds.
    pub fn new(command: impl Into<String>) -> Self {
        CredentialProcess { command: command.into() }
    }

    /// Returns the program, without its arguments, which may be secret.
    fn program(&self) -> &str {
        self.command.split_whitespace().next().unwrap_or_default()
    }
}

impl fmt::Debug for CredentialProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CredentialProcess({:?}, ..)", self.program())
    }
}

/// A URL that returns credentials as JSON.
#[derive(Clone, PartialEq, Eq)]
#[must_use]
pub struct CredentialsUri {
    pub(crate) url: String,
}

impl CredentialsUri {
    /// Creates a source from a URL with `http://` or `https://`. It returns an object
    /// like that of a [`CredentialProcess`], with a `Code` of `Success`.
    pub fn new(url: impl Into<String>) -> Self {
        CredentialsUri { url: url.into() }
    }

    fn check(&self) -> Result<()> {
        let scheme = self.url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        let is_http = scheme.is_some_and(|scheme| scheme == "http" || scheme == "https");
        match is_http && !self.host().is_empty() {
            true => Ok(()),
            false => Err(Error::credentials(
                "the credentials URI must start with http://HOST or https://HOST",
            )),
        }
    }

    /// Returns the host, without the path and the query, which may be secret.
    fn host(&self) -> &str {
        let after = self.url.split_once("://").map_or(&*self.url, |(_, after)| after);
        let authority = after.split(['/', '?', '#']).next().unwrap_or_default();
        authority.rsplit('@').next().unwrap_or_default()
    }
}

impl fmt::Debug for CredentialsUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CredentialsUri({:?}, ..)", self.host())
    }
}

fn unless_blank(value: impl Into<String>) -> Option<String> {
    Some(value.into()).filter(|value| !value.trim().is_empty())
}

fn present(value: &str, what: &str) -> Result<()> {
    if value.trim().is_empty() {
        Err(Error::credentials(format!("{what} is missing")))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    const ROLE: &str = "acs:ram::1234567890123456:role/live";

    #[test]
    fn missing_or_invalid_settings_are_named() {
        let keys = || CredentialsSource::Keys(Credentials::new("id", "secret"));
        let oidc = |role: &str, provider: &str, file: &str| {
            CredentialsSource::OidcRole(OidcRole::new(role, provider, file))
        };
        let short = AssumedRole::new(keys(), ROLE).duration(Duration::from_secs(60));
        for (source, word) in [
            (CredentialsSource::Keys(Credentials::new("id", "")), "secret"),
            (oidc("", "provider", "file"), "the role"),
            (oidc(ROLE, " ", "file"), "OIDC provider"),
            (oidc(ROLE, "provider", ""), "token"),
            (CredentialsSource::AssumedRole(short), "900 s"),
            (CredentialsSource::Process(CredentialProcess::new(" ")), "command"),
            (CredentialsSource::Uri(CredentialsUri::new("ftp://host/")), "http://"),
            (CredentialsSource::Uri(CredentialsUri::new("http:///path")), "http://"),
        ] {
            let error = source.check().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Credentials);
            assert!(error.message().contains(word), "{error}");
        }
        let shortest = AssumedRole::new(keys(), ROLE).duration(Duration::from_secs(900));
        assert!(CredentialsSource::AssumedRole(shortest).check().is_ok());
        assert!(oidc(ROLE, "provider", "file").check().is_ok());
        assert!(CredentialsSource::EcsRole(EcsRole::new()).check().is_ok());
    }

    #[test]
    fn secrets_in_sources_are_not_shown() {
        let keys = CredentialsSource::Keys(Credentials::new("id", "hush"));
        let process = CredentialProcess::new("vault --password hush");
        let uri = CredentialsUri::new("http://user:hush@host:80/hush?t=hush");
        for (source, part) in [
            (CredentialsSource::AssumedRole(AssumedRole::new(keys, ROLE)), ROLE),
            (CredentialsSource::Process(process), "CredentialProcess(\"vault\", ..)"),
            (CredentialsSource::Uri(uri), "CredentialsUri(\"host:80\", ..)"),
        ] {
            let shown = format!("{source} {source:?}");
            assert!(shown.contains(part) && !shown.contains("hush"), "{shown}");
        }
    }

    #[test]
    fn options_of_a_role_accumulate() {
        let role = EcsRole::new().needs_token(true).endpoint("http://127.0.0.1").name("live");
        assert_eq!((role.needs_token, role.name.as_deref()), (true, Some("live")));
        assert_eq!(role.endpoint.as_deref(), Some("http://127.0.0.1"));
    }

    #[test]
    fn sources_have_readable_descriptions() {
        let keys = CredentialsSource::Keys(Credentials::new("LTAI5t", "s"));
        assert_eq!(keys.to_string(), "the access key LTAI5t");
        let role = CredentialsSource::AssumedRole(AssumedRole::new(keys, ROLE));
        assert_eq!(role.to_string(), format!("the role {ROLE} via the access key LTAI5t"));
        let role = CredentialsSource::EcsRole(EcsRole::new().name("live"));
        assert_eq!(role.to_string(), "the ECS role live");
        let uri = CredentialsSource::Uri(CredentialsUri::new("http://127.0.0.1:81/x"));
        assert_eq!(uri.to_string(), "the credentials URI at 127.0.0.1:81");
    }

    #[test]
    fn sts_has_endpoints_per_region_and_for_private_networks() {
        assert_eq!(sts_endpoint(None, true), "sts.aliyuncs.com");
        assert_eq!(sts_endpoint(Some("cn-hangzhou"), false), "sts.cn-hangzhou.aliyuncs.com");
        assert_eq!(sts_endpoint(Some("cn-hangzhou"), true), "sts-vpc.cn-hangzhou.aliyuncs.com");
    }
}
