//! Where the command's settings come from: the cases of the SDK's own test, as far
//! as options can express them.

mod support;
#[path = "../../tests/support/sources.rs"]
mod table;

use serde_json::Value;
use std::path::Path;
use std::process::Command;
use support::{Folder, SOON, bare, run};

/// The options for a case. The command always reads the environment, after what
/// `--config` names.
fn options(case: &Value, file: &Path) -> Option<Vec<String>> {
    let mut options = Vec::new();
    for (name, value) in case["settings"].as_object().expect("settings") {
        match (name.as_str(), value.as_str()) {
            // Keys are not options, because others could read them.
            ("key", _) => return None,
            ("local", Some(url)) => options.push(format!("--local={url}")),
            (name, Some(value)) => options.extend([format!("--{name}"), value.to_owned()]),
            (name, None) => options.push(format!("--{name}")),
        }
    }
    let sources = case["sources"].as_array().expect("sources");
    let sources: Vec<_> = sources.iter().map(|source| source.as_str().expect("a name")).collect();
    match sources[..] {
        ["environment"] | ["default profile"] => {}
        [profile @ ("profile" | "profile edge" | "profile default")]
        | [profile @ ("profile" | "profile edge" | "profile default"), "environment"] => {
            let name = profile.strip_prefix("profile ").unwrap_or("default");
            let file = file.display().to_string();
            options.extend(["--config".into(), file, "--profile".into(), name.into()]);
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
    command.envs(table::variables(case, file));
    Some(command)
}

#[test]
fn each_setting_comes_from_the_first_source_that_has_it() {
    let home = Folder::new("sources");
    let file = table::config_file(home.path());
    let mut count = 0;
    for case in table::cases("cases").iter().chain(&table::cases("command")) {
        let Some(mut command) = command(&home, case, &file) else { continue };
        let ran = run(&mut command, SOON);
        table::check(case, if ran.status.success() { Ok(&ran.stdout) } else { Err(&ran.stderr) });
        count += 1;
    }
    assert!(count > 30, "only {count} cases");
}

#[test]
fn a_default_profile_counts_only_without_a_key_in_the_environment() {
    let home = Folder::new("sources-default");
    let file = table::config_file(home.path());
    std::fs::rename(file, home.path().join(".ossutilconfig")).expect("its default name");
    let url = |variables: &[(&str, &str)]| {
        let mut command = bare(home.path(), "publish-url c --bucket b-1 --region cn-shanghai");
        run(command.envs(variables.iter().copied()), SOON).silent("publish-url")
    };
    assert!(url(&[]).contains("b-1.profile.example/live/c?OSSAccessKeyId=profile-id&"));
    let keys = [("OSS_ACCESS_KEY_ID", "env-id"), ("OSS_ACCESS_KEY_SECRET", "s")];
    assert!(url(&keys).contains("b-1.oss-cn-shanghai.aliyuncs.com/live/c?OSSAccessKeyId=env-id&"));
}
