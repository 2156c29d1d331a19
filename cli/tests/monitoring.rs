//! The monitor as a service: metrics, webhooks, commands and the state.

mod support;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use osslive::{ChannelConfig, ChannelState, RtmpUrlOptions};
use osslive_local::media::flv::Reader;
use osslive_local::push::Publisher;
use serde_json::Value;
use support::{
    Hook, KEY_SECRET, Program, Reply, SOON, Service, channel, failed, free_port, kill_repeatedly,
    note, run, scrape, shipped, shipped_clip, skipped, wait_for_series, wait_until,
};

/// Returns a Prometheus program; without it, the test is reported as skipped.
fn prometheus(program: &str, what: &str) -> Option<Command> {
    let found = Command::new(program).arg("--version").output();
    if !found.is_ok_and(|ran| ran.status.success()) {
        skipped(what, &format!("no {program}; tests/real/setup.sh installs it"));
        return None;
    }
    Some(Command::new(program))
}

/// Returns a publisher that has sent the beginning of the clip, and stays connected.
fn publish(service: &Service, id: &str) -> Publisher {
    let url = service.client.get_rtmp_url(id, &RtmpUrlOptions::new()).expect("a URL");
    let mut publisher = Publisher::connect(&url, SOON).expect("accepted");
    let file = fs::read(shipped_clip()).expect("the clip");
    for tag in Reader::new(&file[..]).expect("FLV").take(60) {
        let tag = tag.expect("a tag");
        publisher.send(tag.kind, tag.timestamp, &tag.body).expect("sent");
    }
    publisher
}

fn webhook(hook: &Hook) -> String {
    format!("--webhook {} --webhook-secret-file secret", hook.url())
}

fn wait_for_events(hook: &Hook, expected: &[&str]) {
    wait_until(&format!("{expected:?}"), || {
        let events = hook.events();
        (events == expected, events)
    });
}

// Metrics.

#[test]
fn promtool_accepts_the_metrics() {
    let Some(mut promtool) = prometheus("promtool", "metrics through promtool") else { return };
    let service = Service::with_channels("monitoring-promtool", 3);
    let _publisher = publish(&service, "channel-0");
    service.set("channel-1", ChannelState::Disabled);
    let hook = Hook::accepting();
    let port = free_port();
    // The publisher stops sending after a moment.
    let line = format!(
        "--interval 1s --frame-rate-drop 100 --metrics 127.0.0.1:{port} {}",
        webhook(&hook)
    );
    let monitor = service.start(&line, &["--on-change", "true"]);
    for (name, id, value) in [("live", 0, "1.0"), ("live", 2, "0.0"), ("disabled", 1, "1.0")] {
        let labels = format!("bucket=\"live-demo\",channel=\"{}\"", channel(id));
        wait_for_series(port, &format!("osslive_channel_{name}{{{labels}}} {value}"));
    }
    for receiver in ["command", "webhook-1"] {
        let labels = format!("bucket=\"live-demo\",receiver=\"{receiver}\"");
        wait_for_series(port, &format!("osslive_monitor_events_delivered_total{{{labels}}} 2"));
    }
    let text = scrape(port, "/metrics").expect("metrics");
    for name in ["video_bit_rate_bytes", "audio_bit_rate_bytes", "frame_rate", "connected_seconds"]
    {
        let series =
            format!("osslive_channel_{name}{{bucket=\"live-demo\",channel=\"channel-0\"}}");
        assert!(text.contains(&series), "{series}:\n{text}");
    }
    promtool.args(["check", "metrics"]).stdin(Stdio::piped());
    promtool.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut checking = promtool.spawn().expect("promtool runs");
    checking.stdin.take().expect("it is piped").write_all(text.as_bytes()).expect("it reads");
    let checked = checking.wait_with_output().expect("promtool ends");
    let said = String::from_utf8_lossy(&checked.stdout) + String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success() && said.is_empty(), "{said}");
    // Deleted channels have no series.
    service.client.delete_channel("channel-2").expect("it exists");
    wait_until("no series of a deleted channel", || {
        let text = scrape(port, "/metrics").unwrap_or_default();
        (text.contains("channel-0") && !text.contains("channel-2"), text)
    });
    let ran = monitor.interrupt();
    assert!(ran.status.success(), "{}", ran.stderr);
}

