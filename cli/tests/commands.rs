//! The command line, command by command, against a local endpoint.

mod support;

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use osslive::ChannelConfig;
use serde_json::Value;
use support::{
    BUCKET, Channel, Folder, KEY_ID, KEY_SECRET, LONG, Program, REGION, SOON, STS_ID, STS_SECRET,
    STS_TOKEN, Shell, bare, failed, get, note, run, shipped_clip, wait_until,
};

fn strings(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().filter_map(Value::as_str).collect()
}

#[test]
fn a_channel_is_created_shown_changed_and_deleted() {
    let shell = Shell::new("commands-channel");
    let created = shell.json("channel create cam --name Camera --frag-duration 2");
    let authority = shell.endpoint.authority();
    assert_eq!(
        strings(&created["publishUrls"]),
        [format!("rtmp://{authority}/{BUCKET}/live/cam").as_str()]
    );
    assert_eq!(created["res"]["status"], 200);

    let channel = shell.json("channel get cam");
    assert_eq!(channel["description"], "Camera");
    assert_eq!((&channel["fragDuration"], &channel["fragCount"]), (&2.into(), &3.into()));
    let text = shell.text("channel get cam");
    assert!(text.contains("\ndescription    Camera\nstatus         enabled\n"), "{text}");

    shell.text("channel put cam --description Other --disabled --frag-count 5");
    let channel = shell.json("channel get cam");
    assert_eq!(
        (&channel["description"], &channel["status"]),
        (&"Other".into(), &"disabled".into())
    );
    assert_eq!(shell.json("channel status cam")["status"], "Disabled");

    assert_eq!(shell.text("channel enable cam"), "enabled cam\n");
    assert_eq!(shell.text("channel status cam"), "status  Idle\n");
    assert_eq!(shell.text("channel disable cam"), "disabled cam\n");
    assert_eq!(shell.json("channel enable cam")["res"]["status"], 200);

    assert_eq!(shell.json("channel history cam")["records"], Value::Array(Vec::new()));
    assert_eq!(shell.text("channel delete cam"), "deleted cam\n");
    assert_eq!(shell.json("channel list")["channels"], Value::Array(Vec::new()));
    shell.text("channel delete cam");
}

#[test]
fn all_pages_of_channels_are_listed() {
    let shell = Shell::new("commands-list");
    let client = shell.endpoint.client();
    for number in 0..1005 {
        client
            .put_channel(&format!("cam-{number:04}"), &ChannelConfig::default())
            .expect("a channel");
    }
    client.put_channel("stage", &ChannelConfig::new("The stage")).expect("a channel");
    assert_eq!(shell.json("channel list")["channels"].as_array().map(Vec::len), Some(1006));
    assert_eq!(shell.json("channel list cam-100")["channels"].as_array().map(Vec::len), Some(5));
    assert_eq!(shell.text("channel list cam- --limit 2").lines().count(), 3);
    let text = shell.text("channel list st");
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("CHANNEL  STATUS   LAST MODIFIED"), "{text}");
    assert!(
        lines[1].starts_with("stage    enabled  20") && lines[1].ends_with("Z  The stage"),
        "{text}"
    );
}

#[test]
fn each_failure_has_its_exit_status_and_a_next_step() {
    let shell = Shell::new("commands-failures");
    shell.text("channel create cam");
    let elsewhere = format!("channel list --region cn-beijing --endpoint {}", shell.endpoint.url);
    for (line, status, words) in [
        (elsewhere.as_str(), 2, ["Invalid signing region", "region"]),
        ("channel create cam", 6, ["ChannelAlreadyExists", "channel put"]),
        ("channel get nope", 3, ["NoSuchLiveChannel", "channel list"]),
        ("channel status nope", 3, ["NoSuchLiveChannel", "channel create"]),
        ("channel history nope", 3, ["NoSuchLiveChannel", "channel list"]),
        ("channel enable nope", 3, ["NoSuchLiveChannel", "channel list"]),
        ("channel status cam --live", 5, ["ChannelNotLive", "publish-url"]),
        ("channel put a/b", 2, ["InvalidChannelName", "slash"]),
        ("channel list --bucket other-bucket", 3, ["NoSuchBucket", "--region"]),
        ("channel list --bucket Bad_Bucket", 2, ["InvalidBucketName", "--bucket"]),
        ("monitor --prefix nobody", 3, ["no channels to monitor", ""]),
        ("vod get cam --last 10m", 3, ["No ts file", "channel history"]),
        ("vod create cam x --start -2d", 2, ["day", ""]),
        ("history nope", 3, ["NoSuchLiveChannel", "channel list"]),
        ("highlights nope opening=0..5m", 3, ["NoSuchLiveChannel", "channel list"]),
        ("highlights cam a=0..5m a=5m..6m", 2, ["duplicate part name", "a"]),
        ("monitor nope --once", 3, ["1 of 1 channel", ""]),
        ("play-url cam --expires 8d", 2, ["expiry", "604800"]),
        ("publish-url cam --param Expires=1", 2, ["Expires", ""]),
    ] {
        let message = shell.failure(line, status);
        assert!(words.iter().all(|word| message.contains(word)), "{line}: {message}");
    }
}

