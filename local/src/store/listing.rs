//! Lists one page of keys of a directory tree, in byte order.
//!
//! The walk never holds more than a page of names. It does not enter directories
//! whose keys cannot be on the page: outside the prefix, before the marker, after
//! the end of the page, or already grouped under a common prefix.

use super::path::{self, Component};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The names of the page: keys with their path, and common prefixes without one.
type Found = BTreeMap<String, Option<PathBuf>>;

/// A listing in progress.
pub(super) struct Listing<'a> {
    prefix: &'a str,
    marker: &'a str,
    delimiter: Option<&'a str>,
    suffix: &'a str,
    max: usize,
    /// The smallest names found so far, at most one more than fit on the page.
    found: Found,
}

/// A directory being walked.
#[derive(Clone, Default)]
struct Place {
    relative: PathBuf,
    /// The part of the key from the complete segments above.
    key: String,
    /// The pieces of an incomplete segment, escaped.
    pending: String,
}

impl<'a> Listing<'a> {
    /// Lists the first `max` names after `marker` that begin with `prefix`; keys
    /// with `delimiter` after the prefix are grouped under a common prefix.
    pub(super) fn new(
        prefix: &'a str,
        marker: &'a str,
        delimiter: Option<&'a str>,
        max: usize,
    ) -> Self {
        let delimiter = delimiter.filter(|delimiter| !delimiter.is_empty());
        Listing { prefix, marker, delimiter, suffix: "", max, found: BTreeMap::new() }
    }

    /// Limits the listing to keys with this suffix.
    pub(super) fn ending_in(self, suffix: &'a str) -> Self {
        Listing { suffix, ..self }
    }

    /// Returns the page of `root`, and its last name if more follow.
    pub(super) fn of(mut self, root: &Path) -> io::Result<(Found, Option<String>)> {
        if self.max == 0 {
            return Ok((self.found, None));
        }
        self.walk(root, &Place::default())?;
        let truncated = self.found.len() > self.max;
        if truncated {
            self.found.pop_last();
        }
        let next = self.found.last_key_value().filter(|_| truncated).map(|(name, _)| name.clone());
        Ok((self.found, next))
    }

    fn walk(&mut self, root: &Path, place: &Place) -> io::Result<()> {
        let (files, directories) = children(root, place)?;
        for file in files {
            self.offer(file);
        }
        for directory in directories {
            if directory.pending.is_empty() {
                self.enter(root, &directory)?;
            } else {
                self.walk(root, &directory)?;
            }
        }
        Ok(())
    }

    /// Walks a directory whose keys all begin with `directory.key`, if any of them
    /// can be on the page.
    fn enter(&mut self, root: &Path, directory: &Place) -> io::Result<()> {
        let key = directory.key.as_str();
        let apart = !key.starts_with(self.prefix) && !self.prefix.starts_with(key);
        let before = key < self.marker && !self.marker.starts_with(key);
        if apart || before || self.is_behind(key) {
            return Ok(());
        }
        match self.common_prefix(key) {
            None => self.walk(root, directory),
            Some(common) => {
                let wanted = common.as_str() > self.marker && !self.found.contains_key(&common);
                if wanted && holds_a_file(root, directory)? {
                    self.insert(common, None);
                }
                Ok(())
            }
        }
    }

    fn offer(&mut self, file: Place) {
        if !file.key.starts_with(self.prefix) || !file.key.ends_with(self.suffix) {
            return;
        }
        let (name, relative) = match self.common_prefix(&file.key) {
            Some(common) => (common, None),
            None => (file.key, Some(file.relative)),
        };
        if name.as_str() > self.marker {
            self.insert(name, relative);
        }
    }

    fn insert(&mut self, name: String, relative: Option<PathBuf>) {
        self.found.insert(name, relative);
        if self.found.len() > self.max.saturating_add(1) {
            self.found.pop_last();
        }
    }

    /// Returns whether all keys that begin with `key` come after a full page.
    fn is_behind(&self, key: &str) -> bool {
        self.found.len() > self.max
            && self.found.last_key_value().is_some_and(|(last, _)| key > last.as_str())
    }

    fn common_prefix(&self, key: &str) -> Option<String> {
        let delimiter = self.delimiter?;
        let at = key.strip_prefix(self.prefix)?.find(delimiter)?;
        key.get(..self.prefix.len() + at + delimiter.len()).map(str::to_owned)
    }
}

/// Returns the files and directories in `place`, each sorted by key, skipping
/// links and names that no key maps to.
fn children(root: &Path, place: &Place) -> io::Result<(Vec<Place>, Vec<Place>)> {
    let (mut files, mut directories) = (Vec::new(), Vec::new());
    let entries = match fs::read_dir(root.join(&place.relative)) {
        // Not created yet, or removed meanwhile because it was empty.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((files, directories)),
        other => other?,
    };
    for entry in entries {
        let entry = entry?;
        let file_type = entry.file_type()?;
        let leaf = file_type.is_file();
        if !leaf && !file_type.is_dir() {
            continue;
        }
        let name = entry.file_name();
        let Some(child) = name.to_str().and_then(|name| child(place, name, leaf)) else { continue };
        if leaf { files.push(child) } else { directories.push(child) }
    }
    files.sort_by(|a, b| a.key.cmp(&b.key));
    directories.sort_by(|a, b| a.key.cmp(&b.key));
    Ok((files, directories))
}

fn child(place: &Place, name: &str, leaf: bool) -> Option<Place> {
    let mut child = Place { relative: place.relative.join(name), ..place.clone() };
    match path::component(name, leaf)? {
        Component::Continues(piece) => child.pending.push_str(piece),
        Component::Last(rest) => {
            child.pending.push_str(rest);
            child.key.push_str(&path::unescape(&child.pending)?);
            child.pending.clear();
            if !leaf {
                child.key.push('/');
            }
        }
    }
    Some(child)
}

fn holds_a_file(root: &Path, place: &Place) -> io::Result<bool> {
    let (files, directories) = children(root, place)?;
    if !files.is_empty() {
        return Ok(true);
    }
    for directory in &directories {
        if holds_a_file(root, directory)? {
            return Ok(true);
        }
    }
    Ok(false)
}