#[test]
fn prometheus_scrapes_a_thousand_channels_and_alerts_when_an_encoder_is_cut() {
    let what = "an alert about an encoder that was cut";
    let Some(mut prometheus) = prometheus("prometheus", what) else { return };
    let service = Service::with_channels("monitoring-prometheus", 1000);
    let publisher = publish(&service, "channel-7");
    let (port, web) = (free_port(), free_port());
    let line = format!("--interval 1s --parallel 16 --metrics 127.0.0.1:{port}");
    let monitor = service.start(&line, &[]);
    let labels = "{bucket=\"live-demo\",channel=\"channel-7\"}";
    wait_for_series(port, &format!("osslive_channel_live{labels} 1.0"));
    let folder = service.folder.path();
    let rules = fs::canonicalize(shipped("prometheus/alerts.yml")).expect("the rules");
    let config = format!(
        "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\n\
         rule_files: ['{}']\n\
         scrape_configs:\n\
         - job_name: osslive\n  static_configs: [{{ targets: ['127.0.0.1:{port}'] }}]\n",
        rules.display()
    );
    fs::write(folder.join("prometheus.yml"), config).expect("a configuration");
    prometheus.current_dir(folder).args(["--config.file=prometheus.yml", "--storage.tsdb.path=db"]);
    prometheus.arg(format!("--web.listen-address=127.0.0.1:{web}"));
    let watching = Program::start(&mut prometheus);
    let query = |expression: &str| {
        let text = scrape(web, &format!("/api/v1/query?query={expression}")).unwrap_or_default();
        let json: Value = serde_json::from_str(&text).unwrap_or_default();
        json["data"]["result"].as_array().cloned().unwrap_or_default()
    };
    wait_until("a thousand channels are scraped", || {
        let result = query("count(osslive_channel_live)");
        let count = result.first().map(|found| found["value"][1].clone());
        (count == Some("1000".into()), (count, watching.logged()))
    });
    wait_until("the stream is scraped", || {
        let result = query("osslive_channel_live==1");
        (result.len() == 1, result)
    });
    let cut = Instant::now();
    drop(publisher);
    wait_until("the alert fires", || {
        let alerts = query("ALERTS%7Balertname=%22OssliveStreamEnded%22%7D");
        let is_firing = |alert: &Value| {
            alert["metric"]["channel"] == "channel-7" && alert["metric"]["alertstate"] == "firing"
        };
        (alerts.iter().any(is_firing), alerts)
    });
    note(&format!("an alert fired {:.1} s after an encoder was cut", cut.elapsed().as_secs_f64()));
    drop((watching, monitor));
}

#[test]
fn rules_and_dashboard_are_valid_and_use_only_existing_metrics() {
    let Some(mut promtool) = prometheus("promtool", "rules for Prometheus") else { return };
    let folder = shipped("prometheus");
    promtool.current_dir(&folder).args(["test", "rules", "alerts_test.yml"]);
    let ran = run(&mut promtool, SOON);
    assert!(ran.status.success(), "{}{}", ran.stdout, ran.stderr);
    let existing = metric_names();
    let rules = fs::read_to_string(folder.join("alerts.yml")).expect("the rules");
    let dashboard = fs::read_to_string(folder.join("dashboard.json")).expect("a dashboard");
    for (file, text) in [("alerts.yml", &rules), ("dashboard.json", &dashboard)] {
        let used = words(text, "osslive_");
        assert!(!used.is_empty(), "{file}");
        for name in used {
            assert!(existing.contains(&name), "{file} uses {name}; there are {existing:?}");
        }
    }
    check_dashboard(&serde_json::from_str(&dashboard).expect("JSON"), service_folder().path());
}

fn service_folder() -> tempfile::TempDir {
    tempfile::TempDir::new().expect("a folder")
}

/// Returns the names of all metrics of a monitor with every receiver.
fn metric_names() -> Vec<String> {
    let service = Service::with_channels("monitoring-names", 1);
    let _publisher = publish(&service, "channel-0");
    let hook = Hook::accepting();
    let port = free_port();
    let line = format!("--interval 1s --metrics 127.0.0.1:{port} {}", webhook(&hook));
    let _monitor = service.start(&line, &[]);
    let labels = "{bucket=\"live-demo\",channel=\"channel-0\"}";
    wait_for_series(port, &format!("osslive_channel_live{labels} 1.0"));
    words(&scrape(port, "/metrics").expect("metrics"), "osslive_")
}

