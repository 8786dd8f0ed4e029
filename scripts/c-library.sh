#!/usr/bin/env bash
# Builds the C library and puts header, shared and static library and pkg-config file below
# $DESTDIR$PREFIX.
#
# PREFIX   where it will be used (/usr/local)
# DESTDIR  what is put before that while installing, for packages ()
# LIBDIR   where the libraries go (PREFIX/lib)
# PROFILE  release or dev (release)
set -euo pipefail
cd "$(dirname "$0")/.."

prefix=${PREFIX:-/usr/local}
libdir=${LIBDIR:-$prefix/lib}
profile=${PROFILE:-release}
target=${CARGO_TARGET_DIR:-target}/c
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
# What Rust's standard library needs of the system's.
needs='-lgcc_s -lutil -lrt -lpthread -lm -ldl -lc'

# A folder of its own: with the feature `capi` nothing is shared with the other builds.
CARGO_TARGET_DIR=$target cargo rustc --locked --quiet --profile "$profile" \
    -p streamem --lib --features capi --crate-type staticlib
built=$target/${profile/#dev/debug}

# The shared library is linked of the static one, because of the versions of its symbols: rustc gives
# the linker a list without versions, and that cannot be combined with one that has them.
# shellcheck disable=SC2086 # several words
"${CC:-cc}" -shared -o "$built/libstreamem.so.0" -Wl,-soname,libstreamem.so.0 \
    -Wl,--version-script=libclient/streamem.map -Wl,--gc-sections -Wl,-z,defs,-z,relro,-z,now \
    -Wl,--whole-archive "$built/libstreamem.a" -Wl,--no-whole-archive -Wl,--as-needed $needs

install -D -m 644 -t "${DESTDIR:-}$prefix/include" libclient/include/streamem.h
install -D -m 644 -t "${DESTDIR:-}$libdir" "$built/libstreamem.a"
install -D -m 755 -t "${DESTDIR:-}$libdir" "$built/libstreamem.so.0"
ln -sf libstreamem.so.0 "${DESTDIR:-}$libdir/libstreamem.so"
mkdir -p "${DESTDIR:-}$libdir/pkgconfig"
sed -e "s,@prefix@,$prefix,; s,@libdir@,$libdir,; s,@version@,$version,; s,@needs@,$needs," \
    libclient/streamem.pc.in >"${DESTDIR:-}$libdir/pkgconfig/streamem.pc"
