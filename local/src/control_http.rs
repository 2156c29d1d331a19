//! Control over HTTP, below `/_osslive/control/`, and the health check.
//!
//! Control must be enabled in the configuration. It is limited to requests from
//! this machine, to a loopback address, without a proxy, and with a header that
//! no web page can send to another origin.

use crate::control::{Control, FaultRule};
use crate::guard::{self, Token};
use crate::http::{Body, Query, Request, Response};
use crate::site::Site;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;
use time::{Duration, OffsetDateTime};

const HEALTH: &str = "/_osslive/health";
const ROOT: &str = "/_osslive/control";
/// The header that every request must have, with the value 1.
const HEADER: &str = "x-osslive-control";
/// The header with the token.
const TOKEN: &str = "x-osslive-token";
/// The maximum body size: a rule may contain a response of 8 MiB, escaped.
const MAX_BODY: usize = 16 << 20;
/// The furthest that the clock can be moved at once, in seconds: a hundred years.
const MAX_ADVANCE: f64 = 3.2e9;

/// Handles control requests.
#[derive(Debug)]
pub struct ControlApi {
    site: Arc<Site>,
    /// The token that requests must present, if any.
    token: Option<Token>,
    started: Instant,
}

/// Why a request was refused: status and message.
struct Refusal(u16, String);

type Outcome = Result<Response, Refusal>;

impl ControlApi {
    /// Returns the control API of a site.
    pub fn new(site: Arc<Site>, token: Option<Token>) -> Self {
        ControlApi { site, token, started: Instant::now() }
    }

    /// Returns the control over the site, if it is enabled.
    pub fn control(&self) -> Option<&Control> {
        self.site.control.as_ref()
    }

    /// Returns whether a request belongs to this API.
    pub fn takes(&self, request: &Request) -> bool {
        let is_below = request
            .path
            .strip_prefix(ROOT)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        request.path == HEALTH || is_below
    }

    /// Returns the maximum body size, or `None` if the request is handled without its
    /// body, so that sending a body that is too long does not reveal whether control
    /// is enabled.
    pub fn body_limit(&self, request: &Request) -> Option<usize> {
        (request.path != HEALTH && self.admit(request).is_ok()).then_some(MAX_BODY)
    }

    /// Handles a request, if it belongs to this API.
    pub fn respond(&self, request: &Request) -> Option<Response> {
        if !self.takes(request) {
            return None;
        }
        let outcome = if request.path == HEALTH {
            self.health(request)
        } else {
            self.admit(request).and_then(|control| self.handle(request, control))
        };
        Some(complete(request, outcome))
    }

    fn health(&self, request: &Request) -> Outcome {
        only(request, &["GET", "HEAD"])?;
        ok(&json!({
            "status": "ok",
            "version": env!("CARGO_PKG_VERSION"),
            "uptimeSeconds": self.started.elapsed().as_secs(),
        }))
    }

    /// Returns the control, if the client may use it.
    fn admit(&self, request: &Request) -> Result<&Control, Refusal> {
        let none = || Refusal(404, "Not found.".to_owned());
        let control = self.site.control.as_ref().ok_or_else(none)?;
        let refuse = |text: &str| Err(Refusal(403, text.to_owned()));
        if guard::refuses(request, false).is_some() {
            return refuse(
                "Control is available only to programs on the machine that runs the endpoint, at a \
                loopback address: not to web pages, other machines or proxies.",
            );
        }
        if request.header(HEADER) != Some("1") {
            return refuse("The header x-osslive-control: 1 is missing.");
        }
        let has_token = |token: &Token| request.header(TOKEN).is_some_and(|given| token.is(given));
        if !self.token.as_ref().is_none_or(has_token) {
            return refuse(
                "The header x-osslive-token does not contain the endpoint's control token.",
            );
        }
        Ok(control)
    }

    fn handle(&self, request: &Request, control: &Control) -> Outcome {
        let path = request.path.strip_prefix(ROOT).unwrap_or_default();
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        match (parts.as_slice(), &*request.method) {
            (["faults"], "GET") => ok(&json!({ "faults": control.faults() })),
            (["faults"], "POST") => {
                let fault = control.add(read::<FaultRule>(request)?);
                let fault = fault.map_err(|error| Refusal(400, error.to_string()))?;
                ok(&fault).map(|response| Response { status: 201, ..response })
            }
            (["faults"], "DELETE") => done(|| control.clear_faults()),
            (["faults", id], "DELETE") => remove(control, id),
            (["clock"], "GET") => ok(&control.clock()),
            (["clock"], "PUT") => {
                let one =
                    "must be an object with one of set, advanceSeconds, rate, freeze or reset";
                let change = read::<ClockChange>(request);
                change
                    .map_err(|Refusal(status, text)| Refusal(status, format!("{text}: {one}")))?
                    .make(control)?;
                ok(&control.clock())
            }
            (["requests"], "GET") => requests(request, control),
            (["requests"], "DELETE") => done(|| control.clear_requests()),
            (["reset"], "POST") => {
                self.site.reset().map_err(|fault| Refusal(500, fault.to_string()))?;
                Ok(Response::empty(204))
            }
            (["faults"], _) => only(request, &["GET", "POST", "DELETE"]),
            (["faults", _], _) => only(request, &["DELETE"]),
            (["clock"], _) => only(request, &["GET", "PUT"]),
            (["requests"], _) => only(request, &["GET", "DELETE"]),
            (["reset"], _) => only(request, &["POST"]),
            _ => Err(Refusal(
                404,
                format!("{path:?}: must be faults, faults/ID, clock, requests or reset"),
            )),
        }
    }
}

