#!/bin/sh
# Packs the results of build.sh for a target into dist/: the command, the C library
# with all its files, and the licences and the inventory of their contents.
#
#   packaging/dist/archive.sh TARGET
set -eu
target=$1
. "$(dirname -- "$0")/target.sh"

name=osslive-$version-$target
folder=$stage/$name
rm -rf "$folder"
mkdir -p "$folder/bin" "$repository/dist"

os=linux
case $target in *-windows) os=windows ;; esac
TARGET_OS=$os LIBRARIES=$stage DESTDIR=$folder sh "$repository/packaging/install.sh" pack
install -m 755 "$stage/$command" "$folder/bin/$command"
cp "$repository/LICENSE-MIT" "$repository/LICENSE-APACHE" "$repository/CHANGELOG.md" \
  "$repository/README.md" "$folder/"
python3 "$repository/packaging/dist/inventory.py" --target "$triple" \
  --licences "$folder/THIRD-PARTY-LICENSES.txt" --sbom "$folder/osslive.cdx.json"

# Makes the archive reproducible.
find "$folder" -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +
cd "$stage"
case $target in
  *-windows)
    rm -f "$repository/dist/$name.zip"
    # Text files get Windows line endings.
    sed -i 's/$/\r/' "$folder"/*.txt "$folder"/LICENSE-* "$folder"/*.md
    find "$folder" -exec touch --date "@$SOURCE_DATE_EPOCH" {} +
    python3 "$repository/packaging/dist/zip.py" "$name" "$repository/dist/$name.zip" ;;
  *)
    tar --sort=name --owner=0 --group=0 --numeric-owner -cf - "$name" |
      gzip -9n >"$repository/dist/$name.tar.gz" ;;
esac
