# Builds, tests and benchmarks the Python package. Included by the top-level Makefile,
# and runs in its directory.

PYTHON ?= python3
PYTHON_VENV := target/python
PYTHON_BIN := $(PYTHON_VENV)/bin
PYRIGHT_VERSION := 1.1.414
PYRIGHT := $(PYTHON_VENV)/node_modules/pyright/index.js

.PHONY: wheel python python-test python-check python-bench

# The oldest glibc according to auditwheel becomes the wheel's tag.
define build_wheel
	rm -rf python/dist target/wheel
	OSSLIVE_BUILT_COMMAND="$(CURDIR)/target/release/osslive" \
	  $(PYTHON_BIN)/python -m build --wheel --no-isolation --outdir target/wheel python
	mkdir -p python/dist
	if [ "$$(uname -s)" = Linux ]; then \
	  PATH="$(CURDIR)/$(PYTHON_BIN):$$PATH" $(PYTHON_BIN)/auditwheel repair --strip \
	    -w python/dist target/wheel/*.whl; \
	else cp target/wheel/*.whl python/dist; fi
endef

# A wheel for Python 3.9 and later, in python/dist. It contains the library that
# `make install` installs, and the optimized command. `make dist` builds wheels for
# older and for other systems.
BUILT_LIBRARY = $(firstword $(wildcard target/capi/libraries/libosslive.so target/capi/libraries/libosslive.dylib))
wheel: $(PYTHON_BIN)/.ready
	sh packaging/install.sh build
	$(CARGO) build --release -p osslive-cli
	$(MAKE) build-wheel

.PHONY: build-wheel
build-wheel: export OSSLIVE_BUILT_LIBRARY = $(CURDIR)/$(BUILT_LIBRARY)
build-wheel:
	$(build_wheel)

# All checks of the package, as part of `make test`. The tools come from PyPI and
# npm.
python:
	@if $(MAKE) $(PYTHON_BIN)/.ready $(PYRIGHT); then $(MAKE) python-test python-check; \
	elif [ -n "$$CI" ]; then exit 1; \
	else echo 'skipped: the tests of the Python package ($(PYTHON) with venv, npm and their' \
	  'registries are needed)'; fi

# Tests the installed wheel. OSSLIVE_BIN is the command that runs the local endpoint.
python-test: wheel
	$(PYTHON_BIN)/python -m pip install --quiet --force-reinstall --no-deps python/dist/*.whl
	cd python && OSSLIVE_BIN="$${OSSLIVE_BIN:-$(CURDIR)/target/release/osslive}" \
	  ../$(PYTHON_BIN)/python -m pytest

PYTHON_SOURCES := . ../packaging ../examples/python/quickstart.py ../examples/testcontainers ../benches/python_beside_oss2.py

python-check: $(PYTHON_BIN)/.ready $(PYRIGHT)
	cd python && ../$(PYTHON_BIN)/ruff format --check $(PYTHON_SOURCES)
	cd python && ../$(PYTHON_BIN)/ruff check $(PYTHON_SOURCES)
	cd python && ../$(PYTHON_BIN)/mypy
	cd python && node ../$(PYRIGHT) --pythonpath ../$(PYTHON_BIN)/python

# Compares with oss2, against the local endpoint.
python-bench: wheel
	$(PYTHON_BIN)/python -m pip install --quiet oss2==2.19.1
	$(PYTHON_BIN)/python -m pip install --quiet --force-reinstall --no-deps python/dist/*.whl
	OSSLIVE_BIN="$${OSSLIVE_BIN:-target/release/osslive}" \
	  $(PYTHON_BIN)/python benches/python_beside_oss2.py

$(PYTHON_BIN)/.ready: python/tools.txt
	$(PYTHON) -m venv $(PYTHON_VENV)
	$(PYTHON_BIN)/python -m pip install --quiet --disable-pip-version-check -r python/tools.txt
	touch $@

$(PYRIGHT): python/python.mk
	npm install --prefix $(PYTHON_VENV) --no-save --ignore-scripts --no-audit --no-fund \
	  pyright@$(PYRIGHT_VERSION)
	touch $@