fn remove(control: &Control, id: &str) -> Outcome {
    let number = id.parse().map_err(|_| Refusal(400, format!("fault {id:?}: must be a number")))?;
    match control.remove(number) {
        true => Ok(Response::empty(204)),
        false => Err(Refusal(404, format!("no fault rule {number}"))),
    }
}

/// A change of the clock. In JSON, an object with one of these as its only field.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
enum ClockChange {
    #[serde(with = "time::serde::rfc3339")]
    Set(OffsetDateTime),
    AdvanceSeconds(f64),
    Rate(f64),
    Freeze(bool),
    Reset(bool),
}

impl ClockChange {
    fn make(self, control: &Control) -> Result<(), Refusal> {
        let changed = match self {
            ClockChange::Set(time) => {
                control.set_clock(time);
                Ok(())
            }
            ClockChange::AdvanceSeconds(seconds) if seconds.abs() <= MAX_ADVANCE => {
                control.advance_clock(Duration::saturating_seconds_f64(seconds));
                Ok(())
            }
            ClockChange::AdvanceSeconds(seconds) => {
                Err(format!("advanceSeconds {seconds}: must be within a hundred years"))
            }
            ClockChange::Rate(rate) => control.set_clock_rate(rate),
            ClockChange::Freeze(freeze) => control.set_clock_rate(if freeze { 0.0 } else { 1.0 }),
            ClockChange::Reset(true) => {
                control.reset_clock();
                Ok(())
            }
            ClockChange::Reset(false) => Err("reset false: must be true".to_owned()),
        };
        changed.map_err(|text| Refusal(400, text))
    }
}

/// Returns the events in the journal that match the parameters.
fn requests(request: &Request, control: &Control) -> Outcome {
    let query =
        Query::parse(&request.query).map_err(|_| Refusal(400, "malformed query".to_owned()))?;
    let known = ["operation", "key", "kind", "status"];
    if let Some((name, _)) = query.parts().iter().find(|(name, _)| !known.contains(name)) {
        return Err(Refusal(400, format!("parameter {name:?}: must be one of {known:?}")));
    }
    let (events, dropped) = control.requests();
    let fits = |name: &str, has: Option<&str>| query.value(name).is_none_or(|v| has == Some(v));
    let events: Vec<_> = events
        .into_iter()
        .filter(|event| {
            let status = event.status.map(|status| status.to_string());
            fits("operation", event.operation.as_deref())
                && fits("key", event.key.as_deref())
                && fits("kind", Some(event.kind.as_str()))
                && fits("status", status.as_deref())
        })
        .collect();
    ok(&json!({ "requests": events, "dropped": dropped }))
}

/// Refuses all other methods; the value returned for these is never used.
fn only(request: &Request, methods: &[&str]) -> Outcome {
    if methods.contains(&&*request.method) {
        return Ok(Response::empty(204));
    }
    Err(Refusal(405, format!("{}: must be {}", request.method, methods.join(", "))))
}

fn done(change: impl FnOnce()) -> Outcome {
    change();
    Ok(Response::empty(204))
}

fn ok(value: &impl Serialize) -> Outcome {
    let text = serde_json::to_string(value).map_err(|error| Refusal(500, error.to_string()))?;
    Ok(Response::text(200, "application/json", text))
}

fn read<'a, T: Deserialize<'a>>(request: &'a Request) -> Result<T, Refusal> {
    serde_json::from_slice(&request.body).map_err(|error| Refusal(400, error.to_string()))
}

/// Adds the headers of every response; pages of other origins may read none.
fn complete(request: &Request, outcome: Outcome) -> Response {
    let mut response = outcome.unwrap_or_else(|Refusal(status, text)| {
        let body: Value = json!({ "error": text });
        Response::text(status, "application/json", body.to_string())
    });
    let length = response.body.length();
    if response.status != 204 {
        response = response.with("Content-Length", length.to_string());
    }
    if request.method == "HEAD" {
        response.body = Body::Empty;
    }
    response
        .with("Cache-Control", "no-store")
        .with("X-Content-Type-Options", "nosniff")
        .with("Cross-Origin-Resource-Policy", "same-origin")
}
