//! Playback from private buckets: a playlist whose lines are signed URLs.
//!
//! A signed line is many times as long as the original. So the playlist is signed
//! line by line while it is sent, and is never in memory as a whole.

use super::call::Call;
use super::operation::{invalid_argument, not_implemented};
use super::service::Service;
use crate::address::percent_decode;
use crate::auth::Identity;
use crate::fault::Fault;
use crate::http::{Body, Response};
use crate::validate;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

/// The maximum size of a signed playlist, in bytes: the service's own limit.
const MAX_PLAYLIST: u64 = 1 << 20;
/// The maximum number of segments in a playlist. A day of five-second fragments
/// has 17,280. The service's limit is not published.
const MAX_SEGMENTS: usize = 20_000;
/// The maximum number of playlists in a master playlist. The service's limit is
/// not published.
const MAX_VARIANTS: usize = 1_000;
/// The maximum length of a line, in bytes: enough for a percent-encoded key of
/// 1,023 bytes with a long query.
const MAX_LINE: usize = 16 << 10;

impl Service {
    /// Handles `x-oss-process=hls/sign`: signs each segment of the playlist with
    /// the access key and the expiry of the request's own URL.
    pub(super) fn sign_playlist(
        &self,
        call: &Call<'_>,
        identity: &Identity,
    ) -> Result<Response, Fault> {
        validate::check_object(&call.key)?;
        let Identity::Url(signature) = identity else {
            return Err(invalid_request("hls/sign needs a signed URL.", "0044-00000410"));
        };
        if let Some(token) = call.request.header("x-oss-hls-sign-token") {
            return Err(refused_token(token));
        }
        let (object, mut file) = self.site.store.object(&call.bucket, &call.key)?;
        if object.size > MAX_PLAYLIST {
            return Err(too_big());
        }
        let is_master = Survey::of(&mut file).map_err(unreadable)?.judge()?;
        let (signature, keys) = (signature.clone(), self.site.keys.clone());
        let (bucket, playlist) = (call.bucket.clone(), call.key.clone());
        let sign = move |key: &str, process: Option<&str>| {
            signature.sign_get(&keys, &bucket, key, process).map_err(io::Error::other)
        };
        let mut signed = Signed::new(file, is_master, playlist, sign);
        let length = signed.length().map_err(unreadable)?;
        let body = Body::Stream { length, reader: Box::new(signed) };
        let response = Response { body, ..Response::empty(200) };
        Ok(response.with("Content-Type", object.content_type))
    }
}

/// The composition of a playlist.
#[derive(Default)]
struct Survey {
    is_master: bool,
    segments: usize,
    playlists: usize,
}

impl Survey {
    /// Reads a playlist, and rewinds to its start.
    fn of(input: &mut (impl Read + Seek)) -> io::Result<Survey> {
        let mut survey = Survey::default();
        let mut lines = Lines::new(input);
        while let Some(line) = lines.next()? {
            survey.is_master |= line.starts_with("#EXT-X-STREAM-INF");
            let path = path_of(line);
            survey.segments += usize::from(path.ends_with(".ts"));
            survey.playlists += usize::from(path.ends_with(".m3u8"));
        }
        lines.rewind()?;
        Ok(survey)
    }

    /// Returns whether it is a master playlist; refuses playlists that cannot be
    /// signed.
    fn judge(&self) -> Result<bool, Fault> {
        match (self.is_master, self.segments, self.playlists) {
            (true, 1.., _) => Err(invalid_request("Master playlist has ts file.", "0044-00000409")),
            (true, _, playlists) if playlists > MAX_VARIANTS => {
                let message = format!(
                    "Too many m3u8 files in the master playlist: {playlists}; at most \
                     {MAX_VARIANTS} are allowed."
                );
                Err(invalid_request(message, "0044-00000407"))
            }
            (false, 0, _) => Err(no_segments()),
            (false, segments, _) if segments > MAX_SEGMENTS => {
                let message = format!(
                    "Too many ts files in the playlist: {segments}; at most {MAX_SEGMENTS} are \
                     allowed."
                );
                Err(invalid_request(message, "0044-00000406"))
            }
            (is_master, ..) => Ok(is_master),
        }
    }
}

/// The lines of a playlist, without line endings.
struct Lines<R> {
    input: BufReader<R>,
    line: Vec<u8>,
}

impl<R: Read + Seek> Lines<R> {
    fn new(input: R) -> Self {
        Lines { input: BufReader::new(input), line: Vec::new() }
    }