/// Returns the words in a string that have a prefix.
fn words(text: &str, start: &str) -> Vec<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut words: Vec<String> = text
        .split(|c| !is_part(c))
        .filter(|word| word.starts_with(start))
        .map(str::to_owned)
        .collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// Checks that every query parses, that every data source is a variable, and that
/// panels do not overlap.
fn check_dashboard(dashboard: &Value, folder: &Path) {
    let panels = dashboard["panels"].as_array().expect("panels");
    assert!(panels.len() > 5);
    let mut places: Vec<[u64; 4]> = Vec::new();
    let mut rules = String::from("groups:\n- name: dashboard\n  rules:\n");
    let mut count = 0;
    for panel in panels {
        let title = panel["title"].as_str().expect("a title");
        let place = ["x", "y", "w", "h"].map(|name| panel["gridPos"][name].as_u64().expect(name));
        let [x, y, w, h] = place;
        assert!(x + w <= 24 && w > 0 && h > 0, "{title} is too wide");
        for [x2, y2, w2, h2] in &places {
            let is_apart = x + w <= *x2 || x2 + w2 <= x || y + h <= *y2 || y2 + h2 <= y;
            assert!(is_apart, "{title} overlaps another panel");
        }
        places.push(place);
        for target in panel["targets"].as_array().into_iter().flatten() {
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{title}");
            let expression = target["expr"].as_str().expect("a query");
            let expression = expression.replace("$__rate_interval", "5m").replace("$__range", "1h");
            // As in Grafana, variables are label values.
            let expression = expression.replace("$bucket", "b").replace("$channel", "c");
            assert!(!expression.contains('$'), "{title}: an unknown variable in {expression}");
            rules += &format!("  - record: 'q{count}'\n    expr: {}\n", Value::from(expression));
            count += 1;
        }
    }
    let variables = dashboard["templating"]["list"].as_array().expect("variables");
    let names: Vec<_> = variables.iter().map(|variable| variable["name"].as_str()).collect();
    assert_eq!(names, [Some("datasource"), Some("bucket"), Some("channel")]);
    let file = folder.join("dashboard.yml");
    fs::write(&file, rules).expect("a file of rules");
    let ran = run(Command::new("promtool").args(["check", "rules"]).arg(&file), SOON);
    assert!(ran.status.success(), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains(&format!("{count} rules found")), "{}", ran.stdout);
}

#[test]
fn a_port_in_use_is_a_clear_error() {
    let service = Service::with_channels("monitoring-port", 1);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    let ran = service.run(&format!("--metrics {address}"), &[]);
    let text = failed(ran, 1, "a port that is taken");
    assert!(text.starts_with(&format!("osslive: cannot serve metrics on {address}\n")), "{text}");
}

#[test]
fn port_0_is_a_free_port_that_the_log_names() {
    let service = Service::with_channels("monitoring-any-port", 1);
    let monitor = service.start("--metrics 127.0.0.1:0 --log json", &[]);
    let mut port = 0;
    wait_until("the address in the log", || {
        let log = monitor.logged();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let url = lines.into_iter().find_map(|line| Some(line["url"].as_str()?.to_owned()));
        let found = url.and_then(|url| url.split([':', '/']).nth(4)?.parse().ok());
        port = found.unwrap_or(0);
        (found.is_some(), log)
    });
    assert_eq!(scrape(port, "/healthz").as_deref(), Some("ok\n"));
}

// Events.

