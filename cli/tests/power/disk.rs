//! A file system that forgets what was not flushed.
//!
//! A file's content and the names in a directory are flushed separately, as in
//! POSIX: `fsync` of a file does not include its name. A rename is atomic.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use crate::random::Random;
use crate::trace::{Call, buffers, bytes};

type NodeId = usize;

/// The directory above the data.
const ROOT: NodeId = 0;

/// Changes of a file, apart from its names.
#[derive(Clone, Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Resize(usize),
    Mode(u32),
    Date(Duration),
}

#[derive(Clone, Debug, Default)]
struct State {
    content: Vec<u8>,
    mode: u32,
    date: Option<Duration>,
}

impl State {
    fn apply(&mut self, change: &Change) {
        match change {
            Change::Write(at, bytes) => {
                let end = at + bytes.len();
                self.content.resize(self.content.len().max(end), 0);
                self.content[*at..end].copy_from_slice(bytes);
            }
            Change::Resize(size) => self.content.resize(*size, 0),
            Change::Mode(mode) => self.mode = *mode,
            Change::Date(date) => self.date = Some(*date),
        }
    }
}

/// A file or a directory.
#[derive(Debug, Default)]
struct Node {
    is_folder: bool,
    state: State,
    flushed: State,
    pending: Vec<Change>,
}

type Place = (NodeId, String);
type Names = BTreeMap<Place, NodeId>;

/// A name that is added, removed or both.
#[derive(Clone, Debug)]
struct Rename {
    from: Option<Place>,
    to: Option<(Place, NodeId)>,
}

impl Rename {
    fn touches(&self, folder: NodeId) -> bool {
        self.places().any(|place| place.0 == folder)
    }

    fn places(&self) -> impl Iterator<Item = &Place> {
        self.from.iter().chain(self.to.iter().map(|(place, _)| place))
    }

    fn apply(&self, names: &mut Names) {
        if let Some(from) = &self.from {
            // If the name now belongs to another file, that file stays.
            match &self.to {
                Some((_, node)) if names.get(from) != Some(node) => {}
                _ => drop(names.remove(from)),
            }
        }
        if let Some((place, node)) = &self.to {
            names.insert(place.clone(), *node);
        }
    }
}

/// A file that a process has open.
#[derive(Clone, Copy)]
struct Open {
    node: NodeId,
    position: usize,
}

/// The file system below a directory, as a process changes it.
pub struct Disk {
    root: PathBuf,
    nodes: Vec<Node>,
    names: Names,
    flushed: Names,
    pending: Vec<Rename>,
    open: HashMap<u64, Open>,
    /// The complete files renamed to each path.
    pub complete: Contents,
}

/// The contents that files have had, by their path below the root.
pub type Contents = HashMap<PathBuf, HashSet<Vec<u8>>>;

/// What a power cut leaves of unflushed changes.
#[derive(Clone, Copy, Debug)]
pub enum Cut {
    Nothing,
    Everything,
    /// The first changes, in their order, the last of them torn.
    First,
    /// Any names, and the first changes of each file.
    Some,
}

impl Disk {
    /// Creates an empty disk for the directory `root`.
    pub fn new(root: &Path) -> Disk {
        Disk {
            root: root.to_owned(),
            nodes: vec![Node { is_folder: true, ..Node::default() }],
            names: Names::new(),
            flushed: Names::new(),
            pending: Vec::new(),
            open: HashMap::new(),
            complete: HashMap::new(),
        }
    }

