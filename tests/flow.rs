//! The client against the local endpoint: every operation, every error of the service,
//! and real RTMP streams.

#[path = "support/clip.rs"]
mod clip;

use osslive::{
    ChannelConfig, ChannelState, Client, ClientBuilder, Credentials, Error, ErrorKind,
    ListChannels, RtmpUrlOptions, SignatureVersion, Snapshot, StreamState, VodTime, code,
};
use osslive_local::push::{Publisher, PushError};
use osslive_local::{Acl, Clock, Config, LocalEndpoint};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use time::OffsetDateTime;

/// An endpoint with its own folder, both removed at the end.
struct Stage {
    endpoint: Option<LocalEndpoint>,
    folder: TempDir,
}

impl Stage {
    fn new() -> Self {
        Stage::with(|config| config)
    }

    fn with(configure: impl FnOnce(Config) -> Config) -> Self {
        let folder = TempDir::new().unwrap();
        let endpoint = LocalEndpoint::start(configure(Config::new(folder.path()))).unwrap();
        Stage { endpoint: Some(endpoint), folder }
    }

    fn builder(&self) -> ClientBuilder {
        self.endpoint.as_ref().unwrap().client_builder().attempts(1)
    }

    fn client(&self) -> Client {
        self.builder().build().unwrap()
    }
}

fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < until, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

fn code_of<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    let error = result.unwrap_err();
    assert!(error.request_id().is_some(), "no request id: {error:?}");
    error.code().unwrap_or_default().to_owned()
}

#[test]
fn a_channel_lives_from_put_to_delete() {
    let stage = Stage::new();
    let client = stage.client();
    let config = ChannelConfig::new("Front door").frag_duration(2).frag_count(4);
    let urls = client.put_channel("front door", &config).unwrap();
    assert_eq!(urls.res.status, 200);
    assert!(urls.publish_urls[0].ends_with("/live-demo/live/front%20door"), "{urls:?}");
    assert!(urls.play_urls[0].ends_with("/live-demo/front%20door/playlist.m3u8"), "{urls:?}");

    let channel = client.get_channel("front door").unwrap();
    assert_eq!((&*channel.name, &*channel.description), ("front door", "Front door"));
    assert_eq!(channel.status, ChannelState::Enabled);
    assert_eq!((channel.frag_duration, channel.frag_count), (2, 4));
    assert_eq!((&*channel.target_type, &*channel.playlist_name), ("HLS", "playlist.m3u8"));
    assert_eq!(channel.create_time, None);
    assert!(channel.last_modified.is_some());
    assert_eq!(channel.publish_urls, urls.publish_urls);
    assert_eq!(channel.play_urls, urls.play_urls);

    client.put_channel_status("front door", ChannelState::Disabled).unwrap();
    assert_eq!(client.get_channel("front door").unwrap().status, ChannelState::Disabled);
    let status = client.get_channel_status("front door").unwrap();
    assert_eq!(status.status, StreamState::Disabled);
    assert_eq!(status.live().unwrap_err().code(), Some(code::CHANNEL_NOT_LIVE));
    client.put_channel_status("front door", ChannelState::Enabled).unwrap();
    assert_eq!(client.get_channel_status("front door").unwrap().status, StreamState::Idle);
    assert_eq!(client.get_channel_history("front door").unwrap().records, []);

    assert_eq!(client.delete_channel("front door").unwrap().res.status, 204);
    assert_eq!(client.delete_channel("front door").unwrap().res.status, 204);
    assert_eq!(code_of(client.get_channel("front door")), code::NO_SUCH_LIVE_CHANNEL);
}

#[test]
fn create_channel_leaves_an_existing_one_alone() {
    let stage = Stage::new();
    let client = stage.client();
    client.create_channel("c", &ChannelConfig::new("first")).unwrap();
    let again = client.create_channel("c", &ChannelConfig::new("second"));
    assert_eq!(code_of(again), code::CHANNEL_ALREADY_EXISTS);
    assert_eq!(client.get_channel("c").unwrap().description, "first");
}

