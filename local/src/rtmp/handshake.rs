//! The simple handshake: a version, 1,536 bytes, and an echo of the peer's 1,536
//! bytes.
//!
//! RTMP 1.0, section 5.2. Both ends do the same and differ only in who starts, so
//! one type implements both. Digests, which some peers put in their bytes, are
//! ignored: no encoder requires them.

use super::ProtocolError;

const VERSION: u8 = 3;
const PACKET: usize = 1536;

/// The handshake of one end, which accepts bytes in any pieces.
pub(super) struct Handshake {
    role: Role,
    greeting: Vec<u8>,
    echo_left: usize,
}

enum Role {
    Server,
    Client,
}

impl Handshake {
    /// Returns the end that waits for the peer to start.
    pub(super) fn server() -> Self {
        Handshake { role: Role::Server, greeting: Vec::new(), echo_left: PACKET }
    }

    /// Returns the end that starts, writing to `output`.
    pub(super) fn client(output: &mut Vec<u8>) -> Self {
        greet(output);
        Handshake { role: Role::Client, greeting: Vec::new(), echo_left: PACKET }
    }

    /// Returns whether the handshake is complete.
    pub(super) fn is_done(&self) -> bool {
        self.echo_left == 0
    }

    /// Consumes the bytes of the handshake from the front of `input` and writes
    /// its responses.
    pub(super) fn read(
        &mut self,
        input: &mut &[u8],
        output: &mut Vec<u8>,
    ) -> Result<(), ProtocolError> {
        let missing = (1 + PACKET).saturating_sub(self.greeting.len());
        if missing > 0 {
            self.greeting.extend(take(input, missing));
            if let Some(version) = self.greeting.first().filter(|version| **version != VERSION) {
                return Err(ProtocolError::Version(*version));
            }
            if self.greeting.len() == 1 + PACKET {
                if matches!(self.role, Role::Server) {
                    greet(output);
                }
                output.extend(&self.greeting[1..]);
            }
        }
        // The peer's echo is not compared: librtmp itself only warns, and some
        // encoders send zeros.
        self.echo_left -= take(input, self.echo_left).len();
        Ok(())
    }
}

/// Writes the version and the bytes after it: time zero, four zeros, which mean
/// that there is no digest, and padding.
fn greet(output: &mut Vec<u8>) {
    output.push(VERSION);
    output.extend([0; 8]);
    output.extend((8..PACKET).map(|i| (i * 31 % 251) as u8));
}

fn take<'a>(input: &mut &'a [u8], at_most: usize) -> &'a [u8] {
    let (head, rest) = input.split_at(at_most.min(input.len()));
    *input = rest;
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    fn greeting() -> Vec<u8> {
        let mut bytes = vec![3];
        bytes.extend((0..PACKET).map(|i| (i % 256) as u8));
        bytes
    }

    #[test]
    fn the_server_responds_wherever_the_bytes_are_split() {
        let bytes = [greeting(), vec![0xaa; PACKET], b"next".to_vec()].concat();
        for split in 0..bytes.len() {
            let (mut handshake, mut output) = (Handshake::server(), Vec::new());
            let (mut first, mut second) = bytes.split_at(split);
            handshake.read(&mut first, &mut output).unwrap();
            let left = first.len();
            handshake.read(&mut second, &mut output).unwrap();
            assert!(handshake.is_done());
            assert_eq!(left + second.len(), 4, "split at {split}");
            assert_eq!(output.len(), 1 + 2 * PACKET);
            assert_eq!((output[0], &output[5..9]), (3, &[0; 4][..]));
            assert_eq!(output[1 + PACKET..], greeting()[1..]);
        }
    }

    #[test]
    fn client_and_server_complete_the_handshake() {
        let mut to_server = Vec::new();
        let mut client = Handshake::client(&mut to_server);
        let (mut server, mut to_client) = (Handshake::server(), Vec::new());
        server.read(&mut &to_server[..], &mut to_client).unwrap();
        to_server.clear();
        client.read(&mut &to_client[..], &mut to_server).unwrap();
        assert!(client.is_done() && !server.is_done());
        assert_eq!(to_server, to_client[1..=PACKET]);
        to_client.clear();
        server.read(&mut &to_server[..], &mut to_client).unwrap();
        assert!(server.is_done() && to_client.is_empty());
    }

    #[test]
    fn another_version_is_refused_at_its_first_byte() {
        let mut output = Vec::new();
        let error = Handshake::server().read(&mut &[6][..], &mut output);
        assert_eq!(error, Err(ProtocolError::Version(6)));
        assert!(output.is_empty());
    }
}
