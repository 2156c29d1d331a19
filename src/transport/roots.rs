//! The trusted certificates that the environment sets: `SSL_CERT_FILE` and
//! `SSL_CERT_DIR`, as in OpenSSL and curl.

use crate::error::{Error, ErrorKind, Result};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use ureq::tls::{Certificate, PemItem, parse_pem};

type Certificates = Vec<Certificate<'static>>;

/// Returns the certificates in a PEM string; private keys are ignored.
///
/// # Errors
///
/// [`ErrorKind::Config`] if there are none.
pub(super) fn from_pem(pem: &[u8], source: &str) -> Result<Certificates> {
    let found = certificates(pem);
    if found.is_empty() {
        return Err(config(format!("{source}: must contain certificates in PEM format")));
    }
    Ok(found)
}

/// Returns the certificates in the file and the folders that the environment sets, or
/// `None` if it sets neither.
///
/// # Errors
///
/// [`ErrorKind::Config`] if the file has none, or if none are found at all.
pub(super) fn from_environment(
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<Certificates>> {
    let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
    let (file, folders) = (variable("SSL_CERT_FILE"), variable("SSL_CERT_DIR"));
    let mut found = Vec::new();
    if let Some(file) = &file {
        let path = Path::new(file);
        let pem = fs::read(path).map_err(|error| unreadable("SSL_CERT_FILE", path, error))?;
        found = from_pem(&pem, "SSL_CERT_FILE")?;
    }
    let Some(folders) = folders else { return Ok(file.map(|_| found)) };
    let mut first_error = None;
    for folder in env::split_paths(&folders) {
        match from_folder(&folder) {
            Ok(more) => found.extend(more),
            Err(error) => first_error = Some(unreadable("SSL_CERT_DIR", &folder, error)),
        }
    }
    if found.is_empty() {
        let none = || config("SSL_CERT_DIR: no file in it contains certificates in PEM format");
        return Err(first_error.unwrap_or_else(none));
    }
    Ok(Some(found))
}

/// Returns the certificates of all files in a folder, ignoring anything else.
fn from_folder(folder: &Path) -> io::Result<Certificates> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort_unstable();
    let files = paths.iter().filter(|path| path.is_file());
    Ok(files.filter_map(|path| fs::read(path).ok()).flat_map(|pem| certificates(&pem)).collect())
}

fn certificates(pem: &[u8]) -> Certificates {
    // Editors on Windows start a file with a byte order mark.
    let pem = pem.strip_prefix(b"\xef\xbb\xbf").unwrap_or(pem);
    let items = parse_pem(pem).filter_map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    });
    items.collect()
}

fn unreadable(variable: &str, path: &Path, error: io::Error) -> Error {
    config(format!("{variable}: cannot read {}: {error}", path.display())).with_source(error)
}

fn config(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message)
}
