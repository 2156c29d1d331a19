//! Errors: their kind, their code, and what the service reported.

use crate::spelling::spelling;
use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The category of an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument is invalid. Nothing was sent.
    InvalidArgument,
    /// The client's configuration is incomplete or contradictory.
    Config,
    /// No usable credentials were found.
    Credentials,
    /// The service is unreachable, or the connection was lost: name resolution,
    /// TCP, TLS or proxy.
    Connection,
    /// The call or the connection timed out.
    Timeout,
    /// The service returned an error; see [`Error::code`].
    Service,
    /// The response is invalid, or larger than the size limit.
    BadReply,
    /// A local file could not be read or written.
    File,
    /// The caller stopped the client with
    /// [`Client::shutdown`](crate::Client::shutdown), or stopped the work, or the
    /// work reached its time limit.
    Stopped,
}

spelling!(ErrorKind, "kind of error", Error::invalid, {
    InvalidArgument = "invalidArgument",
    Config = "config",
    Credentials = "credentials",
    Connection = "connection",
    Timeout = "timeout",
    Service = "service",
    BadReply = "badReply",
    File = "file",
    Stopped = "stopped",
});

impl ErrorKind {
    fn description(self) -> &'static str {
        match self {
            ErrorKind::InvalidArgument => "invalid argument",
            ErrorKind::Config => "configuration error",
            ErrorKind::Credentials => "no usable credentials",
            ErrorKind::Connection => "connection error",
            ErrorKind::Timeout => "timed out",
            ErrorKind::Service => "service error",
            ErrorKind::BadReply => "invalid response",
            ErrorKind::File => "file error",
            ErrorKind::Stopped => "stopped by the caller",
        }
    }
}

/// An error, with everything the service reported about it.
///
/// [`kind`](Error::kind) is its category, [`code`](Error::code) the reason, which you
/// can compare with the constants in [`code`](mod@code). `Display` and `Debug` never
/// show secrets.
///
/// With the feature `serde` it is an object of `kind`, `message`, `attempts`
/// and `text` (what [`Display`](fmt::Display) prints), and of `code`, `status`,
/// `requestId`, `ec`, `hostId` and `endpoint` if known; sources are omitted.
///
/// ```
/// use osslive::{Error, code};
///
/// fn is_gone(error: &Error) -> bool {
///     error.code() == Some(code::NO_SUCH_LIVE_CHANNEL)
/// }
/// ```
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct Error(Box<Details>);

#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
struct Details {
    /// The category of the error.
    kind: ErrorKind,
    /// What is wrong, without the code and the identifiers.
    message: String,
    /// The name of the reason, such as `NoSuchLiveChannel`: the service's code, or
    /// the library's own for its own checks.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    code: Option<String>,
    /// The HTTP status of the response, if there was one.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    status: Option<u16>,
    /// The request id, which identifies the request to the service's support.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    request_id: Option<String>,
    /// The service's detailed error code, such as `0044-00000308`.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    ec: Option<String>,
    /// The host id of the response.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    host_id: Option<String>,
    /// The correct endpoint of the bucket, if the service names it.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    endpoint: Option<String>,
    #[cfg_attr(feature = "serde", serde(skip))]
    server_time: Option<String>,
    /// The number of requests sent; 0 if the error occurred before the first.
    attempts: u32,
    #[cfg_attr(feature = "serde", serde(skip))]
    retry_after: Option<Duration>,
    #[cfg_attr(feature = "serde", serde(skip))]
    is_permanent: bool,
    #[cfg_attr(feature = "serde", serde(skip))]
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

#[cfg(feature = "serde")]
mod json {
    use super::{Details, Error};
    use serde::{Serialize, Serializer};

    /// An error as JSON.
    #[derive(Serialize)]
    #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
    pub(super) struct Written<'a> {
        #[serde(flatten)]
        details: &'a Details,
        /// The message with all details in one line.
        text: String,
    }

    impl Serialize for Error {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            Written { details: &self.0, text: self.to_string() }.serialize(to)
        }
    }

    #[cfg(feature = "schema")]
    impl schemars::JsonSchema for Error {
        fn schema_name() -> std::borrow::Cow<'static, str> {
            "Error".into()
        }

        fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
            Written::json_schema(generator)
        }
    }
}

