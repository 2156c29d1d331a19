//! The control API: fault rules, the clock, the journal, reset; and the service's
//! responses under a fault rule, as the SDK parses them.
//!
//! The input is a list of requests separated by 0xFF bytes: method, space and the path
//! below `/_osslive/control/` on the first line, then the body.

#![no_main]

use libfuzzer_sys::fuzz_target;
use osslive::operation::{Reply, get_channel_status};
use osslive_local::fuzzing::{CHANNEL, Controlled, Outcome};
use osslive_local::{ActiveFault, Control, FaultRule};
use serde_json::{Value, json};
use std::sync::LazyLock;

static ENDPOINT: LazyLock<Controlled> = LazyLock::new(Controlled::start);

/// The maximum number of rules, and of response bytes in all of them.
const MAX_RULES: usize = 16_384;
const MAX_HELD: usize = 64 << 20;

fuzz_target!(|data: &[u8]| {
    let control = ENDPOINT.control();
    for request in data.split(|byte| *byte == 0xff).take(16) {
        let end = request.iter().position(|byte| *byte == b'\n').unwrap_or(request.len());
        let (head, body) = request.split_at(end);
        let Ok(head) = std::str::from_utf8(head) else { continue };
        let Some((method, target)) = head.split_once(' ') else { continue };
        send(&control, method, target, body);
    }
    for query in ["live", "live&comp=stat"] {
        call(&control, query);
    }
    control.clear_faults();
    control.reset_clock();
    control.clear_requests();
});

fn send(control: &Control, method: &str, target: &str, body: &[u8]) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = format!("/_osslive/control/{path}");
    let before = state(control);
    let refused = ENDPOINT.send(method, &path, query, body, false);
    assert!(matches!(refused.status, 403), "{refused:?}");
    assert_eq!(state(control), before, "an unauthorized request changed something");

    let answer = ENDPOINT.send(method, &path, query, body, true);
    match answer.status {
        200 | 204 => {}
        201 => check_added(control, &answer),
        400 | 404 | 405 => {
            assert_eq!(state(control), before, "{method} {path} was rejected, but had an effect");
            assert!(method == "HEAD" || has_error_message(&answer), "{answer:?}");
        }
        _ => panic!("{method} {path}: {answer:?}"),
    }
    let clock = control.clock();
    assert!((0.0..=3600.0).contains(&clock.rate), "{clock:?}");
    assert!((1970..=9068).contains(&clock.now.year()) && clock.ahead_seconds.is_finite());
    let faults = control.faults();
    let held = |fault: &ActiveFault| {
        let rule = &fault.rule;
        let texts = [&rule.body, &rule.raw, &rule.raw_base64, &rule.endless];
        texts.into_iter().flatten().map(String::len).sum::<usize>()
    };
    assert!(faults.len() <= MAX_RULES && faults.iter().map(held).sum::<usize>() <= MAX_HELD);
}

/// The state that the control API can change, except for what changes by itself.
fn state(control: &Control) -> Value {
    let clock = control.clock();
    json!([control.faults(), clock.rate, clock.is_moved(), control.requests()])
}

fn has_error_message(answer: &Outcome) -> bool {
    let body: Value = serde_json::from_str(&answer.body).expect("an error in JSON");
    body["error"].as_str().is_some_and(|text| !text.is_empty())
}

/// The response contains the added rule, in a form that can be added again.
fn check_added(control: &Control, answer: &Outcome) {
    let newest = control.faults().pop().expect("a rule");
    let mut body: Value = serde_json::from_str(&answer.body).expect("a rule in JSON");
    let fields = body.as_object_mut().expect("an object");
    assert_eq!(fields.remove("id"), Some(json!(newest.id)));
    assert_eq!(fields.remove("hits"), Some(json!(0)));
    let mut rule: FaultRule = serde_json::from_value(body).expect("a rule");
    let (again, first) = (rule.probability.take(), newest.rule.probability);
    assert!((again.unwrap_or(1.0) - first.unwrap_or(1.0)).abs() < 1e-12);
    assert_eq!(FaultRule { probability: None, ..(*newest.rule).clone() }, rule);
    rule.probability = first;
    let added = control.add(rule).expect("the same rule");
    assert!(control.remove(added.id));
}

/// The service's response follows the first rule that applies, at most as often as
/// its `times` allows.
fn call(control: &Control, query: &str) {
    let before = control.faults();
    let (reply, applied) = ENDPOINT.call(query);
    let Some(id) = applied else {
        assert_eq!(reply.status, 403, "the request was not signed");
        return;
    };
    let Some(fault) = before.iter().find(|fault| fault.id == id) else { panic!("no rule {id}") };
    let rule = &*fault.rule;
    assert!(rule.times.is_none_or(|times| fault.hits < u64::from(times)), "{fault:?}");
    let after = control.faults().into_iter().find(|fault| fault.id == id);
    assert!(after.is_none_or(|after| after.hits == fault.hits + 1));
    match (&rule.body, rule.status) {
        (Some(body), status) => {
            assert_eq!((&*reply.body, reply.status), (body.as_bytes(), status.unwrap_or(200)));
        }
        (None, Some(_)) => check_refusal(rule, &reply),
        (None, None) => {}
    }
}

/// The SDK reads the rule's status, code and EC from an error response.
fn check_refusal(rule: &FaultRule, reply: &Reply) {
    let call = get_channel_status(CHANNEL).expect("a call");
    let error = call.parse(reply).expect_err("a refusal");
    assert_eq!(error.status(), rule.status);
    assert!(error.request_id().is_some(), "{error}");
    // Characters that XML cannot represent are replaced; surrounding whitespace is dropped.
    let carried = |text: &str| {
        let text = text.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    let said = |text: Option<&str>| text.and_then(carried);
    if let Some(code) = &rule.code {
        assert_eq!(said(error.code()), carried(code), "{error:?}");
    }
    if let Some(ec) = &rule.ec {
        assert_eq!(said(error.ec()), carried(ec), "{error:?}");
    }
}
