//! The operations as bytes: what is asked, and how answers are read.

use osslive::operation::{self, Reply};
use osslive::request::{Method, Request};
use osslive::{
    ChannelConfig, ChannelState, Error, ErrorKind, ListChannels, RtmpUrlOptions, Snapshot,
    StreamState, VodTime, code,
};
use time::macros::datetime;

fn ok(body: &str) -> Reply {
    Reply {
        status: 200,
        request_id: Some("6B02A4E6B92475920B0002F1".into()),
        body: body.as_bytes().to_vec(),
        attempts: 1,
        ..Reply::default()
    }
}

fn failed(status: u16, body: &str) -> Error {
    operation::delete_channel("c").unwrap().parse(&Reply { status, ..ok(body) }).unwrap_err()
}

fn query(request: &Request) -> Vec<(&str, Option<&str>)> {
    request.query.iter().map(|(name, value)| (&**name, value.as_deref())).collect()
}

fn body(request: Request) -> String {
    String::from_utf8(request.body.unwrap().bytes).unwrap()
}

#[test]
fn put_channel_sends_both_fragment_settings_even_when_they_are_the_defaults() {
    let call = operation::put_channel("front-door", &ChannelConfig::new("Front <door>")).unwrap();
    let request = call.into_request();
    assert_eq!((request.method, request.key.as_str()), (Method::Put, "front-door"));
    assert_eq!(query(&request), [("live", None)]);
    assert_eq!(
        body(request),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <LiveChannelConfiguration><Description>Front &lt;door&gt;</Description>\
         <Status>enabled</Status><Target><Type>HLS</Type><FragDuration>5</FragDuration>\
         <FragCount>3</FragCount><PlaylistName>playlist.m3u8</PlaylistName></Target>\
         </LiveChannelConfiguration>"
    );
}

#[test]
fn put_channel_prefers_a_description_to_the_name_and_adds_snapshots() {
    let config = ChannelConfig::new("name")
        .description("")
        .state(ChannelState::Disabled)
        .snapshot(Snapshot::new("role", "shots", "topic", 5));
    let body = body(operation::put_channel("c", &config).unwrap().into_request());
    assert!(body.contains("<Description></Description><Status>disabled</Status>"), "{body}");
    assert!(
        body.contains(
            "<Snapshot><RoleName>role</RoleName><DestBucket>shots</DestBucket>\
             <NotifyTopic>topic</NotifyTopic><Interval>5</Interval></Snapshot>"
        ),
        "{body}"
    );
}

#[test]
fn put_channel_refuses_what_is_out_of_range_and_names_it() {
    let config = ChannelConfig::default;
    for (config, word) in [
        (config().frag_duration(0), "fragment duration"),
        (config().frag_duration(101), "fragment duration"),
        (config().frag_count(0), "fragment count"),
        (config().frag_count(101), "fragment count"),
        (config().playlist_name("list.mp4"), ".m3u8"),
        (config().playlist_name("a/b.m3u8"), "slash"),
        (config().playlist_name(".m3u8"), "bytes"),
        (config().playlist_name(format!("{}.m3u8", "a".repeat(124))), "bytes"),
        (config().description("x".repeat(129)), "128"),
        (config().description("bell \x07"), "XML"),
        (config().snapshot(Snapshot::new("", "b", "t", 1)), "role name"),
        (config().snapshot(Snapshot::new("r", "b", "t", 0)), "interval"),
    ] {
        let error = operation::put_channel("c", &config).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.message().contains(word), "{error}");
    }
}

#[test]
fn a_channel_name_is_refused_only_for_what_is_certain() {
    for name in ["", "a/b", ".", "..", "a\0b", "\u{fffe}", &"x".repeat(1024)] {
        let error = operation::get_channel(name).unwrap_err();
        assert_eq!(error.code(), Some(code::INVALID_CHANNEL_NAME));
    }
    for name in ["直播 频道+1", "...", ".a", "a?b", &"x".repeat(1023)] {
        assert_eq!(operation::get_channel(name).unwrap().request().key, name);
    }
}

#[test]
fn put_channel_returns_its_urls() {
    let urls = operation::put_channel("c", &ChannelConfig::default()).unwrap().parse(&ok(
        "<?xml version=\"1.0\"?><CreateLiveChannelResult><PublishUrls><Url>rtmp://b.h/live/c</Url>\
         </PublishUrls><PlayUrls><Url>http://b.h/c/playlist.m3u8</Url></PlayUrls>\
         </CreateLiveChannelResult>",
    ))
    .unwrap();
    assert_eq!(urls.publish_urls, ["rtmp://b.h/live/c"]);
    assert_eq!(urls.play_urls, ["http://b.h/c/playlist.m3u8"]);
    assert_eq!(urls.res.status, 200);
    assert_eq!(urls.res.request_id.as_deref(), Some("6B02A4E6B92475920B0002F1"));
}