#[test]
fn usage_errors_exit_with_status_2() {
    let home = Folder::new("commands-usage");
    for line in [
        "",
        "channel",
        "channle",
        "channel put",
        "channel put cam --frag-duration 0",
        "channel put cam --frag-duration 101",
        "channel list --timeout never",
        "channel list --signature v9",
        "channel list --local --profile x",
        "vod get cam",
        "vod get cam --start yesterday",
        "highlights cam",
        "highlights cam opening",
        "history cam --days 0",
        "monitor --interval 0",
        "completions tcsh",
        "local --listen nowhere",
    ] {
        let ran = run(&mut bare(home.path(), line), SOON);
        assert_eq!(ran.status.code(), Some(2), "{line}: {}", ran.stderr);
        assert!(
            ran.stdout.is_empty() && ran.stderr.contains("Usage") || ran.stderr.contains("--help"),
            "{line}: {}",
            ran.stderr
        );
    }
}

#[test]
fn an_option_that_would_be_ignored_is_rejected() {
    let home = Folder::new("commands-offline");
    let man = home.path().join("man");
    for command in ["local", "demo", "completions bash", &format!("man {}", man.display())] {
        for option in [
            "--bucket=b",
            "--region=r",
            "--endpoint=http://127.0.0.1:1",
            "--internal",
            "--profile=p",
            "--config=c",
            "--local",
            "--signature=v1",
            "--addressing-style=path",
            "--timeout=1s",
            "--connect-timeout=1s",
            "--attempts=1",
            "--proxy=http://127.0.0.1:1",
            "--no-proxy",
            "--ca-file=c",
        ] {
            // The endpoint has its own bucket and region, in either place.
            if command == "local" && ["--bucket=b", "--region=r"].contains(&option) {
                continue;
            }
            for line in [format!("{option} {command}"), format!("{command} {option}")] {
                let ran = run(&mut bare(home.path(), &line), SOON);
                assert_eq!(ran.status.code(), Some(2), "{line}: {}", ran.stdout);
                let name = option.split('=').next().unwrap();
                assert!(ran.stderr.contains(name), "{line}: {}", ran.stderr);
            }
        }
        let help = run(&mut bare(home.path(), &format!("{command} --help")), SOON).silent(command);
        assert!(!help.contains("Connection:") && !help.contains("--endpoint"), "{help}");
        assert!(help.contains("--json"), "{help}");
    }
}

#[test]
fn connection_options_are_applied() {
    let shell = Shell::new("commands-connection");
    let list = |options: &str| shell.run(&format!("-v channel list {options}"));
    // Nothing listens on a port that was just released.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let dead = format!("http://127.0.0.1:{port}");

    let ran = list(&format!("--proxy {dead}"));
    assert_eq!(ran.status.code(), Some(7), "the proxy is used: {}", ran.stderr);
    assert!(list("--no-proxy").status.success());
    assert_eq!(list(&format!("--proxy {dead} --no-proxy")).status.code(), Some(2));
    let message = shell.failure("channel list --proxy ftp://user:hush@host", 2);
    assert!(!message.contains("hush"), "{message}");

    let attempts = |count: u32| {
        let line = format!("-v channel list --endpoint {dead} --attempts {count}");
        shell.run(&line).stderr.matches("* GET ").count()
    };
    assert_eq!([attempts(1), attempts(2)], [1, 2]);
    assert!(list("--connect-timeout 2s --timeout 20s").status.success());

    let file = shell.folder.path().join("ca.pem");
    let line = format!("channel list --ca-file {}", file.display());
    assert!(shell.failure(&line, 2).contains("ca.pem"), "there is no such file");
    fs::write(&file, "no certificate\n").expect("a file");
    assert!(shell.failure(&line, 2).contains("ca.pem"));
}

