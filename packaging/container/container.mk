# The local endpoint in a container, and the snippets that use it there. Included by
# the top-level Makefile, and runs in its directory.
.PHONY: container test-snippets

# An image, built with docker, podman or buildah. None is published.
container: dist-x86_64-linux-musl
	sh packaging/container/build.sh target/dist/x86_64-linux-musl/osslive

SNIPPETS := target/snippets

# Checks that the testcontainers snippets compile with current packages. Those in Java
# and Go need packages from registries that are not used here.
test-snippets:
	$(CARGO) check --manifest-path examples/testcontainers/rust/Cargo.toml --target-dir $(SNIPPETS)/rust
	$(PYTHON) -m venv $(SNIPPETS)/python
	$(SNIPPETS)/python/bin/python -m pip install --quiet testcontainers mypy pytest
	MYPYPATH=python/src $(SNIPPETS)/python/bin/python -m mypy --strict --ignore-missing-imports \
	  examples/testcontainers/python
