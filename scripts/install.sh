#!/usr/bin/env bash
# Builds all that is installed and puts it where a distribution has it, below $DESTDIR. Starts nothing; what
# has to be told to systemd and udev then is in packaging/debian/postinst.
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

cargo build --release --locked --quiet -p streamemd -p streamem-inspector
built=$CARGO_TARGET_DIR/release
put 755 /usr/bin "$built"/{streamemd,streamem}
PREFIX=/usr LIBDIR=/usr/lib/$(gcc -print-multiarch) DESTDIR=$to scripts/c-library.sh

python=$to/usr/lib/python3/dist-packages
mkdir -p "$python"
PYTHONPATH=libclient/python PYTHONDONTWRITEBYTECODE=1 python3 -c 'import build_wheel, os, sys, zipfile
made, python = sys.argv[1:]
zipfile.ZipFile(os.path.join(made, build_wheel.build_wheel(made))).extractall(python)' "$CARGO_TARGET_DIR" "$python"

put 644 /usr/lib/systemd/system broker/systemd/streamemd.{service,socket}
put 644 /usr/lib/systemd/user broker/systemd/user/streamemd.{service,socket}
put 644 /usr/lib/sysusers.d broker/systemd/sysusers.d/streamem.conf
put 644 /usr/lib/tmpfiles.d broker/systemd/tmpfiles.d/streamem.conf
put 644 /usr/lib/udev/rules.d udev/*.rules
[[ -e $to/etc/streamem/streamem.toml ]] || put 644 /etc/streamem packaging/streamem.toml

generated=$CARGO_TARGET_DIR/generated
rm -rf "$generated"
"$built/streamem" generate "$generated" >/dev/null
pages 1 "$generated"/man/*.1
pages 5 docs/*.5
pages 8 docs/*.8
put 644 /usr/share/fish/vendor_completions.d "$generated/completions/streamem.fish"
put 644 /usr/share/zsh/vendor-completions "$generated/completions/_streamem"
install -D -m 644 "$generated/completions/streamem.bash" "$to/usr/share/bash-completion/completions/streamem"

put 644 /usr/share/doc/streamem packaging/copyright broker/systemd/streamem.toml
gzip -9nc CHANGELOG.md >"$to/usr/share/doc/streamem/changelog.gz"
python3 packaging/notices.py streamemd streamem-inspector streamem | gzip -9nc \
    >"$to/usr/share/doc/streamem/third-party.gz"
