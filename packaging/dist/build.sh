#!/bin/sh
# Builds the command and the C library for a target, into target/dist/TARGET.
#
#   packaging/dist/build.sh TARGET
#
# Linux targets are linked by zig, against the glibc that the target names; Windows by
# mingw-w64. If this Rust has no standard library for the target, it is built from
# source, which needs rust-src.
set -eu
target=$1
. "$(dirname -- "$0")/target.sh"

ZIGBUILD=0.24.1 ZIG=0.17.1
flags='' standard=''

# The results are distributed: without debug symbols, and without paths of the
# build machine.
export CARGO_PROFILE_RELEASE_STRIP=symbols
remap="--remap-path-prefix=$repository=osslive --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo"

install_zig() {
  [ -x "$tools/bin/cargo-zigbuild" ] && return
  python3 -m venv "$tools"
  "$tools/bin/python" -m pip install --quiet --disable-pip-version-check \
    "cargo-zigbuild==$ZIGBUILD" "ziglang==$ZIG"
}

# Several directories may contain a standard library; the last one named is used.
if ! ls "$(rustc --print target-libdir --target "$triple")"/libstd-*.rlib >/dev/null 2>&1; then
  export RUSTC_BOOTSTRAP=1
  standard=-Zbuild-std=std,panic_unwind
fi

cargo_rustc() {
  case $target in
    *-windows) cargo rustc --target "$triple" "$@" ;;
    *) PATH="$tools/bin:$PATH" cargo-zigbuild rustc --target "$triple${glibc:+.$glibc}" "$@" ;;
  esac
}

# build FLAGS ARGUMENTS...
build() {
  flags=$1
  shift
  (cd "$repository" && RUSTFLAGS="$remap $flags" cargo_rustc $standard --release --locked \
    --target-dir "$repository/target/dist/cargo" "$@")
}

# link TARGET: the shared library, with zig's name for the target. Zig has the unwinder in
# a separate library.
link() {
  # shellcheck disable=SC2046
  TARGET_OS=linux CC="$tools/bin/python -m ziglang cc -target $1" \
    sh "$repository/packaging/link.sh" "$stage" \
    $(sed 's/-lgcc_s/-lunwind/g' "$stage/native-static-libs")
}

built=$repository/target/dist/cargo/$triple/release
mkdir -p "$stage"
cd "$repository"

case $target in
  *-windows)
    # The programs need no compiler runtime libraries.
    build '-C target-feature=+crt-static' -p osslive-cli --bin osslive
    cp "$built/$command" "$stage/"
    build '-C target-feature=+crt-static' -p osslive-capi --lib -- --print "native-static-libs=$stage/native-static-libs"
    cp "$built/osslive.dll" "$built/libosslive.dll.a" "$built/libosslive.a" "$stage/" ;;
  *-musl)
    install_zig
    # Zig provides the startup files.
    build '-C target-feature=+crt-static' -p osslive-cli --bin osslive -- -C link-self-contained=no
    cp "$built/$command" "$stage/"
    # A shared library uses the libc of the program that loads it.
    build '-C target-feature=-crt-static' -p osslive-capi --lib -- -C link-self-contained=no --print "native-static-libs=$stage/native-static-libs"
    cp "$built/libosslive.a" "$stage/"
    link "$arch-linux-musl" ;;
  *)
    install_zig
    build '' -p osslive-cli --bin osslive
    cp "$built/$command" "$stage/"
    build '' -p osslive-capi --lib -- --print "native-static-libs=$stage/native-static-libs"
    cp "$built/libosslive.a" "$stage/"
    link "$arch-linux-gnu.$glibc" ;;
esac
ls -l "$stage"
