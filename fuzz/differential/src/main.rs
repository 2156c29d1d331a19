//! Parses responses from standard input with the SDK, and writes the result of
//! each as a line of JSON: `{"ok": ...}` or `{"error": ...}`.
//!
//! A response is a byte for the operation, two for the status, four for the length,
//! and the body.

use osslive::operation::{self, Call, Reply};
use osslive::{ChannelConfig, Error, ListChannels};
use serde_json::{Value, json};
use std::io::{self, BufWriter, Read, Write};

fn main() -> io::Result<()> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut rest = &bytes[..];
    while let [operation, high, low, a, b, c, d, tail @ ..] = rest {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        let Some((body, next)) = tail.split_at_checked(length) else { break };
        let status = u16::from_be_bytes([*high, *low]);
        let reply = Reply { status, body: body.to_vec(), attempts: 1, ..Reply::default() };
        writeln!(out, "{}", read(*operation, &reply))?;
        rest = next;
    }
    out.flush()
}

fn read(operation: u8, reply: &Reply) -> Value {
    match operation {
        b'l' => parsed(operation::list_channels(&ListChannels::new()), reply),
        b'g' => parsed(operation::get_channel("cam"), reply),
        b's' => parsed(operation::get_channel_status("cam"), reply),
        b'h' => parsed(operation::get_channel_history("cam"), reply),
        _ => parsed(operation::put_channel("cam", &ChannelConfig::default()), reply),
    }
}

fn parsed<T: serde::Serialize>(call: Result<Call<T>, Error>, reply: &Reply) -> Value {
    match call.and_then(|call| call.parse(reply)) {
        Ok(result) => json!({ "ok": result }),
        Err(error) => json!({ "error": {
            "kind": error.kind().as_str(),
            "code": error.code(),
            "message": error.message(),
            "ec": error.ec(),
            "requestId": error.request_id(),
        }}),
    }
}
