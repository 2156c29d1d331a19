//! Tools for tests that may be missing: ffmpeg, the vendor's SDKs, a browser.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{BUCKET, Endpoint, KEY_ID, KEY_SECRET, REGION, Ran, STS_ID, STS_SECRET, STS_TOKEN};

/// Prints a line that the test harness does not capture.
pub fn note(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Reports that a test cannot run here. With `CI` set, this is a failure.
pub fn skipped(what: &str, why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{what} cannot run: {why}");
    note(&format!("skipped: {what} ({why})"));
}

fn runs(program: &Path, argument: &str) -> bool {
    let mut command = Command::new(program);
    command.arg(argument).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Returns whether the encoder is installed; otherwise, the test is reported as
/// skipped.
pub fn has_ffmpeg(what: &str) -> bool {
    let here = runs(Path::new("ffmpeg"), "-version") && runs(Path::new("ffprobe"), "-version");
    if !here {
        skipped(what, "no ffmpeg and ffprobe; tests/real/setup.sh says how to get them");
    }
    here
}

/// A newer ffmpeg than those of distributions, from a Python package; without it,
/// the test is reported as skipped.
pub fn newer_ffmpeg(what: &str) -> Option<Command> {
    let script = "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())";
    let asked = Command::new(python()).args(["-c", script]).stderr(Stdio::null()).output();
    let path = asked.ok().filter(|answer| answer.status.success()).map(|answer| answer.stdout);
    let path = path.and_then(|path| String::from_utf8(path).ok());
    let Some(path) = path else {
        skipped(what, "no newer ffmpeg; tests/real/setup.sh installs it");
        return None;
    };
    let mut command = Command::new(path.trim());
    command.args(["-hide_banner", "-nostdin", "-nostats", "-v", "warning"]);
    Some(command)
}

/// The proxy; without it, the test is reported as skipped.
pub fn nginx(what: &str) -> Option<PathBuf> {
    // It is installed for root's services, and not always on PATH.
    let programs = ["nginx", "/usr/sbin/nginx", "/usr/local/sbin/nginx"].map(PathBuf::from);
    let program = programs.into_iter().find(|program| runs(program, "-v"));
    if program.is_none() {
        skipped(what, "no nginx; tests/real/setup.sh says how to get it");
    }
    program
}

/// A vendor's SDK, driven by a script of `tests/real`.
#[derive(Clone, Copy, Debug)]
pub enum Sdk {
    /// oss2 for Python.
    Oss2,
    /// ali-oss for Node.js.
    AliOss,
}

impl Sdk {
    /// Returns whether the SDK is installed; otherwise, the test is reported as
    /// skipped.
    pub fn is_installed(self, what: &str) -> bool {
        let here = match self {
            Sdk::Oss2 => runs(&python(), "--version"),
            Sdk::AliOss => {
                node_modules().join("ali-oss").exists() && runs(Path::new("node"), "--version")
            }
        };
        if !here {
            skipped(what, &format!("no {self:?}; tests/real/setup.sh installs it"));
        }
        here
    }

    /// Returns the command that runs the SDK's script against an endpoint.
    pub fn command(self, endpoint: &Endpoint, signature: &str) -> Command {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/real");
        let mut command = match self {
            Sdk::Oss2 => {
                let mut command = Command::new(python());
                command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUTF8", "1");
                command.arg(scripts.join("oss2_client.py"));
                command
            }
            Sdk::AliOss => {
                let mut command = Command::new("node");
                command.env("NODE_PATH", node_modules()).arg(scripts.join("ali_oss_client.cjs"));
                command
            }
        };
        command
            .env("OSS_ENDPOINT", &endpoint.url)
            .env("OSS_BUCKET", BUCKET)
            .env("OSS_REGION", REGION)
            .env("OSS_ACCESS_KEY_ID", KEY_ID)
            .env("OSS_ACCESS_KEY_SECRET", KEY_SECRET)
            .env("OSS_STS_ACCESS_KEY_ID", STS_ID)
            .env("OSS_STS_ACCESS_KEY_SECRET", STS_SECRET)
            .env("OSS_STS_TOKEN", STS_TOKEN)
            .env("OSS_SIGNATURE", signature);
        command
    }
}

/// Chromium with its driver for the scripts in `tests/real`.
pub struct Browser(PathBuf);

impl Browser {
    /// Returns the browser; if it or its driver is missing, the test is reported as
    /// skipped.
    pub fn find(what: &str) -> Option<Browser> {
        let named = std::env::var_os("OSSLIVE_CHROMIUM").map(PathBuf::from);
        let names = ["chromium", "chromium-browser", "google-chrome"];
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders: Vec<_> = std::env::split_paths(&path).collect();
        // The driver requires an absolute path.
        let known = names.iter().flat_map(|name| folders.iter().map(move |at| at.join(name)));
        let program = named.into_iter().chain(known).find(|program| runs(program, "--version"));
        let driver = browser_modules().join("playwright-core").exists()
            && browser_modules().join("hls.js").exists()
            && runs(Path::new("node"), "--version");
        match program.filter(|_| driver) {
            Some(program) => Some(Browser(program)),
            None => {
                skipped(what, "no Chromium, playwright-core or hls.js; see tests/real/setup.sh");
                None
            }
        }
    }

    /// Returns the hls.js for tests.
    pub fn hls_js(&self) -> PathBuf {
        browser_modules().join("hls.js/dist/hls.min.js")
    }

    /// Returns the command that runs a script with the browser.
    pub fn command(&self, script: &str) -> Command {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/real");
        let mut command = Command::new("node");
        command.env("NODE_PATH", browser_modules()).env("CHROMIUM", &self.0);
        command.arg(scripts.join(script));
        command
    }
}

/// What the driver reports when the process behind a page has died.
const CRASH: &str = "Target crashed";

/// Runs a scenario that drives the browser, and repeats it if Chromium crashed: no
/// page should be able to cause that, and Chromium rarely does it by itself. The
/// third crash is the result.
pub fn despite_crashes(mut scenario: impl FnMut() -> Ran) -> Ran {
    let mut seen = scenario();
    for _ in 0..2 {
        if !seen.stderr.contains(CRASH) {
            break;
        }
        note(&format!("Chromium crashed, so this is repeated; seen before:\n{}", seen.stdout));
        seen = scenario();
    }
    seen
}

/// Where `tests/real/setup.sh` puts the SDKs.
fn clients() -> PathBuf {
    match std::env::var_os("OSSLIVE_CLIENTS") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/clients"),
    }
}

fn node_modules() -> PathBuf {
    clients().join("node/node_modules")
}

fn browser_modules() -> PathBuf {
    clients().join("browser/node_modules")
}

fn python() -> PathBuf {
    let program = if cfg!(windows) { "venv/Scripts/python.exe" } else { "venv/bin/python" };
    clients().join(program)
}
