# The Python package: built, tested and measured. Included by the Makefile at
# the top, from whose folder it runs.

PYTHON ?= python3
PYTHON_VENV := target/python
PYTHON_BIN := $(PYTHON_VENV)/bin
PYRIGHT_VERSION := 1.1.414
PYRIGHT := $(PYTHON_VENV)/node_modules/pyright/index.js

.PHONY: wheel python python-test python-check python-bench

# What auditwheel says is the oldest glibc becomes the wheel's tag.
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

# A wheel for every Python from 3.9 on, in python/dist. Its library is the one
# that `make install` installs, and its command the optimised one: OSSLIVE_BIN may
# name one with other features.
# `make dist` makes those for older systems and for other ones.
BUILT_LIBRARY = $(firstword $(wildcard target/capi/libraries/libosslive.so target/capi/libraries/libosslive.dylib))
wheel: $(PYTHON_BIN)/.ready
	sh packaging/install.sh build
	$(CARGO) build --release -p osslive-cli
	$(MAKE) build-wheel

.PHONY: build-wheel
build-wheel: export OSSLIVE_BUILT_LIBRARY = $(CURDIR)/$(BUILT_LIBRARY)
build-wheel:
	$(build_wheel)

# Everything about the package, as a part of `make test`. What it is tested with
# comes from PyPI and npm.
python:
	@if $(MAKE) $(PYTHON_BIN)/.ready $(PYRIGHT); then $(MAKE) python-test python-check; \
	elif [ -n "$$CI" ]; then exit 1; \
	else echo 'skipped: the tests of the Python package ($(PYTHON) with venv, npm and their' \
	  'registries are needed)'; fi

# The wheel, installed. OSSLIVE_BIN is the command whose local endpoint it talks to.
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

# Beside oss2, against the local endpoint.
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
