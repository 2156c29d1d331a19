//! Runs a program that prints credentials.

use super::document::Document;
use crate::error::{Error, Result};
use crate::refreshing::Lease;
use crate::source::CredentialProcess;
use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use zeroize::Zeroizing;

const TIMEOUT: Duration = Duration::from_secs(30);
/// How often to check whether the program has exited.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// The size limit for its output.
const MAX_OUTPUT: u64 = 64 * 1024;
/// How many characters of its last error line are quoted.
const MAX_QUOTED: usize = 200;

pub(super) fn lease(process: &CredentialProcess) -> Result<Lease> {
    let words = split(&process.command)?;
    let output = run(&words, TIMEOUT)?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.errors);
        let last: String =
            errors.trim().lines().last().unwrap_or("").chars().take(MAX_QUOTED).collect();
        let separator = if last.is_empty() { "" } else { ": " };
        return Err(Error::credentials(format!("it failed ({}){separator}{last}", output.status)));
    }
    read(&output.stdout, OffsetDateTime::now_utc())
}

/// Returns the credentials that a program printed.
pub(super) fn read(printed: &[u8], now: OffsetDateTime) -> Result<Lease> {
    let text =
        std::str::from_utf8(printed).map_err(|_| Error::credentials("its output is not UTF-8"))?;
    let document =
        Document::parse(text).map_err(|_| Error::credentials("its output is not a JSON object"))?;
    document.lease(now)
}

struct Output {
    status: ExitStatus,
    stdout: Zeroizing<Vec<u8>>,
    errors: Vec<u8>,
}

/// Runs a program until it exits, or kills it at the time limit.
fn run(words: &[String], limit: Duration) -> Result<Output> {
    let mut child = Command::new(&words[0])
        .args(&words[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| {
            Error::credentials(format!("it cannot be started: {error}")).with_source(error)
        })?;
    let stdout = child.stdout.take().map(reader);
    let errors = child.stderr.take().map(reader);
    let Some(status) = ended(&mut child, limit) else {
        // Its own child processes may keep the pipes open, so the readers are not
        // joined.
        let _ = child.kill();
        let _ = child.wait();
        return Err(Error::credentials(format!("it did not exit within {} s", limit.as_secs())));
    };
    let read = |reader: Option<JoinHandle<_>>| reader.and_then(|reader| reader.join().ok());
    Ok(Output {
        status,
        stdout: read(stdout).unwrap_or_default(),
        errors: read(errors).unwrap_or_default().to_vec(),
    })
}

fn ended(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let end = Instant::now() + limit;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < end => thread::sleep(POLL_INTERVAL),
            _ => return None,
        }
    }
}

/// Reads a pipe on its own thread, because a full pipe would block the program.
fn reader(pipe: impl Read + Send + 'static) -> JoinHandle<Zeroizing<Vec<u8>>> {
    thread::spawn(move || {
        // Allocated at full size: growing would leave a copy of the content behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_OUTPUT as usize));
        let _ = pipe.take(MAX_OUTPUT).read_to_end(&mut bytes);
        bytes
    })
}

/// Splits a command into words. Quotation marks keep words together; a backslash
/// escapes the next character, except on Windows, where paths contain backslashes.
pub(super) fn split(command: &str) -> Result<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut rest = command.trim().chars();
    while let Some(character) = rest.next() {
        let escapes = !cfg!(windows) && quote != Some('\'');
        match character {
            '\\' if escapes => {
                let next =
                    rest.next().ok_or_else(|| Error::credentials("it ends in a backslash"))?;
                word.get_or_insert_default().push(next);
            }
            '\'' | '"' if quote == Some(character) => quote = None,
            '\'' | '"' if quote.is_none() => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            _ if character.is_whitespace() && quote.is_none() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    if let Some(quote) = quote {
        return Err(Error::credentials(format!("it has an opening {quote} but no closing one")));
    }
    words.extend(word);
    match words.first().is_none_or(String::is_empty) {
        true => Err(Error::credentials("it names no program")),
        false => Ok(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_split_into_words() {
        for (command, words) in [
            ("vault read  x", &["vault", "read", "x"][..]),
            (" 'a b' \"c d\"e '' ", &["a b", "c de", ""]),
            (r#"say "it's" 'a "b"'"#, &["say", "it's", "a \"b\""]),
            ("tool\t--x=ä", &["tool", "--x=ä"]),
        ] {
            assert_eq!(split(command).unwrap(), words, "{command}");
        }
        #[cfg(not(windows))]
        assert_eq!(split(r"a\ b '\' c").unwrap(), ["a b", r"\", "c"]);
        #[cfg(windows)]
        assert_eq!(split(r"C:\tool.exe x").unwrap(), [r"C:\tool.exe", "x"]);
        for wrong in ["", "  ", "'a", "\"", "''"] {
            assert!(split(wrong).is_err(), "{wrong}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_takes_too_long_is_killed() {
        let words = ["sleep", "600"].map(str::to_owned);
        let error = run(&words, Duration::from_millis(50)).err().unwrap();
        assert!(error.message().contains("did not exit"), "{error}");
    }
}
