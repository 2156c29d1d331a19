//! HLS media playlists (RFC 8216), in the format of OSS.

use std::fmt::Write;

/// The media type of playlists (RFC 8216 section 4).
pub const MEDIA_TYPE: &str = "application/vnd.apple.mpegurl";

/// A complete fragment of a recording: one entry of a playlist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    /// Its file name: [`start_ms`](Self::start_ms) and `.ts`.
    pub name: String,
    /// Its start by the wall clock, in Unix milliseconds.
    pub start_ms: u64,
    /// Its duration in milliseconds. Within a session, durations are differences of
    /// timestamps, so their sum is always exact.
    pub duration_ms: u32,
    /// Whether it does not continue the previous fragment: another session,
    /// another format, or a jump of the encoder's clock.
    pub discontinuity: bool,
}

/// Returns the playlist of a live channel, without an end.
///
/// `target` is its target duration in seconds, see [`live_target`].
/// `media_sequence` is how many fragments precede the first one, and
/// `discontinuity_sequence` how many of those are discontinuities (RFC 8216
/// sections 4.3.3.2 and 4.3.3.3).
pub fn live(
    fragments: &[&Fragment],
    target: u64,
    media_sequence: u64,
    discontinuity_sequence: u64,
) -> String {
    let longest = fragments.iter().map(|fragment| fragment.duration_ms.into()).max();
    let mut playlist = head(target.max(rounded(longest.unwrap_or(0))), media_sequence);
    if discontinuity_sequence > 0 {
        line(&mut playlist, format_args!("#EXT-X-DISCONTINUITY-SEQUENCE:{discontinuity_sequence}"));
    }
    for fragment in fragments {
        entry(&mut playlist, fragment, fragment.discontinuity);
    }
    playlist
}

/// Returns a playlist of exactly these fragments, with an end.
///
/// The first one is never marked as a discontinuity, since nothing precedes it in
/// the playlist.
pub fn vod(fragments: &[&Fragment]) -> String {
    let longest = fragments.iter().map(|fragment| fragment.duration_ms.into()).max();
    let mut playlist = head(rounded(longest.unwrap_or(0)), 0);
    for (index, fragment) in fragments.iter().enumerate() {
        entry(&mut playlist, fragment, fragment.discontinuity && index > 0);
    }
    playlist.push_str("#EXT-X-ENDLIST\n");
    playlist
}

/// The minimum by which another fragment may be longer than the first before it
/// exceeds the target duration: encoders round their clocks, and cameras jitter.
const MARGIN_MS: u64 = 250;

/// Returns the target duration of a live playlist, in seconds, for fragments that
/// are expected to last `expected_ms`: no fragment's rounded duration may exceed it
/// (RFC 8216 section 4.3.3.1), and it must not change (section 6.2.1).
pub fn live_target(expected_ms: u64) -> u64 {
    rounded(expected_ms + MARGIN_MS)
}

/// Returns the longest duration that a target duration allows.
pub fn longest_ms(target: u64) -> u64 {
    target.saturating_mul(1000).saturating_add(499)
}

/// Returns a target duration, in seconds, that allows a fragment of this duration.
fn rounded(duration_ms: u64) -> u64 {
    ((duration_ms + 500) / 1000).max(1)
}

fn head(target: u64, media_sequence: u64) -> String {
    format!(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-MEDIA-SEQUENCE:{media_sequence}\n#EXT-X-TARGETDURATION:{target}\n"
    )
}

fn entry(playlist: &mut String, fragment: &Fragment, discontinuity: bool) {
    if discontinuity {
        playlist.push_str("#EXT-X-DISCONTINUITY\n");
    }
    let Fragment { name, duration_ms, .. } = fragment;
    line(
        playlist,
        format_args!("#EXTINF:{}.{:03},\n{name}", duration_ms / 1000, duration_ms % 1000),
    );
}

