//! The house rules: imports go one way, and each door has one key.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Modules from the ground up. A module may use those of the floors below it,
/// and those on its own floor that are named beside it.
const FLOORS: &[&[&str]] = &[
    &["error"],
    &["xml", "request", "credentials"],
    &["endpoint", "sign", "model", "profile"],
    &["operation"],
    &["stop"],
    &["transport", "retry", "attempt"],
    &["client"],
    &["monitor"],
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The code of each module of the SDK, its tests and comments left out.
fn modules() -> BTreeMap<String, String> {
    let source = root().join("src");
    let mut modules = BTreeMap::new();
    for file in rust_files(&source) {
        let relative = file.strip_prefix(&source).unwrap().with_extension("");
        let module = relative.iter().next().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        let code: String = lines.map(|line| format!("{line}\n")).collect();
        modules.entry(module).or_insert_with(String::new).push_str(&code);
    }
    modules
}

fn floor(module: &str) -> usize {
    FLOORS
        .iter()
        .position(|floor| floor.contains(&module))
        .unwrap_or_else(|| panic!("the module {module} has no floor in the house"))
}

#[test]
fn imports_go_one_way() {
    let modules = modules();
    for (module, code) in modules.iter().filter(|(module, _)| *module != "lib") {
        for used in modules.keys().filter(|used| *used != module) {
            let is_used = code.contains(&format!("crate::{used}::"))
                || code.contains(&format!("use crate::{used};"))
                || code.contains(&format!("{used}::{{self"));
            if is_used {
                assert!(floor(used) < floor(module), "{module} uses {used}, which is not below it");
            }
        }
    }
}

#[test]
fn each_foreign_crate_has_one_door() {
    for (needle, door) in [("ureq", "transport"), ("sha2", "sign")] {
        for (module, code) in modules() {
            let is_used = code.contains(&format!("{needle}::"));
            assert!(!is_used || module == door, "{module} uses {needle}; only {door} may");
        }
    }
}

#[test]
fn unsafe_code_stands_only_in_the_c_layer() {
    for member in [".", "local", "cli"] {
        for file in rust_files(&root().join(member).join("src")) {
            let text = fs::read_to_string(&file).unwrap();
            assert!(!text.contains("unsafe {"), "{} has unsafe code", file.display());
        }
    }
}

#[test]
fn the_core_below_the_transport_uses_no_network_and_reads_no_clock() {
    let pure = FLOORS[..4].concat();
    for (module, code) in modules().iter().filter(|(module, _)| pure.contains(&module.as_str())) {
        for forbidden in [
            "TcpStream",
            "ToSocketAddrs",
            "Instant::now",
            "now_utc",
            "SystemTime::now",
            "std::thread",
        ] {
            assert!(!code.contains(forbidden), "{module} uses {forbidden}");
        }
    }
}

#[test]
fn every_source_file_fits_a_reader() {
    for folder in ["src", "capi/src", "local/src", "cli/src"] {
        for file in rust_files(&root().join(folder)) {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines <= 1000, "{} has {lines} lines", file.display());
        }
    }
}
