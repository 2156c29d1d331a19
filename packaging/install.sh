#!/bin/sh
# Builds and installs the C library: shared and static library, headers,
# pkg-config and CMake files, and the JSON Schemas of the results.
#
#   packaging/install.sh build
#   packaging/install.sh install      PREFIX, DESTDIR, LIBDIR, INCLUDEDIR, DATADIR
#   packaging/install.sh uninstall    the same
#
# PREFIX defaults to /usr/local, LIBDIR to PREFIX/lib, INCLUDEDIR to
# PREFIX/include, DATADIR to PREFIX/share; DESTDIR is put before them all while files are copied, and
# stands in none of them. Cargo is $CARGO; $CARGO_ARGS goes to it, for
# features or a target.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
build=${OSSLIVE_BUILD:-$root/target/capi}
prefix=${PREFIX:-/usr/local}
libdir=${LIBDIR:-$prefix/lib}
includedir=${INCLUDEDIR:-$prefix/include}
schemadir=${DATADIR:-$prefix/share}/osslive/schema
dest=${DESTDIR:-}
native_libs=$build/native-static-libs

constant() { sed -n "s/^#define $1 \"\{0,1\}\([^\"]*\)\"\{0,1\}\$/\1/p" "$root/include/osslive.h"; }
version=$(constant OSSLIVE_VERSION)
abi=$(constant OSSLIVE_ABI_VERSION)

case $(uname -s) in
  Darwin) built=libosslive.dylib shared=libosslive.$abi.dylib soname=@rpath/$shared ;;
  *) built=libosslive.so shared=libosslive.so.$abi soname=$shared ;;
esac

# Into a folder of its own, which a build of something else leaves alone. What the
# library needs from the system rustc says itself.
# What cargo tells a test that starts this of the test's own package would have
# a dependency built anew for each.
build() {
  mkdir -p "$build"
  # shellcheck disable=SC2046
  unset $(env | sed -n 's/^\(CARGO_\(MANIFEST\|PKG\)_[A-Z_]*\)=.*/\1/p')
  # shellcheck disable=SC2086
  (cd "$root" && ${CARGO:-cargo} rustc --quiet --package osslive-capi --lib --release \
    --target-dir "$build" ${CARGO_ARGS:-} \
    -- --print "native-static-libs=$native_libs")
}

# place MODE FILE FOLDER [NAME]
place() {
  mkdir -p "$dest$3"
  install -m "$1" "$2" "$dest$3/${4:-$(basename "$2")}"
}

# fill TEMPLATE FOLDER: writes a file with the values of this installation.
fill() {
  name=$(basename "$1" .in)
  libs=$(cat "$native_libs")
  mkdir -p "$dest$2"
  sed -e "s|@PREFIX@|$prefix|g" -e "s|@LIBDIR@|$libdir|g" -e "s|@INCLUDEDIR@|$includedir|g" \
    -e "s|@VERSION@|$version|g" -e "s|@SHARED_FILE@|$shared|g" -e "s|@SONAME@|$soname|g" \
    -e "s|@NATIVE_LIBS@|$libs|g" -e "s|@NATIVE_LIBS_CMAKE@|$(echo "$libs" | tr ' ' ';')|g" \
    "$1" >"$dest$2/$name"
  chmod 644 "$dest$2/$name"
}

install_all() {
  place 755 "$build/release/$built" "$libdir" "$shared"
  ln -sf "$shared" "$dest$libdir/$built"
  place 644 "$build/release/libosslive.a" "$libdir"
  place 644 "$root/include/osslive.h" "$includedir"
  place 644 "$root/include/osslive.hpp" "$includedir"
  place 644 "$root/include/osslive_json.hpp" "$includedir"
  for schema in "$root"/schema/*.json; do place 644 "$schema" "$schemadir"; done
  fill "$root/packaging/osslive.pc.in" "$libdir/pkgconfig"
  fill "$root/packaging/osslive-config.cmake.in" "$libdir/cmake/osslive"
  fill "$root/packaging/osslive-config-version.cmake.in" "$libdir/cmake/osslive"
}

uninstall() {
  rm -f "$dest$libdir/$shared" "$dest$libdir/$built" "$dest$libdir/libosslive.a" \
    "$dest$includedir/osslive.h" "$dest$includedir/osslive.hpp" \
    "$dest$includedir/osslive_json.hpp" \
    "$dest$libdir/pkgconfig/osslive.pc" \
    "$dest$libdir/cmake/osslive/osslive-config.cmake" \
    "$dest$libdir/cmake/osslive/osslive-config-version.cmake"
  for schema in "$root"/schema/*.json; do rm -f "$dest$schemadir/$(basename "$schema")"; done
  for folder in "$dest$libdir/cmake/osslive" "$dest$schemadir" "$(dirname "$dest$schemadir")"; do
    if [ -d "$folder" ]; then rmdir "$folder" || :; fi
  done
}

case ${1:-} in
  build) build ;;
  install) build && install_all ;;
  uninstall) uninstall ;;
  *) echo "usage: $0 build|install|uninstall" >&2 && exit 2 ;;
esac
