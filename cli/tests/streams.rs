//! Output that cannot be written, on either stream of every command: nothing
//! panics, the work is still done, and the exit status reports its outcome.

#![cfg(target_os = "linux")]

mod support;

use std::fs::{File, OpenOptions};
use std::process::{Command, ExitStatus, Stdio};

use support::{Folder, LONG, Shell, bare, failed, run, shipped_clip};

/// Where a stream goes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stream {
    /// A reader that has exited, as after `head -1`.
    Broken,
    /// A disk without free space.
    Full,
    /// Nowhere: the descriptor is closed.
    Closed,
    /// A reader.
    Read,
}

const FAULTS: [Stream; 3] = [Stream::Broken, Stream::Full, Stream::Closed];

impl Stream {
    #[allow(clippy::incompatible_msrv, reason = "tests may need a newer compiler")]
    fn open(self) -> Stdio {
        match self {
            Stream::Broken => std::io::pipe().expect("a pipe").1.into(),
            Stream::Full => {
                OpenOptions::new().write(true).open("/dev/full").expect("a device").into()
            }
            Stream::Closed => Stdio::null(),
            Stream::Read => Stdio::piped(),
        }
    }
}

/// Returns how the command ended, and its output where it could be read.
fn ended(command: &Command, stdout: Stream, stderr: Stream) -> (ExitStatus, String, String) {
    let mut shell = Command::new("sh");
    let closing = |stream, number| if stream == Stream::Closed { number } else { "" };
    let (out, err) = (closing(stdout, ">&-"), closing(stderr, "2>&-"));
    shell.args(["-c", &format!("exec \"$0\" \"$@\" {out} {err}")]).arg(command.get_program());
    shell.args(command.get_args()).stdin(File::open("/dev/null").expect("a device"));
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let child = shell.stdout(stdout.open()).stderr(stderr.open()).spawn().expect("a shell");
    let done = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (done.status, text(done.stdout), text(done.stderr))
}

/// Returns every command, with arguments that always succeed, and some that fail in
/// various ways.
fn lines(home: &Folder) -> Vec<String> {
    let clip = shipped_clip();
    let clip = clip.display();
    let list = home.path().join("list.csv");
    std::fs::write(&list, "id\none\ntwo\n").expect("a list");
    let list = list.display();
    let man = home.path().join("man");
    [
        "channel put cam",
        "channel get cam",
        "channel list",
        "channel delete gone",
        "channel enable cam",
        "channel disable off",
        "channel status cam",
        "channel history cam",
        "channel wait cam --idle",
        "channel wait gone --deleted",
        &format!("channel import {list}"),
        &format!("channel import {list} --dry-run"),
        &format!("channel apply {list}"),
        &format!("channel apply {list} --dry-run"),
        "publish-url cam",
        "publish-url cam --obs",
        "play-url cam",
        &format!("publish {clip} cam --for 1s"),
        "doctor cam",
        "monitor --once",
        "history cam",
        "highlights cam all=..",
        "vod create cam all --last 1h",
        "vod get cam --last 1h",
        "completions bash",
        &format!("man {}", man.display()),
        "--help",
        "channel --help",
        "--version",
        // These fail.
        "channel get nope",
        "channel create cam",
        "channel status cam --live",
        "monitor cam nope --once",
        "highlights cam all=.. late=9h..10h",
        "vod get cam --start -3h --end -2h",
        "local --listen 0.0.0.0:0",
        "control health --url http://127.0.0.1:1",
        "control fault add GetObject --status 99 --url http://127.0.0.1:1",
        "",
        "channel",
        "channel put",
        "--no-such-option",
    ]
    .map(str::to_owned)
    .to_vec()
}

