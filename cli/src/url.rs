//! `osslive publish-url` and `osslive play-url`: sign URLs without contacting
//! the service.

use crate::failure::Outcome;
use crate::session::Session;
use crate::table::Table;
use crate::text::{moment, parse_positive_duration, saturating};
use clap::Args;
use osslive::{PublishUrl, RtmpUrlOptions};
use serde::Serialize;
use std::time::Duration;
use time::OffsetDateTime;

pub(crate) const PUBLISH_HELP: &str = "\
Anyone who has the URL can publish until it expires: treat it as a secret.
Expiry does not disconnect a publisher.

Examples:
  ffmpeg -re -i clip.mp4 -c copy -f flv \"$(osslive publish-url main-stage)\"
  osslive publish-url main-stage --expires 12h --obs";

pub(crate) const PLAY_HELP: &str = "\
The service signs the fragments in the playlist as well.

Examples:
  ffplay \"$(osslive play-url main-stage)\"
  osslive play-url main-stage recording.m3u8 --expires 7d";

#[derive(Args)]
pub(crate) struct Publish {
    /// Channel id; the channel may be created later
    #[arg(value_name = "CHANNEL")]
    id: String,
    /// URL lifetime
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = parse_positive_duration)]
    expires: Duration,
    /// Live playlist of this session [default: the channel's]
    #[arg(long, value_name = "NAME.m3u8")]
    playlist: Option<String>,
    /// Add a signed URL parameter (repeatable)
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parse_param)]
    params: Vec<(String, String)>,
    /// Append the STS token without signing it
    #[arg(long)]
    unsigned_token: bool,
    /// Print server and stream key separately, as OBS expects them
    #[arg(long)]
    obs: bool,
}

#[derive(Args)]
pub(crate) struct Play {
    /// Channel id
    #[arg(value_name = "CHANNEL")]
    id: String,
    /// Live or VOD playlist
    #[arg(value_name = "PLAYLIST", default_value = "playlist.m3u8")]
    playlist: String,
    /// URL lifetime, at most a week
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = parse_positive_duration)]
    expires: Duration,
}

/// A signed URL to publish to.
#[derive(Serialize)]
struct Publishing<'a> {
    channel: &'a str,
    #[serde(flatten)]
    publish: &'a PublishUrl,
}

/// A signed URL to play.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PlayUrl<'a> {
    channel: &'a str,
    playlist: &'a str,
    url: &'a str,
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

pub(crate) fn publish(arguments: &Publish, session: &Session) -> Outcome {
    let Publish { id, expires, obs, .. } = arguments;
    let mut options = RtmpUrlOptions::new()
        .expires(seconds(*expires))
        .sign_security_token(!arguments.unsigned_token);
    if let Some(name) = &arguments.playlist {
        options = options.playlist_name(name);
    }
    for (name, value) in &arguments.params {
        options = options.param(name, value);
    }
    let publish = session.client.get_publish_url(id, &options)?;
    session.output.show(&Publishing { channel: id, publish: &publish }, |out| {
        if !obs {
            return writeln!(out, "{publish}");
        }
        let mut table = Table::details();
        table.detail("server", &publish.server);
        table.detail("stream key", &publish.stream_key);
        table.detail("expires", moment(publish.expires_at));
        table.write(out);
    });
    Ok(())
}

pub(crate) fn play(arguments: &Play, session: &Session) -> Outcome {
    let Play { id, playlist, expires } = arguments;
    let url = session.client.get_play_url(id, playlist, seconds(*expires))?;
    let result = PlayUrl { channel: id, playlist, url: &url, expires_at: from_now(*expires) };
    session.output.show(&result, |out| writeln!(out, "{url}"));
    Ok(())
}

fn seconds(length: Duration) -> u32 {
    u32::try_from(length.as_secs()).unwrap_or(u32::MAX)
}

fn from_now(length: Duration) -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    let whole = now.replace_nanosecond(0).unwrap_or(now);
    whole.saturating_add(saturating(length))
}

fn parse_param(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_may_have_an_equals_sign_in_its_value() {
        assert_eq!(parse_param("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert!(parse_param("a").is_err());
    }
}