    /// Returns the next line. Fails with `InvalidData` if it is not UTF-8, and
    /// with `FileTooLarge` if it is longer than [`MAX_LINE`].
    fn next(&mut self) -> io::Result<Option<&str>> {
        self.line.clear();
        let mut input = (&mut self.input).take(MAX_LINE as u64 + 1);
        if input.read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        if self.line.len() > MAX_LINE {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let line = std::str::from_utf8(&self.line)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let line = line.strip_suffix('\n').unwrap_or(line);
        Ok(Some(line.strip_suffix('\r').unwrap_or(line)))
    }

    fn rewind(&mut self) -> io::Result<()> {
        self.input.seek(SeekFrom::Start(0)).map(drop)
    }
}

/// The playlist with the key `playlist`, signed while it is read: its segments,
/// or, in a master playlist, its playlists, which are then signed in turn. URLs
/// of other hosts and absolute paths are not changed.
struct Signed<R, S> {
    lines: Lines<R>,
    is_master: bool,
    playlist: String,
    sign: S,
    /// The current line, and how much of it has been read.
    out: Vec<u8>,
    sent: usize,
}

impl<R: Read + Seek, S: Fn(&str, Option<&str>) -> io::Result<String>> Signed<R, S> {
    fn new(input: R, is_master: bool, playlist: String, sign: S) -> Self {
        let lines = Lines::new(input);
        Signed { lines, is_master, playlist, sign, out: Vec::new(), sent: 0 }
    }

    /// Returns the length of the output, by reading everything and rewinding.
    fn length(&mut self) -> io::Result<u64> {
        let mut length = 0;
        while self.advance()? {
            length += self.out.len() as u64;
        }
        self.lines.rewind()?;
        Ok(length)
    }

    /// Prepares the next line; returns false at the end.
    fn advance(&mut self) -> io::Result<bool> {
        self.out.clear();
        self.sent = 0;
        let Some(line) = self.lines.next()? else { return Ok(false) };
        self.out.extend_from_slice(line.as_bytes());
        let path = path_of(line);
        let process = (self.is_master && path.ends_with(".m3u8")).then_some("hls/sign");
        let is_external = path.contains("://") || path.starts_with('/');
        if (path.ends_with(".ts") || process.is_some()) && !is_external {
            let name = String::from_utf8_lossy(&percent_decode(path).0).into_owned();
            let key = match self.playlist.rsplit_once('/') {
                Some((folder, _)) => format!("{folder}/{name}"),
                None => name,
            };
            self.out.push(if line.contains('?') { b'&' } else { b'?' });
            self.out.extend((self.sign)(&key, process)?.bytes());
        }
        self.out.push(b'\n');
        Ok(true)
    }
}

impl<R: Read + Seek, S: Fn(&str, Option<&str>) -> io::Result<String>> Read for Signed<R, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.sent == self.out.len() && !self.advance()? {
            return Ok(0);
        }
        let count = (&self.out[self.sent..]).read(buffer)?;
        self.sent += count;
        Ok(count)
    }
}

/// Returns the path of a line, without its query; empty for a tag or a comment.
fn path_of(line: &str) -> &str {
    line.split(['?', '#']).next().unwrap_or_default().trim()
}

/// Returns the fault for a playlist whose lines cannot be read or signed.
fn unreadable(error: io::Error) -> Fault {
    let error = match error.downcast::<Fault>() {
        Ok(fault) => return fault,
        Err(error) => error,
    };
    match error.kind() {
        io::ErrorKind::InvalidData => no_segments(),
        io::ErrorKind::FileTooLarge => too_big(),
        _ => Fault::new(500, "InternalError", format!("Cannot read the playlist: {error}.")),
    }
}

fn too_big() -> Fault {
    let message = format!(
        "Size of playlist is too big: at most {MAX_PLAYLIST} bytes, and {MAX_LINE} per line, are \
         allowed."
    );
    invalid_request(message, "0044-00000404")
}

fn no_segments() -> Fault {
    invalid_request("No ts found in the playlist.", "0044-00000408")
}

/// Refuses a token: its format is documented, but its meaning is not.
fn refused_token(token: &str) -> Fault {
    const NAME: &str = "x-oss-hls-sign-token";
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if token.len() > 100 {
        invalid_argument(NAME, token, "must have at most 100 characters").with_ec("0044-00000401")
    } else if !token.bytes().all(is_allowed) {
        const RULE: &str = "must be letters, digits, \"-\", \"_\" and \".\"";
        invalid_argument(NAME, token, RULE).with_ec("0044-00000402")
    } else {
        not_implemented(NAME)
    }
}

