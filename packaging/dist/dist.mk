# Builds the release files in dist/. Included by the top-level Makefile, and runs in its
# directory. Linux targets are linked by zig from PyPI, Windows by mingw-w64.
#
#   make dist                           everything
#   make dist-x86_64-linux              one target: archive and wheel

DIST_TARGETS := x86_64-linux aarch64-linux x86_64-linux-musl x86_64-windows

.PHONY: dist dist-deb dist-obs dist-sums dist-clean $(DIST_TARGETS:%=dist-%)

dist: dist-clean
	$(MAKE) $(DIST_TARGETS:%=dist-%) dist-deb dist-obs
	$(MAKE) dist-sums

# Uses this machine's tools if they have the target's standard library or its source;
# otherwise, and for Windows without mingw-w64, those of Debian unstable.
$(DIST_TARGETS:%=dist-%): dist-%:
	sh packaging/dist/with_tools.sh $* sh packaging/dist/build.sh $*
	sh packaging/dist/with_tools.sh $* python3 packaging/dist/check.py $* target/dist/$*
	sh packaging/dist/archive.sh $*
	sh packaging/dist/wheel.sh $*

dist-deb: dist-x86_64-linux
	sh packaging/dist/deb.sh

# For OBS 30 and newer, and for this machine's OBS if its headers are installed.
dist-obs: dist-x86_64-linux
	$(IN_RELEASE) trixie 'cmake make gcc libc6-dev pkg-config libobs-dev python3' \
	  sh packaging/dist/obs.sh
	if pkg-config --exists libobs; then sh packaging/dist/obs.sh; fi

dist-sums:
	cd dist && sha256sum *.tar.gz *.zip *.whl *.deb >SHA256SUMS
	cat dist/SHA256SUMS

dist-clean:
	rm -rf dist
