#!/bin/sh
# Builds and installs the C library: shared and static library, headers,
# pkg-config and CMake files, and the JSON Schemas of the results.
#
#   packaging/install.sh build
#   packaging/install.sh install      PREFIX, DESTDIR, LIBDIR, INCLUDEDIR, DATADIR
#   packaging/install.sh uninstall    the same
#   packaging/install.sh place        like install, with the existing LIBRARIES
#   packaging/install.sh pack         LIBRARIES, DESTDIR, TARGET_OS
#
# PREFIX defaults to /usr/local, LIBDIR to PREFIX/lib, INCLUDEDIR to
# PREFIX/include, DATADIR to PREFIX/share; DESTDIR is prepended to all of them while
# files are copied, and is not written into any file. $CARGO is the cargo to use, and
# $CARGO_ARGS its arguments, such as features or a target.
#
# pack copies the libraries for TARGET_OS (linux, macos, windows) from the directory
# LIBRARIES into DESTDIR, which users may move: the files in it refer to each other by
# relative paths.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
build=${OSSLIVE_BUILD:-$root/target/capi}
prefix=${PREFIX:-/usr/local}
libdir=${LIBDIR:-$prefix/lib}
includedir=${INCLUDEDIR:-$prefix/include}
schemadir=${DATADIR:-$prefix/share}/osslive/schema
bindir=$prefix/bin
dest=${DESTDIR:-}
movable=no
native_libs=$build/native-static-libs

constant() { sed -n "s/^#define $1 \"\{0,1\}\([^\"]*\)\"\{0,1\}\$/\1/p" "$root/include/osslive.h"; }
version=$(constant OSSLIVE_VERSION)
abi=$(constant OSSLIVE_ABI_VERSION)

os=${TARGET_OS:-$(uname -s | tr '[:upper:]' '[:lower:]')}
case $os in
  darwin | macos) built=libosslive.dylib shared=libosslive.$abi.dylib soname=@rpath/$shared ;;
  windows)
    built=osslive.dll shared=osslive.dll soname=$shared
    import_library=libosslive.dll.a shared_path=../bin/$shared ;;
  *) built=libosslive.so shared=libosslive.so.$abi soname=$shared ;;
esac
: "${import_library=}" "${shared_path=$shared}"

# Builds in a separate directory, which other builds do not use; its subdirectory
# libraries contains the files to install. rustc itself reports the required system
# libraries. A test that starts this inherits variables from cargo that describe the test's
# package; with them, a dependency would be rebuilt each time.
build() {
  mkdir -p "$build"
  # shellcheck disable=SC2046
  unset $(env | sed -n 's/^\(CARGO_\(MANIFEST\|PKG\)_[A-Z_]*\)=.*/\1/p')
  # shellcheck disable=SC2086
  (cd "$root" && ${CARGO:-cargo} rustc --package osslive-capi --lib --release \
    --target-dir "$build" ${CARGO_ARGS:-} \
    -- --print "native-static-libs=$native_libs")
  mkdir -p "$build/libraries"
  stage libosslive.a
  case $os in
    darwin | macos) stage "$built" ;;
    windows) stage "$built" && stage libosslive.dll.a ;;
    # shellcheck disable=SC2046
    *) sh "$root/packaging/link.sh" "$build/libraries" $(cat "$native_libs") ;;
  esac
}

# Renamed into place, since another build may be reading the old one.
stage() {
  cp "$build/release/$1" "$build/libraries/$1.$$"
  mv "$build/libraries/$1.$$" "$build/libraries/$1"
}

# can_write FOLDER: fails early, before minutes of compiling.
can_write() {
  existing=$1
  while [ ! -e "$existing" ]; do existing=$(dirname "$existing"); done
  [ -d "$existing" ] && [ -w "$existing" ] || {
    echo "cannot write to $existing: set PREFIX, such as PREFIX=\$HOME/.local, or run as root" >&2
    exit 1
  }
}

# place MODE FILE FOLDER [NAME]
place() {
  mkdir -p "$dest$3"
  install -m "$1" "$2" "$dest$3/${4:-$(basename "$2")}"
}

# fill TEMPLATE FOLDER: writes a file with the values of this installation. In
# a relocatable one, pkg-config and CMake refer to the location of the file itself.
fill() {
  name=$(basename "$1" .in)
  libs=$(cat "$native_libs")
  mkdir -p "$dest$2"
  case $movable$name in
    yes*.pc) here='${pcfiledir}/../..' lib=$here/lib include=$here/include ;;
    yes*) here='${CMAKE_CURRENT_LIST_DIR}/../../..' lib=$here/lib include=$here/include ;;
    *) here=$prefix lib=$libdir include=$includedir ;;
  esac
  sed -e "s|@PREFIX@|$here|g" -e "s|@LIBDIR@|$lib|g" -e "s|@INCLUDEDIR@|$include|g" \
    -e "s|@VERSION@|$version|g" -e "s|@SHARED_PATH@|$shared_path|g" -e "s|@SONAME@|$soname|g" \
    -e "s|@IMPORT_LIBRARY@|$import_library|g" -e "s|@NATIVE_LIBS@|$libs|g" \
    -e "s|@NATIVE_LIBS_CMAKE@|$(echo "$libs" | tr ' ' ';')|g" \
    "$1" >"$dest$2/$name"
  chmod 644 "$dest$2/$name"
}

# Windows loads the DLL from the program's folder, and links with an import library.
install_libraries() {
  case $os in
    windows)
      place 755 "$1/$built" "$bindir"
      place 644 "$1/libosslive.dll.a" "$libdir" ;;
    *)
      place 755 "$1/$built" "$libdir" "$shared"
      ln -sf "$shared" "$dest$libdir/$built" ;;
  esac
  place 644 "$1/libosslive.a" "$libdir"
}

install_all() {
  install_libraries "$1"
  place 644 "$root/include/osslive.h" "$includedir"
  place 644 "$root/include/osslive.hpp" "$includedir"
  place 644 "$root/include/osslive_json.hpp" "$includedir"
  for schema in "$root"/schema/*.json; do place 644 "$schema" "$schemadir"; done
  fill "$root/packaging/osslive.pc.in" "$libdir/pkgconfig"
  fill "$root/packaging/osslive-config.cmake.in" "$libdir/cmake/osslive"
  fill "$root/packaging/osslive-config-version.cmake.in" "$libdir/cmake/osslive"
}

pack() {
  movable=yes
  prefix='' bindir=/bin libdir=/lib includedir=/include schemadir=/share/osslive/schema
  native_libs=$LIBRARIES/native-static-libs
  install_all "$LIBRARIES"
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
  install)
    for folder in "$libdir" "$includedir" "$schemadir"; do can_write "$dest$folder"; done
    echo "building the C library, which takes a few minutes the first time"
    build
    install_all "$build/libraries"
    echo "installed in $dest$prefix"
    case $libdir in
      /usr/lib | /usr/local/lib) echo "to make it known to the system's linker, run ldconfig as root" ;;
      *)
        echo "to build with it, set PKG_CONFIG_PATH=$libdir/pkgconfig"
        echo "to run programs, set LD_LIBRARY_PATH=$libdir" ;;
    esac ;;
  place) native_libs=$LIBRARIES/native-static-libs && install_all "$LIBRARIES" ;;
  pack) pack ;;
  uninstall) uninstall ;;
  *) echo "usage: $0 build|install|uninstall|place|pack" >&2 && exit 2 ;;
esac