#[test]
fn missing_and_wrong_keys_are_reported_with_advice() {
    let shell = Shell::new("commands-keys");
    let home = shell.folder.path();
    let message = failed(run(&mut bare(home, "channel list"), SOON), 4, "no keys");
    for word in ["OSS_ACCESS_KEY_ID", "--profile", "--local"] {
        assert!(message.contains(word), "{message}");
    }
    let mut command = shell.command("channel list");
    command.env_remove("OSS_ACCESS_KEY_SECRET");
    assert!(failed(run(&mut command, SOON), 4, "no secret").contains("OSS_ACCESS_KEY_SECRET"));

    let mut command = shell.command("channel list");
    command.env("OSS_ACCESS_KEY_SECRET", "another");
    let message = failed(run(&mut command, SOON), 4, "another secret");
    assert!(
        message.contains("SignatureDoesNotMatch") && message.contains("secret again"),
        "{message}"
    );

    let mut command = shell.command("channel list");
    command.env("OSS_ACCESS_KEY_ID", "LTAI5tUnknown");
    let message = failed(run(&mut command, SOON), 4, "another key");
    assert!(
        message.contains("InvalidAccessKeyId") && message.contains("OSS_ACCESS_KEY_ID"),
        "{message}"
    );

    let mut command = shell.command("channel list");
    command.env_remove("OSS_BUCKET");
    let message = failed(run(&mut command, SOON), 2, "no bucket");
    assert!(message.contains("--bucket"), "{message}");
    command.env_remove("OSS_REGION").args(["--bucket", BUCKET]);
    let message = failed(run(&mut command, SOON), 2, "no region");
    assert!(message.contains("--region"), "{message}");
}

#[test]
fn an_unreachable_endpoint_exits_with_status_7() {
    let shell = Shell::new("commands-unreachable");
    // Nothing listens on a port that was just released.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let line = format!("channel list --endpoint http://127.0.0.1:{port} --timeout 5s");
    assert!(shell.failure(&line, 7).contains("osslive local"));
    let line = "channel list --endpoint http://no-such-host.invalid --timeout 5s";
    assert!(shell.failure(line, 7).contains("spelling of --region"));
}

