# What holds on other systems, proven on a Debian machine as root: other releases
# of Debian by debootstrap, Windows under Wine. Included by the Makefile at the
# top, from whose folder it runs.

IN_RELEASE := sh packaging/proof/root.sh

.PHONY: test-obs

# The plugin for OBS, in the OBS of a release: trixie has 30, sid has 32. OBS 29
# of Debian 12 is a part of `make test` there.
RELEASE ?= sid
test-obs:
	$(IN_RELEASE) $(RELEASE) 'obs-studio libobs-dev xvfb cmake pkg-config ffmpeg python3 libx11-6' \
	  $(CARGO) test -p osslive-cli --test obs
