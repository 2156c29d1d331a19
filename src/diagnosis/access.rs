//! Whether the service accepts the access key, and what it allows.

use super::report::{CheckId, Findings};
use super::words;
use crate::error::{Error, Result, code};
use crate::operation::BucketInfo;

/// What the access key is used with.
pub(super) struct Access<'a> {
    pub(super) key_id: &'a str,
    pub(super) endpoint: &'a str,
    pub(super) region: &'a str,
    pub(super) bucket: &'a str,
}

/// Judges the first signed request, a list of channels. Returns whether others
/// are worth sending.
pub(super) fn judge(listed: &Result<()>, access: &Access<'_>, findings: &mut Findings<'_>) -> bool {
    let Err(error) = listed else {
        accepted(access, findings);
        findings.ok(CheckId::PermissionListLiveChannel, "allowed");
        return true;
    };
    if let Some((id, advice)) = concern(error) {
        findings.problem(id, summary(error), advice);
        return false;
    }
    if !is_denied(error) {
        let advice =
            "retry later; if the error persists, contact Alibaba Cloud support with the request id";
        findings.problem(CheckId::Service, summary(error), advice);
        return false;
    }
    accepted(access, findings);
    judge_permission(CheckId::PermissionListLiveChannel, listed, findings);
    true
}

fn accepted(access: &Access<'_>, findings: &mut Findings<'_>) {
    let Access { key_id, endpoint, region, bucket } = access;
    findings.ok(CheckId::Endpoint, format!("{endpoint}, region {region}"));
    findings.ok(CheckId::PublicEndpoint, "the account may use it");
    findings.ok(CheckId::SignatureVersion, "accepted");
    findings.ok(CheckId::AccessKey, format!("{key_id} is accepted"));
    findings.ok(CheckId::Bucket, format!("{bucket} exists"));
}

/// Returns the check that a rejected request concerns, and what to do; `None` if
/// only the operation was rejected.
fn concern(error: &Error) -> Option<(CheckId, String)> {
    if let Some(endpoint) = error.endpoint() {
        let endpoint = words::brief(endpoint);
        return Some((CheckId::Endpoint, format!("use the bucket's endpoint, {endpoint}")));
    }
    let (id, advice) = match (error.ec(), error.code()) {
        (Some("0002-00000226"), _) => {
            (CheckId::Endpoint, "set the region to the bucket's, which is part of the signature")
        }
        (Some("0002-00000080"), _) => {
            (CheckId::SignatureVersion, "use signature version 4: the account rejects version 1")
        }
        (_, Some(code::SECOND_LEVEL_DOMAIN_FORBIDDEN)) => (
            CheckId::Endpoint,
            "use virtual-hosted addressing: the service needs the bucket in the host name",
        ),
        (_, Some(code::PUBLIC_ENDPOINT_FORBIDDEN)) => (
            CheckId::PublicEndpoint,
            "bind a custom domain to the bucket and use it as the endpoint, with the addressing \
             style cname",
        ),
        (_, Some(code::NO_SUCH_BUCKET)) => {
            (CheckId::Bucket, "check the bucket's name, or create it")
        }
        (_, Some(code::INVALID_ACCESS_KEY_ID)) => (
            CheckId::AccessKey,
            "check the access key id: it is unknown, deleted or disabled; temporary credentials \
             also need their security token",
        ),
        (_, Some(code::SIGNATURE_DOES_NOT_MATCH)) => {
            (CheckId::AccessKey, "copy the access key id and secret again: they do not match")
        }
        (_, Some(code::SECURITY_TOKEN_EXPIRED | code::INVALID_SECURITY_TOKEN)) => {
            (CheckId::AccessKey, "get new temporary credentials, and set all three parts")
        }
        (_, Some(code::REQUEST_TIME_TOO_SKEWED)) => {
            (CheckId::Clock, "correct this machine's clock (timedatectl set-ntp true)")
        }
        _ => return None,
    };
    Some((id, advice.to_owned()))
}

/// Judges whether an operation is allowed, by the response to a request that cannot
/// succeed.
pub(super) fn judge_permission<T>(id: CheckId, tried: &Result<T>, findings: &mut Findings<'_>) {
    match tried {
        Ok(_) => findings.ok(id, "allowed"),
        Err(error) if is_denied(error) => {
            let action = action(id);
            findings.warn(
                id,
                format!("oss:{action} is denied"),
                format!(
                    "if this access key needs that, allow oss:{action} on the bucket and \
                         its channels in its RAM policy"
                ),
            );
        }
        // Rejected for its content, not for lack of permission or the request rate.
        Err(error) if matches!(error.status(), Some(400 | 404 | 409)) => {
            findings.ok(id, "allowed");
        }
        Err(error) => findings.skip(id, summary(error)),
    }
}

/// The RAM action that a permission is about: `permission-put-live-channel` is
/// `PutLiveChannel`.
fn action(id: CheckId) -> String {
    let words = id.as_str().split('-').skip(1);
    words.map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect()
}

fn is_denied(error: &Error) -> bool {
    error.code() == Some(code::ACCESS_DENIED)
}

/// Returns an error in one sentence.
pub(super) fn summary(error: &Error) -> String {
    error.to_string().chars().filter(|c| !c.is_control()).take(300).collect()
}

