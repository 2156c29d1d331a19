//! Where each setting comes from, in C and C++: the cases of the SDK's own test.

use osslive_ffi_tests::{Program, Run, scratch};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

fn table() -> Value {
    serde_json::from_str(include_str!("../../tests/data/sources.json")).expect("a table")
}

/// ossutil's config file, with a byte in its comment that is not UTF-8.
fn config_file(table: &Value) -> PathBuf {
    let path = scratch("sources").join("ossutilconfig");
    let text = table["profile"].as_str().expect("a text");
    std::fs::write(&path, text.chars().map(|c| c as u8).collect::<Vec<_>>()).expect("a file");
    path
}

/// The settings as the programs take them.
fn settings(case: &Value) -> Vec<String> {
    let settings = case["settings"].as_object().expect("settings").iter();
    settings
        .map(|(name, value)| match value.as_str() {
            Some(value) => format!("{name}={value}"),
            None => name.clone(),
        })
        .collect()
}

fn sources(case: &Value, file: &Path) -> Vec<String> {
    let source = |source: &Value| match source.as_str().expect("a source") {
        "profile" => format!("profile={}", file.display()),
        "missing profile" => format!("profile={}", file.join("none").display()),
        other => other.to_owned(),
    };
    case["sources"].as_array().expect("sources").iter().map(source).collect()
}

fn check(program: &Path, case: &Value, file: &Path, arguments: &[String]) {
    let mut command = Command::new(program);
    command.args(arguments).env_clear();
    for (name, value) in case["environment"].as_object().expect("variables") {
        let value = value.as_str().expect("a value");
        command.env(name, value.replace("FILE", &file.display().to_string()));
    }
    let said = Run::of(command).succeeds();
    let name = &case["name"];
    match (case["url"].as_str(), said.split_once(' ')) {
        (Some(start), Some(("url", url))) => {
            let key = format!("OSSAccessKeyId={}&", case["key"].as_str().expect("a key"));
            assert!(url.starts_with(start) && url.contains(&key), "{name}: {url}");
        }
        (None, Some(("error", message))) => {
            let word = case["error"].as_str().expect("a word");
            assert!(message.contains(word), "{name}: {message}");
        }
        _ => panic!("{name}: {said}"),
    }
}

#[test]
fn each_setting_comes_from_the_first_source_that_has_it_in_c() {
    let (table, program) = (table(), Program::new("ffi-tests/c/sources.c").build());
    let file = config_file(&table);
    for case in table["cases"].as_array().expect("cases") {
        let (settings, sources) = (settings(case), sources(case, &file));
        check(&program, case, &file, &[&settings[..], &sources[..]].concat());
        check(&program, case, &file, &[sources, settings].concat());
    }
}

#[test]
fn each_setting_comes_from_the_first_source_that_has_it_in_cpp() {
    let (table, program) = (table(), Program::new("ffi-tests/cpp/sources.cpp").build());
    let file = config_file(&table);
    let mut count = 0;
    for case in table["cases"].as_array().expect("cases") {
        let sources = sources(case, &file);
        // The members of a structure have no order of their own: the environment
        // comes before a profile.
        if sources.last().is_some_and(|last| last == "environment") && sources.len() > 1 {
            continue;
        }
        check(&program, case, &file, &[settings(case), sources].concat());
        count += 1;
    }
    assert!(count > 20, "only {count} cases");
}
