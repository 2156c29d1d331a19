//! The header and the library from outside: languages, exports, dependencies.

use osslive_ffi_tests::{Library, Run, has, root, scratch};
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

const STRICT: [&str; 5] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wundef"];

fn compiles(compiler: &str, standard: &str, header: &str, more: &[&str]) {
    let suffix = if standard.contains('+') { "cpp" } else { "c" };
    let source = scratch("headers").join(format!("{compiler}-{standard}-{header}.{suffix}"));
    // Included twice, to test its guard.
    let text =
        format!("#include <{header}>\n#include <{header}>\nint main(void) {{ return 0; }}\n");
    fs::write(&source, text.replace("(void)", if suffix == "c" { "(void)" } else { "()" }))
        .expect("a source file");
    let mut command = Command::new(compiler);
    command.arg(format!("-std={standard}")).args(STRICT).args(more);
    command.arg("-I").arg(root().join("include")).arg("-fsyntax-only").arg(&source);
    Run::of(command).succeeds();
}

#[test]
fn the_header_is_clean_c_and_cpp() {
    for (c, cpp) in [("gcc", "g++"), ("clang", "clang++")] {
        if !has(c, "the header's languages") {
            continue;
        }
        for standard in ["c99", "c11", "c17"] {
            compiles(c, standard, "osslive.h", &["-Wstrict-prototypes"]);
        }
        for standard in ["c++11", "c++14", "c++17", "c++20"] {
            compiles(cpp, standard, "osslive.h", &[]);
        }
        for standard in ["c++17", "c++20"] {
            compiles(cpp, standard, "osslive.hpp", &["-Wshadow"]);
        }
    }
}

/// Building the library rewrites a header that is out of date.
#[test]
fn the_committed_header_is_up_to_date() {
    Library::installed();
    if !has("git", "the check for changes") || !root().join(".git").exists() {
        return;
    }
    let mut command = Command::new("git");
    command.current_dir(root()).args(["diff", "--exit-code", "--", "include/osslive.h"]);
    Run::of(command).succeeds();
}

#[test]
fn the_library_exports_what_the_header_declares_and_nothing_else() {
    let library = Library::installed();
    let table = Run::program("nm").arg("-D").arg("--defined-only").arg(library.shared()).succeeds();
    let exported: BTreeSet<String> = table
        .lines()
        // The version itself is a symbol of type A.
        .filter(|line| !line.contains(" A "))
        .filter_map(|line| line.split_whitespace().last())
        .map(|name| name.split('@').next().unwrap_or(name).to_owned())
        .collect();
    assert_eq!(exported, library.functions());
}

#[test]
fn the_library_names_its_binary_interface_and_stays_loaded() {
    let library = Library::installed();
    let dynamic = Run::program("readelf").arg("-dW").arg(library.shared()).succeeds();
    let header = fs::read_to_string(library.include().join("osslive.h")).expect("the header");
    let abi = header.lines().find_map(|line| line.strip_prefix("#define OSSLIVE_ABI_VERSION "));
    assert!(dynamic.contains(&format!("[libosslive.so.{}]", abi.expect("a number"))), "{dynamic}");
    assert!(dynamic.contains("NODELETE"), "{dynamic}");
}

#[test]
fn the_library_needs_only_the_c_library_and_is_small() {
    let shared = Library::installed().shared();
    let dynamic = Run::program("readelf").arg("-dW").arg(&shared).succeeds();
    for line in dynamic.lines().filter(|line| line.contains("(NEEDED)")) {
        // The dynamic linker is part of the C library.
        let known = ["[libc.so.", "[libgcc_s.so.", "[ld-linux", "[libc.musl", "[libm.so."];
        assert!(known.iter().any(|name| line.contains(name)), "{line}");
    }
    let size = fs::metadata(&shared).expect("the library").len();
    // A sixth of it is for diagnosis, sources of credentials, and downloads.
    assert!(size <= 3_350_000, "{size} bytes");
}
