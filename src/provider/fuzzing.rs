//! Responses of the services that issue credentials, and the output of programs, for
//! fuzz targets.

use super::web::Response;
use super::{ecs, process, sts, uri};
use crate::credentials::Credentials;
use crate::error::Result;
use crate::transport::http_date;
use std::time::Duration;
use time::OffsetDateTime;

/// Who issued credentials.
#[derive(Debug, Clone, Copy)]
pub enum Issuer {
    /// The metadata service of ECS.
    Ecs,
    /// STS.
    Sts,
    /// A URL.
    Uri,
    /// A program.
    Process,
}

/// Returns the credentials of a response, and their lifetime.
pub fn issued(
    issuer: Issuer,
    status: u16,
    date: Option<&str>,
    body: &[u8],
    now: OffsetDateTime,
) -> Result<(Credentials, Option<Duration>)> {
    let date = Some(date.and_then(http_date).unwrap_or(now));
    let response = Response { status, date, body: body.to_vec().into() };
    let lease = match issuer {
        Issuer::Ecs => ecs::read(&response, "role"),
        Issuer::Sts => {
            let reply = sts::Reply(response);
            reply.is_skewed();
            reply.lease()
        }
        Issuer::Uri => uri::read(&response),
        Issuer::Process => process::read(body, now),
    };
    lease.map(|lease| (lease.credentials().clone(), lease.lifetime()))
}

/// Returns the role that the metadata service names.
pub fn role(status: u16, body: &[u8]) -> Result<String> {
    ecs::read_role(&Response { status, date: None, body: body.to_vec().into() })
}

/// Splits the command of a credential process into words.
pub fn words(command: &str) -> Result<Vec<String>> {
    process::split(command)
}
