//! `osslive control`: controls an endpoint from a shell.

mod support;

use osslive::StreamState;
use osslive_local::{Config, LocalEndpoint};
use serde_json::Value;
use std::time::Duration;
use support::{
    Channel, Endpoint, Folder, LONG, Sdk, bare, clip, has_ffmpeg, publish_clip, refusal, run,
};

struct Stage {
    folder: Folder,
    endpoint: Endpoint,
}

impl Stage {
    fn start(name: &str, options: &[&str]) -> Stage {
        let folder = Folder::new(name);
        let endpoint = Endpoint::start_with(&folder.path().join("data"), options);
        Stage { folder, endpoint }
    }

    /// Returns the output of a command, and its exit status.
    fn control(&self, line: &str) -> (Option<i32>, String, String) {
        let mut command = bare(self.folder.path(), &format!("control {line}"));
        command.env("OSSLIVE_LOCAL_URL", &self.endpoint.url);
        let ran = run(&mut command, LONG);
        (ran.status.code(), ran.stdout, ran.stderr)
    }

    fn succeeds(&self, line: &str) -> String {
        let (status, stdout, stderr) = self.control(line);
        assert_eq!((status, &*stderr), (Some(0), ""), "{line}");
        stdout
    }
}

#[test]
fn a_fault_is_added_listed_and_deleted() {
    let stage = Stage::start("control-faults", &["--control"]);
    let client = stage.endpoint.client();
    client.put_channel("cam", &osslive::ChannelConfig::new("Cam")).expect("a channel");
    let said = stage.succeeds("fault add GetLiveChannelStat --channel c* --status 403 --latency 0");
    assert_eq!(said, "added fault rule 1\n");
    let refused = client.get_channel_status("cam").expect_err("403");
    assert_eq!(refused.status(), Some(403));
    let list = stage.succeeds("fault list");
    assert!(list.contains("GetLiveChannelStat") && list.contains("status 403"), "{list}");
    let list: Value = serde_json::from_str(&stage.succeeds("fault list --json")).expect("JSON");
    assert_eq!(
        (&list["faults"][0]["hits"], &list["faults"][0]["channel"]),
        (&1.into(), &"c*".into())
    );
    let requests = stage.succeeds("requests --operation GetLiveChannelStat");
    assert!(requests.contains("403") && requests.contains("fault rule 1"), "{requests}");
    assert_eq!(stage.succeeds("fault remove 1"), "removed fault rule 1\n");
    client.get_channel_status("cam").expect("a status");
    assert_eq!(stage.succeeds("fault list"), "no fault rules\n");
}

#[test]
fn the_clock_is_moved_and_everything_is_reset() {
    let stage = Stage::start("control-clock", &["--control"]);
    assert!(stage.succeeds("clock set 2030-01-01T00:00:00Z").starts_with("2030-01-01T00:00:0"));
    assert!(stage.succeeds("clock advance 7d").starts_with("2030-01-08T00:00:0"));
    assert!(stage.succeeds("clock advance -1h30m").starts_with("2030-01-07T22:30:0"));
    let frozen = stage.succeeds("clock freeze");
    let seconds = frozen.strip_suffix("Z, frozen\n").expect("a time in whole seconds");
    assert!(seconds.starts_with("2030-01-07T22:30:") && !seconds.contains('.'), "{frozen}");
    assert!(stage.succeeds("clock rate 60").contains("60 times"));
    assert_eq!(stage.succeeds("reset"), "reset\n");
    let clock: Value = serde_json::from_str(&stage.succeeds("clock show --json")).expect("JSON");
    assert_eq!((&clock["aheadSeconds"], &clock["rate"]), (&0.0.into(), &1.0.into()));
    assert!(stage.succeeds("health").starts_with("ok, version "));
}

#[test]
fn errors_have_their_exit_status() {
    let stage = Stage::start("control-mistakes", &["--control"]);
    for (line, status, word) in [
        ("fault add GetStat --status 503", 2, "GetStat"),
        ("fault add GetObject", 2, "no effect"),
        ("fault add GetObject --status 99", 2, "status 99"),
        ("fault add GetObject --disconnect explode", 2, "explode"),
        ("fault remove 7", 3, "no fault rule 7"),
        ("clock rate -1", 2, "-1"),
        ("clock set noon", 2, "noon"),
        ("clock advance soon", 2, "soon"),
        ("requests --operation a&b", 2, "letters"),
        ("clock show --url http://127.0.0.1:1", 7, "127.0.0.1:1"),
        ("clock show --token-file /no/such/file", 2, "/no/such/file"),
    ] {
        let (seen, _, stderr) = stage.control(line);
        assert_eq!(seen, Some(status), "{line}: {stderr}");
        assert!(stderr.contains(word), "{line}: {stderr}");
    }
}

