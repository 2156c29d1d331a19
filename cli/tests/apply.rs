//! `osslive channel apply`: brings channels in line with a file, with as few
//! requests as possible.

mod support;

use osslive::{ChannelConfig, ChannelState, Client, code};
use osslive_local::{Config, Disconnect, FaultRule, LocalEndpoint};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;
use support::{Folder, LONG, Program, Ran, SOON, bare, has_script, run, shipped_clip, wait_until};

/// An endpoint with the control API, and files to apply.
struct Stage {
    folder: Folder,
    endpoint: LocalEndpoint,
    client: Client,
}

impl Stage {
    fn new(name: &str) -> Stage {
        let endpoint = LocalEndpoint::start(Config::temporary().control()).expect("an endpoint");
        let client = endpoint.client_builder().build().expect("a client");
        Stage { folder: Folder::new(name), endpoint, client }
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).expect("a file");
        path
    }

    fn command(&self, file: &str, options: &str) -> Command {
        let file = if file == "-" { file.into() } else { self.folder.path().join(file) };
        let line = format!("--local={} channel apply {options}", self.endpoint.url());
        let mut command = bare(self.folder.path(), &line);
        command.arg(file);
        command
    }

    fn run(&self, file: &str, options: &str) -> Ran {
        run(&mut self.command(file, options), LONG)
    }

    /// Applies the file successfully and returns the output.
    fn apply(&self, file: &str, options: &str) -> String {
        self.run(file, options).silent(file)
    }

    fn json(&self, file: &str, options: &str) -> Value {
        let text = self.apply(file, &format!("--json {options}"));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Applies a file that must fail with this status, and returns the errors.
    fn failure(&self, file: &str, options: &str, status: i32) -> Ran {
        let ran = self.run(file, options);
        assert_eq!(ran.status.code(), Some(status), "{file} {options}: {}", ran.stderr);
        let is_json = options.contains("--json");
        let start = if is_json { "{\"error\":" } else { "osslive: " };
        assert!(ran.stderr.starts_with(start), "{}", ran.stderr);
        ran
    }

    /// Returns the operations since the last call that were not reads, sorted, with
    /// keys.
    fn writes(&self) -> Vec<String> {
        let control = self.endpoint.control().expect("the control API");
        let (events, dropped) = control.requests();
        assert_eq!(dropped, 0);
        control.clear_requests();
        let requests = events.into_iter().filter_map(|event| Some((event.operation?, event.key)));
        let is_read =
            |name: &str| name.starts_with("Get") || name.starts_with("List") || name == "-";
        let writes = requests.filter(|(operation, _)| !is_read(operation));
        let mut writes: Vec<_> = writes
            .map(|(operation, key)| format!("{operation} {}", key.unwrap_or_default()))
            .collect();
        writes.sort();
        writes
    }

    fn fault(&self, rule: FaultRule) {
        self.endpoint.control().expect("the control API").add(rule).expect("a rule");
    }

    fn put(&self, id: &str, config: &ChannelConfig) {
        self.client.put_channel(id, config).expect("a channel");
        self.writes();
    }

    fn exists(&self, id: &str) -> bool {
        match self.client.get_channel(id) {
            Ok(_) => true,
            Err(error) if error.code() == Some(code::NO_SUCH_LIVE_CHANNEL) => false,
            Err(error) => panic!("{id}: {error}"),
        }
    }

    fn ids(&self) -> Vec<String> {
        let channels = self.client.channels("");
        channels.map(|channel| channel.expect("a channel").name).collect()
    }

    /// Publishes until the program is dropped.
    fn publish(&self, id: &str) -> Program {
        let clip = shipped_clip();
        let line =
            format!("--local={} publish {} {id} --repeat", self.endpoint.url(), clip.display());
        let program = Program::start(&mut bare(self.folder.path(), &line));
        self.client.wait_until_live(id, SOON).expect("the channel goes live");
        program
    }
}

fn rule(operation: &str, status: u16) -> FaultRule {
    let mut rule = FaultRule::new(operation);
    rule.status = Some(status);
    rule
}

const THREE: &str = "\
prefix: stage-
defaults:
  fragDuration: 2
channels:
  stage-main:
    name: Main stage
  stage-left:
    status: disabled
  stage-right:
";

