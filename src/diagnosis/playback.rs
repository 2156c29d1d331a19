//! Whether players can read the playlist, and the fragments in it.

use super::access::summary;
use super::report::{CheckId, Findings};
use super::words;
use crate::error::{Error, Result, code};
use crate::operation::ObjectSummary;
use crate::playlist::Playlist;
use std::collections::HashSet;

/// The response to a request for a URL.
pub(super) struct Fetched {
    /// The error that the response represents, if any.
    pub(super) error: Option<Error>,
    pub(super) body: Vec<u8>,
    pub(super) content_type: Option<String>,
    /// Whether the service makes browsers download it.
    pub(super) is_download: bool,
    /// The header `access-control-allow-origin`.
    pub(super) allowed_origin: Option<String>,
}

/// What is known about the channel behind a playlist.
#[derive(Clone, Copy)]
pub(super) struct PlaylistContext {
    /// Whether it has been live for long enough to have a playlist.
    pub(super) has_played: bool,
    /// Whether anyone may read the bucket; `None` if that is unknown.
    pub(super) is_public: Option<bool>,
    /// Whether the URL is one that players were given.
    pub(super) is_given: bool,
}

/// Judges the response to a playlist's URL, and returns the playlist.
pub(super) fn judge(
    id: CheckId,
    fetched: &Result<Fetched>,
    behind: PlaylistContext,
    findings: &mut Findings<'_>,
) -> Option<Playlist> {
    let fetched = match fetched {
        Ok(fetched) => fetched,
        Err(error) => {
            findings.problem(id, summary(error), "check the host of the play URL and the network");
            return None;
        }
    };
    if let Some(error) = &fetched.error {
        judge_rejection(id, error, behind, findings);
        return None;
    }
    let playlist = Playlist::parse(&fetched.body);
    match &playlist {
        Some(playlist) => {
            findings.ok(id, words::count(playlist.fragments.len(), "fragment"));
        }
        None => findings.problem(
            id,
            "the response is not a playlist",
            "check the play URL: its path must end in the playlist's name",
        ),
    }
    playlist
}

fn judge_rejection(
    id: CheckId,
    error: &Error,
    behind: PlaylistContext,
    findings: &mut Findings<'_>,
) {
    let is_missing = error.status() == Some(404) && error.code() != Some(code::NO_SUCH_BUCKET);
    if is_missing && !behind.is_given && !behind.has_played {
        return findings.skip(id, "there is no playlist yet");
    }
    if is_missing {
        let advice = "wait until a fragment is complete; check the playlist's name, which a \
                      publish URL can override";
        return findings.problem(id, summary(error), advice);
    }
    let is_refused = error.status() == Some(403);
    if id == CheckId::PlayUnsigned
        && is_refused
        && !behind.is_given
        && behind.is_public != Some(true)
    {
        return findings.ok(id, "rejected, as the bucket is not public: play URLs must be signed");
    }
    let advice = match id {
        CheckId::PlayUnsigned if is_refused => {
            "sign the play URL, or allow public access to the bucket"
        }
        _ if is_refused => {
            "sign a new URL; allow oss:GetObject in the RAM policy of the access key that signs it"
        }
        _ => "open the URL with curl -i and look at the response",
    };
    findings.problem(id, summary(error), advice);
}

/// Judges the headers of a playlist and of a fragment, if there is one.
pub(super) fn judge_headers(
    playlist: &Fetched,
    fragment: Option<&Fetched>,
    findings: &mut Findings<'_>,
) {
    let of = |fetched: &Fetched| fetched.content_type.clone().unwrap_or_default();
    let (playlist_type, fragment_type) = (of(playlist), fragment.map(of));
    let is_playlist = playlist_type.to_ascii_lowercase().contains("mpegurl");
    let is_fragment =
        fragment_type.as_ref().is_none_or(|kind| kind.to_ascii_lowercase().contains("mp2t"));
    let seen =
        [Some(playlist_type), fragment_type].map(|kind| kind.map(|kind| words::brief(&kind)));
    let seen = seen.into_iter().flatten().collect::<Vec<_>>().join(", ");
    if is_playlist && is_fragment {
        findings.ok(CheckId::ContentType, seen);
    } else {
        let advice = "store the playlist as application/x-mpegURL and fragments as video/MP2T: \
                      some players reject other types";
        findings.warn(CheckId::ContentType, seen, advice);
    }
    if playlist.is_download || fragment.is_some_and(|fragment| fragment.is_download) {
        let advice = "use a custom domain bound to the bucket: browsers download files from the \
                      service's own domain instead of playing them";
        findings.warn(CheckId::ForcedDownload, "the service makes browsers download it", advice);
    } else {
        findings.ok(CheckId::ForcedDownload, "browsers can play it");
    }
}