#[test]
fn keys_also_come_from_a_profile_or_a_local_endpoint() {
    let shell = Shell::new("commands-profile");
    shell.text("channel create cam");
    let home = shell.folder.path();
    let config = home.join("config");
    let url = &shell.endpoint.url;
    let text = format!(
        "[default]\naccessKeyID={KEY_ID}\naccessKeySecret={KEY_SECRET}\nendpoint={url}\nregion={REGION}\n\
         [profile temporary]\nmode=StsToken\naccessKeyID={STS_ID}\naccessKeySecret={STS_SECRET}\n\
         stsToken={STS_TOKEN}\nendpoint={url}\nregion={REGION}\n"
    );
    fs::write(&config, &text).expect("a config file");
    let list = |arguments: &str| {
        let line = format!("channel list --bucket {BUCKET} {arguments}");
        run(&mut bare(home, &line), SOON)
    };
    let config = config.display();
    for arguments in [
        format!("--config {config}"),
        format!("--config {config} --profile temporary"),
        format!("--config {config} --signature v1"),
        format!("--config {config} --addressing-style path"),
    ] {
        assert!(list(&arguments).silent(&arguments).contains("cam"), "{arguments}");
    }
    let message =
        failed(list(&format!("--config {config} --profile nobody")), 4, "no such profile");
    assert!(message.contains("nobody"), "{message}");
    assert!(failed(list("--config no-such-file"), 4, "no file").contains("no-such-file"));

    // Settings that are not in the profile come from the environment, and options
    // only replace what they name.
    let part = home.join("part");
    let keys = format!("accessKeyID={KEY_ID}\naccessKeySecret={KEY_SECRET}\n");
    fs::write(&part, format!("[Credentials]\n{keys}endpoint={url}\n")).expect("a config file");
    let line = format!("channel list --bucket {BUCKET} --config {}", part.display());
    let message = failed(run(&mut bare(home, &line), SOON), 2, &line);
    assert!(message.contains("--region or OSS_REGION"), "{message}");
    let mut command = bare(home, &line);
    command.env("OSS_REGION", REGION);
    assert!(run(&mut command, SOON).silent("the region from the environment").contains("cam"));
    let line = format!("{line} --region {REGION}");
    assert!(run(&mut bare(home, &line), SOON).silent("the endpoint from the file").contains("cam"));
    let mut command = bare(home, &format!("channel list --region {REGION}"));
    command.env("OSS_ENDPOINT", url).env("OSS_BUCKET", BUCKET);
    command.env("OSS_ACCESS_KEY_ID", KEY_ID).env("OSS_ACCESS_KEY_SECRET", KEY_SECRET);
    assert!(run(&mut command, SOON).silent("the endpoint from the environment").contains("cam"));

    fs::write(home.join(".ossutilconfig"), &text).expect("a config file");
    assert!(list("").silent("the default profile").contains("cam"));
    assert!(list("--profile temporary").silent("a profile").contains("cam"));

    let mut command = bare(home, &format!("channel list --local={}", shell.endpoint.authority()));
    command.env("OSSLIVE_LOCAL_ACCESS_KEY_ID", KEY_ID);
    command.env("OSSLIVE_LOCAL_ACCESS_KEY_SECRET", KEY_SECRET);
    // Variables for the service itself are ignored.
    command.env("OSS_BUCKET", "another-bucket").env("OSS_REGION", "cn-beijing");
    assert!(run(&mut command, SOON).silent("--local").contains("cam"));
    command.env_remove("OSSLIVE_LOCAL_ACCESS_KEY_ID");
    let message = failed(run(&mut command, SOON), 4, "the default local key");
    assert!(message.contains("OSSLIVE_LOCAL_ACCESS_KEY_ID"), "{message}");
}

#[test]
fn verbose_output_contains_no_secret() {
    let shell = Shell::new("commands-verbose");
    shell.text("channel create cam");
    let mut output = String::new();
    for line in [
        "-v channel list".to_owned(),
        "-v channel get nope".to_owned(),
        "-v publish-url cam".to_owned(),
        "-v play-url cam".to_owned(),
        format!("-v publish {} cam --for 1s", shipped_clip().display()),
    ] {
        for is_temporary in [false, true] {
            let mut command = shell.command(&line);
            if is_temporary {
                command.env("OSS_ACCESS_KEY_ID", STS_ID).env("OSS_ACCESS_KEY_SECRET", STS_SECRET);
                command.env("OSS_SESSION_TOKEN", STS_TOKEN);
            }
            let ran = run(&mut command, LONG);
            assert!(
                ran.stderr.starts_with("* credentials: the access key "),
                "{line}: {}",
                ran.stderr
            );
            output.push_str(&ran.stderr);
        }
        Channel::new(&shell.endpoint.client(), "cam").wait_idle();
    }
    for word in
        ["* GET /?live", "HTTP 200, request id ", "NoSuchLiveChannel", "* publishing to rtmp://"]
    {
        assert!(output.contains(word), "{word:?} is not in\n{output}");
    }
    for secret in [KEY_SECRET, STS_SECRET, STS_TOKEN, "CAISreal", "Signature=", "Authorization"] {
        assert!(!output.contains(secret), "{secret:?} is in\n{output}");
    }
}

#[test]
fn channel_wait_returns_once_the_state_is_reached() {
    let shell = Shell::new("waits");
    shell.text("channel create cam --frag-duration 1");
    assert!(shell.text("channel wait cam --idle").contains("Idle"));
    let message = shell.failure("channel wait cam --live --timeout 1s", 7);
    assert!(message.contains("still Idle after 1 s"), "{message}");
    let publisher = shell.publish("cam");
    assert_eq!(shell.json("channel wait cam --live")["status"], "Live");
    publisher.interrupt();
    assert_eq!(shell.json("channel wait cam --idle")["status"], "Idle");
    shell.text("channel delete cam");
    assert_eq!(shell.text("channel wait cam --deleted"), "");
    assert!(shell.failure("channel wait cam --live", 3).contains("NoSuchLiveChannel"));
    shell.text("channel create cam");
    let waiting = Program::start(&mut shell.command("-v channel wait cam --live --timeout 10m"));
    wait_until("a poll", || (waiting.logged().contains("HTTP 200"), waiting.logged()));
    let ran = waiting.interrupt();
    assert!(!ran.status.success() && ran.stdout.is_empty(), "{}", ran.stdout);
    for options in ["", "--live --idle"] {
        let ran = shell.run(&format!("channel wait cam {options}"));
        assert_eq!(ran.status.code(), Some(2), "{options}: {}", ran.stderr);
    }
}

