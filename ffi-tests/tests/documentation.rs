//! The documentation: every link works, and every code block is compiled or run.
//!
//! C and C++ blocks are compiled here, JSON is parsed, and the syntax of shell
//! blocks is checked. Other tests cover the rest, which this one verifies: Rust
//! blocks are documentation tests of the file in `RUST_PAGES`, Python blocks belong
//! to python/tests/test_docs.py, which reads the same pages, and the `osslive`
//! commands in shell blocks to the tests of the command.

use osslive_ffi_tests::markdown::{Block, Page, pages};
use osslive_ffi_tests::{Library, Run, has, root, scratch, skipped};
use std::fs;
use std::process::Command;

/// Pages with Rust blocks, and the file that includes them as documentation tests.
const RUST_PAGES: [(&str, &str); 2] =
    [("README.md", "src/lib.rs"), ("docs/cli.md", "local/src/lib.rs")];

/// Directories whose pages python/tests/test_docs.py reads.
const PYTHON_FOLDERS: [&str; 4] = ["", "docs", "examples", "python"];

/// Languages of blocks that are not run, with the reason.
const NOT_RUN: [(&str, &str); 2] = [
    ("text", "output, a diagram or a table"),
    ("cmake", "two lines, which ffi-tests/tests/consumer.rs builds in a whole project"),
];

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let pages = pages();
    let broken: Vec<_> = pages.iter().flat_map(|page| page.broken_links(&pages)).collect();
    assert!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
}

#[test]
fn every_block_has_a_language_that_is_checked() {
    for page in pages() {
        for block in page.blocks() {
            let at = format!("{}:{}", page.path, block.line);
            match block.language.as_str() {
                "c" | "cpp" | "json" | "sh" => {}
                "yaml" => {
                    let reader = root().join("cli/src/channel/manifest.rs");
                    let text = fs::read_to_string(reader).expect("a source file");
                    assert!(text.contains(&page.path), "{at}: no test reads it");
                }
                "python" => {
                    let folder = page.path.rsplit_once('/').map_or("", |(folder, _)| folder);
                    let folder = folder.split('/').next().unwrap_or_default();
                    assert!(PYTHON_FOLDERS.contains(&folder), "{at}: no Python test reads it");
                }
                "rust" => {
                    let owner = RUST_PAGES.iter().find(|(path, _)| *path == page.path);
                    let (path, file) =
                        owner.unwrap_or_else(|| panic!("{at}: no Rust test reads it"));
                    let text = fs::read_to_string(root().join(file)).expect("a source file");
                    assert!(text.contains(&format!("{path}\")")), "{file} includes no {path}");
                }
                other => assert!(
                    NOT_RUN.iter().any(|(language, _)| *language == other),
                    "{at}: no test runs a block of {other:?}"
                ),
            }
        }
    }
}

#[test]
fn every_json_block_is_valid() {
    for (at, block) in blocks("json") {
        let read: Result<serde_json::Value, _> = serde_json::from_str(&block.text);
        assert!(read.is_ok(), "{at}: {read:?}");
    }
}

#[test]
fn every_shell_block_parses() {
    if !has("bash", "the shell blocks of the documentation") {
        return;
    }
    for (at, block) in blocks("sh") {
        let mut command = Command::new("bash");
        command.args(["-n", "-c", &block.text]);
        let outcome = Run::of(command).outcome();
        assert_eq!(outcome.status, Some(0), "{at}: {}", outcome.stderr);
    }
}

/// A documentation test has the dependencies of the SDK's own tests.
#[test]
fn the_rust_program_of_the_readme_needs_only_the_sdk() {
    let mut blocks = blocks("rust").into_iter();
    let (at, block) = blocks.find(|(at, _)| at.starts_with("README.md")).expect("a program");
    let folder = scratch("readme");
    fs::create_dir_all(folder.join("src")).expect("a folder");
    fs::write(folder.join("src/main.rs"), block.text).expect("a file");
    let manifest = format!(
        "[package]\nname = \"readme\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n\
         osslive = {{ path = {:?} }}\n",
        root()
    );
    fs::write(folder.join("Cargo.toml"), manifest).expect("a file");
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).expect("the lock file");
    let mut command = Command::new(env!("CARGO"));
    command.args(["check", "--quiet", "--offline"]).current_dir(&folder);
    command.arg("--target-dir").arg(folder.join("target"));
    let outcome = Run::of(command).outcome();
    assert_eq!(outcome.status, Some(0), "{at}: {}", outcome.stderr);
}

#[test]
fn every_c_block_compiles() {
    for (at, block) in blocks("c") {
        compile(&at, &block.text, "c", "#include <osslive.h>\n#include <stdio.h>\n");
    }
}

#[test]
fn every_cpp_block_compiles() {
    let headers = "#include <osslive.hpp>\n#include <iostream>\n";
    for (at, block) in blocks("cpp") {
        if block.text.contains("osslive_json.hpp") && !has_nlohmann_json() {
            continue;
        }
        compile(&at, &block.text, "cpp", headers);
    }
}

fn blocks(language: &str) -> Vec<(String, Block)> {
    let of = |page: Page| {
        let blocks = page.blocks().into_iter().filter(|block| block.language == language);
        blocks.map(|block| (format!("{}:{}", page.path, block.line), block)).collect::<Vec<_>>()
    };
    let found: Vec<_> = pages().into_iter().flat_map(of).collect();
    assert!(!found.is_empty(), "no block of {language} in any page");
    found
}

/// Compiles a block: as is if it has includes, and otherwise as the body of a
/// function with a client.
fn compile(at: &str, text: &str, suffix: &str, headers: &str) {
    let client = match (suffix, text.contains("*client = ")) {
        (_, true) => "void",
        ("c", _) => "const osslive_client *client",
        _ => "const osslive::Client &client",
    };
    let text = match text.contains("#include") {
        true => text.to_owned(),
        false => format!("{headers}void example({client});\nvoid example({client}) {{\n{text}}}\n"),
    };
    let name: String =
        at.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let file = scratch("documentation").join(format!("{name}.{suffix}"));
    fs::write(&file, text).expect("a file");
    let (compiler, standard) =
        if suffix == "c" { ("gcc", "-std=gnu11") } else { ("g++", "-std=c++17") };
    let mut command = Command::new(compiler);
    command.args([standard, "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]);
    command.arg("-I").arg(Library::installed().include()).arg(&file);
    let outcome = Run::of(command).outcome();
    assert_eq!(outcome.status, Some(0), "{at}: {}", outcome.stderr);
}

fn has_nlohmann_json() -> bool {
    let mut command = Command::new("g++");
    command.args(["-std=c++17", "-fsyntax-only", "-include", "nlohmann/json.hpp"]);
    let has = command.args(["-x", "c++", "/dev/null"]).output().is_ok_and(|o| o.status.success());
    if !has {
        skipped("C++ blocks with typed results", "nlohmann/json is missing");
    }
    has
}