/// Judges whether pages of an origin may read both.
pub(super) fn judge_cors<'a>(
    origin: &str,
    fetched: impl IntoIterator<Item = &'a Result<Fetched>>,
    findings: &mut Findings<'_>,
) {
    let allows = |fetched: &Result<Fetched>| {
        let fetched = fetched.as_ref().ok().filter(|fetched| fetched.error.is_none());
        let allowed = fetched.and_then(|fetched| fetched.allowed_origin.as_deref());
        matches!(allowed, Some("*")) || allowed == Some(origin)
    };
    let shown = words::brief(origin);
    if fetched.into_iter().all(allows) {
        findings.ok(CheckId::Cors, format!("pages from {shown} may play it"));
    } else {
        let advice = format!("add a CORS rule to the bucket that allows GET from {shown}");
        findings.problem(CheckId::Cors, format!("pages from {shown} may not play it"), advice);
    }
}

/// Judges how many of a playlist's fragments could not be read.
pub(super) fn judge_fragments(tried: usize, failed: &[Error], findings: &mut Findings<'_>) {
    let id = CheckId::Fragments;
    match failed.first() {
        None if tried == 0 => findings.skip(id, "the playlist has no fragments"),
        None => findings.ok(id, format!("{} could be read", words::count(tried, "fragment"))),
        Some(error) if error.status() == Some(404) => findings.problem(
            id,
            format!("{} of {tried} do not exist", failed.len()),
            "save a new playlist: a lifecycle rule or a cleanup deleted some of its fragments",
        ),
        Some(error) => findings.problem(
            id,
            format!("{} of {tried} could not be read: {}", failed.len(), summary(error)),
            "play with x-oss-process=hls/sign, so that the service signs the fragments as well",
        ),
    }
}