#[test]
fn an_endpoint_without_control_or_with_a_token_reports_it() {
    let stage = Stage::start("control-off", &[]);
    let (status, _, stderr) = stage.control("fault list");
    assert!(status == Some(4) && stderr.contains("--control"), "{stderr}");
    assert!(stage.succeeds("health").starts_with("ok"));

    let folder = Folder::new("control-token-file");
    let file = folder.path().join("token");
    std::fs::write(&file, "0123456789abcdef\n").expect("a file");
    let path = file.to_str().expect("a path in UTF-8");
    let stage = Stage::start("control-token", &["--control", "--control-token-file", path]);
    let (status, _, stderr) = stage.control("fault list");
    assert!(status == Some(4) && stderr.contains("token"), "{stderr}");
    assert_eq!(stage.succeeds(&format!("fault list --token-file {path}")), "no fault rules\n");
}

#[test]
fn an_endpoint_starts_from_a_file_and_is_reset_to_it() {
    let folder = Folder::new("control-init");
    let file = folder.path().join("state.json");
    let bucket = support::BUCKET;
    let state =
        format!(r#"{{"buckets": [{{"name": "{bucket}", "channels": [{{"id": "main"}}]}}]}}"#);
    std::fs::write(&file, &state).expect("a file");
    let path = file.to_str().expect("a path in UTF-8");
    let stage = Stage::start("control-init-stage", &["--control", "--init", path]);
    let client = stage.endpoint.client();
    client.delete_channel("main").expect("deleted");
    client.put_channel("other", &osslive::ChannelConfig::new("")).expect("a channel");
    assert_eq!(stage.succeeds("reset"), "reset\n");
    let names: Vec<_> = client.channels("").map(|channel| channel.expect("one").name).collect();
    assert_eq!(names, ["main"]);

    std::fs::write(&file, state.replace("main", "a/b")).expect("a file");
    let ran = run(&mut bare(folder.path(), &format!("local --temporary --init {path}")), LONG);
    assert_eq!(ran.status.code(), Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains(path) && ran.stderr.contains("a/b"), "{}", ran.stderr);
    let ran = run(&mut bare(folder.path(), "local --memory --temporary"), LONG);
    assert!(ran.status.code() == Some(2) && ran.stderr.contains("--memory"), "{}", ran.stderr);
}

/// This is how a container is configured.
#[test]
fn an_endpoint_is_configured_by_its_environment() {
    let folder = Folder::new("control-environment");
    for (value, status) in [("true", 0), ("1", 0), ("false", 4), ("0", 4), ("", 4)] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_osslive"));
        command.env("OSSLIVE_LOCAL_CONTROL", value).env("OSSLIVE_LOCAL_NO_PAGE", "1");
        let endpoint = Endpoint::start_as(command, &folder.path().join("data"), &[]);
        assert!(!endpoint.log().contains("/_osslive/?token="), "{}", endpoint.log());
        let mut command = bare(folder.path(), "control fault list");
        let ran = run(command.env("OSSLIVE_LOCAL_URL", &endpoint.url), LONG);
        assert_eq!(ran.status.code(), Some(status), "{value:?}: {}", ran.stderr);
    }
    let mut command = bare(folder.path(), "local --temporary");
    let ran = run(command.env("OSSLIVE_LOCAL_ACCOUNT", "older"), LONG);
    assert!(ran.status.code() == Some(2) && ran.stderr.contains("older"), "{}", ran.stderr);
}

/// The vendor's SDKs treat an injected fault like one of the service.
#[test]
fn the_vendors_sdks_see_injected_faults() {
    let stage = Stage::start("control-sdks", &["--control"]);
    let (oss2, ali_oss) = (&["names_listed"][..], &["create", "cam"][..]);
    for (sdk, script, operation) in
        [(Sdk::Oss2, oss2, "ListLiveChannel"), (Sdk::AliOss, ali_oss, "PutLiveChannel")]
    {
        if !sdk.is_installed("a vendor's SDK under injected faults") {
            continue;
        }
        for (options, word) in [
            ("--status 403 --code AccessDenied --message OrderedForYou", "OrderedForYou"),
            ("--status 404 --code NoSuchBucket", "NoSuchBucket"),
        ] {
            stage.succeeds(&format!("fault add {operation} {options}"));
            let ran = run(sdk.command(&stage.endpoint, "v4").args(script), LONG);
            let said = ran.stdout + &ran.stderr;
            assert!(said.contains(word), "{script:?}, {options}: {said}");
            stage.succeeds("fault clear");
        }
        for options in ["--disconnect close", "--disconnect reset", "--garbage"] {
            stage.succeeds(&format!("fault add {operation} {options}"));
            let ran = run(sdk.command(&stage.endpoint, "v4").args(script), LONG);
            assert!(!ran.status.success(), "{script:?}, {options}: {}", ran.stdout);
            stage.succeeds("fault clear");
        }
        let ran = run(sdk.command(&stage.endpoint, "v4").args(script), LONG);
        assert!(ran.status.success(), "{script:?}: {}{}", ran.stdout, ran.stderr);
    }
}