#[test]
fn urls_are_signed_and_work() {
    let shell = Shell::new("commands-urls");
    shell.text("channel create cam --frag-duration 1");
    let url = shell.text("publish-url cam --expires 2h --playlist other.m3u8 --param who=me");
    let authority = shell.endpoint.authority();
    assert!(url.starts_with(&format!("rtmp://{authority}/{BUCKET}/live/cam?")), "{url}");
    for part in ["playlistName=other.m3u8", "who=me", "Signature=", "Expires="] {
        assert!(url.contains(part), "{url}");
    }
    let parts = shell.json("publish-url cam");
    let (server, key) = (parts["server"].as_str().unwrap(), parts["streamKey"].as_str().unwrap());
    assert_eq!(parts["url"], format!("{server}/{key}"));
    assert!(key.starts_with("cam?") && parts["expiresAt"].as_str().unwrap().ends_with('Z'));
    let obs = shell.text("publish-url cam --obs");
    assert!(obs.starts_with("server      rtmp://") && obs.contains("\nexpires     20"), "{obs}");

    let before = shell.text("play-url cam");
    assert_eq!(get(before.trim()).0, 404, "nothing is recorded yet");
    shell.record("cam", 3);
    let url = shell.json("play-url cam --expires 1m")["url"].as_str().unwrap().to_owned();
    let (status, playlist) = get(&url);
    assert!(status == 200 && playlist.starts_with(b"#EXTM3U"), "{status}");
}

#[test]
fn a_file_or_a_pipe_is_published_in_real_time() {
    let shell = Shell::new("commands-publish");
    shell.text("channel create cam --frag-duration 1");
    let clip = shipped_clip();
    let file = clip.display();
    let published = shell.json(&format!("publish {file} cam --for 2s"));
    assert_eq!((&published["channel"], &published["interrupted"]), (&"cam".into(), &false.into()));
    let seconds = published["seconds"].as_f64().unwrap();
    assert!((1.9..2.1).contains(&seconds), "{published}");
    Channel::new(&shell.endpoint.client(), "cam").has_sessions(1);

    let mut command = shell.command("publish - cam");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command");
    let mut pipe = child.stdin.take().expect("a pipe");
    let bytes = fs::read(&clip).expect("the clip");
    let writer = thread::spawn(move || {
        let (first, rest) = bytes.split_at(bytes.len() / 3);
        pipe.write_all(first).expect("it is read");
        // The pipe is silent for a while.
        thread::sleep(Duration::from_secs(3));
        pipe.write_all(rest).expect("it is read");
    });
    let done = child.wait_with_output().expect("it ends");
    writer.join().expect("everything is written");
    let text = String::from_utf8(done.stdout).expect("UTF-8");
    assert!(done.status.success() && text.starts_with("published 6s ("), "{text}");
    assert!(done.stderr.is_empty(), "{}", String::from_utf8_lossy(&done.stderr));
    Channel::new(&shell.endpoint.client(), "cam").has_sessions(2);
}

