//! Runs other programs with a time limit.

use std::fmt::Debug;
use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::SOON;

/// A program's output and exit status.
pub struct Ran {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Returns the program's output if it succeeded without printing errors.
    pub fn silent(self, what: &str) -> String {
        assert!(self.status.success(), "{what}: {}: {}", self.status, self.stderr);
        assert!(self.stderr.is_empty(), "{what} printed: {}", self.stderr);
        self.stdout
    }
}

/// A running program whose output is read continuously; killed when dropped.
pub struct Program {
    child: Child,
    stdout: Reader,
    stderr: Reader,
}

/// The output of a stream so far.
struct Reader {
    bytes: Arc<Mutex<Vec<u8>>>,
    thread: Option<JoinHandle<()>>,
}

impl Program {
    pub fn start(command: &mut Command) -> Program {
        let mut child = spawn(command);
        let stdout = Reader::start(child.stdout.take().expect("stdout is piped"));
        let stderr = Reader::start(child.stderr.take().expect("stderr is piped"));
        Program { child, stdout, stderr }
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("it can be waited for").is_none()
    }

    /// Returns its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns the program's stdout so far.
    pub fn printed(&self) -> String {
        self.stdout.text()
    }

    /// Returns the program's stderr so far.
    pub fn logged(&self) -> String {
        self.stderr.text()
    }

    /// Kills the program like `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().expect("the program runs");
    }

    /// The same, if it is still running.
    pub fn kill_if_running(&mut self) {
        let _ = self.child.kill();
        self.child.wait().expect("it can be waited for");
    }

    /// Interrupts the program like Ctrl-C, and waits until it has ended.
    pub fn interrupt(self) -> Ran {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status();
        assert!(sent.is_ok_and(|status| status.success()), "the program runs");
        self.end(SOON)
    }

    /// Waits for the end, up to `limit`.
    pub fn end(mut self, limit: Duration) -> Ran {
        let end = Instant::now() + limit;
        while self.is_running() {
            assert!(
                Instant::now() < end,
                "the program did not end within {limit:?}:\n{}{}",
                self.stdout.text(),
                self.stderr.text()
            );
            thread::sleep(Duration::from_millis(20));
        }
        Ran {
            status: self.child.wait().expect("it can be waited for"),
            stdout: self.stdout.end(),
            stderr: self.stderr.end(),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a program to its end, up to `limit`.
pub fn run(command: &mut Command, limit: Duration) -> Ran {
    Program::start(command).end(limit)
}

/// Starts a program with empty input and piped output.
pub fn spawn(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env("NO_PROXY", "*").env("no_proxy", "*");
    match command.spawn() {
        Ok(child) => child,
        Err(error) => panic!("{}: {error}", command.get_program().to_string_lossy()),
    }
}

impl Reader {
    fn start(mut stream: impl Read + Send + 'static) -> Reader {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let read = bytes.clone();
        let thread = Some(thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                read.lock().expect("no reader panicked").extend_from_slice(&buffer[..count]);
            }
        }));
        Reader { bytes, thread }
    }

    fn text(&self) -> String {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn end(&mut self) -> String {
        let thread = self.thread.take().expect("ended once");
        thread.join().expect("the reader ends with the program");
        self.text()
    }
}

/// Polls until a condition holds; panics with the last state seen if it never does.
pub fn wait_until<T: Debug>(what: &str, mut question: impl FnMut() -> (bool, T)) {
    let end = Instant::now() + SOON;
    loop {
        let (holds, seen) = question();
        if holds {
            return;
        }
        assert!(Instant::now() < end, "timed out waiting: {what}; last seen: {seen:?}");
        thread::sleep(Duration::from_millis(50));
    }
}