#[test]
fn the_configuration_is_read_in_any_order_and_past_unknown_elements() {
    let channel = operation::get_channel("c")
        .unwrap()
        .parse(&ok("<LiveChannelConfiguration><New><Deep/></New><Target><FragCount>3</FragCount>\
             <PlaylistName>p.m3u8</PlaylistName><Type>HLS</Type><FragDuration> 2 </FragDuration>\
             </Target><Status>disabled</Status><Description><![CDATA[a&b]]></Description>\
             </LiveChannelConfiguration>"))
        .unwrap();
    assert_eq!(channel.name, "c");
    assert_eq!(channel.description, "a&b");
    assert_eq!(channel.status, ChannelState::Disabled);
    assert_eq!((channel.frag_duration, channel.frag_count), (2, 3));
    assert_eq!((&*channel.target_type, &*channel.playlist_name), ("HLS", "p.m3u8"));
    assert_eq!((channel.create_time, channel.last_modified), (None, None));
}

#[test]
fn a_live_status_carries_its_streams() {
    let status = operation::get_channel_status("c")
        .unwrap()
        .parse(&ok("<LiveChannelStat><Status>Live</Status><ConnectedTime>2026-11-22T08:16:38.000Z\
         </ConnectedTime><RemoteAddr>203.0.113.9:47745</RemoteAddr><Video><Width>1280</Width>\
         <Height>720</Height><FrameRate>29</FrameRate><Bandwidth>72513</Bandwidth>\
         <Codec>H264</Codec></Video><Audio><Bandwidth>6519</Bandwidth><SampleRate>44100\
         </SampleRate><Codec>AAC</Codec></Audio></LiveChannelStat>"))
        .unwrap();
    let live = status.live().unwrap();
    assert_eq!(live.connected_time, Some(datetime!(2026-11-22 08:16:38 UTC)));
    assert_eq!(live.remote_addr, Some("203.0.113.9:47745"));
    let video = live.video.unwrap();
    assert_eq!((video.width, video.height, video.frame_rate), (1280, 720, 29));
    assert_eq!((video.bandwidth, &*video.codec), (72513, "H264"));
    let audio = live.audio.unwrap();
    assert_eq!((audio.bandwidth, audio.sample_rate, &*audio.codec), (6519, 44100, "AAC"));
}

#[test]
fn a_channel_that_is_not_live_has_no_live_details() {
    for (text, state) in [("Idle", StreamState::Idle), ("Disabled", StreamState::Disabled)] {
        let document = format!("<LiveChannelStat><Status>{text}</Status></LiveChannelStat>");
        let status = operation::get_channel_status("c").unwrap().parse(&ok(&document)).unwrap();
        assert_eq!(status.status, state);
        let error = status.live().unwrap_err();
        assert_eq!(error.code(), Some(code::CHANNEL_NOT_LIVE));
        assert!(error.request_id().is_some());
    }
}

#[test]
fn a_list_leaves_out_parameters_without_a_value() {
    assert_eq!(
        query(operation::list_channels(&ListChannels::new()).unwrap().request()),
        [("live", None)]
    );
    let page = ListChannels::new().prefix("cam").marker("cam-1").max_keys(1000);
    assert_eq!(
        query(operation::list_channels(&page).unwrap().request()),
        [
            ("live", None),
            ("prefix", Some("cam")),
            ("marker", Some("cam-1")),
            ("max-keys", Some("1000"))
        ]
    );
    for count in [0, 1001] {
        assert!(operation::list_channels(&ListChannels::new().max_keys(count)).is_err());
    }
}

#[test]
fn a_page_of_channels_is_read_with_its_marker() {
    let list = operation::list_channels(&ListChannels::new())
        .unwrap()
        .parse(&ok(
            "<ListLiveChannelResult><Prefix>cam-</Prefix><Marker></Marker><MaxKeys>1</MaxKeys>\
         <IsTruncated>true</IsTruncated><NextMarker>cam-1</NextMarker><LiveChannel>\
         <Name>cam-1</Name><Description/><Status>enabled</Status>\
         <LastModified>2026-11-22T08:16:38.000Z</LastModified>\
         <PublishUrls><Url>rtmp://b.h/live/cam-1</Url></PublishUrls>\
         <PlayUrls><Url>http://b.h/cam-1/playlist.m3u8</Url></PlayUrls></LiveChannel>\
         </ListLiveChannelResult>",
        ))
        .unwrap();
    assert!(list.is_truncated);
    assert_eq!(list.next_marker.as_deref(), Some("cam-1"));
    assert_eq!(list.channels.len(), 1);
    assert_eq!(list.channels[0].last_modified, datetime!(2026-11-22 08:16:38 UTC));
}

