#!/usr/bin/env bash
# Puts GStreamer 1.26 with unixfdsrc, and a udevadm that verifies rules, from Debian 13, into target/trixie,
# beside whatever this machine has: target/trixie/run gst-launch-1.0 … runs it. Made once; about 100 MB. Needs
# no chroot.
set -euo pipefail
cd "$(dirname "$0")/.."

place=target/trixie
cmp --quiet "$0" $place/made-by && exit

mapfile -t mirror < <(scripts/mirror.sh)

echo "unpacking GStreamer and udev of Debian 13 into $place, once"
rm -rf $place
mkdir -p $place
# Of the package that has unixfdsrc only that is taken: the rest of it needs ten times as much.
# shellcheck disable=SC2016
mmdebstrap --quiet --variant=extract \
    --include=base-files,gstreamer1.0-tools,gstreamer1.0-plugins-base,udev \
    --extract-hook='cd "$1/tmp" &&
        APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get download gstreamer1.0-plugins-bad &&
        dpkg-deb --fsys-tarfile gstreamer1.0-plugins-bad_*.deb |
            tar -C "$1" -x --wildcards "./usr/lib/*/libgstunixfd.so" &&
        rm gstreamer1.0-plugins-bad_*.deb' \
    trixie $place/root "${mirror[@]}" >/dev/null

cat >$place/run <<'END'
#!/bin/sh
# Runs a program of the folder beside it, or one with a path, with the libraries the folder has.
here=$(cd "$(dirname "$0")" && pwd)/root
case $1 in
*/*) program=$1 ;;
*) program=$here/usr/bin/$1 ;;
esac
shift
set -- "$program" "$@"
for loader in "$here"/usr/lib*/ld-linux*.so.*; do break; done
for plugins in "$here"/usr/lib/*/gstreamer-1.0; do break; done
export GST_PLUGIN_SYSTEM_PATH_1_0="$plugins" GST_REGISTRY_1_0="$here/registry" GST_REGISTRY_FORK=no
exec "$loader" --library-path "${plugins%/*}:${plugins%/*}/systemd" "$@"
END
chmod +x $place/run
$place/run gst-inspect-1.0 unixfdsrc >/dev/null
$place/run udevadm --version >/dev/null
cp "$0" $place/made-by
