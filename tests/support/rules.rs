//! Converts a peer's fault to rules of the local endpoint: the steps of a server, set in
//! advance.

use super::fault::{Asked, Fault, Step};
use base64::prelude::{BASE64_STANDARD, Engine};
use osslive_local::{Disconnect, FaultRule};

/// Returns rules by which the local endpoint sends a server's responses to the first
/// requests, and the last of them to all others. Returns `None` if the responses depend
/// on the request.
pub fn of(fault: &Fault, asked: &[Asked]) -> Option<Vec<FaultRule>> {
    let last = asked.len() - 1;
    let rule = |(number, asked)| {
        let times = (number < last).then_some(1);
        Some(FaultRule { times, ..of_steps(&fault(asked))? })
    };
    asked.iter().enumerate().map(rule).collect()
}

/// Returns the rule by which the local endpoint sends a correct response.
pub fn right(bytes: &[u8]) -> FaultRule {
    of_steps(&[Step::Send(bytes.to_vec())]).expect("a response")
}

fn of_steps(steps: &[Step]) -> Option<FaultRule> {
    let (steps, disconnect) = match steps {
        [before @ .., Step::Close] => (before, Some(Disconnect::Close)),
        [before @ .., Step::Reset] => (before, Some(Disconnect::Reset)),
        [before @ .., Step::Wait] => (before, Some(Disconnect::Hang)),
        all => (all, None),
    };
    let rule = FaultRule { disconnect, ..FaultRule::new("*") };
    match steps {
        [] => Some(rule),
        [Step::Send(bytes)] if disconnect.is_none() && response(bytes).is_some() => {
            let (status, body) = response(bytes)?;
            Some(FaultRule { status: Some(status), body: Some(body), ..rule })
        }
        [Step::Slowly(rate, bytes)] => {
            Some(FaultRule { bytes_per_second: Some(*rate), ..raw(rule, bytes) })
        }
        // A head, and a slow body.
        [Step::Send(_), Step::Slowly(rate, body)] if disconnect.is_none() => Some(FaultRule {
            body: String::from_utf8(body.clone()).ok(),
            bytes_per_second: Some(*rate),
            ..rule
        }),
        all => pieces(rule, all),
    }
}

/// Splits steps into bytes sent once and bytes repeated endlessly after them, which is
/// more than any client reads.
fn pieces(mut rule: FaultRule, steps: &[Step]) -> Option<FaultRule> {
    let mut bytes = Vec::new();
    for step in steps {
        match step {
            Step::Send(more) => bytes.extend_from_slice(more),
            Step::Repeat(times, more) if times.saturating_mul(more.len()) < 1 << 20 => {
                bytes.extend(more.repeat(*times));
            }
            Step::Repeat(_, more) => {
                rule.endless = Some(String::from_utf8(more.clone()).ok()?);
                break;
            }
            _ => return None,
        }
    }
    Some(raw(rule, &bytes))
}

fn raw(rule: FaultRule, bytes: &[u8]) -> FaultRule {
    match String::from_utf8(bytes.to_vec()) {
        Ok(text) => FaultRule { raw: Some(text), ..rule },
        Err(_) => FaultRule { raw_base64: Some(BASE64_STANDARD.encode(bytes)), ..rule },
    }
}

/// Returns the status and the body of a response that has a length and nothing unusual.
fn response(bytes: &[u8]) -> Option<(u16, String)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let names = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    let is_usual = |(name, value): (&str, &str)| match name {
        "Content-Length" => value.parse() == Ok(body.len()),
        name => name == "x-oss-request-id",
    };
    let is_plain = names.clone().all(is_usual) && names.count() == 2;
    is_plain.then(|| (status, body.to_owned()))
}
