//! Channel names with whitespace, control characters and letters of every script:
//! the SDK, the command and oss2 list them unchanged, page after page.

#[path = "../../tests/support/listing.rs"]
mod listing;
mod support;

use listing::{foreign_names, names, serve};
use osslive::{ChannelConfig, Client, Credentials, ListChannels};
use serde_json::{Value, json};
use support::{Folder, KEY_ID, KEY_SECRET, LONG, REGION, Sdk, Shell, bare, run};

/// An endpoint with a channel of each name.
fn with_channels(name: &str) -> (Shell, Client) {
    let shell = Shell::new(name);
    let client = shell.endpoint.client();
    for name in names() {
        client
            .put_channel(&name, &ChannelConfig::new(&name))
            .unwrap_or_else(|error| panic!("{name:?}: {error}"));
    }
    (shell, client)
}

/// Lists page by page, to see each page.
fn page_by_page(client: &Client, size: u32) -> Vec<String> {
    let mut listed = Vec::new();
    let mut query = ListChannels::new().max_keys(size);
    // One page more than there can be.
    for _ in 0..=names().len() {
        let page = client.list_channels(&query).expect("a page");
        listed.extend(page.channels.into_iter().map(|channel| channel.name));
        let Some(marker) = page.next_marker else { return listed };
        query = query.marker(marker);
    }
    panic!("the pages never end: {listed:?}");
}

#[test]
fn the_sdk_lists_every_name_unchanged() {
    let (_shell, client) = with_channels("names-sdk");
    for size in [1, 2, 7, 1000] {
        assert_eq!(page_by_page(&client, size), names(), "{size} per page");
    }
    for name in names() {
        assert_eq!(client.get_channel(&name).expect("it exists").description, name);
        let listed: Vec<_> = client.channels(&name).map(|channel| channel.unwrap().name).collect();
        assert!(listed.contains(&name), "{name:?} as a prefix: {listed:?}");
    }
}

#[test]
fn the_sdk_lists_names_of_another_service_unchanged() {
    let client = Client::builder()
        .endpoint(serve(foreign_names()))
        .region(REGION)
        .bucket("live-demo")
        .credentials(Credentials::new(KEY_ID, KEY_SECRET))
        .build()
        .expect("a client");
    for size in [1, 2, 7, 1000] {
        assert_eq!(page_by_page(&client, size), foreign_names(), "{size} per page");
    }
    let listed: Vec<_> = client.channels("").map(|channel| channel.expect("a channel")).collect();
    assert!(listed.iter().map(|channel| &channel.name).eq(&foreign_names()));
    assert!(listed.iter().map(|channel| &channel.description).eq(&foreign_names()));
}

#[test]
fn the_command_lists_names_of_another_service_unchanged() {
    let home = Folder::new("names-foreign");
    let mut command = bare(home.path(), "channel list --json");
    command.env("OSS_ACCESS_KEY_ID", KEY_ID).env("OSS_ACCESS_KEY_SECRET", KEY_SECRET);
    command.env("OSS_REGION", REGION).env("OSS_BUCKET", "live-demo");
    command.env("OSS_ENDPOINT", serve(foreign_names()));
    let text = run(&mut command, LONG).silent("channel list");
    let page: Value = serde_json::from_str(&text).expect("JSON");
    let listed: Vec<_> =
        page["channels"].as_array().expect("a list").iter().map(|c| c["name"].clone()).collect();
    assert_eq!(listed, foreign_names().into_iter().map(Value::from).collect::<Vec<_>>());
}

#[test]
fn the_command_lists_every_name_unchanged() {
    let (shell, _) = with_channels("names-command");
    let listed = shell.json("channel list");
    let listed: Vec<_> =
        listed["channels"].as_array().expect("a list").iter().map(|c| c["name"].clone()).collect();
    assert_eq!(listed, names().into_iter().map(Value::from).collect::<Vec<_>>());
    for name in names() {
        let mut command = shell.command("channel get --json --");
        let text = run(command.arg(&name), LONG).silent(&name);
        let channel: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!((&channel["name"], &channel["description"]), (&json!(name), &json!(name)));
    }
}

#[test]
fn oss2_lists_every_name_unchanged() {
    if !Sdk::Oss2.is_installed("oss2, to list channels") {
        return;
    }
    let (shell, _) = with_channels("names-oss2");
    let mut command = Sdk::Oss2.command(&shell.endpoint, "v4");
    let text = run(command.arg("names_listed"), LONG).silent("oss2");
    assert_eq!(serde_json::from_str::<Vec<String>>(&text).expect("an array"), names());
}

#[test]
fn oss2_lists_names_of_another_service_as_the_sdk_does() {
    if !Sdk::Oss2.is_installed("oss2, to list channels") {
        return;
    }
    let shell = Shell::new("names-oss2-foreign");
    let mut command = Sdk::Oss2.command(&shell.endpoint, "v4");
    command.env("OSS_ENDPOINT", serve(foreign_names()));
    let text = run(command.arg("names_listed"), LONG).silent("oss2");
    assert_eq!(serde_json::from_str::<Vec<String>>(&text).expect("an array"), foreign_names());
}