#[test]
fn an_unsuitable_file_is_rejected_before_anything_is_sent() {
    let shell = Shell::new("commands-refused");
    shell.text("channel create cam");
    let clip = shipped_clip();
    let file = clip.display();
    let text = shell.folder.path().join("text.flv");
    fs::write(&text, "this is text").expect("a file");
    assert!(shell.failure(&format!("publish {} cam", text.display()), 2).contains("not an FLV"));
    assert!(shell.failure("publish no-such-file cam", 2).contains("no-such-file"));
    assert!(shell.failure("publish - cam --repeat", 2).contains("stdin"));
    assert!(shell.failure("publish - cam", 2).contains("not an FLV"), "an empty pipe");
    assert!(shell.failure(&format!("publish {file} nope"), 3).contains("channel create"));

    let publisher = shell.publish("cam");
    assert!(shell.failure(&format!("publish {file} cam"), 6).contains("already live, from 127."));
    let message = shell.failure("channel delete cam", 6);
    assert!(
        message.contains("ChannelStillLive") && message.contains("channel disable"),
        "{message}"
    );
    let status = shell.json("channel status cam --live");
    assert_eq!(
        (&status["video"]["width"], &status["video"]["codec"]),
        (&320.into(), &"H264".into())
    );
    let text = shell.text("channel status cam --live");
    assert!(text.contains("video      320x180, 30 frames/s, H264, "), "{text}");

    shell.text("channel disable cam");
    let ran = publisher.end(SOON);
    assert_eq!(ran.status.code(), Some(1), "the publisher was disconnected: {}", ran.stderr);
    assert!(shell.failure(&format!("publish {file} cam"), 4).contains("channel enable cam"));
}

#[test]
fn recordings_are_shown_and_cut() {
    let shell = Shell::new("commands-recordings");
    shell.text("channel create cam --frag-duration 1");
    shell.record("cam", 5);

    let history = shell.json("history cam --days 2");
    assert_eq!((&history["sessionCount"], &history["isTruncated"]), (&1.into(), &false.into()));
    assert_eq!(strings(&history["uniqueIps"]), ["127.0.0.1"]);
    let text = shell.text("history cam");
    for part in ["sessions    1\n", "START (UTC)", "publishers  127.0.0.1\n", &"█".repeat(40)] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    let text = shell.text("channel history cam");
    assert!(text.lines().count() == 2 && text.contains("  127.0.0.1:"), "{text}");

    assert_eq!(shell.text("vod create cam evening --last 5m"), "created cam/evening.m3u8\n");
    assert_eq!(shell.json("vod create cam evening.m3u8 --start -5m")["res"]["status"], 200);
    let playlist = shell.text("vod get cam --start -5m --end now");
    assert!(playlist.starts_with("#EXTM3U\n") && playlist.contains(".ts"), "{playlist}");
    assert_eq!(shell.json("vod get cam --last 5m")["text"], playlist);
    let url = shell.text("play-url cam evening.m3u8");
    assert_eq!(get(url.trim()).0, 200);

    let text = shell.text("highlights cam opening=0..2s closing=-2s.. all=..");
    for playlist in ["opening.m3u8  20", "closing.m3u8  20", "all.m3u8      20"] {
        assert!(text.contains(playlist), "{text}");
    }
    let ran = shell.run("highlights cam good=0..2s late=5m..6m --json");
    assert_eq!(ran.status.code(), Some(3), "{}", ran.stderr);
    let cut: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!((&cut["total"], &cut["failed"]), (&2.into(), &1.into()));
    assert!(
        cut["results"][0]["error"].is_null() && cut["results"][1]["error"].is_object(),
        "{cut}"
    );
}

#[test]
fn many_channels_are_imported() {
    let shell = Shell::new("commands-import");
    let table = shell.folder.path().join("channels.csv");
    fs::write(&table, "id,name,status,fragDuration\nmain,\"Main, left\",,2\nback,,disabled,\n")
        .expect("a file");
    let line = format!("channel import {}", table.display());
    for option in ["--dry-run", "--check"] {
        let text = shell.text(&format!("{line} {option}"));
        assert_eq!(text, "main\nback\n2 channels, nothing sent\n");
    }
    assert_eq!(strings(&shell.json(&format!("{line} --dry-run"))["channels"]), ["main", "back"]);
    assert_eq!(shell.json("channel list")["channels"], Value::Array(Vec::new()));
    let imported = shell.json(&line);
    assert_eq!((&imported["total"], &imported["failed"]), (&2.into(), &0.into()));
    assert_eq!(imported["results"][1]["id"], "back");
    let main = shell.json("channel get main");
    assert_eq!((&main["description"], &main["fragDuration"]), (&"Main, left".into(), &2.into()));
    assert_eq!(shell.json("channel get back")["status"], "disabled");
    let text = shell.text(&line);
    assert!(text.contains("back     rtmp://"), "{text}");

    fs::write(&table, "main\nside\n").expect("a file");
    let publisher = shell.publish("main");
    let message = shell.failure(&format!("{line} --ids"), 6);
    assert!(message.contains("1 of 2 channels failed"), "{message}");
    drop(publisher);
    shell.text("channel get side");

    fs::write(&table, "id,colour\nnew,red\n").expect("a file");
    assert!(shell.failure(&line, 2).contains("colour"));
    fs::write(&table, "new\nmain\nnew\n").expect("a file");
    assert!(shell.failure(&format!("{line} --ids"), 2).contains("line 3, column 1"));
    for text in ["name;other\nnew;x\n", "new\n", "sep=;\nid,name\nnew,x\n", "id,name\nnew,\"x\n"] {
        fs::write(&table, text).expect("a file");
        assert!(shell.failure(&line, 2).contains("channels.csv: line "), "{text:?}");
    }
    let listed = shell.json("channel list")["channels"].as_array().map(Vec::len);
    assert_eq!(listed, Some(3), "nothing from an invalid file was sent");
    shell.failure("channel import no-such-file", 2);
}

