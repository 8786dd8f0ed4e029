#!/bin/sh
# Installs what the peers need, by package name: a Python with numpy, iceoryx2 and av (FFmpeg for Python), and
# with the argument `gstreamer` also GStreamer with shmsink (a hundred packages, therefore only when asked for).
# They go into a virtual environment under the target folder; where that is not possible
# (no venv, no network for pip) the distribution's python3-numpy serves for all but these two.
# Builds the consumer in C.
set -eu
cd "$(dirname "$0")"
environment="${CARGO_TARGET_DIR:-target}/python"

install_packages() {
    if [ "$(id -u)" = 0 ]; then
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
    else
        sudo apt-get install -y --no-install-recommends "$@"
    fi
}

imports() {
    "$1" -c "import $2" 2>/dev/null
}

if ! imports "$environment/bin/python3" "numpy, iceoryx2, av"; then
    /usr/bin/python3 -c 'import ensurepip' 2>/dev/null || install_packages python3 python3-venv
    if ! { /usr/bin/python3 -m venv "$environment" &&
        "$environment/bin/python3" -m pip install --quiet numpy iceoryx2 av==18.1.0; }; then
        rm -rf "$environment"
        install_packages python3-numpy
    fi
fi

target="${CARGO_TARGET_DIR:-$PWD/target}"
DESTDIR="$target/library" PREFIX=/usr CARGO_TARGET_DIR="$target" ../../scripts/c-library.sh
cc -O2 -Wall -Wextra -Werror -o "$target/c-consumer" c/consumer.c -I "$target/library/usr/include" \
    "$target/library/usr/lib/libstreamem.a" -lgcc_s -lutil -lrt -lpthread -lm -ldl

if [ "${1:-}" = gstreamer ]; then
    install_packages gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-bad
fi
