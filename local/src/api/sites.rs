//! Requests that a browser makes for other sites: which are served, and what
//! the browser is told.

use super::operation::Operation;
use super::service::Service;
use crate::address::Style;
use crate::cors::{Asked, Rule};
use crate::fault::Fault;
use crate::http::{Query, Request, Response};

const REQUEST_METHOD: &str = "access-control-request-method";
const REQUEST_HEADERS: &str = "access-control-request-headers";
/// What is played, by the end of its key.
const PLAYED: &[&str] = &["m3u8", "ts", "mp4", "m4s", "m4v", "m4a", "aac", "mp3", "vtt"];

/// The permission of a request to be served.
#[derive(Debug)]
pub(super) struct Grant {
    /// The rule that allows the origin; `None` if no other site asks.
    rule: Option<Rule>,
    /// Whether the response says that it depends on the origin.
    vary: bool,
}

impl Service {
    /// Decides by the head of a request whether a browser makes it for another
    /// site and, if so, whether a CORS rule allows it. Signatures do not count:
    /// the default key is public, and a page can hold a signed URL. Nor does the
    /// endpoint's own origin: what it serves runs no scripts but the page's,
    /// which ask for nothing here.
    ///
    /// Browsers name the site in `Origin` or say in `Sec-Fetch-Site` that there
    /// is one; other clients send neither. Browsers without `Sec-Fetch-Site`
    /// (Safari before 16.4, others before 2020) send GET requests for images,
    /// frames and links without either: these change nothing, and the site
    /// cannot read what comes back. `Referer` is ignored, since a page can
    /// suppress it.
    ///
    /// # Errors
    ///
    /// 403 `AccessForbidden`; for a preflight without a method 400
    /// `BadRequest`.
    pub(super) fn grant(&self, request: &Request) -> Result<Grant, Fault> {
        if self.site.addressing.style(&request.host) == Style::Foreign {
            return Err(foreign_host(&request.host));
        }
        let (bucket, key) = match self.site.addressing.resolve(&request.host, &request.path) {
            Ok(resource) => (resource.bucket, resource.key),
            Err(_) => (String::new(), Vec::new()),
        };
        let cors = self.site.store.bucket(&bucket).ok().and_then(|bucket| bucket.cors);
        let cors = cors.unwrap_or_default();
        let Some(asked) = asked(request)? else {
            return Ok(Grant { rule: None, vary: cors.response_vary });
        };
        let has_rules = !cors.rules.is_empty();
        let playback = self.playback.iter().filter(|_| is_playback(&asked, &key, &request.query));
        let mut rules = cors.rules.into_iter().chain(playback.cloned());
        match rules.find(|rule| rule.allows(&asked)) {
            Some(rule) => Ok(Grant { rule: Some(rule), vary: true }),
            None if has_rules => Err(not_allowed().with_ec("0003-00000602")),
            None => Err(not_allowed().with_ec("0003-00000601")),
        }
    }
}

impl Grant {
    /// What a browser is told with a refusal, which depends on the origin too.
    pub(super) fn refused() -> Grant {
        Grant { rule: None, vary: true }
    }

    /// Adds what the browser is told to a response.
    pub(super) fn write(&self, request: &Request, mut response: Response) -> Response {
        if self.vary {
            response = response.with("Vary", "Origin");
        }
        let Some(rule) = &self.rule else {
            return response.with("Cross-Origin-Resource-Policy", "same-origin");
        };
        let origin = request.header("origin").filter(|_| !rule.is_for_all());
        response = response.with("Access-Control-Allow-Origin", origin.unwrap_or("*"));
        if !rule.expose_headers.is_empty() {
            let exposed = rule.expose_headers.join(", ");
            response = response.with("Access-Control-Expose-Headers", exposed);
        }
        if !is_preflight(request) {
            return response;
        }
        for (header, name) in [
            ("Access-Control-Allow-Methods", REQUEST_METHOD),
            ("Access-Control-Allow-Headers", REQUEST_HEADERS),
        ] {
            if let Some(asked) = request.header(name) {
                response = response.with(header, asked);
            }
        }
        match rule.max_age_seconds {
            Some(seconds) => response.with("Access-Control-Max-Age", seconds.to_string()),
            None => response,
        }
    }
}

/// Answers a preflight that was granted.
///
/// # Errors
///
/// 400 `BadRequest` for one without an origin.
pub(super) fn preflight(request: &Request) -> Result<Response, Fault> {
    match request.header("origin") {
        Some(_) => Ok(Response::empty(200)),
        None => {
            const MESSAGE: &str = "Insufficient information. Origin request header needed.";
            Err(Fault::new(400, "BadRequest", MESSAGE).with_ec("0034-00000101"))
        }
    }
}

pub(super) fn is_preflight(request: &Request) -> bool {
    request.method == "OPTIONS"
}

/// What another site asks for; `None` if no browser makes the request for one.
fn asked(request: &Request) -> Result<Option<Asked<'_>>, Fault> {
    let Some(origin) = request.header("origin") else {
        return match request.header("sec-fetch-site") {
            None | Some("same-origin" | "none") => Ok(None),
            Some(_) => Err(without_origin()),
        };
    };
    if !is_preflight(request) {
        return Ok(Some(Asked { origin, method: &request.method, headers: "" }));
    }
    let method = request.header(REQUEST_METHOD).ok_or_else(|| {
        const MESSAGE: &str =
            "Insufficient information. Request Access-Control-Request-Method header needed.";
        Fault::new(400, "BadRequest", MESSAGE).with_ec("0034-00000102")
    })?;
    let headers = request.header(REQUEST_HEADERS).unwrap_or_default();
    Ok(Some(Asked { origin, method, headers }))
}

/// Whether a player asks for media or a playlist, signed playlists included.
fn is_playback(asked: &Asked<'_>, key: &[u8], query: &str) -> bool {
    use Operation::{GetObject, GetSignedPlaylist, HeadObject};
    let key = String::from_utf8_lossy(key);
    let is_played = key.rsplit_once('.').is_some_and(|(_, extension)| {
        PLAYED.iter().any(|played| extension.eq_ignore_ascii_case(played))
    });
    let operation = Query::parse(query)
        .ok()
        .and_then(|query| Operation::of(asked.method, true, true, &query).ok());
    is_played && matches!(operation, Some(GetObject | HeadObject | GetSignedPlaylist))
}

fn not_allowed() -> Fault {
    // The service's words, its slip included: programs compare them.
    const MESSAGE: &str = "CORSResponse: This CORS request is not allowed. This is usually because \
                           the evalution of Origin, request method / \
                           Access-Control-Request-Method or Access-Control-Requet-Headers are \
                           not whitelisted by the resource's CORS spec.";
    Fault::new(403, "AccessForbidden", MESSAGE)
}

fn without_origin() -> Fault {
    const MESSAGE: &str = "A request for another site must name its Origin (in HTML, by the \
                           attribute crossorigin), and a CORS rule must allow it.";
    Fault::new(403, "AccessForbidden", MESSAGE)
}

fn foreign_host(host: &str) -> Fault {
    let message = format!(
        "The host \"{host}\" is not a name of this endpoint: it must be an IP address, localhost, \
         the endpoint's domain, a bucket below it, or a custom domain that it was started with."
    );
    Fault::new(403, "AccessForbidden", message)
}