#[test]
fn channels_are_listed_page_by_page_and_all_together() {
    let stage = Stage::new();
    let client = stage.client();
    let names: Vec<_> = (0..25).map(|number| format!("cam-{number:02}")).collect();
    for name in &names {
        client.put_channel(name, &ChannelConfig::new(name)).unwrap();
    }
    client.put_channel("other", &ChannelConfig::default()).unwrap();
    let page = client.list_channels(&ListChannels::new().prefix("cam-").max_keys(10)).unwrap();
    assert!(page.is_truncated);
    assert_eq!(page.next_marker.as_deref(), Some("cam-09"));
    let found: Vec<_> = page.channels.iter().map(|channel| channel.name.clone()).collect();
    assert_eq!(found, names[..10]);
    let rest = ListChannels::new().prefix("cam-").marker("cam-09").max_keys(100);
    let rest = client.list_channels(&rest).unwrap();
    assert_eq!((rest.channels.len(), rest.is_truncated, rest.next_marker), (15, false, None));
    let all: Vec<_> = client.channels("").map(|channel| channel.unwrap().name).collect();
    assert_eq!(all.len(), 26);
    assert_eq!(all.last().map(String::as_str), Some("other"));
}

#[test]
fn names_of_any_script_and_punctuation_survive() {
    let stage = Stage::new();
    for version in [SignatureVersion::V4, SignatureVersion::V1] {
        let client = stage.builder().signature_version(version).build().unwrap();
        for name in ["直播频道-1", "live channel 2", "a+b&c=d#f%41;g", "...", "~._-", "é"] {
            client.put_channel(name, &ChannelConfig::new(name)).unwrap();
            let channel = client.get_channel(name).unwrap();
            assert_eq!((&*channel.name, &*channel.description), (name, name));
            assert!(channel.last_modified.is_some(), "{name} is not listed");
            assert_eq!(client.get_channel_status(name).unwrap().status, StreamState::Idle);
            clip::publish(&client.get_rtmp_url(name, &RtmpUrlOptions::new()).unwrap())
                .finish()
                .unwrap();
            wait_for("the end of the session", || {
                !client.get_channel_history(name).unwrap().records.is_empty()
            });
            client.delete_channel(name).unwrap();
        }
    }
}

#[test]
fn a_published_stream_is_live_recorded_and_saved_as_vod() {
    let stage = Stage::new();
    let client = stage.client();
    let started = now() - 1;
    client.put_channel("c", &ChannelConfig::new("").frag_duration(2)).unwrap();
    let publisher = clip::publish(&client.get_rtmp_url("c", &RtmpUrlOptions::new()).unwrap());
    wait_for("live with video", || {
        client.get_channel_status("c").unwrap().video.is_some_and(|video| video.width == 320)
    });
    let status = client.get_channel_status("c").unwrap();
    let live = status.live().unwrap();
    assert!(live.remote_addr.unwrap().starts_with("127.0.0.1:"));
    assert!((OffsetDateTime::now_utc() - live.connected_time.unwrap()).whole_seconds() < 60);
    let video = live.video.unwrap();
    assert_eq!(
        (video.width, video.height, video.frame_rate, &*video.codec),
        (320, 180, 30, "H264")
    );
    let audio = live.audio.unwrap();
    assert_eq!((audio.sample_rate, &*audio.codec), (44_100, "AAC"));

    for rejected in [
        client.put_channel("c", &ChannelConfig::default()).map(drop),
        client.delete_channel("c").map(drop),
        client.put_channel_status("c", ChannelState::Enabled).map(drop),
    ] {
        assert_eq!(code_of(rejected), code::CHANNEL_STILL_LIVE);
    }
    publisher.finish().unwrap();
    wait_for("idle", || client.get_channel_status("c").unwrap().status == StreamState::Idle);
    let records = client.get_channel_history("c").unwrap().records;
    assert_eq!(records.len(), 1);
    assert!(records[0].remote_addr.starts_with("127.0.0.1:"));

    let span = VodTime::new(started, now() + 60);
    assert_eq!(client.create_vod("c", "all", &span).unwrap().res.status, 200);
    let playlist = client.get_vod("c", &span).unwrap();
    assert!(playlist.text.ends_with("#EXT-X-ENDLIST\n"), "{}", playlist.text);
    let seconds: f64 = playlist
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("#EXTINF:")?.trim_end_matches(',').parse::<f64>().ok())
        .sum();
    assert!((seconds - 6.0).abs() < 0.2, "{seconds}: {}", playlist.text);
}

