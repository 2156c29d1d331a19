#!/bin/sh
# Uses the archive for Linux on arm64 as its users would: `osslive demo`, and a
# program in C that is linked with the library, against `osslive local` with a
# stream from `osslive publish`. Everything runs under qemu, in Debian unstable.
#
#   packaging/proof/arm64_archive.sh dist/osslive-VERSION-aarch64-linux.tar.gz
set -eu
archive=$(readlink -f "$1")
cd "$(dirname -- "$0")/../.."
sources=$PWD
work=$(mktemp -d)
server=
finish() {
  if [ -n "$server" ]; then kill "$server"; fi
  rm -rf "$work"
}
trap finish EXIT
run() { qemu-aarch64 -L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH="$work/osslive/lib" "$@"; }

cd "$work"
tar xzf "$archive"
mv osslive-* osslive
run osslive/bin/osslive --version
run osslive/bin/osslive demo --clip

echo '== a program in C, against osslive local, with a stream from osslive publish'
aarch64-linux-gnu-gcc -Wall -Werror "$sources/examples/c/quickstart.c" -Iosslive/include \
  -Losslive/lib -losslive -o quickstart
qemu-aarch64 -L /usr/aarch64-linux-gnu osslive/bin/osslive local --listen 127.0.0.1:0 \
  --temporary >local.log 2>&1 &
server=$!
for _ in $(seq 300); do
  if grep -q 'Ctrl-C' local.log; then break; fi
  sleep 0.2
done
url=$(sed -n 's/.*listening on \(http:[^ ]*\).*/\1/p' local.log)
export OSS_ENDPOINT="$url" OSS_REGION=cn-hangzhou OSS_BUCKET=live-demo
export OSS_ACCESS_KEY_ID=osslive-local OSS_ACCESS_KEY_SECRET=osslive-local-secret
run ./quickstart main-stage >output.log 2>&1 &
program=$!
for _ in $(seq 100); do
  if grep -q rtmp: output.log; then break; fi
  sleep 0.2
done
run osslive/bin/osslive publish "$sources/cli/assets/clip.flv" main-stage --for 10s
wait "$program"
sed 's/?.*//' output.log
grep -qi live output.log
echo 'everything worked'
