//! The path to the service: name, port, certificate, proxy, and whether OSS itself
//! responds.

use super::report::{CheckId, Findings};
use super::words;
use crate::error::{Error, ErrorKind, code};
use time::OffsetDateTime;

/// The service rejects requests signed with a larger clock skew.
const MAX_SKEW: time::Duration = time::Duration::minutes(15);

/// The result of an unsigned request.
pub(super) struct Observation {
    pub(super) status: u16,
    /// The header `server`.
    pub(super) server: Option<String>,
    /// Whether the response has a request id or an error code of the service.
    pub(super) is_service: bool,
    /// The service's time, from the header `date`.
    pub(super) date: Option<OffsetDateTime>,
}

/// The path of the request.
pub(super) struct Route<'a> {
    pub(super) host: &'a str,
    pub(super) proxy: Option<&'a str>,
    pub(super) is_secure: bool,
    /// The time of this machine.
    pub(super) now: OffsetDateTime,
}

/// Returns whether the service can be reached.
pub(super) fn judge(
    seen: &Result<Observation, Error>,
    route: &Route<'_>,
    findings: &mut Findings<'_>,
) -> bool {
    match seen {
        Err(error) => {
            judge_failure(error, route, findings);
            false
        }
        Ok(seen) => {
            judge_route(route, findings);
            judge_service(seen, route, findings);
            judge_clock(seen, route, findings);
            seen.is_service
        }
    }
}

fn judge_failure(error: &Error, route: &Route<'_>, findings: &mut Findings<'_>) {
    let seen = words::brief(error.message());
    match error.code() {
        Some(code::PROXY_FAILED) => findings.problem(
            CheckId::Proxy,
            seen,
            "check the proxy's address and password, or connect without a proxy",
        ),
        Some(code::UNKNOWN_HOST) => findings.problem(
            CheckId::HostName,
            seen,
            "check the spelling of region, bucket and endpoint, and the name resolution of this \
             machine",
        ),
        Some(code::UNTRUSTED_CERTIFICATE) => {
            findings.ok(CheckId::HostName, format!("{} resolves", route.host));
            findings.ok(CheckId::HttpPort, "connections are accepted");
            findings.problem(
                CheckId::Tls,
                seen,
                "for a private certificate authority, set its root certificates; otherwise find \
                 out what intercepts the connection",
            );
        }
        _ if matches!(error.kind(), ErrorKind::Connection | ErrorKind::Timeout) => {
            let advice =
                "check the endpoint and the network; allow outgoing TCP connections to the port";
            findings.problem(CheckId::HttpPort, seen, advice);
        }
        _ => findings.problem(CheckId::Service, seen, "find out what responds at this endpoint"),
    }
}

fn judge_route(route: &Route<'_>, findings: &mut Findings<'_>) {
    match route.proxy {
        Some(proxy) => {
            findings.ok(CheckId::Proxy, format!("requests go through {proxy}"));
            findings.skip(CheckId::HostName, "the proxy resolves it");
        }
        None => {
            findings.ok(CheckId::Proxy, "none");
            findings.ok(CheckId::HostName, format!("{} resolves", route.host));
        }
    }
    findings.ok(CheckId::HttpPort, "connections are accepted");
    match route.is_secure {
        true => findings.ok(CheckId::Tls, "the certificate is trusted"),
        false => findings.skip(CheckId::Tls, "the endpoint uses http://"),
    }
}

fn judge_service(seen: &Observation, route: &Route<'_>, findings: &mut Findings<'_>) {
    if seen.is_service {
        return findings.ok(CheckId::Service, format!("OSS responds at {}", route.host));
    }
    let server = seen.server.as_deref().map(words::brief).unwrap_or_default();
    let by = if server.is_empty() { String::new() } else { format!(" from {server:?}") };
    findings.problem(
        CheckId::Service,
        format!("the response is not from OSS: HTTP {}{by}", seen.status),
        "check the endpoint; a proxy, a firewall or a captive portal may be responding in \
         its place",
    );
}

fn judge_clock(seen: &Observation, route: &Route<'_>, findings: &mut Findings<'_>) {
    let id = CheckId::Clock;
    let Some(date) = seen.date.filter(|_| seen.is_service) else {
        return findings.skip(id, "the response has no date");
    };
    let ahead = route.now - date;
    let direction = if ahead.is_negative() { "behind" } else { "ahead of" };
    let seen = match ahead.whole_seconds() {
        // The date is in whole seconds, and the response took some time.
        -2..=2 => "agrees with the service's clock".to_owned(),
        _ => format!("{} {direction} the service's clock", words::length(ahead)),
    };
    if ahead.abs() > MAX_SKEW {
        let advice = "correct this machine's clock (timedatectl set-ntp true): URLs signed here \
                      expire at the wrong time, and requests from other programs are rejected";
        findings.problem(id, seen, advice);
    } else {
        findings.ok(id, seen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::report::{self, Diagnosis, Verdict};
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-26 12:00 UTC);

    fn judged(seen: Result<Observation, Error>) -> Diagnosis {
        let route = Route { host: "b.oss", proxy: None, is_secure: true, now: NOW };
        report::judged(|findings| {
            judge(&seen, &route, findings);
        })
    }

    fn oss(date: OffsetDateTime) -> Result<Observation, Error> {
        Ok(Observation { status: 403, server: None, is_service: true, date: Some(date) })
    }

    fn problems(diagnosis: &Diagnosis) -> Vec<CheckId> {
        let problems = diagnosis.checks.iter().filter(|check| check.verdict == Verdict::Problem);
        problems.map(|check| check.id).collect()
    }

    #[test]
    fn a_clock_within_the_allowed_skew_is_fine() {
        for off in [time::Duration::ZERO, time::Duration::minutes(15), -time::Duration::minutes(15)]
        {
            assert_eq!(problems(&judged(oss(NOW + off))), []);
        }
    }

    #[test]
    fn each_failure_has_its_own_check() {
        let failed = |kind, code: &str| Err(Error::new(kind, "why").with_code(code));
        for (seen, id) in [
            (failed(ErrorKind::Connection, code::PROXY_FAILED), CheckId::Proxy),
            (failed(ErrorKind::Connection, code::UNKNOWN_HOST), CheckId::HostName),
            (failed(ErrorKind::Connection, code::UNTRUSTED_CERTIFICATE), CheckId::Tls),
            (Err(Error::new(ErrorKind::Connection, "refused")), CheckId::HttpPort),
            (Err(Error::new(ErrorKind::Timeout, "late")), CheckId::HttpPort),
            (Err(Error::new(ErrorKind::BadReply, "odd")), CheckId::Service),
            (
                Ok(Observation { status: 302, server: None, is_service: false, date: None }),
                CheckId::Service,
            ),
            (oss(NOW - time::Duration::minutes(16)), CheckId::Clock),
            (oss(NOW + time::Duration::days(1)), CheckId::Clock),
        ] {
            assert_eq!(problems(&judged(seen)), [id]);
        }
    }
}
