//! Channel names with whitespace, control characters and letters of every script,
//! listed unchanged, page after page, from C and C++.

#[path = "../../tests/support/listing.rs"]
mod listing;

use listing::{foreign_names, names, serve};
use osslive::ChannelConfig;
use osslive_ffi_tests::{Program, Run};
use osslive_local::{Config, LocalEndpoint};
use serde_json::Value;
use std::path::Path;

fn with_channels() -> LocalEndpoint {
    let endpoint = LocalEndpoint::start(Config::temporary()).expect("an endpoint");
    let client = endpoint.client_builder().build().expect("a client");
    for name in names() {
        client.put_channel(&name, &ChannelConfig::new(&name)).expect("a channel");
    }
    endpoint
}

fn page(program: &Path, url: &str, marker: &str) -> Value {
    let printed = Run::program(program)
        .arg(marker)
        .env("OSS_ENDPOINT", url)
        .env("OSS_REGION", "cn-hangzhou")
        .env("OSS_BUCKET", Config::BUCKET)
        .env("OSS_ACCESS_KEY_ID", Config::ACCESS_KEY_ID)
        .env("OSS_ACCESS_KEY_SECRET", Config::ACCESS_KEY_SECRET)
        .succeeds();
    serde_json::from_str(&printed).expect("a page in JSON")
}

fn listed(program: &Path, url: &str, most: usize) -> Vec<String> {
    let (mut listed, mut marker) = (Vec::new(), String::new());
    // One page more than there can be.
    for _ in 0..=most {
        let page = page(program, url, &marker);
        let channels = page["channels"].as_array().expect("a list");
        let name = |channel: &Value| channel["name"].as_str().expect("a name").to_owned();
        listed.extend(channels.iter().map(name));
        let Some(next) = page["nextMarker"].as_str() else { return listed };
        next.clone_into(&mut marker);
    }
    panic!("the pages never end: {listed:?}");
}

#[test]
fn c_and_cpp_list_every_name_unchanged() {
    let endpoint = with_channels();
    let servers = [(endpoint.url(), names()), (serve(foreign_names()), foreign_names())];
    for source in ["ffi-tests/c/names.c", "ffi-tests/cpp/names.cpp"] {
        let program = Program::new(source).build();
        for (url, names) in &servers {
            assert_eq!(&listed(&program, url, names.len()), names, "{source}");
        }
    }
}
