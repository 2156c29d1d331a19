//! Assumes roles through STS, with an OIDC token or with other credentials.
//!
//! Source: the vendor's pages "AssumeRole" and "AssumeRoleWithOIDC", API version
//! 2015-04-01.

use super::document::Document;
use super::web::{Query, Response, Web, secrets_of, without};
use crate::error::{Error, Result};
use crate::refreshing::Lease;
use crate::request::{Body, Method};
use crate::sign::rpc;
use crate::source::{AssumedRole, OidcRole, Session, sts_endpoint};
use std::collections::BTreeMap;
use std::env;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::Read;
use std::mem;
use std::path::Path;
use std::time::Duration;
use time::OffsetDateTime;
use time::macros::format_description;
use zeroize::{Zeroize, Zeroizing};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(10);
/// The size limit for tokens.
const MAX_TOKEN: u64 = 64 * 1024;

pub(super) fn lease_by_oidc(role: &OidcRole, web: &Web) -> Result<Lease> {
    let token = read_token(&role.token_file)?;
    let timestamp = timestamp(OffsetDateTime::now_utc());
    let mut parameters = parameters("AssumeRoleWithOIDC", &role.session, &timestamp);
    let seconds = role.session.duration.as_secs().to_string();
    parameters.insert("DurationSeconds", &seconds);
    parameters.insert("OIDCProviderArn", &role.provider_arn);
    parameters.insert("OIDCToken", &token);
    let lease = send(&role.session, &parameters, web).and_then(|response| response.lease());
    lease.map_err(|error| without(error, &[&token]))
}

pub(super) fn lease_by_keys(role: &AssumedRole, base: &Lease, web: &Web) -> Result<Lease> {
    let secrets = secrets_of(base.credentials());
    let response = send_signed(role, base, OffsetDateTime::now_utc(), web).and_then(|response| {
        // This machine's clock is wrong: sign with the time of STS.
        match (response.is_skewed(), response.date()) {
            (true, Some(now)) => send_signed(role, base, now, web),
            _ => Ok(response),
        }
    });
    response.and_then(|response| response.lease()).map_err(|error| without(error, &secrets))
}

fn send_signed(role: &AssumedRole, base: &Lease, now: OffsetDateTime, web: &Web) -> Result<Reply> {
    let credentials = base.credentials();
    let (timestamp, nonce) = (timestamp(now), nonce());
    let mut parameters = parameters("AssumeRole", &role.session, &timestamp);
    let seconds = role.session.duration.as_secs().to_string();
    parameters.insert("DurationSeconds", &seconds);
    parameters.extend(role.external_id.iter().map(|id| ("ExternalId", &**id)));
    parameters.insert("AccessKeyId", credentials.access_key_id());
    parameters.extend(credentials.security_token().map(|token| ("SecurityToken", token)));
    parameters.insert("SignatureMethod", "HMAC-SHA1");
    parameters.insert("SignatureVersion", "1.0");
    parameters.insert("SignatureNonce", &nonce);
    let signature = rpc::sign("POST", &parameters, credentials.access_key_secret());
    parameters.insert("Signature", &signature);
    send(&role.session, &parameters, web)
}

/// Returns the parameters that both kinds of request have in common.
fn parameters<'a>(
    action: &'static str,
    session: &'a Session,
    timestamp: &'a str,
) -> BTreeMap<&'static str, &'a str> {
    let mut parameters = BTreeMap::from([
        ("Action", action),
        ("Format", "JSON"),
        ("Version", "2015-04-01"),
        ("Timestamp", timestamp),
        ("RoleArn", &*session.role_arn),
        ("RoleSessionName", session.name.as_deref().unwrap_or("osslive")),
    ]);
    parameters.extend(session.policy.iter().map(|policy| ("Policy", &**policy)));
    parameters
}

/// Sends a request to STS. All parameters are in the body, because proxies and
/// servers log URLs.
fn send(session: &Session, parameters: &BTreeMap<&str, &str>, web: &Web) -> Result<Reply> {
    let form = mem::take(&mut *rpc::query(parameters));
    let mut body =
        Body { content_type: "application/x-www-form-urlencoded", bytes: form.into_bytes() };
    let headers = [("content-type", body.content_type.to_owned())];
    let endpoint = endpoint(session, &|name| env::var(name).ok());
    let endpoint = endpoint.trim().trim_end_matches('/');
    let scheme = if endpoint.contains("://") { "" } else { "https://" };
    let response = web.send(&Query {
        method: Method::Post,
        url: &format!("{scheme}{endpoint}/"),
        headers: &headers,
        body: Some(&body),
        is_local: false,
        connect_timeout: CONNECT_TIMEOUT,
        timeout: TIMEOUT,
    });
    body.bytes.zeroize();
    response.map(Reply)
}

