//! The library as a guest in a process: it does not touch signal handlers, does not
//! raise SIGPIPE, and does not share connections with a forked child.
//!
//! Each test runs in its own process: this program is started again with the test's name
//! in a variable.

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
use support::{Response, Server, reply};

const ROLE: &str = "OSSLIVE_TEST_ROLE";
const SERVER: &str = "OSSLIVE_TEST_SERVER";

/// Runs a test as a guest, and returns how it ended; `None` if this process is the guest.
fn guest(test: &str, role: &str, server: &str) -> Option<ExitStatus> {
    if std::env::var(ROLE).is_ok_and(|given| given == role) {
        return None;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    Some(command.env(ROLE, role).env(SERVER, server).status().unwrap())
}

/// Returns whether this process was started as a guest.
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

/// Starts a server whose responses contain the requested channel.
fn echo() -> Server {
    Server::start(|_, seen| {
        let path = seen.line.split([' ', '?']).nth(1).unwrap();
        let channel = path.rsplit('/').next().unwrap();
        Response::Bytes(reply(
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

/// Restores SIGPIPE's default action, which Rust's runtime changes, as in a host written
/// in C.
fn restore_default_sigpipe() {
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
    restore_default_sigpipe();
    let config = ChannelConfig::new("x".repeat(128));
    for round in 0..200 {
        // Shutting down closes connections while calls write to them.
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
fn a_guest_that_raises_sigpipe_dies() {
    let test = "a_guest_that_raises_sigpipe_dies";
    if let Some(status) = guest(test, "control", "") {
        assert_eq!(status.signal(), Some(libc::SIGPIPE), "{status}");
        return;
    }
    restore_default_sigpipe();
    let (reader, mut writer) = std::io::pipe().unwrap();
    drop(reader);
    let _ = std::io::Write::write(&mut writer, b"x");
}

/// Returns the lines about signals in this thread's status.
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
fn a_forked_child_gets_its_own_responses() {
    let test = "a_forked_child_gets_its_own_responses";
    let server = (!is_guest()).then(echo);
    let address = server.as_ref().map(url).unwrap_or_default();
    if let Some(status) = guest(test, "fork", &address) {
        assert!(status.success(), "{status}");
        return;
    }
    let client = client();
    // Opens the connection that both could use.
    client.get_channel_status("before").unwrap();
    // SAFETY: no other thread of this process holds a lock: the test harness's thread
    // is waiting.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    let who = if child == 0 { "child" } else { "parent" };
    let all_right = (0..200).all(|number| {
        let channel = format!("{who}-{number}");
        let status = client.get_channel_status(&channel);
        status.is_ok_and(|status| status.remote_addr.as_deref() == Some(&channel))
    });
    if child == 0 {
        // SAFETY: it ends this process without the harness's own cleanup.
        unsafe { libc::_exit(i32::from(!all_right)) };
    }
    let mut status = 0;
    // SAFETY: the child is ours, and the status is written to a variable of
    // its type.
    let waited = unsafe { libc::waitpid(child, &mut status, 0) };
    assert_eq!(waited, child);
    assert!(ExitStatus::from_raw(status).success(), "the child got a wrong response");
    assert!(all_right, "the parent got a wrong response");
}
