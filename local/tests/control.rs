//! Control over an endpoint, as tests of other software use it: rules take effect, and
//! unauthorized clients cannot add any.

mod support;

use osslive::{Client, ErrorKind, RtmpUrlOptions};
use osslive_local::push::{PushError, PushOptions, push_flv};
use osslive_local::{Config, Control, Disconnect, EventKind, FaultRule};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use support::{CLIP, Peer, Stage};

fn controlled() -> (Stage, Control) {
    let stage = Stage::start(Config::control);
    let control = stage.endpoint.control().expect("control is enabled");
    (stage, control)
}

fn client(stage: &Stage) -> Client {
    stage.endpoint.client_builder().attempts(1).build().unwrap()
}

fn rule(operation: &str) -> FaultRule {
    FaultRule::new(operation)
}

/// Sends a control request; returns the status and the JSON of the response.
fn request(stage: &Stage, method: &str, path: &str, headers: &str, body: &str) -> (u16, Value) {
    let host = stage.endpoint.address();
    let peer = stage.connect();
    let length = body.len();
    peer.send(format!(
        "{method} /_osslive/{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n{headers}\r\n{body}"
    ))
    .unwrap();
    read_response(&peer)
}

fn read_response(peer: &Peer) -> (u16, Value) {
    let text = String::from_utf8(peer.read_to_close()).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

const OWN: &str = "x-osslive-control: 1\r\n";

#[test]
fn a_status_rule_applies_the_given_number_of_times() {
    let (stage, control) = controlled();
    stage.channel("cam-1");
    control
        .add(FaultRule {
            channel: Some("cam-*".into()),
            times: Some(2),
            status: Some(503),
            code: Some("ServiceUnavailable".into()),
            ec: Some("0044-00000999".into()),
            message: Some("Injected.".into()),
            ..rule("GetLiveChannelStat")
        })
        .unwrap();
    let client = client(&stage);
    for _ in 0..2 {
        let error = client.get_channel_status("cam-1").unwrap_err();
        assert_eq!((error.status(), error.code()), (Some(503), Some("ServiceUnavailable")));
        assert_eq!((error.ec(), error.message()), (Some("0044-00000999"), "Injected."));
    }
    client.get_channel_status("cam-1").unwrap();
    let hits: Vec<_> = control.faults().iter().map(|fault| fault.hits).collect();
    assert_eq!(hits, [2]);
    // Retries succeed in the end.
    control.add(FaultRule { times: Some(2), status: Some(500), ..rule("*") }).unwrap();
    stage.client().get_channel_status("cam-1").unwrap();
}

#[test]
fn connections_can_be_closed_reset_or_hung() {
    let (stage, control) = controlled();
    stage.channel("cam");
    let client = stage.endpoint.client_builder().attempts(1);
    let client = client.timeout(Duration::from_millis(300)).build().unwrap();
    for (disconnect, kind) in [
        (Disconnect::Close, ErrorKind::Connection),
        (Disconnect::Reset, ErrorKind::Connection),
        (Disconnect::Hang, ErrorKind::Timeout),
    ] {
        let rule = FaultRule { disconnect: Some(disconnect), ..rule("GetLiveChannelStat") };
        let id = control.add(rule).unwrap().id;
        let error = client.get_channel_status("cam").unwrap_err();
        assert_eq!(error.kind(), kind, "{disconnect:?}: {error}");
        assert!(control.remove(id));
    }
    client.get_channel_status("cam").unwrap();
}

#[test]
fn hanging_connections_end_with_their_rule_and_with_the_endpoint() {
    let (stage, control) = controlled();
    stage.channel("cam");
    let hang = || FaultRule { disconnect: Some(Disconnect::Hang), ..rule("GetLiveChannelStat") };
    control.add(hang()).unwrap();
    let client = stage.endpoint.client_builder().attempts(1).build().unwrap();
    let call = |client: &Client| client.get_channel_status("cam").unwrap_err().kind();
    let waiting = |until: &dyn Fn()| {
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| call(&client));
            while control.requests().0.iter().all(|event| event.status != Some(503)) {
                std::thread::sleep(Duration::from_millis(5));
            }
            until();
            waiting.join().unwrap()
        })
    };
    let started = Instant::now();
    assert_eq!(waiting(&|| control.clear_faults()), ErrorKind::Connection);
    control.clear_requests();
    control.add(hang()).unwrap();
    let endpoint = std::cell::Cell::new(Some(stage.endpoint));
    assert_eq!(waiting(&|| endpoint.take().unwrap().stop()), ErrorKind::Connection);
    assert!(started.elapsed() < Duration::from_secs(20), "nothing waited for a timeout");
}

