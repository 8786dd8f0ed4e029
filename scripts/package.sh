#!/usr/bin/env bash
# Makes the Debian package of all that is installed: target/package/streamem_VERSION_ARCHITECTURE.deb.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:$PWD/target/tools/bin

place=target/package
rm -rf $place/root $place/*.deb
umask 022
DESTDIR=$PWD/$place/root scripts/install.sh
strip $place/root/usr/bin/*
strip --strip-unneeded $place/root/usr/lib/*/libstreamem.so.0
strip --strip-debug --enable-deterministic-archives $place/root/usr/lib/*/libstreamem.a
cargo deb --quiet --no-build --locked -p streamemd --output $place
ls $place/*.deb
