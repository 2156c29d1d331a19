//! The web page at `/_osslive/`, which shows the endpoint to its developer.
//!
//! It is read-only and requires no signature: it plays private buckets and
//! shows signed publish URLs. Instead, its address contains a token, which is
//! new at each start. The first request has it as a parameter and is redirected
//! to `/_osslive/TOKEN/`. Everything below is relative, so that players send the
//! token too; there is no cookie, since browsers would also send it to servers
//! on other ports. Unless the configuration opens the page, it is available only
//! on this machine, at loopback addresses and without a proxy. Pages of other
//! origins may not read, embed or frame any of it, and the page itself loads
//! nothing from elsewhere.

mod view;

use crate::address::{Style, percent_decode};
use crate::event::{Event, EventKind, Level};
use crate::fault::Fault;
use crate::guard::{self, Token};
use crate::http::{Body, Query, Request, Response, object_response};
use crate::media::playlist;
use crate::site::Site;
use crate::{time_format, validate};
use serde::Serialize;
use std::sync::Arc;

/// The directory of the page, which is not a valid bucket name.
const ROOT: &str = "/_osslive";
/// Everything from this origin, nothing inline, and text is never parsed as markup.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      img-src 'self' data:; media-src 'self' blob:; connect-src 'self'; \
                      frame-ancestors 'none'; base-uri 'none'; form-action 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";
/// The lifetime of the publish URLs that the page shows, in seconds: a day.
const PUBLISH_EXPIRES: i64 = 86_400;
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// The page's own files: path, media type, content.
const ASSETS: &[(&str, &str, &str)] = &[
    ("", "text/html; charset=utf-8", include_str!("../assets/page/index.html")),
    ("style.css", "text/css; charset=utf-8", include_str!("../assets/page/style.css")),
    ("app.js", JAVASCRIPT, include_str!("../assets/page/app.js")),
    ("channel.js", JAVASCRIPT, include_str!("../assets/page/channel.js")),
    ("player.js", JAVASCRIPT, include_str!("../assets/page/player.js")),
    ("faults.js", JAVASCRIPT, include_str!("../assets/page/faults.js")),
    ("problems.js", JAVASCRIPT, include_str!("../assets/page/problems.js")),
    ("chart.js", JAVASCRIPT, include_str!("../assets/page/chart.js")),
    ("text.js", JAVASCRIPT, include_str!("../assets/page/text.js")),
    ("icon.svg", "image/svg+xml", include_str!("../assets/page/icon.svg")),
];

/// The options of the page.
#[derive(Debug, Clone)]
pub struct Options {
    /// The token that grants access to the page; `None` disables the page.
    pub token: Option<Token>,
    /// Whether other machines and proxies have access too.
    pub remote: bool,
    /// hls.js, for browsers without native HLS support.
    pub hls_js: Option<Arc<str>>,
}

/// The page, and the data it shows.
#[derive(Debug)]
pub struct Page {
    site: Arc<Site>,
    options: Options,
}

impl Page {
    /// Returns the page of a site.
    pub fn new(site: Arc<Site>, options: Options) -> Self {
        Page { site, options }
    }

    /// Returns whether a request is for the page, and not for the service.
    pub fn takes(&self, request: &Request) -> bool {
        let is_asked = path_of(request).is_some()
            || is_browser_at_the_root(request) && self.refuses(request).is_none();
        // The full address, since it is part of commands to copy.
        let is_own_host = || self.site.addressing.style(&request.host) == Style::Path;
        self.options.token.is_some() && is_asked && is_own_host()
    }

    /// Handles requests for the page; returns `None` for all others.
    pub fn respond(&self, request: &Request) -> Option<Response> {
        let token = self.options.token.as_ref().filter(|_| self.takes(request))?;
        let response = match path_of(request) {
            Some(path) => self.handle(request, path, token),
            None => redirect(302, String::from("/_osslive/")),
        };
        Some(self.complete(request, response))
    }

