#!/bin/sh
# Tests the oldest supported Rust, Debian 13's. The lock file contains newer releases of
# some dependencies, so cargo chooses older ones, in a copy of the sources. Builds the
# library and the command, and runs the demo.
set -eu
cd "$(dirname -- "$0")/../.."
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z | xargs -0 cp --parents -t "$copy"
cd "$copy"
rustc --version
cargo update 2>&1 | grep -i 'requires rust\|downgrading' || :
export CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR=$copy/target
cargo build -p osslive -p osslive-capi -p osslive-cli
target/debug/osslive demo --clip
