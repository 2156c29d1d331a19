#!/bin/sh
# Installs the programs that the tests use: two versions of ffmpeg, oss2 (Python),
# ali-oss (Node.js), nginx, Squid, Prometheus, systemd-analyze, Chromium with its
# driver, GStreamer, OBS Studio with a virtual screen, and for the C library
# compilers, checkers and libav's headers. Installed programs are skipped, so a
# second run is fast.
#
#   tests/real/setup.sh          installs what is missing
#
# The clients go into target/clients (or $OSSLIVE_CLIENTS). The others are
# installed with apt, and only as root. Programs that cannot be installed are
# reported; if CI is set in the environment, that is an error.
set -u

OSS2_VERSION=2.19.1
ALI_OSS_VERSION=6.23.0
# A package with a newer ffmpeg than distributions have.
IMAGEIO_FFMPEG_VERSION=0.8.1
PLAYWRIGHT_VERSION=1.65.1
HLS_JS_VERSION=1.7.4

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd) || exit 1
clients=${OSSLIVE_CLIENTS:-$root/target/clients}
venv=$clients/venv
node=$clients/node
browser=$clients/browser
log=$clients/setup.log
missing=''

have() { command -v "$1" >/dev/null 2>&1; }

# Limits installers to ten minutes, so that they cannot block a build.
bounded() {
  if have timeout; then timeout 600 "$@"; else "$@"; fi
}

# install WHAT COMMAND...: prints what it installs; the output goes to the log.
install() {
  what=$1
  shift
  echo "installing $what"
  { echo "\$ $*"; bounded "$@"; } >>"$log" 2>&1
}

apt() {
  have apt-get && [ "$(id -u)" = 0 ] || return 1
  install "$* (apt)" env DEBIAN_FRONTEND=noninteractive \
    sh -c 'apt-get update && apt-get install -y --no-install-recommends "$@"' apt "$@"
}

lacks() {
  echo "missing: $1 ($2)"
  missing="$missing $1"
}

venv_python() {
  for python in "$venv/bin/python" "$venv/Scripts/python.exe"; do
    if [ -x "$python" ]; then echo "$python"; return 0; fi
  done
  return 1
}

have_ffmpeg() { have ffmpeg && have ffprobe; }

# 10 MB to download, 41 MB on disk.
have_libav() { have pkg-config && pkg-config --exists libavdevice libavfilter libavformat; }

have_nlohmann_json() { echo '#include <nlohmann/json.hpp>' | g++ -x c++ -fsyntax-only - 2>/dev/null; }

have_prometheus() { have prometheus && have promtool; }

# 29 MB to download, 99 MB on disk.
have_gstreamer() {
  have gst-launch-1.0 || return 1
  for element in rtmp2sink flvmux x264enc voaacenc h264parse aacparse videotestsrc; do
    gst-inspect-1.0 --exists $element || return 1
  done
}

have_oss2() {
  python=$(venv_python) &&
    "$python" -c "import sys, oss2; sys.exit(oss2.__version__ != '$OSS2_VERSION')" 2>/dev/null
}

have_newer_ffmpeg() {
  python=$(venv_python) &&
    "$python" -c "import sys, imageio_ffmpeg as i; sys.exit(i.__version__ != '$IMAGEIO_FFMPEG_VERSION')" 2>/dev/null
}

have_ali_oss() {
  grep -q "\"version\": \"$ALI_OSS_VERSION\"" "$node/node_modules/ali-oss/package.json" 2>/dev/null
}

# None of these packages includes a browser.
have_browser_packages() {
  grep -q "\"version\": \"$PLAYWRIGHT_VERSION\"" \
    "$browser/node_modules/playwright-core/package.json" 2>/dev/null &&
    grep -q "\"version\": \"$HLS_JS_VERSION\"" \
      "$browser/node_modules/hls.js/package.json" 2>/dev/null
}

have_chromium() {
  [ -n "${OSSLIVE_CHROMIUM:-}" ] || have chromium || have chromium-browser || have google-chrome
}

have_nginx() { have nginx || [ -x /usr/sbin/nginx ]; }

have_squid() { [ -x /usr/sbin/squid ] && have ip; }

# OBS, the headers for its plugins, and a virtual screen.
have_obs() { have obs && have Xvfb && pkg-config --exists libobs 2>/dev/null; }

