//! Playback from private buckets: a playlist whose lines are signed URLs.

use super::{Call, Response, Service};
use crate::address::percent_decode;
use crate::auth::Identity;
use crate::fault::Fault;
use crate::names;
use std::io::Read;

/// The longest playlist that is signed, in bytes.
const MAX_PLAYLIST: u64 = 1 << 20;

impl Service {
    /// Answers `x-oss-process=hls/sign`: each segment of the playlist is given
    /// the signature of the request's own URL: same key, same expiry.
    pub(super) fn sign_playlist(
        &self,
        call: &Call<'_>,
        identity: &Identity,
    ) -> Result<Response, Fault> {
        names::check_object(&call.key)?;
        let Identity::Url(signature) = identity else {
            return Err(invalid_request("hls/sign needs a signed URL."));
        };
        let (object, file) = self.store.object(&call.bucket, &call.key)?;
        let mut text = String::new();
        let is_text = file.take(MAX_PLAYLIST + 1).read_to_string(&mut text).is_ok();
        if object.size > MAX_PLAYLIST || text.len() as u64 > MAX_PLAYLIST {
            return Err(invalid_request("Size of playlist is too big."));
        }
        if !is_text {
            return Err(invalid_request("No ts found in the playlist."));
        }
        let sign = |key: &str, process: Option<&str>| {
            signature.sign_get(&self.keys, &call.bucket, key, process)
        };
        let signed = rewrite(&text, &call.key, sign)?;
        Ok(Response::text(200, &object.content_type, signed))
    }
}

/// Signs the lines of a playlist that lies at `playlist_key`: segments, or,
/// in a master playlist, the playlists below it, to be signed in their turn.
/// Lines that lead elsewhere, to other hosts or the root, stay as they are.
fn rewrite(
    text: &str,
    playlist_key: &str,
    sign: impl Fn(&str, Option<&str>) -> Result<String, Fault>,
) -> Result<String, Fault> {
    let folder = playlist_key.rsplit_once('/').map_or("", |(folder, _)| folder);
    let is_master = text.lines().any(|line| line.starts_with("#EXT-X-STREAM-INF"));
    let (mut signed, mut segments) = (String::with_capacity(text.len() * 2), 0);
    for line in text.lines() {
        let path = line.split(['?', '#']).next().unwrap_or_default().trim();
        let is_segment = path.ends_with(".ts");
        let process = (is_master && path.ends_with(".m3u8")).then_some("hls/sign");
        segments += usize::from(is_segment);
        signed.push_str(line);
        let leads_elsewhere = path.contains("://") || path.starts_with('/');
        if (is_segment || process.is_some()) && !leads_elsewhere {
            let name = String::from_utf8_lossy(&percent_decode(path).0).into_owned();
            let key = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            signed.push(if line.contains('?') { '&' } else { '?' });
            signed.push_str(&sign(&key, process)?);
        }
        signed.push('\n');
    }
    match (is_master, segments) {
        (true, 1..) => Err(invalid_request("Master playlist has ts file.")),
        (false, 0) => Err(invalid_request("No ts found in the playlist.")),
        _ => Ok(signed),
    }
}

fn invalid_request(message: &str) -> Fault {
    Fault::new(400, "InvalidRequest", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(text: &str, key: &str) -> Result<String, String> {
        let sign = |key: &str, process: Option<&str>| {
            Ok(format!("sig={key}{}", process.map(|p| format!("+{p}")).unwrap_or_default()))
        };
        rewrite(text, key, sign).map_err(|fault| fault.message)
    }

    #[test]
    fn every_segment_is_signed_as_a_key_beside_the_playlist() {
        let text = "#EXTM3U\n#EXTINF:5.000,\n1.ts\n#EXTINF:5.000,\na%20b.ts\n#EXT-X-ENDLIST\n";
        let expected = "#EXTM3U\n#EXTINF:5.000,\n1.ts?sig=ch/1.ts\n#EXTINF:5.000,\n\
                        a%20b.ts?sig=ch/a b.ts\n#EXT-X-ENDLIST\n";
        assert_eq!(signed(text, "ch/p.m3u8").as_deref(), Ok(expected));
        assert_eq!(signed("1.ts", "p.m3u8").as_deref(), Ok("1.ts?sig=1.ts\n"));
    }

    #[test]
    fn lines_that_lead_elsewhere_stay() {
        let text = "#EXTM3U\r\nhttp://other.example/1.ts\n/root.ts\n2.ts\n";
        let expected = "#EXTM3U\nhttp://other.example/1.ts\n/root.ts\n2.ts?sig=ch/2.ts\n";
        assert_eq!(signed(text, "ch/p.m3u8").as_deref(), Ok(expected));
    }

    #[test]
    fn a_master_playlist_leads_to_playlists_that_are_signed_in_turn() {
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
