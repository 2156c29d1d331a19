//! Programs in other languages: compiled, run, and required to exit with 0.

use crate::library::{Library, root, scratch};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Nothing here takes longer, even under valgrind on a busy machine.
const LIMIT: Duration = Duration::from_secs(300);

/// What to compile, and how.
#[derive(Debug, Clone)]
pub struct Program {
    source: PathBuf,
    compiler: String,
    flags: Vec<String>,
    libraries: Option<PathBuf>,
    tag: String,
}

impl Program {
    /// Selects a program of this directory or of `examples`, by its path from the
    /// root of the source tree.
    pub fn new(source: &str) -> Self {
        let compiler = if source.ends_with(".c") { "gcc" } else { "g++" };
        Program {
            source: root().join(source),
            compiler: compiler.to_owned(),
            flags: Vec::new(),
            libraries: None,
            tag: String::new(),
        }
    }

    /// Uses another compiler.
    pub fn compiler(mut self, compiler: &str) -> Self {
        compiler.clone_into(&mut self.compiler);
        self.tag(compiler)
    }

    /// Adds a flag.
    pub fn flag(mut self, flag: &str) -> Self {
        self.flags.push(flag.to_owned());
        self.tag(flag)
    }

    /// Uses the library in another directory. Which one a program finds at run time
    /// depends on `LD_LIBRARY_PATH`.
    pub fn against(mut self, libraries: &Path) -> Self {
        self.libraries = Some(libraries.to_owned());
        self.tag(&libraries.file_name().expect("a name").to_string_lossy())
    }

    fn tag(mut self, text: &str) -> Self {
        self.tag.extend(text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }));
        self
    }

    /// Compiles with every warning as an error, and links with the shared library.
    pub fn build(&self) -> PathBuf {
        let library = Library::installed();
        let name = self.source.file_stem().expect("a name").to_str().expect("UTF-8");
        let language = self.source.extension().expect("a suffix").to_str().expect("UTF-8");
        let program = scratch("programs").join(format!("{name}_{language}{}", self.tag));
        // Another test may be running the same program.
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let fresh = program.with_extension(format!("{}-{number}", std::process::id()));
        let mut command = Command::new(&self.compiler);
        let standard = if language == "c" { "-std=gnu11" } else { "-std=c++17" };
        command.args([standard, "-g", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]);
        command.args(&self.flags).arg(&self.source).arg("-o").arg(&fresh);
        command.arg("-I").arg(library.include());
        match &self.libraries {
            Some(folder) => command.arg("-L").arg(folder),
            None => command
                .arg("-L")
                .arg(library.lib())
                .arg(format!("-Wl,-rpath,{}", library.lib().display())),
        };
        command.args(["-losslive", "-pthread", "-ldl"]);
        Run::of(command).succeeds();
        std::fs::rename(&fresh, &program).expect("a program");
        program
    }
}

/// A command to run.
#[derive(Debug)]
pub struct Run(Command);

