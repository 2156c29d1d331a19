//! VOD playlists.

use super::call::Call;
use super::operation::invalid_argument;
use super::service::Service;
use crate::fault::Fault;
use crate::http::Response;
use crate::validate;
use md5::{Digest, Md5};

/// The media type that the service documents for GetVodPlaylist. Stored playlists
/// have that of RFC 8216, since newer players warn about others.
const PLAYLIST: &str = "application/x-mpegURL";
/// The maximum time span of a playlist, in seconds: a day.
const MAX_SPAN: i64 = 86_400;

impl Service {
    pub(super) fn post_vod(&self, call: &Call<'_>) -> Result<Response, Fault> {
        let (channel, name) = call.key.split_once('/').unwrap_or((&call.key, ""));
        validate::check_channel(channel)?;
        // Only the suffix has a documented EC here.
        let ec = (!name.ends_with(".m3u8")).then_some("0044-00000403");
        validate::check_playlist(name).map_err(|fault| Fault { ec, ..fault })?;
        let (start, end) = span(call)?;
        let store = &self.site.store;
        let object = store.keep_vod_playlist(&call.bucket, channel, &call.key, start, end)?;
        Ok(Response::empty(200).with("ETag", format!("\"{}\"", object.etag)))
    }

    pub(super) fn get_vod(&self, call: &Call<'_>) -> Result<Response, Fault> {
        validate::check_channel(&call.key).map_err(|fault| fault.with_ec("0044-00000302"))?;
        let (start, end) = span(call)?;
        let text = self.site.store.vod_playlist(&call.bucket, &call.key, start, end)?;
        let etag = etag(text.as_bytes());
        Ok(Response::text(200, PLAYLIST, text).with("ETag", etag))
    }
}

/// Returns a quoted ETag like those of OSS: the MD5 in upper-case hexadecimal.
fn etag(bytes: &[u8]) -> String {
    let digest: String = Md5::digest(bytes).iter().map(|byte| format!("{byte:02X}")).collect();
    format!("\"{digest}\"")
}

/// Returns the start and end in a request, in Unix seconds, at most a day apart.
fn span(call: &Call<'_>) -> Result<(i64, i64), Fault> {
    let seconds = |name| {
        let text = call.param(name);
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse()
            .ok()
            .filter(|_: &i64| digits)
            .ok_or_else(|| invalid_argument(name, text, "must be a time in Unix seconds"))
    };
    let start = seconds("startTime").map_err(|fault| fault.with_ec("0044-00000304"))?;
    let end = seconds("endTime").map_err(|fault| fault.with_ec("0044-00000305"))?;
    let (rule, ec) = match end.checked_sub(start) {
        Some(0..=MAX_SPAN) => return Ok((start, end)),
        Some(..0) => ("must not be before startTime", "0044-00000306"),
        _ => ("must be at most a day after startTime", "0044-00000307"),
    };
    Err(invalid_argument("endTime", call.param("endTime"), rule).with_ec(ec))
}