impl Error {
    /// Creates an error with a one-line message.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error(Box::new(Details {
            kind,
            message: message.into(),
            code: None,
            status: None,
            request_id: None,
            ec: None,
            host_id: None,
            endpoint: None,
            server_time: None,
            attempts: 0,
            retry_after: None,
            is_permanent: false,
            source: None,
        }))
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::InvalidArgument, message)
    }

    pub(crate) fn credentials(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Credentials, message)
    }

    pub(crate) fn bad_reply(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::BadReply, message)
    }

    pub(crate) fn shut_down() -> Self {
        Error::new(ErrorKind::Stopped, "the client was shut down")
    }

    pub(crate) fn with_code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    pub(crate) fn with_request_id(mut self, id: Option<String>) -> Self {
        self.0.request_id = id;
        self
    }

    pub(crate) fn with_ec(mut self, ec: Option<String>) -> Self {
        self.0.ec = ec;
        self
    }

    pub(crate) fn with_host_id(mut self, host_id: Option<String>) -> Self {
        self.0.host_id = host_id;
        self
    }

    pub(crate) fn with_endpoint(mut self, endpoint: Option<String>) -> Self {
        self.0.endpoint = endpoint;
        self
    }

    pub(crate) fn with_server_time(mut self, time: Option<String>) -> Self {
        self.0.server_time = time;
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    pub(crate) fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    /// Adds to the message. The service ends its messages with a period.
    pub(crate) fn explained(mut self, more: &str) -> Self {
        let message = &mut self.0.message;
        message.truncate(message.trim_end_matches('.').len());
        if !message.is_empty() {
            message.push_str("; ");
        }
        message.push_str(more);
        self
    }

    /// Prepends what failed to the message.
    pub(crate) fn named(mut self, what: &str) -> Self {
        let separator = if self.0.message.is_empty() { "" } else { ": " };
        self.0.message.insert_str(0, separator);
        self.0.message.insert_str(0, what);
        self
    }

    /// Sets the delay that the server asks for.
    pub(crate) fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    /// The delay that the server asks for (`Retry-After`).
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Rewrites every string that a peer may have chosen. Codes that this crate
    /// knows are kept; a cause that would be rewritten is dropped.
    pub(crate) fn map_strings(mut self, map: impl Fn(&str) -> Cow<'_, str>) -> Self {
        let details = &mut *self.0;
        let replace = |text: &mut String| {
            if let Cow::Owned(mapped) = map(text) {
                *text = mapped;
            }
        };
        replace(&mut details.message);
        details
            .code
            .iter_mut()
            .filter(|code| !code::ALL.contains(&code.as_str()))
            .for_each(replace);
        for text in [
            &mut details.request_id,
            &mut details.ec,
            &mut details.host_id,
            &mut details.endpoint,
            &mut details.server_time,
        ] {
            text.iter_mut().for_each(replace);
        }
        details.source.take_if(|source| {
            let mut cause: Option<&(dyn StdError + 'static)> = Some(&**source);
            std::iter::from_fn(|| {
                let found = cause?;
                cause = found.source();
                Some(format!("{found} {found:?}"))
            })
            .any(|text| matches!(map(&text), Cow::Owned(_)))
        });
        self
    }

    /// Marks an error that a retry would not fix.
    pub(crate) fn permanent(mut self) -> Self {
        self.0.is_permanent = true;
        self
    }

    pub(crate) fn is_permanent(&self) -> bool {
        self.0.is_permanent
    }

    /// Returns the category of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the message, without the code and the identifiers that
    /// [`Display`](fmt::Display) adds.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the name of the reason: the service's code, or one of this crate's
    /// own for its own checks (see [`code`](mod@code)).
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Returns the HTTP status of the response, if there was one.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// Returns the request id (`x-oss-request-id`), which the service's
    /// support uses to find the request.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Returns the service's detailed error code, such as `0044-00000308`.
    pub fn ec(&self) -> Option<&str> {
        self.0.ec.as_deref()
    }

    /// Returns the host id of the response.
    pub fn host_id(&self) -> Option<&str> {
        self.0.host_id.as_deref()
    }

    /// Returns the correct endpoint of the bucket, if the service rejected the
    /// request because it was sent to another one.
    pub fn endpoint(&self) -> Option<&str> {
        self.0.endpoint.as_deref()
    }

    /// The number of requests sent; 0 if the error occurred before the first.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// The service's time, which it adds to `RequestTimeTooSkewed`.
    pub(crate) fn server_time(&self) -> Option<&str> {
        self.0.server_time.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Details { message, code, status, request_id, ec, .. } = &*self.0;
        match (code, message.is_empty()) {
            (Some(code), true) => f.write_str(code)?,
            (Some(code), false) => write!(f, "{code}: {message}")?,
            (None, true) => f.write_str(self.kind().description())?,
            (None, false) => f.write_str(message)?,
        }
        let mut separator = " (";
        let mut detail = |name: &str, value: Option<&dyn fmt::Display>| {
            let Some(value) = value else { return Ok(()) };
            let before = std::mem::replace(&mut separator, ", ");
            write!(f, "{before}{name} {value}")
        };
        detail("HTTP", status.as_ref().map(|s| s as _))?;
        detail("request id", request_id.as_ref().map(|s| s as _))?;
        detail("EC", ec.as_ref().map(|s| s as _))?;
        if separator == ", " { f.write_str(")") } else { Ok(()) }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Details { message, code, status, request_id, ec, host_id, .. } = &*self.0;
        let Details { endpoint, attempts, source, .. } = &*self.0;
        f.debug_struct("Error")
            .field("kind", &self.kind())
            .field("message", message)
            .field("code", code)
            .field("status", status)
            .field("request_id", request_id)
            .field("ec", ec)
            .field("host_id", host_id)
            .field("endpoint", endpoint)
            .field("attempts", attempts)
            .field("source", source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// Error codes by name.
///
/// The service's codes for live channels, as documented, and this crate's own:
/// [`CHANNEL_ALREADY_EXISTS`](code::CHANNEL_ALREADY_EXISTS),
/// [`CHANNEL_NOT_LIVE`](code::CHANNEL_NOT_LIVE),
/// [`INVALID_CHANNEL_NAME`](code::INVALID_CHANNEL_NAME),
/// [`NO_BUCKET`](code::NO_BUCKET), [`NO_REGION`](code::NO_REGION),
/// [`PROXY_FAILED`](code::PROXY_FAILED),
/// [`UNKNOWN_HOST`](code::UNKNOWN_HOST),
/// [`UNTRUSTED_CERTIFICATE`](code::UNTRUSTED_CERTIFICATE),
/// [`WAIT_TIMED_OUT`](code::WAIT_TIMED_OUT) and, like the service,
/// [`NO_SUCH_LIVE_CHANNEL`](code::NO_SUCH_LIVE_CHANNEL). Unknown codes are passed
/// through.
pub mod code {
    macro_rules! codes {
        ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
            $($(#[$doc])* pub const $name: &str = $text;)*

            /// Every code of this module.
            pub const ALL: &[&str] = &[$($text),*];
        };
    }

    codes! {
        /// Permission denied, or the URL has expired.
        ACCESS_DENIED = "AccessDenied";
        /// The token belongs to another access key.
        ACCESS_KEY_ID_AND_SECURITY_TOKEN_NOT_MATCH = "AccessKeyIdAndSecurityTokenNotMatch";
        /// The bucket is disabled.
        BUCKET_DISABLE = "BucketDisable";
        /// The bucket still contains objects or channels.
        BUCKET_NOT_EMPTY = "BucketNotEmpty";
        /// The channel already exists.
        CHANNEL_ALREADY_EXISTS = "ChannelAlreadyExists";
        /// The channel is not live.
        CHANNEL_NOT_LIVE = "ChannelNotLive";
        /// The channel is live, so it cannot be changed or deleted.
        CHANNEL_STILL_LIVE = "ChannelStillLive";
        /// Internal error of the service.
        INTERNAL_ERROR = "InternalError";
        /// The access key does not exist.
        INVALID_ACCESS_KEY_ID = "InvalidAccessKeyId";
        /// A field or parameter is out of range.
        INVALID_ARGUMENT = "InvalidArgument";
        /// The bucket name is invalid.
        INVALID_BUCKET_NAME = "InvalidBucketName";
        /// The channel name is invalid.
        INVALID_CHANNEL_NAME = "InvalidChannelName";
        /// The MD5 of the body does not match.
        INVALID_DIGEST = "InvalidDigest";
        /// The request is contradictory, or the playlist cannot be processed.
        INVALID_REQUEST = "InvalidRequest";
        /// The STS token is invalid.
        INVALID_SECURITY_TOKEN = "InvalidSecurityToken";
        /// The channel is disabled.
        LIVE_CHANNEL_DISABLED = "LiveChannelDisabled";
        /// The XML of the body is invalid.
        MALFORMED_XML = "MalformedXML";
        /// Too many channel operations per second.
        META_OPERATION_QPS_LIMIT_EXCEEDED = "MetaOperationQpsLimitExceeded";
        /// The method is not allowed for the resource.
        METHOD_NOT_ALLOWED = "MethodNotAllowed";
        /// The length of the body is missing.
        MISSING_CONTENT_LENGTH = "MissingContentLength";
        /// The host of the request is not a standard host.
        NON_STANDARD_HOST_FORBIDDEN = "NonStandardHostForbidden";
        /// The client's configuration names no bucket.
        NO_BUCKET = "NoBucket";
        /// Neither the client's configuration nor its endpoint names a region.
        NO_REGION = "NoRegion";
        /// Nothing was recorded in that time range.
        NOTHING_RECORDED = "NothingRecorded";
        /// Not implemented by the service.
        NOT_IMPLEMENTED = "NotImplemented";
        /// The bucket does not exist.
        NO_SUCH_BUCKET = "NoSuchBucket";
        /// The object does not exist, or the playlist has no fragment yet.
        NO_SUCH_KEY = "NoSuchKey";
        /// The channel does not exist.
        NO_SUCH_LIVE_CHANNEL = "NoSuchLiveChannel";
        /// The proxy refused or closed the connection.
        PROXY_FAILED = "ProxyFailed";
        /// The account may not use the region's public endpoint for data: it needs a
        /// custom domain bound to the bucket.
        PUBLIC_ENDPOINT_FORBIDDEN = "PublicEndpointForbidden";
        /// The clocks differ by more than 15 minutes.
        REQUEST_TIME_TOO_SKEWED = "RequestTimeTooSkewed";
        /// The public service needs the bucket in the host name.
        SECOND_LEVEL_DOMAIN_FORBIDDEN = "SecondLevelDomainForbidden";
        /// The STS token has expired.
        SECURITY_TOKEN_EXPIRED = "SecurityTokenExpired";
        /// STS tokens are not supported here.
        SECURITY_TOKEN_NOT_SUPPORTED = "SecurityTokenNotSupported";
        /// The service is busy.
        SERVICE_UNAVAILABLE = "ServiceUnavailable";
        /// The signature is wrong.
        SIGNATURE_DOES_NOT_MATCH = "SignatureDoesNotMatch";
        /// The host name could not be resolved.
        UNKNOWN_HOST = "UnknownHost";
        /// The TLS certificate of the host is not trusted.
        UNTRUSTED_CERTIFICATE = "UntrustedCertificate";
        /// The account is disabled.
        USER_DISABLE = "UserDisable";
        /// The time limit of `wait_until_live` or another wait has passed.
        WAIT_TIMED_OUT = "WaitTimedOut";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_reads_as_one_line_with_code_status_and_request_id() {
        let error = Error::new(ErrorKind::Service, "The specified live channel does not exist.")
            .with_code(code::NO_SUCH_LIVE_CHANNEL)
            .with_status(404)
            .with_request_id(Some("6B02A4E6B92475920B00F3A1".into()))
            .with_ec(Some("0044-00000201".into()));
        assert_eq!(
            error.to_string(),
            "NoSuchLiveChannel: The specified live channel does not exist. \
             (HTTP 404, request id 6B02A4E6B92475920B00F3A1, EC 0044-00000201)"
        );
    }

    #[test]
    fn an_error_without_details_has_no_parentheses() {
        assert_eq!(Error::invalid("the bucket is empty").to_string(), "the bucket is empty");
        assert_eq!(Error::new(ErrorKind::Timeout, "").to_string(), "timed out");
    }

    #[test]
    fn an_error_is_one_pointer_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }

    #[test]
    fn an_explanation_continues_the_sentence() {
        for (message, whole) in
            [("no.", "no; why"), ("no", "no; why"), ("", "why"), ("v1.2", "v1.2; why")]
        {
            assert_eq!(Error::invalid(message).explained("why").message(), whole);
        }
    }

    #[test]
    fn rewriting_keeps_only_codes_that_are_known() {
        let rewritten = |code: &str| {
            let error = Error::new(ErrorKind::Service, "message").with_code(code);
            error.map_strings(|_| Cow::Owned("new".to_owned()))
        };
        let known = rewritten(code::NO_SUCH_BUCKET);
        assert_eq!((known.message(), known.code()), ("new", Some(code::NO_SUCH_BUCKET)));
        assert_eq!(rewritten("Unknown").code(), Some("new"));
    }

    #[test]
    fn debug_shows_every_detail() {
        let error = Error::new(ErrorKind::Service, "gone").with_code("NoSuchKey").with_attempts(3);
        assert_eq!(error.attempts(), 3);
        let shown = format!("{error:?}");
        for detail in ["Service", "gone", "NoSuchKey", "attempts: 3"] {
            assert!(shown.contains(detail), "{shown}");
        }
    }
}