#[test]
fn bodies_can_be_slow_truncated_or_garbage() {
    let (stage, control) = controlled();
    for n in 0..50 {
        stage.channel(&format!("cam-{n:02}"));
    }
    let client = client(&stage);
    let list = || client.channels("").collect::<Result<Vec<_>, _>>();
    control.add(FaultRule { garbage: true, times: Some(1), ..rule("ListLiveChannel") }).unwrap();
    assert_eq!(list().unwrap_err().kind(), ErrorKind::BadReply);
    let cut = FaultRule { cut_after_bytes: Some(100), times: Some(1), ..rule("ListLiveChannel") };
    control.add(cut).unwrap();
    assert_eq!(list().unwrap_err().kind(), ErrorKind::Connection);
    let slow = FaultRule { bytes_per_second: Some(40_000), times: Some(1), ..rule("*") };
    control.add(slow).unwrap();
    let started = Instant::now();
    assert_eq!(list().unwrap().len(), 50);
    assert!(started.elapsed() >= Duration::from_millis(100), "{:?}", started.elapsed());
    let late = FaultRule { latency_ms: Some(200), times: Some(1), ..rule("*") };
    control.add(late).unwrap();
    let started = Instant::now();
    list().unwrap();
    assert!(started.elapsed() >= Duration::from_millis(200));
}

#[test]
fn a_url_valid_for_seven_days_expires_when_the_clock_advances() {
    let (stage, control) = controlled();
    let url = stage.channel("cam");
    let week = RtmpUrlOptions::new().expires(7 * 86_400);
    let url_for_a_week = stage.client().get_rtmp_url("cam", &week).unwrap();
    let push = |url: &str| push_flv(url, CLIP, PushOptions::default(), &mut |_| true);
    push(&url).unwrap();
    control.advance_clock(time::Duration::days(7) + time::Duration::seconds(1));
    let refused = push(&url_for_a_week).unwrap_err();
    assert!(matches!(refused, PushError::Refused { .. }), "{refused:?}");
    control.reset_clock();
    push(&url_for_a_week).unwrap();
}

#[test]
fn the_date_header_can_be_skewed() {
    let (stage, control) = controlled();
    control.add(FaultRule { date_skew_seconds: Some(-86_400), ..rule("*") }).unwrap();
    let peer = stage.connect();
    peer.send("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").unwrap();
    let text = String::from_utf8(peer.read_to_close()).unwrap().to_lowercase();
    assert_eq!(text.matches("\r\ndate: ").count(), 1, "{text}");
}

