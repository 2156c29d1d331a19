//! Fault injection: whatever a peer does wrong, a client must return the correct result or
//! an informative error, within the time limit, with bounded memory, and without
//! affecting the next call.
//!
//! The results are in `docs/evidence/faults.md`. `make faults` writes it; an ordinary run
//! compares it, except for the two measured columns.

// For the counting allocator, and the signals that interrupt a call.
#![allow(unsafe_code)]

#[path = "support/fault.rs"]
mod fault;
#[path = "support/memory.rs"]
mod memory;
#[path = "support/rules.rs"]
mod rules;

use fault::{Asked, Fault, FaultServer, Step, Tls};
use osslive::{
    ChannelConfig, Client, ClientBuilder, Credentials, Error, ErrorKind, ListChannels, VodTime,
    code,
};
use osslive_local::{Config, FaultRule, LocalEndpoint};
use std::fmt::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

const MB: usize = 1 << 20;
const ID: &str = "6B02A4E6B92475920B0002F1";
const BUSY: &str = "<Error><Code>ServiceUnavailable</Code><Message>Please reduce your request \
                    rate.</Message></Error>";

/// The call to make.
#[derive(Clone, Copy, PartialEq)]
enum Call {
    Stat,
    Put,
    Delete,
    Vod,
    List,
}

impl Call {
    fn name(self) -> &'static str {
        match self {
            Call::Stat => "GET stat",
            Call::Put => "PUT channel",
            Call::Delete => "DELETE channel",
            Call::Vod => "POST playlist",
            Call::List => "GET list",
        }
    }

    /// Makes the call; returns the result in short and the number of attempts.
    fn make(self, client: &Client) -> Result<(String, u32), Error> {
        Ok(match self {
            Call::Stat => {
                let status = client.get_channel_status("c")?;
                (status.remote_addr.unwrap_or_default(), status.res.attempts)
            }
            Call::Put => {
                let mut urls = client.put_channel("c", &ChannelConfig::new("c"))?;
                (urls.publish_urls.remove(0), urls.res.attempts)
            }
            Call::Delete => (String::new(), client.delete_channel("c")?.res.attempts),
            Call::Vod => {
                (String::new(), client.create_vod("c", "v", &VodTime::new(1, 2))?.res.attempts)
            }
            Call::List => {
                let list = client.list_channels(&ListChannels::new())?;
                (list.channels.len().to_string(), list.res.attempts)
            }
        })
    }

    /// The expected result of a response by [`good`].
    fn right(self) -> &'static str {
        match self {
            Call::Stat => "203.0.113.7:50000",
            Call::Put => "rtmp://right/live/c",
            Call::Delete | Call::Vod => "",
            Call::List => "0",
        }
    }
}

/// Returns the right response to a request.
fn good(asked: &Asked) -> Vec<Step> {
    vec![Step::Send(match (asked.method(), asked.line.contains("comp=stat")) {
        ("CONNECT", _) => b"HTTP/1.1 200 OK\r\n\r\n".to_vec(),
        ("GET", true) => reply("200 OK", &stat("")),
        ("GET", false) => reply("200 OK", &list(0)),
        ("PUT", _) => reply(
            "200 OK",
            "<CreateLiveChannelResult><PublishUrls><Url>rtmp://right/live/c</Url></PublishUrls>\
             </CreateLiveChannelResult>",
        ),
        _ => reply("200 OK", ""),
    })]
}

fn reply(status: &str, body: &str) -> Vec<u8> {
    with_head(status, &format!("Content-Length: {}\r\n", body.len()), body)
}

fn with_head(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nx-oss-request-id: {ID}\r\n{headers}\r\n{body}").into_bytes()
}

/// Returns a status document with additional content.
fn stat(more: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><LiveChannelStat><Status>Live</Status>\
         <ConnectedTime>2026-11-22T08:16:38.000Z</ConnectedTime>\
         <RemoteAddr>203.0.113.7:50000</RemoteAddr>{more}</LiveChannelStat>"
    )
}

fn list(channels: usize) -> String {
    let mut body = String::from("<ListLiveChannelResult><IsTruncated>false</IsTruncated>\n");
    for number in 0..channels {
        let url = "rtmp://live-demo.oss-cn-hangzhou.aliyuncs.com/live";
        let play = "http://live-demo.oss-cn-hangzhou.aliyuncs.com";
        let _ = write!(
            body,
            "  <LiveChannel>\n    <Name>channel-{number:06}</Name>\n    \
             <Description>A channel of this bucket</Description>\n    \
             <Status>enabled</Status>\n    \
             <LastModified>2026-11-22T08:16:38.000Z</LastModified>\n    <PublishUrls>\n      \
             <Url>{url}/channel-{number:06}</Url>\n    </PublishUrls>\n    <PlayUrls>\n      \
             <Url>{play}/channel-{number:06}/playlist.m3u8</Url>\n    </PlayUrls>\n  \
             </LiveChannel>\n"
        );
    }
    body + "</ListLiveChannelResult>"
}

/// The expected outcome of a call.
#[derive(Clone)]
struct Expected {
    kind: Option<ErrorKind>,
    status: Option<u16>,
    code: Option<&'static str>,
    has_id: bool,
    tries: u32,
    says: &'static str,
}

fn right(tries: u32) -> Expected {
    Expected { kind: None, status: None, code: None, has_id: false, tries, says: "" }
}

fn wrong(kind: ErrorKind, tries: u32, says: &'static str) -> Expected {
    Expected { kind: Some(kind), tries, says, ..right(tries) }
}

impl Expected {
    /// Expects a status and, as in every response of the service, an id.
    fn status(mut self, status: u16) -> Self {
        (self.status, self.has_id) = (Some(status), true);
        self
    }

    /// Expects no id, because the response does not come from the service.
    fn without_id(self) -> Self {
        Expected { has_id: false, ..self }
    }

    fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }
}

