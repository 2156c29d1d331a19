//! `osslive conformance` against the local endpoint, and against a proxy that
//! changes its responses.

mod deviation;
mod proxy;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use deviation::{Deviation, HTTP, SLOW, STREAMS};
use osslive::{ChannelConfig, Client, ListChannels};
use proxy::Proxy;
use serde_json::Value;
use support::{
    BUCKET, Endpoint, Folder, KEY_ID, KEY_SECRET, LONG, Program, REGION, Ran, STS_ID, STS_SECRET,
    STS_TOKEN, Shell, bare, has_script, on_terminal, run, skipped, wait_until,
};

/// The prefix of all runs' names.
const PREFIX: &str = "osslive-conformance-";

/// The command with an endpoint that logs little: most requests are rejected.
fn shell(name: &str) -> Shell {
    shell_with(name, &[])
}

/// The same with further arguments for the endpoint.
fn shell_with(name: &str, arguments: &[&str]) -> Shell {
    let folder = Folder::new(name);
    let arguments = [&["--log-level", "error"], arguments].concat();
    let endpoint = Endpoint::start_with(&folder.path().join("data"), &arguments);
    Shell { folder, endpoint }
}

/// Returns the names of all channels.
fn channels(client: &Client) -> Vec<String> {
    // A throttled run may have used up the request rate.
    let client = client.with_attempts(20);
    let list = client.list_channels(&ListChannels::new().max_keys(1000)).expect("a list");
    list.channels.into_iter().map(|channel| channel.name).collect()
}

/// Returns the files in the endpoint's directory whose paths contain a string.
fn files(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path, text));
        } else if path.to_string_lossy().contains(text) {
            found.push(path.display().to_string());
        }
    }
    found
}

/// Returns the objects that a run has left behind.
fn objects(shell: &Shell) -> Vec<String> {
    files(&shell.folder.path().join("data").join(BUCKET).join("objects"), PREFIX)
}

/// Returns the JSON output of a run.
fn report(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stderr))
}

/// Returns the ids of the observations with this verdict.
fn ids(report: &Value, verdict: &str) -> BTreeSet<String> {
    let lines = report["observations"].as_array().expect("observations");
    let is_it = |line: &&Value| line["verdict"] == verdict;
    lines.iter().filter(is_it).map(|line| line["id"].as_str().expect("an id").to_owned()).collect()
}

/// Returns a report, which must have no differences.
fn without_differences(ran: &Ran) -> Value {
    let report = report(ran);
    let differing = report["observations"].as_array().expect("observations").iter();
    let differing: Vec<_> = differing.filter(|line| line["verdict"] == "differs").collect();
    assert!(differing.is_empty(), "{differing:#?}");
    assert_eq!(ran.status.code(), Some(0), "{}", ran.stderr);
    report
}

/// With the endpoint's temporary credentials.
fn with_token(shell: &Shell, line: &str) -> Command {
    let mut command = shell.command(line);
    command
        .env("OSS_ACCESS_KEY_ID", STS_ID)
        .env("OSS_ACCESS_KEY_SECRET", STS_SECRET)
        .env("OSS_SESSION_TOKEN", STS_TOKEN);
    command
}

/// Replaces the expectation with what the endpoint does: `make expectation`.
fn write_expectation(shell: &Shell) {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/conformance/expected.json");
    let line = format!("conformance --publish --yes --write-expectation {file}");
    for mut command in [shell.command(&line), with_token(shell, &line)] {
        let ran = run(&mut command, LONG);
        assert_eq!(ran.status.code(), Some(0), "{}", ran.stderr);
    }
}

