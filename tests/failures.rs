//! What the client does on failures: retry, correct the clock, give up, and report the
//! reason.

#[allow(dead_code)]
#[path = "support/faulty_service.rs"]
mod faulty_service;
mod support;

use faulty_service::{FaultyService, busy, rule, silence};
use osslive::{ChannelConfig, ErrorKind, ListChannels, SignatureVersion, StreamState, code};
use osslive_local::{Disconnect, FaultRule};
use std::net::TcpListener;
use std::time::{Duration, Instant};
use support::{Response, Server, idle, reply};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Ends a connection without a response, or keeps it silent, once.
fn ending(disconnect: Disconnect) -> FaultRule {
    FaultRule { disconnect: Some(disconnect), times: Some(1), ..rule() }
}

fn slow_headers() -> FaultRule {
    let response = String::from_utf8(idle()).unwrap();
    FaultRule { raw: Some(response), bytes_per_second: Some(10), ..rule() }
}

#[test]
fn a_server_error_is_retried_until_it_passes() {
    let service = FaultyService::with([FaultRule { times: Some(2), ..busy() }]);
    let status = service.client().build().unwrap().get_channel_status("c").unwrap();
    assert_eq!(status.status, StreamState::Idle);
    assert_eq!((status.res.attempts, service.calls()), (3, 3));
}

#[test]
fn a_persistent_server_error_is_reported_with_the_number_of_attempts() {
    let service = FaultyService::with([busy()]);
    let client = service.client().attempts(2).build().unwrap();
    let error = client.delete_channel("c").unwrap_err();
    assert_eq!(error.code(), Some(code::SERVICE_UNAVAILABLE));
    assert_eq!((error.status(), error.attempts()), (Some(503), 2));
    assert!(error.request_id().is_some());
    assert_eq!(service.calls(), 2);
}

#[test]
fn retries_can_be_disabled_for_a_clone_of_the_client() {
    let service = FaultyService::with([busy()]);
    let client = service.client().build().unwrap();
    for count in [0, 1] {
        let error = client.with_attempts(count).get_channel_status("c").unwrap_err();
        assert_eq!(error.attempts(), 1);
    }
    assert_eq!(client.get_channel_status("c").unwrap_err().attempts(), 3);
}

#[test]
fn a_rejection_is_not_retried() {
    let service = FaultyService::with([]);
    let error = service.client().build().unwrap().get_channel_status("none").unwrap_err();
    assert_eq!((error.code(), error.attempts()), (Some(code::NO_SUCH_LIVE_CHANNEL), 1));
    assert_eq!(service.calls(), 1);
}

#[test]
fn a_connection_closed_without_a_response_is_retried() {
    let service = FaultyService::with([ending(Disconnect::Close)]);
    let client = service.client().build().unwrap();
    assert_eq!(client.get_channel_status("c").unwrap().res.attempts, 2);
}

#[test]
fn an_idle_connection_that_was_closed_is_replaced() {
    let server = Server::start(|_, _| Response::Close(idle()));
    let client = server.client().build().unwrap();
    for _ in 0..3 {
        assert_eq!(client.get_channel_status("c").unwrap().status, StreamState::Idle);
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn connections_are_reused() {
    let server = Server::start(|_, _| Response::Bytes(idle()));
    let client = server.client().build().unwrap();
    for _ in 0..3 {
        client.get_channel_status("c").unwrap();
    }
    assert_eq!(server.seen().len(), 3);
}

#[test]
fn a_refused_connection_is_a_connection_error() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let client = osslive::Client::builder()
        .endpoint(format!("http://{free}"))
        .region("cn-hangzhou")
        .bucket("live-demo")
        .credentials(osslive::Credentials::new("id", "secret"))
        .no_proxy()
        .build()
        .unwrap();
    let error = client.get_channel_status("c").unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Connection, 3));
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn a_silent_server_is_limited_by_the_call_timeout() {
    let service = FaultyService::with([silence()]);
    let client = service.client().timeout(Duration::from_millis(300)).build().unwrap();
    check_limit(|| client.get_channel_status("c").unwrap_err());
}

#[test]
fn a_slow_body_is_limited_by_the_call_timeout() {
    let service = FaultyService::with([FaultRule { bytes_per_second: Some(10), ..rule() }]);
    let client = service.client().timeout(Duration::from_millis(500)).build().unwrap();
    check_limit(|| client.get_channel_status("c").unwrap_err());
}

#[test]
fn slow_headers_are_limited_by_the_call_timeout() {
    let service = FaultyService::with([slow_headers()]);
    let client = service.client().build().unwrap().with_timeout(Duration::from_millis(500));
    check_limit(|| client.get_channel_status("c").unwrap_err());
}

