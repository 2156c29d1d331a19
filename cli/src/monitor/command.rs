//! Runs a program for each event.

use super::event::{Event, Reason};
use super::outbox::Outcome;
use std::env;
use std::ffi::OsString;
use std::io::Write;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The program's time limit.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);
/// Its time limit once the monitor is stopping.
const GRACE: Duration = Duration::from_secs(3);
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// Prefixes of variables that may hold secrets of this process, and of services
/// that share its account.
const PRIVATE: [&str; 5] = ["OSS_", "OSSLIVE_", "OSSUTIL_", "ALIBABA_", "ALIYUN_"];
/// The directory with a unit's secrets, and the socket of the service manager.
const SERVICE: [&str; 2] = ["CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET"];

/// A program to run for each event.
#[derive(Debug)]
pub(super) struct OnChange {
    program: String,
    arguments: Vec<String>,
    /// Whether its output may be mixed with the log.
    shows_output: bool,
}

/// Splits a command line into words like a shell, without expansion.
pub(super) fn parse_command(text: &str) -> Result<Vec<String>, String> {
    match shlex::split(text) {
        Some(words) if words.first().is_some_and(|program| !program.is_empty()) => Ok(words),
        Some(_) => Err("must name a program".to_owned()),
        None => Err("has an unclosed quote or ends in a backslash".to_owned()),
    }
}

impl OnChange {
    pub(super) fn new(words: Vec<String>, shows_output: bool) -> OnChange {
        let mut words = words.into_iter();
        let program = words.next().unwrap_or_default();
        OnChange { program, arguments: words.collect(), shows_output }
    }

    /// Runs the program once.
    pub(super) fn deliver(&self, event: &Event, is_stopped: &dyn Fn() -> bool) -> Outcome {
        let failed = |why: String| Outcome::Failed { why, retry_after: None };
        let mut child = match self.command(event).spawn() {
            Ok(child) => child,
            Err(error) => return failed(format!("cannot run {}: {error}", self.program)),
        };
        if let Some(mut stdin) = child.stdin.take() {
            // It fits in the pipe buffer, even if nobody reads it.
            let _ = stdin.write_all((event.json() + "\n").as_bytes());
        }
        match wait(&mut child, is_stopped) {
            Ok(Some(status)) if status.success() => Outcome::Delivered,
            Ok(Some(status)) => failed(format!("{}: {status}", self.program)),
            Ok(None) if is_stopped() => Outcome::Stopped,
            Ok(None) => {
                failed(format!("{}: timed out after {} s", self.program, TIMEOUT.as_secs()))
            }
            Err(error) => failed(format!("{}: {error}", self.program)),
        }
    }

    fn command(&self, event: &Event) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::piped());
        command.stdout(self.output()).stderr(self.output());
        for (name, _) in env::vars_os().filter(|(name, _)| is_private(name)) {
            command.env_remove(name);
        }
        command.envs(variables(event));
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command
    }

    fn output(&self) -> Stdio {
        if self.shows_output { crate::output::log_file() } else { Stdio::null() }
    }
}

/// Returns whether a variable is hidden from the program. Names are compared
/// without case, as on Windows.
fn is_private(name: &OsString) -> bool {
    let name = name.to_string_lossy().to_ascii_uppercase();
    PRIVATE.iter().any(|prefix| name.starts_with(prefix)) || SERVICE.contains(&name.as_str())
}

/// Returns the variables that describe the event.
fn variables(event: &Event) -> Vec<(&'static str, String)> {
    let json = serde_json::to_value(event).unwrap_or_default();
    let mut variables = vec![
        ("OSSLIVE_EVENT", event.event.as_str().to_owned()),
        ("OSSLIVE_EVENT_ID", event.id.clone()),
        ("OSSLIVE_BUCKET", event.bucket.clone()),
        ("OSSLIVE_CHANNEL", event.channel.clone()),
        ("OSSLIVE_TIME", json["time"].as_str().unwrap_or_default().to_owned()),
    ];
    variables.extend(event.reason.map(|reason| ("OSSLIVE_REASON", Reason::as_str(reason).into())));
    let address = json["remoteAddr"].as_str().map(str::to_owned);
    variables.extend(address.map(|address| ("OSSLIVE_REMOTE_ADDR", address)));
    variables
}

