//! What `osslive local` requires of secrets, and which of them it prints.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::{
    Folder, KEY_ID, LONG, Program, Ran, SOON, STS_ID, bare, failed, note, run, wait_until,
};

const OWN: &str = "a-secret-of-ones-own-7h3x";
const OWN_STS: &str = "another-secret-of-ones-own-9k2";
/// The token of the page.
const OWN_PAGE: &str = "a-page-token-of-ones-own-4t8";
const OWN_TOKEN: &str = "CAISown+Token/Of=Ones&Own";
/// The well-known secrets of a default endpoint.
const PUBLIC: [&str; 2] = ["osslive-local-secret", "osslive-local-sts-secret"];

/// Runs `osslive local` on a free loopback port, with its own data directory.
fn local(home: &Folder, line: &str) -> Command {
    let data = home.path().join("data");
    bare(home.path(), &format!("local --listen 127.0.0.1:0 --data {} {line}", data.display()))
}

/// Returns the output of its start, and of its end.
fn printed(command: &mut Command) -> Ran {
    let mut program = Program::start(command);
    wait_until("the endpoint prints how to stop it", || {
        let text = program.printed();
        (text.contains("Ctrl-C") || text.ends_with("}\n") || !program.is_running(), text)
    });
    program.interrupt()
}

fn secret_file(home: &Folder, name: &str, text: &str) -> String {
    let path = home.path().join(name);
    fs::write(&path, text).expect("a file");
    restrict(&path, 0o600);
    path.display().to_string()
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("its owner is this user");
}

#[cfg(not(unix))]
fn restrict(_: &Path, _: u32) {}

#[test]
fn well_known_secrets_are_rejected_for_other_machines() {
    let home = Folder::new("local-public");
    let data = home.path().join("data");
    for address in ["0.0.0.0:0", "[::]:0", "[::ffff:0.0.0.0]:0", "192.0.2.7:9000"] {
        for keys in [
            String::new(),
            format!("--access-key-secret {}", PUBLIC[1]),
            format!("--access-key-secret {OWN} --sts-token T"),
            format!(
                "--access-key-secret {OWN} --sts-token T --sts-access-key-secret {}",
                PUBLIC[0]
            ),
            format!("--sts-token T --sts-access-key-secret {OWN_STS}"),
        ] {
            let line = format!("local --listen {address} --data {} {keys}", data.display());
            let message = failed(run(&mut bare(home.path(), &line), SOON), 2, &line);
            assert!(
                message.contains("public") && message.contains("loopback"),
                "{line}: {message}"
            );
        }
    }
    assert!(!data.exists(), "nothing is created before the keys are checked");
}

#[test]
fn empty_secrets_are_rejected_everywhere() {
    let home = Folder::new("local-empty");
    for (name, value) in [
        ("OSSLIVE_LOCAL_ACCESS_KEY_SECRET", ""),
        ("OSSLIVE_LOCAL_ACCESS_KEY_SECRET", " "),
        ("OSSLIVE_LOCAL_STS_ACCESS_KEY_SECRET", ""),
        ("OSSLIVE_LOCAL_STS_TOKEN", ""),
    ] {
        let mut command = local(&home, "");
        command.env("OSSLIVE_LOCAL_STS_TOKEN", OWN_TOKEN).env(name, value);
        let message = failed(run(&mut command, SOON), 2, name);
        assert!(message.contains("empty"), "{name}={value:?}: {message}");
    }
}