#[test]
fn applying_a_file_again_changes_nothing() {
    let stage = Stage::new("apply-twice");
    stage.file("channels.yaml", THREE);
    let text = stage.apply("channels.yaml", "");
    assert!(
        text.contains("stage-main   create  description \"Main stage\", fragDuration 2\n"),
        "{text}"
    );
    assert!(text.ends_with("3 changes made, 0 unchanged\n"), "{text}");
    let puts = ["stage-left", "stage-main", "stage-right"];
    assert_eq!(stage.writes(), puts.map(|id| format!("PutLiveChannel {id}")));
    let left = stage.client.get_channel("stage-left").expect("it was created");
    assert_eq!((left.status, left.frag_duration), (ChannelState::Disabled, 2));

    stage.writes();
    assert_eq!(stage.apply("channels.yaml", ""), "0 changes made, 3 unchanged\n");
    assert_eq!(stage.apply("channels.yaml", "--prune"), "0 changes made, 3 unchanged\n");
    assert_eq!(stage.writes(), [""; 0]);
}

#[test]
fn only_differences_are_sent() {
    let stage = Stage::new("apply-differences");
    stage.file("channels.yaml", THREE);
    let as_it_should_be = ChannelConfig::new("Main stage").frag_duration(2);
    stage.put("stage-main", &as_it_should_be);
    stage.put("stage-left", &ChannelConfig::new("").frag_duration(2));
    stage.put("stage-right", &ChannelConfig::new("Old").frag_duration(3).frag_count(9));
    stage.put("stage-other", &ChannelConfig::new("not in the file"));
    let plan = stage.json("channels.yaml", "--dry-run");
    assert_eq!(stage.writes(), [""; 0], "a dry run sends nothing");
    assert_eq!((&plan["changes"], &plan["total"]), (&json!(2), &json!(3)));
    assert_eq!(
        plan["channels"],
        json!([
            { "id": "stage-main", "action": "unchanged" },
            { "id": "stage-left", "action": "disable", "differences": [
                { "field": "status", "from": "enabled", "to": "disabled" },
            ] },
            { "id": "stage-right", "action": "change", "differences": [
                { "field": "description", "from": "Old", "to": "" },
                { "field": "fragDuration", "from": 3, "to": 2 },
                { "field": "fragCount", "from": 9, "to": 3 },
            ] },
        ])
    );
    let done = stage.json("channels.yaml", "");
    let right = &done["channels"][2];
    assert_eq!(right["outcome"], "done");
    assert!(right["publishUrls"][0].as_str().is_some_and(|url| url.starts_with("rtmp://")));
    let counts = ["changes", "done", "failed", "skipped", "total"].map(|name| done[name].clone());
    assert_eq!(counts, [2, 2, 0, 0, 3].map(Value::from));
    assert_eq!(stage.writes(), ["PutLiveChannel stage-right", "PutLiveChannelStatus stage-left"]);
    assert!(stage.exists("stage-other"), "only --prune deletes");
}

#[test]
fn a_dry_run_can_fail_when_something_would_change() {
    let stage = Stage::new("apply-exit-code");
    stage.file("channels.yaml", THREE);
    let text = stage.apply("channels.yaml", "--dry-run");
    assert!(text.ends_with("3 to create; nothing sent\n"), "{text}");
    let ran = stage.failure("channels.yaml", "--dry-run --exit-code", 8);
    assert!(ran.stderr.contains("3 changes to make"), "{}", ran.stderr);
    assert_eq!(stage.ids(), [""; 0]);
    stage.apply("channels.yaml", "");
    let text = stage.apply("channels.yaml", "--dry-run --exit-code");
    assert_eq!(text, "3 unchanged; nothing sent\n");
}

#[test]
fn a_table_for_import_can_be_applied() {
    let stage = Stage::new("apply-table");
    stage.file("channels.csv", "id,name,status,fragDuration\nmain,Main,,2\nback,,disabled,\n");
    stage.apply("channels.csv", "");
    assert_eq!(stage.ids(), ["back", "main"]);
    stage.writes();
    assert_eq!(stage.apply("channels.csv", ""), "0 changes made, 2 unchanged\n");
    assert_eq!(stage.writes(), [""; 0]);
    stage.file("channels.list", "id\tfragCount\nmain\t4\n");
    stage.apply("channels.list", "--format table");
    assert_eq!(stage.client.get_channel("main").expect("it exists").frag_count, 4);
    let ran = stage.failure("channels.csv", "--prune", 2);
    assert!(ran.stderr.contains("--prune needs the prefix field"), "{}", ran.stderr);
}

