#!/bin/sh
# Installs a wheel on a system with nothing but Python, and runs the Python quick start
# against the local endpoint, both from the wheel, with a stream from `osslive
# publish`.
#
#   packaging/proof/wheel.sh WHEEL [PYTHON]
set -eu
wheel=$1 python=${2:-python3}
cd "$(dirname -- "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for tool in cc gcc clang rustc cargo ffmpeg; do
  if command -v "$tool" >/dev/null; then echo "$tool is installed: this would prove nothing" >&2; exit 1; fi
done
"$python" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-index --disable-pip-version-check "$wheel"
echo "$(. /etc/os-release; echo "$PRETTY_NAME"), $("$python" -VV | head -n 1), $(basename "$wheel")"
"$work/venv/bin/osslive" --version
cp cli/assets/clip.flv "$work/"
cp packaging/proof/quickstart.py "$work/run.py"
cp examples/python/quickstart.py "$work/quickstart.py"
cd "$work"
PATH=/nowhere "$work/venv/bin/python" run.py
