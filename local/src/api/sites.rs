//! Cross-site requests from browsers: which are allowed, and with which response
//! headers.

use super::operation::Operation;
use super::service::Service;
use crate::address::Style;
use crate::cors::{CrossOrigin, Rule};
use crate::fault::Fault;
use crate::http::{Query, Request, Response};

const REQUEST_METHOD: &str = "access-control-request-method";
const REQUEST_HEADERS: &str = "access-control-request-headers";
/// The extensions of media and playlists.
const PLAYED: &[&str] = &["m3u8", "ts", "mp4", "m4s", "m4v", "m4a", "aac", "mp3", "vtt"];

/// The permission for a request.
#[derive(Debug)]
pub(super) struct Grant {
    /// The rule that allows the origin; `None` if the request is not cross-site.
    rule: Option<Rule>,
    /// Whether the response gets `Vary: Origin`.
    vary: bool,
}

impl Service {
    /// Determines from the head of a request whether a browser sent it for another
    /// site and, if so, whether a CORS rule allows it. A signature makes no
    /// difference: the default key is public, and a page can contain a signed URL.
    /// Nor does the endpoint's own origin: the only scripts in it are those of the
    /// page, which do not use this API.
    ///
    /// Browsers name the site in `Origin` or indicate it with `Sec-Fetch-Site`;
    /// other clients send neither. Browsers without `Sec-Fetch-Site` (Safari before
    /// 16.4, others before 2020) send GET requests for images, frames and links
    /// without either: these change nothing, and the site cannot read the response.
    /// `Referer` is ignored, since a page can suppress it.
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
        let Some(cross_origin) = cross_origin(request)? else {
            return Ok(Grant { rule: None, vary: cors.response_vary });
        };
        let has_rules = !cors.rules.is_empty();
        let playback =
            self.playback.iter().filter(|_| is_playback(&cross_origin, &key, &request.query));
        let mut rules = cors.rules.into_iter().chain(playback.cloned());
        match rules.find(|rule| rule.allows(&cross_origin)) {
            Some(rule) => Ok(Grant { rule: Some(rule), vary: true }),
            None if has_rules => Err(not_allowed().with_ec("0003-00000602")),
            None => Err(not_allowed().with_ec("0003-00000601")),
        }
    }
}

impl Grant {
    /// Returns the grant for a refusal, which depends on the origin too.
    pub(super) fn refused() -> Grant {
        Grant { rule: None, vary: true }
    }

    /// Adds the CORS headers to a response.
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
            if let Some(value) = request.header(name) {
                response = response.with(header, value);
            }
        }
        match rule.max_age_seconds {
            Some(seconds) => response.with("Access-Control-Max-Age", seconds.to_string()),
            None => response,
        }
    }
}

/// Responds to a preflight request that was allowed.
///
/// # Errors
///
/// 400 `BadRequest` if it has no origin.
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

/// Returns the cross-origin request; `None` if the request is not cross-site.
fn cross_origin(request: &Request) -> Result<Option<CrossOrigin<'_>>, Fault> {
    let Some(origin) = request.header("origin") else {
        return match request.header("sec-fetch-site") {
            None | Some("same-origin" | "none") => Ok(None),
            Some(_) => Err(without_origin()),
        };
    };
    if !is_preflight(request) {
        return Ok(Some(CrossOrigin { origin, method: &request.method, headers: "" }));
    }
    let method = request.header(REQUEST_METHOD).ok_or_else(|| {
        const MESSAGE: &str =
            "Insufficient information. Request Access-Control-Request-Method header needed.";
        Fault::new(400, "BadRequest", MESSAGE).with_ec("0034-00000102")
    })?;
    let headers = request.header(REQUEST_HEADERS).unwrap_or_default();
    Ok(Some(CrossOrigin { origin, method, headers }))
}

/// Returns whether it is a GET or HEAD of media or a playlist, including signed
/// playlists.
fn is_playback(cross_origin: &CrossOrigin<'_>, key: &[u8], query: &str) -> bool {
    use Operation::{GetObject, GetSignedPlaylist, HeadObject};
    let key = String::from_utf8_lossy(key);
    let is_played = key.rsplit_once('.').is_some_and(|(_, extension)| {
        PLAYED.iter().any(|played| extension.eq_ignore_ascii_case(played))
    });
    let operation = Query::parse(query)
        .ok()
        .and_then(|query| Operation::of(cross_origin.method, true, true, &query).ok());
    is_played && matches!(operation, Some(GetObject | HeadObject | GetSignedPlaylist))
}

fn not_allowed() -> Fault {
    // The service's message with its typos, since programs compare it.
    const MESSAGE: &str = "CORSResponse: This CORS request is not allowed. This is usually because \
                           the evalution of Origin, request method / \
                           Access-Control-Request-Method or Access-Control-Requet-Headers are \
                           not whitelisted by the resource's CORS spec.";
    Fault::new(403, "AccessForbidden", MESSAGE)
}

fn without_origin() -> Fault {
    const MESSAGE: &str = "A cross-site request must have an Origin header (in HTML, set the \
    attribute crossorigin), and a CORS rule must allow it.";
    Fault::new(403, "AccessForbidden", MESSAGE)
}

fn foreign_host(host: &str) -> Fault {
    let message = format!(
        "The host \"{host}\" is not a name of this endpoint: it must be an IP address, localhost, \
        the endpoint's domain, BUCKET.DOMAIN, or a configured custom domain."
    );
    Fault::new(403, "AccessForbidden", message)
}
