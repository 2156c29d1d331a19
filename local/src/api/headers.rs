//! The `x-oss-*` headers of requests: each is either honored or refused, never
//! ignored.

use super::call::Call;
use super::operation::{Operation, not_implemented};
use crate::fault::Fault;
use crate::http::Request;
use crate::store::Upload;

/// Headers of signatures and SDKs, which every operation accepts.
const COMMON: &[&str] = &[
    "x-oss-content-sha256",
    "x-oss-date",
    "x-oss-request-payer",
    "x-oss-security-token",
    "x-oss-user-agent",
];

/// Headers of uploads with values that request the default behavior.
const DEFAULTS: &[(&str, &str)] = &[
    ("x-oss-forbid-overwrite", "false"),
    ("x-oss-metadata-directive", "COPY"),
    ("x-oss-metadata-directive", "REPLACE"),
    ("x-oss-object-acl", "default"),
    ("x-oss-storage-class", "Standard"),
];

/// Headers of an upload that are stored with the object and sent with it.
const KEPT: &[&str] =
    &["cache-control", "content-disposition", "content-encoding", "content-language", "expires"];

/// The longest metadata of an object, in bytes.
const MAX_METADATA: usize = 8 << 10;

/// Checks that a request has no header for an unsupported feature.
///
/// # Errors
///
/// 501 `NotImplemented`, with the header's name.
pub(super) fn check(call: &Call<'_>) -> Result<(), Fault> {
    use Operation::*;
    let is_known = |name: &str, value: &str| match call.operation {
        _ if !name.starts_with("x-oss-") || COMMON.contains(&name) => true,
        PutBucket | PutBucketAcl => name == "x-oss-acl",
        PutObjectAcl => (name, value) == ("x-oss-object-acl", "default"),
        PutObject => {
            name.starts_with("x-oss-meta-")
                || name.starts_with("x-oss-copy-source")
                || DEFAULTS.contains(&(name, value))
        }
        GetObject | HeadObject => (name, value) == ("x-oss-range-behavior", "standard"),
        GetSignedPlaylist => name == "x-oss-hls-sign-token",
        _ => false,
    };
    match call.request.headers.iter().find(|(name, value)| !is_known(name, value)) {
        Some((name, _)) => Err(not_implemented(name)),
        None => Ok(()),
    }
}

/// Returns the metadata of an upload.
///
/// # Errors
///
/// 400 `InvalidArgument` for more metadata than an object may have.
pub(super) fn upload(request: &Request) -> Result<Upload, Fault> {
    let is_kept = |name: &str| KEPT.contains(&name) || name.starts_with("x-oss-meta-");
    let headers: Vec<(String, String)> =
        request.headers.iter().filter(|(name, _)| is_kept(name)).cloned().collect();
    let length: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if length > MAX_METADATA {
        let message = format!("The metadata has {length} bytes: must be at most {MAX_METADATA}.");
        return Err(Fault::new(400, "InvalidArgument", message));
    }
    Ok(Upload { content_type: request.header("content-type").map(str::to_owned), headers })
}
