//! Isolates objects from the endpoint's origin, which they share: a script in one
//! could otherwise send signed requests.

use crate::http::Response;

/// Media types, which cannot contain scripts. Everything else is sandboxed: a list
/// of types that can run scripts would never be complete.
const MEDIA: &[&str] = &[
    "application/vnd.apple.mpegurl",
    "application/x-mpegurl",
    "audio/aac",
    "audio/mp4",
    "audio/mpeg",
    "audio/mpegurl",
    "audio/x-mpegurl",
    "video/mp2t",
    "video/mp4",
    "video/quicktime",
    "video/webm",
    "video/x-flv",
];

/// Makes browsers trust the declared type of a response and, unless that is media,
/// treat it as a document without scripts, origin and network access.
pub(super) fn isolate(mut response: Response) -> Response {
    let content_type = response.header("Content-Type").unwrap_or_default().to_ascii_lowercase();
    if content_type.contains("multipart/") {
        // Its parts may be documents with their own headers.
        response.headers.retain(|(name, _)| *name != "Content-Disposition");
        response = response.with("Content-Disposition", "attachment");
    }
    if !is_media(&content_type) {
        response = response.with("Content-Security-Policy", "sandbox; default-src 'none'");
    }
    response.with("X-Content-Type-Options", "nosniff")
}

/// Returns whether a Content-Type, in lower case, is unambiguously media.
fn is_media(content_type: &str) -> bool {
    let (name, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    // Of several types, separated by commas, browsers use the last.
    MEDIA.contains(&name.trim()) && !parameters.contains(',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_media_and_playlists_are_not_sandboxed() {
        for content_type in [
            "video/mp2t",
            "application/x-mpegURL",
            "application/vnd.apple.mpegurl",
            "video/mp4; codecs=avc1",
        ] {
            let response = isolate(Response::text(200, content_type, String::new()));
            assert_eq!(response.header("Content-Security-Policy"), None, "{content_type}");
        }
        for content_type in [
            "text/html",
            "text/plain",
            "text/xsl",
            "text/xml",
            "application/xhtml+xml",
            "application/xslt+xml",
            "image/svg+xml",
            "application/pdf",
            "text/javascript",
            "multipart/x-mixed-replace; boundary=x",
            "application/octet-stream",
            "video/x+xml",
            "video/mp4,text/html",
            "video/mp4;a=b,text/html",
            "video/mp4, video/mp4",
            "video",
            "x-video/mp4",
            "",
        ] {
            let response = isolate(Response::text(200, content_type, String::new()));
            let policy = response.header("Content-Security-Policy");
            assert_eq!(policy, Some("sandbox; default-src 'none'"), "{content_type}");
            assert_eq!(response.header("X-Content-Type-Options"), Some("nosniff"));
        }
    }

    #[test]
    fn multipart_objects_are_always_attachments() {
        for disposition in ["inline", "attachment; filename=x"] {
            let response =
                Response::text(200, "Multipart/X-Mixed-Replace;boundary=x", String::new());
            let response = isolate(response.with("Content-Disposition", disposition));
            assert_eq!(response.header("Content-Disposition"), Some("attachment"));
        }
    }
}
