//! Where each setting comes from: what is set by hand, then each source in the
//! order in which it was named; and never one that contradicts another.
//!
//! `tests/data/sources.json` has the cases, which the tests of the other
//! languages read too. Each runs in a process of its own, as the environment is
//! shared.

use osslive::{Client, ClientBuilder, Credentials, RtmpUrlOptions};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

const CASE: &str = "OSSLIVE_TEST_CASE";
const FILE: &str = "OSSLIVE_TEST_FILE";

fn table() -> Value {
    serde_json::from_str(include_str!("data/sources.json")).unwrap()
}

fn set_by_hand(mut builder: ClientBuilder, settings: &Value) -> ClientBuilder {
    for (name, value) in settings.as_object().unwrap() {
        let text = value.as_str().unwrap_or_default();
        builder = match &**name {
            "region" => builder.region(text),
            "endpoint" => builder.endpoint(text),
            "bucket" => builder.bucket(text),
            "key" => builder.credentials(Credentials::new(text, "s")),
            "internal" => builder.internal(true),
            _ => panic!("unknown setting {name}"),
        };
    }
    builder
}

fn name_sources(mut builder: ClientBuilder, sources: &Value, file: &Path) -> ClientBuilder {
    for source in sources.as_array().unwrap() {
        builder = match source.as_str().unwrap() {
            "environment" => builder.from_env(),
            "profile" => builder.profile(Some(file), Some("default")),
            "default profile" => builder.profile(None, None),
            "missing profile" => builder.profile(Some(&file.join("none")), None),
            other => panic!("unknown source {other}"),
        };
    }
    builder
}

fn outcome(builder: ClientBuilder) -> Result<String, osslive::Error> {
    builder.build()?.get_rtmp_url("c", &RtmpUrlOptions::new())
}

fn check(case: &Value, outcome: &Result<String, osslive::Error>) {
    let name = &case["name"];
    match (case["url"].as_str(), outcome) {
        (Some(start), Ok(url)) => {
            assert!(url.starts_with(start), "{name}: {url}");
            let key = format!("OSSAccessKeyId={}&", case["key"].as_str().unwrap());
            assert!(url.contains(&key), "{name}: {url}");
        }
        (None, Err(error)) => {
            let word = case["error"].as_str().unwrap();
            assert!(error.message().contains(word), "{name}: {error}");
        }
        _ => panic!("{name}: {outcome:?}"),
    }
}

/// What is set by hand counts, whether it is set before or after the sources
/// are named.
fn check_both_ways(case: &Value, file: &Path) {
    let (settings, sources) = (&case["settings"], &case["sources"]);
    let before = name_sources(set_by_hand(Client::builder(), settings), sources, file);
    check(case, &outcome(before));
    let after = set_by_hand(name_sources(Client::builder(), sources, file), settings);
    check(case, &outcome(after));
}

#[test]
fn each_setting_comes_from_the_first_source_that_has_it() {
    let table = table();
    let cases = table["cases"].as_array().unwrap();
    if let Ok(case) = std::env::var(CASE) {
        let file = PathBuf::from(std::env::var(FILE).unwrap());
        return check_both_ways(&cases[case.parse::<usize>().unwrap()], &file);
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join(format!("ossutilconfig-{}", std::process::id()));
    // In its comment is a byte that is not UTF-8.
    let profile: Vec<u8> = table["profile"].as_str().unwrap().chars().map(|c| c as u8).collect();
    std::fs::write(&file, profile).unwrap();
    let mut failed = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let variables = case["environment"].as_object().unwrap().iter().map(|(name, value)| {
            (name, value.as_str().unwrap().replace("FILE", file.to_str().unwrap()))
        });
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "each_setting_comes_from_the_first_source_that_has_it"])
            .env_clear()
            .envs(variables)
            .env(CASE, number.to_string())
            .env(FILE, &file)
            .output()
            .unwrap();
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stdout);
            failed.push(format!("{}: {said}", case["name"]));
        }
    }
    std::fs::remove_file(file).unwrap();
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), cases.len(), failed.join("\n"));
}
