#!/usr/bin/env bash
# Boots the kernels of tests/vm/kernels in QEMU, which emulates them, and runs in each what tests/vm/boots
# lists: scripts/vm.sh [KERNEL|BOOT|KERNEL/BOOT]… What a machine writes goes to target/vm/log.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/vm-kit.sh
# A boot with the package is among all, among all of a kernel, or named.
if (($# == 0)) || [[ " $*" == *package* || " $*" =~ \ [^/a-z]+(\ |$) ]]; then
    scripts/package.sh
fi

# Static, so that it depends on nothing else in the machine.
cargo rustc -p streamem-vm-init --bin vm-init --locked --target-dir target/vm/build -- \
    -C target-feature=+crt-static
cp target/vm/build/debug/vm-init target/vm/vm-init

targets=(--bins)
while read -r program; do
    targets+=(--test "$program")
done < <(sed 's/#.*//' tests/vm/boots | awk 'NF { print $2 }' | sort -u)
build=(cargo build --workspace --features streamem-vm/guest --locked "${targets[@]}")
"${build[@]}"
"${build[@]}" --quiet --message-format=json | "${CARGO_TARGET_DIR:-target}/debug/vm" "$@"
