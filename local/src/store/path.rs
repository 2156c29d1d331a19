//! Maps names to paths on disk: an injective mapping from any string to a
//! relative path that cannot leave its folder.
//!
//! Each `/`-separated segment of a key becomes a directory, the last one a
//! file. Bytes that some file system treats specially are written `%XX`, so a
//! key such as `front-door/1795335398123.ts` stays readable while `..`, `a//b`
//! or `C:\x` become harmless names. An object `a` and an object `a/b` may both
//! exist, so the names of files and directories must never conflict: a file name
//! contains a `.` or ends in a bare `%`; a directory name is the reverse.
//! A segment that is too long for one component continues in a directory whose
//! name ends in `+`, a byte that is otherwise always escaped.

use std::path::PathBuf;

/// The longest piece of an escaped segment in one component; with its suffix it
/// stays below the 255 bytes that file systems commonly allow.
const PIECE: usize = 200;

/// How names are encoded in a data directory, fixed when it is created.
#[derive(Debug, Clone, Copy)]
pub(super) struct Naming {
    /// Whether its file system is case-insensitive.
    pub(super) folds_case: bool,
}

impl Naming {
    /// Returns the relative path of the object `key`.
    pub(super) fn object(self, key: &str) -> PathBuf {
        let mut path = PathBuf::new();
        let (directories, leaf) = match key.rsplit_once('/') {
            Some((directories, leaf)) => (Some(directories), leaf),
            None => (None, key),
        };
        for segment in directories.into_iter().flat_map(|all| all.split('/')) {
            push(&mut path, &escape(segment, self.folds_case), false);
        }
        push(&mut path, &escape(leaf, self.folds_case), true);
        path
    }

    /// Returns a file name for any `name`, followed by `suffix`.
    pub(super) fn file(self, name: &str, suffix: &str) -> String {
        portable(escape(name, self.folds_case) + suffix)
    }
}

fn push(path: &mut PathBuf, escaped: &str, leaf: bool) {
    let mut rest = escaped;
    while rest.len() > PIECE {
        let (piece, tail) = rest.split_at(PIECE);
        path.push(portable(format!("{piece}+")));
        rest = tail;
    }
    let mark = if rest.contains('.') == leaf { "" } else { "%" };
    path.push(portable(format!("{rest}{mark}")));
}

/// The part of a segment that a name on disk represents.
#[derive(Debug, PartialEq)]
pub(super) enum Component<'a> {
    /// The end of a segment, still escaped.
    Last(&'a str),
    /// A piece of a segment that continues inside the directory.
    Continues(&'a str),
}

/// Decodes one component; `None` for a name that [`Naming::object`] never creates.
pub(super) fn component(name: &str, leaf: bool) -> Option<Component<'_>> {
    if let Some(piece) = name.strip_suffix('+').filter(|_| !leaf) {
        return Some(Component::Continues(piece));
    }
    if name.contains('.') == leaf {
        return Some(Component::Last(name));
    }
    name.strip_suffix('%').map(Component::Last)
}

/// Decodes an escaped segment; `None` if it is invalid.
pub(super) fn unescape(escaped: &str) -> Option<String> {
    if escaped == "%" {
        return Some(String::new());
    }
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => digit(rest.next()?)? << 4 | digit(rest.next()?)?,
            plain => plain,
        });
    }
    String::from_utf8(bytes).ok()
}

/// Escapes a segment. An empty one becomes a bare `%`, since a component cannot
/// be empty; dots at either end are escaped, so the result is never `.`, `..`, a
/// hidden file or a name that Windows would shorten.
fn escape(segment: &str, folds_case: bool) -> String {
    if segment.is_empty() {
        return "%".to_owned();
    }
    let last = segment.len() - 1;
    let mut escaped = String::with_capacity(segment.len());
    for (i, byte) in segment.bytes().enumerate() {
        let plain = match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => true,
            b'A'..=b'Z' => !folds_case,
            b'.' => i > 0 && i < last,
            _ => false,
        };
        if plain { escaped.push(char::from(byte)) } else { push_escape(&mut escaped, byte) }
    }
    escaped
}

/// Escapes the first letter of a name that Windows reserves for a device,
/// whatever follows its first dot.
fn portable(name: String) -> String {
    let stem = name.split('.').next().unwrap_or_default();
    let device = match stem.len() {
        3 => ["con", "prn", "aux", "nul"].iter().any(|device| stem.eq_ignore_ascii_case(device)),
        4 => {
            stem.ends_with(|c: char| c.is_ascii_digit())
                && stem
                    .get(..3)
                    .is_some_and(|s| s.eq_ignore_ascii_case("com") || s.eq_ignore_ascii_case("lpt"))
        }
        _ => false,
    };
    if !device {
        return name;
    }
    let mut escaped = String::with_capacity(name.len() + 2);
    let mut bytes = name.bytes();
    push_escape(&mut escaped, bytes.next().unwrap_or_default());
    escaped.extend(bytes.map(char::from));
    escaped
}

