# Tests on other systems, run on a Debian machine as root: other releases of Debian with
# debootstrap, Windows under Wine. Included by the top-level Makefile, and runs in its
# directory.

IN_RELEASE := sh packaging/proof/root.sh

.PHONY: test-monitor test-obs test-native test-oldest-rust test-windows test-windows-archive test-foreign test-arm64-archive \
  test-dist test-tsan

# The OBS plugin with the OBS of a Debian release: trixie has 30, sid has 32. OBS 29 is
# tested by `make test` on Debian 12.
RELEASE ?= sid
test-obs:
	$(IN_RELEASE) $(RELEASE) 'obs-studio libobs-dev xvfb cmake pkg-config ffmpeg python3 libx11-6' \
	  $(CARGO) test -p osslive-cli --test obs

# The monitor with ten thousand channels, throttled and not, for ten minutes each, and
# killed a hundred times: docs/evidence/operators.md. MONITOR_MINUTES=1 is a short run.
MONITOR_MINUTES ?= 10
test-monitor:
	OSSLIVE_MONITOR_MINUTES=$(MONITOR_MINUTES) $(CARGO) test --release -p osslive-cli \
	  --test monitor_proof -- --ignored --nocapture --test-threads 2

# The oldest supported Rust, Debian 13's.
test-oldest-rust:
	RUST=own $(IN_RELEASE) trixie 'rustc cargo gcc libc6-dev git' sh packaging/proof/debian13.sh

# SDK, endpoint and command on this machine, without other programs.
test-native:
	$(CARGO) test -p osslive -p osslive-local -p osslive-cli

# SDK, endpoint and command on Windows, built by mingw-w64 and run under Wine.
WINDOWS_PACKAGES := rustc cargo rust-src gcc-mingw-w64-x86-64 g++-mingw-w64-x86-64 wine wine64 \
  cmake make python3
test-windows:
	RUST=own $(IN_RELEASE) sid '$(WINDOWS_PACKAGES)' sh packaging/proof/windows.sh

# The same on another architecture, under qemu: arm64, armhf (32 bits) or s390x (big
# endian).
ARCH ?= arm64
GNU_arm64 := aarch64-linux-gnu
GNU_armhf := arm-linux-gnueabihf
GNU_s390x := s390x-linux-gnu
FOREIGN_PACKAGES = rustc cargo qemu-user gcc gcc-$(GNU_$(ARCH)) libc6-dev-$(ARCH)-cross \
  libstd-rust-dev:$(ARCH) curl procps bsdutils git
test-foreign:
	RUST=own FOREIGN=$(ARCH) $(IN_RELEASE) sid+$(ARCH) \
	  '$(FOREIGN_PACKAGES)' \
	  sh packaging/proof/foreign.sh $(ARCH)

# The archive for Linux on arm64, under qemu.
test-arm64-archive: ARCH := arm64
test-arm64-archive:
	RUST=own FOREIGN=arm64 $(IN_RELEASE) sid+arm64 '$(FOREIGN_PACKAGES)' \
	  sh packaging/proof/arm64_archive.sh dist/*-aarch64-linux.tar.gz

# SDK and endpoint under ThreadSanitizer; clang must have the same LLVM version as
# Debian's Rust. TSAN_TESTS='--test load' runs fewer tests.
TSAN_CLANG ?= 22
TSAN_PACKAGES = rustc cargo rust-src gcc libc6-dev clang-$(TSAN_CLANG) \
  libclang-rt-$(TSAN_CLANG)-dev llvm-$(TSAN_CLANG) curl git iproute2 mount procps
test-tsan:
	RUST=own $(IN_RELEASE) sid+tsan '$(TSAN_PACKAGES)' \
	  sh packaging/proof/tsan.sh $(TSAN_TESTS)

# Tests the results of `make dist` as users run them: the archives under Wine and qemu,
# and the wheel on an old and a new Debian with nothing but Python.
test-dist: test-windows-archive test-arm64-archive
	RUST=own $(IN_RELEASE) bullseye 'python3 python3-venv' \
	  sh packaging/proof/wheel.sh dist/*-manylinux*_x86_64.whl
	RUST=own $(IN_RELEASE) sid+python 'python3 python3-venv' \
	  sh packaging/proof/wheel.sh dist/*-manylinux*_x86_64.whl

test-windows-archive:
	RUST=own $(IN_RELEASE) sid '$(WINDOWS_PACKAGES)' \
	  sh packaging/proof/windows_archive.sh dist/*-x86_64-windows.zip
