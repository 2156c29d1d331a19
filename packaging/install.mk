# Installs the C library; included by the Makefile.
#   make install PREFIX=/usr DESTDIR=$PWD/stage

PREFIX ?= /usr/local
export PREFIX DESTDIR LIBDIR INCLUDEDIR DATADIR CARGO

.PHONY: lib install uninstall

lib:
	sh packaging/install.sh build

install:
	sh packaging/install.sh install

uninstall:
	sh packaging/install.sh uninstall