/// Returns the configured endpoint, or the one in the environment.
fn endpoint(session: &Session, variable: &dyn Fn(&str) -> Option<String>) -> String {
    let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    let chosen = session.endpoint.clone().or_else(|| variable("ALIBABA_CLOUD_STS_ENDPOINT"));
    chosen.unwrap_or_else(|| {
        let region = variable("ALIBABA_CLOUD_STS_REGION");
        let vpc = variable("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED").unwrap_or_default();
        sts_endpoint(region.as_deref(), vpc.trim().eq_ignore_ascii_case("true"))
    })
}

/// The response of STS.
pub(super) struct Reply(pub(super) Response);

impl Reply {
    fn date(&self) -> Option<OffsetDateTime> {
        self.0.date
    }

    fn document(&self) -> Option<Document<'_>> {
        Document::parse(std::str::from_utf8(&self.0.body).ok()?).ok()
    }

    pub(super) fn is_skewed(&self) -> bool {
        let code = self.document().and_then(|document| document.text(&["Code"]));
        code.is_some_and(|code| code.starts_with("InvalidTimeStamp"))
    }

    pub(super) fn lease(&self) -> Result<Lease> {
        let Some(document) = self.document() else {
            // A proxy may have responded instead.
            return Err(match self.0.text() {
                Ok(_) => Error::bad_reply("the response from STS is not a JSON object"),
                Err(error) => error,
            });
        };
        if let Some(credentials) = document.object("Credentials") {
            return credentials.lease(self.0.now());
        }
        let text = |name: &str, most: usize| {
            let text = document.text(&[name]);
            text.map(|text| text.chars().take(most).collect::<String>())
        };
        let message = text("Message", 500).unwrap_or_else(|| "STS rejected the request".to_owned());
        let mut error = Error::credentials(message)
            .with_status(self.0.status)
            .with_request_id(text("RequestId", 80));
        if let Some(code) = text("Code", 80) {
            error = error.with_code(code);
        }
        Err(error)
    }
}

fn read_token(path: &Path) -> Result<Zeroizing<String>> {
    let read = || {
        let mut token = Zeroizing::new(String::new());
        File::open(path)?.take(MAX_TOKEN).read_to_string(&mut token)?;
        Ok(Zeroizing::new(token.trim().to_owned()))
    };
    let token: Zeroizing<String> = read().map_err(|error: std::io::Error| {
        let message = format!("cannot read the OIDC token file {}: {error}", path.display());
        Error::credentials(message).with_source(error)
    })?;
    if token.is_empty() {
        let message = format!("the OIDC token file {} is empty", path.display());
        return Err(Error::credentials(message));
    }
    Ok(token)
}

fn timestamp(now: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    now.to_offset(time::UtcOffset::UTC).format(format).unwrap_or_default()
}

/// Returns a nonce, made from the random keys of the standard library's hash
/// tables.
fn nonce() -> String {
    let (first, second) = (RandomState::new().hash_one(0), RandomState::new().hash_one(1));
    format!("{first:016x}{second:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explicit_endpoint_takes_precedence_over_the_environment() {
        let of = |role: OidcRole, variables: &[(&str, &str)]| {
            endpoint(&role.session, &|name| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        let role = || OidcRole::new("role", "provider", "token");
        let named = ("ALIBABA_CLOUD_STS_ENDPOINT", "sts.example");
        let region = ("ALIBABA_CLOUD_STS_REGION", "cn-hangzhou");
        let vpc = ("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED", "TRUE");
        assert_eq!(of(role(), &[]), "sts.aliyuncs.com");
        assert_eq!(of(role(), &[region]), "sts.cn-hangzhou.aliyuncs.com");
        assert_eq!(of(role(), &[region, vpc]), "sts-vpc.cn-hangzhou.aliyuncs.com");
        assert_eq!(of(role(), &[region, named]), "sts.example");
        assert_eq!(of(role().sts_endpoint("http://127.0.0.1:1"), &[named]), "http://127.0.0.1:1");
    }
}