#[test]
fn publishers_can_be_refused_or_disconnected() {
    let (stage, control) = controlled();
    let url = stage.channel("cam");
    let options = PushOptions { real_time: true, ..PushOptions::default() };
    let push = || push_flv(&url, CLIP, options, &mut |_| true);
    let publish = |change: FaultRule| {
        control.add(FaultRule { times: Some(1), ..change }).unwrap();
    };
    publish(FaultRule {
        code: Some("NetStream.Publish.BadName".into()),
        message: Some("In use.".into()),
        ..rule("RtmpPublish")
    });
    let refused = push().unwrap_err();
    assert!(format!("{refused:?}").contains("In use."), "{refused:?}");
    for (operation, disconnect) in [
        ("RtmpConnect", Disconnect::Close),
        ("RtmpConnect", Disconnect::Reset),
        ("RtmpPublish", Disconnect::Close),
        ("RtmpPublish", Disconnect::Reset),
    ] {
        publish(FaultRule { disconnect: Some(disconnect), ..rule(operation) });
        let ended = push().unwrap_err();
        assert!(!matches!(ended, PushError::Refused { .. }), "{operation}: {ended:?}");
    }
    publish(FaultRule { cut_after_ms: Some(500), ..rule("RtmpPublish") });
    let started = Instant::now();
    push().unwrap_err();
    assert!(started.elapsed() >= Duration::from_millis(500));
    publish(FaultRule { latency_ms: Some(300), ..rule("RtmpPublish") });
    push().unwrap();
    let kinds: Vec<_> = control.requests().0.into_iter().map(|event| event.kind).collect();
    assert!(kinds.contains(&EventKind::Refusal) && kinds.contains(&EventKind::Publish));
}

