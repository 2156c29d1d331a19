//! Where each setting comes from, for the command: the cases of the SDK's own
//! test, as far as options can say them.

mod support;

use serde_json::Value;
use std::path::Path;
use std::process::Command;
use support::{Folder, SOON, bare, run};

fn table() -> Value {
    serde_json::from_str(include_str!("../../tests/data/sources.json")).expect("a table")
}

/// The options that say what a case says. The command always reads the
/// environment, after what `--config` names.
fn options(case: &Value, file: &Path) -> Option<Vec<String>> {
    let mut options = Vec::new();
    for (name, value) in case["settings"].as_object().expect("settings") {
        match (name.as_str(), value.as_str()) {
            // Keys are no options, which others could read.
            ("key", _) => return None,
            (name, Some(value)) => options.extend([format!("--{name}"), value.to_owned()]),
            (name, None) => options.push(format!("--{name}")),
        }
    }
    let sources = case["sources"].as_array().expect("sources");
    let sources: Vec<_> = sources.iter().map(|source| source.as_str().expect("a name")).collect();
    match sources[..] {
        ["environment"] | ["default profile"] => {}
        ["profile"] | ["profile", "environment"] => {
            let file = file.display().to_string();
            options.extend(["--config".into(), file, "--profile".into(), "default".into()]);
        }
        ["missing profile", "environment"] => {
            options.extend(["--config".into(), file.join("none").display().to_string()]);
        }
        _ => return None,
    }
    Some(options)
}

fn command(home: &Folder, case: &Value, file: &Path) -> Option<Command> {
    let options = options(case, file)?;
    let mut command = bare(home.path(), "publish-url c");
    command.args(options);
    for (name, value) in case["environment"].as_object().expect("variables") {
        let value = value.as_str().expect("a value");
        command.env(name, value.replace("FILE", &file.display().to_string()));
    }
    Some(command)
}

#[test]
fn each_setting_comes_from_the_first_source_that_has_it() {
    let (table, home) = (table(), Folder::new("sources"));
    let file = home.path().join("ossutilconfig");
    let profile = table["profile"].as_str().expect("a text");
    let bytes: Vec<u8> = profile.chars().map(|character| character as u8).collect();
    std::fs::write(&file, bytes).expect("a file");
    let mut count = 0;
    for case in table["cases"].as_array().expect("cases") {
        let Some(mut command) = command(&home, case, &file) else { continue };
        let (name, ran) = (&case["name"], run(&mut command, SOON));
        count += 1;
        if let Some(word) = case["error"].as_str() {
            assert!(!ran.status.success() && ran.stderr.contains(word), "{name}: {}", ran.stderr);
            continue;
        }
        assert!(ran.status.success(), "{name}: {}", ran.stderr);
        assert!(ran.stdout.starts_with(case["url"].as_str().expect("a URL")), "{name}");
        let key = format!("OSSAccessKeyId={}&", case["key"].as_str().expect("a key"));
        assert!(ran.stdout.contains(&key), "{name}: {}", ran.stdout);
    }
    assert!(count > 20, "only {count} cases");
}

#[test]
fn a_default_profile_counts_only_where_the_environment_has_no_key() {
    let (table, home) = (table(), Folder::new("sources-default"));
    let profile = table["profile"].as_str().expect("a text");
    std::fs::write(home.path().join(".ossutilconfig"), profile).expect("a file");
    let url = |variables: &[(&str, &str)]| {
        let mut command = bare(home.path(), "publish-url c --bucket b-1 --region cn-shanghai");
        run(command.envs(variables.iter().copied()), SOON).silent("publish-url")
    };
    assert!(url(&[]).contains("b-1.profile.example/live/c?OSSAccessKeyId=profile-id&"));
    let keys = [("OSS_ACCESS_KEY_ID", "env-id"), ("OSS_ACCESS_KEY_SECRET", "s")];
    assert!(url(&keys).contains("b-1.oss-cn-shanghai.aliyuncs.com/live/c?OSSAccessKeyId=env-id&"));
}
