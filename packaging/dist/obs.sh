#!/bin/sh
# Packs the plugin for OBS Studio into dist/, to be unpacked in the user's plugin
# directory. Needs CMake, a C compiler, pkg-config and the headers of libobs, and the
# results of build.sh for x86_64-linux. The archive is named after the OBS it was built
# with: the interface of services changed between OBS 29.0 and 29.1.
#
#   packaging/dist/obs.sh
set -eu
target=x86_64-linux
. "$(dirname -- "$0")/target.sh"

library=$stage/obs-library build=$stage/obs-build
rm -rf "$library" "$build" "$stage/osslive"
TARGET_OS=linux LIBRARIES=$stage DESTDIR=$library sh "$repository/packaging/install.sh" pack
cmake -S "$repository/examples/obs-plugin" -B "$build" -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_PREFIX_PATH="$library" >/dev/null
cmake --build "$build" >/dev/null
cmake --install "$build" --strip --prefix "$stage/osslive" >/dev/null
obs=$(pkg-config --modversion libobs)
cp "$repository/LICENSE-MIT" "$repository/LICENSE-APACHE" "$stage/osslive/"
python3 "$repository/packaging/dist/inventory.py" --target "$triple" \
  --licences "$stage/osslive/THIRD-PARTY-LICENSES.txt" --sbom "$stage/osslive/osslive.cdx.json"

find "$stage/osslive" -exec touch --date "@$SOURCE_DATE_EPOCH" {} +
cd "$stage"
tar --sort=name --owner=0 --group=0 --numeric-owner -cf - osslive |
  gzip -9n >"$repository/dist/osslive-$version-obs-${obs%%.*}-x86_64-linux.tar.gz"
