//! Architecture tests: imports go one way in every crate, and each external crate is
//! used in one place.

mod imports;

use imports::{Crate, cycles};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules of the SDK from the bottom up. A module may use those of the
/// layers below it.
const LAYERS: &[&[&str]] = &[
    &["spelling", "schema", "playlist", "wipe"],
    &["error"],
    &["xml", "request", "credentials"],
    &["endpoint", "sign", "source"],
    &["operation", "profile"],
    &["stop", "clock", "redact", "discovery"],
    &["transport", "retry", "attempt", "refreshing"],
    &["limiter", "provider"],
    &["call"],
    &["client"],
    &["monitor", "diagnosis"],
    &["recording"],
    &["fuzzing"],
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

/// Returns the code of each module of the SDK, without tests and comments.
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

fn layer(module: &str) -> usize {
    LAYERS
        .iter()
        .position(|layer| layer.contains(&module))
        .unwrap_or_else(|| panic!("the module {module} is in no layer"))
}

/// Returns the module of the SDK that a file belongs to.
fn module_of(file: &str) -> &str {
    file.split(['/', '.']).next().unwrap()
}

#[test]
fn the_sdk_imports_from_lower_layers_only() {
    let sdk = Crate::read(&root().join("src"));
    for (file, used) in sdk.imports().iter().filter(|(file, _)| **file != "lib.rs") {
        let module = module_of(file);
        for used in used.iter().map(|used| module_of(used)).filter(|used| *used != module) {
            assert!(layer(used) < layer(module), "{file} uses {used}, which is not below it");
        }
    }
}

#[test]
fn no_files_import_each_other() {
    for member in ["src", "capi/src", "local/src", "cli/src", "ffi-tests/src"] {
        let krate = Crate::read(&root().join(member));
        let cycles = cycles(&krate.imports());
        assert!(cycles.is_empty(), "{member} has import cycles: {cycles:#?}");
    }
}

#[test]
fn each_external_crate_is_used_in_one_module() {
    for (needle, allowed_module) in [("ureq", "transport"), ("sha2", "sign")] {
        for (module, code) in modules() {
            let is_used = code.contains(&format!("{needle}::"));
            assert!(
                !is_used || module == allowed_module,
                "{module} uses {needle}; only {allowed_module} may"
            );
        }
    }
}

#[test]
fn unsafe_code_is_only_in_the_c_layer() {
    for member in [".", "local", "cli"] {
        for file in rust_files(&root().join(member).join("src")) {
            let text = fs::read_to_string(&file).unwrap();
            assert!(!text.contains("unsafe {"), "{} has unsafe code", file.display());
        }
    }
}

#[test]
fn the_command_prints_in_one_place() {
    let root = root().join("cli/src");
    for file in rust_files(&root).iter().filter(|file| !file.ends_with("src/output.rs")) {
        // A descriptor from rustix's `stdio` prints nothing.
        let text = fs::read_to_string(file).unwrap().replace("stdio::", "");
        for way in ["io::stdout()", "io::stderr()", "println!", "print!("] {
            assert!(!text.contains(way), "{} uses {way}", file.display());
        }
    }
}

#[test]
fn the_core_below_the_transport_uses_no_network_and_reads_no_clock() {
    let pure = LAYERS[..5].concat();
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
fn every_source_file_has_at_most_1000_lines() {
    for folder in ["src", "capi/src", "local/src", "cli/src"] {
        for file in rust_files(&root().join(folder)) {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines <= 1000, "{} has {lines} lines", file.display());
        }
    }
}
