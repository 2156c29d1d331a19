#!/bin/sh
# Tests SDK, endpoint and command on Windows: built by mingw-w64, with the standard
# library from source, and run by Wine.
#
#   packaging/proof/windows.sh
set -eu
cd "$(dirname -- "$0")/../.."

export CARGO_TARGET_DIR=target/windows RUSTC_BOOTSTRAP=1 CARGO_PROFILE_DEV_DEBUG=0
export WINEDEBUG=-all XDG_RUNTIME_DIR=/tmp CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=wine

. packaging/proof/tests.sh
# shellcheck disable=SC2046
cargo test -Zbuild-std=std,panic_unwind,test --target x86_64-pc-windows-gnu --no-fail-fast \
  $(portable_tests) -- --skip "$(too_long)"
