//! The C++ wrapper, with both compilers, under valgrind and with sanitizers.

use osslive_ffi_tests::{Program, Service, has};

const WRAPPER: &str = "ffi-tests/cpp/wrapper.cpp";

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
    let program = Program::new(WRAPPER)
        .compiler("clang++")
        .flag("-fsanitize=address,undefined")
        .flag("-fno-sanitize-recover=all")
        .build();
    Service::start().run(&program).succeeds();
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
