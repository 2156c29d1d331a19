#!/bin/sh
# Runs a command where a target can be built: here, if this Rust has the target's
# standard library or its source and there is a linker, or else in Debian unstable,
# whose own Rust includes that source.
#
#   packaging/dist/with_tools.sh TARGET COMMAND...
set -eu
target=$1
shift
folder=$(dirname -- "$0")
. "$folder/target.sh"

has_standard_library() {
  ls "$(rustc --print target-libdir --target "$triple")"/libstd-*.rlib \
    "$(rustc --print sysroot)/lib/rustlib/src/rust/library/std/Cargo.toml" 2>/dev/null | grep -q .
}
has_linker() { case $target in *-windows) command -v x86_64-w64-mingw32-gcc >/dev/null ;; esac; }

if has_standard_library && has_linker; then exec "$@"; fi
RUST=own exec sh "$folder/../proof/root.sh" sid \
  'rustc cargo rust-src gcc-mingw-w64-x86-64 binutils python3-venv git' "$@"
