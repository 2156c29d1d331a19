//! Media playlists, as far as this crate needs them (RFC 8216).

/// The fragments of a playlist.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Playlist {
    /// The URIs of the fragments, unresolved.
    pub(crate) fragments: Vec<String>,
    /// The longest duration in seconds.
    pub(crate) longest: f64,
    /// Whether nothing more will be added.
    pub(crate) is_finished: bool,
}

impl Playlist {
    /// Parses a playlist; returns `None` if the body is not one.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let mut lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
        if lines.next() != Some("#EXTM3U") {
            return None;
        }
        let mut playlist = Playlist::default();
        for line in lines.filter(|line| !line.is_empty()) {
            match line.strip_prefix("#EXTINF:") {
                Some(info) => {
                    let duration = info.split(',').next().and_then(|text| text.trim().parse().ok());
                    // "inf" and "1e999" are numbers too, but not durations.
                    let duration = duration.filter(|seconds: &f64| seconds.is_finite());
                    playlist.longest = playlist.longest.max(duration.unwrap_or_default());
                }
                None if line == "#EXT-X-ENDLIST" => playlist.is_finished = true,
                None if line.starts_with('#') => {}
                None => playlist.fragments.push(line.to_owned()),
            }
        }
        Some(playlist)
    }
}

/// Resolves a URI in a playlist against the playlist's URL (RFC 3986 section 5.2,
/// without dot segments, which the service does not write).
pub(crate) fn resolve(playlist: &str, uri: &str) -> String {
    if uri.contains("://") {
        return uri.to_owned();
    }
    let base = playlist.split(['?', '#']).next().unwrap_or_default();
    let authority = base.find("://").map_or(0, |at| at + 3);
    let root = base[authority..].find('/').map_or(base.len(), |at| authority + at);
    match uri.strip_prefix('/') {
        Some(path) => format!("{}/{path}", &base[..root]),
        None => {
            let folder = base.rfind('/').filter(|at| *at >= root).unwrap_or(base.len());
            format!("{}/{uri}", &base[..folder])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_and_the_longest_duration_are_read() {
        let body =
            b"#EXTM3U\r\n#EXT-X-VERSION:3\r\n#EXTINF:2.000,\r\n1.ts\r\n#EXTINF:8.5,x\r\n2.ts\r\n";
        let playlist = Playlist::parse(body).unwrap();
        assert_eq!(playlist.fragments, ["1.ts", "2.ts"]);
        assert_eq!((playlist.longest, playlist.is_finished), (8.5, false));
        assert!(Playlist::parse(b"#EXTM3U\n1.ts\n#EXT-X-ENDLIST").unwrap().is_finished);
        assert_eq!(Playlist::parse(b"#EXTM3U\n").unwrap(), Playlist::default());
        for other in [&b""[..], b"<html>", b"\xff\xfe"] {
            assert_eq!(Playlist::parse(other), None);
        }
    }

    #[test]
    fn an_invalid_duration_is_ignored() {
        for duration in ["inf", "1e999", "NaN", "-3", "", "x"] {
            let body = format!("#EXTM3U\n#EXTINF:{duration},\n1.ts\n#EXTINF:2,\n2.ts\n");
            let playlist = Playlist::parse(body.as_bytes()).unwrap();
            assert_eq!((playlist.longest, playlist.fragments.len()), (2.0, 2), "{duration}");
        }
    }

    #[test]
    fn uris_are_resolved_against_the_playlist() {
        let playlist = "https://host:9000/b/c/playlist.m3u8?x=/1";
        for (uri, url) in [
            ("1.ts?a=b", "https://host:9000/b/c/1.ts?a=b"),
            ("/b/c/1.ts", "https://host:9000/b/c/1.ts"),
            ("http://other/1.ts", "http://other/1.ts"),
        ] {
            assert_eq!(resolve(playlist, uri), url);
        }
        assert_eq!(resolve("http://host", "1.ts"), "http://host/1.ts");
    }
}
