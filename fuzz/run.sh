#!/bin/sh
# Runs fuzz targets: fuzz/run.sh SECONDS [TARGET...], by default each of them
# for a minute, one after the other. Findings are written to fuzz/artifacts/. Runs start
# from seeds/ and corpora/, which fuzz/pack.sh packs from earlier runs.
#
# libFuzzer with coverage from rustc's own pass: no nightly toolchain, no
# cargo-fuzz. A C++ compiler builds libFuzzer. `capi` is a C program linked to the
# static library, which clang builds with its own libFuzzer and sanitizers, with
# $CFLAGS; all other code is safe Rust, with nothing to sanitize.
set -eu
cd "$(dirname "$0")"
seconds=${1:-60}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- reply profile settings amf0 flv codec rtmp_server rtmp_client recorder \
    recording http framing control names files capi

target=$(rustc -vV | sed -n 's/^host: //p')
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"

# Some targets write temporary files: much faster in memory.
[ -z "${TMPDIR:-}" ] && [ -w /dev/shm ] && export TMPDIR=/dev/shm

build_capi() {
    cargo rustc --release --quiet --manifest-path ../Cargo.toml --package osslive-capi --lib \
        --target "$target" --target-dir target \
        --config profile.release.lto=false --config profile.release.debug-assertions=true \
        --config profile.release.overflow-checks=true
    # shellcheck disable=SC2086 # $CFLAGS is a list.
    clang -D_GNU_SOURCE -g -O1 -Wall -Wextra ${CFLAGS:-} -fsanitize=fuzzer,address,undefined \
        -I../include -o "target/$target/release/capi" c/capi.c \
        "target/$target/release/libosslive.a" -lpthread -ldl -lm
}

for name in "$@"; do
    if [ "$name" = capi ]; then build_capi; else
        cargo build --release --target "$target" --bin "$name"
    fi
done

failed=
total=0
for name in "$@"; do
    if [ ! -d "corpus/$name" ]; then
        mkdir -p "corpus/$name"
        [ ! -f "corpora/$name.tar.gz" ] || tar -xzf "corpora/$name.tar.gz" -C "corpus/$name"
    fi
    mkdir -p "artifacts/$name"
    echo "== $name, $seconds s"
    "target/$target/release/$name" "corpus/$name" "seeds/$name" \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
        -artifact_prefix="artifacts/$name/" -print_final_stats=1 2>"artifacts/$name/log" ||
        failed="$failed $name"
    grep -aE '^stat::number_of_executed_units|^stat::average_exec|panicked|ERROR|SUMMARY' \
        "artifacts/$name/log" || true
    count=$(sed -n 's/^stat::number_of_executed_units: *//p' "artifacts/$name/log")
    total=$((total + ${count:-0}))
done
echo "$total executions of $# targets"
[ -z "$failed" ] || { echo "findings:$failed"; exit 1; }
