# Thin rules: each line can be run by hand.

CARGO ?= cargo

.PHONY: help demo test test-corporate test-recordings test-conformance expectation
.PHONY: test-power test-kills faults schema abi semver fuzz fuzz-differential soak tools hls.js check clean

help:
	@echo 'make demo   everything end to end on your machine; DEMO_ARGS=--keep leaves it running'
	@echo 'make test   every test, with real clients and encoders; installs missing tools'
	@echo 'make test-recordings   two-hour downloads, killed again and again'
	@echo 'make faults inject every peer fault and write docs/evidence/faults.md'
	@echo 'make test-conformance   each deviation of a service, one at a time; make expectation'
	@echo 'make schema   the JSON Schemas of the results, and the C++ types generated from them'
	@echo 'make abi    the baseline of the binary interface; make semver BASE=REVISION the Rust one'
	@echo 'make fuzz   fuzz every parser of untrusted input for a minute; make soak MINUTES=5'
	@echo 'make fuzz-differential   compare our parsers with those of oss2 on mangled responses'
	@echo 'make test-power, make test-kills   the local endpoint after COUNT=1000 power cuts and kill -9'
	@echo 'make bench  compare with other clients and servers, and write docs/evidence/performance.md'
	@echo 'make check  formatting, lints, documentation and its links'
	@echo 'make test-broadcast   OBS Studio, GStreamer and libav; make obs-plugin installs the plugin'
	@echo 'make test-obs RELEASE=sid   the plugin in the OBS of another release of Debian'
	@echo 'make test-monitor   the monitor with 10,000 channels, and with 100 kills'
	@echo 'make install PREFIX=...   the C library, its headers, pkg-config and CMake files'
	@echo 'make dist   archives, wheels and packages for Linux and Windows, in dist/'
	@echo 'make container   an image of the local endpoint; make test-snippets checks snippets that use it'
	@echo 'make wheel  the Python package, in python/dist'

# DEMO_ARGS=--keep leaves the endpoint running, to try it by hand.
demo:
	$(CARGO) run --release -p osslive-cli -- demo $(DEMO_ARGS)

# Tests skip programs that are not installed, and say so; with CI set they fail.
test: tools
	$(CARGO) test --workspace --all-features
	OSSLIVE_BIN=$(CURDIR)/target/debug/osslive $(MAKE) python
	$(MAKE) test-corporate

# The command, C and Python behind an authenticating Squid, with a private certificate
# authority.
test-corporate:
	PREFIX=$(CURDIR)/target/corporate sh packaging/install.sh install
	tests/real/corporate.sh $(CURDIR)/target/debug/osslive $(CURDIR)/target/corporate \
	  $(CURDIR)/$(PYTHON_BIN)/python

# Two-hour recordings with a hundred kills; `make test` uses shorter ones.
test-recordings:
	OSSLIVE_KILLS=100 OSSLIVE_SESSION_MINUTES=120 \
	  $(CARGO) test -p osslive-cli --test recording -- --nocapture --test-threads 1

# The tables of observed outcomes; `make test` compares them.
faults:
	OSSLIVE_WRITE_FAULTS=1 $(CARGO) test -p osslive --test faults
	OSSLIVE_WRITE_FAULTS=1 $(CARGO) test -p osslive-cli --test control every_fault

# Seeds each deviation of the service separately, which takes minutes; the printed table
# goes into docs/evidence/operators.md. `make test` seeds all of them at once.
test-conformance:
	$(CARGO) test -p osslive-cli --test conformance -- --ignored --nocapture

# Rewrites what `osslive conformance` expects from the behavior of the local endpoint.
expectation:
	OSSLIVE_WRITE_EXPECTATION=1 $(CARGO) test -p osslive-cli --test conformance nothing_differs_in
	$(CARGO) test -p osslive-cli --test conformance nothing_differs

# Rewrites schema/*.json and include/osslive_json.hpp from the result types;
# `make test` compares them.
schema:
	OSSLIVE_WRITE_SCHEMA=1 $(CARGO) test -p osslive-capi --lib schema

# Rewrites capi/osslive.abi, the baseline of the binary interface, after functions have
# been added; `make check` compares it.
abi:
	OSSLIVE_WRITE_ABI=1 $(CARGO) test -p osslive-ffi-tests --test abi the_interface

# Compares the Rust interface with a revision, by default the newest release.
semver:
	sh packaging/semver.sh $(BASE)

# Fuzzes every parser of untrusted input, FUZZ_SECONDS each.
FUZZ_SECONDS ?= 60
fuzz:
	sh fuzz/run.sh $(FUZZ_SECONDS)

# Our parsers compared with those of the vendor's SDK, on mangled responses.
RESPONSES ?= 100000
fuzz-differential:
	sh fuzz/differential/run.sh $(RESPONSES) $(SEED)

# Runs the local endpoint under publishers, readers, kills and clock jumps.
MINUTES ?= 5
soak:
	$(CARGO) run --release -p osslive-local --example soak -- --minutes $(MINUTES)

# Restarts the local endpoint after COUNT power cuts, with and without --durable, and
# after COUNT kills (kill -9) under load.
COUNT ?= 1000
test-power:
	OSSLIVE_CUTS=$(COUNT) $(CARGO) test -p osslive-cli --test power power_cut -- --nocapture
test-kills:
	OSSLIVE_KILLS=$(COUNT) $(CARGO) test -p osslive-cli --test power kills -- --nocapture

# Installs the programs that the tests use: ffmpeg, the vendor's SDKs, a browser, ...
tools:
	sh tests/real/setup.sh

# For browsers without their own HLS player. Never part of the source tree.
hls.js:
	npm install --prefix target/page --no-save --ignore-scripts --no-audit --no-fund hls.js@1
	@echo 'osslive local --hls-js target/page/node_modules/hls.js/dist/hls.min.js'

check:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --all-features -- -D warnings
	$(CARGO) clippy -p osslive --no-default-features -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --workspace --no-deps --all-features
	$(CARGO) test -p osslive-ffi-tests --test documentation every_link
	$(CARGO) test -p osslive-ffi-tests --test abi the_interface

clean:
	$(CARGO) clean

include benches/bench.mk
include packaging/install.mk
include python/python.mk
include examples/broadcast.mk
include packaging/dist/dist.mk
include packaging/container/container.mk
include packaging/proof/proof.mk
