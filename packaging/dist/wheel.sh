#!/bin/sh
# Builds a wheel in dist/ from the results of build.sh for a target: for every Python 3,
# with the library and the command.
#
#   packaging/dist/wheel.sh TARGET
set -eu
target=$1
. "$(dirname -- "$0")/target.sh"

[ -x "$tools/bin/python" ] || python3 -m venv "$tools"
"$tools/bin/python" -m pip install --quiet --disable-pip-version-check build hatchling

export OSSLIVE_BUILT_LIBRARY="$stage/$library" OSSLIVE_BUILT_COMMAND="$stage/$command"
export OSSLIVE_WHEEL_PLATFORM="$wheel_tag"
"$tools/bin/python" -m build --wheel --no-isolation --outdir "$repository/dist" "$repository/python"
