//! What fuzz targets need of the inside: requests without sockets.

use crate::api::{self, Body};
use crate::{Clock, Config, LocalEndpoint};
use time::OffsetDateTime;

/// When it always is here: requests dated so get as far as their signature.
const NOW: i64 = 1_795_335_398;

/// An endpoint whose secret nobody knows.
#[derive(Debug)]
pub struct Endpoint(LocalEndpoint);

/// What came of a request.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, if it was held in memory.
    pub body: String,
    /// Whether the request was taken for one of the owner's.
    pub is_let_in: bool,
}

impl Endpoint {
    /// Starts one in a temporary folder.
    pub fn start() -> Self {
        let clock = Clock::from_fn(|| {
            OffsetDateTime::from_unix_timestamp(NOW).unwrap_or(OffsetDateTime::UNIX_EPOCH)
        });
        let config = Config::temporary()
            .bucket("live-demo-bucket")
            .clock(clock)
            .access_key("LTAI5tDocExampleKeyId001", "a secret that no input holds")
            .temporary_key("STS.Fuzz", "another one", "token");
        Endpoint(LocalEndpoint::start(config).expect("an endpoint for the fuzzer"))
    }

    /// Answers a request; header names in lower case.
    pub fn respond(
        &self,
        method: &str,
        path: &str,
        query: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let owned = |(name, value): &(&str, &str)| (name.to_string(), value.trim().to_owned());
        let host = headers.iter().find(|(name, _)| *name == "host");
        // Fields that no input chooses stay as they are by default.
        #[allow(clippy::needless_update)]
        let request = api::Request {
            method: method.to_owned(),
            host: host.map(|(_, value)| value.to_string()).unwrap_or_default(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers.iter().map(owned).collect(),
            body: body.to_vec(),
            ..api::Request::default()
        };
        self.0.service.body_limit(&request);
        let response = self.0.service.respond(&request);
        // Browsers' questions and the endpoint's own pages are everybody's.
        let is_public = method == "OPTIONS" || path.starts_with("/_osslive");
        let body = match &response.body {
            Body::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Body::Empty | Body::File { .. } | Body::Stream { .. } => String::new(),
        };
        Answer { status: response.status, body, is_let_in: response.status < 400 && !is_public }
    }
}