/// The peer to which the client connects.
#[derive(Clone, Copy, PartialEq)]
enum Peer {
    Server,
    Tls(Tls),
    /// A server without TLS where TLS is expected.
    NotTls,
    Proxy,
    Refusing,
    /// Drops packets, as a firewall does.
    Silent,
    Name(&'static str),
}

struct Row {
    name: String,
    call: Call,
    fault: Fault,
    expected: Expected,
    peer: Peer,
    /// The number of requests to the server, if it differs from the tries.
    requests: Option<usize>,
    /// Whether a successful call comes first.
    is_warm: bool,
    is_interrupted: bool,
    limit: Duration,
    /// The memory limit of the call, in MB.
    most: usize,
}

fn row(
    name: impl Into<String>,
    call: Call,
    expected: Expected,
    fault: impl Fn(&Asked) -> Vec<Step> + Send + Sync + 'static,
) -> Row {
    Row {
        name: name.into(),
        call,
        fault: Arc::new(fault),
        expected,
        peer: Peer::Server,
        requests: None,
        is_warm: false,
        is_interrupted: false,
        limit: Duration::from_secs(30),
        most: 1,
    }
}

/// Creates a row that always has the same response.
fn always(name: &str, call: Call, expected: Expected, steps: Vec<Step>) -> Row {
    row(name, call, expected, move |_| steps.clone())
}

/// Creates a row whose status response has this body.
fn body(name: &str, expected: Expected, body: &str) -> Row {
    always(name, Call::Stat, expected, vec![Step::Send(reply("200 OK", body))])
}

impl Row {
    fn peer(mut self, peer: Peer) -> Self {
        self.peer = peer;
        self
    }

    fn requests(mut self, count: usize) -> Self {
        self.requests = Some(count);
        self
    }

    fn warm(mut self) -> Self {
        self.is_warm = true;
        self
    }

    /// Sets a timeout that the row will reach.
    fn slow(mut self) -> Self {
        self.limit = Duration::from_secs(3);
        self
    }

