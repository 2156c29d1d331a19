//! Failures of commands: the exit status and the message.

use crate::text::clean;
use crate::usage;
use osslive::{ErrorKind, code};
use osslive_local::push::PushError;
use serde_json::{Value, json};
use std::error::Error;
use std::fmt;
use std::io;

pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// The exit statuses, for scripts. They are documented in `--help`, and their
/// meaning never changes.
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
    Differs = 8,
}

impl Exit {
    /// Returns the status for an error of the SDK.
    pub(crate) fn of(error: &osslive::Error) -> Self {
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
            code::NO_SUCH_LIVE_CHANNEL
            | code::NO_SUCH_BUCKET
            | code::NO_SUCH_KEY
            | code::NOTHING_RECORDED => Some(Exit::NotFound),
            _ => None,
        }
    }

    /// Returns the status for a batch with failures: 1 if theirs differ.
    pub(crate) fn of_all(exits: impl IntoIterator<Item = Exit>) -> Self {
        let mut exits = exits.into_iter();
        let first = exits.next().unwrap_or(Exit::Failure);
        if exits.all(|exit| exit == first) { first } else { Exit::Failure }
    }
}

/// Why a command ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// An error from the SDK.
    Call(osslive::Error),
    /// The service has no recording of the time range.
    NothingRecorded(osslive::Error),
    /// An error from the publisher.
    Push(PushError),
    /// A mistake in the command line.
    CommandLine(clap::Error),
    /// An error from the command itself.
    Message(Exit, String),
    /// An I/O error on this machine.
    Io(String, io::Error),
    /// Any other error.
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

impl From<Box<dyn Error>> for Failure {
    fn from(error: Box<dyn Error>) -> Self {
        Failure::Other(error)
    }
}

/// Formats the message on one line.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl Failure {
    /// Converts the error of a request for a recording.
    ///
    /// The service rejects a time range without a recording as an invalid argument.
    /// Everything else that it would reject this way was checked before sending.
    /// Its detailed error codes are explicit, but may change.
    pub(crate) fn of_recording(error: osslive::Error) -> Self {
        let is_refused = error.kind() == ErrorKind::Service && error.status() == Some(400);
        match error.code() {
            Some(code::INVALID_ARGUMENT) if is_refused => Failure::NothingRecorded(error),
            _ => Failure::Call(error),
        }
    }

    /// A mistake in the command line or in a file that it names.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Failure::Message(Exit::Usage, message.into())
    }

    /// A file that cannot be read or written.
    pub(crate) fn file(path: &std::path::Path, error: io::Error) -> Self {
        Failure::Io(format!("cannot use {}", path.display()), error)
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Failure::Call(error) => Exit::of(error),
            Failure::NothingRecorded(_) => Exit::NotFound,
            Failure::Push(error) => exit_of_push(error),
            Failure::CommandLine(_) => Exit::Usage,
            Failure::Message(exit, _) => *exit,
            Failure::Io(_, error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::InvalidData => Exit::Usage,
                _ => Exit::Failure,
            },
            Failure::Other(_) => Exit::Failure,
        }
    }

    fn message(&self) -> String {
        match self {
            Failure::Call(error) | Failure::NothingRecorded(error) => error.to_string(),
            // The URL is signed, and therefore a secret.
            Failure::Push(PushError::Url(_)) => "the publish URL is not valid".to_owned(),
            Failure::Push(error) => error.to_string(),
            Failure::CommandLine(error) => usage::message(error),
            Failure::Message(_, message) => message.clone(),
            Failure::Io(what, _) => what.clone(),
            Failure::Other(error) => error.to_string(),
        }
    }

    /// Returns the underlying errors that add something to the message.
    fn causes(&self) -> Vec<String> {
        let mut next: Option<&dyn Error> = match self {
            Failure::Call(error) | Failure::NothingRecorded(error) => error.source(),
            // Its message quotes its source.
            Failure::Push(_) | Failure::CommandLine(_) | Failure::Message(..) => None,
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

    /// Formats the failure for a terminal.
    pub(crate) fn text(&self, hint: Option<&str>) -> String {
        if let Failure::CommandLine(error) = self {
            return usage::text(error, console::colors_enabled_stderr());
        }
        let mut text = format!("osslive: {}", clean(&self.message()));
        for cause in self.causes() {
            text += &format!("\n  caused by: {}", clean(&cause));
        }
        if let Some(hint) = hint {
            text += &format!("\n  hint: {}", clean(hint));
        }
        text
    }

    /// Formats the failure as JSON.
    pub(crate) fn json(&self, hint: Option<&str>) -> Value {
        let mut error = match self {
            Failure::Call(error) | Failure::NothingRecorded(error) => json!(error),
            _ => json!({ "message": self.message() }),
        };
        let causes = self.causes();
        if !causes.is_empty() {
            error["causes"] = json!(causes);
        }
        if let Some(hint) = hint {
            error["hint"] = json!(hint);
        }
        json!({ "error": error, "exitStatus": self.exit() as u8 })
    }
}

fn exit_of_push(error: &PushError) -> Exit {
    match error {
        PushError::Connect(_) | PushError::TimedOut => Exit::Unavailable,
        PushError::Refused { code, .. } if code.ends_with("Unauthorized") => Exit::NotAllowed,
        _ => Exit::Failure,
    }
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
    fn a_signed_url_is_never_in_a_message() {
        let failure = Failure::Push(PushError::Url("rtmp://h/live/c?Signature=hush".into()));
        assert!(!failure.message().contains("hush"));
    }

    #[test]
    fn a_failure_has_the_same_parts_as_text_and_as_json() {
        let error = osslive::Error::new(ErrorKind::Credentials, "no \"keys\"\nat all");
        let failure = Failure::Call(error);
        let json = failure.json(Some("set them"));
        assert_eq!(json["exitStatus"], 4);
        assert_eq!(json["error"]["message"], "no \"keys\"\nat all");
        assert_eq!(json["error"]["hint"], "set them");
        let text = failure.text(Some("set them"));
        assert_eq!(text, "osslive: no \"keys\"\\u{a}at all\n  hint: set them");
    }
}
