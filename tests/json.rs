//! Results as JSON, with the field names that all languages share.

#![cfg(feature = "serde")]

use osslive::operation::{self, Reply};
use osslive::{ChannelConfig, ListChannels};
use serde_json::{Value, json};
use std::time::Duration;

fn reply(body: &str) -> Reply {
    Reply {
        status: 200,
        request_id: Some("6B02A4E6B92475920B0002F1".into()),
        body: body.as_bytes().to_vec(),
        elapsed: Duration::from_micros(1500),
        attempts: 2,
        ..Reply::default()
    }
}

fn res() -> Value {
    json!({
        "status": 200,
        "requestId": "6B02A4E6B92475920B0002F1",
        "elapsedMs": 1.5,
        "attempts": 2,
    })
}

#[test]
fn urls() {
    let document = "<CreateLiveChannelResult><PublishUrls><Url>rtmp://h/live/c</Url></PublishUrls>\
                    <PlayUrls><Url>http://h/c/p.m3u8</Url></PlayUrls></CreateLiveChannelResult>";
    let urls = operation::put_channel("c", &ChannelConfig::default())
        .unwrap()
        .parse(&reply(document))
        .unwrap();
    assert_eq!(
        serde_json::to_value(&urls).unwrap(),
        json!({ "publishUrls": ["rtmp://h/live/c"], "playUrls": ["http://h/c/p.m3u8"], "res": res() })
    );
}

#[test]
fn a_channel_omits_unknown_times() {
    let document = "<LiveChannelConfiguration><Description>d</Description><Status>enabled</Status>\
                    <Target><Type>HLS</Type><FragDuration>5</FragDuration><FragCount>3</FragCount>\
                    <PlaylistName>playlist.m3u8</PlaylistName></Target></LiveChannelConfiguration>";
    let channel = operation::get_channel("c").unwrap().parse(&reply(document)).unwrap();
    assert_eq!(
        serde_json::to_value(&channel).unwrap(),
        json!({
            "name": "c",
            "description": "d",
            "status": "enabled",
            "type": "HLS",
            "fragDuration": 5,
            "fragCount": 3,
            "playlistName": "playlist.m3u8",
            "publishUrls": [],
            "playUrls": [],
            "res": res(),
        })
    );
}

#[test]
fn a_list_has_a_marker_only_when_there_is_more() {
    let list = |rest: &str| {
        let document = format!(
            "<ListLiveChannelResult>{rest}<LiveChannel><Name>c</Name><Description/>\
             <Status>disabled</Status><LastModified>2026-11-22T08:16:38.000Z</LastModified>\
             </LiveChannel></ListLiveChannelResult>"
        );
        let list = operation::list_channels(&ListChannels::new())
            .unwrap()
            .parse(&reply(&document))
            .unwrap();
        serde_json::to_value(&list).unwrap()
    };
    let channels = json!([{
        "name": "c",
        "description": "",
        "status": "disabled",
        "lastModified": "2026-11-22T08:16:38Z",
        "publishUrls": [],
        "playUrls": [],
    }]);
    assert_eq!(
        list("<IsTruncated>false</IsTruncated>"),
        json!({ "channels": channels, "isTruncated": false, "res": res() })
    );
    assert_eq!(
        list("<IsTruncated>true</IsTruncated><NextMarker>c</NextMarker>"),
        json!({ "channels": channels, "isTruncated": true, "nextMarker": "c", "res": res() })
    );
}

#[test]
fn a_status_has_its_live_details_only_when_live() {
    let status = |document: &str| {
        let status = operation::get_channel_status("c").unwrap().parse(&reply(document)).unwrap();
        serde_json::to_value(&status).unwrap()
    };
    assert_eq!(
        status("<LiveChannelStat><Status>Idle</Status></LiveChannelStat>"),
        json!({ "status": "Idle", "res": res() })
    );
    assert_eq!(
        status(
            "<LiveChannelStat><Status>Live</Status>\
             <ConnectedTime>2026-11-22T08:16:38.000Z</ConnectedTime>\
             <RemoteAddr>203.0.113.9:47745</RemoteAddr><Video><Width>1280</Width>\
             <Height>720</Height><FrameRate>29</FrameRate><Bandwidth>72513</Bandwidth>\
             <Codec>H264</Codec></Video><Audio><Bandwidth>6519</Bandwidth>\
             <SampleRate>44100</SampleRate><Codec>AAC</Codec></Audio></LiveChannelStat>"
        ),
        json!({
            "status": "Live",
            "connectedTime": "2026-11-22T08:16:38Z",
            "remoteAddr": "203.0.113.9:47745",
            "video": {
                "width": 1280, "height": 720, "frameRate": 29, "bandwidth": 72513, "codec": "H264"
            },
            "audio": { "bandwidth": 6519, "sampleRate": 44100, "codec": "AAC" },
            "res": res(),
        })
    );
}

#[test]
fn a_history_lists_its_records() {
    let document = "<LiveChannelHistory><LiveRecord>\
                    <StartTime>2026-11-22T01:53:21.000Z</StartTime>\
                    <EndTime>2026-11-22T01:53:31.000Z</EndTime>\
                    <RemoteAddr>203.0.113.9:56861</RemoteAddr></LiveRecord></LiveChannelHistory>";
    let history = operation::get_channel_history("c").unwrap().parse(&reply(document)).unwrap();
    assert_eq!(
        serde_json::to_value(&history).unwrap(),
        json!({
            "records": [{
                "startTime": "2026-11-22T01:53:21Z",
                "endTime": "2026-11-22T01:53:31Z",
                "remoteAddr": "203.0.113.9:56861",
            }],
            "res": res(),
        })
    );
}

#[test]
fn results_can_be_deserialized() {
    let document = "<LiveChannelStat><Status>Idle</Status></LiveChannelStat>";
    let status = operation::get_channel_status("c").unwrap().parse(&reply(document)).unwrap();
    let text = serde_json::to_string(&status).unwrap();
    assert_eq!(serde_json::from_str::<osslive::ChannelStatus>(&text).unwrap(), status);
}

#[test]
fn an_error_omits_unknown_details() {
    let document = "<Error><Code>NoSuchLiveChannel</Code><Message>gone</Message></Error>";
    let error = operation::delete_channel("c")
        .unwrap()
        .parse(&Reply { status: 404, ..reply(document) })
        .unwrap_err();
    let value = serde_json::to_value(&error).unwrap();
    assert_eq!(
        value,
        json!({
            "kind": "service",
            "message": "gone",
            "code": "NoSuchLiveChannel",
            "status": 404,
            "requestId": "6B02A4E6B92475920B0002F1",
            "attempts": 2,
            "text": "NoSuchLiveChannel: gone (HTTP 404, request id 6B02A4E6B92475920B0002F1)",
        })
    );
    let back: osslive::Error = serde_json::from_value(value).unwrap();
    assert_eq!(back.to_string(), error.to_string());
    let bare = osslive::Error::new(osslive::ErrorKind::InvalidArgument, "no");
    let value = serde_json::to_value(bare).unwrap();
    assert_eq!(
        value,
        json!({ "kind": "invalidArgument", "message": "no", "attempts": 0, "text": "no" })
    );
}
