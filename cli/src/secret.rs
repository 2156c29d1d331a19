//! Secrets from options, files or the environment.

use crate::failure::{Failure, Outcome};
use crate::output::Output;
use std::env;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Larger than any secret or token: a larger file is the wrong one.
const LONGEST: u64 = 64 * 1024;

/// The possible sources of a secret, in order of precedence.
pub(crate) struct Sources<'a> {
    pub(crate) option: &'a Option<String>,
    pub(crate) file: &'a Option<PathBuf>,
    pub(crate) variable: &'static str,
}

impl Sources<'_> {
    /// Returns the secret; `None` if it has no source.
    pub(crate) fn secret(&self, output: &Output) -> Outcome<Option<String>> {
        match (self.option, self.file) {
            (Some(secret), _) => Ok(Some(secret.clone())),
            (None, Some(path)) => read(path, output).map(Some),
            (None, None) => match env::var(self.variable) {
                Ok(secret) => Ok(Some(secret)),
                Err(env::VarError::NotPresent) => Ok(None),
                Err(env::VarError::NotUnicode(_)) => {
                    Err(Failure::usage(format!("{}: must be UTF-8", self.variable)))
                }
            },
        }
    }
}

/// Reads a file that contains one secret and nothing else; `-` is stdin.
pub(crate) fn read(path: &Path, output: &Output) -> Outcome<String> {
    let name = path.display();
    let mut bytes = Vec::new();
    let done = match path == Path::new("-") {
        true => io::stdin().lock().take(LONGEST + 1).read_to_end(&mut bytes),
        false => File::open(path).and_then(|file| {
            if is_readable_by_others(&file) {
                output.warn(&format!("{name} contains a secret and is readable by other users"));
            }
            file.take(LONGEST + 1).read_to_end(&mut bytes)
        }),
    };
    done.map_err(|error| Failure::usage(format!("cannot read {name}: {error}")))?;
    let wrong =
        |what| Failure::usage(format!("{name} {what}: must contain one secret on one line"));
    if bytes.len() as u64 > LONGEST {
        return Err(wrong("is too long"));
    }
    let text = String::from_utf8(bytes).map_err(|_| wrong("is not UTF-8"))?;
    let secret = text.strip_suffix('\n').unwrap_or(&text);
    let secret = secret.strip_suffix('\r').unwrap_or(secret);
    match secret {
        "" => Err(wrong("is empty")),
        _ if secret.chars().any(char::is_control) => Err(wrong("has more than one line")),
        _ => Ok(secret.to_owned()),
    }
}

/// Returns whether the file's own permissions let others read it.
#[cfg(unix)]
fn is_readable_by_others(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.metadata().is_ok_and(|file| file.is_file() && file.mode() & 0o044 != 0)
}

/// Elsewhere, permissions are access lists, which the directory determines.
#[cfg(not(unix))]
fn is_readable_by_others(_: &File) -> bool {
    false
}
