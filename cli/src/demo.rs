//! `osslive demo`: checks each step end to end, from a channel to a playable
//! playlist.

mod report;
mod source;

use crate::fetch;
use crate::output::Output;
use crate::signal;
use clap::Args;
use osslive::{
    ChannelConfig, ChannelState, ChannelStatus, Client, RtmpUrlOptions, StreamState, VodTime, code,
};
use osslive_local::{Config, LocalEndpoint};
use report::Report;
use source::{Publishing, Source};
use std::error::Error;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const CHANNEL: &str = "demo";
const FRAG_DURATION: u32 = 2;
/// Both sources have a key frame every second: no fragment is longer.
const LONGEST_FRAGMENT: f64 = FRAG_DURATION as f64 + 1.0;
const PUBLISHED: Duration = Duration::from_secs(12);
const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Args)]
pub(crate) struct Arguments {
    /// Keep the endpoint running at the end, and print URLs to try yourself
    #[arg(long)]
    keep: bool,
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1:0", value_name = "HOST:PORT")]
    listen: SocketAddr,
    /// Publish the included clip even if ffmpeg is installed
    #[arg(long)]
    clip: bool,
}

pub(crate) fn run(arguments: Arguments, output: &Output) -> Outcome {
    let endpoint = LocalEndpoint::start(Config::temporary().listen(arguments.listen))?;
    let client = endpoint.client_builder().build()?;
    let source = if arguments.clip { Source::Clip } else { Source::find() };
    let mut report = Report::new(output);
    report.say(&format!("osslive demo on {}, publishing {}", endpoint.url(), source.describe()));

    create(&client, &mut report)?;
    let span = publish(&client, &source, &mut report)?;
    history(&client, &mut report)?;
    vod(&client, span, &mut report)?;
    playback(&client, &mut report)?;
    disable(&client, &source, &mut report)?;
    delete(&client, &mut report)?;
    report.say("every step succeeded");

    if arguments.keep {
        keep(&client, &endpoint, &mut report)?;
        signal::wait()?;
    }
    endpoint.stop();
    Ok(())
}

fn create(client: &Client, report: &mut Report<'_>) -> Outcome {
    report.step("create a channel");
    let config = ChannelConfig::new("Demo").frag_duration(FRAG_DURATION).frag_count(3);
    let urls = client.create_channel(CHANNEL, &config)?;
    report.detail("publish", &first(&urls.publish_urls)?);
    report.detail("play", &first(&urls.play_urls)?);
    let channel = client.get_channel(CHANNEL)?;
    ensure(channel.description == "Demo", "wrong description")?;
    ensure(client.channels("").filter_map(Result::ok).count() == 1, "wrong channel list")
}

/// Publishes, and waits until the channel is live. Returns the time span.
fn publish(client: &Client, source: &Source, report: &mut Report<'_>) -> Outcome<(i64, i64)> {
    report.step("publish to a signed URL, over RTMP");
    let url = client.get_rtmp_url(CHANNEL, &RtmpUrlOptions::new().expires(600))?;
    let began = unix_now();
    let mut publishing = source.publish(&url, PUBLISHED)?;
    let status = wait_until_live(client, &mut publishing)?;
    let live = status.live()?;
    report.detail("live since", &time_of_day(live.connected_time));
    report.detail("publisher", live.remote_addr.unwrap_or_default());
    watch(client, source, &mut publishing, report)?;
    publishing.wait()?;
    Ok((began - 1, unix_now() + 1))
}

fn wait_until_live(client: &Client, publishing: &mut Publishing) -> Outcome<ChannelStatus> {
    let until = Instant::now() + TIMEOUT;
    loop {
        let status = client.get_channel_status(CHANNEL)?;
        if status.status == StreamState::Live && status.video.is_some() {
            return Ok(status);
        }
        publishing.check()?;
        ensure(Instant::now() < until, "the channel did not go live")?;
        thread::sleep(Duration::from_millis(100));
    }
}