#[test]
fn nothing_differs_in_the_local_endpoint_and_nothing_is_left_behind() {
    let shell = shell("conformance-same");
    if std::env::var_os("OSSLIVE_WRITE_EXPECTATION").is_some() {
        // The command must be rebuilt before it can compare.
        return write_expectation(&shell);
    }
    let client = shell.endpoint.client();
    client.put_channel("mine", &ChannelConfig::new("Mine")).expect("a channel");
    let file = shell.folder.path().join("report.md");
    let line = format!("conformance --publish --yes --json --report {}", file.display());
    let ran = shell.run(&line);
    let report = without_differences(&ran);
    let skipped: Vec<_> = report["observations"].as_array().expect("observations").iter().collect();
    for line in skipped.iter().filter(|line| line["verdict"] == "notObserved") {
        assert_eq!(line["reason"], "needs STS credentials", "{line}");
    }
    assert!(report["same"].as_u64() > Some(300), "{}", report["same"]);
    assert_eq!(channels(&client), ["mine"]);
    assert_eq!(objects(&shell), [""; 0]);
    let page = fs::read_to_string(&file).expect("a report");
    let version = env!("CARGO_PKG_VERSION");
    assert!(
        page.starts_with(&format!("# Conformance report\n\nosslive {version}, with a stream: "))
    );
    assert!(!page.contains("## Differences"), "{page}");
    for text in [&page, &ran.stdout] {
        reveals_nothing(text, &shell.endpoint);
    }
}

/// Checks that a report reveals nothing about the account or the endpoint.
fn reveals_nothing(report: &str, endpoint: &Endpoint) {
    let port = endpoint.url.rsplit(':').next().expect("a port");
    for secret in
        [KEY_ID, KEY_SECRET, STS_ID, STS_SECRET, STS_TOKEN, BUCKET, REGION, "127.0.0.1", port]
    {
        assert!(!report.contains(secret), "{secret} in {report}");
    }
    // It contains neither the names of the run, nor ids, dates, or times in Unix
    // seconds.
    assert!(!report.contains(PREFIX), "{report}");
    let words = report.split(|c: char| !c.is_ascii_alphanumeric());
    for word in words.filter(|word| word.len() >= 10) {
        let is_id = word.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b));
        assert!(!is_id, "{word}");
    }
    let year = time::OffsetDateTime::now_utc().year().to_string();
    assert!(!report.contains(&format!("{year}-")), "{report}");
}

#[test]
fn nothing_differs_with_temporary_credentials() {
    let shell = shell("conformance-token");
    let only = "sts-header,sts-url,sts-token-missing,sts-token-wrong,sts-url-token-wrong,\
                rtmp-right,rtmp-token-signed,rtmp-token-unsigned,rtmp-token-missing,\
                rtmp-token-renamed,v4-right,v1-url-right,hls-sign,put-minimal";
    let line = format!("conformance --publish --yes --json --only {only}");
    let ran = run(&mut with_token(&shell, &line), LONG);
    let report = without_differences(&ran);
    assert_eq!(report["same"], only.split(',').count(), "{report}");
    reveals_nothing(&ran.stdout, &shell.endpoint);
}

#[test]
fn nothing_differs_for_a_new_account() {
    let shell = shell_with("conformance-new", &["--account", "new"]);
    let report = without_differences(&shell.run("conformance --publish --yes --json"));
    let skipped = ids(&report, "notObserved");
    for id in ["v1-right", "object-playlist", "live-fragment"] {
        assert!(skipped.contains(id), "{id}: {skipped:?}");
    }
    for id in ["live-stat", "ended-vod", "disable-live", "rtmp-right", "account-version-1"] {
        assert!(!skipped.contains(id), "{id}: {skipped:?}");
    }
}

/// Runs the command behind a proxy with these deviations, and returns what it
/// found.
fn found(shell: &Shell, deviations: &[Deviation], options: &str) -> BTreeSet<String> {
    let proxy = Proxy::start(shell.endpoint.authority(), deviations);
    let mut command = shell.command(&format!("conformance --yes --json --timeout 5s {options}"));
    let ran = run(command.env("OSS_ENDPOINT", &proxy.url), LONG);
    assert_eq!(ran.status.code(), Some(1), "{}", ran.stderr);
    let mut names: Vec<_> = deviations.iter().map(|deviation| deviation.name).collect();
    names.sort_unstable();
    assert_eq!(proxy.applied(), names, "not every deviation was applied");
    ids(&report(&ran), "differs")
}

fn expected(deviations: &[Deviation]) -> BTreeSet<String> {
    deviations.iter().flat_map(Deviation::finds).map(str::to_owned).collect()
}