    fn memory(mut self, most: usize) -> Self {
        self.most = most;
        self
    }
}

fn rows() -> Vec<Row> {
    let mut rows = connections();
    rows.extend(statuses());
    rows.extend(lengths());
    rows.extend(slowness());
    rows.extend(sizes());
    rows.extend(documents());
    rows.extend(clocks());
    rows.extend(ways());
    rows
}

fn connections() -> Vec<Row> {
    use ErrorKind::Connection;
    use Step::{Close, Reset};
    let mut rows = Vec::new();
    let calls = [Call::Stat, Call::Put, Call::Delete, Call::Vod];
    for call in calls {
        let close = |asked: &Asked| [good(asked), vec![Close]].concat();
        rows.push(row("idle connection closed before the call", call, right(1), close).warm());
    }
    for (name, end) in [("closed", Close), ("reset", Reset)] {
        for call in calls {
            let end = end.clone();
            let fault = move |asked: &Asked| match asked.on_connection {
                2 => vec![end.clone()],
                _ => good(asked),
            };
            let name = format!("kept-alive connection {name} at its second request");
            rows.push(row(name, call, right(2), fault).warm());
        }
        for call in calls {
            let name = format!("{name} without a response, every time");
            let expected = wrong(Connection, 3, "");
            rows.push(always(&name, call, expected, vec![end.clone()]));
        }
    }
    rows.push(
        always("connection refused", Call::Stat, wrong(Connection, 3, "refused"), vec![])
            .peer(Peer::Refusing)
            .requests(0),
    );
    let mut poison = reply("200 OK", "");
    poison.extend(reply("200 OK", "<LiveChannelStat><Status>Idle</Status></LiveChannelStat>"));
    rows.push(always(
        "two responses to one request",
        Call::Delete,
        right(1),
        vec![Step::Send(poison)],
    ));
    rows.push(
        row("a response before the request, then closed", Call::Stat, right(1), |asked| {
            [good(asked), vec![Step::Send(reply("408 Request Timeout", "")), Close]].concat()
        })
        .warm(),
    );
    rows.push(row("signals interrupt every wait", Call::Stat, right(1), |asked| {
        let Step::Send(response) = good(asked).remove(0) else { unreachable!() };
        vec![Step::Slowly(1000, response)]
    }));
    rows.last_mut().unwrap().is_interrupted = true;
    rows
}

fn statuses() -> Vec<Row> {
    use ErrorKind::{BadReply, Service};
    let mut rows = Vec::new();
    for call in [Call::Stat, Call::Put, Call::Delete, Call::Vod] {
        rows.push(row("503 twice, then 200", call, right(3), |asked| match asked.number {
            1 | 2 => vec![Step::Send(reply("503 Service Unavailable", BUSY))],
            _ => good(asked),
        }));
    }
    let internal = "<Error><Code>InternalError</Code><Message>We are sorry.</Message></Error>";
    let send = |status: &str, body: &str| vec![Step::Send(reply(status, body))];
    let service = |status, tries, says| wrong(Service, tries, says).status(status);
    let page = "<html><head><title>502 Bad Gateway</title></head><body><hr>nginx</body></html>";
    rows.extend([
        always(
            "503 on every attempt",
            Call::Stat,
            service(503, 3, "reduce").code(code::SERVICE_UNAVAILABLE),
            send("503 Service Unavailable", BUSY),
        ),
        always(
            "500 on every attempt",
            Call::Put,
            service(500, 3, "sorry").code(code::INTERNAL_ERROR),
            send("500 Internal Server Error", internal),
        ),
        always(
            "502 with an HTML page",
            Call::Stat,
            service(502, 3, "nginx"),
            send("502 Bad Gateway", page),
        ),
        always(
            "502 with an HTML page",
            Call::Delete,
            service(502, 3, "nginx"),
            send("502 Bad Gateway", page),
        ),
        always(
            "an error without a body",
            Call::Stat,
            service(403, 1, "without a body"),
            send("403 Forbidden", ""),
        ),
        always(
            "an error without a body",
            Call::Put,
            service(500, 3, "without a body"),
            send("500 Oops", ""),
        ),
        always(
            "rejected before the request's body is read, then reset",
            Call::Put,
            service(403, 1, "no").code(code::ACCESS_DENIED),
            vec![
                Step::Send(reply(
                    "403 Forbidden",
                    "<Error><Code>AccessDenied</Code><Message>no</Message></Error>",
                )),
                Step::Close,
            ],
        ),
    ]);
    let bad = |says| wrong(BadReply, 1, says).status(200);
    for call in [Call::Stat, Call::Put, Call::Delete, Call::Vod] {
        rows.push(always(
            "200 with an HTML page",
            call,
            bad("html"),
            send("200 OK", "<html><body>Sign in<br></body></html>"),
        ));
    }
    for call in [Call::Stat, Call::Put, Call::List] {
        rows.push(always("200 with an empty body", call, bad("empty"), send("200 OK", "")));
    }
    for call in [Call::Stat, Call::Put, Call::Delete, Call::Vod, Call::List] {
        let error = "<Error><Code>NoSuchBucket</Code><Message>gone</Message></Error>";
        let expected = service(200, 1, "gone").code(code::NO_SUCH_BUCKET);
        rows.push(always("200 with an <Error> root", call, expected, send("200 OK", error)));
    }
    rows
}

fn lengths() -> Vec<Row> {
    use ErrorKind::{BadReply, Connection, Timeout};
    use Step::{Close, Send};
    let whole = stat("");
    let half = &whole[..whole.len() / 2];
    let length = |length: usize| format!("Content-Length: {length}\r\n");
    let chunks = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    let chunked = "Transfer-Encoding: chunked\r\n";
    let cut = |says| wrong(Connection, 3, says).status(200);
    let stat_of = |name: &str, expected, head: &str, body: &str, end: Vec<Step>| {
        let steps = [vec![Send(with_head("200 OK", head, body))], end].concat();
        always(name, Call::Stat, expected, steps)
    };
    vec![
        stat_of(
            "truncated body with a Content-Length",
            cut("before the response was complete"),
            &length(whole.len()),
            half,
            vec![Close],
        ),
        stat_of(
            "connection reset within a body with a Content-Length",
            cut("before the response was complete"),
            &length(whole.len()),
            half,
            vec![Step::Reset],
        ),
        stat_of(
            "truncated body without a length (Connection: close)",
            cut("truncated"),
            "Connection: close\r\n",
            half,
            vec![Close],
        ),
        stat_of(
            "complete body without a length (Connection: close)",
            right(1),
            "Connection: close\r\n",
            &whole,
            vec![Close],
        ),
        stat_of(
            "chunked body truncated between chunks",
            cut("before the response was complete"),
            chunked,
            &chunks(half),
            vec![Close],
        ),
        stat_of(
            "chunked body truncated in its last chunk",
            right(1),
            chunked,
            &format!("{}0\r\n", chunks(&whole)),
            vec![Close],
        ),
        stat_of(
            "complete XML, Content-Length too large, closed",
            cut("before the response was complete"),
            &length(whole.len() + 100),
            &whole,
            vec![Close],
        ),
        stat_of(
            "complete XML, Content-Length too large, silence",
            wrong(Timeout, 1, "timed out").status(200),
            &length(whole.len() + 100),
            &whole,
            vec![Step::Wait],
        )
        .slow(),
        stat_of(
            "more bytes than the Content-Length",
            right(1),
            &length(whole.len()),
            &format!("{whole}poison"),
            vec![],
        ),
        stat_of(
            "two different Content-Length headers",
            wrong(BadReply, 1, "invalid HTTP response"),
            &format!("{}{}", length(whole.len()), length(5)),
            &whole,
            vec![],
        ),
        stat_of(
            "a Content-Length that is not a number",
            wrong(BadReply, 1, "invalid HTTP response"),
            "Content-Length: many\r\n",
            &whole,
            vec![],
        ),
        stat_of(
            "a chunk size that is not a number",
            wrong(BadReply, 1, "invalid HTTP response").status(200),
            chunked,
            "xyz\r\n",
            vec![],
        ),
        stat_of(
            "a Content-Length of 10^18",
            wrong(BadReply, 1, "4 MB").status(200),
            "Content-Length: 1000000000000000000\r\n",
            &whole,
            vec![Step::Repeat(usize::MAX, vec![b' '; 65536])],
        )
        .memory(64),
    ]
}

fn slowness() -> Vec<Row> {
    use ErrorKind::Timeout;
    use Step::{Send, Slowly, Wait};
    let (late, response) = (wrong(Timeout, 3, "timed out"), reply("200 OK", &stat("")));
    let head = with_head("200 OK", "Content-Length: 1000\r\n", "");
    let slow = |name: &str, expected: &Expected, steps| {
        always(name, Call::Stat, expected.clone(), steps).slow()
    };
    // A response that has started has all the remaining time.
    let partial = wrong(Timeout, 1, "timed out").status(200);
    vec![
        slow("silence (blackhole)", &late, vec![Wait]),
        slow("headers at 1 B/s", &late, vec![Slowly(1, response.clone())]),
        slow("body at 1 B/s", &partial, vec![Send(head.clone()), Slowly(1, vec![b' '; 1000])]),
        slow("body at 4 B/s", &partial, vec![Send(head), Slowly(4, vec![b' '; 1000])]),
        slow(
            "endless 100 Continue",
            &wrong(ErrorKind::BadReply, 1, "headers"),
            vec![Step::Repeat(usize::MAX, b"HTTP/1.1 100 Continue\r\n\r\n".repeat(2000))],
        ),
        slow(
            "100 Continue, slowly",
            &late,
            vec![Slowly(50, b"HTTP/1.1 100 Continue\r\n\r\n".repeat(100))],
        ),
        slow("503, then silence", &late, vec![]).fault(|asked| match asked.number {
            1 => vec![Send(reply("503 Busy", BUSY))],
            _ => vec![Wait],
        }),
    ]
}

fn sizes() -> Vec<Row> {
    use ErrorKind::{BadReply, Service};
    use Step::{Repeat, Send};
    let too_long = || wrong(BadReply, 1, "4 MB").status(200);
    let head = |headers| Send(with_head("200 OK", headers, ""));
    let chunk = [b"10000\r\n".to_vec(), vec![b' '; 65536], b"\r\n".to_vec()].concat();
    let channels = list(8_000);
    let error =
        format!("<Error><Code>AccessDenied</Code><Message>{}</Message></Error>", "no ".repeat(MB));
    let text = "x".repeat(3 * MB);
    let denied = || wrong(Service, 1, "").status(403);
    let headers = |line: &str, times| {
        vec![
            Send(b"HTTP/1.1 200 OK\r\n".to_vec()),
            Repeat(times, line.as_bytes().to_vec()),
            Send(b"Content-Length: 0\r\n\r\n".to_vec()),
        ]
    };
    let long_header = format!("x-long: {}\r\n", "y".repeat(65536));
    let many_elements = "<a/>".repeat(1_048_000);
    vec![
        row("a list of 8,000 channels, 3.6 MB", Call::List, right(1), move |_| {
            vec![Send(reply("200 OK", &channels))]
        })
        .memory(96),
        row("an error of 3 MB", Call::Stat, denied().code(code::ACCESS_DENIED), move |_| {
            vec![Send(reply("403 Forbidden", &error))]
        })
        .memory(64),
        row("an error of 3 MB that is not XML", Call::Stat, denied(), move |_| {
            vec![Send(reply("403 Forbidden", &text))]
        })
        .memory(64),
        always(
            "endless chunked body",
            Call::Stat,
            too_long(),
            vec![head("Transfer-Encoding: chunked\r\n"), Repeat(usize::MAX, chunk)],
        )
        .memory(64),
        always(
            "endless body without a length",
            Call::Stat,
            too_long(),
            vec![head(""), Repeat(usize::MAX, vec![b' '; 65536])],
        )
        .memory(64),
        always(
            "endless chunk header",
            Call::Stat,
            wrong(BadReply, 1, "").status(200),
            vec![
                head("Transfer-Encoding: chunked\r\n"),
                Send(b"1;".to_vec()),
                Repeat(usize::MAX, vec![b'x'; 65536]),
            ],
        ),
        always(
            "endless trailer",
            Call::Stat,
            wrong(BadReply, 1, "").status(200),
            vec![
                head("Transfer-Encoding: chunked\r\n"),
                Send(b"0\r\n".to_vec()),
                Repeat(usize::MAX, long_header.as_bytes().to_vec()),
            ],
        ),
        always(
            "64 MB of headers",
            Call::Stat,
            wrong(BadReply, 1, "headers"),
            headers(&long_header, 1024),
        ),
        always(
            "a header of 64 MB",
            Call::Stat,
            wrong(BadReply, 1, "headers"),
            vec![Send(b"HTTP/1.1 200 OK\r\nx: ".to_vec()), Repeat(1024, vec![b'y'; 65536])],
        ),
        always("1,000 headers", Call::Stat, wrong(BadReply, 1, ""), headers("x-some: y\r\n", 1000)),
        always(
            "3 MB of equals signs",
            Call::Stat,
            wrong(BadReply, 1, "more than 200000 equals signs").status(200),
            vec![Step::Send(reply("200 OK", &stat(&format!("<x>{}</x>", "=".repeat(3 * MB)))))],
        )
        .memory(64),
        row("390 kB of empty elements", Call::Stat, right(1), {
            let elements = stat(&"<a/>".repeat(99_900));
            move |_| vec![Send(reply("200 OK", &elements))]
        })
        .memory(96),
        row(
            "4 MB of empty elements",
            Call::Stat,
            wrong(BadReply, 1, "more than 100000 elements").status(200),
            move |_| {
                vec![Send(reply(
                    "200 OK",
                    &format!("<LiveChannelStat>{many_elements}</LiveChannelStat>"),
                ))]
            },
        )
        .memory(64),
    ]
}

fn documents() -> Vec<Row> {
    let bad = |says| wrong(ErrorKind::BadReply, 1, says).status(200);
    let mut laughs = String::from("<!DOCTYPE LiveChannelStat [<!ENTITY l0 'ha'>");
    for level in 1..20 {
        let below = format!("&l{};", level - 1).repeat(10);
        let _ = write!(laughs, "<!ENTITY l{level} '{below}'>");
    }
    laughs.push_str("]><LiveChannelStat><Status>&l19;</Status></LiveChannelStat>");
    let deep = format!("{}{}", "<a>".repeat(200_000), "</a>".repeat(200_000));
    let video = |width: &str| stat(&format!("<Video><Width>{width}</Width></Video>"));
    let audio = |rate: &str| stat(&format!("<Audio><SampleRate>{rate}</SampleRate></Audio>"));
    let connected = |time: &str| stat(&format!("<ConnectedTime>{time}</ConnectedTime>"));
    let reordered = "<!-- - --><LiveChannelStat><Audio/><Unknown><Status>Idle</Status></Unknown>\
                     <RemoteAddr>203.0.113.7:<![CDATA[50000]]></RemoteAddr>\
                     <Status>&#76;ive</Status></LiveChannelStat>";
    let mut invalid = reply("200 OK", &stat("<x>??</x>"));
    for byte in invalid.iter_mut().filter(|byte| **byte == b'?').skip(2) {
        *byte = 0xff;
    }
    vec![
        body("billion laughs", bad("document type"), &laughs),
        body(
            "an external entity (XXE)",
            bad("document type"),
            "<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><LiveChannelStat><Status>&e;</Status></LiveChannelStat>",
        ),
        body(
            "a harmless DOCTYPE",
            bad("document type"),
            &format!("<!DOCTYPE LiveChannelStat>{}", &stat("")[21..]),
        ),
        body("200,000 nested unknown elements", bad("nested"), &stat(&deep)).memory(64),
        body("Width \"abc\"", right(1), &video("abc")),
        body("an empty Width", right(1), &video("")),
        body("Width -1", right(1), &video("-1")),
        body("SampleRate 10^20", right(1), &audio("100000000000000000000")),
        body("ConnectedTime \"yesterday\"", right(1), &connected("yesterday")),
        body("ConnectedTime with +0800", right(1), &connected("2026-11-22T16:16:38+0800")),
        body(
            "an unknown status",
            bad("Dreaming"),
            "<LiveChannelStat><Status>Dreaming</Status></LiveChannelStat>",
        ),
        body("no status", bad("Status"), "<LiveChannelStat/>"),
        always("invalid UTF-8", Call::Stat, bad("UTF-8"), vec![Step::Send(invalid)]),
        body("elements reordered and unknown, CDATA, references, comments", right(1), reordered),
        body("an unexpected document", bad("ListLiveChannelResult"), &list(1)),
    ]
}

const SKEWED: &str = "the service's clock is two hours ahead";
const UNCORRECTED: &str = "clock skew that remains after the correction";

fn clocks() -> Vec<Row> {
    let skewed = |server_time: &str| {
        let body = format!(
            "<Error><Code>RequestTimeTooSkewed</Code><Message>skewed</Message>{server_time}</Error>"
        );
        vec![Step::Send(reply("403 Forbidden", &body))]
    };
    let refused = |tries| {
        wrong(ErrorKind::Service, tries, "skewed").status(403).code(code::REQUEST_TIME_TOO_SKEWED)
    };
    let ahead = OffsetDateTime::now_utc() + time::Duration::hours(2);
    let server_time = format!("<ServerTime>{}</ServerTime>", ahead.format(&Rfc3339).unwrap());
    let hint = server_time.clone();
    let hour = |more| {
        let at = ahead + time::Duration::hours(more);
        let (month, day) = (u8::from(at.month()), at.day());
        format!("{:04}{month:02}{day:02}T{:02}", at.year(), at.hour())
    };
    let hours = [hour(0), hour(1)];
    vec![
        row(SKEWED, Call::Stat, right(2), move |asked| {
            let date = asked.header("x-oss-date");
            match hours.iter().any(|hour| date.starts_with(hour.as_str())) {
                true => good(asked),
                false => skewed(&hint),
            }
        }),
        row(UNCORRECTED, Call::Stat, refused(2), move |_| skewed(&server_time)),
        row("clock skew with an invalid ServerTime", Call::Stat, refused(1), move |_| {
            skewed("<ServerTime>noon</ServerTime>")
        }),
        row("clock skew without a ServerTime", Call::Stat, refused(1), move |_| skewed("")),
    ]
}

fn ways() -> Vec<Row> {
    use ErrorKind::{BadReply, Connection, Service, Timeout};
    let nothing = || vec![Step::Close];
    let redirect = "Location: http://127.0.0.1:1/elsewhere\r\nContent-Length: 0\r\n";
    let permanent = |says| wrong(Connection, 1, says);
    let tls = |name: &str, tls, expected| {
        let row = row(name, Call::Stat, expected, good).peer(Peer::Tls(tls));
        // Connecting is done by another thread, and reading by another library.
        row.memory(1)
    };
    let proxy = |name: &str, expected, steps: Vec<Step>| {
        always(name, Call::Stat, expected, steps).peer(Peer::Proxy)
    };
    let send = |text: &str| vec![Step::Send(text.as_bytes().to_vec())];
    vec![
        always(
            "307 to another host",
            Call::Stat,
            wrong(BadReply, 1, "redirect").status(307),
            vec![Step::Send(with_head("307 Go", redirect, ""))],
        ),
        always(
            "301 to another host",
            Call::Put,
            wrong(BadReply, 1, "redirect").status(301),
            vec![Step::Send(with_head("301 Go", redirect, ""))],
        ),
        always(
            "a greeting that is not HTTP",
            Call::Stat,
            wrong(BadReply, 1, "invalid HTTP response"),
            send("SSH-2.0-OpenSSH_9.6\r\n"),
        ),
        tls("TLS with a valid certificate", Tls::Good, right(1)),
        tls(
            "TLS with a certificate for another name",
            Tls::WrongName,
            permanent("other.example").code(code::UNTRUSTED_CERTIFICATE),
        )
        .requests(0),
        tls(
            "TLS with an expired certificate",
            Tls::Expired,
            permanent("xpired").code(code::UNTRUSTED_CERTIFICATE),
        )
        .requests(0),
        tls(
            "TLS with a certificate from an unknown authority",
            Tls::Unknown,
            permanent("UnknownIssuer").code(code::UNTRUSTED_CERTIFICATE),
        )
        .requests(0),
        always(
            "plain HTTP where TLS is expected",
            Call::Stat,
            permanent("TLS"),
            vec![Step::Send(reply("400 Bad Request", ""))],
        )
        .peer(Peer::NotTls),
        proxy(
            "a proxy that rejects the request",
            wrong(Service, 1, "through the proxy").status(403).without_id(),
            send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
        ),
        proxy(
            "a proxy that requires a password",
            permanent("407").code(code::PROXY_FAILED),
            send("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"),
        ),
        proxy(
            "a proxy that cannot reach the host",
            wrong(Service, 3, "through the proxy").status(502).without_id(),
            send("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"),
        ),
        proxy("a proxy that closes the connection", wrong(Connection, 3, "closed"), nothing()),
        proxy("a proxy that is silent", wrong(Timeout, 3, "timed out"), vec![Step::Wait]).slow(),
        always(
            "a host that drops packets",
            Call::Stat,
            wrong(Timeout, 3, "timed out connecting"),
            vec![],
        )
        .peer(Peer::Silent)
        .requests(0),
        always(
            "a host name that does not exist",
            Call::Stat,
            wrong(Connection, 3, "could not be resolved").code(code::UNKNOWN_HOST),
            vec![],
        )
        .peer(Peer::Name("osslive.invalid"))
        .requests(0),
    ]
}

impl Row {
    fn fault(mut self, fault: impl Fn(&Asked) -> Vec<Step> + Send + Sync + 'static) -> Self {
        self.fault = Arc::new(fault);
        self
    }
}

/// The observed outcome of a row.
struct Observed {
    outcome: Result<(String, u32), Error>,
    requests: usize,
    connections: usize,
    time: Duration,
    memory: usize,
    next: Option<Result<(String, u32), Error>>,
    address: SocketAddr,
    /// Whether the local endpoint was the peer.
    is_by_rules: bool,
}

/// A peer, and everything that must be kept alive for it.
struct Stage {
    server: Option<FaultServer>,
    address: SocketAddr,
    _held: Vec<TcpStream>,
    _listener: Option<TcpListener>,
}

fn stage(row: &Row) -> Stage {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let start =
        |listener, tls| Some(FaultServer::start(listener, tls, row.fault.clone(), Arc::new(good)));
    let mut stage = Stage { server: None, address, _held: Vec::new(), _listener: None };
    match row.peer {
        Peer::Server | Peer::Proxy | Peer::NotTls => stage.server = start(listener, None),
        Peer::Tls(tls) => stage.server = start(listener, Some(tls)),
        Peer::Refusing | Peer::Name(_) => drop(listener),
        Peer::Silent => {
            // When the queue is full, the system drops further connections.
            socket2::SockRef::from(&listener).listen(0).unwrap();
            for _ in 0..4 {
                let short = Duration::from_millis(100);
                stage._held.extend(TcpStream::connect_timeout(&address, short));
            }
            stage._listener = Some(listener);
        }
    }
    stage
}

fn client(row: &Row, address: SocketAddr) -> Client {
    let builder = Client::builder()
        .region("cn-hangzhou")
        .bucket("live-demo")
        .addressing_style(osslive::AddressingStyle::Path)
        .credentials(Credentials::new("id", "secret"))
        .timeout(row.limit);
    let at = |builder: ClientBuilder, url: String| builder.endpoint(url).no_proxy();
    match row.peer {
        Peer::Server | Peer::Refusing => at(builder, format!("http://{address}")),
        Peer::Silent => {
            at(builder, format!("http://{address}")).connect_timeout(Duration::from_millis(200))
        }
        Peer::Tls(_) => at(builder, format!("https://localhost:{}", address.port()))
            .root_certificates(fault::trusted_root()),
        Peer::NotTls => at(builder, format!("https://{address}")),
        Peer::Name(name) => at(builder, format!("http://{name}:{}", address.port())),
        Peer::Proxy => {
            builder.endpoint("http://oss.example").proxy(format!("http://user:hush@{address}"))
        }
    }
    .build()
    .unwrap()
}

fn observe(row: &Row) -> Observed {
    let mut stage = stage(row);
    let client = client(row, stage.address);
    let asked = |stage: &Stage| stage.server.as_ref().map_or(0, FaultServer::asked);
    if row.is_warm {
        row.call.make(&client).unwrap_or_else(|error| panic!("{}: {error}", row.name));
        stage.server.as_ref().unwrap().settle();
    }
    let before = asked(&stage);
    let started = Instant::now();
    let interruption = row.is_interrupted.then(signals::interrupt_this_thread);
    let (outcome, memory) = memory::peak(|| row.call.make(&client));
    drop(interruption);
    let (time, requests) = (started.elapsed(), asked(&stage) - before);
    match (&stage.server, row.peer) {
        (Some(server), _) => {
            server.settle();
            server.recover();
        }
        (None, Peer::Refusing) => {
            let listener = TcpListener::bind(stage.address).unwrap();
            let server = FaultServer::start(listener, None, Arc::new(good), Arc::new(good));
            stage.server = Some(server);
        }
        (None, _) => {}
    }
    let can_recover = stage.server.is_some() && row.peer != Peer::NotTls;
    let next = can_recover.then(|| {
        let with_more_time = client.with_timeout(Duration::from_secs(30));
        row.call.make(&with_more_time)
    });
    let connections = stage.server.as_ref().map_or(0, FaultServer::connections);
    let (address, is_by_rules) = (stage.address, false);
    Observed { outcome, requests, connections, time, memory, next, address, is_by_rules }
}

/// Returns the rules for a row, and the request line of its call.
fn rules_of(row: &Row) -> Option<(Vec<FaultRule>, String)> {
    if row.peer != Peer::Server || row.name == SKEWED {
        return None;
    }
    let line =
        format!("{} /live-demo/c?live&comp=stat HTTP/1.1", row.call.name().split(' ').next()?);
    let line = if row.call == Call::List { line.replace("&comp=stat", "") } else { line };
    let warm = usize::from(row.is_warm);
    let asked = (1..=row.expected.tries as usize + warm).map(|number| Asked {
        number,
        on_connection: number,
        line: line.clone(),
        headers: Vec::new(),
    });
    let rules = rules::of(&row.fault, &asked.collect::<Vec<_>>())?;
    Some((rules, line))
}

/// Observes a row with the local endpoint as the peer, using only rules. Returns `None`
/// if the fault is not the server's, or depends on the request.
fn observe_by_rules(row: &Row) -> Option<Observed> {
    let (rules, line) = rules_of(row)?;
    let endpoint = LocalEndpoint::start(Config::temporary().control()).unwrap();
    let control = endpoint.control().unwrap();
    for rule in rules {
        control.add(rule).unwrap_or_else(|error| panic!("{}: {error}", row.name));
    }
    let client = client(row, endpoint.address());
    let requests = || control.requests().0.iter().filter(|event| event.status.is_some()).count();
    if row.is_warm {
        row.call.make(&client).unwrap_or_else(|error| panic!("{}: {error}", row.name));
    }
    let before = requests();
    let started = Instant::now();
    let interruption = row.is_interrupted.then(signals::interrupt_this_thread);
    let (outcome, memory) = memory::peak(|| row.call.make(&client));
    drop(interruption);
    let (time, requests) = (started.elapsed(), requests() - before);
    control.clear_faults();
    let Step::Send(right) =
        good(&Asked { number: 1, on_connection: 1, line, headers: Vec::new() }).remove(0)
    else {
        unreachable!()
    };
    control.add(rules::right(&right)).unwrap();
    let next = Some(row.call.make(&client.with_timeout(Duration::from_secs(30))));
    let (address, connections) = (endpoint.address(), 0);
    Some(Observed {
        outcome,
        requests,
        connections,
        time,
        memory,
        next,
        address,
        is_by_rules: true,
    })
}

/// Describes how a row differs from what is expected.
fn faults_of(row: &Row, seen: &Observed) -> Vec<String> {
    let expected = &row.expected;
    // It is unknown when the local endpoint has closed an idle connection.
    let tries = expected.tries..=expected.tries + u32::from(seen.is_by_rules && row.is_warm);
    let mut faults = Vec::new();
    let mut check = |holds: bool, what: String| {
        if !holds {
            faults.push(format!("{} ({}): {what}", row.name, row.call.name()));
        }
    };
    match (&seen.outcome, expected.kind) {
        (Ok((what, sent)), None) => {
            let right = if row.name.contains("8,000") { "8000" } else { row.call.right() };
            check(what == right, format!("the result is {what:?}"));
            check(tries.contains(sent), format!("{sent} tries"));
        }
        (Err(error), Some(kind)) => {
            check(error.kind() == kind, format!("the kind is {:?}: {error:?}", error.kind()));
            check(error.status() == expected.status, format!("the status is {:?}", error.status()));
            check(error.code() == expected.code, format!("the code is {:?}", error.code()));
            let (id, has_id) = (error.request_id(), expected.has_id);
            // The local endpoint's responses have their own ids.
            let is_expected =
                id == has_id.then_some(ID) || seen.is_by_rules && id.is_some() == has_id;
            check(is_expected, format!("the id is {id:?}"));
            check(tries.contains(&error.attempts()), format!("{} tries", error.attempts()));
            let text = error.to_string();
            check(text.contains(expected.says), format!("the error reads {text:?}"));
            check(text.len() < 2000, format!("the error has {} bytes", text.len()));
            check(!format!("{error:?}").contains("hush"), "the error shows a password".into());
        }
        (outcome, _) => check(false, format!("the outcome is {outcome:?}")),
    }
    let is_expected = match row.requests {
        Some(requests) => seen.requests == requests,
        None => u32::try_from(seen.requests).is_ok_and(|requests| tries.contains(&requests)),
    };
    check(is_expected, format!("{} requests", seen.requests));
    // This only detects a hang; the time is in the table.
    let bound = row.limit + Duration::from_secs(20);
    check(seen.time < bound, format!("it took {:?}", seen.time));
    check(seen.memory <= row.most * MB, format!("it held {} bytes", seen.memory));
    if row.peer == Peer::Tls(Tls::Good) {
        check(seen.connections == 1, "the connection was not kept".into());
    }
    match &seen.next {
        Some(Ok((what, 1))) => {
            check(what == row.call.right(), format!("the next call returned {what:?}"))
        }
        // Raw responses of the local endpoint close their connection a moment later.
        Some(Ok((what, 2))) if seen.is_by_rules => {
            check(what == row.call.right(), format!("the next call returned {what:?}"));
        }
        Some(Ok((_, tries))) => check(false, format!("the next call took {tries} tries")),
        Some(Err(error)) => check(false, format!("the next call failed: {error}")),
        None => {}
    }
    faults
}

const HEAD: &str = "\
# Fault-injection results

How osslive behaves when a peer fails. `tests/faults.rs` injects each fault on loopback,
checks the outcome and writes this table (`make faults`); the ordinary test run fails if
the table is out of date. Only the last two columns vary between runs.

- *Tries* is the number of attempts, as reported by the error or the result; *requests* is
  the number of complete requests that the peer received.
- *Next call* is the same call on the same client after the peer has recovered: it must
  succeed on the first try, on a connection in a valid state.
- *Time* is shown with the timeout of the call. The default is 30 s.
- *Memory* is the peak memory of the call, as counted by its allocator. Responses are
  read up to 4 MB and up to 100,000 elements.

Defaults: three tries, with a backoff of up to 0.1 s and then up to 0.2 s; except on the
last try, a response must start within a third of the remaining time. TLS and proxy
rejections and invalid responses are not retried.

| Fault | Call | Outcome | Tries | Requests | Next call | Time / limit, s | Memory, MB |
| --- | --- | --- | ---: | ---: | --- | ---: | ---: |
";

fn line(row: &Row, seen: &Observed) -> String {
    let (outcome, tries) = match &seen.outcome {
        Ok((_, tries)) => ("the correct result".to_owned(), *tries),
        Err(error) => (in_words(error, seen.address), error.attempts()),
    };
    let next = match &seen.next {
        Some(Ok(_)) => "right",
        Some(Err(_)) => "wrong",
        None => "–",
    };
    let name = row.name.replace('<', "\\<");
    format!(
        "| {name} | {} | {outcome} | {tries} | {} | {next} | {:.2} / {} | {:.2} |\n",
        row.call.name(),
        seen.requests,
        seen.time.as_secs_f64(),
        row.limit.as_secs(),
        seen.memory as f64 / MB as f64,
    )
}

/// Describes an error without the parts that vary between runs.
fn in_words(error: &Error, address: SocketAddr) -> String {
    let mut words = format!("`{:?}`", error.kind());
    if let Some(code) = error.code() {
        let _ = write!(words, " `{code}`");
    }
    if let Some(status) = error.status() {
        let id = if error.request_id().is_some() { "with" } else { "without" };
        let _ = write!(words, ", HTTP {status}, {id} request id");
    }
    let text = error.message().replace(&address.port().to_string(), "PORT");
    // The time of day, or the message of the system's resolver, follows.
    let cut = ["certificate expired", "could not be resolved osslive.invalid:PORT"];
    let cut = cut.iter().find_map(|end| Some(text.find(end)? + end.len()));
    let most = text.char_indices().nth(120).map(|(at, _)| at);
    let shown = match cut.or(most) {
        Some(end) => format!("{}…", &text[..end]),
        None => text,
    };
    format!("{words}: ``{}``", shown.replace('|', "\\|"))
}

/// Returns the table without its measured columns.
fn steady(table: &str) -> String {
    let steady = |line: &str| match line.starts_with('|') {
        true => line.rsplitn(4, " | ").last().unwrap_or_default().to_owned(),
        false => line.to_owned(),
    };
    table.lines().map(|line| steady(line) + "\n").collect()
}

#[test]
fn every_fault_has_the_outcome_in_the_table() {
    // Each row has its own threads, so that its memory is counted separately.
    let rows = rows();
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(row) = rows.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let seen = observe(row);
                    let index = rows.iter().position(|other| std::ptr::eq(other, row)).unwrap();
                    results.lock().unwrap().push((index, faults_of(row, &seen), line(row, &seen)));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap();
    results.sort_by_key(|(index, ..)| *index);
    let table: String = results.iter().map(|(.., line)| line.as_str()).collect();
    let table = format!("{HEAD}{table}");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/evidence/faults.md");
    if std::env::var_os("OSSLIVE_WRITE_FAULTS").is_some() {
        std::fs::write(path, &table).unwrap();
    }
    let faults: Vec<_> = results.into_iter().flat_map(|(_, faults, _)| faults).collect();
    assert!(
        faults.is_empty(),
        "{}\n{} of the rows are not as expected",
        faults.join("\n"),
        faults.len()
    );
    let written = std::fs::read_to_string(path).unwrap_or_default();
    // Some messages are the system's own.
    if cfg!(target_os = "linux") {
        assert_eq!(
            steady(&written),
            steady(&table),
            "docs/evidence/faults.md is out of date: run `make faults`"
        );
    }
}

/// Users of osslive can inject all of these faults into their own software.
#[test]
fn every_server_fault_can_be_injected_by_the_local_endpoint() {
    let rows = rows();
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(row) = rows.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let faults = observe_by_rules(row).map(|seen| faults_of(row, &seen));
                    results.lock().unwrap().push((&row.name, row.peer, faults));
                }
            });
        }
    });
    let results = results.into_inner().unwrap();
    let faults: Vec<_> =
        results.iter().filter_map(|(.., faults)| faults.as_ref()).flatten().collect();
    assert!(faults.is_empty(), "{faults:#?}");
    let omitted =
        |(_, peer, faults): &&(_, Peer, Option<_>)| *peer == Peer::Server && faults.is_none();
    let omitted: Vec<_> = results.iter().filter(omitted).map(|(name, ..)| name.as_str()).collect();
    assert_eq!(omitted, [SKEWED]);

    // That fault needs no rule, only the clock.
    let endpoint = LocalEndpoint::start(Config::temporary().control()).unwrap();
    let client = endpoint.client_builder().build().unwrap();
    client.put_channel("c", &ChannelConfig::new("c")).unwrap();
    endpoint.control().unwrap().advance_clock(time::Duration::hours(2));
    assert_eq!(client.get_channel_status("c").unwrap().res.attempts, 2);
}

