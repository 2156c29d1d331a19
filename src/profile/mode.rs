//! The modes of profiles, and the settings that each mode needs.

use crate::credentials::Credentials;
use crate::error::{Error, Result};
use crate::source::{
    AssumedRole, CredentialProcess, CredentialsSource, CredentialsUri, EcsRole, OidcRole, Session,
    sts_endpoint,
};
use std::time::Duration;
use zeroize::Zeroizing;

const MODES: &str = "AK, StsToken, RamRoleArn, ChainableRamRoleArn, EcsRamRole, \
     RamRoleArnWithEcs, OIDC, External or CredentialsURI";

/// The maximum depth of a chain of profiles.
const MAX_DEPTH: usize = 8;

/// A profile of a config file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Profile {
    /// Where the credentials come from: the access key itself, in the modes `AK`
    /// and `StsToken`.
    pub source: CredentialsSource,
    /// The region, such as `cn-hangzhou`.
    pub region: Option<String>,
    /// The endpoint. The `aliyun` command's file has none.
    pub endpoint: Option<String>,
}

/// The entries of a profile, whatever the format of the file.
pub(super) trait Entries: Sized {
    /// Returns the value of the first of these names that has one. Names are
    /// [`plain`].
    fn value(&self, names: &[&str]) -> Option<Zeroizing<String>>;

    /// Returns another profile of the file.
    fn other(&self, name: &str) -> Result<Self>;
}

/// Normalizes the spelling of a name: lower case, without `-` and `_`.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
}

/// Returns the source of credentials that a profile describes.
pub(super) fn source(profile: &impl Entries) -> Result<CredentialsSource> {
    source_within(profile, MAX_DEPTH)
}

fn source_within(profile: &impl Entries, depth: usize) -> Result<CredentialsSource> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Error::credentials("the profiles refer to each other in a circle"));
    };
    let value = |names: &[&str]| profile.value(names);
    let mode = value(&["mode", "type"]);
    let source = match mode.as_ref().map(|mode| plain(mode)).as_deref() {
        None | Some("ak" | "ststoken" | "accesskey" | "sts") => {
            CredentialsSource::Keys(keys(profile)?)
        }
        Some("ramrolearn") => assumed(profile, CredentialsSource::Keys(keys(profile)?))?,
        Some("chainableramrolearn") => {
            let name = required(profile, &["sourceprofile"], "source profile")?;
            assumed(profile, source_within(&profile.other(&name)?, depth)?)?
        }
        Some("ecsramrole") => CredentialsSource::EcsRole(ecs_role(profile)),
        Some("ramrolearnwithecs" | "ramrolearnwithrolename") => {
            assumed(profile, CredentialsSource::EcsRole(ecs_role(profile)))?
        }
        Some("oidc" | "oidcrolearn") => oidc(profile)?,
        Some("external" | "process") => {
            let names = ["processcommand", "credentialprocess", "process"];
            let command = required(profile, &names, "command")?;
            CredentialsSource::Process(CredentialProcess::new(command.as_str()))
        }
        Some("credentialsuri") => {
            let url = required(profile, &["credentialsuri", "uri"], "credentials URI")?;
            CredentialsSource::Uri(CredentialsUri::new(url.as_str()))
        }
        Some(_) => {
            let mode = mode.unwrap_or_default();
            return Err(Error::credentials(format!(
                "profile mode {:?}: must be {MODES}",
                mode.as_str()
            )));
        }
    };
    source.check()?;
    supported(source)
}

/// Checks that this build supports a source.
pub(super) fn supported(source: CredentialsSource) -> Result<CredentialsSource> {
    let is_key = matches!(source, CredentialsSource::Keys(_));
    if is_key || cfg!(feature = "credential-sources") {
        return Ok(source);
    }
    Err(Error::credentials(format!(
        "{source}: this build supports only the modes AK and StsToken (feature \
         \"credential-sources\")"
    )))
}

fn required(profile: &impl Entries, names: &[&str], what: &str) -> Result<Zeroizing<String>> {
    profile.value(names).ok_or_else(|| Error::credentials(format!("the profile has no {what}")))
}

fn keys(profile: &impl Entries) -> Result<Credentials> {
    let id = required(profile, &["accesskeyid", "accessid"], "access key id")?;
    let secret = required(profile, &["accesskeysecret", "accesskey"], "access key secret")?;
    let credentials = Credentials::new(&*id, &*secret);
    Ok(match profile.value(&["ststoken", "securitytoken"]) {
        Some(token) => credentials.with_security_token(&*token),
        None => credentials,
    })
}

fn ecs_role(profile: &impl Entries) -> EcsRole {
    let name = profile.value(&["ecsrolename", "ramrolename", "rolename"]);
    name.map_or(EcsRole::new(), |name| EcsRole::new().name(name.as_str()))
}

fn assumed(profile: &impl Entries, base: CredentialsSource) -> Result<CredentialsSource> {
    let arn = required(profile, &["ramrolearn", "rolearn"], "role ARN")?;
    let mut role = AssumedRole::new(base, arn.as_str());
    if let Some(id) = profile.value(&["externalid"]) {
        role = role.external_id(id.as_str());
    }
    set_session(&mut role.session, profile)?;
    Ok(CredentialsSource::AssumedRole(role))
}

fn oidc(profile: &impl Entries) -> Result<CredentialsSource> {
    let arn = required(profile, &["ramrolearn", "rolearn"], "role ARN")?;
    let provider = required(profile, &["oidcproviderarn"], "ARN of the OIDC provider")?;
    let file = required(profile, &["oidctokenfile", "oidctokenfilepath"], "OIDC token file")?;
    let mut role = OidcRole::new(arn.as_str(), provider.as_str(), file.as_str());
    set_session(&mut role.session, profile)?;
    Ok(CredentialsSource::OidcRole(role))
}

/// Applies a profile's settings for the session of a role.
fn set_session(session: &mut Session, profile: &impl Entries) -> Result<()> {
    let text = |names: &[&str]| profile.value(names).map(|value| value.to_string());
    session.name = text(&["ramsessionname", "rolesessionname"]);
    session.policy = text(&["policy"]);
    // The aliyun command writes 0 for its default.
    let seconds = text(&["expiredseconds", "tokentimeout", "durationseconds"]);
    if let Some(seconds) = seconds.filter(|seconds| seconds.trim() != "0") {
        let parsed = seconds.trim().parse();
        session.duration = Duration::from_secs(parsed.map_err(|_| {
            Error::credentials(format!("session duration {seconds:?}: must be a number of seconds"))
        })?);
    }
    let region = text(&["stsregion"]);
    let vpc = text(&["enablevpc"]).is_some_and(|vpc| vpc.eq_ignore_ascii_case("true"));
    let endpoint = text(&["stsendpoint"]);
    if endpoint.is_some() || region.is_some() {
        session.endpoint = Some(endpoint.unwrap_or_else(|| sts_endpoint(region.as_deref(), vpc)));
    }
    Ok(())
}