pub(super) fn judge_bucket(info: &Result<BucketInfo>, findings: &mut Findings<'_>) {
    let info = match info {
        Ok(info) => info,
        Err(error) => {
            findings.skip(CheckId::BucketAcl, format!("unknown: {}", summary(error)));
            return findings.skip(CheckId::PublicAccessBlock, "unknown");
        }
    };
    let who = match info.acl.as_str() {
        "private" => "private: players need signed URLs",
        "public-read" => "public-read: anyone can play",
        "public-read-write" => "public-read-write: anyone can publish, play and overwrite",
        _ => "unknown",
    };
    findings.ok(CheckId::BucketAcl, who);
    let id = CheckId::PublicAccessBlock;
    match (info.blocks_public_access, info.acl.as_str()) {
        (true, "public-read" | "public-read-write") => findings.warn(
            id,
            "public access is blocked, which overrides the public ACL",
            "sign the URLs, or allow public access in the bucket's settings",
        ),
        (true, _) => findings.ok(id, "public access is blocked: URLs must be signed"),
        (false, _) => findings.ok(id, "the ACL decides"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::report::{Verdict, judged};
    use crate::error::ErrorKind;

    fn rejected(code: &str) -> Error {
        Error::new(ErrorKind::Service, "no").with_code(code).with_status(403)
    }

    const ACCESS: Access<'_> =
        Access { key_id: "LTAI5t", endpoint: "oss", region: "cn-hangzhou", bucket: "live-demo" };

    #[test]
    fn each_rejection_belongs_to_a_check() {
        for (error, id) in [
            (rejected(code::ACCESS_DENIED).with_endpoint(Some("oss-x".into())), CheckId::Endpoint),
            (rejected("X").with_ec(Some("0002-00000226".into())), CheckId::Endpoint),
            (rejected("X").with_ec(Some("0002-00000080".into())), CheckId::SignatureVersion),
            (rejected(code::SECOND_LEVEL_DOMAIN_FORBIDDEN), CheckId::Endpoint),
            (rejected(code::PUBLIC_ENDPOINT_FORBIDDEN), CheckId::PublicEndpoint),
            (rejected(code::NO_SUCH_BUCKET), CheckId::Bucket),
            (rejected(code::INVALID_ACCESS_KEY_ID), CheckId::AccessKey),
            (rejected(code::SIGNATURE_DOES_NOT_MATCH), CheckId::AccessKey),
            (rejected(code::SECURITY_TOKEN_EXPIRED), CheckId::AccessKey),
            (rejected(code::INVALID_SECURITY_TOKEN), CheckId::AccessKey),
            (rejected(code::REQUEST_TIME_TOO_SKEWED), CheckId::Clock),
            (rejected("ServiceUnavailable"), CheckId::Service),
        ] {
            let diagnosis = judged(|findings| {
                assert!(!judge(&Err(error), &ACCESS, findings));
            });
            let check = diagnosis.check(id).unwrap();
            assert_eq!((diagnosis.problems, check.verdict), (1, Verdict::Problem), "{check:?}");
        }
    }

    #[test]
    fn a_key_without_permission_to_list_is_accepted() {
        let diagnosis = judged(|findings| {
            assert!(judge(&Err(rejected(code::ACCESS_DENIED)), &ACCESS, findings));
        });
        assert_eq!((diagnosis.problems, diagnosis.warnings), (0, 1), "{diagnosis:#?}");
        let check = diagnosis.check(CheckId::PermissionListLiveChannel).unwrap();
        assert!(check.advice.as_ref().unwrap().contains("oss:ListLiveChannel"), "{check:?}");
    }

    #[test]
    fn requests_rejected_for_their_content_count_as_allowed() {
        let id = CheckId::PermissionPutLiveChannel;
        for (tried, verdict) in [
            (rejected("MalformedXML").with_status(400), Verdict::Ok),
            (rejected(code::NO_SUCH_LIVE_CHANNEL).with_status(404), Verdict::Ok),
            (rejected(code::ACCESS_DENIED), Verdict::Warning),
            (rejected("InternalError").with_status(500), Verdict::NotChecked),
            (rejected("TooManyRequests").with_status(429), Verdict::NotChecked),
            (Error::new(ErrorKind::Timeout, "late"), Verdict::NotChecked),
        ] {
            let diagnosis = judged(|findings| judge_permission::<()>(id, &Err(tried), findings));
            assert_eq!(diagnosis.check(id).unwrap().verdict, verdict);
        }
    }

    #[test]
    fn a_block_overrides_a_public_acl() {
        for (acl, blocks, warnings) in [
            ("private", true, 0),
            ("private", false, 0),
            ("public-read", true, 1),
            ("public-read", false, 0),
            ("public-read-write", true, 1),
        ] {
            let info = BucketInfo { acl: acl.into(), blocks_public_access: blocks };
            let diagnosis = judged(|findings| judge_bucket(&Ok(info), findings));
            assert_eq!((diagnosis.problems, diagnosis.warnings), (0, warnings));
            let seen = &diagnosis.check(CheckId::BucketAcl).unwrap().seen;
            assert!(seen.starts_with(&format!("{acl}: ")), "{seen}");
        }
    }

    #[test]
    fn an_accepted_request_passes_every_check_of_access() {
        let diagnosis = judged(|findings| accepted(&ACCESS, findings));
        for (id, seen) in [
            (CheckId::Endpoint, "oss, region cn-hangzhou"),
            (CheckId::PublicEndpoint, "the account may use it"),
            (CheckId::SignatureVersion, "accepted"),
            (CheckId::AccessKey, "LTAI5t is accepted"),
            (CheckId::Bucket, "live-demo exists"),
        ] {
            let check = diagnosis.check(id).unwrap();
            assert_eq!((check.verdict, &*check.seen), (Verdict::Ok, seen));
        }
    }

    #[test]
    fn an_error_is_summarized_in_one_line() {
        let error = Error::new(ErrorKind::Service, format!("a\u{1b}\nb{}", "c".repeat(400)));
        assert_eq!(summary(&error), format!("ab{}", "c".repeat(298)));
    }
}
