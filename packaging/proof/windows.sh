#!/bin/sh
# Tests the SDK on Windows: built by mingw-w64, with the standard library from
# source, and run by Wine.
#
#   packaging/proof/windows.sh
set -eu
cd "$(dirname -- "$0")/../.."

export CARGO_TARGET_DIR=target/windows RUSTC_BOOTSTRAP=1 CARGO_PROFILE_DEV_DEBUG=0
export WINEDEBUG=-all XDG_RUNTIME_DIR=/tmp CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=wine

# Neither are `architecture` and `sources`, about the sources and not the platform,
# nor `process` and `wiping`, about what only Unix and Linux have.
tests='certificates codes configuration failures faults flow json load many monitor peer proxy
  refusals shutdown vectors'

# Wine takes many minutes for twenty thousand connections.
# shellcheck disable=SC2046
cargo test -Zbuild-std=std,panic_unwind,test --target x86_64-pc-windows-gnu --no-fail-fast \
  -p osslive --lib $(printf ' --test %s' $tests) -- --skip ten_thousand_channels