/// Shows progress until the publisher is nearly done, then checks the status that
/// the service reports.
fn watch(
    client: &Client,
    source: &Source,
    publishing: &mut Publishing,
    report: &mut Report<'_>,
) -> Outcome {
    let began = Instant::now();
    let watched = PUBLISHED - Duration::from_secs(2);
    let progress = report.progress(watched);
    let mut last = client.get_channel_status(CHANNEL)?;
    while began.elapsed() < watched {
        thread::sleep(Duration::from_millis(250));
        publishing.check()?;
        last = client.get_channel_status(CHANNEL)?;
        let rate = last.video.as_ref().map_or(0, |video| video.bandwidth);
        progress.show(began.elapsed(), &format!("{} {} kbit/s", last.status, rate * 8 / 1000));
    }
    drop(progress);
    let live = last.live()?;
    let video = live.video.ok_or("no video")?;
    let audio = live.audio.ok_or("no audio")?;
    report.detail(
        "video",
        &format!(
            "{}x{} at {} frames/s, {}, {} kbit/s",
            video.width,
            video.height,
            video.frame_rate,
            video.codec,
            video.bandwidth * 8 / 1000
        ),
    );
    report.detail(
        "audio",
        &format!(
            "{} Hz, {}, {} kbit/s",
            audio.sample_rate,
            audio.codec,
            audio.bandwidth * 8 / 1000
        ),
    );
    ensure((video.width, video.height) == source.size(), "wrong video size")?;
    ensure(video.frame_rate == 30, "wrong frame rate")?;
    ensure(video.bandwidth > 0 && audio.bandwidth > 0, "no bit rate reported")
}

fn history(client: &Client, report: &mut Report<'_>) -> Outcome {
    report.step("read the history");
    let until = Instant::now() + TIMEOUT;
    let records = loop {
        let records = client.get_channel_history(CHANNEL)?.records;
        if !records.is_empty() {
            break records;
        }
        ensure(Instant::now() < until, "the session is missing from the history")?;
        thread::sleep(Duration::from_millis(100));
    };
    let [record] = &records[..] else { return Err("more than one session".into()) };
    let lasted = (record.end_time - record.start_time).as_seconds_f64();
    report.detail("session", &format!("{lasted:.0} s from {}", record.remote_addr));
    ensure(record.remote_addr.starts_with("127.0.0.1:"), "wrong publisher address")?;
    ensure((lasted - PUBLISHED.as_secs_f64()).abs() < 3.0, "wrong session duration")?;
    let status = client.get_channel_status(CHANNEL)?.status;
    ensure(status == StreamState::Idle, "the channel is not idle")
}

fn vod(client: &Client, (start, end): (i64, i64), report: &mut Report<'_>) -> Outcome {
    report.step("create a VOD playlist");
    let time = VodTime::new(start, end);
    client.create_vod(CHANNEL, "recording", &time)?;
    let playlist = client.get_vod(CHANNEL, &time)?.text;
    let durations: Vec<f64> = playlist
        .lines()
        .filter_map(|line| line.strip_prefix("#EXTINF:")?.split(',').next()?.parse().ok())
        .collect();
    let total: f64 = durations.iter().sum();
    report.detail("fragments", &format!("{}, {total:.3} s in total", durations.len()));
    ensure(playlist.contains("#EXT-X-ENDLIST"), "the playlist has no #EXT-X-ENDLIST")?;
    let missing = (total - PUBLISHED.as_secs_f64()).abs();
    ensure(missing <= LONGEST_FRAGMENT, "the fragments are shorter than the stream")
}

