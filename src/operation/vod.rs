//! PostVodPlaylist and GetVodPlaylist: playlists of a recording.

use super::call::Call;
use super::check::{channel_request, check_channel_name, check_playlist_name};
use super::done::{Done, parse_done};
use super::reply::{Reply, ResponseInfo};
use crate::error::{Error, Result};
use crate::request::{Method, Request};
use time::OffsetDateTime;

/// A time range, in Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VodTime {
    pub(crate) start: i64,
    pub(crate) end: i64,
}

impl VodTime {
    /// Creates a range from `start` to `end`, both inclusive. It contains the
    /// fragments that start within it. The end must be after the start, by at most
    /// a day.
    pub fn new(start: i64, end: i64) -> Self {
        VodTime { start, end }
    }

    /// Creates a range of whole seconds that covers both times.
    pub fn between(start: OffsetDateTime, end: OffsetDateTime) -> Self {
        let rounding = i64::from(end.nanosecond() > 0);
        VodTime { start: start.unix_timestamp(), end: end.unix_timestamp() + rounding }
    }
}

/// A playlist of a recording, returned by `get_vod`.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct VodPlaylist {
    /// The playlist. URLs of fragments are relative to `CHANNEL/`.
    pub text: String,
    /// Describes the call.
    pub res: ResponseInfo,
}

/// PostVodPlaylist: saves a playlist of the fragments recorded in a time range.
/// `.m3u8` is appended to the name if missing.
///
/// # Errors
///
/// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if the name is
/// invalid, or the end is not after the start, or more than a day after it.
pub fn create_vod(id: &str, name: &str, time: &VodTime) -> Result<Call<Done>> {
    check_channel_name(id)?;
    let suffix = if name.ends_with(".m3u8") { "" } else { ".m3u8" };
    let name = format!("{name}{suffix}");
    check_playlist_name(&name, 6, 1023)?;
    let request = Request::new(Method::Post, format!("{id}/{name}"));
    Ok(Call::new(request.flag("vod").span(time)?, parse_done))
}

/// GetVodPlaylist: returns the playlist that [`create_vod`] would save.
///
/// # Errors
///
/// As [`create_vod`].
pub fn get_vod(id: &str, time: &VodTime) -> Result<Call<VodPlaylist>> {
    let request = channel_request(Method::Get, id)?.flag("vod").span(time)?;
    Ok(Call::new(request, parse_get_vod))
}

fn parse_get_vod(_: &Request, reply: &Reply) -> Result<VodPlaylist> {
    reply.check()?;
    match std::str::from_utf8(&reply.body) {
        Ok(text) if text.trim_start_matches('\u{feff}').starts_with("#EXTM3U") => {
            Ok(VodPlaylist { text: text.to_owned(), res: reply.info() })
        }
        _ if reply.body.trim_ascii_start().starts_with(b"<") => Err(reply.service_error()),
        _ => {
            let message = format!("the response is not a playlist{}", reply.begin());
            Err(reply.found(Error::bad_reply(message)))
        }
    }
}

impl Request {
    fn span(self, time: &VodTime) -> Result<Request> {
        let VodTime { start, end } = *time;
        if start < 0 {
            return Err(Error::invalid(format!("start time {start}: must not be before 1970")));
        }
        if end <= start {
            let message = format!("end time {end}: must be after the start time {start}");
            return Err(Error::invalid(message));
        }
        if end - start > 86_400 {
            let hint = if end > 100_000_000_000 { "; are these milliseconds?" } else { "" };
            return Err(Error::invalid(format!(
                "time range {start} to {end}: must be at most a day (86400 seconds){hint}"
            )));
        }
        Ok(self.param("startTime", start.to_string()).param("endTime", end.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::reply::samples::{ok, query};
    use time::macros::datetime;

    #[test]
    fn a_vod_name_gets_a_suffix_and_its_own_path_segment() {
        let time = VodTime::new(1_795_330_000, 1_795_333_600);
        for name in ["vod", "vod.m3u8"] {
            let call = create_vod("c", name, &time).unwrap();
            let request = call.request();
            assert_eq!((request.method, request.key.as_str()), (Method::Post, "c/vod.m3u8"));
            assert_eq!(
                query(request),
                [("vod", None), ("startTime", Some("1795330000")), ("endTime", Some("1795333600"))]
            );
        }
        assert!(create_vod("c", "a/b", &time).is_err());
        assert!(create_vod("c", "", &time).is_err());
    }

    #[test]
    fn a_time_range_must_end_after_its_start_and_last_at_most_a_day() {
        let check = |start, end| get_vod("c", &VodTime::new(start, end));
        assert!(check(1000, 1000 + 86_400).is_ok());
        for (start, end, word) in [
            (1000, 1000 + 86_401, "at most a day"),
            (1000, 1000, "must be after"),
            (1000, 999, "must be after"),
            (-1, 10, "before 1970"),
            (1_795_330_000_000, 1_795_333_600_000, "milliseconds"),
            (0, i64::MAX, "at most a day"),
        ] {
            let error = check(start, end).unwrap_err();
            assert!(error.message().contains(word), "{error}");
        }
    }

    #[test]
    fn a_range_between_times_covers_both() {
        let time = VodTime::between(
            datetime!(2026-11-22 08:00:00.9 UTC),
            datetime!(2026-11-22 08:00:05.1 UTC),
        );
        assert_eq!(time, VodTime::new(1_795_334_400, 1_795_334_406));
        let time = VodTime::between(
            datetime!(2026-11-22 08:00:00 UTC),
            datetime!(2026-11-22 08:00:05 UTC),
        );
        assert_eq!(time, VodTime::new(1_795_334_400, 1_795_334_405));
    }

    #[test]
    fn a_vod_playlist_is_returned_unchanged() {
        let text = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-ENDLIST\n";
        assert_eq!(get_vod("c", &VodTime::new(0, 1)).unwrap().parse(&ok(text)).unwrap().text, text);
        let error = get_vod("c", &VodTime::new(0, 1))
            .unwrap()
            .parse(&ok("<html>sign in</html>"))
            .unwrap_err();
        assert!(error.message().contains("sign in"), "{error}");
        let error = get_vod("c", &VodTime::new(0, 1)).unwrap().parse(&ok("OK")).unwrap_err();
        assert_eq!(error.message(), "the response is not a playlist: \"OK\"");
    }
}
