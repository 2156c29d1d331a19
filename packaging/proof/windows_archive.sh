#!/bin/sh
# Uses the archive for Windows as its users would: `osslive.exe demo`, and C and
# C++ programs that mingw-w64 links with the import library, by hand and with the
# CMake package. Everything runs under Wine.
#
#   packaging/proof/windows_archive.sh dist/osslive-VERSION-x86_64-windows.zip
set -eu
archive=$(readlink -f "$1")
cd "$(dirname -- "$0")/../.."
sources=$PWD
work=$(mktemp -d)
server=
finish() {
  if [ -n "$server" ]; then kill "$server"; fi
  # Wine uses the directory until its last process has exited.
  wine wineboot --kill || :
  sleep 2
  rm -rf "$work"
}
trap finish EXIT
export WINEDEBUG=-all XDG_RUNTIME_DIR=/tmp WINEPREFIX="$work/wine"
host=x86_64-w64-mingw32

cd "$work"
python3 -m zipfile -e "$archive" .
mv osslive-* osslive
wine osslive/bin/osslive.exe --version
wine osslive/bin/osslive.exe demo

echo '== programs in C and C++, linked with the import library'
mkdir bin
cp osslive/bin/osslive.dll bin/
$host-gcc -Wall -Werror "$sources/examples/c/quickstart.c" -Iosslive/include -Losslive/lib \
  -losslive -o bin/quickstart-c.exe
$host-g++ -Wall -Werror -std=c++17 -static "$sources/examples/cpp/quickstart.cpp" \
  -Iosslive/include osslive/lib/libosslive.dll.a -o bin/quickstart-cpp.exe

echo '== the CMake package, shared and static'
cmake -S "$sources/ffi-tests/consumer" -B build -DCMAKE_SYSTEM_NAME=Windows \
  -DCMAKE_C_COMPILER=$host-gcc -DCMAKE_PREFIX_PATH="$work/osslive" \
  -DCMAKE_FIND_ROOT_PATH_MODE_PACKAGE=BOTH >/dev/null
cmake --build build >/dev/null
cp build/shared.exe build/static.exe bin/
for program in shared static; do wine "bin/$program.exe" || [ $? = 1 ]; done

echo '== quick starts against osslive.exe local, with a stream from osslive.exe publish'
wine osslive/bin/osslive.exe local --listen 127.0.0.1:0 --temporary >local.log 2>&1 &
server=$!
for _ in $(seq 300); do
  if grep -q 'Ctrl-C' local.log; then break; fi
  sleep 0.2
done
url=$(sed -n 's/.*listening on \(http:[^ ]*\).*/\1/p' local.log | tr -d '\r')
export OSS_ENDPOINT="$url" OSS_REGION=cn-hangzhou OSS_BUCKET=live-demo
export OSS_ACCESS_KEY_ID=osslive-local OSS_ACCESS_KEY_SECRET=osslive-local-secret
for language in c cpp; do
  wine "bin/quickstart-$language.exe" "$language" >output.log 2>&1 &
  program=$!
  for _ in $(seq 100); do
    if grep -q rtmp: output.log; then break; fi
    sleep 0.2
  done
  wine osslive/bin/osslive.exe publish "Z:$sources/cli/assets/clip.flv" "$language" --for 10s
  wait "$program"
  sed 's/?.*//' output.log
  grep -qi live output.log
done
echo 'everything worked'