fn playback(client: &Client, report: &mut Report<'_>) -> Outcome {
    report.step("play it from a private bucket with signed URLs");
    let url = client.get_play_url(CHANNEL, "recording.m3u8", 600)?;
    let playlist = String::from_utf8(fetch::get(&url)?)?;
    let fragment = playlist.lines().find(|line| !line.starts_with('#') && !line.is_empty());
    let fragment = fetch::join(&url, fragment.ok_or("the playlist is empty")?);
    let bytes = fetch::get(&fragment)?;
    report.detail("playlist", &format!("{} fragments", playlist.matches("#EXTINF").count()));
    report.detail("fragment", &format!("{} bytes of MPEG-TS", bytes.len()));
    let is_ts = bytes.len() % 188 == 0 && bytes.chunks(188).all(|packet| packet[0] == 0x47);
    ensure(!bytes.is_empty() && is_ts, "the fragment is not MPEG-TS")?;
    let unsigned = fragment.split('?').next().unwrap_or_default();
    ensure(fetch::get(unsigned).is_err(), "the bucket is not private")
}

fn disable(client: &Client, source: &Source, report: &mut Report<'_>) -> Outcome {
    report.step("disable the channel while it is live");
    let url = client.get_rtmp_url(CHANNEL, &RtmpUrlOptions::new().expires(600))?;
    let mut publishing = source.publish(&url, Duration::from_secs(60))?;
    wait_until_live(client, &mut publishing)?;
    client.put_channel_status(CHANNEL, ChannelState::Disabled)?;
    let until = Instant::now() + TIMEOUT;
    while publishing.check().is_ok() {
        ensure(Instant::now() < until, "the publisher was not disconnected")?;
        thread::sleep(Duration::from_millis(50));
    }
    report.detail("publisher", "disconnected");
    let status = client.get_channel_status(CHANNEL)?.status;
    ensure(status == StreamState::Disabled, "the channel is not disabled")
}

fn delete(client: &Client, report: &mut Report<'_>) -> Outcome {
    report.step("delete the channel");
    // A publisher that was just disconnected may take a moment to leave.
    let until = Instant::now() + TIMEOUT;
    while let Err(error) = client.delete_channel(CHANNEL) {
        let is_closing = error.code() == Some(code::CHANNEL_STILL_LIVE);
        if !is_closing || Instant::now() > until {
            return Err(error.into());
        }
        thread::sleep(Duration::from_millis(50));
    }
    match client.get_channel(CHANNEL) {
        Err(error) if error.code() == Some(code::NO_SUCH_LIVE_CHANNEL) => {
            report.detail("then", error.code().unwrap_or_default());
            Ok(())
        }
        Ok(_) => Err("the channel still exists".into()),
        Err(error) => Err(error.into()),
    }
}

/// Recreates the channel and prints how to use it manually.
fn keep(client: &Client, endpoint: &LocalEndpoint, report: &mut Report<'_>) -> Outcome {
    let config = ChannelConfig::new("Demo").frag_duration(FRAG_DURATION);
    client.put_channel(CHANNEL, &config)?;
    let publish = client.get_publish_url(CHANNEL, &RtmpUrlOptions::new().expires(86_400))?;
    report.step("keep the endpoint running, with a publish URL that is valid for a day");
    if let Some(page) = endpoint.page_url() {
        report.detail("page", &page);
    }
    report.detail("OBS server", &publish.server);
    report.detail("OBS stream key", &publish.stream_key);
    report.detail("ffmpeg", &format!("ffmpeg -re -i FILE -c copy -f flv '{publish}'"));
    report.detail("player", &client.get_play_url(CHANNEL, "playlist.m3u8", 86_400)?);
    report.say("press Ctrl-C to stop");
    Ok(())
}

fn ensure(held: bool, otherwise: &str) -> Outcome {
    if held { Ok(()) } else { Err(otherwise.into()) }
}

fn first(urls: &[String]) -> Outcome<String> {
    urls.first().cloned().ok_or_else(|| "the service returned no URL".into())
}

fn unix_now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}

fn time_of_day(time: Option<time::OffsetDateTime>) -> String {
    time.map_or_else(String::new, |time| {
        let (hour, minute, second) = time.to_hms();
        format!("{hour:02}:{minute:02}:{second:02} UTC")
    })
}