fn invalid_request(message: impl Into<String>, ec: &'static str) -> Fault {
    Fault::new(400, "InvalidRequest", message).with_ec(ec)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn signed(text: &str, key: &str) -> Result<String, String> {
        let mut input = Cursor::new(text);
        let survey = Survey::of(&mut input).map_err(unreadable);
        let judged = survey.and_then(|survey| survey.judge());
        let is_master = judged.map_err(|fault| fault.message)?;
        let sign = |key: &str, process: Option<&str>| {
            Ok(format!("sig={key}{}", process.map(|p| format!("+{p}")).unwrap_or_default()))
        };
        let mut signed = Signed::new(input, is_master, key.to_owned(), sign);
        let length = signed.length().unwrap();
        let mut text = String::new();
        signed.read_to_string(&mut text).unwrap();
        assert_eq!(text.len() as u64, length);
        Ok(text)
    }

    fn refused(text: &str) -> (String, &'static str) {
        let survey = Survey::of(&mut Cursor::new(text)).map_err(unreadable);
        let fault = survey.and_then(|survey| survey.judge()).unwrap_err();
        (fault.message, fault.ec.unwrap())
    }

    #[test]
    fn a_playlist_that_exceeds_a_limit_is_refused_with_the_limit() {
        let segments = |count: usize| "1.ts\n".repeat(count);
        let variants = |count| format!("#EXT-X-STREAM-INF:\n{}", "a.m3u8\n".repeat(count));
        let line = |length: usize| format!("1.ts\n#{}\n", "x".repeat(length - 2));
        for text in [segments(20_000), variants(1000), line(16 << 10)] {
            assert!(signed(&text, "p.m3u8").is_ok());
        }
        for (text, words, ec) in [
            (segments(20_001), "20001; at most 20000 are allowed", "0044-00000406"),
            (variants(1001), "1001; at most 1000 are allowed", "0044-00000407"),
            (line((16 << 10) + 1), "16384 per line, are allowed", "0044-00000404"),
        ] {
            let (message, found) = refused(&text);
            assert!(message.contains(words), "{message}");
            assert_eq!(found, ec);
        }
    }

    #[test]
    fn every_segment_is_signed_as_a_key_relative_to_the_playlist() {
        let text = "#EXTM3U\n#EXTINF:5.000,\n1.ts\n#EXTINF:5.000,\na%20b.ts\n#EXT-X-ENDLIST\n";
        let expected = "#EXTM3U\n#EXTINF:5.000,\n1.ts?sig=ch/1.ts\n#EXTINF:5.000,\n\
                        a%20b.ts?sig=ch/a b.ts\n#EXT-X-ENDLIST\n";
        assert_eq!(signed(text, "ch/p.m3u8").as_deref(), Ok(expected));
        assert_eq!(signed("1.ts", "p.m3u8").as_deref(), Ok("1.ts?sig=1.ts\n"));
    }

    #[test]
    fn external_urls_and_absolute_paths_are_not_changed() {
        let text = "#EXTM3U\r\nhttp://other.example/1.ts\n/root.ts\n2.ts\n";
        let expected = "#EXTM3U\nhttp://other.example/1.ts\n/root.ts\n2.ts?sig=ch/2.ts\n";
        assert_eq!(signed(text, "ch/p.m3u8").as_deref(), Ok(expected));
    }

    #[test]
    fn the_playlists_of_a_master_playlist_are_signed_in_turn() {
        let text = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n";
        let expected = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n\
                        low.m3u8?sig=ch/low.m3u8+hls/sign\n";
        assert_eq!(signed(text, "ch/p.m3u8").as_deref(), Ok(expected));
        let mixed = format!("{text}1.ts\n");
        assert_eq!(signed(&mixed, "ch/p.m3u8"), Err("Master playlist has ts file.".into()));
    }

    #[test]
    fn a_playlist_without_segments_is_refused() {
        for text in ["", "#EXTM3U\n", "nonsense", "#comment about 1.ts"] {
            assert_eq!(
                signed(text, "ch/p.m3u8"),
                Err("No ts found in the playlist.".into()),
                "{text}"
            );
        }
    }
}