#[test]
fn a_stream_that_cannot_be_written_changes_nothing_else() {
    let shell = Shell::new("streams");
    for channel in ["cam", "off"] {
        shell.text(&format!("channel create {channel}"));
    }
    shell.record("cam", 1);
    for line in lines(&shell.folder) {
        // Publishing takes a while, so once is enough.
        let options =
            if line.starts_with("publish ") { &["-v"][..] } else { &["", "--json", "-v"] };
        for line in options.iter().map(|option| format!("{option} {line}")) {
            let command = shell.command(&line);
            let (status, printed, logged) = ended(&command, Stream::Read, Stream::Read);
            let status = status.code().expect("it ends by itself");
            for fault in FAULTS {
                let (exit, out, _) = ended(&command, Stream::Read, fault);
                assert_eq!(exit.code(), Some(status), "{line}: stderr {fault:?}");
                assert_eq!(out.is_empty(), printed.is_empty(), "{line}: stderr {fault:?}: {out}");
            }
            for fault in FAULTS.into_iter().filter(|_| !printed.is_empty()) {
                let (exit, _, err) = ended(&command, fault, Stream::Read);
                let is_lost = status == 0 && fault != Stream::Broken;
                let expected = if is_lost { 1 } else { status };
                assert_eq!(exit.code(), Some(expected), "{line}: stdout {fault:?}: {err}");
                assert!(!is_lost || err.contains("cannot write"), "{line}: {fault:?}: {err}");
                assert!(is_lost || err.len() >= logged.len() / 2, "{line}: {fault:?}: {err}");
            }
            let (exit, ..) = ended(&command, Stream::Broken, Stream::Broken);
            assert_eq!(exit.code(), Some(status), "{line}: both broken");
        }
    }
}

#[test]
fn commands_do_their_work_even_if_nobody_can_read_the_result() {
    let shell = Shell::new("streams-done");
    for fault in FAULTS {
        for (number, verbose) in ["", "-v "].into_iter().enumerate() {
            let id = format!("{fault:?}-{number}");
            let command = shell.command(&format!("{verbose}channel create {id}"));
            let (_, _, _) = ended(&command, fault, fault);
            shell.text(&format!("channel get {id}"));
        }
    }
}

#[test]
fn a_demo_continues_without_its_output_and_its_exit_status_reports_the_loss() {
    let home = Folder::new("streams-demo");
    let command = bare(home.path(), "demo --clip");
    std::thread::scope(|scope| {
        for fault in FAULTS {
            let command = &command;
            scope.spawn(move || {
                let (exit, _, err) = ended(command, fault, Stream::Read);
                let is_lost = fault != Stream::Broken;
                assert_eq!(exit.code(), Some(i32::from(is_lost)), "{fault:?}: {err}");
                assert_eq!(err.contains("cannot write"), is_lost, "{fault:?}: {err}");
            });
        }
    });
}

#[test]
fn a_monitor_exits_when_its_reader_has_exited() {
    let shell = Shell::new("streams-monitor");
    shell.text("channel create off --disabled");
    for (fault, status) in [(Stream::Broken, 0), (Stream::Full, 1)] {
        let command = shell.command("monitor off --interval 1s");
        assert_eq!(ended(&command, fault, Stream::Read).0.code(), Some(status), "{fault:?}");
    }
}

#[test]
fn with_json_every_error_is_a_line_of_json() {
    let home = Folder::new("streams-json");
    for (line, words) in [
        ("--json", "--help"),
        ("--json channel", "--help"),
        ("channel put --json", "CHANNEL"),
        ("channel --json put cam --frag-duration 101", "101"),
        ("--json channle", "channel"),
        ("--json channel list --no-such-option", "--no-such-option"),
        ("--json local --listen nowhere", "nowhere"),
        ("--json channel list --local --profile x", "--profile"),
        ("--json local --listen 0.0.0.0:0", "public"),
        ("--json channel import no-such-file", "OSS_ACCESS_KEY_ID"),
        ("--json man /dev/null/x", "/dev/null/x"),
    ] {
        let ran = run(&mut bare(home.path(), line), LONG);
        assert!(ran.stdout.is_empty(), "{line}: {}", ran.stdout);
        assert_eq!(ran.stderr.lines().count(), 1, "{line}: {}", ran.stderr);
        let report: serde_json::Value =
            serde_json::from_str(&ran.stderr).unwrap_or_else(|_| panic!("{line}: {}", ran.stderr));
        assert_eq!(
            report["exitStatus"].as_i64(),
            ran.status.code().map(i64::from),
            "{line}: {report}"
        );
        let message = report["error"]["message"].as_str().expect("a message");
        assert!(!message.is_empty() && !message.contains('\n'), "{line}: {message}");
        assert!(report.to_string().contains(words), "{line}: {report}");
    }
    // Without it, an error is reported as usual.
    let ran = run(&mut bare(home.path(), "channle"), LONG);
    assert!(ran.stderr.starts_with("error: ") && ran.stderr.contains("Usage: "), "{}", ran.stderr);
    failed(run(&mut bare(home.path(), "local --listen 0.0.0.0:0"), LONG), 2, "a well-known secret");
}
