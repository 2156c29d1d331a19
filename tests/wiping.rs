//! After credentials are dropped, neither the secret nor the token is left in memory.

#![cfg(target_os = "linux")]

#[allow(dead_code)]
#[path = "support/fault.rs"]
mod fault;

use fault::{Asked, FaultServer, Step, Tls};
use osslive::{ChannelConfig, Client, Credentials, RtmpUrlOptions, SignatureVersion};
use std::fs::File;
use std::hint::black_box;
use std::net::TcpListener;
use std::os::unix::fs::FileExt;
use std::process::Command;
use std::sync::Arc;

const SERVER: &str = "OSSLIVE_TEST_SERVER";
const ROOT: &str = "OSSLIVE_TEST_ROOT";
/// Hides the searched strings from the search itself.
const MASK: u8 = 0x5a;

/// Returns a string that does not occur in this program, masked.
fn masked(seed: u8, length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64 ^ u64::from(seed);
    let mut letter = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        b'A' + ((state >> 33) % 26) as u8
    };
    (0..length).map(|_| letter() ^ MASK).collect()
}

/// Calls a function with an unmasked string, and overwrites it afterwards.
fn unmasked<T>(masked: &[u8], work: impl FnOnce(&str) -> T) -> T {
    let mut bytes: Vec<u8> = masked.iter().map(|byte| byte ^ MASK).collect();
    let result = work(std::str::from_utf8(&bytes).unwrap());
    bytes.fill(0);
    black_box(&bytes);
    result
}

/// Overwrites a string that was returned.
fn wipe(text: String) {
    let mut bytes = text.into_bytes();
    bytes.fill(0);
    black_box(&bytes);
}

/// Counts the occurrences of a string in this process's memory.
fn count(masked: &[u8]) -> usize {
    let memory = File::open("/proc/self/mem").unwrap();
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let (mut buffer, blank) = (vec![0u8; 1 << 14], vec![0u8; 1 << 14]);
    let mut found = 0;
    for line in maps.lines().filter(|line| line.split(' ').nth(1).unwrap().starts_with("rw")) {
        let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let mut at = u64::from_str_radix(from, 16).unwrap();
        let to = u64::from_str_radix(to, 16).unwrap();
        while at < to {
            // Otherwise, data read earlier would be found again in this buffer.
            buffer.fill(0);
            let wanted = buffer.len().min((to - at) as usize);
            let Ok(read) = memory.read_at(&mut buffer[..wanted], at) else { break };
            if read < masked.len() {
                break;
            }
            // Most memory is blank.
            if buffer[..read] != blank[..read] {
                let is_here = |window: &[u8]| {
                    window[0] == masked[0] ^ MASK
                        && window.iter().zip(masked).all(|(a, b)| a ^ MASK == *b)
                };
                found += buffer[..read].windows(masked.len()).filter(|w| is_here(w)).count();
            }
            let step = if at + read as u64 == to { read } else { read - masked.len() + 1 };
            at += step as u64;
        }
    }
    found
}

fn client(version: SignatureVersion, credentials: Credentials) -> Client {
    Client::builder()
        .endpoint(std::env::var(SERVER).unwrap())
        .region("cn-hangzhou")
        .bucket("live-demo")
        .credentials(credentials)
        .signature_version(version)
        .root_certificates(std::env::var(ROOT).unwrap())
        .no_proxy()
        .build()
        .unwrap()
}

fn work(client: &Client) {
    client.put_channel_status("c", osslive::ChannelState::Enabled).unwrap();
    client.delete_channel("c").unwrap();
    client.put_channel("c", &ChannelConfig::new("c")).unwrap_err();
    wipe(client.get_rtmp_url("c", &RtmpUrlOptions::new()).unwrap());
    wipe(client.get_play_url("c", "playlist.m3u8", 60).unwrap());
}

/// The part of the test that has secrets, in its own process: the server's memory
/// contains them too.
fn guest() {
    for version in [SignatureVersion::V1, SignatureVersion::V4] {
        let secret = masked(version as u8, 30);
        for (length, seed) in [(40, 3), (700, 5), (5000, 7)] {
            let token = masked(seed + version as u8, length);
            let credentials = unmasked(&secret, |secret| {
                unmasked(&token, |token| Credentials::new("id", secret).with_security_token(token))
            });
            let client = client(version, credentials);
            work(&client);
            assert!(count(&token) > 0 && count(&secret) > 0, "the search finds nothing");
            drop(client);
            // Nor a part of either: a buffer that grew may have left the beginning behind, and
            // the allocator overwrites only the beginning of freed memory.
            for text in [&token, &secret] {
                let (begins, ends) = (&text[..24], &text[text.len() - 24..]);
                assert_eq!((count(begins), count(ends)), (0, 0), "{version:?}, {length}");
            }
        }
    }
}

#[test]
fn nothing_of_dropped_credentials_is_left_in_memory() {
    if std::env::var_os(SERVER).is_some() {
        return guest();
    }
    for tls in [None, Some(Tls::Good)] {
        let respond =
            |_: &Asked| vec![Step::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec())];
        let respond = Arc::new(respond);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = FaultServer::start(listener, tls, respond.clone(), respond);
        let scheme = if tls.is_some() { "https" } else { "http" };
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "nothing_of_dropped_credentials_is_left_in_memory", "--nocapture"])
            .env(SERVER, format!("{scheme}://localhost:{}", server.address.port()))
            .env(ROOT, fault::trusted_root())
            .status()
            .unwrap();
        assert!(status.success(), "{scheme}");
    }
}
