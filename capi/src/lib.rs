//! The C interface declared in `include/osslive.h`, one file per noun of that header,
//! whose text is generated from the comments here.
//!
//! All unsafe code is in this crate. It relies on a single contract, which the header's
//! conventions document: a pointer is NULL, or points to a valid object of its type for
//! the duration of the call. Everything else about an argument is checked.

// Names in the style of C; constants and functions that only C uses.
#![allow(unsafe_code, non_camel_case_types, unreachable_pub, dead_code)]

mod callback;
mod channel;
mod channel_config;
mod channel_monitor;
mod client;
mod config;
mod credential_source;
mod diagnosis;
mod download;
mod error;
mod guard;
mod highlight;
mod log;
#[cfg(feature = "test-panic")]
mod panic;
mod pointer;
mod progress;
#[cfg(test)]
mod schema;
mod status_callback;
mod string;
mod sweep;
mod sweep_options;
mod unwind;
mod url;
mod version;
mod vod;
