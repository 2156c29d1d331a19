//! Sends requests to the endpoint under control, over HTTP.

use crate::failure::{Exit, Failure, Outcome};
use clap::Args;
use serde_json::Value;
use std::env;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;
use ureq::http::Request;

/// The timeout of a request.
const LIMIT: Duration = Duration::from_secs(10);
/// The maximum size of a response.
const LONGEST: u64 = 64 << 20;

/// The endpoint to control.
#[derive(Args)]
pub(super) struct Options {
    /// URL of the endpoint
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "OSSLIVE_LOCAL_URL",
        default_value = "http://127.0.0.1:9000"
    )]
    url: String,
    /// File that contains the control token, if the endpoint requires one
    /// [env: OSSLIVE_LOCAL_CONTROL_TOKEN]
    #[arg(long, global = true, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// A connection to the endpoint under control.
pub(super) struct Remote {
    agent: ureq::Agent,
    url: String,
    token: Option<String>,
}

impl Remote {
    pub(super) fn of(options: &Options) -> Outcome<Self> {
        let token = match &options.token_file {
            Some(file) => {
                let text = fs::read_to_string(file).map_err(|error| Failure::file(file, error))?;
                Some(text.trim().to_owned())
            }
            None => env::var("OSSLIVE_LOCAL_CONTROL_TOKEN").ok().filter(|text| !text.is_empty()),
        };
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(LIMIT))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None);
        let url = options.url.trim_end_matches('/').to_owned();
        let url = if url.contains("://") { url } else { format!("http://{url}") };
        Ok(Remote { agent: config.build().into(), url, token })
    }

    /// Sends a request with a JSON body, and returns the JSON of the response; null
    /// if it has none.
    pub(super) fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Outcome<Value> {
        let url = format!("{}/_osslive/{path}", self.url);
        let mut request = Request::builder().method(method).uri(&url);
        request = request.header("x-osslive-control", "1");
        if let Some(token) = &self.token {
            request = request.header("x-osslive-token", token);
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = request
            .body(body)
            .map_err(|error| Failure::usage(format!("endpoint {:?}: {error}", self.url)))?;
        let answer = self.agent.run(request).and_then(|mut response| {
            let status = response.status().as_u16();
            let text = response.body_mut().with_config().limit(LONGEST).read_to_string()?;
            Ok((status, text))
        });
        let (status, text) = answer.map_err(|error| {
            let text = format!("no response from the endpoint at {}: {error}", self.url);
            Failure::Message(Exit::Unavailable, text)
        })?;
        let value: Value = serde_json::from_str(&text).unwrap_or_default();
        let message = value["error"].as_str().unwrap_or("not an osslive endpoint");
        let exit = match status {
            200..=299 => return Ok(value),
            404 if path.starts_with("control") && message == "Not found." => {
                let text = format!(
                    "control is disabled at {}: start the endpoint with --control",
                    self.url
                );
                return Err(Failure::Message(Exit::NotAllowed, text));
            }
            404 => Exit::NotFound,
            403 => Exit::NotAllowed,
            400 => Exit::Usage,
            _ => Exit::Failure,
        };
        Err(Failure::Message(exit, message.to_owned()))
    }
}

/// Formats a JSON value, strings without quotation marks; empty if missing.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