#[test]
fn names_and_descriptions_are_compared_exactly() {
    let stage = Stage::new("apply-names");
    let texts = [" a b ", "two\nlines\n", "tab\there", "]]> & <x> &amp;", "'\"\\", "no", "直播🎥"];
    let texts = texts.iter().cycle();
    let ids: Vec<String> =
        serde_json::from_str(include_str!("../../tests/data/names.json")).expect("a list of ids");
    let channels: serde_json::Map<_, _> =
        ids.into_iter().zip(texts).map(|(id, text)| (id, json!({ "name": text }))).collect();
    stage.file("channels.json", escaped(&json!({ "channels": channels })));
    stage.apply("channels.json", "");
    stage.writes();
    let text = stage.apply("channels.json", "");
    assert_eq!(text, format!("0 changes made, {} unchanged\n", channels.len()));
    assert_eq!(stage.writes(), [""; 0]);
}

/// JSON, which is YAML, with escapes for characters that a text file cannot
/// contain.
fn escaped(value: &Value) -> String {
    let escape = |c: char| match c.is_control() {
        true => format!("\\u{:04x}", u32::from(c)),
        false => c.to_string(),
    };
    value.to_string().chars().map(escape).collect()
}

#[test]
fn yaml_keywords_and_numbers_are_ids_as_written() {
    let stage = Stage::new("apply-norway");
    stage.file("channels.yaml", "channels:\n  no:\n  on: {name: off}\n  1e3:\n  0x10:\n  010:\n");
    stage.apply("channels.yaml", "");
    assert_eq!(stage.ids(), ["010", "0x10", "1e3", "no", "on"]);
    assert_eq!(stage.client.get_channel("on").expect("it exists").description, "off");
}

#[test]
fn only_channels_with_the_prefix_are_deleted_and_only_on_request() {
    let stage = Stage::new("apply-prune");
    stage.file("channels.yaml", THREE);
    stage.apply("channels.yaml", "");
    for id in ["stage-old", "stage", "other"] {
        stage.put(id, &ChannelConfig::new(""));
    }
    stage.apply("channels.yaml", "");
    let plan = stage.apply("channels.yaml", "--prune --dry-run");
    assert!(plan.contains("stage-old  delete"), "{plan}");
    assert!(plan.ends_with("1 to delete, 3 unchanged; nothing sent\n"), "{plan}");
    // There is no terminal for a prompt.
    let ran = stage.failure("channels.yaml", "--prune", 2);
    assert!(ran.stderr.contains("1 channel would be deleted: add --yes"), "{}", ran.stderr);
    assert_eq!(stage.writes(), [""; 0]);
    let done = stage.json("channels.yaml", "--prune --yes");
    assert_eq!(
        done["channels"][3],
        json!({ "id": "stage-old", "action": "delete", "outcome": "done" })
    );
    assert_eq!(stage.writes(), ["DeleteLiveChannel stage-old"]);
    assert_eq!(stage.ids(), ["other", "stage", "stage-left", "stage-main", "stage-right"]);

    stage.file("no-prefix.yaml", "channels:\n  cam:\n");
    let ran = stage.failure("no-prefix.yaml", "--prune --yes", 2);
    assert!(ran.stderr.contains("prefix"), "{}", ran.stderr);
    stage.file("empty.yaml", "prefix: stage-\nchannels: {}\n");
    stage.failure("empty.yaml", "--prune --yes", 2);
    assert_eq!(stage.writes(), [""; 0]);
}

