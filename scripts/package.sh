#!/usr/bin/env bash
# Makes the Debian packages of all that is installed: target/package/{streamem,streamem-hololens}_VERSION_ARCHITECTURE.deb.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:$PWD/target/tools/bin

place=target/package

# Changes what the package says of itself.
control() { # archive change
    dpkg-deb --raw-extract "$1" $place/parts
    sed -Ei "$2" $place/parts/DEBIAN/control
    dpkg-deb --build --root-owner-group $place/parts "$1" >/dev/null
    rm -r $place/parts
}

rm -rf $place/{root,hololens} $place/*.deb
umask 022
DESTDIR=$PWD/$place/root scripts/install.sh streamem
DESTDIR=$PWD/$place/hololens scripts/install.sh streamem-hololens
strip $place/root/usr/bin/* $place/hololens/usr/libexec/streamem/*
strip --strip-unneeded $place/root/usr/lib/*/libstreamem.so.0
strip --strip-debug --enable-deterministic-archives $place/root/usr/lib/*/libstreamem.a
cargo deb --quiet --no-build --locked -p streamemd --output $place
cargo deb --quiet --no-build --locked -p streamem-worker --output $place
# The decoder's library is one package with two names: Debian's and Ubuntu's.
control $place/streamem_*.deb '/^Depends:/s/libturbojpeg0?( \([^)]*\))?/libturbojpeg0\1 | libturbojpeg\1/'
# What the broker and its worker say to each other is theirs alone, and may change with each version.
version=$(dpkg-deb --field $place/streamem_*.deb Version)
control $place/streamem-hololens_*.deb "/^Depends:/s/\\bstreamem\\b/& (= $version)/"
ls $place/*.deb