#[test]
fn each_change_of_a_channel_is_an_event() {
    let service = Service::with_channels("monitoring-events", 1);
    let hook = Hook::accepting();
    let line = format!(
        "--interval 1s --list-interval 1s --frame-rate-drop 100 --state state {}",
        webhook(&hook)
    );
    let monitor = service.start(&line, &[]);
    let mut expected = Vec::new();
    let mut step = |event: &'static str, act: &mut dyn FnMut()| {
        act();
        expected.push(event);
        wait_for_events(&hook, &expected);
    };
    let mut publisher = None;
    step("channel-0 live", &mut || publisher = Some(publish(&service, "channel-0")));
    step("channel-0 idle", &mut || drop(publisher.take()));
    step("channel-0 disabled", &mut || service.set("channel-0", ChannelState::Disabled));
    step("channel-0 enabled", &mut || service.set("channel-0", ChannelState::Enabled));
    // A new channel is monitored without a restart.
    step("fresh disabled", &mut || {
        service.client.put_channel("fresh", &ChannelConfig::new("")).expect("a new channel");
        service.set("fresh", ChannelState::Disabled);
    });
    step("fresh gone", &mut || drop(service.client.delete_channel("fresh").expect("it exists")));
    let live = &hook.received()[0];
    let json: Value = serde_json::from_str(&live.body).expect("JSON");
    assert!(json["remoteAddr"].as_str().is_some_and(|from| from.starts_with("127.0.0.1:")));
    let ran = monitor.interrupt();
    assert!(ran.status.success(), "{}", ran.stderr);
    assert_eq!(ran.stdout.lines().count(), expected.len(), "{}", ran.stdout);
}

#[test]
fn a_named_channel_that_does_not_exist_is_gone() {
    let service = Service::with_channels("monitoring-gone", 1);
    let hook = Hook::accepting();
    let line = format!("channel-0 nobody --interval 1s {}", webhook(&hook));
    let _monitor = service.start(&line, &[]);
    wait_for_events(&hook, &["nobody gone"]);
    service.client.delete_channel("channel-0").expect("it exists");
    wait_for_events(&hook, &["nobody gone", "channel-0 gone"]);
    service.client.put_channel("nobody", &ChannelConfig::new("")).expect("a new channel");
    wait_for_events(&hook, &["nobody gone", "channel-0 gone", "nobody created"]);
}

#[test]
fn an_event_is_resent_until_a_receiver_accepts_it() {
    let service = Service::with_channels("monitoring-retry", 1);
    service.set("channel-0", ChannelState::Disabled);
    let elsewhere = Hook::accepting();
    let url = elsewhere.url();
    let hook = Hook::start(move |number, _| match number {
        0 => Reply::status(&format!("307 Temporary Redirect\r\nLocation: {url}")),
        1 => Reply::Bytes(b"\0\x16\x03 this is no HTTP\r\n\r\n".to_vec()),
        2 => Reply::Close,
        3 => Reply::status("503 Service Unavailable\r\nRetry-After: 1"),
        _ => Reply::status("200 OK"),
    });
    let monitor = service.start(&format!("--interval 1s --log json {}", webhook(&hook)), &[]);
    wait_until("five attempts", || (hook.received().len() == 5, monitor.logged()));
    assert_eq!(hook.events(), ["channel-0 disabled"], "each attempt has the same id");
    assert!(elsewhere.received().is_empty(), "redirects are not followed");
    let log = monitor.logged();
    let warnings: Vec<Value> =
        log.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(log.contains("HTTP 307: redirects are not followed"), "{log}");
    for warning in warnings {
        assert_eq!(
            (&warning["level"], &warning["receiver"]),
            (&"warn".into(), &"webhook-1".into())
        );
        assert_eq!(warning["channel"], "channel-0");
    }
}

#[test]
fn a_receiver_that_does_not_respond_gets_the_event_again() {
    let service = Service::with_channels("monitoring-slow", 1);
    service.set("channel-0", ChannelState::Disabled);
    let hook = Hook::start(|number, _| {
        if number == 0 {
            thread::sleep(SOON);
        }
        Reply::status("204 No Content")
    });
    let monitor = service.start(&format!("--interval 1s {}", webhook(&hook)), &[]);
    wait_until("a second attempt", || (hook.received().len() == 2, monitor.logged()));
    assert_eq!(hook.events(), ["channel-0 disabled"]);
    assert!(monitor.logged().contains("timed out after 10 s"), "{}", monitor.logged());
}

#[test]
fn an_event_rejected_with_status_410_is_not_resent() {
    let service = Service::with_channels("monitoring-410", 2);
    service.set("channel-0", ChannelState::Disabled);
    let hook = Hook::start(|_, _| Reply::status("410 Gone"));
    let monitor = service.start(&format!("--interval 1s {}", webhook(&hook)), &[]);
    wait_until("it is dropped", || {
        let log = monitor.logged();
        (log.contains(" error dropped an event ") && log.contains("HTTP 410"), log)
    });
    service.set("channel-1", ChannelState::Disabled);
    wait_until("the next event", || (hook.events().len() == 2, hook.events()));
    assert_eq!(hook.received().len(), 2);
}

