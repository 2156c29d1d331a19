#!/bin/sh
# Builds the image of packaging/container/Containerfile with docker, podman or
# buildah, whichever is installed.
#
#   packaging/container/build.sh COMMAND [TAG]
#
# COMMAND is osslive, linked statically; TAG defaults to osslive.
set -eu
command=$1 tag=${2:-osslive}
here=$(dirname -- "$0")
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
cp "$command" "$context/osslive"
cp "$here/Containerfile" "$context/Containerfile"

for builder in docker podman buildah; do
  if command -v "$builder" >/dev/null; then
    case $builder in
      # Only images in docker's format have a health check.
      docker) docker build --file "$context/Containerfile" --tag "$tag" "$context" ;;
      podman) podman build --format docker --tag "$tag" "$context" ;;
      buildah) buildah build --format docker --tag "$tag" "$context" ;;
    esac
    exit
  fi
done
echo "needs docker, podman or buildah" >&2
exit 2
