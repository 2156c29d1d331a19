//! The C interface: what `include/osslive.h` declares, one file per noun of
//! that header, whose text is generated from the comments here.
//!
//! This is the only unsafe code of the crate. It all rests on one bargain,
//! which the header's conventions spell out: a pointer is NULL, or points to
//! what its type says for as long as the call lasts. Everything else about an
//! argument is checked.

// Names as C writes them; constants and functions that only C uses.
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
mod string;
mod sweep;
mod sweep_options;
mod unwind;
mod url;
mod version;
mod vod;