#[cfg(unix)]
#[test]
fn a_program_runs_for_each_event_with_the_values_in_its_environment_and_no_secret() {
    let service = Service::with_channels("monitoring-command", 1);
    let folder = service.folder.path();
    let script = folder.join("on change.sh");
    let text = "#!/bin/sh\n\
        test -e failed || { touch failed; exit 7; }\n\
        { echo \"== $1\"; env; cat; } >>seen\n";
    fs::write(&script, text).expect("a script");
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("it can be run");
    let command = format!("'{}' '$(touch hacked) *'", script.display());
    let mut monitor = service.command("--interval 1s", &["--on-change", &command]);
    monitor.env("ALIBABA_CLOUD_SECURITY_TOKEN", "another-secret");
    let mut monitor = Program::start(&mut monitor);
    service.set("channel-0", ChannelState::Disabled);
    let seen = || fs::read_to_string(folder.join("seen")).unwrap_or_default();
    wait_until("the program ran", || (seen().contains("\"channel-0\""), monitor.logged()));
    service.set("channel-0", ChannelState::Enabled);
    wait_until("it ran again", || (seen().contains("OSSLIVE_EVENT=enabled"), monitor.logged()));
    let seen = seen();
    for line in [
        "== $(touch hacked) *",
        "OSSLIVE_EVENT=disabled",
        "OSSLIVE_CHANNEL=channel-0",
        "OSSLIVE_BUCKET=live-demo",
    ] {
        assert!(seen.lines().any(|found| found == line), "{line}:\n{seen}");
    }
    let id = seen.lines().find_map(|line| line.strip_prefix("OSSLIVE_EVENT_ID=")).expect("an id");
    let json = seen.lines().find(|line| line.starts_with('{')).expect("the event on stdin");
    let json: Value = serde_json::from_str(json).expect("JSON");
    assert_eq!((&json["id"], &json["event"]), (&id.into(), &"disabled".into()));
    assert!(!folder.join("hacked").exists(), "nothing is expanded");
    for secret in [KEY_SECRET, "another-secret", "OSS_ACCESS_KEY_ID", "ALIBABA_CLOUD"] {
        assert!(!seen.contains(secret), "{secret}:\n{seen}");
    }
    assert!(monitor.logged().contains("exit status: 7"), "the first run failed");
    assert!(monitor.is_running());
}

/// Returns a block of the monitoring page that contains certain words.
fn documented(language: &str, words: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/monitoring.md");
    let page = fs::read_to_string(page).expect("the page");
    let fence = format!("```{language}\n");
    let mut blocks = page.split(&fence).skip(1);
    let block = blocks.find_map(|rest| {
        let block = rest.split("```").next()?;
        block.contains(words).then(|| block.to_owned())
    });
    block.unwrap_or_else(|| panic!("no block of {language} has {words}"))
}

#[test]
fn the_documented_receiver_accepts_only_genuine_events() {
    let what = "the receiver in the documentation";
    if Command::new("python3").arg("--version").output().is_err() {
        return skipped(what, "no python3");
    }
    let service = Service::with_channels("monitoring-python", 1);
    let port = free_port();
    let script = service.folder.path().join("receiver.py");
    fs::write(&script, documented("python", "do_POST")).expect("a script");
    let mut command = Command::new("python3");
    command.arg(&script).arg(service.folder.path().join("secret")).arg(port.to_string());
    let receiver = Program::start(&mut command);
    service.set("channel-0", ChannelState::Disabled);
    let line =
        format!("--interval 1s --webhook http://127.0.0.1:{port}/ --webhook-secret-file secret");
    let _monitor = service.start(&line, &[]);
    wait_until("the receiver prints the event", || {
        (receiver.printed() == "channel-0 disabled\n", (receiver.printed(), receiver.logged()))
    });
    let now = support::unix_now();
    let forged = format!(
        "POST / HTTP/1.0\r\nContent-Length: 2\r\nwebhook-id: 1\r\nwebhook-timestamp: {now}\r\n\
         webhook-signature: v1,AAAA\r\n\r\n{{}}"
    );
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    stream.write_all(forged.as_bytes()).expect("it reads");
    let mut response = String::new();
    std::io::Read::read_to_string(&mut stream, &mut response).expect("it answers");
    assert!(response.split(' ').nth(1) == Some("401"), "{response}");
}