// Ctrl-C is a signal only on Unix.
#[cfg(unix)]
#[test]
fn channels_are_monitored() {
    let shell = Shell::new("commands-monitor");
    for channel in ["cam", "stage-1", "stage-2"] {
        shell.text(&format!("channel create {channel}"));
    }
    shell.text("channel disable stage-2");
    let sweep = shell.json("monitor --once");
    assert_eq!(sweep["total"], 3);
    assert_eq!(shell.json("monitor --prefix stage- --once")["total"], 2);
    let text = shell.text("monitor cam stage-2 --once");
    assert!(text.contains("stage-2  Disabled") && text.contains("cam      Idle"), "{text}");

    let lines = Program::start(&mut shell.command("monitor cam stage-2 --interval 1s --json"));
    let words = Program::start(&mut shell.command("monitor cam stage-2 --interval 1s"));
    let both_say = |word: &str, words_for_it: &str| {
        wait_until(word, || {
            let printed = (lines.printed(), words.printed());
            (printed.0.contains(word) && printed.1.contains(words_for_it), printed)
        });
    };
    both_say("stage-2", "stage-2 is disabled");
    let publisher = shell.publish("cam");
    both_say("wentLive", "cam is live from 127.0.0.1:");
    shell.text("channel disable cam");
    drop(publisher);
    both_say("disabled", "cam is disabled");
    wait_until("three changes", || {
        let printed = lines.printed();
        (printed.lines().count() >= 3, printed)
    });
    let (lines, words) = (lines.interrupt(), words.interrupt());

    assert!(lines.status.success() && words.status.success(), "{}", lines.stderr);
    let changes: Vec<Value> = lines
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    let reported: Vec<_> = changes
        .iter()
        .map(|change| {
            format!("{} {}", change["id"].as_str().unwrap(), change["change"].as_str().unwrap())
        })
        .collect();
    assert_eq!(reported, ["stage-2 disabled", "cam wentLive", "cam disabled"], "{changes:#?}");
    assert!(words.stdout.contains("Z  cam is live from 127.0.0.1:"), "{}", words.stdout);
    assert!(!words.stdout.contains('\u{1b}'), "{:?}", words.stdout);
}

#[test]
fn text_from_others_cannot_control_the_terminal() {
    let shell = Shell::new("commands-hostile");
    let hostile = "\u{9b}2J\u{202e}red<b>";
    shell
        .endpoint
        .client()
        .put_channel("\u{9b}31mred", &ChannelConfig::new(hostile))
        .expect("a channel");
    for line in ["channel list", "monitor --once", "channel list --json"] {
        let text = shell.text(line);
        assert!(
            line.ends_with("--json") || !text.chars().any(|c| c.is_control() && c != '\n'),
            "{line}: {text:?}"
        );
    }
    let list = shell.json("channel list");
    assert_eq!(list["channels"][0]["description"], hostile, "JSON is unchanged");
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let shell = Shell::new("commands-pipe");
    shell.text("channel create cam");
    for line in ["channel list", "channel list --json", "publish-url cam", "completions bash"] {
        let mut command = shell.command(line);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command");
        drop(child.stdout.take());
        let done = child.wait_with_output().expect("it ends");
        assert_eq!(String::from_utf8_lossy(&done.stderr), "", "{line}");
        assert!(done.status.success(), "{line}: {}", done.status);
    }
}

