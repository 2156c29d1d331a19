//! Hints for common mistakes.

use crate::failure::Failure;
use crate::usage;
use osslive::{ErrorKind, code};
use osslive_local::push::PushError;

/// Returns what to try after a failure. `is_local` means that the command was about
/// a local endpoint.
pub(crate) fn after(failure: &Failure, is_local: bool) -> Option<String> {
    match failure {
        Failure::Call(error) => after_call(error, is_local),
        Failure::NothingRecorded(_) => {
            Some("list past sessions with `osslive channel history`".into())
        }
        Failure::CommandLine(error) => Some(usage::hint(error)),
        Failure::Push(error) => for_push(error).map(str::to_owned),
        _ => None,
    }
}

/// Returns what to try after a stream was rejected or interrupted.
pub(crate) fn for_push(error: &PushError) -> Option<&'static str> {
    Some(match error {
        PushError::Connect(_) | PushError::TimedOut => {
            "allow outgoing TCP connections to port 1935: publishing uses RTMP, not HTTP"
        }
        PushError::Refused { .. } => {
            "check with `osslive channel status` whether the channel is disabled or already live"
        }
        _ => return None,
    })
}

/// An error's detailed code is more specific than its code, and its code more than
/// its kind. Messages may change, so nothing depends on them.
fn after_call(error: &osslive::Error, is_local: bool) -> Option<String> {
    if let (Some(code::ACCESS_DENIED), Some(endpoint)) = (error.code(), error.endpoint()) {
        return Some(format!("use the bucket's endpoint: --endpoint {endpoint}"));
    }
    let by_ec = error.ec().and_then(for_ec);
    let by_code = || error.code().and_then(|code| for_code(code, is_local));
    let hint = by_ec.or_else(by_code).or_else(|| for_kind(error.kind(), is_local));
    hint.map(str::to_owned)
}

fn for_ec(ec: &str) -> Option<&'static str> {
    Some(match ec {
        // Signature version 4 with a region other than the bucket's.
        "0002-00000226" => "set --region to the bucket's region, which is part of the signature",
        "0002-00000080" => "this account rejects signature version 1: omit --signature",
        _ => return None,
    })
}

fn for_kind(kind: ErrorKind, is_local: bool) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::Credentials => {
            "set OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET, or use a profile of ossutil or the \
             aliyun command with --profile or --config; without an account, run `osslive local` \
             and add --local"
        }
        ErrorKind::Connection | ErrorKind::Timeout if is_local => {
            "start the local endpoint in another terminal: osslive local"
        }
        ErrorKind::Connection | ErrorKind::Timeout => {
            "check --endpoint, --region and the network (HTTPS_PROXY is honored); use \
             http:// if the endpoint does not support TLS; raise --timeout; -v logs each attempt"
        }
        _ => return None,
    })
}

fn for_code(code: &str, is_local: bool) -> Option<&'static str> {
    for_channel(code).or_else(|| for_endpoint(code)).or_else(|| for_key(code, is_local))
}

fn for_channel(code: &str) -> Option<&'static str> {
    Some(match code {
        code::NO_SUCH_LIVE_CHANNEL => {
            "list channels with `osslive channel list`, or create one with `osslive channel create`"
        }
        code::NOTHING_RECORDED => "see what is stored with `osslive recording list`",
        code::CHANNEL_ALREADY_EXISTS => "replace its configuration with `osslive channel put`",
        code::CHANNEL_STILL_LIVE => {
            "stop the encoder first, or disconnect it with `osslive channel disable`"
        }
        code::CHANNEL_NOT_LIVE => "start the encoder; get its URL from `osslive publish-url`",
        code::META_OPERATION_QPS_LIMIT_EXCEEDED => {
            "send fewer requests: the service limits channel operations per second"
        }
        _ => return None,
    })
}

/// Hints about the bucket and the network path.
fn for_endpoint(code: &str) -> Option<&'static str> {
    Some(match code {
        code::NO_BUCKET => "set --bucket or OSS_BUCKET",
        code::NO_SUCH_BUCKET => "check --bucket, and set --region to the bucket's region",
        code::INVALID_BUCKET_NAME => "pass only the bucket name to --bucket, without a host",
        code::NO_REGION => "set --region or OSS_REGION, such as --region cn-hangzhou",
        code::SECOND_LEVEL_DOMAIN_FORBIDDEN => {
            "omit --addressing-style: the public service needs the bucket in the host name"
        }
        code::PUBLIC_ENDPOINT_FORBIDDEN => {
            "this account needs a custom domain bound to the bucket: --endpoint DOMAIN \
             --addressing-style cname"
        }
        code::UNKNOWN_HOST => {
            "check the spelling of --region (such as cn-hangzhou), --bucket and --endpoint, and \
             this machine's DNS settings; a host name without a domain needs \
             --addressing-style path"
        }
        code::UNTRUSTED_CERTIFICATE => {
            "for a private certificate authority, set --ca-file; use http:// if the \
             endpoint does not support TLS"
        }
        code::PROXY_FAILED => {
            "check --proxy, or HTTPS_PROXY, http_proxy and ALL_PROXY in the environment; \
             --no-proxy connects directly"
        }
        _ => return None,
    })
}

