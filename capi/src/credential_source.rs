//! The sources of credentials in a configuration, apart from access keys.

use crate::config::{osslive_config, set};
use crate::error::{osslive_error, osslive_status};
use crate::pointer::{optional_string, string};
use libc::c_char;
use sdk::{
    ClientBuilder, CredentialProcess, CredentialsSource, CredentialsUri, EcsRole, OidcRole, Result,
};

/// Loads the machine's default credentials, as the vendor's tools do: the first
/// of these that exists.
///
///  1. OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET, OSS_SESSION_TOKEN
///  2. ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET,
///     ALIBABA_CLOUD_SECURITY_TOKEN
///  3. an OIDC role: ALIBABA_CLOUD_ROLE_ARN, ALIBABA_CLOUD_OIDC_PROVIDER_ARN,
///     ALIBABA_CLOUD_OIDC_TOKEN_FILE
///  4. ossutil's config file, ~/.ossutilconfig
///  5. the aliyun command's config file, ~/.aliyun/config.json
///  6. ~/.alibabacloud/credentials
///  7. the role of the ECS instance, unless ALIBABA_CLOUD_ECS_METADATA_DISABLED
///     is "true"
///  8. the URL in ALIBABA_CLOUD_CREDENTIALS_URI
///
/// Region, endpoint and bucket come from OSS_REGION, OSS_ENDPOINT and
/// OSS_BUCKET, region and endpoint also from the config file that has the
/// credentials. The precedence is that of osslive_config_load_env.
///
/// Temporary credentials are obtained by the first call that needs them, and
/// refreshed before they expire. If there are none, that call, or
/// osslive_client_new, fails with OSSLIVE_ERR_CREDENTIALS; the message lists
/// everything that was tried.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_config_load_default_credentials(
    config: *mut osslive_config,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe { set(config, out_error, &|builder| Ok(builder.default_credentials())) }
}

/// Takes credentials from the RAM role of the ECS instance. They are obtained by
/// the first call that needs them, and refreshed before they expire.
///
/// - role_name: the role's name, which saves a request. NULL asks the metadata
///   service for it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_config_set_ecs_role(
    config: *mut osslive_config,
    role_name: *const c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        set_source(config, out_error, &|| {
            let name = optional_string(role_name, "role_name")?;
            let role = EcsRole::new().name(name.unwrap_or_default());
            Ok(CredentialsSource::EcsRole(role))
        })
    }
}

/// Takes credentials from STS for a RAM role, with the token of an OIDC provider
/// (AssumeRoleWithOIDC), as RRSA does in Kubernetes. They are obtained by the
/// first call that needs them, and refreshed before they expire.
///
/// - role_arn, oidc_provider_arn: the ARNs of the role and of the provider.
/// - oidc_token_file: the file with the token, read again for each refresh.
/// - session_name: the session's name in RAM's logs. NULL means "osslive".
/// - sts_endpoint: a host, optionally with a scheme and a port. NULL means
///   ALIBABA_CLOUD_STS_ENDPOINT, else that of the region in
///   ALIBABA_CLOUD_STS_REGION, else "sts.aliyuncs.com".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_config_set_oidc_role(
    config: *mut osslive_config,
    role_arn: *const c_char,
    oidc_provider_arn: *const c_char,
    oidc_token_file: *const c_char,
    session_name: *const c_char,
    sts_endpoint: *const c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        set_source(config, out_error, &|| {
            let role = OidcRole::new(
                string(role_arn, "role_arn")?,
                string(oidc_provider_arn, "oidc_provider_arn")?,
                string(oidc_token_file, "oidc_token_file")?,
            );
            let name = optional_string(session_name, "session_name")?;
            let role = role.session_name(name.unwrap_or_default());
            Ok(CredentialsSource::OidcRole(match optional_string(sts_endpoint, "sts_endpoint")? {
                Some(endpoint) => role.sts_endpoint(endpoint),
                None => role,
            }))
        })
    }
}

/// Takes credentials from a program. It runs when the first call needs them, and
/// again before they expire.
///
/// - command: the program and its arguments, separated by spaces; quotation
///   marks keep an argument together. No shell is involved. Within 30 seconds it must
///   print a JSON object of AccessKeyId, AccessKeySecret and, for temporary
///   credentials, SecurityToken and Expiration (RFC 3339); or of access_key_id,
///   access_key_secret, sts_token and expiration.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_config_set_credential_process(
    config: *mut osslive_config,
    command: *const c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        set_source(config, out_error, &|| {
            let process = CredentialProcess::new(string(command, "command")?);
            Ok(CredentialsSource::Process(process))
        })
    }
}

/// Takes credentials from a URL, which returns the same JSON as the program of
/// osslive_config_set_credential_process. It is requested when the first call
/// needs them, and again before they expire.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_config_set_credentials_uri(
    config: *mut osslive_config,
    uri: *const c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        set_source(config, out_error, &|| {
            Ok(CredentialsSource::Uri(CredentialsUri::new(string(uri, "uri")?)))
        })
    }
}

/// Sets a source, if it is complete.
///
/// # Safety
///
/// As for [`set`].
unsafe fn set_source(
    config: *mut osslive_config,
    out_error: *mut *mut osslive_error,
    source: &dyn Fn() -> Result<CredentialsSource>,
) -> osslive_status {
    let with_source = |builder: ClientBuilder| {
        let source = source()?;
        source.check()?;
        Ok(builder.credentials_source(source))
    };
    // SAFETY: the caller's promise.
    unsafe { set(config, out_error, &with_source) }
}