/// The bound is generous, so that only a hanging call fails it, not a slow machine.
fn check_limit(call: impl FnOnce() -> osslive::Error) {
    let started = Instant::now();
    assert_eq!(call().kind(), ErrorKind::Timeout);
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn clock_skew_is_corrected_and_the_call_signed_again_once() {
    let ahead = OffsetDateTime::now_utc() + time::Duration::hours(2);
    let server_time = ahead.format(&Rfc3339).unwrap();
    let server = Server::start(move |_, seen| {
        let date = seen.header("x-oss-date").unwrap();
        let format =
            time::macros::format_description!("[year][month][day]T[hour][minute][second]Z");
        let date = time::PrimitiveDateTime::parse(date, format).unwrap().assume_utc();
        if (date - ahead).abs() < time::Duration::minutes(15) {
            return Response::Bytes(idle());
        }
        let body = format!(
            "<Error><Code>RequestTimeTooSkewed</Code><Message>skewed</Message>\
             <ServerTime>{server_time}</ServerTime></Error>"
        );
        Response::Bytes(reply("403 Forbidden", &body))
    });
    let client = server.client().attempts(1).build().unwrap();
    assert_eq!(client.get_channel_status("c").unwrap().res.attempts, 2);
    assert_eq!(client.get_channel_status("c").unwrap().res.attempts, 1);
}

#[test]
fn clock_skew_without_a_valid_server_time_is_reported() {
    for server_time in ["", "<ServerTime>noon</ServerTime>"] {
        let body = format!("<Error><Code>RequestTimeTooSkewed</Code>{server_time}</Error>");
        let server = Server::start(move |_, _| Response::Bytes(reply("403 Forbidden", &body)));
        let error = server.client().build().unwrap().get_channel_status("c").unwrap_err();
        assert_eq!(error.code(), Some(code::REQUEST_TIME_TOO_SKEWED));
        assert_eq!(server.seen().len(), 1);
    }
}

#[test]
fn clock_skew_is_corrected_only_once_per_call() {
    let ahead = OffsetDateTime::now_utc() + time::Duration::hours(2);
    let body = format!(
        "<Error><Code>RequestTimeTooSkewed</Code><ServerTime>{}</ServerTime></Error>",
        ahead.format(&Rfc3339).unwrap()
    );
    let server = Server::start(move |_, _| Response::Bytes(reply("403 Forbidden", &body)));
    let error = server.client().build().unwrap().get_channel_status("c").unwrap_err();
    assert_eq!((error.code(), error.attempts()), (Some(code::REQUEST_TIME_TOO_SKEWED), 2));
}

#[test]
fn a_redirect_is_not_followed() {
    let redirect = "HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    let service = FaultyService::with([FaultRule { raw: Some(redirect.into()), ..rule() }]);
    let error = service.client().build().unwrap().put_channel("c", &ChannelConfig::default());
    assert_eq!(error.unwrap_err().status(), Some(307));
    assert_eq!(service.calls(), 1);
}

#[test]
fn a_response_is_read_only_up_to_the_size_limit() {
    let server = Server::start(|_, _| {
        let mut bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for _ in 0..20 {
            bytes.extend_from_slice(b"100000\r\n");
            bytes.extend(std::iter::repeat_n(b' ', 0x10_0000));
            bytes.extend_from_slice(b"\r\n");
        }
        Response::Bytes(bytes)
    });
    let error = server.client().build().unwrap().get_channel_status("c").unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::BadReply, Some(200)));
    assert!(error.message().contains("4 MB"), "{error}");
}

#[test]
fn an_error_page_that_is_not_xml_keeps_its_status() {
    let page = "<html>oops<br></html>".to_owned();
    let service =
        FaultyService::with([FaultRule { status: Some(502), body: Some(page), ..rule() }]);
    let error = service.client().attempts(1).build().unwrap().get_channel_status("c").unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Service, Some(502)));
    assert!(error.message().contains("oops"), "{error}");
}

#[test]
fn a_list_that_does_not_advance_ends_with_an_error() {
    let page = "<ListLiveChannelResult><IsTruncated>true</IsTruncated><NextMarker>a</NextMarker>\
                <LiveChannel><Name>a</Name><Status>enabled</Status>\
                <LastModified>2026-11-22T08:16:38.000Z</LastModified></LiveChannel>\
                </ListLiveChannelResult>";
    let service = FaultyService::with([FaultRule { body: Some(page.into()), ..rule() }]);
    let client = service.client().build().unwrap();
    let found: Vec<_> = client.channels("").take(10).collect();
    assert_eq!(found.len(), 2);
    assert_eq!(found[1].as_ref().unwrap_err().kind(), ErrorKind::BadReply);
    assert_eq!(service.calls(), 2);
}

