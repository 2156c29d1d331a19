//! Error responses of the service: status, code, message and EC.

use std::fmt;

/// An error response of the service.
///
/// It becomes the XML body of a REST response, or the description in the RTMP
/// status message that refuses an encoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The HTTP status.
    pub status: u16,
    /// The service's code, such as `NoSuchLiveChannel`.
    pub code: &'static str,
    /// A message for humans.
    pub message: String,
    /// The service's detailed error code, where one is published.
    pub ec: Option<&'static str>,
    /// Additional elements of the error body, in order.
    pub details: Vec<(&'static str, String)>,
}

impl Fault {
    /// Returns a fault with neither EC nor details.
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Fault { status, code, message: message.into(), ec: None, details: Vec::new() }
    }

    /// Adds the service's detailed error code.
    pub fn with_ec(mut self, ec: &'static str) -> Self {
        self.ec = Some(ec);
        self
    }

    /// Adds an element to the error body.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.details.push((name, value.into()));
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Fault {}
