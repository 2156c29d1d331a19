//! The next step after the usual mistakes.

use crate::failure::{Failure, NOTHING_RECORDED};
use crate::usage;
use osslive::{ErrorKind, code};
use osslive_local::push::PushError;

/// Returns what to try after a failure. `is_local` says whether the command
/// was about a local endpoint.
pub(crate) fn after(failure: &Failure, is_local: bool) -> Option<String> {
    match failure {
        Failure::Call(error) => after_call(error, is_local),
        Failure::CommandLine(error) => Some(usage::hint(error)),
        Failure::Push(PushError::Connect(_) | PushError::TimedOut) => {
            Some("see that outgoing TCP to port 1935 is open: publishing is RTMP, not HTTP".into())
        }
        Failure::Push(PushError::Refused { .. }) => Some(
            "see `osslive channel status` whether the channel is disabled or already live".into(),
        ),
        _ => None,
    }
}

fn after_call(error: &osslive::Error, is_local: bool) -> Option<String> {
    if error.ec() == Some(NOTHING_RECORDED) {
        return Some("`osslive channel history` shows when there were sessions".into());
    }
    if let Some(hint) = error.code().and_then(|code| for_code(code, error, is_local)) {
        return Some(hint);
    }
    let message = error.message();
    match error.kind() {
        ErrorKind::Credentials => Some(
            "set OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET, or name a profile of ossutil's \
             config file with --profile or --config; without an account, run `osslive local` and \
             add --local"
                .into(),
        ),
        ErrorKind::Config if message.contains("bucket") => {
            Some("name the bucket with --bucket or OSS_BUCKET".into())
        }
        ErrorKind::Config if message.contains("region") => {
            Some("name the region with --region or OSS_REGION, such as --region cn-hangzhou".into())
        }
        ErrorKind::Connection if is_unknown_name(message) => Some(
            "check the spelling of --region (such as cn-hangzhou), --bucket and --endpoint, and \
             that this machine can look names up"
                .into(),
        ),
        ErrorKind::Connection | ErrorKind::Timeout if is_local => {
            Some("start the local endpoint in another terminal: osslive local".into())
        }
        ErrorKind::Connection if message.contains("TLS") => Some(
            "an endpoint without TLS is written with http://, and a proxy may stand in between: \
             see HTTPS_PROXY"
                .into(),
        ),
        ErrorKind::Connection | ErrorKind::Timeout => Some(
            "check --endpoint and --region and the way out of this network (HTTPS_PROXY is \
             heeded); --timeout sets the limit; -v shows each attempt"
                .into(),
        ),
        _ => None,
    }
}

/// Whether a host's name could not be looked up.
fn is_unknown_name(message: &str) -> bool {
    message.contains("no address")
}

fn for_code(code: &str, error: &osslive::Error, is_local: bool) -> Option<String> {
    let hint = match code {
        code::NO_SUCH_LIVE_CHANNEL => {
            "`osslive channel list` shows which there are; `osslive channel create` makes one"
        }
        code::CHANNEL_ALREADY_EXISTS => {
            "`osslive channel put` replaces the configuration of a channel that exists"
        }
        code::CHANNEL_STILL_LIVE => {
            "stop the encoder first, or cut it with `osslive channel disable`"
        }
        code::CHANNEL_NOT_LIVE => {
            "start the encoder; `osslive publish-url` signs the URL to give it"
        }
        code::NO_SUCH_BUCKET => "check --bucket, and that --region is the region the bucket is in",
        code::INVALID_BUCKET_NAME => "name the bucket alone with --bucket, without any host",
        code::INVALID_ACCESS_KEY_ID if is_local => {
            "the local endpoint takes the key that it printed at its start: set \
             OSSLIVE_LOCAL_ACCESS_KEY_ID and OSSLIVE_LOCAL_ACCESS_KEY_SECRET"
        }
        code::INVALID_ACCESS_KEY_ID => {
            "check OSS_ACCESS_KEY_ID or the profile: the key is unknown to the service, deleted \
             or disabled; a temporary key needs OSS_SESSION_TOKEN too"
        }
        code::SIGNATURE_DOES_NOT_MATCH => {
            "the secret does not belong to the access key id: copy both again; for a private \
             gateway try --signature v1, and --region must be the bucket's"
        }
        code::REQUEST_TIME_TOO_SKEWED => {
            "set this machine's clock: it is more than 15 minutes off (timedatectl set-ntp true)"
        }
        code::SECURITY_TOKEN_EXPIRED | code::INVALID_SECURITY_TOKEN => {
            "fetch a new temporary key and set all three: OSS_ACCESS_KEY_ID, \
             OSS_ACCESS_KEY_SECRET and OSS_SESSION_TOKEN"
        }
        code::ACCESS_DENIED if error.message().contains("specified endpoint") => {
            "the bucket is in another region: give that one with --region, or its --endpoint"
        }
        code::ACCESS_DENIED => {
            "see that the RAM policy of this access key allows the call (oss:PutLiveChannel, \
             oss:GetLiveChannelStat, oss:ListLiveChannel, ...) on this bucket"
        }
        code::INVALID_ARGUMENT if error.message().contains("region") => {
            "signature version 4 names the region: give the bucket's own with --region"
        }
        code::META_OPERATION_QPS_LIMIT_EXCEEDED => {
            "ask less often: the service limits the calls on channels a second"
        }
        code::SECOND_LEVEL_DOMAIN_FORBIDDEN => {
            "leave --addressing-style away: the public service wants the bucket in the host name"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_usual_mistakes_have_a_next_step() {
        let hint = |code: &str, message: &str| {
            let error = json!({
                "kind": "service", "code": code, "message": message, "status": 403, "attempts": 1,
            });
            let error = serde_json::from_value(error).unwrap();
            after(&Failure::Call(error), false).unwrap_or_default()
        };
        let elsewhere = "must be addressed using the specified endpoint";
        for (code, message, word) in [
            (code::REQUEST_TIME_TOO_SKEWED, "", "clock"),
            (code::ACCESS_DENIED, elsewhere, "--region"),
            (code::ACCESS_DENIED, "not authorized", "RAM policy"),
            (code::INVALID_ARGUMENT, "the region is another", "--region"),
            (code::NO_SUCH_BUCKET, "", "--bucket"),
            (code::SIGNATURE_DOES_NOT_MATCH, "", "secret"),
            (code::SECURITY_TOKEN_EXPIRED, "", "OSS_SESSION_TOKEN"),
            (code::META_OPERATION_QPS_LIMIT_EXCEEDED, "", "less often"),
        ] {
            assert!(hint(code, message).contains(word), "{code}: {}", hint(code, message));
        }
        assert_eq!(hint("WhateverElse", ""), "");
    }
}
