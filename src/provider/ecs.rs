//! The role of an ECS instance, from its metadata service.
//!
//! Source: the vendor's page "Access instance metadata": in token mode, the client
//! first gets a token by PUT, then sends it with each request.

use super::document::Document;
use super::web::{Query, Response, Web};
use crate::error::{Error, Result};
use crate::refreshing::Lease;
use crate::request::{Method, percent_encode};
use crate::source::EcsRole;
use std::env;
use std::time::Duration;
use zeroize::Zeroizing;

/// The metadata service has the same address on every instance.
const ENDPOINT: &str = "http://100.100.100.200";
/// The variable that overrides the address, for tests.
const ENDPOINT_VARIABLE: &str = "OSSLIVE_ECS_METADATA_ENDPOINT";
/// The variable that disables the mode without tokens.
const TOKEN_ONLY_VARIABLE: &str = "ALIBABA_CLOUD_IMDSV1_DISABLED";
const ROLES: &str = "/latest/meta-data/ram/security-credentials/";
const TOKEN: &str = "/latest/api/token";
/// The lifetime of a token, in seconds: enough for a few requests.
const TOKEN_LIFETIME: &str = "60";
/// Short, because on an ECS instance the service is on the local network.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(5);

pub(super) fn lease(role: &EcsRole, web: &Web) -> Result<Lease> {
    let other = env::var(ENDPOINT_VARIABLE).ok().filter(|url| !url.trim().is_empty());
    let endpoint = role.endpoint.as_deref().or(other.as_deref()).unwrap_or(ENDPOINT);
    let service = Metadata::of(role, endpoint, web)?;
    let name = match &role.name {
        Some(name) => name.trim().to_owned(),
        None => read_role(&service.get(ROLES)?)?,
    };
    read(&service.get(&format!("{ROLES}{}", percent_encode(&name)))?, &name)
}

/// Returns the name of the instance's role, the first of a list.
pub(super) fn read_role(response: &Response) -> Result<String> {
    let name = if response.status == 404 { "" } else { response.text()? };
    match name.lines().map(str::trim).find(|name| !name.is_empty()) {
        Some(name) => Ok(name.to_owned()),
        None => Err(Error::credentials("this instance has no role")),
    }
}

/// Returns the credentials of a role.
pub(super) fn read(response: &Response, role: &str) -> Result<Lease> {
    if response.status == 404 {
        let message = format!("this instance has no role {role:?}");
        return Err(Error::credentials(message));
    }
    let document = Document::parse(response.text()?)?;
    document.check_code()?;
    document.lease(response.now())
}

struct Metadata<'a> {
    web: &'a Web,
    endpoint: &'a str,
    token: Option<Zeroizing<String>>,
}

impl<'a> Metadata<'a> {
    fn of(role: &EcsRole, endpoint: &'a str, web: &'a Web) -> Result<Self> {
        let endpoint = endpoint.trim_end_matches('/');
        let token_only = env::var(TOKEN_ONLY_VARIABLE).unwrap_or_default();
        let needs_token = role.needs_token || token_only.trim().eq_ignore_ascii_case("true");
        let mut service = Metadata { web, endpoint, token: None };
        service.token = match service.new_token() {
            Ok(token) => Some(token),
            // This instance does not support tokens.
            Err(error) if !needs_token && error.status().is_some() => None,
            Err(error) => return Err(error),
        };
        Ok(service)
    }

    fn new_token(&self) -> Result<Zeroizing<String>> {
        let lifetime = TOKEN_LIFETIME.to_owned();
        let headers = [("x-aliyun-ecs-metadata-token-ttl-seconds", lifetime)];
        let response = self.send(Method::Put, TOKEN, &headers)?;
        let token = response.text().map_err(|error| {
            error.named("the metadata service did not issue a token").with_status(response.status)
        })?;
        Ok(Zeroizing::new(token.trim().to_owned()))
    }

    fn get(&self, path: &str) -> Result<Response> {
        let headers: Vec<_> = self
            .token
            .iter()
            .map(|token| ("x-aliyun-ecs-metadata-token", token.to_string()))
            .collect();
        self.send(Method::Get, path, &headers)
    }

    fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, String)],
    ) -> Result<Response> {
        self.web.send(&Query {
            method,
            url: &format!("{}{path}", self.endpoint),
            headers,
            body: None,
            is_local: true,
            connect_timeout: CONNECT_TIMEOUT,
            timeout: TIMEOUT,
        })
    }
}