/// Reports fragments that are stored but in no playlist. That is no problem, but they
/// are billed.
pub(super) fn judge_unlisted(
    stored: &[ObjectSummary],
    listed: &HashSet<String>,
    is_truncated: bool,
    findings: &mut Findings<'_>,
) {
    let fragments: Vec<_> = stored.iter().filter(|object| object.key.ends_with(".ts")).collect();
    let name = |key: &str| key.rsplit('/').next().unwrap_or_default().to_owned();
    let unlisted: Vec<_> =
        fragments.iter().filter(|fragment| !listed.contains(&name(&fragment.key))).collect();
    let bytes = unlisted.iter().map(|fragment| fragment.size).sum();
    let (some, all) = (unlisted.len(), words::count(fragments.len(), "fragment"));
    let at_least = if is_truncated { "at least " } else { "" };
    findings.ok(
        CheckId::UnlistedFragments,
        format!(
            "{at_least}{some} of {all} ({}) are in no playlist; OSS keeps them",
            words::size(bytes)
        ),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::report::{Diagnosis, Verdict, judged};
    use crate::error::ErrorKind;

    fn fetched(content_type: &str) -> Fetched {
        Fetched {
            error: None,
            body: b"#EXTM3U\n".to_vec(),
            content_type: Some(content_type.to_owned()),
            is_download: false,
            allowed_origin: None,
        }
    }

    fn verdict(diagnosis: &Diagnosis, id: CheckId) -> Verdict {
        diagnosis.check(id).unwrap().verdict
    }

    #[test]
    fn media_types_and_downloads_are_judged_by_the_headers() {
        for (playlist, fragment, expected) in [
            ("application/x-mpegURL", "video/MP2T", Verdict::Ok),
            ("text/plain", "video/MP2T", Verdict::Warning),
            ("application/vnd.apple.mpegurl", "text/plain", Verdict::Warning),
        ] {
            let diagnosis = judged(|findings| {
                judge_headers(&fetched(playlist), Some(&fetched(fragment)), findings);
            });
            assert_eq!(verdict(&diagnosis, CheckId::ContentType), expected);
            assert_eq!(verdict(&diagnosis, CheckId::ForcedDownload), Verdict::Ok);
        }
        let saved = Fetched { is_download: true, ..fetched("application/x-mpegURL") };
        let diagnosis = judged(|findings| judge_headers(&saved, None, findings));
        assert_eq!(verdict(&diagnosis, CheckId::ForcedDownload), Verdict::Warning);
    }

    #[test]
    fn an_origin_may_play_if_the_rule_allows_it_or_any_origin() {
        for (allowed, expected) in [
            (Some("*"), Verdict::Ok),
            (Some("https://a.example"), Verdict::Ok),
            (Some("https://b.example"), Verdict::Problem),
            (None, Verdict::Problem),
        ] {
            let playlist = Fetched { allowed_origin: allowed.map(str::to_owned), ..fetched("") };
            let diagnosis =
                judged(|findings| judge_cors("https://a.example", &[Ok(playlist)], findings));
            assert_eq!(verdict(&diagnosis, CheckId::Cors), expected);
        }
    }

    #[test]
    fn an_unsigned_url_of_a_private_bucket_is_a_problem_if_players_have_it() {
        let refused = || {
            let error = Error::new(ErrorKind::Service, "no").with_status(403);
            Ok(Fetched { error: Some(error), ..fetched("") })
        };
        for (is_public, is_given, expected) in [
            (Some(false), false, Verdict::Ok),
            (None, false, Verdict::Ok),
            (Some(true), false, Verdict::Problem),
            (Some(false), true, Verdict::Problem),
        ] {
            let behind = PlaylistContext { has_played: true, is_public, is_given };
            let diagnosis = judged(|findings| {
                assert_eq!(judge(CheckId::PlayUnsigned, &refused(), behind, findings), None);
            });
            assert_eq!(verdict(&diagnosis, CheckId::PlayUnsigned), expected);
        }
    }

    #[test]
    fn fragments_in_no_playlist_are_counted() {
        let stored = [("c/1.ts", 500), ("c/2.ts", 1500), ("c/playlist.m3u8", 9)];
        let stored = stored.map(|(key, size)| ObjectSummary::of(key, size));
        let listed = HashSet::from(["1.ts".to_owned()]);
        let diagnosis = judged(|findings| judge_unlisted(&stored, &listed, false, findings));
        let seen = &diagnosis.check(CheckId::UnlistedFragments).unwrap().seen;
        assert!(seen.contains("1 of 2 fragments (1.5 kB)"), "{seen}");
    }

    #[test]
    fn a_missing_playlist_is_a_problem_only_if_there_must_be_one() {
        let missing = |code: &str| {
            let error = Error::new(ErrorKind::Service, "no").with_status(404).with_code(code);
            Ok(Fetched { error: Some(error), ..fetched("") })
        };
        for (code, has_played, is_given, expected) in [
            ("NoSuchKey", false, false, Verdict::NotChecked),
            ("NoSuchKey", true, false, Verdict::Problem),
            ("NoSuchKey", false, true, Verdict::Problem),
            (code::NO_SUCH_BUCKET, false, false, Verdict::Problem),
        ] {
            let behind = PlaylistContext { has_played, is_public: None, is_given };
            let diagnosis = judged(|findings| {
                assert_eq!(judge(CheckId::PlaySigned, &missing(code), behind, findings), None);
            });
            assert_eq!(verdict(&diagnosis, CheckId::PlaySigned), expected, "{code}");
        }
    }

    #[test]
    fn the_advice_depends_on_the_rejection() {
        let behind = PlaylistContext { has_played: true, is_public: Some(true), is_given: false };
        for (id, status, word) in [
            (CheckId::PlayUnsigned, 403, "allow public access"),
            (CheckId::PlaySigned, 403, "sign a new URL"),
            (CheckId::PlayUnsigned, 500, "curl"),
            (CheckId::PlaySigned, 500, "curl"),
        ] {
            let error = Error::new(ErrorKind::Service, "no").with_status(status);
            let rejected = Ok(Fetched { error: Some(error), ..fetched("") });
            let diagnosis = judged(|findings| drop(judge(id, &rejected, behind, findings)));
            let advice = diagnosis.check(id).unwrap().advice.as_ref().unwrap();
            assert!(advice.contains(word), "{advice}");
        }
        // An unsigned request may be rejected, but it must not fail.
        let behind = PlaylistContext { is_public: Some(false), ..behind };
        let error = Error::new(ErrorKind::Service, "no").with_status(500);
        let failed = Ok(Fetched { error: Some(error), ..fetched("") });
        let id = CheckId::PlayUnsigned;
        let diagnosis = judged(|findings| drop(judge(id, &failed, behind, findings)));
        assert_eq!(verdict(&diagnosis, id), Verdict::Problem);
    }

    #[test]
    fn fragments_that_cannot_be_read_are_a_problem() {
        let failed = |status| vec![Error::new(ErrorKind::Service, "no").with_status(status)];
        for (tried, failed, expected, word) in [
            (0, vec![], Verdict::NotChecked, "no fragments"),
            (3, vec![], Verdict::Ok, "3 fragments could be read"),
            (3, failed(404), Verdict::Problem, "1 of 3 do not exist"),
            (3, failed(403), Verdict::Problem, "1 of 3 could not be read"),
        ] {
            let diagnosis = judged(|findings| judge_fragments(tried, &failed, findings));
            let check = diagnosis.check(CheckId::Fragments).unwrap();
            assert_eq!(check.verdict, expected);
            assert!(check.seen.contains(word), "{check:?}");
        }
    }
}