/// How each SDK reacts to server faults injected by rules: the rows of
/// docs/evidence/faults.md that depend on one response.
#[test]
fn the_vendors_sdks_are_tested_with_every_fault() {
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/fault-rules.json");
    let rows: Vec<Value> =
        serde_json::from_str(&std::fs::read_to_string(rules).expect("a file")).expect("JSON");
    let names: Vec<_> = rows.iter().map(|row| row["name"].as_str().expect("a name")).collect();
    let outcomes = |sdk: Sdk| -> Option<Value> {
        if !sdk.is_installed("a vendor's SDK under every fault") {
            return None;
        }
        let stage = Stage::start(&format!("control-rows-{sdk:?}"), &["--control"]);
        let ran = run(sdk.command(&stage.endpoint, "v4").args(["faults", rules]), LONG);
        assert!(ran.status.success(), "{sdk:?}: {}{}", ran.stdout, ran.stderr);
        Some(serde_json::from_str(&ran.stdout).expect("JSON"))
    };
    let (oss2, ali_oss) = (outcomes(Sdk::Oss2), outcomes(Sdk::AliOss));
    let (Some(oss2), Some(ali_oss)) = (oss2, ali_oss) else { return };
    let osslive = outcomes_of_osslive(&rows);
    let row = |(name, osslive): (&&str, &&str)| {
        let [oss2, ali_oss] = [&oss2, &ali_oss].map(|of| of[*name].as_str().expect("an outcome"));
        let name = name.replace('<', "\\<");
        format!("| {name} | {osslive} | {oss2} | {ali_oss} |\n")
    };
    let table: String = names.iter().zip(&osslive).map(row).collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/evidence/simulator.md");
    if std::env::var_os("OSSLIVE_WRITE_FAULTS").is_some() {
        std::fs::write(path, format!("{ROWS_HEAD}{table}")).expect("written");
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(written, format!("{ROWS_HEAD}{table}"), "{path} is out of date: make faults");
}

const ROWS_HEAD: &str = "\
# Fault rules with three SDKs

Each row of [the fault-injection results](faults.md) that depends on one response, injected
into the local endpoint by rules alone (`tests/data/fault-rules.json`), and the outcome of a
status request for a live channel: `right`; `wrong`, an error or a wrong result; `endless`,
still running after three seconds despite a timeout of one. `make faults` writes this table,
and a test compares it. osslive is tested with all rows, including endless responses:
`cargo test -p osslive --test faults`.

| Fault | osslive | oss2 2.19.1 | ali-oss 6.23.0 |
| --- | --- | --- | --- |
";

fn outcomes_of_osslive(rows: &[Value]) -> Vec<&'static str> {
    let endpoint = LocalEndpoint::start(Config::temporary().control()).expect("an endpoint");
    let control = endpoint.control().expect("control is enabled");
    let outcome = |row: &Value| {
        for rule in row["rules"].as_array().expect("rules") {
            let rule = serde_json::from_value(rule.clone()).expect("a rule");
            control.add(rule).expect("a valid rule");
        }
        let client = endpoint.client_builder().timeout(Duration::from_secs(1)).build();
        let status = client.expect("a client").get_channel_status("c");
        control.clear_faults();
        match status {
            Ok(status) if status.status == StreamState::Live => "right",
            _ => "wrong",
        }
    };
    rows.iter().map(outcome).collect()
}

#[test]
fn fault_rules_reject_and_disconnect_ffmpeg() {
    if !has_ffmpeg("ffmpeg under injected faults") {
        return;
    }
    let stage = Stage::start("control-ffmpeg", &["--control"]);
    let channel = Channel::create(&stage.endpoint.client(), "cam");
    let source = "-f lavfi -i testsrc2=size=160x90:rate=30 -t 3 -c:v libx264 -preset ultrafast \
                  -pix_fmt yuv420p -g 30";
    let clip = clip("control", source);
    let publish = || publish_clip(&clip, &channel.publish_url()).end(LONG);
    stage.succeeds(
        "fault add RtmpPublish --code NetStream.Publish.BadName --message Taken --times 1",
    );
    assert!(refusal(publish()).contains("Taken"));
    for fault in ["RtmpConnect --disconnect close", "RtmpPublish --disconnect reset"] {
        stage.succeeds(&format!("fault add {fault} --times 1"));
        assert!(!publish().status.success(), "{fault}");
    }
    stage.succeeds("fault add RtmpPublish --cut-after 1s --times 1");
    assert!(!publish().status.success(), "it was disconnected");
    let ran = publish();
    assert!(ran.status.success(), "{}", ran.stderr);
}