#[test]
fn disabling_a_channel_disconnects_its_publisher_and_rejects_the_next() {
    let stage = Stage::new();
    let client = stage.client();
    client.put_channel("c", &ChannelConfig::default()).unwrap();
    let url = client.get_rtmp_url("c", &RtmpUrlOptions::new()).unwrap();
    let mut publisher = clip::publish(&url);
    client.put_channel_status("c", ChannelState::Disabled).unwrap();
    wait_for("the disconnect", || publisher.poll().is_err());
    assert_eq!(client.get_channel_status("c").unwrap().status, StreamState::Disabled);
    assert!(rejection(&url).starts_with("LiveChannelDisabled"));
}

/// Returns the error that a publisher receives.
fn rejection(url: &str) -> String {
    match Publisher::connect(url, Duration::from_secs(10)) {
        Err(PushError::Refused { description, .. }) => description,
        Err(other) => panic!("not rejected, but: {other}"),
        Ok(_) => panic!("accepted: {url}"),
    }
}

#[test]
fn a_rejected_publisher_gets_the_error_of_the_service() {
    let stage = Stage::new();
    let client = stage.client();
    client.put_channel("c", &ChannelConfig::default()).unwrap();
    let good = client
        .get_rtmp_url("c", &RtmpUrlOptions::new().playlist_name("p.m3u8").param("device", "a b"))
        .unwrap();
    let (path, _) = good.split_once('?').unwrap();
    for (url, words) in [
        (path.to_owned(), "AccessDenied"),
        (good.replace("device=a", "device=b"), "SignatureDoesNotMatch"),
        (good.replace("p.m3u8", "q.m3u8"), "SignatureDoesNotMatch"),
        (good.replace("/live/c?", "/live/d?"), "SignatureDoesNotMatch"),
        (good.replace("OSSAccessKeyId=o", "OSSAccessKeyId=x"), "InvalidAccessKeyId"),
        (good.replace("Expires=1", "Expires=0"), "AccessDenied"),
        (format!("{good}&extra=1"), "SignatureDoesNotMatch"),
        (good.replace("/live/c?", "/vod/c?"), "InvalidArgument"),
        (good.replace("/live-demo/", "/no-such-bucket/"), "NoSuchBucket"),
        (client.get_rtmp_url("absent", &RtmpUrlOptions::new()).unwrap(), "NoSuchLiveChannel"),
    ] {
        let message = rejection(&url);
        assert!(message.starts_with(words), "{url}: {message}");
    }
    let first = clip::publish(&good);
    assert_eq!(rejection(&good), "ChannelStillLive: Live channel already has a publisher.");
    first.finish().unwrap();
}

