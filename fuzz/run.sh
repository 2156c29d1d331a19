#!/bin/sh
# Runs fuzz targets: fuzz/run.sh SECONDS [TARGET...], by default each of them
# for a minute, one after the other. What is found lies in fuzz/artifacts/.
#
# libFuzzer with coverage from rustc's own pass: no nightly toolchain, no
# cargo-fuzz, no sanitizer (there is no unsafe code to sanitize). A C++
# compiler builds libFuzzer.
set -eu
cd "$(dirname "$0")"
seconds=${1:-60}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- reply profile amf0 flv codec rtmp_server rtmp_client recorder http

target=$(rustc -vV | sed -n 's/^host: //p')
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
bins=$(printf -- '--bin %s ' "$@")
# shellcheck disable=SC2086
cargo build --release --target "$target" $bins

failed=
for name in "$@"; do
    mkdir -p "corpus/$name" "artifacts/$name"
    echo "== $name, $seconds s"
    "target/$target/release/$name" "corpus/$name" "seeds/$name" \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
        -artifact_prefix="artifacts/$name/" -print_final_stats=1 2>"artifacts/$name/log" ||
        failed="$failed $name"
    grep -E '^stat::number_of_executed_units|^stat::average_exec|panicked|ERROR|SUMMARY' \
        "artifacts/$name/log" || true
done
[ -z "$failed" ] || { echo "findings:$failed"; exit 1; }
