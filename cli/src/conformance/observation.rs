//! Observations and their requirements.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A behavior of the service that can be observed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observation {
    /// Never changes: names of channels and objects are derived from it.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) source: Source,
}

/// The source of the expectation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Source {
    /// The service's documentation.
    Documented,
    /// A test suite or the source of the vendor's SDKs, which rely on it.
    Tested,
    /// An inference from other statements, or common practice.
    Inferred,
    /// No public source: the local endpoint's own choice.
    Unknown,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Source::Documented => "documented",
            Source::Tested => "tested",
            Source::Inferred => "inferred",
            Source::Unknown => "unknown",
        })
    }
}

/// A requirement for a meaningful observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Permission to publish: `--publish`.
    Stream,
    /// Temporary credentials.
    Token,
    /// A bucket with the ACL private.
    Private,
    /// A bucket without CORS rules.
    NoCors,
    /// An account that may sign with version 1.
    Version1,
    /// Requests signed with version 4.
    Version4,
    /// An endpoint that serves objects.
    Data,
    /// URLs that contain the bucket.
    NamedBucket,
}

impl Need {
    /// Explains why there is no observation without it.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Need::Stream => "needs a stream: --publish",
            Need::Token => "needs STS credentials",
            Need::Private => "needs a private bucket with a readable ACL",
            Need::NoCors => "needs a bucket without CORS rules, and permission to read them",
            Need::Version1 => "signature version 1 is not available here",
            Need::Version4 => "signature version 4 is not available here",
            Need::Data => "this endpoint does not serve objects to the account",
            Need::NamedBucket => "a custom domain belongs to a single bucket",
        }
    }
}