#[test]
fn a_truncated_list_without_a_marker_is_an_error() {
    let reply =
        ok("<ListLiveChannelResult><IsTruncated>true</IsTruncated></ListLiveChannelResult>");
    let error = operation::list_channels(&ListChannels::new()).unwrap().parse(&reply).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadReply);
    assert!(error.message().contains("NextMarker"));
}

#[test]
fn a_history_may_be_empty() {
    let history =
        operation::get_channel_history("c").unwrap().parse(&ok("<LiveChannelHistory/>")).unwrap();
    assert_eq!(history.records, []);
}

#[test]
fn a_history_lists_sessions_with_their_addresses() {
    let history = operation::get_channel_history("c")
        .unwrap()
        .parse(&ok(
            "<LiveChannelHistory><LiveRecord><StartTime>2026-11-22T01:53:21.000Z</StartTime>\
         <EndTime>2026-11-22T01:53:31.000Z</EndTime><RemoteAddr>203.0.113.9:56861</RemoteAddr>\
         </LiveRecord></LiveChannelHistory>",
        ))
        .unwrap();
    let [record] = &history.records[..] else { panic!("{history:?}") };
    assert_eq!(record.end_time - record.start_time, time::Duration::seconds(10));
    assert_eq!(record.remote_addr, "203.0.113.9:56861");
}

#[test]
fn a_vod_name_gets_its_suffix_and_its_own_path_segment() {
    let time = VodTime::new(1_795_330_000, 1_795_333_600);
    for name in ["vod", "vod.m3u8"] {
        let call = operation::create_vod("c", name, &time).unwrap();
        let request = call.request();
        assert_eq!((request.method, request.key.as_str()), (Method::Post, "c/vod.m3u8"));
        assert_eq!(
            query(request),
            [("vod", None), ("startTime", Some("1795330000")), ("endTime", Some("1795333600"))]
        );
    }
    assert!(operation::create_vod("c", "a/b", &time).is_err());
    assert!(operation::create_vod("c", "", &time).is_err());
}

#[test]
fn a_span_must_rise_and_be_a_day_at_most() {
    let check = |start, end| operation::get_vod("c", &VodTime::new(start, end));
    assert!(check(1000, 1000 + 86_400).is_ok());
    for (start, end, word) in [
        (1000, 1000 + 86_401, "longer than a day"),
        (1000, 1000, "does not come after"),
        (1000, 999, "does not come after"),
        (-1, 10, "before 1970"),
        (1_795_330_000_000, 1_795_333_600_000, "milliseconds"),
        (0, i64::MAX, "longer than a day"),
    ] {
        let error = check(start, end).unwrap_err();
        assert!(error.message().contains(word), "{error}");
    }
}

#[test]
fn a_span_between_times_covers_both() {
    let time = VodTime::between(
        datetime!(2026-11-22 08:00:00.9 UTC),
        datetime!(2026-11-22 08:00:05.1 UTC),
    );
    assert_eq!(time, VodTime::new(1_795_334_400, 1_795_334_406));
}

#[test]
fn a_vod_playlist_is_handed_on_as_text() {
    let text = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-ENDLIST\n";
    assert_eq!(
        operation::get_vod("c", &VodTime::new(0, 1)).unwrap().parse(&ok(text)).unwrap().text,
        text
    );
    let error = operation::get_vod("c", &VodTime::new(0, 1))
        .unwrap()
        .parse(&ok("<html>sign in</html>"))
        .unwrap_err();
    assert!(error.message().contains("sign in"), "{error}");
}

#[test]
fn a_publish_url_refuses_parameters_that_would_break_its_signature() {
    let options = RtmpUrlOptions::new;
    for (options, word) in [
        (options().expires(0), "0 seconds"),
        (options().param("Expires", "1"), "reserved"),
        (options().param("security-token", "1"), "reserved"),
        (options().param("a", "1").param("a", "2"), "twice"),
        (options().param("", "1"), "no name"),
        (options().param("a:b", "1"), "cannot be signed"),
        (options().param("a", "1\n/other/channel"), "cannot be signed"),
    ] {
        let error = operation::check_rtmp_url("c", &options).unwrap_err();
        assert!(error.message().contains(word), "{error}");
    }
}

#[test]
fn an_error_document_is_read_whole() {
    let error = failed(
        404,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>\n  <Code>NoSuchLiveChannel</Code>\n  \
         <Message>The specified live channel does not exist.</Message>\n  \
         <RequestId>6B02A4E6B92475920B00F3A1</RequestId>\n  <HostId>b.oss.example</HostId>\n  \
         <EC>0044-00000201</EC>\n</Error>",
    );
    assert_eq!(error.kind(), ErrorKind::Service);
    assert_eq!(error.code(), Some(code::NO_SUCH_LIVE_CHANNEL));
    assert_eq!(error.message(), "The specified live channel does not exist.");
    assert_eq!(error.status(), Some(404));
    assert_eq!(error.request_id(), Some("6B02A4E6B92475920B00F3A1"));
    assert_eq!(error.host_id(), Some("b.oss.example"));
    assert_eq!(error.ec(), Some("0044-00000201"));
}