    /// Applies a call of a process. Returns whether it concerned this disk.
    pub fn apply(&mut self, call: &Call) -> bool {
        let argument = |at: usize| call.arguments.get(at).map_or("", String::as_str);
        let number = |at: usize| argument(at).parse::<u64>().unwrap_or(u64::MAX);
        match call.name.as_str() {
            "open" | "creat" => self.open("AT_FDCWD", argument(0), argument(1), call),
            "openat" => self.open(argument(0), argument(1), argument(2), call),
            "close" => self.open.remove(&number(0)).is_some(),
            "dup" => self.duplicate(number(0), call.result),
            "fcntl" if argument(1).starts_with("F_DUPFD") => self.duplicate(number(0), call.result),
            "fcntl" => false,
            "lseek" => self.with(number(0), |disk, file| {
                disk.open.insert(number(0), Open { position: call.result as usize, ..file });
            }),
            "write" => self.write(number(0), &bytes_of(argument(1)), call),
            "writev" => self.write(number(0), &buffers(argument(1)), call),
            "pwrite64" => self.with(number(0), |disk, file| {
                let bytes = bytes(argument(1))[..call.result as usize].to_vec();
                disk.change(file.node, Change::Write(number(3) as usize, bytes));
            }),
            "ftruncate" => self.with(number(0), |disk, file| {
                disk.change(file.node, Change::Resize(number(1) as usize));
            }),
            "fchmod" => self.with(number(0), |disk, file| {
                disk.change(file.node, Change::Mode(octal(argument(1))));
            }),
            "utimensat" if argument(1) == "NULL" => self.with(number(0), |disk, file| {
                disk.change(file.node, Change::Date(modified(argument(2))));
            }),
            "copy_file_range" => self.copy(number(0), number(2), call.result as usize),
            "sendfile" => self.copy(number(1), number(0), call.result as usize),
            "fsync" | "fdatasync" => self.with(number(0), |disk, file| {
                disk.flush(file.node, call.name == "fsync");
            }),
            "mkdir" => self.create_folder("AT_FDCWD", argument(0)),
            "mkdirat" => self.create_folder(argument(0), argument(1)),
            "unlink" | "rmdir" => self.remove("AT_FDCWD", argument(0)),
            "unlinkat" => self.remove(argument(0), argument(1)),
            "rename" => self.rename(("AT_FDCWD", argument(0)), ("AT_FDCWD", argument(1))),
            "renameat" | "renameat2" => {
                self.rename((argument(0), argument(1)), (argument(2), argument(3)))
            }
            name => {
                let is_here = call.arguments.iter().any(|text| self.is_below(text));
                assert!(!is_here, "{name} is not supported here: {:?}", call.arguments);
                false
            }
        }
    }

    fn with(&mut self, descriptor: u64, then: impl FnOnce(&mut Disk, Open)) -> bool {
        let found = self.open.get(&descriptor).copied();
        found.map(|file| then(self, file)).is_some()
    }

    fn is_below(&self, argument: &str) -> bool {
        argument.starts_with('"') && path_of(argument).starts_with(&self.root)
    }

    /// Returns the directory and the name of a path; `None` for one that is
    /// elsewhere.
    fn place(&self, at: &str, path: &str) -> Option<Place> {
        let path = path_of(path);
        let (mut folder, relative) = match self.open.get(&at.parse().unwrap_or(u64::MAX)) {
            Some(open) if path.is_relative() => (open.node, path.as_path()),
            _ => (ROOT, path.strip_prefix(&self.root).ok()?),
        };
        let mut parts: Vec<_> = relative.iter().map(|part| part.to_str().unwrap()).collect();
        let name = parts.pop()?.to_owned();
        for part in parts {
            let inner = self.names.get(&(folder, part.to_owned()));
            folder = *inner.unwrap_or_else(|| panic!("{} was never created", path.display()));
        }
        Some((folder, name))
    }

    fn open(&mut self, at: &str, path: &str, flags: &str, call: &Call) -> bool {
        // The descriptor may have been closed by a call that was not traced.
        self.open.remove(&call.result);
        if path_of(path) == self.root {
            self.open.insert(call.result, Open { node: ROOT, position: 0 });
            return true;
        }
        let Some(place) = self.place(at, path) else { return false };
        let node = match self.names.get(&place) {
            Some(&node) => node,
            None if flags.contains("O_CREAT") => {
                let state = State { mode: 0o600, ..State::default() };
                self.create(place, Node { flushed: state.clone(), state, ..Node::default() })
            }
            None => panic!("{path} was never created"),
        };
        if flags.contains("O_TRUNC") && !self.nodes[node].state.content.is_empty() {
            self.change(node, Change::Resize(0));
        }
        assert!(!flags.contains("O_APPEND"), "appending is not supported here");
        self.open.insert(call.result, Open { node, position: 0 });
        true
    }

    fn duplicate(&mut self, from: u64, to: u64) -> bool {
        self.with(from, |disk, file| {
            disk.open.insert(to, file);
        })
    }

    fn create(&mut self, place: Place, node: Node) -> NodeId {
        self.nodes.push(node);
        let node = self.nodes.len() - 1;
        self.rename_to(Rename { from: None, to: Some((place, node)) });
        node
    }

    fn change(&mut self, node: NodeId, change: Change) {
        self.nodes[node].state.apply(&change);
        self.nodes[node].pending.push(change);
    }

    fn write(&mut self, descriptor: u64, bytes: &[u8], call: &Call) -> bool {
        self.with(descriptor, |disk, file| {
            let bytes = &bytes[..call.result as usize];
            disk.change(file.node, Change::Write(file.position, bytes.to_vec()));
            let position = file.position + bytes.len();
            disk.open.insert(descriptor, Open { position, ..file });
        })
    }

