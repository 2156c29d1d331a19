# Thin rules: each line can be run by hand.

CARGO ?= cargo

.PHONY: help demo test faults schema fuzz soak tools hls.js check clean

help:
	@echo 'make demo   everything end to end on your machine: channel, real video over RTMP, status, VOD'
	@echo 'make test   every test, with real clients and encoders; installs what it needs'
	@echo 'make faults run into every fault of a peer and write docs/faults.md'
	@echo 'make schema   the JSON Schemas of the results, and the C++ types made from them'
	@echo 'make fuzz   every reader of foreign bytes for a minute; make soak MINUTES=5'
	@echo 'make bench  beside other clients and servers, and write docs/performance.md'
	@echo 'make check  formatting, lints, documentation'
	@echo 'make test-broadcast   OBS Studio, GStreamer and libav; make obs-plugin puts the plugin into OBS'
	@echo 'make test-obs RELEASE=sid   the plugin in the OBS of another release of Debian'
	@echo 'make install PREFIX=...   the C library, its headers, pkg-config and CMake files'
	@echo 'make dist   archives, wheels and packages for Linux and Windows, in dist/'
	@echo 'make wheel  the Python package, in python/dist'

# DEMO_ARGS=--keep leaves the endpoint running, to try by hand.
demo:
	$(CARGO) run --release -p osslive-cli -- demo $(DEMO_ARGS)

# What real programs are missing is told, test by test; with CI set that fails.
test: tools
	$(CARGO) test --workspace --all-features
	OSSLIVE_BIN=$(CURDIR)/target/debug/osslive $(MAKE) python

# The table of what was observed; `make test` compares it.
faults:
	OSSLIVE_WRITE_FAULTS=1 $(CARGO) test -p osslive --test faults

# schema/*.json and include/osslive_json.hpp, from the types of the results;
# `make test` compares them.
schema:
	OSSLIVE_WRITE_SCHEMA=1 $(CARGO) test -p osslive-capi --lib schema

# Every reader of foreign bytes, FUZZ_SECONDS each.
FUZZ_SECONDS ?= 60
fuzz:
	sh fuzz/run.sh $(FUZZ_SECONDS)

# The local endpoint under publishers, readers, kills and clock jumps.
MINUTES ?= 5
soak:
	$(CARGO) run --release -p osslive-local --example soak -- --minutes $(MINUTES)

# ffmpeg, the vendor's own SDKs, and a browser with its driver.
tools:
	sh tests/real/setup.sh

# For browsers that have no HLS player of their own. Never part of the sources.
hls.js:
	npm install --prefix target/page --no-save --ignore-scripts --no-audit --no-fund hls.js@1
	@echo 'osslive local --hls-js target/page/node_modules/hls.js/dist/hls.min.js'

check:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --all-features -- -D warnings
	$(CARGO) clippy -p osslive --no-default-features -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --workspace --no-deps --all-features

clean:
	$(CARGO) clean

include benches/bench.mk
include packaging/install.mk
include python/python.mk
include examples/broadcast.mk
include packaging/dist/dist.mk
include packaging/proof/proof.mk
