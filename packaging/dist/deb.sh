#!/bin/sh
# Builds a Debian package in dist/ from the results of build.sh for x86_64-linux: the
# command with its man pages and completions, and the C library with all its files.
#
#   packaging/dist/deb.sh
set -eu
target=x86_64-linux
. "$(dirname -- "$0")/target.sh"

root=$stage/deb
lib=/usr/lib/x86_64-linux-gnu
rm -rf "$root"
mkdir -p "$root/DEBIAN" "$root/usr/bin" "$root/usr/share/man/man1" "$root/usr/share/doc/osslive" \
  "$root/usr/share/bash-completion/completions" "$root/usr/share/zsh/vendor-completions" \
  "$root/usr/share/fish/vendor_completions.d"

# The library as installed by `make install`, without building it again.
PREFIX=/usr LIBDIR=$lib DESTDIR=$root LIBRARIES=$stage sh "$repository/packaging/install.sh" place
install -m 755 "$stage/$command" "$root/usr/bin/osslive"
"$stage/$command" man "$root/usr/share/man/man1" >/dev/null
gzip -9n "$root"/usr/share/man/man1/*
"$stage/$command" completions bash >"$root/usr/share/bash-completion/completions/osslive"
"$stage/$command" completions zsh >"$root/usr/share/zsh/vendor-completions/_osslive"
"$stage/$command" completions fish >"$root/usr/share/fish/vendor_completions.d/osslive.fish"

gzip -9nc "$repository/CHANGELOG.md" >"$root/usr/share/doc/osslive/changelog.gz"
{
  echo 'osslive is licensed under the MIT licence or the Apache License 2.0, at your option.'
  echo 'The latter is in /usr/share/common-licenses/Apache-2.0; the former is:'
  echo
  cat "$repository/LICENSE-MIT"
  echo
  python3 "$repository/packaging/dist/inventory.py" --target "$triple" --licences /dev/stdout \
    --sbom "$root/usr/share/doc/osslive/osslive.cdx.json"
} >"$root/usr/share/doc/osslive/copyright"

cat >"$root/DEBIAN/control" <<END
Package: osslive
Version: $version-1
Architecture: amd64
Maintainer: The osslive authors <osslive@localhost>
Section: video
Priority: optional
Depends: libc6 (>= 2.17)
Installed-Size: $(du -sk "$root/usr" | cut -f1)
Description: RTMP live channels on Alibaba Cloud OSS
 The command osslive manages live channels, publishes to them and runs a local
 endpoint for tests; the C library offers the same to programs.
END
echo "activate-noawait ldconfig" >"$root/DEBIAN/triggers"

find "$root" -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +
chmod -R u+rwX,go+rX,go-w "$root"
dpkg-deb --root-owner-group -Zxz --build "$root" \
  "$repository/dist/osslive_$version-1_amd64.deb" >/dev/null