#[test]
fn requests_have_the_headers_that_the_service_expects_and_no_others() {
    let server = Server::start(|_, _| Response::Bytes(reply("200 OK", "")));
    let client = server.client().user_agent("app/1.0").build().unwrap();
    client
        .put_channel_status("cam 1/".trim_end_matches('/'), osslive::ChannelState::Enabled)
        .unwrap();
    client.create_vod("c", "v", &osslive::VodTime::new(1, 2)).unwrap();
    client.delete_channel("c").unwrap();
    let [put, post, delete] = &server.seen()[..] else { panic!("{:?}", server.seen()) };
    assert_eq!(put.line, "PUT /live-demo/cam%201?live&status=enabled HTTP/1.1");
    assert_eq!(post.line, "POST /live-demo/c/v.m3u8?vod&startTime=1&endTime=2 HTTP/1.1");
    assert_eq!(delete.line, "DELETE /live-demo/c?live HTTP/1.1");
    for request in [put, post] {
        assert_eq!(request.header("content-length"), Some("0"), "{request:?}");
    }
    for request in [put, post, delete] {
        let agent = request.header("user-agent").unwrap();
        assert!(agent.starts_with("osslive/") && agent.ends_with(" app/1.0"), "{agent}");
        assert_eq!(request.header("host"), Some(server.address.to_string().as_str()));
        assert_eq!(request.header("transfer-encoding"), None);
        assert_eq!(request.header("expect"), None);
        assert_eq!(request.header("accept-encoding"), Some("identity"));
    }
}

#[test]
fn version_1_sends_a_date_and_needs_no_region() {
    let server = Server::start(|_, _| Response::Bytes(idle()));
    let client = osslive::Client::builder()
        .endpoint(format!("http://{}", server.address))
        .bucket("live-demo")
        .credentials(osslive::Credentials::new("id", "secret").with_security_token("token"))
        .signature_version(SignatureVersion::V1)
        .no_proxy()
        .build()
        .unwrap();
    client.get_channel_status("c").unwrap();
    let seen = &server.seen()[0];
    assert!(seen.header("date").unwrap().ends_with("GMT"));
    assert!(seen.header("authorization").unwrap().starts_with("OSS id:"));
    assert_eq!(seen.header("x-oss-security-token"), Some("token"));
}

#[test]
fn credentials_can_be_replaced_while_calls_run() {
    let server = Server::start(|_, _| Response::Bytes(idle()));
    let client = server.client().build().unwrap();
    client.get_channel_status("c").unwrap();
    let clone = client.clone();
    client.set_credentials(osslive::Credentials::new("id2", "secret2"));
    clone.get_channel_status("c").unwrap();
    let ids: Vec<_> = server
        .seen()
        .iter()
        .map(|seen| seen.header("authorization").unwrap().contains("Credential=id2/"))
        .collect();
    assert_eq!(ids, [false, true]);
}

#[test]
fn a_list_query_out_of_range_is_rejected_before_it_is_sent() {
    let server = Server::start(|_, _| Response::Bytes(idle()));
    let client = server.client().build().unwrap();
    let error = client.list_channels(&ListChannels::new().max_keys(1001)).unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::InvalidArgument, 0));
    assert_eq!(server.seen().len(), 0);
}

#[test]
fn the_correct_endpoint_in_an_error_is_reported() {
    let body = "<Error><Code>AccessDenied</Code><Message>The bucket you are attempting to access \
                must be addressed using the specified endpoint.</Message>\
                <Endpoint>oss-cn-beijing.aliyuncs.com</Endpoint></Error>";
    let rule = FaultRule { status: Some(403), body: Some(body.into()), ..rule() };
    let service = FaultyService::with([rule]);
    let error = service.client().build().unwrap().get_channel_status("c").unwrap_err();
    assert_eq!(error.endpoint(), Some("oss-cn-beijing.aliyuncs.com"));
    assert!(error.message().contains("oss-cn-beijing.aliyuncs.com"), "{error}");
    assert!(format!("{error:?}").contains("oss-cn-beijing.aliyuncs.com"), "{error:?}");
}

#[test]
fn a_silent_connection_leaves_time_for_another_attempt() {
    let service = FaultyService::with([]);
    let client = service.client().timeout(Duration::from_secs(3)).build().unwrap();
    client.get_channel_status("c").unwrap();
    service.add_fault(ending(Disconnect::Hang));
    let status = client.get_channel_status("c").unwrap();
    assert_eq!(status.res.attempts, 2);
}

#[test]
fn the_last_attempt_has_all_the_remaining_time() {
    let service = FaultyService::with([slow_headers()]);
    let client = service.client().timeout(Duration::from_millis(600)).attempts(1).build().unwrap();
    check_limit(|| client.get_channel_status("c").unwrap_err());
    assert_eq!(service.calls(), 1);
}

#[test]
fn a_sweep_also_leaves_time_for_another_attempt() {
    let service = FaultyService::with([ending(Disconnect::Hang)]);
    let client = service.client().timeout(Duration::from_secs(3)).build().unwrap();
    let sweep = client.monitor_channels(["c"], &osslive::SweepOptions::new());
    assert_eq!((sweep.idle.len(), sweep.failed.len()), (1, 0), "{:?}", sweep.failed);
}