#[test]
fn deleting_channels_is_confirmed_on_a_terminal() {
    if !has_script() {
        return support::skipped("a prompt on a terminal", "no util-linux script");
    }
    let stage = Stage::new("apply-ask");
    let file = stage.file("channels.yaml", THREE);
    let ask = |answer: &str| {
        let line =
            format!("--local={} channel apply {} --prune", stage.endpoint.url(), file.display());
        let mut command = support::on_terminal(stage.folder.path(), &line);
        command.env("NO_PROXY", "*").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("script runs");
        let mut input = child.stdin.take().expect("it is piped");
        input.write_all(answer.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        drop(input);
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    stage.apply("channels.yaml", "");
    stage.put("stage-old", &ChannelConfig::new(""));
    let (status, text) = ask("n\n");
    assert!(text.contains("Delete 1 channel? [y/N]"), "{text}");
    assert!(status == Some(1) && text.contains("nothing was changed"), "{text}");
    assert!(stage.exists("stage-old"));
    let (status, text) = ask("y\n");
    assert_eq!(status, Some(0), "{text}");
    assert!(!stage.exists("stage-old"));
}

#[test]
fn a_live_channel_is_unchanged_and_the_others_are_applied() {
    let stage = Stage::new("apply-live");
    for id in ["stage-main", "stage-old"] {
        stage.put(id, &ChannelConfig::new(""));
    }
    let publishers = ["stage-main", "stage-old"].map(|id| stage.publish(id));
    stage.file("channels.yaml", THREE);
    let plan = stage.apply("channels.yaml", "--prune --dry-run");
    assert_eq!(plan.matches("live: will fail while it has a publisher").count(), 2, "{plan}");
    let ran = stage.failure("channels.yaml", "--prune --yes", 6);
    assert!(ran.stdout.contains("ChannelStillLive"), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("2 changes made, 0 unchanged\n"), "{}", ran.stdout);
    // The deletion would have followed a failure.
    assert!(ran.stderr.contains("1 of 4 changes failed, 1 not made"), "{}", ran.stderr);
    assert!(stage.exists("stage-left") && stage.exists("stage-right"));

    stage.file("off.yaml", "channels:\n  stage-main:\n    status: disabled\n");
    let plan = stage.apply("off.yaml", "--dry-run");
    assert!(plan.contains("live: its publisher will be disconnected"), "{plan}");
    stage.apply("off.yaml", "");
    drop(publishers);
    for id in ["stage-main", "stage-old"] {
        stage.client.wait_until_idle(id, SOON).expect("the publisher is gone");
    }
    stage.apply("channels.yaml", "--prune --yes");
    assert_eq!(stage.ids(), ["stage-left", "stage-main", "stage-right"]);
}

#[test]
fn a_failure_does_not_affect_the_other_channels() {
    let stage = Stage::new("apply-failure");
    stage.file("channels.yaml", THREE);
    stage.put("stage-old", &ChannelConfig::new(""));
    let mut forbidden = rule("PutLiveChannel", 403);
    forbidden.channel = Some("stage-left".to_owned());
    stage.fault(forbidden);
    let ran = stage.failure("channels.yaml", "--json --prune --yes", 4);
    let done: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let outcomes = done["channels"].as_array().expect("a list").iter();
    let outcomes: Vec<_> = outcomes.map(|channel| channel["outcome"].clone()).collect();
    assert_eq!(outcomes, ["done", "failed", "done", "skipped"]);
    assert_eq!(done["channels"][1]["error"]["status"], 403);
    assert!(stage.exists("stage-main") && stage.exists("stage-old"));
}

#[test]
fn nothing_is_changed_when_a_channel_cannot_be_read() {
    let stage = Stage::new("apply-unreadable");
    stage.file("channels.yaml", THREE);
    let mut forbidden = rule("GetLiveChannelInfo", 403);
    forbidden.channel = Some("stage-right".to_owned());
    stage.fault(forbidden);
    stage.failure("channels.yaml", "", 4);
    stage.fault(rule("GetLiveChannelInfo", 404));
    stage.failure("channels.yaml", "", 3);
    assert_eq!(stage.writes(), [""; 0]);
    assert_eq!(stage.ids(), [""; 0]);
}

#[test]
fn a_thousand_channels_are_applied_and_compared() {
    let stage = Stage::new("apply-many");
    let list: String = (0..1000).map(|number| format!("  cam-{number:04}:\n")).collect();
    let head = "prefix: cam-\ndefaults: {fragCount: 4}\nchannels:\n";
    stage.file("channels.yaml", format!("{head}{list}"));
    let text = stage.apply("channels.yaml", "--parallel 32");
    assert!(text.ends_with("1000 changes made, 0 unchanged\n"), "{text}");
    assert_eq!(stage.writes().len(), 1000);
    let text = stage.apply("channels.yaml", "--parallel 32 --prune");
    assert_eq!(text, "0 changes made, 1000 unchanged\n");
    assert_eq!(stage.writes(), [""; 0]);
    assert_eq!(stage.ids().len(), 1000);
}

#[test]
fn throttled_changes_are_retried() {
    let stage = Stage::new("apply-throttled");
    write_forty_channels(&stage);
    for operation in ["GetLiveChannelInfo", "PutLiveChannel"] {
        let mut throttled = rule(operation, 503);
        throttled.code = Some(code::META_OPERATION_QPS_LIMIT_EXCEEDED.to_owned());
        (throttled.channel, throttled.times) = (Some("cam-2*".to_owned()), Some(4));
        stage.fault(throttled);
    }
    let text = stage.apply("channels.yaml", "");
    assert!(text.ends_with("40 changes made, 0 unchanged\n"), "{text}");
    let faults = stage.endpoint.control().expect("the control API").faults();
    assert!(faults.iter().all(|fault| fault.hits == 4), "{faults:?}");
}

/// Writes a file with forty channels.
fn write_forty_channels(stage: &Stage) {
    let list: String = (0..40).map(|number| format!("  cam-{number:02}:\n")).collect();
    stage.file("channels.yaml", format!("channels:\n{list}"));
}

#[test]
fn a_killed_run_is_completed_by_the_next() {
    for reached in [0, 1, 19, 39] {
        let stage = Stage::new("apply-killed");
        write_forty_channels(&stage);
        let mut hang = FaultRule::new("PutLiveChannel");
        (hang.channel, hang.disconnect) =
            (Some(format!("cam-{reached:02}")), Some(Disconnect::Hang));
        stage.fault(hang);
        let mut program = Program::start(&mut stage.command("channels.yaml", "--parallel 1"));
        wait_until("the channel that hangs", || {
            let control = stage.endpoint.control().expect("the control API");
            let hits = control.faults()[0].hits;
            (hits > 0, hits)
        });
        program.kill();
        program.end(SOON);
        assert_eq!(stage.ids().len(), reached);
        stage.endpoint.control().expect("the control API").clear_faults();
        let report = stage.json("channels.yaml", "");
        assert_eq!(report["done"], 40 - reached);
        assert_eq!(stage.ids().len(), 40);
        assert_eq!(stage.json("channels.yaml", "")["changes"], 0);
    }
}

#[test]
fn a_run_killed_at_any_time_is_completed_by_the_next() {
    let points = std::env::var("OSSLIVE_KILLS").map_or(5, |count| count.parse().expect("a number"));
    let (mut killed, mut on_the_way, mut sent) = (0, 0, 0);
    for point in 0..points {
        let stage = Stage::new("apply-killed-often");
        write_forty_channels(&stage);
        // From before the first request to after the last.
        let mut program = Program::start(&mut stage.command("channels.yaml", "--rate 200"));
        thread::sleep(Duration::from_millis(500) * point / points);
        if program.is_running() {
            program.kill();
            killed += 1;
        }
        program.end(SOON);
        let before = stage.ids().len();
        on_the_way += usize::from((1..40).contains(&before));
        let report = stage.json("channels.yaml", "");
        // Only requests already in flight can still arrive.
        let done = report["done"].as_u64().expect("a number") as usize;
        assert!(done <= 40 - before && done + 8 >= 40 - before, "{done} after {before}");
        sent += done;
        assert_eq!(stage.ids().len(), 40);
        assert_eq!(stage.json("channels.yaml", "")["changes"], 0);
    }
    println!("{killed} killed, {on_the_way} of them between changes; {sent} changes were left");
}

// Ctrl-C is a signal only on Unix.
#[cfg(unix)]
#[test]
fn an_interrupted_run_reports_what_was_not_done() {
    let stage = Stage::new("apply-interrupted");
    write_forty_channels(&stage);
    for channels in ["cam-2*", "cam-3*"] {
        let mut slow = FaultRule::new("PutLiveChannel");
        (slow.channel, slow.latency_ms) = (Some(channels.to_owned()), Some(500));
        stage.fault(slow);
    }
    let mut command = stage.command("channels.yaml", "--parallel 1 --json");
    let program = Program::start(&mut command);
    wait_until("the slow channels", || (stage.ids().len() >= 20, stage.ids().len()));
    let ran = program.interrupt();
    assert_eq!(ran.status.code(), Some(1), "{}", ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let count = |name: &str| report[name].as_u64().expect("a number");
    let (done, skipped) = (count("done"), count("skipped"));
    assert!(done >= 20 && skipped > 0 && done + skipped == 40, "{done} and {skipped}");
    assert_eq!(stage.ids().len() as u64, done, "everything reported as done was done");
    assert!(ran.stderr.contains(&format!("stopped: {skipped} of 40 changes not made")));
}

#[test]
fn an_error_names_file_line_and_field_and_nothing_is_sent() {
    let stage = Stage::new("apply-mistakes");
    for (name, text, words) in [
        ("a.yaml", "channels:\n  cam:\n    fragCount: 0\n", "a.yaml: line 3, column 16: fragCount"),
        ("a.yml", "channels:\n  cam:\n    colour: red\n", "a.yml: line 3, column 5: unknown field"),
        ("a.csv", "id,colour\ncam,red\n", "a.csv: line 1, column 2: unknown column"),
        ("a.yaml", "id,name\ncam,Cam\n", "a.yaml: line 1, column 1: the file must be a mapping"),
    ] {
        stage.file(name, text);
        let ran = stage.failure(name, "", 2);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
    stage.file("large.yaml", vec![b'#'; (16 << 20) + 1]);
    let ran = stage.failure("large.yaml", "", 2);
    assert!(ran.stderr.contains("large.yaml: larger than 16 MiB"), "{}", ran.stderr);
    stage.failure("no-such-file.yaml", "", 2);
    let ran = stage.failure("-", "", 2);
    assert!(ran.stderr.contains("standard input: no channels found"), "{}", ran.stderr);
    assert_eq!(stage.writes(), [""; 0]);
}

#[test]
fn a_file_can_be_piped() {
    let stage = Stage::new("apply-stdin");
    let mut command = stage.command("-", "");
    command.env("NO_PROXY", "*").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    let mut input = child.stdin.take().expect("it is piped");
    input.write_all(THREE.as_bytes()).expect("it reads");
    drop(input);
    assert!(child.wait_with_output().expect("it ends").status.success());
    assert_eq!(stage.ids(), ["stage-left", "stage-main", "stage-right"]);
}

#[test]
fn a_failing_service_is_tried_for_one_channel_only() {
    let stage = Stage::new("apply-unreachable");
    let list: String = (0..200).map(|number| format!("  cam-{number}:\n")).collect();
    stage.file("channels.yaml", format!("channels:\n{list}"));
    stage.fault(rule("GetLiveChannelInfo", 500));
    let ran = stage.failure("channels.yaml", "--attempts 2 --timeout 5s", 7);
    let (events, _) = stage.endpoint.control().expect("the control API").requests();
    let reads = events.iter().filter(|e| e.operation.as_deref() == Some("GetLiveChannelInfo"));
    assert_eq!(reads.count(), 2, "{}", ran.stderr);
}

/// Defines the command for the shell blocks of the documentation.
const DEFINED: &str = "osslive() { \"$OSSLIVE\" --local=\"$ENDPOINT\" \"$@\"; }\n";

#[test]
fn the_recipe_writes_a_file_that_changes_nothing() {
    let has = |tool: &str| Command::new(tool).arg("--version").output().is_ok();
    if !has("bash") || !has("jq") {
        return support::skipped("the recipe of docs/desired-state.md", "no bash or jq");
    }
    let page = include_str!("../../docs/desired-state.md");
    let block = page
        .split("```sh\n")
        .find(|block| block.starts_with("osslive channel list"))
        .expect("a recipe");
    let recipe = block.split("```").next().expect("its end");
    let stage = Stage::new("apply-recipe");
    for (id, text) in [("stage-1", "One"), ("stage-a b", ""), ("stage-3", "[\"x\"]"), ("other", "")]
    {
        stage.put(id, &ChannelConfig::new(text).frag_count(7).state(ChannelState::Disabled));
    }
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", &format!("{DEFINED}{recipe}")]);
    bash.env("OSSLIVE", env!("CARGO_BIN_EXE_osslive")).env("ENDPOINT", stage.endpoint.url());
    let text = run(bash.current_dir(stage.folder.path()), LONG).silent("the recipe");
    assert_eq!(text, "3 unchanged; nothing sent\n");
    assert_eq!(stage.apply("channels.json", "--prune"), "0 changes made, 3 unchanged\n");
}
