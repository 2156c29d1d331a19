//! The C interface from Python, with ctypes alone.

use osslive_ffi_tests::{Library, Run, Service, has, root};

const SCRIPT: &str = "ffi-tests/python/table.py";

#[test]
fn the_api_table_works_with_ctypes_and_memory_stays_flat() {
    if has("python3", "the API table with ctypes") {
        let run = Run::program("python3").arg(root().join(SCRIPT));
        Service::start().with_environment(run.arg(Library::installed().shared())).succeeds();
    }
}

#[test]
fn the_declarations_match_the_header() {
    let library = Library::installed();
    let path = root().join("python/src/osslive/_declarations.py");
    let declarations = std::fs::read_to_string(path).expect("the declarations");
    for function in library.functions() {
        assert!(declarations.contains(&format!("\"{function}\": (")), "{function} is missing");
    }
    if has("python3", "the check of the declarations") {
        Run::program("python3").arg(root().join("python/generate.py")).arg("--check").succeeds();
    }
}