fn push_escape(text: &mut String, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    text.push('%');
    text.push(char::from(HEX[usize::from(byte >> 4)]));
    text.push(char::from(HEX[usize::from(byte & 15)]));
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{HashMap, HashSet};
    use std::path::Component as Part;

    const PLAIN: Naming = Naming { folds_case: false };

    fn object(key: &str) -> PathBuf {
        PLAIN.object(key)
    }

    const NASTY: &[&str] = &[
        "",
        "/",
        "//",
        ".",
        "..",
        "...",
        "../..",
        "../../etc/passwd",
        "/etc/passwd",
        "a",
        "a/",
        "a/b",
        "a//b",
        "a/./b",
        "a/../b",
        "%",
        "%%",
        "%2e%2e",
        "%2E%2E/x",
        "a%",
        "a%/b",
        "a.b",
        "a.b/c",
        "a.b%",
        "C:\\x",
        "C:",
        "\\\\host\\share",
        "\0",
        "a\0b",
        "con",
        "CON.ts",
        "nul/x",
        "com1.x/y",
        "lpt9",
        "a+",
        "a+/b",
        "é/ü",
        "直播/频道",
        "\u{202e}x",
        "a ",
        " a",
        ".hidden",
        "trail.",
        "a\nb",
        "~",
        "-",
        "*?",
    ];

    /// Decodes a path as a walk of the directory would.
    fn key_of(path: &std::path::Path) -> String {
        let parts: Vec<_> = path.iter().map(|part| part.to_str().unwrap()).collect();
        let (mut key, mut pending) = (String::new(), String::new());
        for (i, part) in parts.iter().enumerate() {
            let leaf = i + 1 == parts.len();
            match component(part, leaf).unwrap() {
                Component::Continues(piece) => pending.push_str(piece),
                Component::Last(rest) => {
                    pending.push_str(rest);
                    key.push_str(&unescape(&pending).unwrap());
                    pending.clear();
                    if !leaf {
                        key.push('/');
                    }
                }
            }
        }
        key
    }

    fn keys() -> HashSet<String> {
        let mut keys: HashSet<String> = NASTY.iter().map(|key| (*key).to_owned()).collect();
        for length in [199, 200, 201, 399, 400, 401, 1023] {
            for unit in ["a", ".", "/", "é", "\0", "a.", "a/"] {
                keys.insert(unit.repeat(length / unit.len()));
            }
        }
        let alphabet = ["a", "b", "A", ".", ".", "/", "/", "%", "+", "2E", "é", "\\", "con", ":"];
        let mut seed = 1795335398_u64;
        while keys.len() < 20_000 {
            let mut key = String::new();
            for _ in 0..seed >> 33 & 15 {
                seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                key.push_str(alphabet[(seed >> 40) as usize % alphabet.len()]);
            }
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            if seed >> 60 == 0 {
                key = key.repeat(40);
            }
            keys.insert(key);
        }
        keys
    }

    #[test]
    fn ordinary_keys_stay_readable() {
        assert_eq!(
            object("front-door/1795335398123.ts"),
            PathBuf::from("front-door/1795335398123.ts")
        );
        assert_eq!(object("a"), PathBuf::from("a%"));
        assert_eq!(object("v1.2/a.m3u8"), PathBuf::from("v1.2%/a.m3u8"));
        assert_eq!(object("a/../b"), PathBuf::from("a/%2E%2E%/b%".replace("%2E%2E%", "%2E%2E")));
    }

    #[test]
    fn every_key_has_a_unique_path_inside_the_folder() {
        let mut owners: HashMap<PathBuf, String> = HashMap::new();
        let mut folded: HashMap<String, String> = HashMap::new();
        for key in keys() {
            let path = Naming { folds_case: true }.object(&key);
            let path = path.to_str().unwrap().to_lowercase();
            if let Some(other) = folded.insert(path, key.clone()) {
                panic!("{key:?} and {other:?} share a path where case is folded");
            }
            let path = object(&key);
            assert!(
                path.components().all(|part| matches!(part, Part::Normal(_))),
                "{key:?}: {path:?}"
            );
            for part in path.iter().map(|part| part.to_str().unwrap()) {
                assert!(
                    part.len() <= 210 && !part.contains(['\0', '\\', ':', '/']),
                    "{key:?}: {part:?}"
                );
                assert!(!part.ends_with(['.', ' ']), "{key:?}: {part:?}");
            }
            assert_eq!(key_of(&path), key);
            if let Some(other) = owners.insert(path, key.clone()) {
                panic!("{key:?} and {other:?} share a path");
            }
        }
    }

    #[test]
    fn no_path_is_both_a_file_and_a_directory() {
        let paths: HashSet<PathBuf> = keys().iter().map(|key| object(key)).collect();
        for path in &paths {
            for parent in path.ancestors().skip(1) {
                assert!(!paths.contains(parent), "{parent:?} is both");
            }
        }
    }

    #[test]
    fn keys_that_differ_in_case_have_distinct_paths_on_case_insensitive_file_systems() {
        let folded: HashSet<String> = ["Cam", "cam", "CAM", "é", "É", "%c3", "%C3"]
            .iter()
            .map(|s| escape(s, true).to_lowercase())
            .collect();
        assert_eq!(folded.len(), 7);
    }

    #[test]
    fn components_are_never_windows_device_names() {
        assert_eq!(object("con/nul.ts"), PathBuf::from("%63on/%6Eul.ts"));
        assert_eq!(PLAIN.file("aux", ".json"), "%61ux.json");
        assert_eq!(PLAIN.file("console", ".json"), "console.json");
    }

    #[test]
    fn invalid_names_are_not_decoded() {
        assert_eq!(component("plain", true), None);
        assert_eq!(component("dotted.dir", false), None);
        assert_eq!(unescape("%zz"), None);
        assert_eq!(unescape("%4"), None);
        assert_eq!(unescape("%FF"), None);
    }
}
