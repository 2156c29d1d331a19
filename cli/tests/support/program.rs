//! Other programs, under a time limit.

use std::fmt::Debug;
use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::SOON;

/// What a program said and how it ended.
pub struct Ran {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// The program's output, if it ended well and had nothing to say of errors.
    pub fn silent(self, what: &str) -> String {
        assert!(self.status.success(), "{what}: {}: {}", self.status, self.stderr);
        assert!(self.stderr.is_empty(), "{what} printed: {}", self.stderr);
        self.stdout
    }
}

/// A running program whose output is read all along; killed when dropped.
pub struct Program {
    child: Child,
    stdout: Option<JoinHandle<String>>,
    stderr: Option<JoinHandle<String>>,
}

impl Program {
    pub fn start(command: &mut Command) -> Program {
        let mut child = spawn(command);
        let stdout = Some(read_all(child.stdout.take().expect("stdout is piped")));
        let stderr = Some(read_all(child.stderr.take().expect("stderr is piped")));
        Program { child, stdout, stderr }
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("it can be waited for").is_none()
    }

    /// Ends the program as `kill -9` does.
    pub fn kill(&mut self) {
        self.child.kill().expect("the program runs");
    }

    /// Waits for the end, no longer than `limit`.
    pub fn end(mut self, limit: Duration) -> Ran {
        let end = Instant::now() + limit;
        while self.is_running() {
            assert!(Instant::now() < end, "the program did not end within {limit:?}");
            thread::sleep(Duration::from_millis(20));
        }
        let text = |reader: Option<JoinHandle<String>>| {
            reader.expect("read once").join().expect("the reader ends with the program")
        };
        Ran {
            status: self.child.wait().expect("it can be waited for"),
            stdout: text(self.stdout.take()),
            stderr: text(self.stderr.take()),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a program to its end, no longer than `limit`.
pub fn run(command: &mut Command, limit: Duration) -> Ran {
    Program::start(command).end(limit)
}

/// Starts a program that reads nothing and whose output is piped.
pub fn spawn(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env("NO_PROXY", "*").env("no_proxy", "*");
    match command.spawn() {
        Ok(child) => child,
        Err(error) => panic!("{}: {error}", command.get_program().display()),
    }
}

fn read_all(mut stream: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Asks until something holds, and says what was seen last if it never does.
pub fn wait_until<T: Debug>(what: &str, mut question: impl FnMut() -> (bool, T)) {
    let end = Instant::now() + SOON;
    loop {
        let (holds, seen) = question();
        if holds {
            return;
        }
        assert!(Instant::now() < end, "waited in vain for: {what}; last seen: {seen:?}");
        thread::sleep(Duration::from_millis(50));
    }
}
