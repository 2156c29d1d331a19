//! `osslive doctor`: the reasons why there is no picture, on the command line.

mod support;

use serde_json::Value;
use support::{Shell, run};

/// The verdict, what was seen and the advice of a check.
fn check<'a>(diagnosis: &'a Value, id: &str) -> &'a Value {
    let checks = diagnosis["checks"].as_array().expect("checks");
    checks.iter().find(|check| check["id"] == id).unwrap_or_else(|| panic!("no check {id}"))
}

#[test]
fn what_works_is_told_check_by_check_and_status_0() {
    let shell = Shell::new("doctor-well");
    shell.text("channel create cam");
    let url = shell.text("publish-url cam");
    let told = shell.text(&format!("doctor cam --publish-url {}", url.trim()));
    for line in ["ok       clock: agrees", "ok       channel-live: idle", "0 problems, 0 warnings"]
    {
        assert!(told.contains(line), "{line}: {told}");
    }
    assert!(!told.contains("PROBLEM") && !told.contains("Signature="), "{told}");
    let diagnosis = shell.json("doctor cam");
    assert_eq!((&diagnosis["problems"], &diagnosis["warnings"]), (&0.into(), &0.into()));
    assert_eq!(check(&diagnosis, "channel")["verdict"], "ok");
    assert_eq!(check(&diagnosis, "cors")["verdict"], "notChecked");
}

#[test]
fn problems_are_told_with_advice_and_status_1() {
    let shell = Shell::new("doctor-ill");
    shell.text("channel create off --disabled");
    for (line, id, word) in [
        ("doctor nope", "channel", "create"),
        ("doctor a/b", "channel", "id"),
        ("doctor off", "channel-enabled", "enable"),
        ("doctor --publish-url rtmp://127.0.0.1/x", "publish-url-path", "OBS"),
        ("doctor --bucket other-bucket", "bucket", "name"),
        ("doctor --region cn-shanghai", "endpoint", "region"),
    ] {
        assert!(shell.failure(line, 1).contains("problem"), "{line}");
        let told = shell.run(line).stdout;
        assert!(told.contains(&format!("PROBLEM  {id}: ")), "{line}: {told}");
        let diagnosis = shell.run(&format!("{line} --json")).stdout;
        let diagnosis: Value = serde_json::from_str(&diagnosis).expect("JSON");
        let advice = check(&diagnosis, id)["advice"].as_str().expect("advice");
        assert!(advice.contains(word), "{line}: {advice}");
    }
}

#[test]
fn a_client_that_cannot_be_made_is_a_finding_too() {
    let shell = Shell::new("doctor-unset");
    let mut command = shell.command("doctor");
    command.env_remove("OSS_ACCESS_KEY_ID").env_remove("OSS_ACCESS_KEY_SECRET");
    let ran = run(&mut command, support::LONG);
    assert_eq!(ran.status.code(), Some(1), "{}", ran.stderr);
    assert!(ran.stdout.contains("PROBLEM  credentials: "), "{}", ran.stdout);
    let mut command = shell.command("doctor");
    command.env("OSS_REGION", "cn hangzhou");
    let ran = run(&mut command, support::LONG);
    assert!(ran.stdout.contains("PROBLEM  settings: "), "{}{}", ran.stdout, ran.stderr);
}
