#!/bin/sh
# Minimizes corpus/, where fuzz/run.sh collects inputs, and packs it into corpora/:
# fuzz/pack.sh [TARGET...]. Keeps the smallest inputs that add coverage to seeds/, up to
# a size limit.
set -eu
cd "$(dirname "$0")"
target=$(rustc -vV | sed -n 's/^host: //p')
# The size limit of a packed corpus in bytes.
limit=${PACK_LIMIT:-85000}

[ -z "${TMPDIR:-}" ] && [ -w /dev/shm ] && export TMPDIR=/dev/shm
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# pack COUNT: packs the smallest inputs reproducibly, named by numbers.
pack() {
    rm -rf "$work/packed"
    mkdir "$work/packed"
    number=1000
    head -n "$1" "$work/list" | while read -r file; do
        number=$((number + 1))
        cp "$work/merged/$file" "$work/packed/$number"
    done
    tar -C "$work/packed" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner \
        --mode=0644 -cf - . | gzip -9n >"$work/packed.tar.gz"
    wc -c <"$work/packed.tar.gz"
}

[ $# -gt 0 ] || set -- $(ls corpus)
mkdir -p corpora
for name in "$@"; do
    rm -rf "$work/merged"
    cp -R "seeds/$name" "$work/merged"
    "target/$target/release/$name" -merge=1 -max_len=65536 -timeout=10 -rss_limit_mb=2048 \
        "$work/merged" "corpus/$name" 2>"$work/log" || { tail "$work/log"; exit 1; }
    ls "seeds/$name" | while read -r seed; do rm "$work/merged/$seed"; done
    ls -rS "$work/merged" >"$work/list"
    count=$(wc -l <"$work/list")
    [ "$count" -gt 0 ] || continue
    while size=$(pack "$count") && [ "$size" -gt "$limit" ]; do
        count=$((count - count / 12))
    done
    mv "$work/packed.tar.gz" "corpora/$name.tar.gz"
    echo "$name: $count of $(wc -l <"$work/list") inputs, $size bytes"
done
