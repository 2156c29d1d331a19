//! Why a command ended before its time: the exit status, the words, and the
//! next step.

use crate::connection::Connection;
use crate::text::clean;
use osslive::{ErrorKind, code};
use osslive_local::push::PushError;
use serde_json::json;
use std::error::Error;
use std::fmt::Write as _;
use std::io;

pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// The exit statuses, for scripts. They are documented in `--help` and never
/// change their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Failure = 1,
    Usage = 2,
    NotFound = 3,
    NotAllowed = 4,
    NotLive = 5,
    Conflict = 6,
    Unavailable = 7,
}

impl Exit {
    /// The status for an error of the SDK.
    pub(crate) fn of(error: &osslive::Error) -> Self {
        if error.ec() == Some(NOTHING_RECORDED) {
            return Exit::NotFound;
        }
        Self::of_code(error.code()).unwrap_or_else(|| match (error.kind(), error.status()) {
            (ErrorKind::InvalidArgument | ErrorKind::Config, _) => Exit::Usage,
            (ErrorKind::Credentials, _) | (_, Some(401 | 403)) => Exit::NotAllowed,
            (ErrorKind::Connection | ErrorKind::Timeout, _) => Exit::Unavailable,
            (ErrorKind::Service, Some(404)) => Exit::NotFound,
            (ErrorKind::Service, Some(429 | 500..)) => Exit::Unavailable,
            _ => Exit::Failure,
        })
    }

    fn of_code(code: Option<&str>) -> Option<Self> {
        match code? {
            code::CHANNEL_NOT_LIVE => Some(Exit::NotLive),
            code::CHANNEL_ALREADY_EXISTS | code::CHANNEL_STILL_LIVE => Some(Exit::Conflict),
            code::INVALID_ARGUMENT | code::INVALID_BUCKET_NAME | code::INVALID_CHANNEL_NAME => {
                Some(Exit::Usage)
            }
            code::NO_SUCH_LIVE_CHANNEL | code::NO_SUCH_BUCKET | code::NO_SUCH_KEY => {
                Some(Exit::NotFound)
            }
            _ => None,
        }
    }

    /// The status for a batch of which some failed: theirs, if they agree.
    pub(crate) fn of_all(exits: impl IntoIterator<Item = Exit>) -> Self {
        let mut exits = exits.into_iter();
        let first = exits.next().unwrap_or(Exit::Failure);
        if exits.all(|exit| exit == first) { first } else { Exit::Failure }
    }
}

/// The detailed error code of a span of time in which nothing was recorded,
/// as OSS documents it.
const NOTHING_RECORDED: &str = "0044-00000308";

/// Why a command ended before its time.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The SDK says so.
    Call(osslive::Error),
    /// The publisher says so.
    Push(PushError),
    /// The command itself says so.
    Told(Exit, String),
    /// Reading or writing here, on this machine.
    Io(String, io::Error),
    /// Anything else.
    Other(Box<dyn Error>),
}

impl From<osslive::Error> for Failure {
    fn from(error: osslive::Error) -> Self {
        Failure::Call(error)
    }
}

impl From<PushError> for Failure {
    fn from(error: PushError) -> Self {
        Failure::Push(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Io("the output cannot be written".to_owned(), error)
    }
}

impl From<Box<dyn Error>> for Failure {
    fn from(error: Box<dyn Error>) -> Self {
        Failure::Other(error)
    }
}

impl Failure {
    /// A mistake on the command line or in a file that it names.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Failure::Told(Exit::Usage, message.into())
    }

    /// A file that cannot be read or written.
    pub(crate) fn file(path: &std::path::Path, error: io::Error) -> Self {
        Failure::Io(format!("{} cannot be used", path.display()), error)
    }

