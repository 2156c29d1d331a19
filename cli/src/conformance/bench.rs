//! The bucket under observation: sends requests, signs publish URLs, and knows what
//! can be observed here.

use super::mask::Mask;
use super::observation::Need;
use super::reply::Reply;
use super::request_spec::{MINIMAL, RequestSpec, Scheme, put};
use super::signing::Signatory;
use crate::connection::Connection;
use crate::failure::{Exit, Failure, Outcome};
use crate::output::say;
use osslive::endpoint::Endpoint;
use osslive::request::percent_encode_path;
use osslive::{AddressingStyle, Client, Credentials, SignatureVersion, StopHandle, code};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use ureq::http;

/// The prefix of all names of all runs.
pub(super) const COMMON_PREFIX: &str = "osslive-conformance-";
/// The timeout of a response. A slower one counts as none.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);
/// How long a throttled request is retried.
const THROTTLED_LIMIT: Duration = Duration::from_secs(30);
const TIMED_OUT: &str = "timed out";
/// The maximum size of a body.
const MAX_BODY: u64 = 4 << 20;

/// Why there is nothing to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Miss {
    /// The user interrupted the run.
    Stopped,
    /// The service throttled requests.
    Throttled,
    /// No response arrived.
    Silent(String),
    /// A step that the observation depends on failed.
    Setup(String),
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Miss::Stopped => f.write_str("interrupted"),
            Miss::Throttled => f.write_str("the service throttled requests"),
            Miss::Silent(why) => write!(f, "no response: {why}"),
            Miss::Setup(why) => f.write_str(why),
        }
    }
}

/// The bucket, and the credentials for signing requests.
pub(super) struct Bench {
    agent: ureq::Agent,
    client: Client,
    credentials: Credentials,
    version: SignatureVersion,
    /// The prefix of this run's names.
    pub(super) prefix: String,
    pub(super) mask: Mask,
    /// How far the service's clock is ahead, in seconds.
    skew: i64,
    pub(super) stop: StopHandle,
    verbose: bool,
    requests: AtomicU64,
    needs: Vec<Need>,
    /// Whether requests are sent even after an interruption by the user.
    is_cleaning: AtomicBool,
}

impl Bench {
    /// Connects, and determines what can be observed. Creates nothing.
    pub(super) fn open(
        connection: &Connection,
        publish: bool,
        verbose: bool,
        stop: &StopHandle,
    ) -> Outcome<Self> {
        let client = connection.client(verbose)?;
        let credentials = client.signer()?.credentials().clone();
        let prefix = format!("{COMMON_PREFIX}{}-", random_text()?);
        let mask = mask(&client, &credentials, &prefix);
        let agent = connection.agent(TIMEOUT)?;
        let version = connection.signature();
        let mut bench = Bench {
            agent,
            client,
            credentials,
            version,
            prefix,
            mask,
            skew: 0,
            stop: stop.clone(),
            verbose,
            requests: AtomicU64::new(0),
            needs: Vec::new(),
            is_cleaning: AtomicBool::new(false),
        };
        bench.set_clock()?;
        bench.survey(publish)?;
        Ok(bench)
    }

    /// Uses the service's time, because a wrong clock here would invalidate every
    /// signature.
    fn set_clock(&mut self) -> Outcome {
        let spec =
            RequestSpec::get("").live().param("prefix", &self.prefix).scheme(Scheme::Anonymous);
        let reply = self.send("clock", &spec).map_err(|miss| self.failure(miss))?;
        let Some(date) = reply.header("date") else { return Ok(()) };
        if let Ok(date) = OffsetDateTime::parse(date, &Rfc2822) {
            self.skew = (date - OffsetDateTime::now_utc()).whole_seconds();
        }
        Ok(())
    }

    /// Determines the properties of the bucket and the account.
    fn survey(&mut self, publish: bool) -> Outcome {
        let send =
            |spec: RequestSpec| self.send("survey", &spec).map_err(|miss| self.failure(miss));
        // The listing finds nothing: the contents of the bucket are private.
        let nothing = RequestSpec::get("").live().param("prefix", &self.prefix);
        let list = send(nothing.clone())?;
        if !list.is_success() {
            return Err(refused("list channels", &list));
        }
        let acl = send(RequestSpec::get("").flag("acl"))?;
        let cors = send(RequestSpec::get("").flag("cors"))?;
        let key = format!("{}survey", self.prefix);
        let object = send(RequestSpec::get(&key))?;
        let list = |scheme| send(nothing.clone().scheme(scheme));
        let (v1, v4) = (list(Scheme::HeaderV1)?, list(Scheme::HeaderV4)?);
        let needs = [
            (Need::Stream, publish),
            (Need::Token, self.credentials.security_token().is_some()),
            (Need::Private, acl.text("AccessControlList/Grant").as_deref() == Some("private")),
            (Need::NoCors, cors.text("Code").as_deref() == Some("NoSuchCORSConfiguration")),
            (Need::Version1, v1.is_success()),
            (Need::Version4, v4.is_success()),
            (Need::NamedBucket, self.client.endpoint().style() != AddressingStyle::Cname),
            (Need::Data, object.text("Code").as_deref() != Some("PublicEndpointForbidden")),
        ];
        self.needs = needs.into_iter().filter_map(|(need, holds)| holds.then_some(need)).collect();
        Ok(())
    }