#[test]
fn all_deviations_of_responses_at_once_are_found_and_nothing_else() {
    let shell = shell("conformance-http");
    assert_eq!(found(&shell, HTTP, ""), expected(HTTP));
}

#[test]
fn all_deviations_of_streams_at_once_are_found_and_nothing_else() {
    let shell = shell("conformance-streams");
    assert_eq!(found(&shell, STREAMS, "--publish"), expected(STREAMS));
}

/// `make test-conformance`, which prints a table.
#[test]
#[ignore = "takes minutes: make test-conformance"]
fn each_deviation_alone_is_found_and_nothing_else() {
    let shell = shell("conformance-each");
    let all = [HTTP, STREAMS, SLOW].concat();
    println!("| deviation | found |\n| --- | --- |");
    for deviation in &all {
        let is_stream = HTTP.iter().all(|http| http.name != deviation.name);
        let options = if is_stream { "--publish" } else { "" };
        let alone = std::slice::from_ref(deviation);
        let found = found(&shell, alone, options);
        assert_eq!(found, expected(alone), "{}", deviation.name);
        let found: Vec<_> = found.iter().map(|id| format!("`{id}`")).collect();
        println!("| {} | {} |", deviation.name, found.join(", "));
    }
    println!("\n{} deviations", all.len());
}

#[test]
fn an_interrupted_run_removes_what_it_created() {
    let shell = shell("conformance-interrupted");
    let client = shell.endpoint.client();
    let program = Program::start(&mut shell.command("conformance --publish --yes"));
    wait_until("a live channel of the run", || {
        let names = channels(&client);
        let is_live = names
            .iter()
            .any(|name| client.get_channel_status(name).is_ok_and(|s| s.video.is_some()));
        (is_live, names)
    });
    let ran = program.interrupt();
    assert_eq!(ran.status.code(), Some(1), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("interrupted: everything created has been removed"),
        "{}",
        ran.stderr
    );
    assert_eq!(channels(&client), [""; 0]);
    assert_eq!(objects(&shell), [""; 0]);
}

#[test]
fn leftovers_of_a_killed_run_are_reported_and_removed_and_nothing_else() {
    let shell = shell("conformance-killed");
    let client = shell.endpoint.client();
    client.put_channel("osslive-conformance", &ChannelConfig::new("")).expect("a channel");
    let mut program = Program::start(&mut shell.command("conformance --publish --yes"));
    let is_recorded = || objects(&shell).iter().any(|file| file.ends_with(".ts"));
    wait_until("a fragment of the run", || (is_recorded(), channels(&client)));
    program.kill();
    let ran = shell.run("conformance --yes --only put-minimal");
    assert!(
        ran.stderr.contains("left by another run: if it has ended, use --clean"),
        "{}",
        ran.stderr
    );
    assert!(channels(&client).len() > 1, "a run removes only its own");
    let refused = shell.run("conformance --clean");
    assert_eq!(refused.status.code(), Some(2), "{}", refused.stderr);
    let removed = shell.run("conformance --clean --yes");
    assert_eq!(removed.status.code(), Some(0), "{}", removed.stderr);
    assert!(removed.stdout.starts_with("removed "), "{}", removed.stdout);
    assert_eq!(channels(&client), ["osslive-conformance"]);
    assert_eq!(objects(&shell), [""; 0]);
    assert_eq!(shell.json("conformance --clean")["channels"], 0);
}

#[test]
fn a_run_without_a_terminal_needs_to_be_confirmed() {
    let shell = shell("conformance-confirm");
    let refused = shell.failure("conformance --publish", 2);
    assert!(refused.contains("add --yes to continue without asking"), "{refused}");
    let ran = shell.run("conformance --publish");
    assert!(ran.stderr.contains("requests to the bucket live-demo"), "{}", ran.stderr);
    assert!(ran.stderr.contains("is removed afterwards"), "{}", ran.stderr);
    assert_eq!(objects(&shell), [""; 0]);
}

