//! Credentials from a URL.

use super::document::Document;
use super::web::{Query, Response, Web, without};
use crate::error::Result;
use crate::refreshing::Lease;
use crate::request::Method;
use crate::source::CredentialsUri;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(10);

pub(super) fn lease(uri: &CredentialsUri, web: &Web) -> Result<Lease> {
    let query = Query {
        method: Method::Get,
        url: &uri.url,
        headers: &[],
        body: None,
        is_local: false,
        connect_timeout: CONNECT_TIMEOUT,
        timeout: TIMEOUT,
    };
    let response = web.send(&query).map_err(|error| without(error, &[after_host(&uri.url)]))?;
    read(&response)
}

/// Returns the credentials of a response.
pub(super) fn read(response: &Response) -> Result<Lease> {
    let document = Document::parse(response.text()?)?;
    document.check_code()?;
    document.lease(response.now())
}

/// Returns the path and the query, which may be secret.
fn after_host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split_once('/').map_or("", |(_, path)| path)
}
