//! The C++ wrapper, with both compilers, under valgrind and with sanitizers.

use osslive_ffi_tests::{Program, Run, Service, has, serve_xml, skipped};
use std::path::PathBuf;
use std::process::Command;

const WRAPPER: &str = "ffi-tests/cpp/wrapper.cpp";
const LOG: &str = "ffi-tests/cpp/log.cpp";
const ODD: &str = "ffi-tests/cpp/odd.cpp";
const TYPED: &str = "ffi-tests/cpp/typed.cpp";

/// Returns whether the typed results can be compiled.
fn has_nlohmann_json() -> bool {
    let mut command = Command::new("g++");
    command.args(["-std=c++17", "-fsyntax-only", "-include", "nlohmann/json.hpp"]);
    let has = command.args(["-x", "c++", "/dev/null"]).output().is_ok_and(|o| o.status.success());
    if !has {
        skipped("the typed results in C++", "nlohmann/json is not installed");
    }
    has
}

#[test]
fn the_typed_results_are_read_with_both_compilers() {
    if !has_nlohmann_json() {
        return;
    }
    let service = Service::start();
    service.run(&Program::new(TYPED).flag("-Wshadow").build()).succeeds();
    if has("clang++", "the typed results with clang") {
        service.run(&sanitized(TYPED)).succeeds();
    }
}

/// An invalid optional value does not fail the call: a number is 0, a time is
/// absent.
#[test]
fn an_invalid_optional_value_in_a_status_is_ignored() {
    if !has_nlohmann_json() {
        return;
    }
    let program = Program::new(ODD).build();
    for (width, time, said) in [
        ("1280", "2026-11-22T12:00:00.000Z", "1280 720 connected"),
        (" 1280\n", "2026-11-22T20:00:00+0800", "1280 720 connected"),
        ("1279.5", "2026-11-22 12:00:00", "1280 720 connected"),
        ("", "", "0 720 no time"),
        ("wide", "soon", "0 720 no time"),
        ("-1", "0000-01-01T00:00:00+23:59", "0 720 no time"),
        ("99999999999999999999", "2026-13-45T99:00:00Z", "0 720 no time"),
    ] {
        let url = serve_xml(&format!(
            "<LiveChannelStat><Status>Live</Status><ConnectedTime>{time}</ConnectedTime><New/>\
             <Video><Width>{width}</Width><Height>720</Height></Video></LiveChannelStat>"
        ));
        let printed = Run::program(&program)
            .env("OSS_ENDPOINT", url)
            .env("OSS_REGION", "cn-hangzhou")
            .env("OSS_BUCKET", "bucket")
            .env("OSS_ACCESS_KEY_ID", "id")
            .env("OSS_ACCESS_KEY_SECRET", "secret")
            .succeeds();
        assert_eq!(printed.trim(), said, "width {width:?}, time {time:?}");
    }
}

#[test]
fn the_wrapper_works_with_gcc() {
    let program = Program::new(WRAPPER).build();
    Service::start().run(&program).succeeds();
}

#[test]
fn the_wrapper_works_with_clang_and_sanitizers() {
    if !has("clang++", "the C++ wrapper with clang") {
        return;
    }
    Service::start().run(&sanitized(WRAPPER)).succeeds();
}

#[test]
fn the_wrapper_works_as_cpp20() {
    let program = Program::new(WRAPPER).flag("-std=c++20").build();
    Service::start().run(&program).succeeds();
}

#[test]
fn valgrind_finds_neither_errors_nor_leaks() {
    if !has("valgrind", "the C++ wrapper under valgrind") {
        return;
    }
    let program = Program::new(WRAPPER).build();
    Service::start().run_under_valgrind(&program).succeeds();
}

#[test]
fn the_log_callback_is_replaced_from_anywhere_at_any_time() {
    let service = Service::start();
    service.run(&Program::new(LOG).build()).succeeds();
    if has("clang++", "the log callback with sanitizers") {
        service.run(&sanitized(LOG)).succeeds();
    }
}

/// The process ends repeatedly while threads log.
#[test]
fn the_log_callback_outlives_every_thread_at_exit() {
    if !has("clang++", "the log callback at exit") {
        return;
    }
    let (service, program) = (Service::start(), sanitized(LOG));
    for _ in 0..20 {
        service.run(&program).arg("exit").succeeds();
    }
}

fn sanitized(source: &str) -> PathBuf {
    Program::new(source)
        .compiler("clang++")
        .flag("-fsanitize=address,undefined")
        .flag("-fno-sanitize-recover=all")
        .build()
}
