# The local endpoint in a container, and the snippets that use it there; included by
# the Makefile at the top, from whose folder it runs.
.PHONY: container test-snippets

# An image, built with docker, podman or buildah. None is published.
container: dist-x86_64-linux-musl
	sh packaging/container/build.sh target/dist/x86_64-linux-musl/osslive

SNIPPETS := target/snippets

# Whether the snippets for testcontainers compile against today's packages. The ones in
# Java and Go come with packages of registries that are not used here.
test-snippets:
	$(CARGO) check --manifest-path examples/testcontainers/rust/Cargo.toml --target-dir $(SNIPPETS)/rust
	$(PYTHON) -m venv $(SNIPPETS)/python
	$(SNIPPETS)/python/bin/python -m pip install --quiet testcontainers mypy pytest
	MYPYPATH=python/src $(SNIPPETS)/python/bin/python -m mypy --strict --ignore-missing-imports \
	  examples/testcontainers/python
