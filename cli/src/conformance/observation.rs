//! What can be observed, and what an observation needs.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Something that the service does, and that can be observed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observation {
    /// Never changes. Names of channels and objects are made of it.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) source: Source,
}

/// Where the expectation comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Source {
    /// The service's documentation says so.
    Documented,
    /// A test suite or the source of the vendor's SDKs relies on it.
    Tested,
    /// It follows from other statements, or is usual.
    Inferred,
    /// No public source says: the expectation is the local endpoint's choice.
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

/// What must hold for an observation to mean anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Publishing is allowed: `--publish`.
    Stream,
    /// Temporary credentials.
    Token,
    /// The bucket's ACL is private.
    Private,
    /// The bucket has no CORS rules.
    NoCors,
    /// The account may sign with version 1.
    Version1,
    /// Requests are signed with version 4.
    Version4,
    /// The endpoint serves objects.
    Data,
    /// URLs name the bucket.
    NamedBucket,
}

impl Need {
    /// Why there is no observation without it.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Need::Stream => "needs a stream: --publish",
            Need::Token => "needs STS credentials",
            Need::Private => "needs a private bucket whose ACL may be read",
            Need::NoCors => "needs a bucket without CORS rules, which may be read",
            Need::Version1 => "signature version 1 is not available here",
            Need::Version4 => "signature version 4 is not available here",
            Need::Data => "this endpoint does not serve objects to the account",
            Need::NamedBucket => "a custom domain leads to one bucket only",
        }
    }
}