#[cfg(unix)]
#[test]
fn the_documented_check_accepts_only_genuine_requests() {
    let what = "the shell check in the documentation";
    if !Command::new("perl").arg("-v").output().is_ok_and(|ran| ran.status.success()) {
        return skipped(what, "no perl");
    }
    let service = Service::with_channels("monitoring-shell", 1);
    let hook = Hook::accepting();
    service.set("channel-0", ChannelState::Disabled);
    let _monitor = service.start(&format!("--interval 1s {}", webhook(&hook)), &[]);
    wait_for_events(&hook, &["channel-0 disabled"]);
    let request = hook.received().remove(0);
    let folder = service.folder.path();
    fs::write(folder.join("verify"), documented("sh", "verify SECRET_FILE")).expect("a script");
    let accepts = |timestamp: &str, signature: &str, body: &str| {
        let mut command = Command::new("sh");
        command.current_dir(folder).args(["verify", "secret", &request.id, timestamp, signature]);
        let mut child = command.stdin(Stdio::piped()).spawn().expect("sh runs");
        let mut stdin = child.stdin.take().expect("it is piped");
        stdin.write_all(body.as_bytes()).expect("it reads");
        drop(stdin);
        child.wait().expect("it ends").success()
    };
    let (time, signature, body) = (&*request.timestamp, &*request.signature, &*request.body);
    assert!(accepts(time, signature, body));
    assert!(!accepts(time, signature, &body.replace("disabled", "enabled")));
    assert!(!accepts("1", signature, body), "an old one");
    for wrong in ["", "v1,AAAA", &format!("{signature}=")] {
        assert!(!accepts(time, wrong, body), "{wrong}");
    }
}

// The service manager.

#[cfg(target_os = "linux")]
#[test]
fn a_service_manager_is_notified_of_start_and_stop() {
    let service = Service::with_channels("monitoring-notify", 1);
    let path = service.folder.path().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).expect("a socket");
    socket.set_read_timeout(Some(SOON)).expect("a limit");
    let mut command = service.command("--interval 1s", &[]);
    let monitor = Program::start(command.env("NOTIFY_SOCKET", &path));
    let heard = || {
        let mut buffer = [0; 256];
        let count = socket.recv(&mut buffer).expect("a notification");
        String::from_utf8_lossy(&buffer[..count]).trim().to_owned()
    };
    assert_eq!(heard(), "READY=1");
    terminate(monitor);
    assert_eq!(heard(), "STOPPING=1");
}

#[test]
fn the_unit_is_valid_and_hardened() {
    let what = "the systemd unit";
    let version = Command::new("systemd-analyze").arg("--version").output();
    if !version.is_ok_and(|ran| ran.status.success()) {
        return skipped(what, "no systemd-analyze");
    }
    let folder = tempfile::TempDir::new().expect("a folder");
    let unit = fs::read_to_string(shipped("systemd/osslive-monitor.service")).expect("the unit");
    let file = folder.path().join("osslive-monitor.service");
    let program = env!("CARGO_BIN_EXE_osslive");
    fs::write(&file, unit.replace("/usr/bin/osslive", program)).expect("a unit");
    let analyze = |arguments: &[&str]| {
        let ran = run(Command::new("systemd-analyze").args(arguments).arg(&file), SOON);
        assert!(ran.status.success(), "{arguments:?}: {}{}", ran.stdout, ran.stderr);
    };
    analyze(&["verify", "--man=no"]);
    // In tenths: at most 2.0.
    analyze(&["security", "--no-pager", "--offline=true", "--threshold=20"]);
}

// The state.

#[test]
fn killing_the_monitor_or_the_receiver_loses_no_change() {
    kill_repeatedly("monitoring-kills", 6);
}