/// The rows for the tests of other SDKs, in `tests/data/fault-rules.json`: those of one
/// call, except endless responses, which fill the memory of a client without limits, and
/// one that contains the time of day.
#[test]
fn the_rules_for_other_sdks_match_the_table() {
    let is_tried = |row: &&Row| row.call == Call::Stat && row.name != UNCORRECTED;
    let rows = rows();
    let rules = rows.iter().filter(is_tried).filter_map(|row| {
        let (rules, _) = rules_of(row)?;
        let length =
            |rule: &FaultRule| rule.raw.as_ref().or(rule.body.as_ref()).map_or(0, String::len);
        let is_small = rules.iter().all(|rule| rule.endless.is_none() && length(rule) < 16 << 10);
        is_small.then(|| serde_json::json!({ "name": row.name, "rules": rules }))
    });
    let lines: Vec<_> = rules.map(|row| row.to_string()).collect();
    let text = format!("[\n{}\n]\n", lines.join(",\n"));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/fault-rules.json");
    if std::env::var_os("OSSLIVE_WRITE_FAULTS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == text, "tests/data/fault-rules.json is out of date: run `make faults`");
}

#[cfg(unix)]
mod signals {
    use super::*;
    use std::mem::MaybeUninit;
    use std::sync::atomic::AtomicBool;

    extern "C" fn ignore(_: libc::c_int) {}

    /// Sends this thread a signal every millisecond until it is dropped. The handler is
    /// installed without restart, so that system calls fail with EINTR.
    pub fn interrupt_this_thread() -> impl Drop {
        // SAFETY: the handler does nothing, and the structure is filled in as
        // sigaction(2) says.
        unsafe {
            let mut action = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
            action.sa_sigaction = ignore as *const () as usize;
            libc::sigemptyset(&mut action.sa_mask);
            assert_eq!(libc::sigaction(libc::SIGUSR1, &action, std::ptr::null_mut()), 0);
        }
        let stopped = Arc::new(AtomicBool::new(false));
        // SAFETY: the function has no preconditions.
        let (ended, thread) = (stopped.clone(), unsafe { libc::pthread_self() });
        let sender = thread::spawn(move || {
            while !ended.load(Ordering::SeqCst) {
                // SAFETY: the thread waits for this one to end.
                unsafe { libc::pthread_kill(thread, libc::SIGUSR1) };
                thread::sleep(Duration::from_millis(1));
            }
        });
        Interruption(stopped, Some(sender))
    }

    struct Interruption(Arc<AtomicBool>, Option<thread::JoinHandle<()>>);

    impl Drop for Interruption {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
            self.1.take().unwrap().join().unwrap();
        }
    }
}

#[cfg(not(unix))]
mod signals {
    /// This system has no signals.
    pub fn interrupt_this_thread() {}
}
