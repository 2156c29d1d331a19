//! The C interface from C: every function, every kind of failure, bad input,
//! threads, memory, unloading; under valgrind and with sanitizers too.

use osslive_ffi_tests::{Hostile, Library, Program, Run, Service, has, scratch, with_test_panic};

#[test]
fn every_call_succeeds_and_fails_in_every_way() {
    let program = Program::new("ffi-tests/c/calls.c").build();
    Service::start().run(&program).arg(scratch("calls")).succeeds();
}

#[test]
fn bad_input_is_an_error_that_names_the_parameter() {
    let program = Program::new("ffi-tests/c/bad_input.c").build();
    Service::start().run(&program).succeeds();
}

#[test]
fn batch_operations_work() {
    let program = Program::new("ffi-tests/c/many.c").build();
    Service::start().run(&program).arg(scratch("many")).succeeds();
}

#[test]
fn eight_threads_share_a_client_while_its_key_is_replaced() {
    let program = Program::new("ffi-tests/c/threads.c").build();
    Service::start().run(&program).succeeds();
}

#[test]
fn signals_and_forks_of_the_host_are_unaffected() {
    let program = Program::new("ffi-tests/c/signals.c").build();
    Service::start().run(&program).succeeds();
}

#[test]
fn children_forked_during_calls_and_callbacks_do_not_hang() {
    let program = Program::new("ffi-tests/c/forks.c").build();
    Service::start().run(&program).succeeds();
}

/// Half of what the header documents is enough, which leaves room for other systems
/// and versions of TLS.
#[test]
fn calls_need_less_stack_than_the_header_says() {
    let header = std::fs::read_to_string(Library::installed().include().join("osslive.h"));
    let header = header.expect("the header").replace("\n *     ", " ");
    let (_, asked) = header.split_once("functions need ").expect("the size of a stack");
    let (kib, _) = asked.split_once(" KiB").expect("a size in KiB");
    let half = kib.parse::<u32>().expect("a number") * 1024 / 2;
    let program = Program::new("ffi-tests/c/stack.c").build();
    let run = Service::start().run(&program).arg(half.to_string());
    run.arg(scratch("stack")).succeeds();
}

#[test]
fn no_freed_secret_stays_in_memory() {
    let program = Program::new("ffi-tests/c/wipe.c").build();
    Service::start().run(&program).succeeds();
}

#[test]
fn memory_stays_flat_over_ten_thousand_calls() {
    let program = Program::new("ffi-tests/c/memory.c").build();
    Service::start().run(&program).succeeds();
}

/// Runs the program with hostile responses.
fn hostile(what: &str) -> Run {
    let program = Program::new("ffi-tests/c/hostile.c").build();
    Run::program(program)
        .arg(what)
        .arg(Hostile::RESPONSES.to_string())
        .env("OSS_ENDPOINT", Hostile::start().url())
        .env("OSS_REGION", "cn-hangzhou")
        .env("OSS_BUCKET", "live-demo")
        .env("OSS_ACCESS_KEY_ID", "id")
        .env("OSS_ACCESS_KEY_SECRET", "secret")
}

#[test]
fn responses_take_a_bounded_amount_of_memory() {
    hostile("peak").succeeds();
}

#[test]
fn in_a_small_address_space_calls_fail_and_the_process_survives() {
    hostile("space").succeeds();
}

#[test]
fn the_log_callback_receives_every_thread_and_no_secret() {
    let program = Program::new("ffi-tests/c/log.c").build();
    Service::start().run(&program).succeeds();
}

#[test]
fn the_library_is_loaded_used_and_unloaded_a_hundred_times() {
    let program = Program::new("ffi-tests/c/unload.c").build();
    Service::start().run(&program).arg(Library::installed().shared()).succeeds();
}

#[test]
fn a_panic_in_the_release_build_becomes_an_error() {
    let program = Program::new("ffi-tests/c/panic.c").build();
    Run::program(program).arg(with_test_panic()).succeeds();
}

#[test]
fn valgrind_finds_neither_errors_nor_leaks() {
    if !has("valgrind", "the C programs under valgrind") {
        return;
    }
    let service = Service::start();
    for (source, argument) in [
        ("calls", scratch("valgrind").to_str().expect("UTF-8")),
        ("bad_input", ""),
        ("many", ""),
        ("threads", "3"),
        ("memory", "210"),
        ("log", ""),
    ] {
        let program = Program::new(&format!("ffi-tests/c/{source}.c")).build();
        service.run_under_valgrind(&program).arg(argument).succeeds();
    }
}

#[test]
fn sanitizers_find_neither_errors_nor_leaks() {
    if !has("clang", "the C programs with sanitizers") {
        return;
    }
    let service = Service::start();
    for (source, argument) in [
        ("calls", scratch("sanitizers").to_str().expect("UTF-8")),
        ("bad_input", ""),
        ("many", ""),
        ("threads", "50"),
        ("memory", "700"),
        ("log", ""),
    ] {
        let program = Program::new(&format!("ffi-tests/c/{source}.c"))
            .compiler("clang")
            .flag("-fsanitize=address,undefined")
            .flag("-fno-sanitize-recover=all")
            .build();
        service.run(&program).arg(argument).succeeds();
    }
}
