//! An endpoint with initial channels, objects and keys, and one in memory.

mod support;

use osslive::{Client, Credentials, RtmpUrlOptions, StreamState};
use osslive_local::push::{PushOptions, push_flv};
use osslive_local::{Acl, Config, InitialState, LocalEndpoint};
use std::fs;
use support::{CLIP, Peer, folder};

const STATE: &str = r#"{
  "buckets": [
    {
      "name": "stage",
      "channels": [
        {"id": "main", "description": "Main stage"},
        {"id": "直播", "status": "disabled", "fragDuration": 2, "fragCount": 5,
         "playlistName": "live.m3u8"}
      ],
      "objects": [
        {"key": "notes.txt", "text": "hello", "contentType": "text/plain"},
        {"key": "a/clip.flv", "file": "clip.flv"}
      ]
    },
    {"name": "open", "acl": "public-read"}
  ],
  "keys": [
    {"accessKeyId": "second", "accessKeySecret": "its-secret"},
    {"accessKeyId": "STS.third", "accessKeySecret": "its-secret", "securityToken": "a-token"}
  ]
}"#;

fn state() -> InitialState {
    let folder = folder();
    fs::write(folder.path().join("clip.flv"), CLIP).unwrap();
    fs::write(folder.path().join("state.json"), STATE).unwrap();
    InitialState::read(folder.keep().join("state.json")).unwrap()
}

