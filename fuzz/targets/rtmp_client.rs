//! A publisher's session, fed whatever a server might send.

#![no_main]

use libfuzzer_sys::fuzz_target;
use osslive_local::rtmp::{ClientSession, ClientState};

fuzz_target!(|data: &[u8]| {
    let [how, data @ ..] = data else { return };
    let mut session = ClientSession::new("live", "rtmp://h/live", "ch1?x=y");
    session.take_output();
    if how & 1 != 0 {
        session.receive(&[vec![3], vec![0; 2 * 1536]].concat()).expect("a handshake");
    }
    let piece = [1, 7, 1000, usize::MAX][usize::from(how >> 6)];
    for bytes in data.chunks(piece) {
        if session.receive(bytes).is_err() {
            return;
        }
        if *session.state() == ClientState::Publishing {
            session.send_video(1, b"frame").expect("a short message");
        }
        let output = session.take_output();
        assert!(output.len() <= 8000 + 300 * (bytes.len() + 64), "{} bytes", output.len());
    }
    session.finish();
});