#[test]
fn no_secret_is_printed_without_a_terminal() {
    let home = Folder::new("local-journal");
    let file = secret_file(&home, "secret", &format!("{OWN}\n"));
    let sts = secret_file(&home, "sts", &format!("{OWN_STS}\r\n"));
    let token = secret_file(&home, "token", OWN_TOKEN);
    let page = secret_file(&home, "page", OWN_PAGE);
    let files = format!(
        "--access-key-secret-file {file} --sts-access-key-secret-file {sts} --sts-token-file \
         {token} --page-token-file {page}"
    );
    let options = format!(
        "--access-key-secret {OWN} --sts-access-key-secret {OWN_STS} --sts-token {OWN_TOKEN} \
         --page-token {OWN_PAGE}"
    );
    let mut by_environment = local(&home, "");
    by_environment
        .env("OSSLIVE_LOCAL_ACCESS_KEY_SECRET", OWN)
        .env("OSSLIVE_LOCAL_STS_ACCESS_KEY_SECRET", OWN_STS)
        .env("OSSLIVE_LOCAL_STS_TOKEN", OWN_TOKEN)
        .env("OSSLIVE_LOCAL_PAGE_TOKEN", OWN_PAGE);
    let json = format!("--json {options}");
    for mut command in
        [local(&home, &files), local(&home, &options), by_environment, local(&home, &json)]
    {
        let ran = printed(&mut command);
        assert!(ran.status.success(), "{}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 2, "start and stop: {}", ran.stderr);
        assert!(ran.stdout.contains("osslive-local"), "the key's id is printed: {}", ran.stdout);
        for secret in [OWN, OWN_STS, OWN_TOKEN, OWN_PAGE, "token=", "Signature="] {
            let said = format!("{}{}", ran.stdout, ran.stderr);
            assert!(!said.contains(secret), "{secret} is in\n{said}");
        }
        assert!(ran.stdout.contains("publish-url"), "{}", ran.stdout);
    }
    let ran = printed(&mut local(&home, &format!("--print-keys {options}")));
    for secret in [OWN, OWN_PAGE, "Signature="] {
        assert!(ran.stdout.contains(secret), "{secret}: {}", ran.stdout);
    }
    let ran = printed(&mut local(&home, ""));
    assert!(ran.stdout.contains(PUBLIC[0]), "a well-known one is printed: {}", ran.stdout);
    for secret in ["Signature=", "token="] {
        assert!(!ran.stdout.contains(secret), "{secret}: {}", ran.stdout);
    }
}

#[test]
fn a_secret_from_a_file_or_the_environment_is_required() {
    let home = Folder::new("local-files");
    let file = secret_file(&home, "secret", &format!("{OWN}\n"));
    let sts = secret_file(&home, "sts", OWN_STS);
    let token = secret_file(&home, "token", OWN_TOKEN);
    let files = format!(
        "--access-key-id {KEY_ID} --access-key-secret-file {file} --sts-access-key-id {STS_ID} \
         --sts-access-key-secret-file {sts} --sts-token-file {token}"
    );
    let mut command = local(&home, &files);
    // The command line takes precedence over the environment.
    command.env("OSSLIVE_LOCAL_ACCESS_KEY_SECRET", "not this one");
    let program = Program::start(&mut command);
    wait_until("it listens", || {
        let text = program.printed();
        (text.contains("Ctrl-C"), text)
    });
    let text = program.printed();
    let url = text.lines().next().and_then(|line| line.strip_prefix("listening on "));
    let url = url.expect("the first line is for programs").to_owned();
    let list = |id: &str, secret: &str, token: Option<&str>| {
        let line = format!("channel list --bucket live-demo --region cn-hangzhou --endpoint {url}");
        let mut command = bare(home.path(), &line);
        command.env("OSS_ACCESS_KEY_ID", id).env("OSS_ACCESS_KEY_SECRET", secret);
        if let Some(token) = token {
            command.env("OSS_SESSION_TOKEN", token);
        }
        run(&mut command, LONG).status.code()
    };
    assert_eq!(list(KEY_ID, OWN, None), Some(0));
    assert_eq!(list(STS_ID, OWN_STS, Some(OWN_TOKEN)), Some(0));
    assert_eq!(list(KEY_ID, "not this one", None), Some(4));
    program.interrupt();
}

#[test]
fn a_file_without_a_secret_is_named_but_not_quoted() {
    let home = Folder::new("local-wrong-files");
    let folder = home.path().display().to_string();
    let empty = secret_file(&home, "empty", "\n");
    let lines = secret_file(&home, "lines", "hush-one\nhush-two\n");
    let bytes = home.path().join("bytes");
    fs::write(&bytes, b"hush\xff\n").expect("a file");
    let long = secret_file(&home, "long", &"hush".repeat(100_000));
    for file in ["no-such-file", &folder, &empty, &lines, &bytes.display().to_string(), &long] {
        for option in [
            "--access-key-secret-file",
            "--sts-access-key-secret-file",
            "--sts-token-file",
            "--page-token-file",
        ] {
            let line = format!("{option} {file}");
            let mut command = local(&home, &line);
            if option != "--sts-token-file" {
                command.env("OSSLIVE_LOCAL_STS_TOKEN", OWN_TOKEN);
            }
            let message = failed(run(&mut command, SOON), 2, &line);
            assert!(message.contains(file) && !message.contains("hush"), "{line}: {message}");
        }
    }
    let line = format!("--access-key-secret {OWN} --access-key-secret-file {lines}");
    assert_eq!(
        run(&mut local(&home, &line), SOON).status.code(),
        Some(2),
        "two secrets for one key"
    );
}

#[cfg(unix)]
#[test]
fn a_secret_file_that_others_can_read_causes_a_warning() {
    let home = Folder::new("local-readable");
    let file = secret_file(&home, "secret", OWN);
    restrict(Path::new(&file), 0o644);
    let line = format!("--access-key-secret-file {file}");
    let ran = printed(&mut local(&home, &line));
    assert!(ran.status.success(), "it starts anyway: {}", ran.stderr);
    assert!(ran.stderr.contains(&file) && ran.stderr.contains("warning"), "{}", ran.stderr);
    assert!(!ran.stderr.contains(OWN), "{}", ran.stderr);
    let ran = printed(&mut local(&home, &format!("--json {line}")));
    let line = ran.stderr.lines().next().unwrap_or_default();
    let report: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
    assert!(report["warning"]["message"].as_str().is_some_and(|text| text.contains(&file)));
}

#[test]
fn help_hides_options_that_take_a_secret() {
    let home = Folder::new("local-help");
    let help = run(&mut bare(home.path(), "local --help"), SOON).silent("help");
    let options: Vec<_> =
        help.lines().filter_map(|line| line.trim_start().strip_prefix("--")).collect();
    for name in ["access-key-secret", "sts-access-key-secret", "sts-token", "page-token"] {
        let is_it = |line: &&&str| line.split([' ', '=']).next() == Some(name);
        assert_eq!(options.iter().find(is_it), None, "{help}");
        assert!(help.contains(&format!("--{name}-file <FILE>")), "{help}");
    }
    for name in ["ACCESS_KEY_SECRET", "STS_ACCESS_KEY_SECRET", "STS_TOKEN", "PAGE_TOKEN"] {
        assert!(help.contains(&format!("OSSLIVE_LOCAL_{name}")), "{help}");
    }
}

#[test]
fn on_a_terminal_it_shows_a_publish_url_but_no_custom_secret() {
    let home = Folder::new("local-terminal");
    if !support::has_script() {
        return note("skipped: the endpoint on a terminal (no util-linux script)");
    }
    let data = home.path().join("data");
    let line = format!("local --listen 127.0.0.1:0 --data {}", data.display());
    let mut command = support::on_terminal(home.path(), &line);
    command.env("OSSLIVE_LOCAL_ACCESS_KEY_SECRET", OWN);
    let text = printed(&mut command).stdout;
    assert!(text.contains("Signature=") && text.contains("token="), "{text}");
    assert!(!text.contains(OWN), "{text}");
}

#[test]
fn options_before_the_command_are_not_ignored() {
    let home = Folder::new("local-before");
    let data = home.path().join("data").display().to_string();
    for line in [
        format!("--bucket one --region cn-beijing local --listen 127.0.0.1:0 --data {data}"),
        format!("local --bucket one --region cn-beijing --listen 127.0.0.1:0 --data {data}"),
    ] {
        let text = printed(&mut bare(home.path(), &line)).stdout;
        let row = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        assert!(
            row("bucket").ends_with("  one") && row("region").ends_with("  cn-beijing"),
            "{text}"
        );
    }
}

/// Returns the `kind` of each line of a JSON log.
fn kinds(log: &str) -> Vec<String> {
    let kind = |line: &str| {
        let event: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        event["kind"].as_str().expect("a kind").to_owned()
    };
    log.lines().map(kind).collect()
}

#[test]
fn the_log_has_the_chosen_format_and_level() {
    let home = Folder::new("local-log");
    let text = printed(&mut local(&home, "")).stderr;
    assert!(text.lines().all(|line| line.contains("Z info  st")), "{text}");
    assert!(text.contains(" info  start: listening on 127.0.0.1:"), "{text}");
    for line in ["--log json", "--json", "--json --log-level debug"] {
        assert_eq!(kinds(&printed(&mut local(&home, line)).stderr), ["start", "stop"], "{line}");
    }
    for line in ["--log none", "--log-level warn", "--log json --log-level error"] {
        assert_eq!(printed(&mut local(&home, line)).stderr, "", "{line}");
    }
    for line in ["--log xml", "--log-level loud"] {
        let ran = run(&mut local(&home, line), SOON);
        assert_eq!(ran.status.code(), Some(2), "{line}: {}", ran.stderr);
        assert!(ran.stderr.contains("--log"), "{}", ran.stderr);
    }
}

/// Nobody reads stderr, and its pipe is full after a few hundred lines.
#[test]
fn an_unread_log_blocks_nothing_and_counts_lost_lines() {
    use std::io::{Read, Write};
    use std::process::Stdio;
    let home = Folder::new("local-unread");
    let mut command = local(&home, "--log json --log-level debug");
    let piped = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut endpoint = piped.spawn().expect("it starts");
    let mut first = String::new();
    let stdout = endpoint.stdout.take().expect("stdout is piped");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut first).expect("a line");
    let address = first.trim().strip_prefix("listening on http://").expect("an address");
    let mut peer = std::net::TcpStream::connect(address).expect("it listens");
    peer.set_read_timeout(Some(SOON)).expect("a limit");
    let request =
        format!("HEAD /live-demo/{} HTTP/1.1\r\nHost: {address}\r\n\r\n", "a".repeat(200));
    let mut responses = 0;
    let mut buffer = vec![0; 64 * 1024];
    // In batches, so that neither side blocks the other.
    for _ in 0..60 {
        peer.write_all(request.repeat(50).as_bytes()).expect("requests are accepted");
        let (mut group, end) = (Vec::new(), b"\r\n\r\n");
        while group.windows(4).filter(|four| four == end).count() < 50 {
            let count = peer.read(&mut buffer).expect("a response in time");
            assert!(count > 0, "closed after {responses} responses");
            group.extend_from_slice(&buffer[..count]);
        }
        responses += 50;
    }
    let mut log = String::new();
    let mut stderr = endpoint.stderr.take().expect("stderr is piped");
    let reader =
        std::thread::spawn(move || stderr.read_to_string(&mut log).map(|_| log).expect("UTF-8"));
    Command::new("kill").args(["-INT", &endpoint.id().to_string()]).status().expect("kill");
    assert!(endpoint.wait().expect("it ends").success());
    let log = reader.join().expect("no panic");
    let kinds = kinds(&log);
    let lost: u64 = log
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
        .filter(|event| event["kind"] == "lost")
        .map(|event| event["count"].as_u64().expect("a count"))
        .sum();
    let written = kinds.iter().filter(|kind| *kind == "request").count() as u64;
    assert!(lost > 0, "{} lines", kinds.len());
    let missing = kinds.iter().filter(|kind| ["start", "stop"].contains(&&***kind)).count() as u64;
    assert_eq!(written + lost + missing, responses + 2, "every event is written or counted");
}
