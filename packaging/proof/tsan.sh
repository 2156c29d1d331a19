#!/bin/sh
# Tests the SDK and the local endpoint under ThreadSanitizer, with an instrumented
# standard library. In Debian unstable, with its own Rust, which has the sources of std, and
# with the sanitizer runtime of the clang that has the same LLVM version.
#
#   packaging/proof/tsan.sh [ARGUMENTS OF CARGO TEST...]
#
# Fails if a test fails or a data race is reported. Reports are in target/tsan/reports, one
# file for each process.
set -eu
cd "$(dirname -- "$0")/../.."

llvm=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
command -v "clang-$llvm" >/dev/null || {
  echo "this Rust needs clang-$llvm and libclang-rt-$llvm-dev" >&2
  exit 2
}

target=x86_64-unknown-linux-gnu
folder=$PWD/target/tsan
reports=$folder/reports
mkdir -p "$folder"
"clang-$llvm" -shared -fPIC -O1 -o "$folder/fcntl.so" packaging/proof/tsan_fcntl.c

export CARGO_TARGET_DIR=target/tsan RUSTC_BOOTSTRAP=1
export CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_PROFILE_DEV_DEBUG=line-tables-only
export RUSTFLAGS="-Zsanitizer=thread -Zexternal-clangrt -Clinker=clang-$llvm -Clink-arg=-fsanitize=thread"
export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER="env LD_PRELOAD=$folder/fcntl.so"
# A test forks on purpose, while the test harness has other threads.
export TSAN_OPTIONS="log_path=$reports/report die_after_fork=0"

# instrumented COMMAND [ARGUMENTS...]: runs cargo COMMAND, instrumented.
instrumented() {
  command=$1
  shift
  cargo "$command" -Zbuild-std=std,panic_unwind,test --target "$target" "$@"
}

clear_reports() {
  rm -rf "$reports"
  mkdir -p "$reports"
}

# Otherwise, a run without reports would prove nothing.
finds_a_seeded_race() {
  seed=$(mktemp -d)
  trap 'rm -rf "$seed"' EXIT
  mkdir "$seed/src"
  cp packaging/proof/tsan_race.rs "$seed/src/main.rs"
  printf '%s\n' '[package]' 'name = "race"' 'edition = "2024"' '[workspace]' >"$seed/Cargo.toml"
  clear_reports
  ! instrumented run --quiet --manifest-path "$seed/Cargo.toml" || return 1
  sed -n 's/^SUMMARY: /seeded: /p' "$reports"/*
  grep -q 'data race .*main.rs.* in .*increment' "$reports"/*
}

[ $# -gt 0 ] || set -- --lib --tests

finds_a_seeded_race || {
  echo 'the seeded race was not reported' >&2
  exit 1
}

# The features of `make test`, except those that only choose another TLS library or trust
# store.
select='-p osslive -p osslive-local --features osslive/credential-sources,osslive/schema'
# These cannot pass: the first searches all memory of its process, of which the sanitizer
# reserves terabytes; the second limits memory, and the sanitizer allocates some itself.
skip='--skip nothing_of_dropped_credentials_is_left_in_memory
  --skip without_threads_requests_get_responses_and_publishers_are_disconnected'

clear_reports
# One of the tests runs the examples.
# shellcheck disable=SC2086
instrumented build $select --examples
result=0
# shellcheck disable=SC2086
instrumented test --no-fail-fast $select "$@" -- $skip || result=$?
if [ -n "$(ls "$reports")" ]; then
  cat "$reports"/* >&2
  result=1
fi
exit "$result"
