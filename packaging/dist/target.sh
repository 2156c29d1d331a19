# The properties of each released target; sourced by the other scripts, with the target's
# name in $target.
case $target in
  x86_64-linux | aarch64-linux)
    arch=${target%-linux} triple=$arch-unknown-linux-gnu glibc=2.17
    wheel_tag=manylinux_2_17_$arch.manylinux2014_$arch ;;
  x86_64-linux-musl)
    arch=x86_64 triple=x86_64-unknown-linux-musl glibc=
    wheel_tag=musllinux_1_2_x86_64 ;;
  x86_64-windows)
    arch=x86_64 triple=x86_64-pc-windows-gnu glibc=
    wheel_tag=win_amd64 ;;
  *)
    echo "target '$target': must be x86_64-linux, aarch64-linux, x86_64-linux-musl or x86_64-windows" >&2
    exit 2 ;;
esac

repository=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
stage=$repository/target/dist/$target
# A virtual environment belongs to the Python that created it.
tools=$repository/target/dist/tools-$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$repository/Cargo.toml" | head -n 1)
# Packed files have the time of the last commit, so that builds are reproducible.
SOURCE_DATE_EPOCH=$(git -C "$repository" log -1 --format=%ct 2>/dev/null || echo 1700000000)
export SOURCE_DATE_EPOCH

case $target in
  *-windows) command=osslive.exe library=osslive.dll ;;
  *) command=osslive library=libosslive.so ;;
esac