/// The outcome of a command.
#[derive(Debug)]
pub struct Outcome {
    /// Its exit status; `None` if a signal ended it.
    pub status: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Run {
    /// Creates any command.
    pub fn of(command: Command) -> Self {
        Run(command)
    }

    /// Creates a program.
    pub fn program(path: impl AsRef<OsStr>) -> Self {
        Run(Command::new(path))
    }

    /// Runs a program under valgrind, which exits with 99 if it finds an error, or
    /// memory that is lost or not freed.
    pub fn under_valgrind(path: &Path) -> Self {
        let mut command = Command::new("valgrind");
        command
            .args(["--quiet", "--error-exitcode=99", "--leak-check=full", "--num-callers=30"])
            // A fair lock, so that a busy thread starves no other.
            .arg("--fair-sched=try")
            .args([
                "--show-leak-kinds=definite,indirect",
                "--errors-for-leak-kinds=definite,indirect",
            ])
            .arg(path);
        Run(command)
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.0.arg(arg);
        self
    }

    /// Sets a variable in its environment.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    /// Removes a variable from its environment.
    pub fn without(mut self, name: &str) -> Self {
        self.0.env_remove(name);
        self
    }

    /// Runs it in another directory.
    pub fn within(mut self, folder: &Path) -> Self {
        self.0.current_dir(folder);
        self
    }

    /// Runs it to its end.
    pub fn outcome(self) -> Outcome {
        self.outcome_with(|_| {})
    }

    /// Runs it to its end, and passes each line of its stdout to `line` when it
    /// arrives.
    pub fn outcome_with(self, mut line: impl FnMut(&str)) -> Outcome {
        self.outcome_until(|text| {
            line(text);
            false
        })
    }

    /// Runs it until `is_enough` accepts a line of its stdout; then it is
    /// interrupted as with Ctrl-C, and must exit.
    pub fn outcome_until(mut self, mut is_enough: impl FnMut(&str) -> bool) -> Outcome {
        // The programs only talk to this machine.
        for proxy in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"] {
            self.0.env_remove(proxy);
        }
        let command = self.0.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let pid = child.id().to_string();
        let mut line = |text: &str| {
            if is_enough(text) {
                let sent = Command::new("kill").args(["-INT", &pid]).status();
                assert!(sent.is_ok_and(|status| status.success()), "it has ended already");
            }
        };
        let watch = Watch::over(child);
        let errors = thread::spawn(move || read_all(stderr.expect("a pipe"), |_| {}));
        let stdout = read_all(stdout.expect("a pipe"), &mut line);
        let stderr = errors.join().expect("a reader");
        let status = watch.end().unwrap_or_else(|| panic!("{:?} took too long", self.0));
        Outcome { status: status.code(), stdout, stderr }
    }

    /// Runs it to its end, which must be a success; returns its stdout.
    pub fn succeeds(self) -> String {
        let shown = format!("{:?} {:?}", self.0.get_program(), self.0.get_args());
        let outcome = self.outcome();
        let Outcome { status, stdout, stderr } = outcome;
        assert!(status == Some(0), "{shown} ended with {status:?}\n{stdout}{stderr}");
        stdout
    }
}

/// Kills a program that takes too long, so that its pipes close.
struct Watch {
    child: Arc<Mutex<Child>>,
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<bool>,
}

impl Watch {
    fn over(child: Child) -> Self {
        let child = Arc::new(Mutex::new(child));
        let is_over = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let (child, is_over) = (child.clone(), is_over.clone());
            move || {
                let started = Instant::now();
                while !is_over.load(Ordering::Relaxed) && started.elapsed() < LIMIT {
                    thread::sleep(Duration::from_millis(10));
                }
                let is_late = !is_over.load(Ordering::Relaxed);
                if is_late {
                    let _ = child.lock().expect("a child").kill();
                }
                is_late
            }
        });
        Watch { child, is_over, thread }
    }

    /// Waits for the program, whose pipes are closed; `None` if it was late.
    fn end(self) -> Option<ExitStatus> {
        self.is_over.store(true, Ordering::Relaxed);
        let is_late = self.thread.join().expect("a watch");
        let status = self.child.lock().expect("a child").wait().expect("a child");
        (!is_late).then_some(status)
    }
}

/// Reads a pipe to its end, and passes each line to `line`.
fn read_all(pipe: impl Read, mut line: impl FnMut(&str)) -> String {
    let (mut text, mut pipe) = (String::new(), BufReader::new(pipe));
    let mut bytes = Vec::new();
    while pipe.read_until(b'\n', &mut bytes).expect("a pipe") > 0 {
        let read = String::from_utf8_lossy(&bytes).into_owned();
        line(read.trim_end());
        text.push_str(&read);
        bytes.clear();
    }
    text
}

/// Returns whether a tool is installed; otherwise, the test is reported as skipped.
pub fn has(tool: &str, what: &str) -> bool {
    let mut command = Command::new(tool);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    let is_here = command.status().is_ok_and(|status| status.success());
    if !is_here {
        skipped(what, &format!("{tool} is not installed"));
    }
    is_here
}

/// Reports what cannot run and why. With `CI` set, that is a failure.
pub fn skipped(what: &str, why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{what} cannot run: {why}");
    note(&format!("skipped: {what} ({why})"));
}

/// Prints a line that the test harness does not capture.
pub fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
