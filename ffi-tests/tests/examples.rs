//! The quickstarts, each run as its user runs it: an encoder publishes to the
//! URL that it prints.

use osslive_ffi_tests::{Library, Program, Run, Service, has, root};
use std::fs;

fn shows_a_stream(run: Run, channel: &str) {
    let service = Service::start();
    let told = service.publish_as_told(service.told_to(run.arg(channel)));
    assert!(told.contains("Live") && told.contains("320"), "{told}");
}

#[test]
fn the_quickstart_in_c_shows_a_stream() {
    shows_a_stream(Run::program(Program::new("examples/c/quickstart.c").build()), "from-c");
}

#[test]
fn the_quickstart_in_cpp_shows_a_stream() {
    shows_a_stream(Run::program(Program::new("examples/cpp/quickstart.cpp").build()), "from-cpp");
}

#[test]
fn the_quickstart_in_python_shows_a_stream() {
    if has("python3", "the quickstart in Python") {
        let run = Run::program("python3")
            .env("OSSLIVE_LIBRARY", Library::installed().shared())
            .arg(root().join("examples/python/quickstart.py"));
        shows_a_stream(run, "from-python");
    }
}

#[test]
fn a_quickstart_says_what_it_lacks() {
    let program = Program::new("examples/c/quickstart.c").build();
    let outcome = Run::program(program).without("OSS_ACCESS_KEY_ID").outcome();
    assert_eq!(outcome.status, Some(1));
    assert_eq!(outcome.stderr, "the environment variable OSS_ACCESS_KEY_ID is not set\n");
}

#[test]
fn each_quickstart_is_short_and_stands_in_the_readme() {
    let readme = fs::read_to_string(root().join("README.md")).expect("the README");
    for file in ["c/quickstart.c", "cpp/quickstart.cpp", "python/quickstart.py"] {
        let text = fs::read_to_string(root().join("examples").join(file)).expect("an example");
        assert!(text.lines().count() < 80, "{file} has {} lines", text.lines().count());
        assert!(readme.contains(&text), "the README shows another {file}");
    }
}
