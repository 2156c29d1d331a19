//! The quick starts, each run as a user would: an encoder publishes to the URL that
//! it prints. And the examples of batch operations.

use osslive_ffi_tests::{Library, Program, Run, Service, has, root};
use std::fs;
use std::thread;
use std::time::Duration;

fn shows_a_stream(run: Run, channel: &str) {
    let service = Service::start();
    let output = service.publish_to_printed_url(service.with_environment(run.arg(channel)));
    assert!(output.contains("Live") && output.contains("127.0.0.1:"), "{output}");
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
fn the_quickstart_with_ctypes_shows_a_stream() {
    if has("python3", "the quickstart with ctypes") {
        let run = Run::program("python3")
            .env("OSSLIVE_LIBRARY", Library::installed().shared())
            .arg(root().join("examples/python/ctypes_quickstart.py"));
        shows_a_stream(run, "from-python");
    }
}

#[test]
fn a_quickstart_reports_what_is_missing() {
    let program = Program::new("examples/c/quickstart.c").build();
    let outcome = Run::program(program).without("OSS_ACCESS_KEY_ID").outcome();
    assert_eq!(outcome.status, Some(1));
    assert_eq!(outcome.stderr, "the environment variable OSS_ACCESS_KEY_ID is not set\n");
}

#[test]
fn each_quickstart_is_short_and_shown_in_its_page() {
    for (file, page) in [
        ("c/quickstart.c", "c.md"),
        ("cpp/quickstart.cpp", "cpp.md"),
        ("python/quickstart.py", "python.md"),
    ] {
        let text = fs::read_to_string(root().join("examples").join(file)).expect("an example");
        assert!(text.lines().count() < 80, "{file} has {} lines", text.lines().count());
        let shown = fs::read_to_string(root().join("docs").join(page)).expect("a page");
        assert!(shown.contains(&text), "docs/{page} does not show {file}");
    }
}

#[test]
fn the_readme_is_short() {
    let lines = fs::read_to_string(root().join("README.md")).expect("the README").lines().count();
    assert!(lines <= 150, "the README has {lines} lines");
}

/// Returns the output of an example in C.
fn output(service: &Service, example: &str, args: &[&str]) -> String {
    let program = Program::new(&format!("examples/c/{example}.c")).build();
    args.iter().fold(service.run(&program), |run, arg| run.arg(arg)).succeeds()
}

#[test]
fn the_batch_creates_three_channels_and_the_sweep_reports_them() {
    let service = Service::start();
    let before = output(&service, "sweep", &["1", "0.1"]);
    assert_eq!(before.matches("\"change\":\"gone\"").count(), 3, "{before}");

    let created = output(&service, "batch", &[]);
    assert!(created.contains("],\"failed\":0,\"total\":3}"), "{created}");
    for channel in ["main-stage", "backstage", "audience"] {
        assert!(created.contains(&format!("{channel}: publish to rtmp://")), "{created}");
    }

    let swept = output(&service, "sweep", &["3", "0.1"]);
    let lines: Vec<_> = swept.lines().collect();
    assert_eq!(lines[..3], ["{\"changes\":[]}"; 3]);
    assert!(lines[3].contains("\"idle\":[{\"id\":\"main-stage\","), "{swept}");
    assert!(lines[3].ends_with("\"failed\":[],\"total\":3}"), "{swept}");
}

#[test]
fn the_history_is_analyzed() {
    let service = Service::start();
    let week = output(&service, "history", &["on-air"]);
    assert!(week.contains("\"sessionCount\":1,"), "{week}");
    assert!(week.contains("\"uniqueIps\":[\"127.0.0.1\"]"), "{week}");
}

#[test]
fn highlights_of_a_live_stream_are_saved() {
    let service = Service::start();
    // Repeated until three seconds are recorded.
    let cut = (0..200).map(|_| {
        thread::sleep(Duration::from_millis(200));
        output(&service, "highlights", &["on-air", "1"])
    });
    let mut cut = cut.skip_while(|output| !output.contains("],\"failed\":0,\"total\":3}"));
    let output = cut.next().expect("three highlights");
    for name in ["opening", "peak", "closing"] {
        assert!(output.contains(&format!("\"playlist\":\"{name}.m3u8\",\"start\":")), "{output}");
        assert!(output.contains(&format!("{name}: http://")), "{output}");
    }
}

#[test]
fn each_example_is_short_and_named_in_the_documentation() {
    let page = fs::read_to_string(root().join("docs/c.md")).expect("a page");
    for example in ["sweep", "history", "highlights", "batch"] {
        for file in [format!("examples/c/{example}.c"), format!("examples/rust/{example}.rs")] {
            let text = fs::read_to_string(root().join(&file)).expect("an example");
            assert!(text.lines().count() < 80, "{file} has {} lines", text.lines().count());
            assert!(page.contains(&file), "docs/c.md does not name {file}");
        }
    }
}