    /// Returns why a request may not access the page, regardless of its token.
    fn refuses(&self, request: &Request) -> Option<&'static str> {
        guard::refuses(request, self.options.remote)
    }

    fn handle(&self, request: &Request, path: &str, token: &Token) -> Response {
        if let Some(line) = self.refuses(request) {
            return self.deny(request, line);
        }
        let path = path.strip_prefix('/').unwrap_or(path);
        match path.split_once('/') {
            Some((given, path)) if token.is(given) => self.handle_authorized(request, path),
            None if path.is_empty() && is_given(request, token) => {
                redirect(302, format!("{ROOT}/{}/{}", token.as_str(), other_parameters(request)))
            }
            None if token.is(path) => redirect(308, format!("{ROOT}/{path}/")),
            _ => self.deny(request, guard::NO_TOKEN),
        }
    }

    /// Refuses the page, and reports it. The report omits the path, which may
    /// contain a token of an earlier start.
    fn deny(&self, request: &Request, line: &str) -> Response {
        let (status, message) = (403, Some(line.to_owned()));
        self.site.events.record(Event {
            remote: request.peer,
            method: Some(request.method.clone()),
            key: Some(ROOT.to_owned()),
            status: Some(status),
            message,
            ..Event::new(self.site.clock.now(), Level::Warn, EventKind::Request)
        });
        plain(status, line)
    }

    /// Handles a request with the right token; `path` is what follows it.
    fn handle_authorized(&self, request: &Request, path: &str) -> Response {
        if !matches!(request.method.as_str(), "GET" | "HEAD") {
            return plain(405, "This page is read-only.").with("Allow", "GET, HEAD");
        }
        if let Some((_, content_type, text)) = ASSETS.iter().find(|(name, ..)| *name == path) {
            return Response::text(200, content_type, text.to_string());
        }
        match path {
            "hls.js" => self.hls_js(),
            "api/channels" => {
                json(self.query(request).and_then(|query| self.overview(param(&query, "search"))))
            }
            "api/channel" => json(self.query(request).and_then(|query| {
                self.channel_view(param(&query, "bucket"), param(&query, "channel"))
            })),
            "api/publish-url" => json(self.query(request).and_then(|query| {
                self.publishing(&request.host, param(&query, "bucket"), param(&query, "channel"))
            })),
            _ => match path.strip_prefix("media/") {
                Some(object) => self.media(request, object).unwrap_or_else(refusal),
                None => plain(404, "Not found."),
            },
        }
    }

    fn hls_js(&self) -> Response {
        match &self.options.hls_js {
            Some(text) => Response::text(200, JAVASCRIPT, text.to_string()),
            None => plain(404, "The endpoint was started without hls.js."),
        }
    }

    fn query(&self, request: &Request) -> Result<Query, Fault> {
        Query::parse(&request.query).map_err(|_| malformed())
    }

    /// Serves playlists and fragments, but no other objects of a bucket. With the
    /// parameters `from` and `to`, it returns a playlist of what was recorded
    /// between two Unix times, whatever the name of the file.
    fn media(&self, request: &Request, path: &str) -> Result<Response, Fault> {
        let (bucket, key) = path.split_once('/').ok_or_else(no_media)?;
        validate::check_bucket(bucket)?;
        let (key, well_formed) = percent_decode(key);
        let key = String::from_utf8(key).ok().filter(|_| well_formed).ok_or_else(malformed)?;
        validate::check_object(&key)?;
        if !key.ends_with(".m3u8") && !key.ends_with(".ts") {
            return Err(no_media());
        }
        let query = self.query(request)?;
        if let (Some(from), Some(to)) = (query.value("from"), query.value("to")) {
            let seconds = |text: &str| text.parse::<i64>().map_err(|_| malformed());
            let channel = key.split_once('/').map_or("", |(channel, _)| channel);
            validate::check_channel(channel)?;
            let text =
                self.site.store.vod_playlist(bucket, channel, seconds(from)?, seconds(to)?)?;
            return Ok(Response::text(200, playlist::MEDIA_TYPE, text));
        }
        object_response(request, self.site.store.object(bucket, &key)?, Vec::new())
    }

    /// Adds the headers of every response: its length, and those that keep other
    /// origins out.
    fn complete(&self, request: &Request, mut response: Response) -> Response {
        if response.status != 304 {
            let length = response.body.length();
            response = response.with("Content-Length", length.to_string());
        }
        if request.method == "HEAD" {
            response.body = Body::Empty;
        }
        response
            .with("Date", time_format::http_date(self.site.clock.now()))
            .with("Cache-Control", "no-store")
            .with("Content-Security-Policy", POLICY)
            .with("Cross-Origin-Opener-Policy", "same-origin")
            .with("Cross-Origin-Resource-Policy", "same-origin")
            .with("Referrer-Policy", "no-referrer")
            .with("X-Content-Type-Options", "nosniff")
    }
}

/// Returns the path below the page's directory, if a request is for it.
fn path_of(request: &Request) -> Option<&str> {
    let path = request.path.strip_prefix(ROOT)?;
    (path.is_empty() || path.starts_with('/')).then_some(path)
}

/// Returns whether a request has the token as a parameter.
fn is_given(request: &Request, token: &Token) -> bool {
    let query = Query::parse(&request.query).unwrap_or_default();
    token.is(param(&query, "token"))
}

/// Returns the query without the token.
fn other_parameters(request: &Request) -> String {
    let others = request.query.split('&').filter(|pair| !pair.starts_with("token="));
    let others = others.collect::<Vec<_>>().join("&");
    if others.is_empty() { others } else { format!("?{others}") }
}

/// Returns whether a browser requests the root. An SDK that lists buckets there
/// signs its request, or at least does not accept HTML.
fn is_browser_at_the_root(request: &Request) -> bool {
    let wants_html = request.header("accept").is_some_and(|accept| accept.contains("text/html"));
    request.path == "/"
        && request.query.is_empty()
        && matches!(request.method.as_str(), "GET" | "HEAD")
        && request.header("authorization").is_none()
        && wants_html
}

fn param<'a>(query: &'a Query, name: &str) -> &'a str {
    query.get(name).unwrap_or_default()
}

fn redirect(status: u16, location: String) -> Response {
    Response::empty(status).with("Location", location).with("Vary", "Accept")
}

fn plain(status: u16, line: &str) -> Response {
    Response::text(status, "text/plain; charset=utf-8", format!("{line}\n"))
}

fn refusal(fault: Fault) -> Response {
    plain(fault.status, &fault.message)
}

fn json<T: Serialize>(view: Result<T, Fault>) -> Response {
    const JSON: &str = "application/json";
    match view.and_then(|view| serde_json::to_string(&view).map_err(|_| malformed())) {
        Ok(text) => Response::text(200, JSON, text),
        Err(fault) => {
            let text = serde_json::json!({ "code": fault.code, "message": fault.message });
            Response::text(fault.status, JSON, text.to_string())
        }
    }
}

fn malformed() -> Fault {
    Fault::new(400, "InvalidArgument", "The request is malformed.")
}

fn no_media() -> Fault {
    Fault::new(404, "NoSuchKey", "Only playlists and fragments can be played here.")
}

#[cfg(test)]
mod tests;