#[test]
fn shell_completions_and_man_pages_are_generated() {
    let home = Folder::new("commands-manual");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let line = format!("completions {shell}");
        let script = run(&mut bare(home.path(), &line), SOON).silent(&line);
        assert!(script.contains("publish-url"), "{shell}");
    }
    let folder = home.path().join("man");
    let line = format!("man {}", folder.display());
    run(&mut bare(home.path(), &line), SOON).silent(&line);
    for page in ["osslive.1", "osslive-channel-put.1", "osslive-monitor.1", "osslive-vod-create.1"]
    {
        let text = fs::read_to_string(folder.join(page)).expect(page);
        assert!(text.contains(".SH NAME"), "{page}");
    }
    let text = fs::read_to_string(folder.join("osslive.1")).expect("a page");
    assert!(text.contains("Exit status:"), "the man page has no exit status");
}

#[test]
fn every_command_has_help() {
    let home = Folder::new("commands-help");
    let help =
        |line: &str| run(&mut bare(home.path(), &format!("{line} --help")), SOON).silent(line);
    assert!(help("").contains("Exit status:") && help("").contains("Example:"));
    for line in [
        "channel put",
        "channel create",
        "channel list",
        "channel status",
        "channel import",
        "channel apply",
        "publish-url",
        "play-url",
        "publish",
        "vod create",
        "vod get",
        "highlights",
        "monitor",
        "history",
        "completions",
    ] {
        assert!(help(line).contains("Examples:"), "{line} has no examples");
    }
    for line in ["channel get", "channel delete", "channel enable", "local", "demo", "man"] {
        assert!(help(line).contains("Usage: osslive "), "{line}");
    }
}

#[test]
fn a_terminal_gets_colors_unless_disabled() {
    let shell = Shell::new("commands-terminal");
    shell.text("channel create cam --disabled");
    // `script` gives the command a terminal of its own.
    let on_terminal = |line: &str, no_color: Option<&str>| {
        let whole = format!("{} {line}", env!("CARGO_BIN_EXE_osslive"));
        let mut command = Command::new("script");
        command.args(["-qec", &whole, "/dev/null"]);
        for (name, value) in shell.command("").get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.env("TERM", "xterm-256color");
        if let Some(value) = no_color {
            command.env("NO_COLOR", value);
        }
        run(&mut command, LONG).stdout
    };
    let has_script = Command::new("script").arg("--version").output();
    if !has_script.is_ok_and(|ran| String::from_utf8_lossy(&ran.stdout).contains("util-linux")) {
        return note("skipped: colors on a terminal (no util-linux script)");
    }
    let colored = "\u{1b}[33mdisabled\u{1b}[0m";
    assert!(on_terminal("channel list", None).contains(colored));
    assert!(
        on_terminal("channel list", Some("")).contains(colored),
        "an empty NO_COLOR is ignored"
    );
    for plain in
        [on_terminal("channel list", Some("1")), on_terminal("--no-color channel list", None)]
    {
        assert!(plain.contains("disabled") && !plain.contains('\u{1b}'), "{plain:?}");
    }
    let screen = on_terminal("monitor cam --interval 1s & sleep 5; kill -INT $!; wait", None);
    assert!(screen.contains("1 channel: 0 live, 0 idle, 1 disabled"), "{screen:?}");
    assert!(screen.matches("CHANNEL").count() >= 2 && screen.contains("\u{1b}[5A"), "{screen:?}");
}

#[test]
fn the_demo_prints_a_line_of_json_for_each_step() {
    let home = Folder::new("demo-json");
    let ran = run(&mut bare(home.path(), "demo --clip --json"), LONG);
    assert!(ran.status.success(), "{}", ran.stderr);
    let lines: Vec<Value> = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let steps: Vec<_> = lines.iter().filter_map(|line| line["step"].as_u64()).collect();
    assert_eq!(steps, [1, 2, 3, 4, 5, 6, 7]);
    assert!(lines[1]["details"]["publish"].as_str().is_some_and(|url| url.starts_with("rtmp://")));
    assert_eq!(lines.last().expect("a line")["message"], "every step succeeded");
}