fn line(playlist: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(playlist, "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use hls_m3u8::MediaPlaylist;
    use std::time::Duration;

    fn fragment(start_ms: u64, duration_ms: u32, discontinuity: bool) -> Fragment {
        Fragment { name: format!("{start_ms}.ts"), start_ms, duration_ms, discontinuity }
    }

    #[test]
    fn a_vod_playlist_has_the_format_that_oss_documents() {
        let fragments = [
            fragment(1543895706266, 7120, false),
            fragment(1543895706468, 13320, false),
            fragment(1543895719788, 9, false),
        ];
        let expected = "#EXTM3U\n\
            #EXT-X-VERSION:3\n\
            #EXT-X-MEDIA-SEQUENCE:0\n\
            #EXT-X-TARGETDURATION:13\n\
            #EXTINF:7.120,\n\
            1543895706266.ts\n\
            #EXTINF:13.320,\n\
            1543895706468.ts\n\
            #EXTINF:0.009,\n\
            1543895719788.ts\n\
            #EXT-X-ENDLIST\n";
        assert_eq!(vod(&fragments.each_ref()), expected);
    }

    #[test]
    fn a_live_playlist_has_no_end_and_counts_earlier_fragments() {
        let fragments =
            [fragment(1000, 5000, true), fragment(6000, 4996, false), fragment(11000, 5004, true)];
        let text = live(&fragments.each_ref(), 0, 41, 2);
        assert!(!text.contains("ENDLIST"), "{text}");
        let playlist = MediaPlaylist::try_from(text.as_str()).unwrap();
        assert_eq!((playlist.media_sequence, playlist.discontinuity_sequence), (41, 2));
        let marks: Vec<_> =
            playlist.segments.values().map(|segment| segment.has_discontinuity).collect();
        assert_eq!(marks, [true, false, true]);
        assert!(!live(&fragments.each_ref(), 0, 0, 0).contains("DISCONTINUITY-SEQUENCE"));
    }

    #[test]
    fn a_vod_playlist_never_starts_with_a_discontinuity() {
        let fragments = [fragment(1000, 5000, true), fragment(6000, 5000, true)];
        let text = vod(&fragments.each_ref());
        let playlist = MediaPlaylist::try_from(text.as_str()).unwrap();
        let marks: Vec<_> =
            playlist.segments.values().map(|segment| segment.has_discontinuity).collect();
        assert_eq!(marks, [false, true]);
        assert!(playlist.has_end_list);
    }

    #[test]
    fn the_target_is_the_longest_duration_rounded_to_the_nearest_second() {
        for (duration_ms, target) in [(0, 1), (499, 1), (1499, 1), (1500, 2), (60_000, 60)] {
            let fragment = fragment(1, duration_ms, false);
            let text = vod(&[&fragment]);
            assert!(text.contains(&format!("#EXT-X-TARGETDURATION:{target}\n")), "{text}");
            assert!(MediaPlaylist::try_from(text.as_str()).is_ok());
        }
    }

    #[test]
    fn a_live_playlist_has_the_given_target_unless_a_fragment_is_longer() {
        for (given, target) in [(5, 5), (9, 9), (4, 5)] {
            let text = live(&[&fragment(1, 5000, false)], given, 0, 0);
            assert!(text.contains(&format!("#EXT-X-TARGETDURATION:{target}\n")), "{text}");
        }
    }

    #[test]
    fn the_target_allows_for_jitter_but_not_for_longer_fragments() {
        for expected_ms in 1..70_000 {
            let target = live_target(expected_ms);
            assert!(longest_ms(target) >= expected_ms + MARGIN_MS - 1, "{expected_ms}");
            assert!(longest_ms(target) < expected_ms.max(1000) + 1250, "{expected_ms}");
            assert_eq!(rounded(longest_ms(target)), target);
            assert_eq!(rounded(longest_ms(target) + 1), target + 1);
        }
        assert_eq!([40, 2000, 2002, 2240, 2250, 8330].map(live_target), [1, 2, 2, 2, 3, 9]);
    }

    #[test]
    fn durations_keep_their_milliseconds() {
        let fragments = [fragment(1, 2002, false), fragment(2, 2003, false)];
        let text = live(&fragments.each_ref(), 0, 0, 0);
        let playlist = MediaPlaylist::try_from(text.as_str()).unwrap();
        let sum: Duration = playlist.segments.values().map(|s| s.duration.duration()).sum();
        assert_eq!(sum.as_micros().div_ceil(10), 400_500);
    }

    #[test]
    fn an_empty_playlist_is_valid() {
        assert_eq!(live(&[], 0, 7, 0).lines().next(), Some("#EXTM3U"));
    }
}
