//! An endpoint with few file descriptors, and more peers than that.

#![cfg(unix)]

mod support;

use std::net::TcpStream;
use std::process::Command;

use support::{Endpoint, Folder, Program, SOON, bare, wait_until};

#[test]
fn an_endpoint_out_of_descriptors_recovers_when_some_are_free() {
    let folder = Folder::new("scarcity");
    let mut command = Command::new("sh");
    let program = env!("CARGO_BIN_EXE_osslive");
    command.args(["-c", "ulimit -n 40; exec \"$0\" \"$@\"", program]);
    let endpoint = Endpoint::start_as(command, &folder.path().join("data"), &[]);
    let connect = || TcpStream::connect(endpoint.authority()).expect("the system queues it");
    let peers: Vec<TcpStream> = (0..60).map(|_| connect()).collect();
    let client = endpoint.client().with_timeout(std::time::Duration::from_secs(2));
    wait_until("nobody gets through", || {
        let answer = client.get_channel_status("cam");
        (answer.as_ref().is_err_and(|error| error.status().is_none()), answer)
    });
    drop(peers);
    wait_until("a response", || {
        let answer = client.get_channel_status("cam");
        (answer.as_ref().is_err_and(|error| error.status() == Some(404)), answer)
    });
}

/// Runs `osslive local` in a process that may open only this many files.
fn local_with_descriptors(home: &Folder, limit: u32) -> Program {
    let data = home.path().join(format!("data-{limit}"));
    let line = format!("local --listen 127.0.0.1:0 --data {}", data.display());
    let local = bare(home.path(), &line);
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -n {limit}; exec \"$0\" \"$@\"")]);
    command.arg(local.get_program()).args(local.get_args());
    for (name, value) in local.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Program::start(&mut command)
}

#[test]
fn an_endpoint_that_cannot_start_never_claims_to_listen() {
    let home = Folder::new("scarcity-start");
    let mut outcomes = [0, 0];
    // Each limit makes a different startup step fail, up to one that is
    // sufficient.
    for limit in 6..40 {
        let mut program = local_with_descriptors(&home, limit);
        wait_until("it has started or given up", || {
            let text = program.printed();
            (text.contains("Ctrl-C") || !program.is_running(), text)
        });
        let has_started = program.printed().contains("listening on ");
        outcomes[usize::from(has_started)] += 1;
        let ran = if has_started { program.interrupt() } else { program.end(SOON) };
        assert_eq!(ran.status.success(), has_started, "{limit}: {}{}", ran.stdout, ran.stderr);
        assert!(has_started || ran.stderr.contains("osslive: "), "{limit}: {}", ran.stderr);
    }
    assert!(outcomes.iter().all(|&count| count > 0), "both outcomes occurred: {outcomes:?}");
}