/// Hints about access keys and their permissions.
fn for_key(code: &str, is_local: bool) -> Option<&'static str> {
    Some(match code {
        code::INVALID_ACCESS_KEY_ID if is_local => {
            "use the key the local endpoint was started with: set \
             OSSLIVE_LOCAL_ACCESS_KEY_ID and OSSLIVE_LOCAL_ACCESS_KEY_SECRET"
        }
        code::INVALID_ACCESS_KEY_ID => {
            "check OSS_ACCESS_KEY_ID or the profile: the key is unknown, deleted or disabled; \
             temporary credentials also need OSS_SESSION_TOKEN"
        }
        code::SIGNATURE_DOES_NOT_MATCH => {
            "copy the access key id and secret again: they do not match; set --region to \
             the bucket's region; a private gateway may need --signature v1"
        }
        code::REQUEST_TIME_TOO_SKEWED => {
            "correct this machine's clock: it is more than 15 minutes off \
             (timedatectl set-ntp true)"
        }
        code::SECURITY_TOKEN_EXPIRED | code::INVALID_SECURITY_TOKEN => {
            "get new temporary credentials and set all three: OSS_ACCESS_KEY_ID, \
             OSS_ACCESS_KEY_SECRET and OSS_SESSION_TOKEN"
        }
        code::ACCESS_DENIED => {
            "grant the required permissions (oss:PutLiveChannel, oss:GetLiveChannelStat, \
             oss:ListLiveChannel, ...) on this bucket in the RAM policy of the access key; a \
             bucket that blocks public access rejects unsigned requests and public ACLs"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_usual_mistakes_have_a_next_step() {
        let after_error = |error: serde_json::Value, is_local| {
            let error = serde_json::from_value(error).unwrap();
            after(&Failure::Call(error), is_local).unwrap_or_default()
        };
        let hint = |code: &str, ec: &str| {
            after_error(
                json!({
                    "kind": "service", "code": code, "ec": ec, "status": 403, "attempts": 1,
                    "message": "whatever the service says: bucket, region, TLS, endpoint",
                }),
                false,
            )
        };
        for (code, ec, word) in [
            (code::REQUEST_TIME_TOO_SKEWED, "", "clock"),
            (code::ACCESS_DENIED, "", "RAM policy"),
            (code::ACCESS_DENIED, "0002-00000080", "version 1"),
            (code::INVALID_ARGUMENT, "0002-00000226", "--region"),
            (code::NO_BUCKET, "", "OSS_BUCKET"),
            (code::NO_REGION, "", "OSS_REGION"),
            (code::NO_SUCH_BUCKET, "", "--bucket"),
            (code::PROXY_FAILED, "", "--no-proxy"),
            (code::SIGNATURE_DOES_NOT_MATCH, "", "secret"),
            (code::SECURITY_TOKEN_EXPIRED, "", "OSS_SESSION_TOKEN"),
            (code::META_OPERATION_QPS_LIMIT_EXCEEDED, "", "fewer requests"),
            (code::UNKNOWN_HOST, "", "spelling"),
            (code::UNTRUSTED_CERTIFICATE, "", "--ca-file"),
            (code::ACCESS_DENIED, "", "blocks public access"),
            (code::PUBLIC_ENDPOINT_FORBIDDEN, "", "cname"),
        ] {
            assert!(hint(code, ec).contains(word), "{code}: {}", hint(code, ec));
        }
        let elsewhere = json!({
            "kind": "service", "code": code::ACCESS_DENIED, "message": "", "status": 403,
            "endpoint": "oss-cn-beijing.aliyuncs.com", "attempts": 1,
        });
        assert!(after_error(elsewhere, false).ends_with("--endpoint oss-cn-beijing.aliyuncs.com"));
        let untrusted = json!({
            "kind": "connection", "code": code::UNTRUSTED_CERTIFICATE, "message": "", "attempts": 1,
        });
        assert!(after_error(untrusted, true).contains("--ca-file"), "whichever host it is");
        assert_eq!(hint("WhateverElse", ""), "");
    }
}
