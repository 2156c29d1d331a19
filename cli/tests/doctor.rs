//! `osslive doctor`: finds out why there is no video.

mod support;

use serde_json::Value;
use support::{Channel, Shell, run};

/// Returns the verdict, the finding and the advice of a check.
fn check<'a>(diagnosis: &'a Value, id: &str) -> &'a Value {
    let checks = diagnosis["checks"].as_array().expect("checks");
    checks.iter().find(|check| check["id"] == id).unwrap_or_else(|| panic!("no check {id}"))
}

#[test]
fn a_healthy_setup_passes_every_check_with_status_0() {
    let shell = Shell::new("doctor-well");
    shell.text("channel create cam");
    let url = shell.text("publish-url cam");
    let message = shell.text(&format!("doctor cam --publish-url {}", url.trim()));
    for line in ["ok       clock: agrees", "ok       channel-live: idle", "0 problems, 0 warnings"]
    {
        assert!(message.contains(line), "{line}: {message}");
    }
    assert!(!message.contains("PROBLEM") && !message.contains("Signature="), "{message}");
    let diagnosis = shell.json("doctor cam");
    assert_eq!((&diagnosis["problems"], &diagnosis["warnings"]), (&0.into(), &0.into()));
    assert_eq!(check(&diagnosis, "channel")["verdict"], "ok");
    assert_eq!(check(&diagnosis, "cors")["verdict"], "notChecked");
}

#[test]
fn problems_are_reported_with_advice_and_status_1() {
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
        let message = shell.run(line).stdout;
        assert!(message.contains(&format!("PROBLEM  {id}: ")), "{line}: {message}");
        let diagnosis = shell.run(&format!("{line} --json")).stdout;
        let diagnosis: Value = serde_json::from_str(&diagnosis).expect("JSON");
        let advice = check(&diagnosis, id)["advice"].as_str().expect("advice");
        assert!(advice.contains(word), "{line}: {advice}");
    }
}

#[test]
fn each_problem_in_the_environment_is_named() {
    let shell = Shell::new("doctor-environment");
    for (variables, id, word) in [
        (&[("OSS_ACCESS_KEY_ID", "")][..], "credentials", "OSS_ACCESS_KEY_ID"),
        (&[("OSS_ACCESS_KEY_SECRET", "")], "credentials", "OSS_ACCESS_KEY_SECRET"),
        (&[("OSS_ACCESS_KEY_SECRET", "wrong")], "access-key", "secret"),
        (&[("OSS_ACCESS_KEY_ID", "LTAI5tUnknown")], "access-key", "key"),
        (&[("OSS_ACCESS_KEY_ID", "\"quoted\"")], "credentials", "quote"),
        (&[("OSS_ACCESS_KEY_ID", "STS.abc")], "credentials", "token"),
        (&[("OSS_SESSION_TOKEN", "stale")], "access-key", "token"),
        (&[("OSS_REGION", "cn hangzhou")], "settings", "region"),
        (&[("OSS_REGION", "cn-shanghai")], "endpoint", "region"),
        (&[("OSS_BUCKET", "")], "settings", "bucket"),
        (&[("OSS_BUCKET", "another-one")], "bucket", "bucket"),
        (&[("OSS_ENDPOINT", "http://127.0.0.1:1")], "http-port", "port"),
        (
            &[
                ("OSSUTIL_CONFIG_FILE", "/no/such"),
                ("OSS_ACCESS_KEY_ID", ""),
                ("OSS_ACCESS_KEY_SECRET", ""),
            ],
            "credentials",
            "/no/such",
        ),
    ] {
        let mut command = shell.command("doctor --json");
        command.envs(variables.iter().copied());
        let ran = run(&mut command, support::LONG);
        assert_eq!(ran.status.code(), Some(1), "{variables:?}: {}", ran.stdout);
        let diagnosis: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        let check = check(&diagnosis, id);
        assert_eq!(check["verdict"], "problem", "{variables:?}: {}", ran.stdout);
        let said = format!("{} {}", check["seen"], check["advice"]);
        assert!(said.contains(word) && check["advice"].is_string(), "{variables:?}: {said}");
    }
}

#[test]
fn a_clip_is_sent_and_arrives() {
    let shell = Shell::new("doctor-send");
    shell.text("channel create cam --frag-duration 1");
    let diagnosis = shell.json("doctor cam --send");
    for id in ["rtmp-publish", "fragment", "channel-live", "video", "audio", "fragments"] {
        assert_eq!(check(&diagnosis, id)["verdict"], "ok", "{id}: {diagnosis}");
    }
    assert_eq!(diagnosis["problems"], 0);
    Channel::new(&shell.endpoint.client(), "cam").wait_idle();

    shell.text("channel create slow --frag-duration 60");
    let diagnosis = shell.json("doctor slow --send=1s");
    let fragment = check(&diagnosis, "fragment");
    assert_eq!(fragment["verdict"], "warning", "{diagnosis}");
    assert!(fragment["advice"].as_str().expect("advice").contains("--send=125s"), "{fragment}");

    shell.text("channel create off --disabled");
    let ran = shell.run("doctor off --send --json");
    let diagnosis: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let publish = check(&diagnosis, "rtmp-publish");
    assert_eq!(publish["verdict"], "problem", "{diagnosis}");
    assert!(publish["seen"].as_str().expect("words").contains("LiveChannelDisabled"), "{publish}");
    assert_eq!(check(&diagnosis, "fragment")["verdict"], "notChecked");
    let ran = shell.run("doctor --send");
    assert_eq!(ran.status.code(), Some(2), "without a channel: {}", ran.stderr);
}

#[test]
fn a_publish_url_is_read_from_standard_input() {
    let shell = Shell::new("doctor-stdin");
    shell.text("channel create cam");
    let file = shell.folder.path().join("url");
    std::fs::write(&file, shell.text("publish-url cam")).expect("a file");
    let open = || std::fs::File::open(&file).expect("the file");
    let mut command = shell.command("doctor cam --publish-url - --json");
    let ran = command.stdin(open()).output().expect("the command");
    let diagnosis: Value = serde_json::from_slice(&ran.stdout).expect("JSON");
    assert_eq!(check(&diagnosis, "publish-url-signature")["verdict"], "ok", "{diagnosis}");
    std::fs::write(&file, "\n").expect("a file");
    let ran = shell.command("doctor --publish-url -").stdin(open()).output().expect("the command");
    assert_eq!(ran.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("no publish URL on stdin"));
}

#[test]
fn a_client_that_cannot_be_created_is_also_a_finding() {
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
