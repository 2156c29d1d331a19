//! Operations without a result.

use super::reply::{Reply, ResponseInfo};
use crate::error::{Error, Result};
use crate::request::Request;
use crate::xml;

/// The result of a call that returns nothing else.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct Done {
    /// Describes the call.
    pub res: ResponseInfo,
}

pub(super) fn parse_done(_: &Request, reply: &Reply) -> Result<Done> {
    reply.check()?;
    let body = reply.body.trim_ascii();
    if body.is_empty() {
        return Ok(Done { res: reply.info() });
    }
    // The service returns an empty body. Something in between may not: an
    // error with a success status, or a sign-in page.
    match xml::read(body, |root| root.name().to_owned()).as_deref() {
        Ok("Error") => Err(reply.service_error()),
        Ok(name) if !name.eq_ignore_ascii_case("html") => Ok(Done { res: reply.info() }),
        _ => {
            let message = format!("unexpected response body{}", reply.begin());
            Err(reply.found(Error::bad_reply(message)))
        }
    }
}
