//! The configuration of a client.

use crate::error::{osslive_error, osslive_status};
use crate::guard::guard;
use crate::pointer::{boxed, exclusive, free, invalid, optional_string, string};
use crate::unwind::guard_plain;
use libc::{c_char, c_int};
use sdk::{ClientBuilder, Credentials, Result, profile::Profile};
use std::path::Path;
use std::ptr;
use std::time::Duration;

/// The configuration of a client. It needs a bucket, credentials, and a region
/// or an endpoint; everything else has a default. Yours to free with
/// osslive_config_free; one thread at a time.
#[derive(Clone)]
pub struct osslive_config {
    pub(crate) builder: ClientBuilder,
    pub(crate) sign_token: bool,
}

/// Creates an empty configuration. Never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn osslive_config_new() -> *mut osslive_config {
    guard_plain(ptr::null_mut(), || {
        boxed(osslive_config { builder: ClientBuilder::default(), sign_token: true })
    })
}

/// Frees a configuration. NULL is fine. Clients created from it are unaffected.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_config_free(config: *mut osslive_config) {
    // SAFETY: NULL, or a configuration of this library that is no longer used.
    unsafe { free(config) }
}

/// Sets the region, such as "cn-hangzhou". Inferred from the endpoint by
/// default.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_config_set_region(
    config: *mut osslive_config,
    region: *const c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe { set(config, out_error, &|builder| Ok(builder.region(string(region, "region")?))) }
}

/// Sets the endpoint: a host, optionally with a scheme and a port, such as
/// "http://127.0.0.1:9000". A scheme overrides osslive_config_set_secure.
/// Defaults to the region's public endpoint.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_config_set_endpoint(
    config: *mut osslive_config,
    endpoint: *const c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        set(config, out_error, &|builder| Ok(builder.endpoint(string(endpoint, "endpoint")?)))
    }
}

/// Sets the bucket.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_config_set_bucket(
    config: *mut osslive_config,
    bucket: *const c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe { set(config, out_error, &|builder| Ok(builder.bucket(string(bucket, "bucket")?))) }
}

/// Sets the access key. security_token is the STS token of temporary
/// credentials, or NULL.
///
/// Fails with OSSLIVE_ERR_CREDENTIALS if a part is empty or contains characters
/// not allowed in keys.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_config_set_credentials(
    config: *mut osslive_config,
    access_key_id: *const c_char,
    access_key_secret: *const c_char,
    security_token: *const c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        set(config, out_error, &|builder| {
            let key = credentials(access_key_id, access_key_secret, security_token)?;
            Ok(builder.credentials(key))
        })
    }
}

/// Loads settings from the environment: the access key from OSS_ACCESS_KEY_ID,
/// OSS_ACCESS_KEY_SECRET and, if set, OSS_SESSION_TOKEN; region, endpoint and
/// bucket from OSS_REGION, OSS_ENDPOINT and OSS_BUCKET.
///
/// Each setting is taken from the first source that has it: the
/// osslive_config_set_ functions, then what is loaded, in the order of loading.
/// Contradictory settings make osslive_client_new fail with OSSLIVE_ERR_CONFIG.
///
/// If no source has an access key, osslive_client_new fails with
/// OSSLIVE_ERR_CREDENTIALS and names the missing variable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_config_load_env(
    config: *mut osslive_config,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe { set(config, out_error, &|builder| Ok(builder.from_env())) }
}

/// Loads settings from a profile of a config file, ossutil's or the aliyun
/// command's: credentials, region and endpoint. The precedence is that of
/// osslive_config_load_env. Modes: AK, StsToken, RamRoleArn,
/// ChainableRamRoleArn, EcsRamRole, RamRoleArnWithEcs, OIDC, External and
/// CredentialsURI.
///
/// - path: the file. NULL means OSSUTIL_CONFIG_FILE, else .ossutilconfig in the
///   home directory, else .aliyun/config.json there.
/// - profile: the profile's name. NULL means OSSUTIL_PROFILE, or
///   ALIBABA_CLOUD_PROFILE for the aliyun command's file, else the file's
///   default profile.
///
/// Fails with OSSLIVE_ERR_CREDENTIALS if the file or profile does not exist, or
/// if its mode is none of these.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_config_load_profile(
    config: *mut osslive_config,
    path: *const c_char,
    profile: *const c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        set(config, out_error, &|builder| {
            let path = optional_string(path, "path")?.map(Path::new);
            let profile = optional_string(profile, "profile")?;
            Profile::read(path, profile)?;
            Ok(builder.profile(path, profile))
        })
    }
}

/// Enables the region's internal endpoint, for use inside its network. Defaults
/// to 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_config_set_internal(
    config: *mut osslive_config,
    internal: c_int,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe { set(config, out_error, &|builder| Ok(builder.internal(internal != 0))) }
}

/// Enables TLS for endpoints without a scheme. Defaults to 1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_config_set_secure(
    config: *mut osslive_config,
    secure: c_int,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe { set(config, out_error, &|builder| Ok(builder.secure(secure != 0))) }
}

/// Sets where the bucket appears in URLs: "virtual" (https://BUCKET.ENDPOINT/),
/// "path" (https://ENDPOINT/BUCKET/) or "cname" (https://ENDPOINT/, a custom
/// domain bound to the bucket). Defaults to "path" for IP addresses and
/// localhost, and to "virtual" otherwise.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_config_set_addressing_style(
    config: *mut osslive_config,
    style: *const c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        set(config, out_error, &|builder| {
            Ok(builder.addressing_style(string(style, "style")?.parse()?))
        })
    }
}