    /// Whether whoever reads the output has gone, as `head` does. That is no
    /// failure, and there is nobody to tell.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Failure::Io(_, error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Failure::Call(error) => Exit::of(error),
            Failure::Push(error) => exit_of_push(error),
            Failure::Told(exit, _) => *exit,
            Failure::Io(_, error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::InvalidData => Exit::Usage,
                _ => Exit::Failure,
            },
            Failure::Other(_) => Exit::Failure,
        }
    }

    fn message(&self) -> String {
        match self {
            Failure::Call(error) => error.to_string(),
            // The URL is signed, and so a secret.
            Failure::Push(PushError::Url(_)) => "the publish URL is not valid".to_owned(),
            Failure::Push(error) => error.to_string(),
            Failure::Told(_, message) => message.clone(),
            Failure::Io(what, _) => what.clone(),
            Failure::Other(error) => error.to_string(),
        }
    }

    /// The errors behind it that add something to the message.
    fn causes(&self) -> Vec<String> {
        let mut next: Option<&dyn Error> = match self {
            Failure::Call(error) => error.source(),
            // Its message quotes its source.
            Failure::Push(_) | Failure::Told(..) => None,
            Failure::Io(_, error) => Some(error),
            Failure::Other(error) => error.source(),
        };
        let message = self.message();
        let mut causes = Vec::new();
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        causes.retain(|cause| !cause.contains(&message));
        causes
    }

    /// The failure as people read it on a terminal.
    pub(crate) fn text(&self, connection: &Connection) -> String {
        let mut text = format!("osslive: {}", clean(&self.message()));
        for cause in self.causes() {
            // Writing to a String does not fail.
            let _ = write!(text, "\n  because: {}", clean(&cause));
        }
        if let Some(hint) = self.hint(connection) {
            let _ = write!(text, "\n  try: {hint}");
        }
        text
    }

    /// The failure as programs read it: one line of JSON.
    pub(crate) fn json(&self, connection: &Connection) -> String {
        let mut error = match self {
            Failure::Call(error) => json!(error),
            _ => json!({ "message": self.message() }),
        };
        let causes = self.causes();
        if !causes.is_empty() {
            error["causes"] = json!(causes);
        }
        if let Some(hint) = self.hint(connection) {
            error["hint"] = json!(hint);
        }
        json!({ "error": error, "exitStatus": self.exit() as u8 }).to_string()
    }

    fn hint(&self, connection: &Connection) -> Option<String> {
        match self {
            Failure::Call(error) => hint_for_call(error, connection),
            Failure::Push(PushError::Connect(_) | PushError::TimedOut) => Some(
                "see that outgoing TCP to port 1935 is open: publishing is RTMP, not HTTP".into(),
            ),
            Failure::Push(PushError::Refused { .. }) => Some(
                "see `osslive channel status` whether the channel is disabled or already live"
                    .into(),
            ),
            _ => None,
        }
    }
}

fn exit_of_push(error: &PushError) -> Exit {
    match error {
        PushError::Connect(_) | PushError::TimedOut => Exit::Unavailable,
        PushError::Refused { code, .. } if code.ends_with("Unauthorized") => Exit::NotAllowed,
        _ => Exit::Failure,
    }
}

/// The next step after the usual mistakes.
fn hint_for_call(error: &osslive::Error, connection: &Connection) -> Option<String> {
    if error.ec() == Some(NOTHING_RECORDED) {
        return Some("`osslive channel history` shows when there were sessions".into());
    }
    if let Some(hint) = error.code().and_then(|code| hint_for_code(code, error, connection)) {
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
        ErrorKind::Connection | ErrorKind::Timeout if connection.is_local() => {
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

fn hint_for_code(code: &str, error: &osslive::Error, connection: &Connection) -> Option<String> {
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
        code::INVALID_ACCESS_KEY_ID if connection.is_local() => {
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

    #[test]
    fn a_batch_fails_with_the_status_that_its_failures_share() {
        assert_eq!(Exit::of_all([Exit::NotFound, Exit::NotFound]), Exit::NotFound);
        assert_eq!(Exit::of_all([Exit::NotFound, Exit::NotAllowed]), Exit::Failure);
        assert_eq!(Exit::of_all([]), Exit::Failure);
    }

    #[test]
    fn each_kind_of_error_has_its_status() {
        for (kind, exit) in [
            (ErrorKind::InvalidArgument, Exit::Usage),
            (ErrorKind::Config, Exit::Usage),
            (ErrorKind::Credentials, Exit::NotAllowed),
            (ErrorKind::Connection, Exit::Unavailable),
            (ErrorKind::Timeout, Exit::Unavailable),
            (ErrorKind::BadReply, Exit::Failure),
        ] {
            assert_eq!(Exit::of(&osslive::Error::new(kind, "")), exit);
        }
    }

    #[test]
    fn the_usual_mistakes_have_a_next_step() {
        let hint = |code: &str, message: &str| {
            let error = json!({
                "kind": "service", "code": code, "message": message, "status": 403, "attempts": 1,
            });
            let error = serde_json::from_value(error).unwrap();
            Failure::Call(error).hint(&Connection::default()).unwrap_or_default()
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

    #[test]
    fn a_signed_url_is_never_in_a_message() {
        let failure = Failure::Push(PushError::Url("rtmp://h/live/c?Signature=hush".into()));
        assert!(!failure.message().contains("hush"));
    }

    #[test]
    fn a_failure_is_one_line_of_json() {
        let error = osslive::Error::new(ErrorKind::Credentials, "no \"keys\"\nat all");
        let line = Failure::Call(error).json(&Connection::default());
        let parsed: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(parsed["exitStatus"], 4);
        assert_eq!(parsed["error"]["message"], "no \"keys\"\nat all");
        assert!(parsed["error"]["hint"].as_str().unwrap().contains("OSS_ACCESS_KEY_ID"));
        assert!(!line.contains('\n'));
    }
}
