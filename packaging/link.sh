#!/bin/sh
# Links FOLDER/libosslive.a into FOLDER/libosslive.so, whose functions carry a
# symbol version: capi/osslive.map says which. For systems with ELF.
#
#   packaging/link.sh FOLDER [LIBRARY...]     LIBRARY: -lm and so on
#
# cargo builds a shared library too, but rustc passes the linker a version script
# without versions, and no linker accepts a second one.
#
# CC is the compiler that calls the linker, cc by default, with its options; MAP
# replaces capi/osslive.map.
set -eu
folder=$1
shift
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
abi=$(sed -n 's/^#define OSSLIVE_ABI_VERSION \([0-9]*\)$/\1/p' "$root/include/osslive.h")

# A Rust library does not survive dlclose: its thread-local destructors stay registered.
case ${TARGET_OS:-$(uname -s)} in
  [Ll]inux) nodelete=-Wl,-z,nodelete ;;
  *) nodelete= ;;
esac

# Renamed into place, since another build may be copying the old one.
trap 'rm -f "$folder/libosslive.so.$$"' EXIT
# shellcheck disable=SC2086
${CC:-cc} -shared -s -o "$folder/libosslive.so.$$" "-Wl,-soname,libosslive.so.$abi" $nodelete \
  -Wl,-z,relro,-z,now -Wl,--gc-sections "-Wl,--version-script=${MAP:-$root/capi/osslive.map}" \
  -Wl,--whole-archive "$folder/libosslive.a" -Wl,--no-whole-archive "$@"
mv "$folder/libosslive.so.$$" "$folder/libosslive.so"
