//! The endpoint's HTTP side: every request gets a response, and none is authorized.
//!
//! The input is a request as on the wire, without its version: method and
//! target on the first line, headers on the next, then the body.

#![no_main]

use libfuzzer_sys::fuzz_target;
use osslive_local::fuzzing::Endpoint;
use std::sync::LazyLock;

static ENDPOINT: LazyLock<Endpoint> = LazyLock::new(Endpoint::start);

fuzz_target!(|data: &[u8]| {
    let end = data.windows(2).position(|two| two == b"\n\n");
    let (head, body) = match end {
        Some(end) => (&data[..end], &data[end + 2..]),
        None => (data, &[][..]),
    };
    let Ok(head) = std::str::from_utf8(head) else { return };
    let mut lines = head.lines();
    let Some((method, target)) = lines.next().and_then(|line| line.split_once(' ')) else { return };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(": ")).collect();
    let answer = ENDPOINT.respond(method, path, query, &headers, body);
    assert!((200..600).contains(&answer.status) && answer.status != 500, "{answer:?}");
    // The only valid signatures are those of the seeds, and they have
    // expired: an authorized request has bypassed the check.
    assert!(!answer.is_authorized, "{method} {target}: {answer:?}");
});
