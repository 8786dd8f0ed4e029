#!/usr/bin/env bash
# Installs what the named verbs need and this machine lacks: scripts/setup.sh build|worker|run|test|vm|…
# Looks first; asks for root (by sudo) only when something is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

# Testing needs all that booting machines needs, and in one of those the package is installed.
[[ " $* " != *" test "* ]] || set -- "$@" vm
[[ " $* " != *" vm "* ]] || set -- "$@" package
# All of these build the worker.
[[ ! " $* " =~ " test "|" vm "|" package "|" lint "|" fuzz "|" bench " ]] || set -- "$@" worker

packages=()
need() { # command package
    command -v "$1" >/dev/null || packages+=("$2")
}

library() { # file package
    [[ -e $1 ]] || packages+=("$2")
}

for verb in "$@"; do
    case $verb in
    build)
        need cc gcc
        # gcc alone does not bring the files a program is linked with.
        if command -v dpkg >/dev/null; then
            dpkg -s libc6-dev >/dev/null 2>&1 || packages+=(libc6-dev)
        fi
        # The broker decodes JPEG with it.
        library /usr/include/turbojpeg.h libturbojpeg0-dev
        ;;
    worker)
        # It decodes with FFmpeg, behind a few functions in C.
        need gcc gcc
        need pkg-config pkg-config
        if ! pkg-config --exists libavcodec libavutil 2>/dev/null; then
            packages+=(libavcodec-dev libavutil-dev)
        fi
        ;;
    run) ;;
    fuzz)
        # libFuzzer is C++.
        need c++ g++
        ;;
    test)
        # The C library is built, used and looked at by these; the fuzzer's parts are C++ too.
        need gcc gcc
        need g++ g++
        need nm binutils
        need valgrind valgrind
        [[ -e /usr/lib/debug/.build-id ]] || packages+=(libc6-dbg)
        need pkg-config pkg-config
        library /usr/include/opencv4/opencv2/imgproc.hpp libopencv-imgproc-dev
        need strace strace
        # Encodes what the HoloLens for tests sends, and decodes it again.
        need ffmpeg ffmpeg
        need unshare util-linux
        need python3 python3
        /usr/bin/python3 -c 'import numpy' 2>/dev/null || packages+=(python3-numpy)
        need pgrep procps
        need systemd-analyze systemd
        # For scripts/trixie.sh and scripts/python-matrix.sh.
        need mmdebstrap mmdebstrap
        need newuidmap uidmap
        [[ -e /usr/share/keyrings/debian-archive-keyring.gpg ]] || packages+=(debian-archive-keyring)
        ;;
    bench)
        # Encodes what a simulated HoloLens sends, and decodes it beside the worker.
        need ffmpeg ffmpeg
        # For scripts/trixie.sh.
        need mmdebstrap mmdebstrap
        need newuidmap uidmap
        [[ -e /usr/share/keyrings/debian-archive-keyring.gpg ]] || packages+=(debian-archive-keyring)
        ;;
    package)
        # The C library is linked, and what programs need is looked up.
        need gcc gcc
        need strip binutils
        need dpkg-shlibdeps dpkg-dev
        need python3 python3
        ;;
    vm)
        need ldd libc-bin
        need mmdebstrap mmdebstrap
        need newuidmap uidmap
        need python3 python3
        # Unpacked by scripts/vm-kit.sh, or taken into the machine.
        [[ -e /usr/share/keyrings/debian-archive-keyring.gpg ]] || packages+=(debian-archive-keyring)
        PATH=$PATH:/usr/sbin need depmod kmod
        need xz xz-utils
        need zstd zstd
        need busybox busybox-static
        # Drivers are built, too.
        need gcc gcc
        need make make
        need strip binutils
        # Sets up a camera of many parts inside the machine.
        need media-ctl v4l-utils
        ;;
    lint)
        need git git
        need shellcheck shellcheck
        need python3 python3
        python3 -c 'import ensurepip' 2>/dev/null || packages+=(python3-venv)
        need mandoc mandoc
        need systemd-analyze systemd
        need systemd-sysusers systemd
        ;;
    *)
        echo "setup.sh: there is no verb '$verb': build, worker, run, test, vm, package, bench, fuzz or lint" >&2
        exit 2
        ;;
    esac
done

if ((${#packages[@]})); then
    echo "to be installed: ${packages[*]}"
    if ! command -v apt-get >/dev/null; then
        echo "setup.sh: this is no Debian or Ubuntu; install these by hand: ${packages[*]}" >&2
        exit 1
    fi
    as_root=()
    if ((EUID != 0)); then
        if ! command -v sudo >/dev/null; then
            echo "setup.sh: run as root, or install sudo, to install: ${packages[*]}" >&2
            exit 1
        fi
        as_root=(sudo)
    fi
    install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive
        apt-get install -y --no-install-recommends "${packages[@]}")
    "${install[@]}" || { "${as_root[@]}" apt-get update && "${install[@]}"; }
fi

if ! command -v cargo >/dev/null; then
    echo "setup.sh: Rust is missing; see https://rustup.rs" >&2
    exit 1
fi
needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
found=$(rustc --version | cut -d' ' -f2)
if [[ $(printf '%s\n' "$needed" "$found" | sort -V | head -n 1) != "$needed" ]]; then
    echo "setup.sh: Rust $needed or newer is needed, this is $found; see https://rustup.rs" >&2
    exit 1
fi

tool() { # a command of cargo
    command -v "$1" >/dev/null || [[ -x target/tools/bin/$1 ]] && return
    echo "building $1, once, into target/tools (some minutes)"
    CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
        cargo install "$1" --locked --root target/tools --target-dir target/tools/build
    rm -rf target/tools/build
}

if [[ " $* " == *" package "* ]]; then
    tool cargo-deb
fi

if [[ " $* " == *" lint "* ]]; then
    for component in clippy fmt; do
        cargo "$component" --version >/dev/null 2>&1 && continue
        rustup component add "${component/#fmt/rustfmt}"
    done
    tool cargo-deny
fi

if [[ " $* " == *" lint "* && ! -x target/tools/python/bin/mypy ]]; then
    python3 -m venv target/tools/python
    target/tools/python/bin/pip install --quiet vermin==1.6.0 pyflakes==3.2.0 mypy==1.18.2
fi

if [[ " $* " =~ " test "|" bench " ]]; then
    scripts/trixie.sh
fi

if [[ " $* " == *" test "* ]]; then
    scripts/python-matrix.sh
fi
