#!/bin/sh
# Tests SDK, endpoint and command on another architecture: cross-compiled, and run under
# qemu. In Debian unstable, with its own Rust, as root.
#
#   packaging/proof/foreign.sh arm64|armhf|s390x
#
# The programs that a test starts must run as well, so while this runs, the kernel passes
# programs of that architecture to qemu.
set -eu
arch=$1
cd "$(dirname -- "$0")/../.."

# The beginning of an ELF file: class, byte order, then type and machine.
zeros='\x00\x00\x00\x00\x00\x00\x00\x00'
little='\xff\xff\xff\xff\xff\xfe\xfe\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
big='\xff\xff\xff\xff\xff\xfe\xfe\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff'
case $arch in
  arm64)
    triple=aarch64-unknown-linux-gnu gnu=aarch64-linux-gnu qemu=aarch64
    magic="\\x7fELF\\x02\\x01\\x01\\x00$zeros\\x02\\x00\\xb7\\x00" mask=$little ;;
  armhf)
    triple=armv7-unknown-linux-gnueabihf gnu=arm-linux-gnueabihf qemu=arm
    magic="\\x7fELF\\x01\\x01\\x01\\x00$zeros\\x02\\x00\\x28\\x00" mask=$little ;;
  s390x)
    triple=s390x-unknown-linux-gnu gnu=s390x-linux-gnu qemu=s390x
    magic="\\x7fELF\\x02\\x02\\x01\\x00$zeros\\x00\\x02\\x00\\x16" mask=$big ;;
  *)
    echo "architecture '$arch': must be arm64, armhf or s390x" >&2
    exit 2 ;;
esac

handlers=$(mktemp -d)
mount -t binfmt_misc none "$handlers"
name=osslive-$arch
unregister() {
  [ ! -e "$handlers/$name" ] || echo -1 >"$handlers/$name"
  umount "$handlers"
  rmdir "$handlers"
}
trap unregister EXIT
[ ! -e "$handlers/$name" ] || echo -1 >"$handlers/$name"
printf '%s' ":$name:M::$magic:$mask:/usr/bin/qemu-$qemu:F" >"$handlers/register"

export CARGO_TARGET_DIR="target/$arch" CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_DEV_OPT_LEVEL=1
export QEMU_LD_PREFIX="/usr/$gnu"
variable=$(echo "$triple" | tr a-z- A-Z_)
export "CARGO_TARGET_${variable}_LINKER=$gnu-gcc" "CC_$(echo "$triple" | tr - _)=$gnu-gcc"

. packaging/proof/tests.sh
# shellcheck disable=SC2046
cargo test --target "$triple" --no-fail-fast $(portable_tests) -- --skip "$(too_long)"
"target/$arch/$triple/debug/osslive" demo --clip