    fn copy(&mut self, from: u64, to: u64, count: usize) -> bool {
        let Some(source) = self.open.get(&from).copied() else { return false };
        let Some(target) = self.open.get(&to).copied() else { return false };
        let content = &self.nodes[source.node].state.content;
        let bytes = content[source.position..source.position + count].to_vec();
        self.change(target.node, Change::Write(target.position, bytes));
        self.open.insert(from, Open { position: source.position + count, ..source });
        self.open.insert(to, Open { position: target.position + count, ..target });
        true
    }

    fn create_folder(&mut self, at: &str, path: &str) -> bool {
        let Some(place) = self.place(at, path) else { return false };
        self.create(place, Node { is_folder: true, ..Node::default() });
        true
    }

    fn remove(&mut self, at: &str, path: &str) -> bool {
        let Some(place) = self.place(at, path) else { return false };
        self.rename_to(Rename { from: Some(place), to: None });
        true
    }

    fn rename(&mut self, from: (&str, &str), to: (&str, &str)) -> bool {
        let Some(from) = self.place(from.0, from.1) else { return false };
        let to = self.place(to.0, to.1).expect("a path below the folder");
        let node = self.names[&from];
        if !self.nodes[node].is_folder {
            let content = self.nodes[node].state.content.clone();
            self.complete.entry(self.path(&to)).or_default().insert(content);
        }
        self.rename_to(Rename { from: Some(from), to: Some((to, node)) });
        true
    }

    fn rename_to(&mut self, rename: Rename) {
        rename.apply(&mut self.names);
        self.pending.push(rename);
    }

    /// Returns a path below the root.
    fn path(&self, place: &Place) -> PathBuf {
        let (folder, name) = place;
        let above = self.names.iter().find(|(_, node)| *node == folder).map(|(place, _)| place);
        above.map_or_else(PathBuf::new, |above| self.path(above)).join(name)
    }

    fn flush(&mut self, node: NodeId, with_date: bool) {
        if self.nodes[node].is_folder {
            return self.flush_names(node);
        }
        let Node { state, flushed, pending, .. } = &mut self.nodes[node];
        let date = if with_date { state.date } else { flushed.date };
        *flushed = State { date, ..state.clone() };
        pending.retain(|change| !with_date && matches!(change, Change::Date(_)));
    }

    fn flush_names(&mut self, folder: NodeId) {
        let pending: Vec<_> = std::mem::take(&mut self.pending);
        let mut settled: HashSet<Place> = HashSet::new();
        // Newest first: once a name is flushed, its older changes must not be applied later.
        let mut left = Vec::new();
        for rename in pending.iter().rev() {
            if rename.touches(folder) {
                settled.extend(rename.places().cloned());
            } else if !rename.places().any(|place| settled.contains(place)) {
                left.push(rename.clone());
            }
        }
        for rename in pending.iter().filter(|rename| rename.touches(folder)) {
            rename.apply(&mut self.flushed);
        }
        left.reverse();
        self.pending = left;
    }

    /// Writes what a power cut leaves to a directory.
    pub fn cut(&self, cut: Cut, random: &mut Random, target: &Path) {
        let mut names = self.flushed.clone();
        let first = random.below(self.pending.len() + 1);
        for (number, rename) in self.pending.iter().enumerate() {
            let is_left = match cut {
                Cut::Nothing => false,
                Cut::Everything => true,
                Cut::First => number < first,
                Cut::Some => random.below(2) == 0,
            };
            if is_left {
                rename.apply(&mut names);
            }
        }
        self.write_folder(ROOT, &names, cut, random, target);
    }

    fn write_folder(
        &self,
        folder: NodeId,
        names: &Names,
        cut: Cut,
        random: &mut Random,
        target: &Path,
    ) {
        for ((_, name), &node) in names.range((folder, String::new())..(folder + 1, String::new()))
        {
            let path = target.join(name);
            if self.nodes[node].is_folder {
                fs::create_dir(&path).expect("a folder");
                fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("a mode");
                self.write_folder(node, names, cut, random, &path);
            } else {
                write_file(&self.nodes[node].left(cut, random), &path);
            }
        }
    }
}

