#!/usr/bin/env bash
# Makes the Debian package of all that is installed: target/package/streamem_VERSION_ARCHITECTURE.deb.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:$PWD/target/tools/bin

place=target/package

# The decoder's library is one package with two names: Debian's and Ubuntu's.
either_name() { # package
    dpkg-deb --raw-extract "$1" $place/parts
    sed -Ei '/^Depends:/s/libturbojpeg0?( \([^)]*\))?/libturbojpeg0\1 | libturbojpeg\1/' $place/parts/DEBIAN/control
    dpkg-deb --build --root-owner-group $place/parts "$1" >/dev/null
    rm -r $place/parts
}

rm -rf $place/root $place/*.deb
umask 022
DESTDIR=$PWD/$place/root scripts/install.sh
strip $place/root/usr/bin/*
strip --strip-unneeded $place/root/usr/lib/*/libstreamem.so.0
strip --strip-debug --enable-deterministic-archives $place/root/usr/lib/*/libstreamem.a
cargo deb --quiet --no-build --locked -p streamemd --output $place
either_name $place/*.deb
ls $place/*.deb
