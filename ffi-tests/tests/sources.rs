//! Where settings come from, in C and C++: the cases of the SDK's own test.

#[path = "../../tests/support/sources.rs"]
mod table;

use osslive_ffi_tests::{Program, Run, scratch};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// The settings in the form that the programs accept.
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
    command.envs(table::variables(case, file));
    let said = Run::of(command).succeeds();
    let outcome = match said.split_once(' ') {
        Some(("url", url)) => Ok(url),
        Some(("error", message)) => Err(message),
        _ => panic!("{}: {said}", case["name"]),
    };
    table::check(case, outcome);
}

#[test]
fn each_setting_comes_from_the_first_source_that_has_it_in_c() {
    let program = Program::new("ffi-tests/c/sources.c").build();
    let file = table::config_file(&scratch("sources"));
    for case in &table::cases("cases") {
        let (settings, sources) = (settings(case), sources(case, &file));
        check(&program, case, &file, &[&settings[..], &sources[..]].concat());
        check(&program, case, &file, &[sources, settings].concat());
    }
}

#[test]
fn each_setting_comes_from_the_first_source_that_has_it_in_cpp() {
    let program = Program::new("ffi-tests/cpp/sources.cpp").build();
    let file = table::config_file(&scratch("sources"));
    let mut count = 0;
    for case in &table::cases("cases") {
        let sources = sources(case, &file);
        // The members of a structure have no order: the environment takes
        // precedence over a profile.
        if sources.last().is_some_and(|last| last == "environment") && sources.len() > 1 {
            continue;
        }
        check(&program, case, &file, &[settings(case), sources].concat());
        count += 1;
    }
    assert!(count > 20, "only {count} cases");
}