#[test]
fn a_run_on_a_terminal_asks_first_and_shows_its_progress() {
    if !has_script() {
        return skipped("conformance on a terminal", "no util-linux script");
    }
    let shell = shell("conformance-terminal");
    let on_terminal = |line: &str| {
        let mut command = on_terminal(shell.folder.path(), line);
        for (name, value) in shell.command("").get_envs() {
            if let Some(value) = value.filter(|_| name.to_string_lossy().starts_with("OSS_")) {
                command.env(name, value);
            }
        }
        run(&mut command, LONG)
    };
    // Nobody answers the question.
    let ran = on_terminal("conformance");
    assert_eq!(ran.status.code(), Some(1), "{}", ran.stdout);
    assert!(ran.stdout.contains("Continue? [y/N]"), "{}", ran.stdout);
    assert!(ran.stdout.contains("nothing was created"), "{}", ran.stdout);
    let ran = on_terminal("conformance --yes");
    assert_eq!(ran.status.code(), Some(0), "{}", ran.stdout);
    assert!(ran.stdout.contains("░"), "no progress bar: {}", ran.stdout);
    assert!(ran.stdout.contains("nothing differs, "), "{}", ran.stdout);
}

#[test]
fn mistakes_are_reported_before_anything_is_created() {
    let shell = shell("conformance-mistakes");
    let message = shell.failure("conformance --yes --only put-minimum", 2);
    assert!(message.contains("no observation \"put-minimum\""), "{message}");
    let message = shell.failure("conformance --yes --report /no/such/folder/report.md", 2);
    assert!(message.contains("/no/such/folder/report.md"), "{message}");
    let message = shell.failure("conformance --yes --bucket another-bucket", 3);
    assert!(message.contains("NoSuchBucket"), "{message}");
    let mut command = shell.command("conformance --yes");
    let ran = run(command.env("OSS_ACCESS_KEY_SECRET", "wrong"), LONG);
    assert_eq!(ran.status.code(), Some(4), "{}", ran.stderr);
    assert!(ran.stderr.contains("could not list channels"), "{}", ran.stderr);
    let mut command = shell.command("conformance --yes");
    let ran = run(command.env("OSS_ENDPOINT", "http://127.0.0.1:1"), LONG);
    assert_eq!(ran.status.code(), Some(7), "{}", ran.stderr);
    assert_eq!(objects(&shell), [""; 0]);
}

#[test]
fn observations_are_listed_without_sending_anything() {
    let folder = Folder::new("conformance-list");
    let ran = run(&mut bare(folder.path(), "conformance --list"), LONG);
    let list = ran.silent("--list");
    assert!(list.lines().count() > 300, "{list}");
    for word in ["put-frag-count-0", "documented", "FragCount 0", "(--publish)"] {
        assert!(list.contains(word), "{word}: {list}");
    }
    let ran = run(&mut bare(folder.path(), "conformance --list --only put-minimal --json"), LONG);
    assert_eq!(report(&ran), serde_json::json!(["put-minimal"]));
}

#[test]
fn a_throttled_run_takes_longer_with_the_same_results() {
    let shell = shell_with("conformance-throttled", &["--qps-limit", "4"]);
    let only = "put-minimal,put-again,info-missing,stat-idle,stat-missing,delete,method-head-live";
    let ran = shell.run(&format!("conformance --yes --json -v --only {only}"));
    assert_eq!(without_differences(&ran)["same"], only.split(',').count(), "{}", ran.stdout);
    assert!(ran.stderr.contains(": 503 in "), "nothing was throttled: {}", ran.stderr);
    assert_eq!(channels(&shell.endpoint.client()), [""; 0]);
}

#[test]
fn a_public_bucket_is_not_tested_like_a_private_one() {
    let shell = shell_with("conformance-public", &["--acl", "public-read-write"]);
    let only = "anonymous-list,anonymous-put,rtmp-unsigned,object-anonymous,put-minimal";
    let report = without_differences(
        &shell.run(&format!("conformance --publish --yes --json --only {only}")),
    );
    assert_eq!((&report["same"], &report["notObserved"]), (&1.into(), &4.into()), "{report}");
}
