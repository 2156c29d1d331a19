//! An endpoint whose process may open few files, and more peers than those.

#![cfg(unix)]

mod support;

use std::net::TcpStream;
use std::process::Command;

use support::{Endpoint, Folder, wait_until};

#[test]
fn an_endpoint_without_a_descriptor_left_goes_on_when_there_are_some_again() {
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
    wait_until("an answer", || {
        let answer = client.get_channel_status("cam");
        (answer.as_ref().is_err_and(|error| error.status() == Some(404)), answer)
    });
}