    /// Returns whether a requirement is met here.
    pub(super) fn has(&self, need: Need) -> bool {
        self.needs.contains(&need)
    }

    pub(super) fn bucket(&self) -> &str {
        self.client.bucket()
    }

    pub(super) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Returns the unsigned publish URL of a channel.
    pub(super) fn publish_url(&self, channel: &str) -> String {
        self.client.endpoint().publish_url(channel)
    }

    /// Returns the time by the service's clock.
    pub(super) fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc().saturating_add(time::Duration::seconds(self.skew))
    }

    /// Returns the number of requests sent.
    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Sends a request, and retries it while it is throttled, and once if the
    /// connection fails: an idle one may be closed at any time. `id` is the
    /// observation, which is also sent to the service.
    pub(super) fn send(&self, id: &str, spec: &RequestSpec) -> Result<Reply, Miss> {
        let until = Instant::now() + THROTTLED_LIMIT;
        let (mut pause, mut is_again) = (Duration::from_millis(500), false);
        loop {
            self.check_stop()?;
            let reply = match self.send_once(id, spec) {
                Err(Miss::Silent(why)) if !is_again && why != TIMED_OUT => {
                    is_again = true;
                    self.pause(pause)?;
                    continue;
                }
                outcome => outcome?,
            };
            if reply.status != 503 || reply.failure() != code::META_OPERATION_QPS_LIMIT_EXCEEDED {
                return Ok(reply);
            }
            if Instant::now() + pause > until {
                return Err(Miss::Throttled);
            }
            self.pause(pause)?;
            pause *= 2;
        }
    }

    fn send_once(&self, id: &str, spec: &RequestSpec) -> Result<Reply, Miss> {
        let signatory = Signatory {
            credentials: &self.credentials,
            bucket: self.bucket(),
            region: self.client.region(),
            version: self.version,
            now: self.now(),
        };
        let signed = signatory.sign(spec);
        let url = self.url(spec, &signed.query);
        let mut request = http::Request::builder().method(spec.method).uri(&url);
        let agent = concat!("osslive-conformance/", env!("CARGO_PKG_VERSION"));
        request = request.header("user-agent", format!("{agent} ({id})"));
        for (name, value) in &signed.headers {
            request = request.header(name, value);
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
        let started = Instant::now();
        let outcome = self.exchange(request, spec);
        if self.verbose {
            let seen = match &outcome {
                Ok(reply) => reply.status.to_string(),
                Err(error) => error.clone(),
            };
            let path = url.split('?').next().unwrap_or_default();
            let names: Vec<_> = spec.query.iter().map(|(name, _)| name.as_str()).collect();
            let (query, ms) = (names.join("&"), started.elapsed().as_millis());
            say(&format!("{id}: {} {path}?{query}: {seen} in {ms} ms", spec.method));
        }
        outcome.map_err(Miss::Silent)
    }

    fn url(&self, spec: &RequestSpec, query: &str) -> String {
        let endpoint: &Endpoint = self.client.endpoint();
        let mut url = endpoint.url("", &[]);
        if let Some(other) = &spec.bucket {
            let bucket = self.bucket();
            let (first, last) = match endpoint.style() {
                AddressingStyle::Path => url.rsplit_once(bucket),
                _ => url.split_once(bucket),
            }
            .unwrap_or((&url, ""));
            url = [first, other, last].concat();
        }
        match &spec.raw_key {
            Some(raw) => url.push_str(raw),
            None => url.push_str(&percent_encode_path(&spec.key)),
        }
        if !query.is_empty() {
            url.push('?');
            url.push_str(query);
        }
        url
    }

    fn exchange(
        &self,
        request: http::request::Builder,
        spec: &RequestSpec,
    ) -> Result<Reply, String> {
        let describe = |error: ureq::Error| match error {
            ureq::Error::Timeout(_) => TIMED_OUT.to_owned(),
            // The message may quote the URL, which may be signed.
            ureq::Error::Io(error) => error.to_string(),
            ureq::Error::HostNotFound => "the host name could not be resolved".to_owned(),
            ureq::Error::ConnectionFailed => "could not connect".to_owned(),
            ureq::Error::Tls(_) | ureq::Error::Rustls(_) => "TLS failed".to_owned(),
            _ => "the connection was lost".to_owned(),
        };
        let invalid = |_| "the request could not be written".to_owned();
        let has_body = matches!(spec.method, "PUT" | "POST");
        let mut response = if spec.is_chunked {
            let mut body = &spec.body[..];
            let body = ureq::SendBody::from_reader(&mut body);
            self.agent.run(request.body(body).map_err(invalid)?)
        } else if has_body {
            self.agent.run(request.body(&spec.body[..]).map_err(invalid)?)
        } else {
            self.agent.run(request.body(()).map_err(invalid)?)
        }
        .map_err(describe)?;
        let text =
            |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = response.headers().iter().map(|(n, v)| (n.as_str().to_owned(), text(v)));
        let (status, headers) = (response.status().as_u16(), headers.collect());
        let body =
            response.body_mut().with_config().limit(MAX_BODY).read_to_vec().map_err(describe)?;
        Ok(Reply { status, headers, body })
    }

    /// Fails if the user has interrupted the run.
    pub(super) fn check_stop(&self) -> Result<(), Miss> {
        match self.stop.is_stopped() && !self.is_cleaning.load(Ordering::Relaxed) {
            true => Err(Miss::Stopped),
            false => Ok(()),
        }
    }

    /// Permits requests after an interruption, to remove what the run created.
    pub(super) fn begin_cleanup(&self) {
        self.is_cleaning.store(true, Ordering::Relaxed);
    }

    /// Checks that channels can be created and deleted.
    pub(super) fn check_permissions(&self) -> Outcome {
        let name = format!("{}survey", self.prefix);
        for (what, spec) in [
            ("create a channel", put(&name, MINIMAL)),
            ("delete a channel", RequestSpec::delete(&name).live()),
        ] {
            let reply = self.send("survey", &spec).map_err(|miss| self.failure(miss))?;
            if !reply.is_success() {
                return Err(refused(what, &reply));
            }
        }
        Ok(())
    }

    /// Waits, unless the user interrupts the run.
    pub(super) fn pause(&self, length: Duration) -> Result<(), Miss> {
        let until = Instant::now() + length;
        loop {
            self.check_stop()?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            thread::sleep(left.min(Duration::from_millis(50)));
        }
    }

    /// Why the run cannot start.
    fn failure(&self, miss: Miss) -> Failure {
        let message = format!("{}: {miss}", self.client.endpoint().url("", &[]));
        Failure::Message(Exit::Unavailable, message)
    }
}

