//! The binary interface: its functions and their versions, and that existing
//! programs keep running with every later library.
//!
//! `OSSLIVE_WRITE_ABI=1` rewrites the baseline.

use osslive_ffi_tests::unversioned;
use osslive_ffi_tests::{Library, Outcome, Program, Run, Service, has, later, root, scratch};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const CALLS: &str = "ffi-tests/c/many.c";

fn map() -> String {
    fs::read_to_string(root().join("capi/osslive.map")).expect("the linker map")
}

#[test]
fn every_function_of_the_header_has_a_version_in_the_map_and_in_the_library() {
    let map = map();
    let (_, nodes) = map.split_once("*/").expect("a comment");
    let is_name = |word: &&str| word.starts_with("osslive_");
    let listed: Vec<&str> =
        nodes.split([' ', '\n', ';', '{', '}']).filter(is_name).collect::<Vec<_>>();
    let functions = Library::installed().functions();
    assert_eq!(listed.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(), functions);
    assert_eq!(listed.len(), functions.len(), "a function is listed twice");
    let table = Run::program("nm").arg("-D").arg("--defined-only");
    let table = table.arg(Library::installed().shared()).succeeds();
    for name in functions {
        assert!(table.contains(&format!(" T {name}@@OSSLIVE_1")), "{name}\n{table}");
    }
}

/// Runs a program with the library of a directory.
fn run(program: &Path, libraries: &Path, service: &Service, folder: &str) -> Outcome {
    let run = service.run(program).env("LD_LIBRARY_PATH", libraries);
    run.arg(scratch(folder)).outcome()
}

fn succeeds(outcome: &Outcome) {
    assert_eq!(outcome.status, Some(0), "{}{}", outcome.stdout, outcome.stderr);
    // The dynamic linker warns about a missing version.
    assert_eq!(outcome.stderr, "");
}

#[test]
fn a_program_built_before_symbol_versions_still_runs() {
    let program = Program::new(CALLS).against(unversioned()).build();
    let needs = Run::program("readelf").arg("-VW").arg(&program).succeeds();
    assert!(!needs.contains("OSSLIVE_"), "{needs}");
    let lib = Library::installed().lib();
    succeeds(&run(&program, &lib, &Service::start(), "abi-unversioned"));
}

#[test]
fn a_program_runs_with_a_newer_library() {
    let program = Program::new(CALLS).against(&Library::installed().lib()).build();
    let needs = Run::program("readelf").arg("-VW").arg(&program).succeeds();
    assert!(needs.contains("OSSLIVE_1"), "{needs}");
    succeeds(&run(&program, later(), &Service::start(), "abi-later"));
}

#[test]
fn a_program_that_needs_a_newer_function_does_not_start() {
    let later = later();
    let program = Program::new("ffi-tests/c/later.c").against(later).build();
    Run::program(&program).env("LD_LIBRARY_PATH", later).succeeds();
    let lib = Library::installed().lib();
    let outcome = Run::program(&program).env("LD_LIBRARY_PATH", lib).outcome();
    assert_ne!(outcome.status, Some(0));
    assert!(outcome.stderr.contains("version `OSSLIVE_1.1' not found"), "{}", outcome.stderr);
}

fn header() -> String {
    fs::read_to_string(root().join("include/osslive.h")).expect("the header")
}

fn baseline() -> PathBuf {
    root().join("capi/osslive.abi")
}

/// Builds a library with the functions of a header, with debugging information and
/// without any code: that of Rust would also describe what is behind the interface.
fn stub(name: &str, header: &str) -> PathBuf {
    let folder = scratch("abi").join(name);
    fs::create_dir_all(&folder).expect("a folder");
    let mut code = String::new();
    for line in header.lines() {
        let is_end =
            line.ends_with(");") && !line.starts_with("typedef") && !line.starts_with(" *");
        let bodied = line.strip_suffix(';').filter(|_| is_end);
        match bodied {
            Some(declaration) => code += &format!("{declaration} {{ __builtin_trap(); }}\n"),
            None => code += &format!("{line}\n"),
        }
    }
    fs::write(folder.join("stub.c"), code).expect("a source file");
    let mut command = Command::new("gcc");
    command.current_dir(&folder).args(["-std=c11", "-g", "-O0", "-fPIC", "-shared"]);
    command.args(["-fno-eliminate-unused-debug-types", "-o", "stub.so", "stub.c"]);
    command.arg(format!("-Wl,--version-script={}", root().join("capi/osslive.map").display()));
    Run::of(command).succeeds();
    folder.join("stub.so")
}

/// Returns the changes of a header from the baseline, apart from additions.
fn broken(name: &str, header: &str) -> String {
    let mut command = Command::new("abidiff");
    command.args(["--no-added-syms", "--no-architecture", "--no-show-locs"]);
    command.arg(baseline()).arg(stub(name, header));
    let outcome = Run::of(command).outcome();
    // Bits: 1 and 2 are errors of the tool, 4 is a change.
    match outcome.status {
        Some(0) => String::new(),
        Some(status) if status & 3 == 0 => outcome.stdout,
        status => panic!("abidiff ended with {status:?}: {}{}", outcome.stdout, outcome.stderr),
    }
}

#[test]
fn the_interface_keeps_everything_in_the_baseline() {
    if !has("abidiff", "the comparison of binary interfaces") {
        return;
    }
    if std::env::var_os("OSSLIVE_WRITE_ABI").is_some() {
        let mut command = Command::new("abidw");
        command.args(["--no-show-locs", "--no-corpus-path", "--no-comp-dir-path"]);
        command.arg("--out-file").arg(baseline()).arg(stub("baseline", &header()));
        Run::of(command).succeeds();
    }
    let broken = broken("current", &header());
    assert!(
        broken.is_empty(),
        "existing programs would break:\n{broken}\nRevert the change, or see \
         CONTRIBUTING.md, \"The binary interface\"."
    );
}

#[test]
fn the_comparison_finds_every_kind_of_break_and_allows_additions() {
    if !has("abidiff", "the comparison of binary interfaces") {
        return;
    }
    let header = header();
    let without = |text: &str| replaced(&header, text, "");
    let breaks = [
        ("a removed function", without("uint32_t osslive_abi_version(void);")),
        (
            "an argument",
            replaced(
                &header,
                "uint32_t osslive_abi_version(void)",
                "uint32_t osslive_abi_version(int a)",
            ),
        ),
        (
            "a result",
            replaced(
                &header,
                "uint32_t osslive_abi_version(void)",
                "uint64_t osslive_abi_version(void)",
            ),
        ),
        ("a status", replaced(&header, "OSSLIVE_ERR_STOPPED = 9", "OSSLIVE_ERR_STOPPED = 19")),
        ("a member of a struct", replaced(&header, "  int64_t from_ms;", "  int32_t from_ms;")),
        ("another member", replaced(&header, "  int overwrite;", "  int overwrite;\n  int more;")),
        ("a callback", replaced(&header, "(size_t done,", "(int done,")),
    ];
    for (what, changed) in breaks {
        assert!(!broken("break", &changed).is_empty(), "{what} was changed");
    }
    let added = replaced(
        &header,
        "  OSSLIVE_ERR_FILE = 10,",
        "  OSSLIVE_ERR_FILE = 10,\n  OSSLIVE_ERR_ADDED = 11,",
    );
    assert_eq!(broken("addition", &added), "");
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "the header has no {from:?}");
    text.replace(from, to)
}
