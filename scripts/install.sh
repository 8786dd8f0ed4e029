#!/usr/bin/env bash
# Builds all that is installed and puts it where a distribution has it, below $DESTDIR: scripts/install.sh [PACKAGE]…
# of streamem and streamem-hololens, both if none is named. Starts nothing; what has to be told to systemd and udev
# then is in packaging/debian/*/postinst.
#
# DESTDIR  what is put before /usr and /etc ()
set -euo pipefail
cd "$(dirname "$0")/.."

to=${DESTDIR:-}
export CARGO_TARGET_DIR=$PWD/target/package/build
# No path of this machine is in the programs.
export RUSTFLAGS="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo --remap-path-prefix=$PWD=/streamem"

put() { # permissions folder file…
    install -D -m "$1" -t "$to$2" "${@:3}"
}
pages() { # section file…
    local page
    for page in "${@:2}"; do
        mkdir -p "$to/usr/share/man/man$1"
        gzip -9nc "$page" >"$to/usr/share/man/man$1/$(basename "$page").gz"
    done
}
modules() { # folder
    mkdir -p "$1"
    PYTHONPATH=libclient/python PYTHONDONTWRITEBYTECODE=1 python3 -c 'import build_wheel, os, sys, zipfile
made, python = sys.argv[1:]
zipfile.ZipFile(os.path.join(made, build_wheel.build_wheel(made))).extractall(python)' "$CARGO_TARGET_DIR" "$1"
}
papers() { # package crate…
    local place=$to/usr/share/doc/$1
    put 644 "/usr/share/doc/$1" packaging/copyright
    gzip -9nc CHANGELOG.md >"$place/changelog.gz"
    python3 packaging/notices.py "${@:2}" | gzip -9nc >"$place/third-party.gz"
}

built=$CARGO_TARGET_DIR/release

install_streamem() {
    cargo build --release --locked --quiet -p streamemd -p streamem-inspector
    put 755 /usr/bin "$built"/{streamemd,streamem}
    PREFIX=/usr LIBDIR=/usr/lib/$(gcc -print-multiarch) DESTDIR=$to scripts/c-library.sh

    modules "$to/usr/lib/python3/dist-packages"

    put 644 /usr/lib/systemd/system broker/systemd/streamemd.{service,socket}
    put 644 /usr/lib/systemd/user broker/systemd/user/streamemd.{service,socket}
    put 644 /usr/lib/sysusers.d broker/systemd/sysusers.d/streamem.conf
    put 644 /usr/lib/tmpfiles.d broker/systemd/tmpfiles.d/streamem.conf
    put 644 /usr/lib/udev/rules.d udev/*.rules
    [[ -e $to/etc/streamem/streamem.toml ]] || put 644 /etc/streamem packaging/streamem.toml

    local generated=$CARGO_TARGET_DIR/generated
    rm -rf "$generated"
    "$built/streamem" generate "$generated" >/dev/null
    pages 1 "$generated"/man/*.1
    pages 5 docs/*.5
    pages 8 docs/*.8
    put 644 /usr/share/fish/vendor_completions.d "$generated/completions/streamem.fish"
    put 644 /usr/share/zsh/vendor-completions "$generated/completions/_streamem"
    install -D -m 644 "$generated/completions/streamem.bash" "$to/usr/share/bash-completion/completions/streamem"

    put 644 /usr/share/doc/streamem broker/systemd/streamem.toml
    papers streamem streamemd streamem-inspector streamem
}

install_streamem-hololens() {
    cargo build --release --locked --quiet -p streamem-worker
    put 755 /usr/libexec/streamem "$built/streamem-worker"
    put 644 /usr/lib/systemd/system/streamemd.service.d broker/systemd/streamemd.service.d/*.conf
    put 644 /usr/lib/systemd/user/streamemd.service.d broker/systemd/user/streamemd.service.d/*.conf
    papers streamem-hololens streamem-worker
}

(($#)) || set -- streamem streamem-hololens
for package in "$@"; do
    "install_$package"
done