/// Waits for a program to end; `None` if it was killed because it took too long or
/// the monitor is stopping.
fn wait(child: &mut Child, is_stopped: &dyn Fn() -> bool) -> std::io::Result<Option<ExitStatus>> {
    let mut end = Instant::now() + TIMEOUT;
    let mut ends_soon = false;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if !ends_soon && is_stopped() {
            ends_soon = true;
            end = end.min(Instant::now() + GRACE);
        }
        if Instant::now() >= end {
            kill(child);
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(POLL_INTERVAL);
    }
}

/// Kills the program and its child processes.
#[cfg(unix)]
fn kill(child: &mut Child) {
    use rustix::process::{Pid, Signal, kill_process_group};
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(group) = group {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

#[cfg(not(unix))]
fn kill(child: &mut Child) {
    let _ = child.kill();
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event() -> Event {
        serde_json::from_value(json!({
            "id": "0198", "event": "degraded", "bucket": "live-demo", "channel": "$(id) 直播",
            "time": "2026-05-01T19:30:00Z", "reason": "bit-rate", "bandwidth": 9, "limit": 10,
        }))
        .unwrap()
    }

    #[test]
    fn a_command_is_split_into_words_and_nothing_is_expanded() {
        let words = |text| parse_command(text).unwrap();
        assert_eq!(words("/usr/bin/notify --to 'on call'"), ["/usr/bin/notify", "--to", "on call"]);
        assert_eq!(words("notify $HOME `id` *"), ["notify", "$HOME", "`id`", "*"]);
        for text in ["", "  ", "''", "notify 'on call"] {
            assert!(parse_command(text).is_err(), "{text}");
        }
    }

    #[test]
    fn variables_describe_the_event_to_the_program() {
        let variables = variables(&event());
        let expected = [
            ("OSSLIVE_EVENT", "degraded"),
            ("OSSLIVE_EVENT_ID", "0198"),
            ("OSSLIVE_BUCKET", "live-demo"),
            ("OSSLIVE_CHANNEL", "$(id) 直播"),
            ("OSSLIVE_TIME", "2026-05-01T19:30:00Z"),
            ("OSSLIVE_REASON", "bit-rate"),
        ];
        assert_eq!(variables, expected.map(|(name, value)| (name, value.to_owned())));
    }

    #[test]
    fn variables_that_may_hold_secrets_are_hidden_from_the_program() {
        for name in [
            "OSS_ACCESS_KEY_SECRET",
            "OSS_SESSION_TOKEN",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
            "ALIYUN_ACCESS_KEY_SECRET",
            "OSSLIVE_LOCAL_ACCESS_KEY_SECRET",
            "Oss_Access_Key_Secret",
            "CREDENTIALS_DIRECTORY",
        ] {
            assert!(is_private(&name.into()), "{name}");
        }
        for name in ["PATH", "HOME", "LANG", "GLOSS_X", "HTTPS_PROXY"] {
            assert!(!is_private(&name.into()), "{name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_exit_status_determines_whether_the_program_runs_again() {
        let deliver = |line: &str| {
            OnChange::new(parse_command(line).unwrap(), false).deliver(&event(), &|| false)
        };
        assert!(matches!(deliver("true"), Outcome::Delivered));
        let read =
            r#"sh -c 'read line && test "$line" != "" && test "$OSSLIVE_REASON" = bit-rate'"#;
        assert!(matches!(deliver(read), Outcome::Delivered));
        for (line, words) in [
            ("false", "exit status: 1"),
            ("sh -c 'kill -9 $$'", "signal: 9"),
            ("/nonexistent/program", "cannot run /nonexistent/program"),
        ] {
            match deliver(line) {
                Outcome::Failed { why, .. } => assert!(why.contains(words), "{why}"),
                other => panic!("{line}: {other:?}"),
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_running_program_is_killed_when_the_monitor_stops() {
        let endless = OnChange::new(parse_command("sh -c 'sleep 600 & wait'").unwrap(), false);
        assert!(matches!(endless.deliver(&event(), &|| true), Outcome::Stopped));
    }
}
