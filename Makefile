# Thin rules: each line can be run by hand.

CARGO ?= cargo

.PHONY: help demo test tools check clean

help:
	@echo 'make demo   the whole way on this machine: channel, real video over RTMP, status, VOD'
	@echo 'make test   every test, with real clients and encoders; installs what it needs'
	@echo 'make check  formatting, lints, documentation'
	@echo 'make install PREFIX=...   the C library, its headers, pkg-config and CMake files'

# DEMO_ARGS=--keep leaves the endpoint running, to try by hand.
demo:
	$(CARGO) run --release --quiet -p osslive-cli -- demo $(DEMO_ARGS)

# What real programs are missing is told, test by test; with CI set that fails.
test: tools
	$(CARGO) test --workspace --all-features

# ffmpeg and the vendor's own SDKs, into target/clients.
tools:
	sh tests/real/setup.sh

check:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --all-features -- -D warnings
	$(CARGO) clippy -p osslive --no-default-features -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --workspace --no-deps --all-features

clean:
	$(CARGO) clean

include packaging/install.mk
