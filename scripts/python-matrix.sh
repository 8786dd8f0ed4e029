#!/usr/bin/env bash
# Puts the Python of other Debian releases, with numpy, into target/pythons/SUITE, beside whatever this
# machine has: target/pythons/SUITE/bin/python3 runs it, and the tests of the Python client find it there.
# Made once each, some 60 MB; needs no chroot. Takes suites; default: bullseye (3.9) and trixie (3.13).
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -t mirror < <(scripts/mirror.sh)

(($#)) || set -- bullseye trixie
for suite in "$@"; do
    place=target/pythons/$suite
    cmp --quiet "$0" "$place/made-by" && continue
    echo "unpacking Python of Debian $suite into $place, once"
    rm -rf "$place"
    mkdir -p "$place/bin"
    mmdebstrap --quiet --variant=extract --include=base-files,python3,python3-numpy \
        "$suite" "$place/root" "${mirror[@]}" >"$place/log" 2>&1 ||
        { tail -n 5 "$place/log" >&2; exit 1; }
    cat >"$place/bin/python3" <<'END'
#!/bin/sh
# Runs the Python of the folder beside it with the libraries it has there.
here=$(cd "$(dirname "$0")/.." && pwd)/root
for loader in "$here"/lib/*-linux-gnu/ld-linux*.so.* "$here"/usr/lib*/ld-linux*.so.* \
    "$here"/usr/lib/*-linux-gnu/ld-linux*.so.*; do
    [ -e "$loader" ] && break
done
libraries=
for folder in "$here"/usr/lib/*-linux-gnu "$here"/lib/*-linux-gnu; do
    libraries=$libraries:$folder:$folder/blas:$folder/lapack
done
exec "$loader" --library-path "${libraries#:}" "$here/usr/bin/python3" "$@"
END
    chmod +x "$place/bin/python3"
    "$place/bin/python3" -c 'import ctypes, numpy, sys; print("Python", sys.version.split()[0])'
    cp "$0" "$place/made-by"
done
