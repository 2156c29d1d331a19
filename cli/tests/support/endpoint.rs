//! The built `osslive local` in its own process.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;

use osslive::{Client, Credentials};
use tempfile::TempDir;

use super::program::{spawn, wait_until};
use super::{BUCKET, KEY_ID, KEY_SECRET, REGION, SOON, STS_ID, STS_SECRET, STS_TOKEN};

/// `osslive local` on a free port; killed when dropped.
pub struct Endpoint {
    child: Child,
    log: Arc<Mutex<String>>,
    /// `http://127.0.0.1:PORT`
    pub url: String,
}

impl Endpoint {
    pub fn start(data: &Path) -> Endpoint {
        Endpoint::start_with(data, &[])
    }

    /// Starts it with further arguments.
    pub fn start_with(data: &Path, arguments: &[&str]) -> Endpoint {
        let program = Command::new(env!("CARGO_BIN_EXE_osslive"));
        Endpoint::start_as(program, data, arguments)
    }

    /// Starts the endpoint with a command that ends in the program's name.
    pub fn start_as(mut command: Command, data: &Path, arguments: &[&str]) -> Endpoint {
        command.args(["local", "--listen", "127.0.0.1:0", "--data"]).arg(data);
        command.args(["--bucket", BUCKET, "--region", REGION]);
        command.args(["--access-key-id", KEY_ID, "--access-key-secret", KEY_SECRET]);
        command.args(["--sts-access-key-id", STS_ID, "--sts-access-key-secret", STS_SECRET]);
        command.args(["--sts-token", STS_TOKEN, "--print-keys"]).args(arguments);
        let mut child = spawn(&mut command);
        let log = Arc::new(Mutex::new(String::new()));
        let first = lines(child.stdout.take().expect("stdout is piped"), log.clone());
        lines(child.stderr.take().expect("stderr is piped"), log.clone());
        let mut endpoint = Endpoint { child, log, url: String::new() };
        let line = match first.recv_timeout(SOON) {
            Ok(line) => line,
            Err(_) => panic!("the endpoint printed nothing; its log: {}", endpoint.log()),
        };
        let url = line.strip_prefix("listening on ").and_then(|rest| rest.split(' ').next());
        endpoint.url = url.unwrap_or_else(|| panic!("unexpected first line: {line}")).to_string();
        endpoint
    }

    /// Returns an SDK client with the permanent key.
    pub fn client(&self) -> Client {
        Client::builder()
            .endpoint(&self.url)
            .region(REGION)
            .bucket(BUCKET)
            .credentials(Credentials::new(KEY_ID, KEY_SECRET))
            .no_proxy()
            .build()
            .expect("a client for the endpoint")
    }

    /// Returns the page's address with its token, as the endpoint prints it.
    pub fn page_url(&self) -> String {
        wait_until("the page's address", || {
            let log = self.log();
            (log.lines().any(|line| line.starts_with("page ")), log)
        });
        let log = self.log();
        let url = log.lines().find_map(|line| line.strip_prefix("page ")).expect("it is there");
        url.trim().to_string()
    }

    /// `HOST:PORT`
    pub fn authority(&self) -> &str {
        self.url.strip_prefix("http://").expect("an http URL")
    }

    /// Kills the process like `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().expect("the endpoint runs");
        self.child.wait().expect("it can be waited for");
    }

    /// Returns the endpoint's output so far.
    pub fn log(&self) -> String {
        self.log.lock().expect("no reader panicked").clone()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("the endpoint's log:\n{}", self.log());
        }
    }
}

/// Forwards each line of a stream, and keeps it in the log.
fn lines(stream: impl Read + Send + 'static, log: Arc<Mutex<String>>) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut log = log.lock().expect("no reader panicked");
            log.push_str(&line);
            log.push('\n');
            let _ = sender.send(line);
        }
    });
    receiver
}

/// A temporary directory for a test, which is kept after a failure.
pub struct Folder(TempDir);

impl Folder {
    pub fn new(name: &str) -> Folder {
        let prefix = format!("{name}-");
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        Folder(builder.tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder for the test"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.0.disable_cleanup(thread::panicking());
    }
}
