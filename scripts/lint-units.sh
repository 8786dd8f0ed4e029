#!/usr/bin/env bash
# Asks systemd's own tools what they think of broker/systemd, in a scratch directory: nothing is
# installed and no running manager is spoken to.
# EXPOSURE_MAX is the most `systemd-analyze security` may say of the system service, times ten;
# HOLOLENS_EXPOSURE_MAX is that with the package for the HoloLens.
set -euo pipefail
cd "$(dirname "$0")/../broker/systemd"
exposure_max=${EXPOSURE_MAX:-10}
hololens_exposure_max=${HOLOLENS_EXPOSURE_MAX:-25}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/user" "$scratch/root/etc"

# The broker need not be installed to be checked: any program stands in for it.
for unit in *.service *.socket user/*.service user/*.socket; do
    sed -E 's,^(Exec(Start|Reload))=/usr/bin/streamemd,\1=/bin/true,' "$unit" >"$scratch/$unit"
done

quiet() { # a warning is a failure too
    local said
    said=$("$@" 2>&1) && [[ -z $said ]] && return
    printf '%s\n%s\n' "$*" "$said" >&2
    exit 1
}
verify() { # most exposure
    quiet systemd-analyze verify --man=no "$scratch"/streamemd.{service,socket}
    XDG_RUNTIME_DIR=$scratch quiet systemd-analyze verify --user --man=no \
        "$scratch"/user/streamemd.{service,socket}
    systemd-analyze security --no-pager --offline=true --threshold="$1" \
        "$scratch/streamemd.service" | tail -n 1
}
verify "$exposure_max"
cp -r streamemd.service.d "$scratch"
cp -r user/streamemd.service.d "$scratch/user"
verify "$hololens_exposure_max"

systemd-sysusers --root="$scratch/root" "$PWD/sysusers.d/streamem.conf"
grep -q '^streamem:' "$scratch/root/etc/passwd"
grep -q '^streamem:' "$scratch/root/etc/group"

systemd-tmpfiles --root="$scratch/root" --create "$PWD/tmpfiles.d/streamem.conf"
[[ $(stat -c '%A' "$scratch/root/run/streamem") == drwxr-xr-x ]]
