#!/bin/sh
# Runs a command in another release of Debian, with these sources, this
# machine's Rust and the release's own packages.
#
#   packaging/proof/root.sh SUITE 'PACKAGES...' COMMAND...
#
# The release is installed by debootstrap below $OSSLIVE_ROOTS (target/roots)
# on first use, from the mirror configured in apt; missing packages are installed. Needs
# root. Build results go to a separate target directory of the release, except those in
# target/dist. With RUST=own, the release's Rust is used, if it has one. SUITE may be
# SUITE+NAME: a second copy of a release, with other packages. FOREIGN adds another
# architecture of Debian, whose packages are available as PACKAGE:ARCHITECTURE.
set -eu

suite=${1%%+*} packages=$2
name=$1
shift 2
repository=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
roots=${OSSLIVE_ROOTS:-$repository/target/roots}
root=$roots/$name
certificates=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
cargo_home=${CARGO_HOME:-$HOME/.cargo}
toolchain=$(rustc --print sysroot)
case ${RUST:-} in
  own) path=/usr/sbin:/usr/bin:/sbin:/bin ;;
  *) path=$toolchain/bin:/usr/sbin:/usr/bin:/sbin:/bin ;;
esac

mirror() { apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' | grep -v security | head -n 1; }

# quietly COMMAND...: shows its output only if it fails.
quietly() {
  "$@" >"$root.log" 2>&1 || { cat "$root.log" >&2 && exit 1; }
}

bootstrap() {
  mkdir -p "$roots"
  echo "installing Debian $suite" >&2
  quietly debootstrap --variant=minbase --include=ca-certificates "$suite" "$root.part" "$(mirror)"
  mv "$root.part" "$root"
}

# A separate process and mount namespace: everything mounted and started in it ends with
# the command.
inside() {
  ROOT=$root REPOSITORY=$repository TARGET=$roots/$name.target CERTIFICATES=$certificates \
    CRATES=$cargo_home TOOLCHAIN=$toolchain SEARCH=$path \
    unshare --mount --pid --fork --kill-child --propagation private sh -c '
      set -eu
      place() { mkdir -p "$ROOT$1" && mount --bind "${2:-$1}" "$ROOT$1"; }
      mkdir -p "$TARGET" "$REPOSITORY/target"
      # A mount, so that programs in it can create mount namespaces.
      mount --bind "$ROOT" "$ROOT"
      mount -t proc proc "$ROOT/proc"
      place /dev
      place /dev/pts
      mount -t tmpfs tmpfs "$ROOT/dev/shm"
      place "$TOOLCHAIN"
      place "$CRATES"
      place "$REPOSITORY"
      mkdir -p "$TARGET/dist" "$REPOSITORY/target/dist"
      mount --bind "$TARGET" "$ROOT$REPOSITORY/target"
      mount --bind "$REPOSITORY/target/dist" "$ROOT$REPOSITORY/target/dist"
      cp "$CERTIFICATES" "$ROOT/etc/ssl/certs/ca-certificates.crt"
      cp /etc/hosts /etc/resolv.conf "$ROOT/etc/"
      cd "$ROOT$REPOSITORY"
      exec chroot "$ROOT" /usr/bin/env -C "$REPOSITORY" HOME=/root LANG=C.UTF-8 \
        PATH="$SEARCH" CARGO_HOME="$CRATES" \
        SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt DEBIAN_FRONTEND=noninteractive "$@"
    ' inside "$@"
}

install_missing() {
  # shellcheck disable=SC2086
  if [ -n "$packages" ] && ! inside dpkg --status $packages >/dev/null 2>&1; then
    # The index of unstable may have expired.
    echo "installing in Debian $suite: $packages" >&2
    [ -z "${FOREIGN:-}" ] || inside dpkg --add-architecture "$FOREIGN"
    quietly inside apt-get -o Acquire::Check-Valid-Until=false update
    # shellcheck disable=SC2086
    quietly inside apt-get install -y --no-install-recommends $packages
  fi
}

[ -d "$root" ] || bootstrap
install_missing
inside "$@"