#[test]
fn an_error_without_a_document_keeps_status_and_request_id() {
    for (status, body, word) in
        [(502, "<html>Bad\n gateway</html>", "Bad gateway"), (500, "", "without details")]
    {
        let error = failed(status, body);
        assert_eq!((error.kind(), error.status()), (ErrorKind::Service, Some(status)));
        assert_eq!(error.request_id(), Some("6B02A4E6B92475920B0002F1"));
        assert!(error.message().contains(word), "{error}");
    }
}

#[test]
fn a_code_that_is_not_known_passes_through() {
    let error = failed(418, "<Error><Code>TeapotBusy</Code></Error>");
    assert_eq!(error.code(), Some("TeapotBusy"));
}

#[test]
fn an_error_in_the_clothes_of_a_success_is_an_error() {
    let reply = ok("<Error><Code>AccessDenied</Code><Message>no</Message></Error>");
    let expect = |error: Error| assert_eq!(error.code(), Some(code::ACCESS_DENIED));
    expect(operation::get_channel_status("c").unwrap().parse(&reply).unwrap_err());
    expect(operation::list_channels(&ListChannels::new()).unwrap().parse(&reply).unwrap_err());
    expect(operation::delete_channel("c").unwrap().parse(&reply).unwrap_err());
    expect(operation::get_vod("c", &VodTime::new(0, 1)).unwrap().parse(&reply).unwrap_err());
}

#[test]
fn an_answer_that_is_not_understood_shows_its_first_bytes() {
    for (body, word) in [
        ("", "empty"),
        ("<html><br>sign in</html>", "sign in"),
        ("plain words", "plain words"),
        ("<Other/>", "<Other>"),
        (
            "<LiveChannelStat><Status>Live</Status><Video><Width>abc</Width></Video></LiveChannelStat>",
            "abc",
        ),
        ("<LiveChannelStat><Status>Sleepy</Status></LiveChannelStat>", "Sleepy"),
        ("<LiveChannelStat></LiveChannelStat>", "Status"),
        (
            "<LiveChannelStat><Status>Live</Status><ConnectedTime>noon</ConnectedTime></LiveChannelStat>",
            "noon",
        ),
    ] {
        let error = operation::get_channel_status("c").unwrap().parse(&ok(body)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadReply, "{body}");
        assert_eq!(error.status(), Some(200));
        assert_eq!(error.request_id(), Some("6B02A4E6B92475920B0002F1"));
        assert!(error.message().contains(word), "{error}");
    }
}

#[test]
fn a_redirect_is_an_error_that_is_not_followed() {
    let error = failed(307, "");
    assert_eq!((error.kind(), error.status()), (ErrorKind::BadReply, Some(307)));
    assert!(error.message().contains("redirect"));
}

#[test]
fn no_answer_makes_a_parser_panic() {
    let seeds = [
        "<LiveChannelStat><Status>Live</Status><Video><Width>1</Width></Video></LiveChannelStat>",
        "<ListLiveChannelResult><IsTruncated>false</IsTruncated><LiveChannel><Name>a</Name>\
         <Status>enabled</Status><LastModified>2026-11-22T08:16:38.000Z</LastModified>\
         </LiveChannel></ListLiveChannelResult>",
        "<Error><Code>X</Code><ServerTime>2026-11-22T08:16:38.000Z</ServerTime></Error>",
    ];
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap()
    };
    for round in 0..20_000 {
        let mut bytes = seeds[round % seeds.len()].as_bytes().to_vec();
        for _ in 0..=random() % 4 {
            let at = random() % bytes.len();
            match random() % 3 {
                0 => bytes[at] = (random() % 256) as u8,
                1 => bytes.truncate(at.max(1)),
                _ => bytes.insert(at, b"<>&/\"]!\xff"[random() % 8]),
            }
        }
        let status = if round % 2 == 0 { 200 } else { 403 };
        let reply = Reply { status, body: bytes, ..Reply::default() };
        let _ = operation::get_channel_status("c").unwrap().parse(&reply);
        let _ = operation::list_channels(&ListChannels::new()).unwrap().parse(&reply);
        let _ = operation::get_channel_history("c").unwrap().parse(&reply);
        let _ = operation::get_channel("c").unwrap().parse(&reply);
        let _ = operation::put_channel("c", &ChannelConfig::default()).unwrap().parse(&reply);
        let _ = operation::get_vod("c", &VodTime::new(0, 1)).unwrap().parse(&reply);
        let _ = operation::delete_channel("c").unwrap().parse(&reply);
    }
}
