#!/bin/sh
# Compares this SDK's parsers with those of oss2: differential/run.sh [COUNT [SEED]].
# oss2 is installed below target/ unless it is already there.
set -eu
cd "$(dirname "$0")"
# As in tests/real/setup.sh.
OSS2_VERSION=2.19.1
venv=target/venv
if ! "$venv/bin/python" -c 'import oss2' 2>/dev/null; then
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet "oss2==$OSS2_VERSION"
fi
cargo build --release --quiet
"$venv/bin/python" differential.py target/release/osslive-differential "$@"
