//! docs/configuration.md lists every setting of every language, with its name and its
//! default.

use std::collections::BTreeSet;

const PAGE: &str = include_str!("../docs/configuration.md");
const BUILDER: &str = include_str!("../src/client/builder.rs");
const HEADER: &str = include_str!("../include/osslive.h");
const WRAPPER: &str = include_str!("../include/osslive.hpp");
const PYTHON: &str = include_str!("../python/src/osslive/client.py");

/// Returns the rows of the table of settings, split into cells.
fn rows() -> Vec<Vec<&'static str>> {
    let (_, table) = PAGE.split_once("## Settings of a client\n").unwrap();
    let lines = table.lines().skip_while(|line| !line.starts_with('|'));
    lines
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

/// Returns the names in a column, which are formatted as code.
fn column(number: usize) -> BTreeSet<&'static str> {
    rows().iter().flat_map(|row| row[number].split('`').skip(1).step_by(2)).collect()
}

/// Returns the text between two marks.
fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(begin).unwrap_or_else(|| panic!("{begin:?} is missing"));
    rest.split_once(end).unwrap_or_else(|| panic!("{end:?} is missing")).0
}

/// Returns the name at the start of a declaration.
fn name(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap()
}

#[test]
fn rust() {
    let methods = BUILDER.split("    pub fn ").skip(1).map(name);
    let mut settings: BTreeSet<_> = methods.filter(|name| !name.starts_with("build")).collect();
    settings.insert("RtmpUrlOptions::sign_security_token");
    assert_eq!(column(0), settings);
}

#[test]
fn c() {
    let functions = HEADER.split("\nosslive_status osslive_config_").skip(1).map(name);
    let mut settings: BTreeSet<_> = functions.collect();
    settings.insert("osslive_set_log_callback");
    assert_eq!(column(1), settings);
}

#[test]
fn cpp() {
    let members = between(WRAPPER, "\nstruct Config {\n", "\n};");
    let code: String = members.split("*/").filter_map(|part| part.split("/*").next()).collect();
    let declarations = code.split(';').filter_map(|line| line.split(['=', '{']).next());
    let mut settings: BTreeSet<_> =
        declarations.filter_map(|line| line.split_whitespace().last()).collect();
    settings.insert("osslive::set_log_callback");
    assert_eq!(column(2), settings);
}

#[test]
fn python() {
    let fields = between(PYTHON, "\nclass Settings(TypedDict, total=False):\n", "\n\n\n");
    let mut settings: BTreeSet<_> = fields
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, _)| name.trim())
        .collect();
    // The constructors of a client in the code.
    let constructors =
        include_str!("../python/src/osslive/client.py").split("    def from_").skip(1);
    let constructors: Vec<_> = constructors
        .map(|constructor| format!("Client.from_{}", constructor.split('(').next().unwrap()))
        .collect();
    settings.extend(constructors.iter().map(String::as_str));
    settings.insert("osslive");
    assert_eq!(column(3), settings);
}

/// The default numbers are those in osslive.hpp.
#[test]
fn defaults() {
    let default = |setting: &str| {
        let rows = rows();
        let row = rows.iter().find(|row| row[2] == format!("`{setting}`")).unwrap();
        row[6].to_owned()
    };
    for setting in ["connect_timeout", "timeout"] {
        let milliseconds = between(WRAPPER, &format!("std::chrono::milliseconds {setting}{{"), "}");
        let seconds = milliseconds.parse::<u32>().unwrap() / 1000;
        assert!(default(setting).starts_with(&format!("{seconds} s")), "{setting}");
    }
    for setting in ["attempts", "pool_size", "signature_version"] {
        let number = between(WRAPPER, &format!("std::uint32_t {setting} = "), ";");
        assert_eq!(name(&default(setting)), number, "{setting}");
    }
}
