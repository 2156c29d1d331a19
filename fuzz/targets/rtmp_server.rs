//! A server's session, fed whatever a publisher might send.
//!
//! The first byte says how far the connection has come, whether a publish is
//! accepted, and the size of the pieces in which the rest arrives.

#![no_main]

use libfuzzer_sys::fuzz_target;
use osslive_local::rtmp::{ClientSession, ClientState, Event, Limits, Session};

fuzz_target!(|data: &[u8]| {
    let [how, data @ ..] = data else { return };
    let limits = Limits { max_message: 1 << 16, max_pending: 1 << 17, max_chunk_streams: 8 };
    let mut session = Session::new(limits);
    if how & 1 != 0 {
        begin(&mut session, how & 2 != 0);
    }
    let piece = [1, 7, 1000, usize::MAX][usize::from(how >> 6)];
    for bytes in data.chunks(piece) {
        if session.receive(bytes).is_err() {
            return;
        }
        let (mut events, mut media) = (0, 0);
        while let Some(event) = session.next_event() {
            events += 1;
            match event {
                Event::Publish(_) if how & 4 != 0 => session.accept(),
                Event::Publish(_) => session.reject("NetStream.Publish.BadName", "no"),
                Event::Video { body, .. } | Event::Audio { body, .. } => media += body.len(),
                Event::Metadata(_) | Event::Finished => {}
            }
        }
        assert!(media <= limits.max_pending + data.len(), "more media than was received");
        assert!(events <= 4096 * (1 + data.len() / 16), "{events} events");
        let output = session.take_output();
        assert!(output.len() <= 4000 + 300 * (bytes.len() + 64), "{} bytes", output.len());
    }
});

/// Drives a well-behaved client to the point where it is about to publish,
/// or publishes.
fn begin(session: &mut Session, accept: bool) {
    let mut client = ClientSession::new("live", "rtmp://h/live", "ch1");
    for _ in 0..8 {
        session.receive(&client.take_output()).expect("a good client");
        if accept && matches!(session.next_event(), Some(Event::Publish(_))) {
            session.accept();
        }
        client.receive(&session.take_output()).expect("a good server");
    }
    assert_eq!(*client.state() == ClientState::Publishing, accept);
}
