#!/bin/sh
# Compares the public Rust interface of the SDK with that of an earlier revision, and
# fails if a change needs a higher version number than the one in Cargo.toml.
#
#   packaging/semver.sh [REVISION]     the newest tag vX.Y.Z by default
set -eu
cd "$(dirname -- "$0")/.."
base=${1:-$(git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null || :)}
if [ -z "$base" ]; then
  echo 'there is no release to compare with: no tag named vX.Y.Z. Specify a revision: make semver BASE=REVISION'
  exit 0
fi
git rev-parse --quiet --verify "$base^{commit}" >/dev/null || {
  echo "revision '$base': must be a tag, branch or commit of this repository" >&2
  exit 2
}
if ! cargo semver-checks --version >/dev/null 2>&1; then
  echo 'cargo-semver-checks is not installed: cargo install cargo-semver-checks --locked' >&2
  exit 2
fi
echo "comparing with $base"
exec cargo semver-checks --package osslive --baseline-rev "$base"