make_venv() {
  install "a virtual environment" python3 -m venv --clear "$venv" && venv_python >/dev/null
}

mkdir -p "$clients" "$node" "$browser" || exit 1

have_ffmpeg || apt ffmpeg
have_ffmpeg || lacks ffmpeg "install ffmpeg with ffprobe and libx264, then run this again"

# For the tests of the C library: two compilers, valgrind, and tools that find
# libraries. clang's sanitizers are a separate package. jq is for a recipe of the
# command.
have gcc && have g++ || apt gcc g++ libc6-dev
have clang && have clang++ || apt clang libclang-rt-dev
for tool in valgrind cmake pkg-config jq; do
  have $tool || apt $tool
done
for tool in gcc g++ clang clang++ valgrind cmake pkg-config jq; do
  have $tool || lacks $tool "install it, then run this again"
done

have strace || apt strace
have strace || lacks strace "install it, then run this again"

have abidiff || apt abigail-tools
have abidiff || lacks abidiff "install libabigail's tools, then run this again"

have_nlohmann_json || apt nlohmann-json3-dev
have_nlohmann_json || lacks nlohmann-json "install nlohmann/json for C++, then run this again"

have_libav || apt libavdevice-dev libavformat-dev
have_libav || lacks libav "install the headers of libavdevice and libavformat, then run this again"

have_gstreamer || apt gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good \
  gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly
have_gstreamer || lacks gstreamer "install GStreamer 1.18 or newer with its plugins, then run this again"

if ! have_oss2; then
  if ! have python3; then
    apt python3 python3-venv
  fi
  if have python3; then
    venv_python >/dev/null || make_venv || { apt python3-venv && make_venv; }
    if python=$(venv_python); then
      install "oss2 $OSS2_VERSION" "$python" -m pip install --quiet \
        --disable-pip-version-check --timeout 30 "oss2==$OSS2_VERSION"
    fi
  fi
fi
if ! have_newer_ffmpeg && python=$(venv_python); then
  install "a newer ffmpeg" "$python" -m pip install --quiet \
    --disable-pip-version-check --timeout 30 "imageio-ffmpeg==$IMAGEIO_FFMPEG_VERSION"
fi
have_newer_ffmpeg || lacks imageio-ffmpeg "needs python3 with venv and a package index; see $log"
have_oss2 || lacks oss2 "needs python3 with venv and a package index; see $log"

if ! have_ali_oss; then
  if ! have npm; then
    apt nodejs npm
  fi
  if have npm; then
    install "ali-oss $ALI_OSS_VERSION" npm install --prefix "$node" --no-save --ignore-scripts \
      --no-audit --no-fund "ali-oss@$ALI_OSS_VERSION"
  fi
fi
if ! have node; then
  lacks node "install Node.js 18 or newer"
elif ! have_ali_oss; then
  lacks ali-oss "needs npm and a package registry; see $log"
fi

have_nginx || apt nginx-light
have_nginx || lacks nginx "install nginx, then run this again"

have systemd-analyze || apt systemd
have systemd-analyze || lacks systemd "install systemd-analyze, then run this again"

have_prometheus || apt prometheus
have_prometheus || lacks prometheus "install Prometheus with promtool, then run this again"

have_squid || apt squid iproute2
have_squid || lacks squid "install Squid, then run this again"

have_chromium || apt chromium
have_chromium || lacks chromium "install Chromium or Chrome, then run this again"

have_obs || apt obs-studio libobs-dev xvfb
have_obs || lacks obs-studio "install OBS Studio 29 or newer, libobs and Xvfb, then run this again"

if ! have_browser_packages && have npm; then
  install "playwright-core $PLAYWRIGHT_VERSION and hls.js $HLS_JS_VERSION" npm install \
    --prefix "$browser" --no-save --ignore-scripts --no-audit --no-fund \
    "playwright-core@$PLAYWRIGHT_VERSION" "hls.js@$HLS_JS_VERSION"
fi
have_browser_packages || lacks playwright-core "needs npm and a package registry; see $log"

if [ -n "$missing" ] && [ -n "${CI:-}" ]; then
  echo "missing for the tests:$missing" >&2
  exit 1
fi
exit 0
