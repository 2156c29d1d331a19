# Broadcast software. Included by the top-level Makefile, and runs in its
# directory.

OBS_BUILD := target/obs-plugin

.PHONY: obs-plugin test-broadcast

# Installs the plugin for the current user. Needs cmake, a C compiler and the
# headers of libobs (Debian: libobs-dev).
obs-plugin:
	PREFIX=$(CURDIR)/$(OBS_BUILD)/prefix DESTDIR= LIBDIR= INCLUDEDIR= sh packaging/install.sh install
	cmake -S examples/obs-plugin -B $(OBS_BUILD)/build -DCMAKE_BUILD_TYPE=Release \
	  -DCMAKE_PREFIX_PATH=$(CURDIR)/$(OBS_BUILD)/prefix
	cmake --build $(OBS_BUILD)/build
	cmake --install $(OBS_BUILD)/build --strip --prefix $(HOME)/.config/obs-studio/plugins/osslive

# Part of `make test`; the results are in docs/evidence/broadcast.md.
test-broadcast: tools
	$(CARGO) test -p osslive-cli --test obs --test gstreamer
	$(CARGO) test -p osslive-ffi-tests --test libav
