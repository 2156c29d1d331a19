//! Where each setting comes from: explicit settings, then the sources in the order in
//! which they were added; contradictions are errors.
//!
//! The cases are in `tests/data/sources.json`, which the tests of the other languages
//! also read. Each runs in its own process, because the environment is shared.

#[path = "support/sources.rs"]
mod table;

use osslive::{Client, ClientBuilder, Credentials, RtmpUrlOptions};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

const CASE: &str = "OSSLIVE_TEST_CASE";
const FILE: &str = "OSSLIVE_TEST_FILE";

fn set_explicitly(mut builder: ClientBuilder, settings: &Value) -> ClientBuilder {
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

fn add_sources(mut builder: ClientBuilder, sources: &Value, file: &Path) -> ClientBuilder {
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

fn check(case: &Value, builder: ClientBuilder) {
    let outcome = builder
        .build()
        .and_then(|client| client.get_rtmp_url("c", &RtmpUrlOptions::new()))
        .map_err(|error| error.message().to_owned());
    table::check(case, outcome.as_deref().map_err(String::as_str));
}

/// Explicit settings take precedence, whether they are set before or after the sources
/// are added.
fn check_both_orders(case: &Value, file: &Path) {
    let (settings, sources) = (&case["settings"], &case["sources"]);
    let before = add_sources(set_explicitly(Client::builder(), settings), sources, file);
    check(case, before);
    let after = set_explicitly(add_sources(Client::builder(), sources, file), settings);
    check(case, after);
}

#[test]
fn each_setting_comes_from_the_first_source_that_has_it() {
    let cases = table::cases("cases");
    if let Ok(case) = std::env::var(CASE) {
        let file = PathBuf::from(std::env::var(FILE).unwrap());
        return check_both_orders(&cases[case.parse::<usize>().unwrap()], &file);
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sources");
    std::fs::create_dir_all(&folder).unwrap();
    let file = table::config_file(&folder);
    let mut failed = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "each_setting_comes_from_the_first_source_that_has_it"])
            .env_clear()
            .envs(table::variables(case, &file))
            .env(CASE, number.to_string())
            .env(FILE, &file)
            .output()
            .unwrap();
        if !output.status.success() {
            let output_text = String::from_utf8_lossy(&output.stdout);
            failed.push(format!("{}: {output_text}", case["name"]));
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), cases.len(), failed.join("\n"));
}