#[test]
fn an_sts_token_works_for_all_operations_signed_or_unsigned() {
    let stage = Stage::with(|config| config.temporary_key("STS.id", "sts-secret", "to+ke/n=="));
    let temporary = Credentials::new("STS.id", "sts-secret");
    for version in [SignatureVersion::V4, SignatureVersion::V1] {
        let with = |credentials: Credentials| {
            stage.builder().signature_version(version).credentials(credentials).build().unwrap()
        };
        let client = with(temporary.clone().with_security_token("to+ke/n=="));
        client.put_channel("c", &ChannelConfig::default()).unwrap();
        for signed in [true, false] {
            let options = RtmpUrlOptions::new().sign_security_token(signed);
            clip::publish(&client.get_rtmp_url("c", &options).unwrap()).finish().unwrap();
            wait_for("idle", || {
                client.get_channel_status("c").unwrap().status == StreamState::Idle
            });
        }
        let missing = with(temporary.clone());
        assert_eq!(code_of(missing.get_channel("c")), code::INVALID_SECURITY_TOKEN);
        let wrong = with(temporary.clone().with_security_token("other"));
        assert_eq!(code_of(wrong.get_channel("c")), code::INVALID_SECURITY_TOKEN);
        let url = missing.get_rtmp_url("c", &RtmpUrlOptions::new()).unwrap();
        assert!(rejection(&url).starts_with("InvalidSecurityToken"));
    }
    let mixed = Credentials::new(Config::ACCESS_KEY_ID, Config::ACCESS_KEY_SECRET)
        .with_security_token("to+ke/n==");
    let client = stage.builder().credentials(mixed).build().unwrap();
    let rejected = code_of(client.get_channel("c"));
    assert_eq!(rejected, code::ACCESS_KEY_ID_AND_SECURITY_TOKEN_NOT_MATCH);
}

#[test]
fn each_error_has_the_code_of_the_service() {
    let stage = Stage::new();
    let client = stage.client();
    let key = |id: &str, secret: &str| {
        stage.builder().credentials(Credentials::new(id, secret)).build().unwrap()
    };
    let bucket = stage.builder().bucket("no-such-bucket").build().unwrap();
    let span = VodTime::new(now() - 60, now());
    for (result, expected, status) in [
        (client.get_channel("absent").map(drop), code::NO_SUCH_LIVE_CHANNEL, 404),
        (client.get_channel_status("absent").map(drop), code::NO_SUCH_LIVE_CHANNEL, 404),
        (client.get_channel_history("absent").map(drop), code::NO_SUCH_LIVE_CHANNEL, 404),
        (
            client.put_channel_status("absent", ChannelState::Enabled).map(drop),
            code::NO_SUCH_LIVE_CHANNEL,
            404,
        ),
        (client.create_vod("absent", "v", &span).map(drop), code::INVALID_ARGUMENT, 400),
        (client.get_vod("absent", &span).map(drop), code::INVALID_ARGUMENT, 400),
        (
            client.put_channel(&"x".repeat(64), &ChannelConfig::default()).map(drop),
            code::INVALID_CHANNEL_NAME,
            400,
        ),
        (
            client
                .put_channel(
                    "c",
                    &ChannelConfig::default().snapshot(Snapshot::new("r", "B!", "t", 1)),
                )
                .map(drop),
            code::INVALID_ARGUMENT,
            400,
        ),
        (bucket.get_channel("c").map(drop), code::NO_SUCH_BUCKET, 404),
        (bucket.list_channels(&ListChannels::new()).map(drop), code::NO_SUCH_BUCKET, 404),
        (key("nobody", "x").get_channel("c").map(drop), code::INVALID_ACCESS_KEY_ID, 403),
        (
            key(Config::ACCESS_KEY_ID, "wrong").get_channel("c").map(drop),
            code::SIGNATURE_DOES_NOT_MATCH,
            403,
        ),
    ] {
        let error = result.unwrap_err();
        assert_eq!((error.code(), error.status()), (Some(expected), Some(status)), "{error}");
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Service, 1));
        assert_eq!(error.request_id().map(str::len), Some(24), "{error:?}");
        assert!(error.host_id().is_some() && !error.message().is_empty(), "{error:?}");
    }
    let nothing = client.get_vod("absent", &span).unwrap_err();
    assert_eq!(nothing.ec(), Some("0044-00000308"));
    assert_eq!(nothing.message(), "No ts file found in specified time span.");
}

#[test]
fn a_wrong_region_is_rejected() {
    let stage = Stage::new();
    let client = stage.builder().region("cn-beijing").build().unwrap();
    let error = client.get_channel("c").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Service);
    assert!(error.message().contains("Invalid signing region"), "{error}");
    assert_eq!(error.ec(), Some("0002-00000226"));
}