/// Describes why a request that everything depends on was rejected.
pub(super) fn refused(what: &str, reply: &Reply) -> Failure {
    let message = reply.record(&[]).line();
    let exit = match reply.status {
        401 | 403 => Exit::NotAllowed,
        404 => Exit::NotFound,
        500.. => Exit::Unavailable,
        _ => Exit::Failure,
    };
    Failure::Message(exit, format!("could not {what}: {message}"))
}

fn mask(client: &Client, credentials: &Credentials, prefix: &str) -> Mask {
    let mut mask = Mask::default();
    mask.hide(prefix, "<prefix>");
    mask.hide(client.bucket(), "<bucket>");
    mask.hide(client.region(), "<region>");
    mask.hide_secret(credentials.access_key_id(), "<access key id>");
    mask.hide_secret(credentials.access_key_secret(), "<access key secret>");
    mask.hide_secret(credentials.security_token().unwrap_or_default(), "<security token>");
    // Returns the same text for all addressing styles, with or without the bucket
    // in the path and the default port.
    let url = client.endpoint().url("", &[]);
    let base = url.split_once("://").map_or("", |(_, rest)| rest.trim_end_matches('/'));
    let (authority, path) = base.split_once('/').unwrap_or((base, ""));
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => host,
        _ => authority,
    };
    for text in [base, authority, &format!("{host}/{path}"), host] {
        mask.hide(text.trim_end_matches('/'), "<bucket url>");
    }
    mask
}

/// Returns four characters that distinguish this run from others.
fn random_text() -> Outcome<String> {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).map_err(|error| Failure::Other(error.to_string().into()))?;
    let letter = |byte: u8| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]);
    Ok(bytes.into_iter().map(letter).collect())
}