#[test]
fn events_and_changes_are_kept_while_nothing_runs() {
    let service = Service::with_channels("monitoring-state", 4);
    let mut hook = Hook::accepting();
    let line = format!("--interval 1s --state state {}", webhook(&hook));
    service.set("channel-0", ChannelState::Disabled);
    hook.kill();
    let monitor = service.start(&line, &[]);
    wait_until("the delivery fails", || {
        let log = monitor.logged();
        (log.contains("cannot deliver an event"), log)
    });
    let ran = terminate(monitor);
    assert!(ran.stderr.contains("undelivered events are in the state file"), "{}", ran.stderr);
    service.set("channel-1", ChannelState::Disabled);
    service.client.delete_channel("channel-2").expect("it exists");
    hook.restart();
    let monitor = service.start(&line, &[]);
    wait_until("all three arrive", || {
        let mut events = hook.events();
        events.sort_unstable();
        (events == ["channel-0 disabled", "channel-1 disabled", "channel-2 gone"], events)
    });
    assert_eq!(terminate(monitor).stdout.lines().count(), 2, "known events are not repeated");
}

/// Stops a monitor as a service manager would; it must exit successfully.
fn terminate(monitor: Program) -> support::Ran {
    let sent = Command::new("kill").args(["-TERM", &monitor.id().to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()), "the monitor runs");
    let ran = monitor.end(SOON);
    assert!(ran.status.success(), "{}", ran.stderr);
    ran
}

#[test]
fn a_state_that_is_in_use_damaged_or_foreign_is_rejected() {
    let service = Service::with_channels("monitoring-refused", 2);
    let hook = Hook::accepting();
    let line = format!("--interval 1s --state state {}", webhook(&hook));
    service.set("channel-0", ChannelState::Disabled);
    let monitor = service.start(&line, &[]);
    wait_for_events(&hook, &["channel-0 disabled"]);
    let text = failed(service.run(&line, &[]), 2, "two monitors");
    assert_eq!(text, "osslive: state: in use by another monitor\n");
    terminate(monitor);
    let good = fs::read_to_string(service.state()).expect("the state");
    let damaged = good.replacen("\"sweep\"", "\"sw", 1);
    for (bad, words) in [
        (damaged.as_str(), "osslive: state: damaged at line 2"),
        ("{}\n", "osslive: state: not a state file of osslive monitor"),
        (&*good.replace("live-demo", "other"), "osslive: state: state of bucket \"other\""),
    ] {
        fs::write(service.state(), bad).expect("it can be damaged");
        let text = failed(service.run(&line, &[]), 2, bad);
        assert!(text.starts_with(words) && text.lines().count() == 1, "{text}");
    }
    // A kill leaves at most half a line.
    fs::write(service.state(), &good[..good.len() - 5]).expect("it can be cut");
    let monitor = service.start(&line, &[]);
    wait_until("it starts", || {
        let log = monitor.logged();
        (log.contains("ignoring the incomplete last line of the state file"), log)
    });
}

// Invalid options.

#[test]
fn invalid_options_are_rejected() {
    let service = Service::with_channels("monitoring-mistakes", 1);
    let short = service.folder.path().join("short");
    fs::write(&short, "hush").expect("a file");
    for (line, words) in [
        ("--webhook http://127.0.0.1:1/", "--webhook-secret-file"),
        ("--webhook ftp://hush/ --webhook-secret-file secret", "must start with http://"),
        ("--webhook http://127.0.0.1:1/ --webhook-secret-file none", "cannot read none"),
        ("--webhook http://127.0.0.1:1/ --webhook-secret-file short", "must be at least 16"),
        (
            "--webhook http://a/hush --webhook http://a/hush --webhook-secret-file secret",
            "--webhook: URL 2 is a duplicate",
        ),
        ("--once --state state", "cannot be used with"),
        ("--metrics localhost", "--metrics"),
        ("channel-0 --list-interval 5s", "cannot be used with"),
    ] {
        let ran = service.run(line, &[]);
        assert_eq!(ran.status.code(), Some(2), "{line}: {}", ran.stderr);
        assert!(ran.stderr.contains(words), "{line}: {}", ran.stderr);
        assert!(!ran.stderr.contains("hush"), "{line} shows a secret: {}", ran.stderr);
    }
    let ran = service.run("", &["--on-change", "notify 'on call"]);
    assert_eq!(ran.status.code(), Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains("unclosed quote"), "{}", ran.stderr);
}