#[test]
fn too_many_calls_per_second_are_throttled_and_then_succeed() {
    let stage = Stage::with(|config| config.qps_limit(2));
    let once = stage.client();
    let codes: Vec<_> = (0..6)
        .filter_map(|_| once.list_channels(&ListChannels::new()).err())
        .map(|error| (error.code().unwrap().to_owned(), error.status().unwrap()))
        .collect();
    assert!(!codes.is_empty());
    assert!(
        codes
            .iter()
            .all(|code| { *code == (code::META_OPERATION_QPS_LIMIT_EXCEEDED.to_owned(), 503) })
    );
    let with_retries = stage.builder().attempts(20).build().unwrap();
    for _ in 0..4 {
        with_retries.list_channels(&ListChannels::new()).unwrap();
    }
}

#[test]
fn a_clock_two_hours_behind_the_service_is_corrected() {
    let stage = Stage::with(|config| {
        config.clock(Clock::from_fn(|| OffsetDateTime::now_utc() + time::Duration::hours(2)))
    });
    for version in [SignatureVersion::V4, SignatureVersion::V1] {
        let client = stage.builder().signature_version(version).build().unwrap();
        let put = client.put_channel("c", &ChannelConfig::default()).unwrap();
        assert_eq!(put.res.attempts, 2);
        assert_eq!(client.get_channel_status("c").unwrap().res.attempts, 1);
        // Publish URLs also expire by the service's clock.
        let url = client.get_rtmp_url("c", &RtmpUrlOptions::new().expires(60)).unwrap();
        clip::publish(&url).finish().unwrap();
    }
}

#[test]
fn a_public_read_write_bucket_accepts_unsigned_publishers() {
    let stage = Stage::with(|config| config.acl(Acl::PublicReadWrite));
    let client = stage.client();
    let urls = client.put_channel("c", &ChannelConfig::default()).unwrap();
    clip::publish(&urls.publish_urls[0]).finish().unwrap();
    wait_for("a session", || client.get_channel_history("c").unwrap().records.len() == 1);
}

#[test]
fn everything_is_kept_across_a_restart() {
    let mut stage = Stage::new();
    let client = stage.client();
    client.put_channel("c", &ChannelConfig::new("kept").frag_duration(2)).unwrap();
    clip::publish(&client.get_rtmp_url("c", &RtmpUrlOptions::new()).unwrap()).finish().unwrap();
    wait_for("a session", || client.get_channel_history("c").unwrap().records.len() == 1);
    let before = client.get_vod("c", &VodTime::new(now() - 600, now() + 600)).unwrap().text;

    drop(stage.endpoint.take());
    stage.endpoint = Some(LocalEndpoint::start(Config::new(stage.folder.path())).unwrap());
    let client = stage.client();
    assert_eq!(client.get_channel("c").unwrap().description, "kept");
    assert_eq!(client.get_channel_history("c").unwrap().records.len(), 1);
    let after = client.get_vod("c", &VodTime::new(now() - 600, now() + 600)).unwrap().text;
    assert_eq!(after, before);
}

#[test]
fn stopping_the_endpoint_ends_live_sessions_with_their_last_fragment() {
    let mut stage = Stage::new();
    let client = stage.client();
    client.put_channel("c", &ChannelConfig::new("").frag_duration(100)).unwrap();
    let publisher = clip::publish(&client.get_rtmp_url("c", &RtmpUrlOptions::new()).unwrap());
    wait_for("live", || client.get_channel_status("c").unwrap().video.is_some());
    drop(stage.endpoint.take());
    drop(publisher);
    stage.endpoint = Some(LocalEndpoint::start(Config::new(stage.folder.path())).unwrap());
    let client = stage.client();
    assert_eq!(client.get_channel_history("c").unwrap().records.len(), 1);
    let text = client.get_vod("c", &VodTime::new(now() - 600, now() + 600)).unwrap().text;
    assert_eq!(text.matches("#EXTINF").count(), 1, "{text}");
}
