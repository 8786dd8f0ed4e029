#!/usr/bin/env bash
# Puts what boots virtual machines into target/vm, from Debian packages that are unpacked and not
# installed: QEMU 10 (if this machine has none), udev, a Debian with systemd in two releases, and the kernels
# that tests/vm/kernels names.
# What is there stays, until its line or this script changes; VM_RENEW=1 looks for newer versions.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin

kit=$PWD/target/vm
lists=$kit/apt
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

if [[ $(uname -m) != x86_64 ]]; then
    echo "vm-kit.sh: the kernels in tests/vm/kernels are for x86-64, and this is $(uname -m)" >&2
    exit 1
fi
for needed in apt-get dpkg-deb mmdebstrap depmod busybox xz zstd python3 gcc make strip "$keyring"; do
    command -v "$needed" >/dev/null || [[ -e $needed ]] && continue
    echo "vm-kit.sh: there is no $needed: run scripts/setup.sh test" >&2
    exit 1
done

# Runs apt with lists and archives of its own; it believes that nothing is installed.
apt() { # suite command…
    local place=$lists/$1
    if [[ ! -e $place/updated ]]; then
        mkdir -p "$place"/{etc/apt.conf.d,lists/partial,archives/partial}
        : >"$place/status"
        local mirror
        mirror=$(scripts/mirror.sh)
        echo "deb [arch=amd64 signed-by=$keyring] ${mirror:-http://deb.debian.org/debian} $1 main" \
            >"$place/etc/sources.list"
        cat >"$place/conf" <<END
Dir::Etc "$place/etc";
Dir::Etc::SourceList "$place/etc/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "$place";
Dir::State::Status "$place/status";
Dir::Cache "$place";
Dir::Log "$place";
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
APT::Sandbox::User "";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::Retries "3";
END
        APT_CONFIG=$place/conf apt-get -q=2 update
        touch "$place/updated"
    fi
    APT_CONFIG=$place/conf "${@:2}"
}

unpack() { # archive folder what…
    dpkg-deb --fsys-tarfile "$1" |
        tar -C "$2" -x --keep-directory-symlink --no-same-owner --wildcards "${@:3}"
}

