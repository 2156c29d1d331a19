//! The command with a fresh endpoint.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::channel::Channel;
use super::endpoint::{Endpoint, Folder};
use super::program::{Program, Ran, run};
use super::{BUCKET, KEY_ID, KEY_SECRET, LONG, REGION};

/// A fresh endpoint, and the command with its credentials.
pub struct Shell {
    pub folder: Folder,
    pub endpoint: Endpoint,
}

impl Shell {
    pub fn new(name: &str) -> Shell {
        let folder = Folder::new(name);
        let endpoint = Endpoint::start(&folder.path().join("data"));
        Shell { folder, endpoint }
    }

    pub fn command(&self, line: &str) -> Command {
        let mut command = bare(self.folder.path(), line);
        command
            .env("OSS_ACCESS_KEY_ID", KEY_ID)
            .env("OSS_ACCESS_KEY_SECRET", KEY_SECRET)
            .env("OSS_ENDPOINT", &self.endpoint.url)
            .env("OSS_REGION", REGION)
            .env("OSS_BUCKET", BUCKET);
        command
    }

    pub fn run(&self, line: &str) -> Ran {
        run(&mut self.command(line), LONG)
    }

    /// Runs the command successfully, without errors, and returns its output.
    pub fn text(&self, line: &str) -> String {
        let text = self.run(line).silent(line);
        assert!(
            !text.contains('\u{1b}'),
            "{line} prints escape sequences without a terminal: {text:?}"
        );
        text
    }

    /// The same, as JSON.
    pub fn json(&self, line: &str) -> Value {
        let text = self.text(&format!("{line} --json"));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{line}: {error}: {text}"))
    }

    /// Runs a command that must fail with this status, and returns its errors; its
    /// JSON must agree.
    pub fn failure(&self, line: &str, status: i32) -> String {
        let ran = self.run(&format!("{line} --json"));
        assert_eq!(ran.status.code(), Some(status), "{line}: {}", ran.stderr);
        let last = ran.stderr.lines().last().unwrap_or_default();
        let error: Value =
            serde_json::from_str(last).unwrap_or_else(|_| panic!("{line}: {}", ran.stderr));
        assert_eq!(error["exitStatus"], status, "{line}: {error}");
        failed(self.run(line), status, line)
    }

    pub fn publish(&self, channel: &str) -> Program {
        let clip = shipped_clip();
        let line = format!("publish {} {channel} --repeat", clip.display());
        let program = Program::start(&mut self.command(&line));
        Channel::new(&self.endpoint.client(), channel).wait_live(Some((320, 180, 30)), Some(44100));
        program
    }

    /// Publishes for some seconds, and waits until they are recorded.
    pub fn record(&self, channel: &str, seconds: u32) {
        let clip = shipped_clip();
        self.text(&format!("publish {} {channel} --for {seconds}s", clip.display()));
        Channel::new(&self.endpoint.client(), channel).wait_idle();
    }
}

/// Returns the command, without credentials or other settings of this machine.
pub fn bare(home: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_osslive"));
    for name in [
        "OSS_ACCESS_KEY_ID",
        "OSS_ACCESS_KEY_SECRET",
        "OSS_SESSION_TOKEN",
        "OSS_ENDPOINT",
        "OSS_REGION",
        "OSS_BUCKET",
        "ALIBABA_CLOUD_ACCESS_KEY_ID",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
        "ALIBABA_CLOUD_CREDENTIALS_URI",
        "ALIBABA_CLOUD_OIDC_TOKEN_FILE",
        "ALIBABA_CLOUD_PROFILE",
        "OSSUTIL_CONFIG_FILE",
        "OSSUTIL_PROFILE",
        "OSSLIVE_LOCAL_ACCESS_KEY_ID",
        "OSSLIVE_LOCAL_ACCESS_KEY_SECRET",
        "OSSLIVE_LOCAL_STS_TOKEN",
        "OSSLIVE_LOCAL_PAGE_TOKEN",
        "OSSLIVE_LOCAL_STS_ACCESS_KEY_SECRET",
        "NO_COLOR",
        "CLICOLOR_FORCE",
    ] {
        command.env_remove(name);
    }
    // Tests make no requests to other machines.
    command.env("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true");
    command.env("HOME", home).env("USERPROFILE", home).args(line.split_whitespace());
    command
}

pub fn failed(ran: Ran, status: i32, line: &str) -> String {
    assert_eq!(ran.status.code(), Some(status), "{line}: {}", ran.stderr);
    assert!(ran.stderr.starts_with("osslive: "), "{line}: {}", ran.stderr);
    ran.stderr
}

/// Returns the clip that ships with the command: six seconds of video.
pub fn shipped_clip() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/clip.flv")
}

/// Returns whether [`on_terminal`] works here.
pub fn has_script() -> bool {
    let version = Command::new("script").arg("--version").output();
    version.is_ok_and(|ran| String::from_utf8_lossy(&ran.stdout).contains("util-linux"))
}

/// Runs the command on its own terminal, with `script`: stdout and stderr are
/// combined there.
pub fn on_terminal(home: &Path, line: &str) -> Command {
    let whole = format!("exec {} {line}", env!("CARGO_BIN_EXE_osslive"));
    let mut command = Command::new("script");
    command.args(["-qec", &whole, "/dev/null"]);
    for (name, value) in bare(home, "").get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env("TERM", "xterm-256color");
    command
}
