//! `osslive monitor` as a service, with an endpoint in the test's own process.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use osslive::{ChannelState, Client, Credentials};
use osslive_local::{Config, InitialState, LocalEndpoint};
use serde_json::json;

use super::endpoint::Folder;
use super::program::{Program, run};
use super::{
    BUCKET, HOOK_SECRET, Hook, KEY_ID, KEY_SECRET, LONG, REGION, Ran, Reply, bare, wait_until,
};

/// An endpoint with channels, and the command with its credentials.
pub struct Service {
    pub folder: Folder,
    pub endpoint: LocalEndpoint,
    pub client: Client,
}

impl Service {
    /// Creates this many channels, called channel-0 and so on.
    pub fn with_channels(name: &str, count: usize) -> Service {
        Service::configured(name, count, |config| config)
    }

    pub fn configured(
        name: &str,
        count: usize,
        configure: impl FnOnce(Config) -> Config,
    ) -> Service {
        let folder = Folder::new(name);
        let channels: Vec<_> = (0..count).map(|n| json!({ "id": channel(n) })).collect();
        let state = json!({ "buckets": [{ "name": BUCKET, "channels": channels }] });
        let config = Config::temporary()
            .listen("127.0.0.1:0".parse().expect("an address"))
            .access_key(KEY_ID, KEY_SECRET)
            .region(REGION)
            .initial(InitialState::parse(&state.to_string()).expect("a state"));
        let endpoint = LocalEndpoint::start(configure(config)).expect("an endpoint");
        let client = Client::builder()
            .endpoint(format!("http://{}", endpoint.address()))
            .region(REGION)
            .bucket(BUCKET)
            .credentials(Credentials::new(KEY_ID, KEY_SECRET))
            .no_proxy()
            .build()
            .expect("a client");
        let secret = folder.path().join("secret");
        fs::write(&secret, HOOK_SECRET).expect("a file for the secret");
        #[cfg(unix)]
        fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .expect("a private file");
        Service { folder, endpoint, client }
    }

    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// Returns `osslive monitor` with the words of a line, and further arguments as they
    /// are.
    pub fn command(&self, line: &str, more: &[&str]) -> Command {
        let mut command = bare(self.folder.path(), &format!("monitor {line}"));
        command
            .args(more)
            .current_dir(self.folder.path())
            .env("OSS_ACCESS_KEY_ID", KEY_ID)
            .env("OSS_ACCESS_KEY_SECRET", KEY_SECRET)
            .env("OSS_ENDPOINT", format!("http://{}", self.endpoint.address()))
            .env("OSS_REGION", REGION)
            .env("OSS_BUCKET", BUCKET);
        command
    }

    pub fn start(&self, line: &str, more: &[&str]) -> Program {
        Program::start(&mut self.command(line, more))
    }

    pub fn run(&self, line: &str, more: &[&str]) -> Ran {
        run(&mut self.command(line, more), LONG)
    }

    pub fn set(&self, id: &str, state: ChannelState) {
        self.client.put_channel_status(id, state).expect("a channel that exists");
    }
}

/// Returns the name of a channel.
pub fn channel(number: usize) -> String {
    format!("channel-{number}")
}

/// Returns a port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// Returns the body of a path on a port; `None` if nobody answers.
pub fn scrape(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    // Without chunk sizes between the lines.
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).ok()?;
    let mut response = String::new();
    stream.read_to_string(&mut response).ok()?;
    let (head, body) = response.split_once("\r\n\r\n")?;
    head.contains(" 200 ").then(|| body.to_owned())
}

/// Waits until the metrics on a port contain a line.
pub fn wait_for_series(port: u16, line: &str) {
    wait_until(line, || {
        let text = scrape(port, "/metrics").unwrap_or_default();
        let related: Vec<String> = text
            .lines()
            .filter(|found| found.split(['{', ' ']).next() == line.split(['{', ' ']).next())
            .take(5)
            .map(str::to_owned)
            .collect();
        (text.lines().any(|found| found == line), related)
    });
}

/// Returns the path of a file in `packaging`.
pub fn shipped(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging").join(path)
}

/// Kills the monitor this many times at random moments, and sometimes the receiver,
/// while channels change. Each change must arrive, in order for each channel, and
/// repetitions must be identical; returns the numbers of changes and requests.
pub fn kill_repeatedly(name: &str, kills: usize) -> (usize, usize) {
    const CHANNELS: usize = 10;
    let service = Service::with_channels(name, CHANNELS);
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    // The receiver is killed too, after it has read a request.
    let mut hook = Hook::start(|number, _| match number % 3 {
        1 => Reply::Close,
        _ => Reply::status("204 No Content"),
    });
    let line = format!(
        "--interval 1s --state state --webhook {} --webhook-secret-file secret",
        hook.url()
    );
    let mut monitor = service.start(&line, &[]);
    for kill in 0..kills {
        let state = match kill / CHANNELS % 2 {
            0 => ChannelState::Disabled,
            _ => ChannelState::Enabled,
        };
        service.set(&channel(kill % CHANNELS), state);
        if random.below(3) == 0 {
            hook.kill();
        }
        thread::sleep(Duration::from_millis(random.below(1500)));
        monitor.kill();
        if random.below(2) == 0 {
            hook.restart();
        }
        drop(monitor);
        monitor = service.start(&line, &[]);
    }
    hook.restart();
    // Each channel changes once per round.
    let changes = |id: usize| (kills + CHANNELS - 1 - id) / CHANNELS;
    wait_until("each change has arrived", || {
        let events = hook.events().len();
        (events >= kills, events)
    });
    let events = hook.events();
    for number in 0..CHANNELS {
        let id = channel(number);
        let of_channel = events.iter().filter_map(|event| event.strip_prefix(&format!("{id} ")));
        let expected = ["disabled", "enabled"].into_iter().cycle().take(changes(number));
        assert!(of_channel.clone().eq(expected), "{id}: {:?}", of_channel.collect::<Vec<_>>());
    }
    (kills, hook.received().len())
}

/// Pseudorandom numbers, the same ones for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        // xorshift64*, by Vigna.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end
    }
}