# Unpacks a package and all it depends on.
closure() { # suite package folder
    apt "$1" apt-get -q=2 -y --download-only install "$2" >/dev/null
    mkdir -p "$3"/usr/{bin,sbin,lib,lib64}
    ln -s usr/bin usr/sbin usr/lib usr/lib64 "$3"
    local archive
    for archive in "$lists/$1"/archives/*.deb; do
        unpack "$archive" "$3" .
        rm "$archive"
    done
}

# Makes a kit with the function of its name in FOLDER.new, and puts it in its place when it is whole.
kit() { # folder suite package function
    local place=$kit/$1 wanted found
    wanted="${*:2} $(sha256sum <"$0")"
    if [[ $(cat "$place/made-by" 2>/dev/null) == "$wanted" ]]; then
        [[ ${VM_RENEW:-0} == 1 ]] || return 0
    fi
    found=$(apt "$2" apt-cache --no-all-versions show "$3" | sed -n 's/^Version: //p')
    found="$3 $found"
    if [[ $(cat "$place/version" "$place/made-by" 2>/dev/null) == "$found"$'\n'"$wanted" ]]; then
        return 0
    fi
    echo "unpacking $found of Debian $2 into target/vm/$1"
    rm -rf "$place.new"
    mkdir -p "$place.new"
    "$4" "$2" "$3" "$place.new"
    echo "$found" >"$place.new/version"
    echo "$wanted" >"$place.new/made-by"
    rm -rf "$place"
    mv "$place.new" "$place"
}

qemu() { # suite package folder
    closure "$1" "$2" "$3/root"
    rm -rf "$3"/root/usr/share/{doc,man,locale,perl*} "$3"/root/usr/lib/x86_64-linux-gnu/perl*
    cat >"$3/run" <<'END'
#!/bin/sh
# Runs the QEMU of the folder beside it with the libraries and firmware it has there.
root=$(cd "$(dirname "$0")" && pwd)/root
libraries=$root/usr/lib/x86_64-linux-gnu
QEMU_MODULE_DIR=$libraries/qemu exec "$root/usr/lib64/ld-linux-x86-64.so.2" \
    --library-path "$libraries" "$root/usr/bin/qemu-system-x86_64" \
    -L "$root/usr/share/qemu" -L "$root/usr/share/seabios" "$@"
END
    chmod +x "$3/run"
    "$3/run" --version >/dev/null
}

udev() { # suite package folder
    closure "$1" "$2" "$3/all"
    mkdir -p "$3"/root/usr/{bin,lib/x86_64-linux-gnu,lib64}
    cp "$3/all/usr/bin/udevadm" "$3/root/usr/bin"
    cp -r "$3"/all/usr/lib/{systemd,udev,modprobe.d} "$3/root/usr/lib"
    cp -a "$3"/all/usr/lib64/* "$3/root/usr/lib64"
    find "$3/all/usr/lib/x86_64-linux-gnu" -maxdepth 1 -name '*.so*' \
        -exec cp -a -t "$3/root/usr/lib/x86_64-linux-gnu" {} +
    rm -r "$3/all"
}

# A whole Debian with systemd, to install the package in; configured, and without what is only read by people.
system() { # suite package folder [package]
    local mirror made=/system.cpio
    mirror=$(scripts/mirror.sh)
    # shellcheck disable=SC2016
    mmdebstrap --quiet --variant=minbase --format=null \
        --include=systemd-sysv,udev,dbus,libpam-systemd,procps,python3,libturbojpeg0${4:+,$4} \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --customize-hook='rm -rf "$1"/etc/dpkg/dpkg.cfg.d/* "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/* \
            "$1"/usr/sbin/policy-rc.d' \
        --customize-hook='cd "$1" && find . -xdev ! -name system.cpio | busybox cpio -o -H newc >system.cpio' \
        --customize-hook="download $made $3$made" \
        "$1" /dev/null ${mirror:+"$mirror"} >/dev/null
}

# The same with the FFmpeg that the release has: a worker is built with one, and needs the same.
system_with_ffmpeg() { # suite package folder
    system "$@" "$(apt "$1" apt-cache depends libavcodec-dev | sed -n 's/^ *Depends: \(libavcodec[0-9]*\)$/\1/p')"
}

# What no machine here has a device for is left out: it is most of a kernel.
parts=("./boot/vmlinuz-*" "*/modules.order" "*/modules.builtin" "*/modules.builtin.modinfo")
for part in arch crypto fs lib mm sound drivers/{base,char,dma,i2c,media,usb,video,virtio} \
    drivers/gpu/drm/{drm\*,vgem,virtio,display,scheduler,ttm}; do
    parts+=("*/kernel/$part")
done

kernel() { # suite metapackage folder
    local package release
    package=$(apt "$1" apt-cache depends "$2" | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p')
    (cd "$3" && apt "$1" apt-get -q=2 download "$package" >/dev/null)
    mkdir -p "$3/usr/lib"
    ln -s usr/lib "$3/lib"
    unpack "$3/$package"_*.deb "$3" "${parts[@]}"
    rm "$3/$package"_*.deb
    release=$(ls "$3/lib/modules")
    drivers "$1" "$release" "$3/work" "$3/lib/modules/$release/extra"
    depmod -b "$3" "$release"
    uncompressed "$3/boot/vmlinuz-$release" >"$3/vmlinux"
    rm -r "${3:?}/boot"
}

# Builds drivers that Debian leaves out, against the headers of this kernel: of the kernel's own test drivers
# a camera of many parts and two converters, and v4l2loopback.
drivers() { # suite release work folder
    local root=$3/root series=${2%%[!0-9.]*} headers needs package
    headers=$root/usr/src/linux-headers-$2
    mkdir -p "$3/archives" "$3/build"
    needs=$(apt "$1" apt-cache depends "linux-headers-$2" | sed -n 's/^ *Depends: //p')
    closure "$1" "$(grep '^linux-kbuild-' <<<"$needs")" "$root"
    (cd "$3/archives" && apt "$1" apt-get -q=2 download "linux-headers-$2" \
        "$(grep -e '-common$' <<<"$needs")" "linux-source-${series%.*}" v4l2loopback-dkms >/dev/null)
    for package in "$3"/archives/*.deb; do
        unpack "$package" "$root" ./usr/src
    done
    tar -C "$3/build" -x -f "$root"/usr/src/linux-source-*.tar.xz --strip-components=4 --wildcards \
        "*/drivers/media/test-drivers/vim*" "*/drivers/media/test-drivers/vicodec" \
        "*/drivers/media/v4l2-core/v4l2-mem2mem.c"
    cp "$root"/usr/src/v4l2loopback-*/*.[ch] "$3/build"
    echo 'obj-m := v4l2-mem2mem.o vim2m.o vimc/ vicodec/ v4l2loopback.o' >"$3/build/Kbuild"
    sed -i "s#/usr/src#$root&#" "$headers/Makefile"
    run_with_their_libraries "$root"
    # The compiler is this machine's, which may be older than the kernel's.
    make -s -C "$headers" M="$3/build" -j2 modules CC=gcc CONFIG_VIDEO_VIMC=m CONFIG_VIDEO_VICODEC=m \
        CONFIG_DEBUG_INFO_BTF_MODULES= CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT=
    mkdir -p "$4"
    find "$3/build" -name '*.ko' -exec strip --strip-debug {} + -exec cp -t "$4" {} +
    rm -r "$3"
}

# Programs that may need a newer C library than this machine has are run with the one that came with them.
run_with_their_libraries() { # root
    local program
    find "$1"/usr/lib/linux-kbuild-*/ -type f -name '*.real-*' | while read -r program; do
        mv "$program" "$program.itself"
        cat >"$program" <<END
#!/bin/sh
exec "$1/usr/lib64/ld-linux-x86-64.so.2" --library-path "$1/usr/lib/x86_64-linux-gnu" "$program.itself" "\$@"
END
        chmod +x "$program"
    done
}

# The kernel inside its own unpacker: QEMU starts that at once.
uncompressed() { # vmlinuz
    python3 - "$1" <<'END'
import subprocess, sys
image = open(sys.argv[1], "rb").read()
for magic, command in (
    (b"\x28\xb5\x2f\xfd", ["zstd", "-dc"]),
    (b"\xfd7zXZ\0", ["xz", "-dc", "--single-stream"]),
):
    start = image.find(magic)
    while start >= 0:
        inside = subprocess.run(command, input=image[start:], capture_output=True).stdout
        if inside.startswith(b"\x7fELF"):
            sys.stdout.buffer.write(inside)
            sys.exit()
        start = image.find(magic, start + 1)
sys.exit("there is no kernel in " + sys.argv[1])
END
}

mkdir -p "$kit/kernels"
rm -rf "$lists"
version=$(qemu-system-x86_64 --version 2>/dev/null || true)
if [[ $version =~ version\ ([0-9]+) ]] && ((BASH_REMATCH[1] >= 10)); then
    mkdir -p "$kit/qemu"
    ln -sf "$(command -v qemu-system-x86_64)" "$kit/qemu/run"
else
    kit qemu trixie qemu-system-x86 qemu
fi
# Of the older release: whatever is built here has a C library at least as new, and both run with that.
kit udev bookworm udev udev
# Of the newest release: the package needs a C library at least as new as the builder's.
kit system trixie systemd-sysv system
# Of this machine's release, since a worker that is built here can be installed in no other.
if grep -q '^ID=debian$' /etc/os-release; then
    kit own-system "$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)" systemd-sysv system_with_ffmpeg
else
    echo 'vm-kit.sh: this is no Debian: boots with own-system have nothing to boot, and fail' >&2
fi
while read -r name suite package _; do
    kit "kernels/$name" "$suite" "$package" kernel
done < <(sed 's/#.*//; /^ *$/d' tests/vm/kernels)
rm -rf "$lists"