/// Sends a request without a signature; returns the status and the body.
fn get(endpoint: &LocalEndpoint, path: &str) -> (u16, Vec<u8>) {
    let peer = Peer::connect(endpoint);
    let host = endpoint.address();
    peer.send(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")).unwrap();
    let response = peer.read_response();
    (response.status, response.body)
}

/// Checks that an endpoint has exactly the described state.
fn check(endpoint: &LocalEndpoint) {
    let client = endpoint.client_builder().build().unwrap();
    let channels: Vec<_> = client.channels("").map(Result::unwrap).collect();
    let found: Vec<_> = channels.iter().map(|channel| (&*channel.name, channel.status)).collect();
    let (enabled, disabled) = (osslive::ChannelState::Enabled, osslive::ChannelState::Disabled);
    assert_eq!(found, [("main", enabled), ("直播", disabled)]);
    let channel = client.get_channel("直播").unwrap();
    assert_eq!((channel.frag_duration, channel.frag_count), (2, 5));
    assert_eq!(channel.playlist_name, "live.m3u8");
    assert_eq!(client.get_channel("main").unwrap().description, "Main stage");
    assert_eq!(get(endpoint, "/stage/notes.txt").0, 403, "private");
    assert_eq!(get(endpoint, "/open/none").0, 404, "open to all");
}

fn client_of(endpoint: &LocalEndpoint, credentials: Credentials) -> Client {
    endpoint.client_builder().credentials(credentials).build().unwrap()
}

#[test]
fn an_endpoint_starts_with_its_initial_state_and_a_reset_restores_it() {
    let endpoint = LocalEndpoint::start(Config::temporary().control().initial(state())).unwrap();
    assert_eq!(endpoint.buckets(), ["stage", "open"], "without the default one");
    check(&endpoint);

    let client = endpoint.client_builder().build().unwrap();
    client.delete_channel("main").unwrap();
    client.put_channel("other", &osslive::ChannelConfig::new("")).unwrap();
    client.put_channel_status("直播", osslive::ChannelState::Enabled).unwrap();
    let url = client.get_rtmp_url("直播", &RtmpUrlOptions::new()).unwrap();
    push_flv(&url, CLIP, PushOptions::default(), &mut |_| true).unwrap();
    endpoint.reset().unwrap();
    check(&endpoint);
    assert!(client.get_channel_history("直播").unwrap().records.is_empty());
}

#[test]
fn every_initial_key_is_accepted() {
    let endpoint = LocalEndpoint::start(Config::temporary().initial(state())).unwrap();
    let status = |credentials| client_of(&endpoint, credentials).get_channel_status("main");
    let third = || Credentials::new("STS.third", "its-secret");
    for good in [Credentials::new("second", "its-secret"), third().with_security_token("a-token")] {
        assert_eq!(status(good).unwrap().status, StreamState::Idle);
    }
    for bad in
        [Credentials::new("second", "another"), third(), third().with_security_token("b-token")]
    {
        assert_eq!(status(bad).unwrap_err().status(), Some(403));
    }
}

#[test]
fn initial_objects_have_the_given_content() {
    let state = state();
    let config = Config::temporary().initial(state).acl(Acl::PublicRead);
    let endpoint = LocalEndpoint::start(config).unwrap();
    assert_eq!(get(&endpoint, "/stage/notes.txt"), (200, b"hello".to_vec()));
    assert_eq!(get(&endpoint, "/stage/a/clip.flv"), (200, CLIP.to_vec()));
}

#[test]
fn existing_data_is_kept() {
    let folder = folder();
    let start = |state| {
        let config = Config::new(folder.path().join("data")).initial(state);
        LocalEndpoint::start(config).unwrap()
    };
    let endpoint = start(state());
    let client = endpoint.client_builder().build().unwrap();
    client.put_channel("main", &osslive::ChannelConfig::new("Changed")).unwrap();
    client.delete_channel("直播").unwrap();
    endpoint.stop();
    let endpoint = start(state());
    let client = endpoint.client_builder().build().unwrap();
    assert_eq!(client.get_channel("main").unwrap().description, "Changed");
    assert_eq!(client.get_channel("直播").unwrap().frag_count, 5, "what is missing is added");
}

#[test]
fn an_invalid_initial_state_is_refused_with_a_reason() {
    let bucket = |inner: &str| format!(r#"{{"buckets": [{{"name": "stage", {inner}}}]}}"#);
    let channel = |inner: &str| bucket(&format!(r#""channels": [{{"id": "cam", {inner}}}]"#));
    for (text, words) in [
        ("", "EOF".to_owned()),
        ("[]", "not an array".to_owned()),
        (r#"{"bucket": []}"#, "bucket".to_owned()),
        (r#"{"buckets": [{}]}"#, "name".to_owned()),
        (r#"{"buckets": [{"name": "A"}]}"#, "\"A\"".to_owned()),
        (r#"{"buckets": [{"name": "one"}, {"name": "one"}]}"#, "twice".to_owned()),
        (&bucket(r#""acl": "open""#), "open".to_owned()),
        (&bucket(r#""channels": [{"id": "a/b"}]"#), "slash".to_owned()),
        (&bucket(r#""channels": [{"id": ""}]"#), "empty".to_owned()),
        (&channel(r#""fragCount": 0"#), "fragment count".to_owned()),
        (&channel(r#""fragDuration": 101"#), "fragment duration".to_owned()),
        (&channel(r#""fragDuration": "2""#), "string".to_owned()),
        (&channel(r#""playlistName": "live.ts""#), ".m3u8".to_owned()),
        (&channel(r#""status": "on""#), "\"on\"".to_owned()),
        (&channel(r#""name": "Cam""#), "name".to_owned()),
        (&bucket(r#""objects": [{"key": "k"}]"#), "text or file".to_owned()),
        (&bucket(r#""objects": [{"key": "k", "text": "", "file": "f"}]"#), "either".to_owned()),
        (&bucket(r#""objects": [{"key": "k", "file": "no/such"}]"#), "no/such".to_owned()),
        (&bucket(r#""objects": [{"key": "/k", "text": ""}]"#), "\"/k\"".to_owned()),
        (r#"{"keys": [{"accessKeyId": "x"}]}"#, "accessKeySecret".to_owned()),
    ] {
        let error = InitialState::parse(text).map(drop).unwrap_err().to_string();
        assert!(error.contains(&words), "{text}: {error}");
    }
    let error = InitialState::read("no/such.json").map(drop).unwrap_err().to_string();
    assert!(error.starts_with("no/such.json: "), "{error}");
    // Keys are checked like all others.
    let state = InitialState::parse(r#"{"keys": [{"accessKeyId": "", "accessKeySecret": "s"}]}"#);
    let error = LocalEndpoint::start(Config::temporary().initial(state.unwrap())).unwrap_err();
    assert!(error.to_string().contains("id is empty"), "{error}");
}

#[test]
fn debug_output_contains_no_secrets() {
    let text = format!("{:?}{:?}", state(), Config::temporary().initial(state()));
    assert!(!text.contains("its-secret") && !text.contains("a-token"), "{text}");
}

#[cfg(target_os = "linux")]
#[test]
fn an_endpoint_in_memory_uses_no_disk_and_leaves_nothing() {
    let endpoint = LocalEndpoint::start(Config::in_memory().initial(state())).unwrap();
    let data = endpoint.data().to_owned();
    assert!(data.starts_with("/dev/shm"), "{data:?}");
    let client = endpoint.client_builder().build().unwrap();
    let url = client.get_rtmp_url("main", &RtmpUrlOptions::new()).unwrap();
    push_flv(&url, CLIP, PushOptions::default(), &mut |_| true).unwrap();
    assert_eq!(client.get_channel_history("main").unwrap().records.len(), 1);
    endpoint.stop();
    assert!(!data.exists());
}

#[cfg(not(target_os = "linux"))]
#[test]
fn an_endpoint_in_memory_is_an_error_without_an_in_memory_file_system() {
    let error = LocalEndpoint::start(Config::in_memory()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::Unsupported);
    assert!(error.to_string().contains("/dev/shm"), "{error}");
}