/// As on the service: the status changes at once, and the stream ends later.
#[test]
fn disabling_a_channel_can_disconnect_its_publisher_with_a_delay() {
    let (stage, control) = controlled();
    let time = Duration::from_millis(800);
    let delay = FaultRule { disconnect_after_ms: Some(800), ..rule("PutLiveChannelStatus") };
    control.add(delay).unwrap();
    let client = client(&stage);
    let options = PushOptions { real_time: true, ..PushOptions::default() };
    let disable = || client.put_channel_status("cam", osslive::ChannelState::Disabled).unwrap();
    for is_kept in [true, false] {
        let url = stage.channel("cam");
        std::thread::scope(|scope| {
            let publisher = scope.spawn(|| push_flv(&url, CLIP, options, &mut |_| true));
            client.wait_until_live("cam", Duration::from_secs(20)).unwrap();
            let disabled = Instant::now();
            disable();
            let status = client.get_channel_status("cam").unwrap().status;
            assert_eq!(status, osslive::StreamState::Disabled);
            if is_kept {
                let error = client.delete_channel("cam").unwrap_err();
                assert_eq!(error.code(), Some("ChannelStillLive"));
            } else {
                // Without the rule it is disconnected at once, even in its grace period.
                control.clear_faults();
                disable();
            }
            publisher.join().unwrap().unwrap_err();
            assert_eq!(disabled.elapsed() >= time, is_kept);
        });
        // The session ends shortly after its publisher was disconnected.
        let due = Instant::now() + Duration::from_secs(20);
        while client.delete_channel("cam").is_err() {
            assert!(Instant::now() < due, "the session does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

#[test]
fn recorded_requests_contain_the_key_but_no_secrets() {
    let (stage, control) = controlled();
    let url = stage.channel("cam");
    push_flv(&url, CLIP, PushOptions::default(), &mut |_| true).unwrap();
    let (events, dropped) = control.requests();
    assert_eq!(dropped, 0);
    let put = events.iter().find(|e| e.operation.as_deref() == Some("PutLiveChannel")).unwrap();
    assert_eq!(put.access_key_id.as_deref(), Some(Config::ACCESS_KEY_ID));
    assert_eq!((put.key.as_deref(), put.status), (Some("cam"), Some(200)));
    let publish = events.iter().find(|event| event.kind == EventKind::Publish).unwrap();
    assert_eq!(publish.access_key_id.as_deref(), Some(Config::ACCESS_KEY_ID));
    let text = serde_json::to_string(&events).unwrap();
    assert!(!text.contains("Signature") && !text.contains(Config::ACCESS_KEY_SECRET), "{text}");
    control.clear_requests();
    assert!(control.requests().0.is_empty());
}

/// Rules must not exhaust memory.
#[test]
fn the_size_of_responses_in_rules_is_limited() {
    let (stage, control) = controlled();
    let body = |length: usize| FaultRule { body: Some("x".repeat(length)), ..rule("GetObject") };
    let refused = control.add(body((8 << 20) + 1)).unwrap_err().to_string();
    assert!(refused.contains("8388608"), "{refused}");
    for _ in 0..8 {
        control.add(body(8 << 20)).unwrap();
    }
    let refused = control.add(body(1)).unwrap_err().to_string();
    assert!(refused.contains("67108864"), "{refused}");
    let last = control.faults().last().unwrap().id;
    assert!(control.remove(last));
    control.add(body(1)).unwrap();
    control.clear_faults();
    control.add(body(8 << 20)).unwrap();
    // Over HTTP, bodies are limited to the size of an escaped rule.
    let large = format!(r#"{{"operation": "GetObject", "body": "{}"}}"#, "x".repeat(17 << 20));
    let host = stage.endpoint.address();
    let peer = stage.connect();
    let length = large.len();
    peer.send(format!(
        "POST /_osslive/control/faults HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\
         {OWN}\r\n"
    ))
    .unwrap();
    let (status, _) = read_response(&peer);
    assert!((400..500).contains(&status), "{status}");
}

#[test]
fn control_works_over_http() {
    let (stage, _) = controlled();
    stage.channel("cam");
    let own = |method, path, body| request(&stage, method, path, OWN, body);
    let (status, fault) =
        own("POST", "control/faults", r#"{"operation": "GetLiveChannelStat", "status": 403}"#);
    assert_eq!((status, &fault["id"], &fault["hits"]), (201, &json!(1), &json!(0)));
    assert_eq!(client(&stage).get_channel_status("cam").unwrap_err().status(), Some(403));
    let (status, faults) = own("GET", "control/faults", "");
    assert_eq!((status, &faults["faults"][0]["hits"]), (200, &json!(1)));
    assert_eq!(own("DELETE", "control/faults/1", "").0, 204);
    assert_eq!(own("DELETE", "control/faults/1", "").0, 404);
    let (status, clock) = own("PUT", "control/clock", r#"{"advanceSeconds": 604800}"#);
    assert_eq!(status, 200);
    assert!((clock["aheadSeconds"].as_f64().unwrap() - 604_800.0).abs() < 1.0, "{clock}");
    let (_, clock) = own("PUT", "control/clock", r#"{"set": "2030-01-01T00:00:00Z"}"#);
    assert!(clock["now"].as_str().unwrap().starts_with("2030-01-01T00:00:0"), "{clock}");
    assert_eq!(own("PUT", "control/clock", r#"{"freeze": true}"#).1["rate"], json!(0.0));
    let (_, requests) = own("GET", "control/requests?operation=GetLiveChannelStat", "");
    let seen = requests["requests"].as_array().unwrap();
    assert_eq!((seen.len(), &seen[0]["status"]), (1, &json!(403)));
    assert_eq!(own("POST", "control/reset", "").0, 204);
    let (_, clock) = own("GET", "control/clock", "");
    assert_eq!((&clock["rate"], &clock["aheadSeconds"]), (&json!(1.0), &json!(0.0)));
    assert_eq!(own("GET", "control/requests", "").1["requests"], json!([]));
}

#[test]
fn invalid_control_requests_are_refused_with_a_reason() {
    let (stage, _) = controlled();
    for (method, path, body, status, word) in [
        ("POST", "control/faults", "{", 400, "EOF"),
        ("POST", "control/faults", r#"{"operation": "Nope", "status": 503}"#, 400, "Nope"),
        ("POST", "control/faults", r#"{"operation": "*", "sttus": 503}"#, 400, "sttus"),
        ("PUT", "control/clock", "{}", 400, "one of set"),
        ("PUT", "control/clock", r#"{"rate": 1, "freeze": true}"#, 400, "column"),
        ("PUT", "control/clock", r#"{"rat": 1}"#, 400, "`advanceSeconds`, `rate`"),
        ("PUT", "control/clock", r#"{"reset": false}"#, 400, "reset false"),
        ("PUT", "control/clock", r#"{"rate": -1}"#, 400, "rate -1"),
        ("PUT", "control/clock", r#"{"advanceSeconds": 1e300}"#, 400, "advanceSeconds"),
        ("PUT", "control/clock", r#"{"set": "noon"}"#, 400, "year"),
        ("PATCH", "control/clock", "", 405, "GET, PUT"),
        ("DELETE", "control/faults/x", "", 400, "\"x\""),
        ("GET", "control/requests?nope=1", "", 400, "nope"),
        ("GET", "control/nope", "", 404, "faults"),
    ] {
        let (seen, body) = request(&stage, method, path, OWN, body);
        let error = body["error"].as_str().unwrap_or_default();
        assert!(seen == status && error.contains(word), "{method} {path}: {seen} {body}");
    }
    let large = format!(r#"{{"operation": "{}"}}"#, "x".repeat(100_000));
    let (status, _) = request(&stage, "POST", "control/faults", OWN, &large);
    assert!((400..500).contains(&status), "{status}");
}

#[test]
fn without_control_only_the_health_check_exists() {
    let stage = Stage::start(|config| config);
    assert!(stage.endpoint.control().is_none());
    for (method, path) in [
        ("GET", "control/faults"),
        ("POST", "control/faults"),
        ("PUT", "control/clock"),
        ("POST", "control/reset"),
        ("GET", "control"),
        ("GET", "control/"),
    ] {
        assert_eq!(request(&stage, method, path, OWN, "").0, 404, "{method} {path}");
        let body = r#"{"operation": "*", "status": 500}"#;
        assert_eq!(request(&stage, method, path, OWN, body).0, 404, "{method} {path}");
        assert_eq!(request(&stage, method, path, "", &body.repeat(3000)).0, 404, "{method} {path}");
        assert_eq!(request(&stage, method, path, "Origin: http://evil.example\r\n", "").0, 404);
    }
    let (status, health) = request(&stage, "GET", "health", "", "");
    assert_eq!((status, &health["status"]), (200, &json!("ok")));
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(request(&stage, "DELETE", "health", "", "").0, 405);
}

#[test]
fn only_programs_on_this_machine_have_control() {
    let token = "0123456789abcdef-token";
    let stage = Stage::start(|config| config.control().control_token(token).unwrap());
    let given = format!("{OWN}x-osslive-token: {token}\r\n");
    assert_eq!(request(&stage, "GET", "control/faults", &given, "").0, 200);
    for headers in [
        String::new(),
        OWN.to_owned(),
        format!("x-osslive-token: {token}\r\n"),
        format!("{OWN}x-osslive-token: {token}x\r\n"),
        format!("{OWN}x-osslive-token: \r\n"),
        format!("{given}Origin: http://evil.example\r\n"),
        format!("{given}Origin: null\r\n"),
        format!("{given}Sec-Fetch-Site: cross-site\r\n"),
        format!("{given}Sec-Fetch-Site: same-site\r\n"),
        format!("{given}Via: 1.1 proxy\r\n"),
        format!("{given}X-Forwarded-For: 10.0.0.1\r\n"),
    ] {
        let (status, body) = request(&stage, "GET", "control/faults", &headers, "");
        assert_eq!(status, 403, "{headers:?}: {body}");
    }
    // A foreign name that resolves to this machine.
    let peer = stage.connect();
    peer.send(format!(
        "GET /_osslive/control/faults HTTP/1.1\r\nHost: evil.example\r\n{given}\
         Connection: close\r\n\r\n"
    ))
    .unwrap();
    assert_eq!(read_response(&peer).0, 403);
    // Before a page may send the header, browsers send a preflight request, which is refused.
    let preflight = "Origin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\n\
                     Access-Control-Request-Headers: x-osslive-control\r\n";
    assert_eq!(request(&stage, "OPTIONS", "control/faults", preflight, "").0, 403);
    assert!(Config::temporary().control_token("short").is_err());
}

#[test]
fn two_endpoints_do_not_interfere() {
    let (first, control) = controlled();
    let (second, _) = controlled();
    first.channel("cam");
    second.channel("cam");
    control.add(FaultRule { status: Some(500), ..rule("*") }).unwrap();
    control.advance_clock(time::Duration::days(30));
    client(&second).get_channel_status("cam").unwrap();
    assert!(client(&first).get_channel_status("cam").is_err());
}

#[test]
fn a_reset_empties_buckets_and_removes_rules() {
    let (stage, control) = controlled();
    let url = stage.channel("cam");
    push_flv(&url, CLIP, PushOptions::default(), &mut |_| true).unwrap();
    let url = stage.channel("live");
    let client = client(&stage);
    std::thread::scope(|scope| {
        let options = PushOptions { real_time: true, ..PushOptions::default() };
        let publisher = scope.spawn(move || push_flv(&url, CLIP, options, &mut |_| true));
        client.wait_until_live("live", Duration::from_secs(20)).unwrap();
        control.add(FaultRule { status: Some(500), ..rule("*") }).unwrap();
        control.advance_clock(time::Duration::days(3));
        stage.endpoint.reset().unwrap();
        publisher.join().unwrap().unwrap_err();
    });
    assert_eq!(client.channels("").count(), 0);
    assert!(control.faults().is_empty() && control.clock().ahead_seconds == 0.0);
    let everything = osslive::VodTime::new(0, 4_000_000_000);
    assert!(client.get_vod("cam", &everything).is_err(), "no fragment is left");
}

#[test]
fn a_thousand_resets_leak_nothing() {
    let (stage, control) = controlled();
    let files = || walk(stage.endpoint.data());
    stage.channel("cam");
    stage.endpoint.reset().unwrap();
    let before = files();
    for _ in 0..1000 {
        stage.channel("cam");
        control.add(FaultRule { times: Some(1), status: Some(500), ..rule("GetObject") }).unwrap();
        stage.endpoint.reset().unwrap();
    }
    assert_eq!(files(), before);
    assert!(control.requests().0.is_empty() && control.faults().is_empty());
}

/// Returns the number of files and folders below a folder.
fn walk(folder: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| 1 + if path.is_dir() { walk(&path) } else { 0 }).sum()
}

/// All documented operations exist, and no others.
#[test]
fn the_openapi_description_is_accurate() {
    let text = include_str!("../assets/control/openapi.json");
    let described: Value = serde_json::from_str(text).unwrap();
    let (stage, control) = controlled();
    for (path, operations) in described["paths"].as_object().unwrap() {
        let below = path.strip_prefix("/_osslive/").unwrap().replace("{id}", "1");
        for method in ["get", "put", "post", "delete", "patch"] {
            control.clear_faults();
            let body = match (&*below, method) {
                ("control/faults", "post") => r#"{"operation": "*", "status": 500}"#,
                ("control/clock", "put") => r#"{"rate": 1}"#,
                _ => "",
            };
            let (status, _) = request(&stage, &method.to_uppercase(), &below, OWN, body);
            match operations[method]["responses"].as_object() {
                Some(said) => {
                    assert!(said.contains_key(&status.to_string()), "{method} {path}: {status}");
                }
                None => assert_eq!(status, 405, "{method} {path}"),
            }
        }
    }
    // Every field of a rule, and no other.
    let fields = described["components"]["schemas"]["FaultRule"]["properties"].as_object();
    let fields: Vec<&String> = fields.unwrap().keys().collect();
    let known = serde_json::from_str::<FaultRule>(r#"{"unknown": 1}"#).unwrap_err().to_string();
    let (_, known) = known.split_once("expected one of ").unwrap();
    let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    assert_eq!(fields.len(), known.len(), "{known:?}");
    assert!(fields.iter().all(|field| known.contains(&field.as_str())), "{fields:?} {known:?}");
}
