#!/bin/sh
# Tests SDK, endpoint and command on Windows: built by mingw-w64, run by Wine.
#
#   packaging/proof/windows.sh [PACKAGE...]
#
# Left out, by name, is what Windows or Wine lacks; see the list.
set -eu
cd "$(dirname -- "$0")/../.."

# What is for Unix alone is not compiled there.
#   architecture, sources: about the sources, not the platform
LEFT_OUT='--skip architecture'

export CARGO_TARGET_DIR=target/windows RUSTC_BOOTSTRAP=1 CARGO_PROFILE_DEV_DEBUG=0
export WINEDEBUG=-all XDG_RUNTIME_DIR=/tmp CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=wine
packages=${*:-osslive osslive-local osslive-cli}

for package in $packages; do
  # shellcheck disable=SC2086
  cargo test -Zbuild-std=std,panic_unwind,test --target x86_64-pc-windows-gnu --no-fail-fast \
    -p "$package" --lib --bins --tests -- $LEFT_OUT
done