/// Sets the signature version: 4, or 1 for gateways that only support version
/// 1. Defaults to 4.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_config_set_signature_version(
    config: *mut osslive_config,
    version: u32,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    let with_version = |builder: ClientBuilder| Ok(builder.signature_version(version.try_into()?));
    // SAFETY: the pointers follow the header's conventions.
    unsafe { set(config, out_error, &with_version) }
}

/// Sets the timeout for connecting, in milliseconds. Defaults to 10,000.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_config_set_connect_timeout_ms(
    config: *mut osslive_config,
    timeout_ms: u32,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    let with_limit = |builder: ClientBuilder| Ok(builder.connect_timeout(limit(timeout_ms)?));
    // SAFETY: the pointers follow the header's conventions.
    unsafe { set(config, out_error, &with_limit) }
}

/// Sets the timeout of a call, in milliseconds, including retries and back-off.
/// Defaults to 30,000.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_config_set_timeout_ms(
    config: *mut osslive_config,
    timeout_ms: u32,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    let with_limit = |builder: ClientBuilder| Ok(builder.timeout(limit(timeout_ms)?));
    // SAFETY: the pointers follow the header's conventions.
    unsafe { set(config, out_error, &with_limit) }
}

/// Sets the maximum number of attempts per call. Defaults to 3.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_config_set_attempts(
    config: *mut osslive_config,
    attempts: u32,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    let with_attempts =
        |builder: ClientBuilder| Ok(builder.attempts(at_least_1(attempts, "attempts")?));
    // SAFETY: the pointers follow the header's conventions.
    unsafe { set(config, out_error, &with_attempts) }
}

/// Sets the maximum number of idle connections. Defaults to 16; the number of
/// calling threads is a good choice.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_config_set_pool_size(
    config: *mut osslive_config,
    connections: u32,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    let with_pool = |builder: ClientBuilder| {
        Ok(builder.pool_size(at_least_1(connections, "connections")? as usize))
    };
    // SAFETY: the pointers follow the header's conventions.
    unsafe { set(config, out_error, &with_pool) }
}

/// Sets the proxy by its URL, such as "http://USER:PASSWORD@HOST:PORT" (http,
/// https, socks4, socks4a, socks5, socks5h). NULL disables the proxy.
///
/// By default, the proxy is read from the environment, as in curl: https_proxy
/// or HTTPS_PROXY, http_proxy in lower case only, all_proxy or ALL_PROXY, with
/// the exceptions in no_proxy or NO_PROXY; endpoints on loopback are then
/// always reached directly.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_config_set_proxy(
    config: *mut osslive_config,
    url: *const c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        set(config, out_error, &|builder| {
            Ok(match optional_string(url, "url")? {
                Some(url) => builder.proxy(url),
                None => builder.no_proxy(),
            })
        })
    }
}

/// Trusts only the certificates in a PEM string, such as that of a private gateway.
/// Defaults to the certificates in SSL_CERT_FILE and SSL_CERT_DIR if set, else
/// Mozilla's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_config_set_root_certificates(
    config: *mut osslive_config,
    pem: *const c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe { set(config, out_error, &|builder| Ok(builder.root_certificates(string(pem, "pem")?))) }
}

/// Appends a string such as "MyEncoder/2.1" to the user agent. Defaults to
/// none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_config_set_user_agent(
    config: *mut osslive_config,
    user_agent: *const c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        set(config, out_error, &|builder| Ok(builder.user_agent(string(user_agent, "user_agent")?)))
    }
}

/// Controls whether osslive_get_rtmp_url signs an STS token (1, the default) or
/// appends it unsigned (0). The service does not document which it expects: try
/// 0 if publishers with a token are rejected.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_config_set_sign_security_token(
    config: *mut osslive_config,
    sign: c_int,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        guard(out_error, || {
            exclusive(config, "config")?.sign_token = sign != 0;
            Ok(())
        })
    }
}

/// Changes a configuration completely or not at all.
///
/// # Safety
///
/// `config` is NULL or an object of this library that is not used elsewhere, `out_error`
/// is NULL or writable.
pub(crate) unsafe fn set(
    config: *mut osslive_config,
    out_error: *mut *mut osslive_error,
    change: &dyn Fn(ClientBuilder) -> Result<ClientBuilder>,
) -> osslive_status {
    // SAFETY: the caller's promise.
    unsafe {
        guard(out_error, || {
            let config = exclusive(config, "config")?;
            config.builder = change(config.builder.clone())?;
            Ok(())
        })
    }
}

/// Returns the credentials in three arguments.
///
/// # Safety
///
/// The strings are valid for [`string`] and [`optional_string`].
pub(crate) unsafe fn credentials(
    access_key_id: *const c_char,
    access_key_secret: *const c_char,
    security_token: *const c_char,
) -> Result<Credentials> {
    // SAFETY: the caller's promise.
    let (id, secret, token) = unsafe {
        (
            string(access_key_id, "access_key_id")?,
            string(access_key_secret, "access_key_secret")?,
            optional_string(security_token, "security_token")?,
        )
    };
    let credentials = Credentials::new(id, secret).with_security_token(token.unwrap_or_default());
    credentials.check().map(|()| credentials)
}

/// Returns a timeout given in milliseconds.
pub(crate) fn limit(timeout_ms: u32) -> Result<Duration> {
    at_least_1(timeout_ms, "timeout_ms").map(|ms| Duration::from_millis(ms.into()))
}

fn at_least_1(value: u32, name: &str) -> Result<u32> {
    if value == 0 {
        Err(invalid(format!("{name} 0: must be greater than zero")))
    } else {
        Ok(value)
    }
}
