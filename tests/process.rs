//! The library as a guest in a process: it leaves signals alone, does not die
//! of them, and keeps a forked child's connections apart.
//!
//! Each test does its work in a process of its own: this program once more,
//! with the test's name in a variable.

#![cfg(unix)]
// Signals and fork have no safe interface.
#![allow(unsafe_code)]

#[allow(dead_code)]
mod support;

use osslive::{ChannelConfig, Client, Credentials, ErrorKind};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use std::thread;
use std::time::Duration;
use support::{Answer, Server, reply};

const ROLE: &str = "OSSLIVE_TEST_ROLE";
const SERVER: &str = "OSSLIVE_TEST_SERVER";

/// Whether this process is the guest of a test, and otherwise how that ended.
fn guest(test: &str, role: &str, server: &str) -> Option<ExitStatus> {
    if std::env::var(ROLE).is_ok_and(|given| given == role) {
        return None;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    Some(command.env(ROLE, role).env(SERVER, server).status().unwrap())
}

/// Whether this process has been started as a guest.
fn is_guest() -> bool {
    std::env::var_os(ROLE).is_some()
}

fn client() -> Client {
    Client::builder()
        .endpoint(std::env::var(SERVER).unwrap())
        .region("cn-hangzhou")
        .bucket("live-demo")
        .credentials(Credentials::new("id", "secret"))
        .attempts(1)
        .no_proxy()
        .build()
        .unwrap()
}

/// A server whose answers name the channel that was asked about.
fn echo() -> Server {
    Server::start(|_, seen| {
        let path = seen.line.split([' ', '?']).nth(1).unwrap();
        let channel = path.rsplit('/').next().unwrap();
        Answer::Bytes(reply(
            "200 OK",
            &match seen.line.starts_with("PUT") {
                true => format!(
                    "<CreateLiveChannelResult><PublishUrls><Url>{channel}</Url></PublishUrls>\
                     </CreateLiveChannelResult>"
                ),
                false => format!(
                    "<LiveChannelStat><Status>Live</Status><RemoteAddr>{channel}</RemoteAddr>\
                     </LiveChannelStat>"
                ),
            },
        ))
    })
}

fn url(server: &Server) -> String {
    format!("http://{}", server.address)
}

/// Undoes what Rust's own start-up does, as in a host written in C.
fn die_of_sigpipe() {
    // SAFETY: it sets the default action.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
}

#[test]
fn a_write_to_a_closed_connection_raises_no_sigpipe() {
    let test = "a_write_to_a_closed_connection_raises_no_sigpipe";
    let server = (!is_guest()).then(echo);
    let address = server.as_ref().map(url).unwrap_or_default();
    if let Some(status) = guest(test, "shutdown", &address) {
        assert!(status.success(), "{status}");
        return;
    }
    die_of_sigpipe();
    let config = ChannelConfig::new("x".repeat(128));
    for round in 0..200 {
        // Shutting down closes connections under calls that write to them.
        let client = client();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    loop {
                        match client.put_channel("c", &config) {
                            Ok(_) => {}
                            Err(error) if error.kind() == ErrorKind::Stopped => return,
                            Err(error) => panic!("{error:?}"),
                        }
                    }
                });
            }
            thread::sleep(Duration::from_micros(round * 20));
            client.shutdown();
        });
    }
}

#[test]
fn the_guest_of_that_test_would_die_of_sigpipe() {
    let test = "the_guest_of_that_test_would_die_of_sigpipe";
    if let Some(status) = guest(test, "control", "") {
        assert_eq!(status.signal(), Some(libc::SIGPIPE), "{status}");
        return;
    }
    die_of_sigpipe();
    let (reader, mut writer) = std::io::pipe().unwrap();
    drop(reader);
    let _ = std::io::Write::write(&mut writer, b"x");
}

/// The lines of this thread's status that tell what becomes of signals.
#[cfg(target_os = "linux")]
fn dispositions() -> Vec<String> {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let signals = ["SigBlk", "SigIgn", "SigCgt"];
    let is_kept = |line: &&str| signals.iter().any(|name| line.starts_with(name));
    status.lines().filter(is_kept).map(str::to_owned).collect()
}

#[test]
#[cfg(target_os = "linux")]
fn no_signal_is_handled_ignored_or_blocked() {
    let test = "no_signal_is_handled_ignored_or_blocked";
    let server = (!is_guest()).then(echo);
    let address = server.as_ref().map(url).unwrap_or_default();
    if let Some(status) = guest(test, "dispositions", &address) {
        assert!(status.success(), "{status}");
        return;
    }
    let before = dispositions();
    let client = client();
    client.get_channel_status("c").unwrap();
    client.put_channel("c", &ChannelConfig::new("c")).unwrap();
    client.shutdown();
    client.get_channel_status("c").unwrap_err();
    assert_eq!(dispositions(), before);
}

#[test]
fn a_forked_child_gets_its_own_answers() {
    let test = "a_forked_child_gets_its_own_answers";
    let server = (!is_guest()).then(echo);
    let address = server.as_ref().map(url).unwrap_or_default();
    if let Some(status) = guest(test, "fork", &address) {
        assert!(status.success(), "{status}");
        return;
    }
    let client = client();
    // The connection that both could use.
    client.get_channel_status("before").unwrap();
    // SAFETY: no other thread of this process holds a lock: the one of the
    // test harness waits.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    let who = if child == 0 { "child" } else { "parent" };
    let all_right = (0..200).all(|number| {
        let channel = format!("{who}-{number}");
        let status = client.get_channel_status(&channel);
        status.is_ok_and(|status| status.remote_addr.as_deref() == Some(&channel))
    });
    if child == 0 {
        // SAFETY: it ends this process without the harness's own end.
        unsafe { libc::_exit(i32::from(!all_right)) };
    }
    let mut status = 0;
    // SAFETY: the child is ours, and the status is written to a variable of
    // its type.
    let waited = unsafe { libc::waitpid(child, &mut status, 0) };
    assert_eq!(waited, child);
    assert!(ExitStatus::from_raw(status).success(), "the child got a wrong answer");
    assert!(all_right, "the parent got a wrong answer");
}
