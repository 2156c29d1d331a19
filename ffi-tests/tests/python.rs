//! The C interface from Python, by ctypes alone.

use osslive_ffi_tests::{Library, Run, Service, has, root};

const SCRIPT: &str = "ffi-tests/python/table.py";

#[test]
fn the_api_table_works_by_ctypes_and_memory_stays_flat() {
    if has("python3", "the API table by ctypes") {
        let run = Run::program("python3").arg(root().join(SCRIPT));
        Service::start().told_to(run.arg(Library::installed().shared())).succeeds();
    }
}

#[test]
fn the_script_binds_every_function_of_the_header() {
    let script = std::fs::read_to_string(root().join(SCRIPT)).expect("the script");
    for function in Library::installed().functions() {
        assert!(script.contains(&format!("\"{function}\": (")), "{function} is not bound");
    }
}