impl Node {
    /// Returns what a power cut leaves of a file.
    fn left(&self, cut: Cut, random: &mut Random) -> State {
        let mut state = self.flushed.clone();
        let count = match cut {
            Cut::Nothing => 0,
            Cut::Everything => self.pending.len(),
            Cut::First | Cut::Some => random.below(self.pending.len() + 1),
        };
        self.pending[..count].iter().for_each(|change| state.apply(change));
        if let (Cut::First | Cut::Some, Some(Change::Write(at, bytes))) =
            (cut, self.pending.get(count))
        {
            let torn = random.below(bytes.len().max(1));
            state.apply(&Change::Write(*at, bytes[..torn].to_vec()));
        }
        state
    }
}

fn write_file(state: &State, path: &Path) {
    fs::write(path, &state.content).expect("a file");
    let file = File::options().write(true).open(path).expect("a file");
    if let Some(date) = state.date {
        file.set_modified(UNIX_EPOCH + date).expect("a date");
    }
    file.set_permissions(fs::Permissions::from_mode(state.mode)).expect("a mode");
}

fn path_of(argument: &str) -> PathBuf {
    PathBuf::from(std::ffi::OsString::from_vec(bytes(argument)))
}

/// Data that is written to other files may be too long for the log.
fn bytes_of(argument: &str) -> Vec<u8> {
    if argument.ends_with('"') { bytes(argument) } else { Vec::new() }
}

fn octal(text: &str) -> u32 {
    u32::from_str_radix(text, 8).expect("a mode")
}

/// Parses the second of two times, `{tv_sec=1, tv_nsec=2}`, perhaps with a comment.
fn modified(times: &str) -> Duration {
    let last = times.rsplit("tv_sec=").next().expect("a time");
    let (seconds, rest) = last.split_once(", tv_nsec=").expect("nanoseconds");
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next().expect("digits");
    Duration::new(seconds.parse().expect("seconds"), digits.parse().expect("nanoseconds"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace;

    fn hex(text: &str) -> String {
        let bytes: String = text.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
        format!("\"{bytes}\"")
    }

    fn disk(calls: &[String]) -> Disk {
        let mut disk = Disk::new(Path::new("/r"));
        let lines = calls.iter().map(|call| format!("1 1.000000 {call}\n")).collect::<String>();
        for call in trace::read(&lines) {
            assert!(disk.apply(&call), "{call:?}");
        }
        disk
    }

    fn left(disk: &Disk, cut: Cut) -> BTreeMap<String, String> {
        let folder = tempfile::tempdir().expect("a folder");
        disk.cut(cut, &mut Random::new(1), folder.path());
        let entries = fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.unwrap());
        entries
            .map(|entry| {
                let text = fs::read_to_string(entry.path()).expect("a file");
                (entry.file_name().into_string().unwrap(), text)
            })
            .collect()
    }

    fn written() -> Vec<String> {
        vec![
            format!("openat(AT_FDCWD, {}, O_WRONLY|O_CREAT, 0600) = 3", hex("/r/a")),
            format!("write(3, {}, 3) = 3", hex("abc")),
            format!("openat(AT_FDCWD, {}, O_RDONLY) = 4", hex("/r")),
        ]
    }

    #[test]
    fn an_unflushed_file_and_its_name_are_lost() {
        assert!(left(&disk(&written_below_root()), Cut::Nothing).is_empty());
        assert_eq!(left(&disk(&written_below_root()), Cut::Everything)["a"], "abc");
    }

    /// The root itself is never opened with a path.
    fn written_below_root() -> Vec<String> {
        written()[..2].to_vec()
    }

    #[test]
    fn a_flushed_name_without_its_content_is_an_empty_file() {
        let mut disk = disk(&written_below_root());
        disk.flush(ROOT, true);
        assert_eq!(left(&disk, Cut::Nothing)["a"], "");
    }

    #[test]
    fn a_flushed_file_without_its_name_is_missing() {
        let mut calls = written_below_root();
        calls.push("fsync(3) = 0".to_owned());
        let mut disk = disk(&calls);
        assert!(left(&disk, Cut::Nothing).is_empty());
        disk.flush(ROOT, true);
        assert_eq!(left(&disk, Cut::Nothing)["a"], "abc");
    }

    #[test]
    fn an_unflushed_rename_leaves_the_old_file() {
        let mut disk = disk(&written_below_root());
        disk.flush(1, true);
        disk.flush(ROOT, true);
        let rename = format!("1 1.000000 rename({}, {}) = 0\n", hex("/r/a"), hex("/r/b"));
        assert!(disk.apply(&trace::read(&rename)[0]));
        assert_eq!(left(&disk, Cut::Nothing).keys().collect::<Vec<_>>(), ["a"]);
        assert_eq!(left(&disk, Cut::Everything).keys().collect::<Vec<_>>(), ["b"]);
    }
}
