#!/usr/bin/env bash
# Every test there is, in the order in which a failure is cheapest to understand.
set -euo pipefail
cd "$(dirname "$0")/.."

if ((EUID != 0)); then
    echo 'test.sh: tests start processes of other users, for which root is needed; going on with sudo'
    exec sudo env "PATH=$PATH" "HOME=$HOME" ${CARGO_TARGET_DIR:+"CARGO_TARGET_DIR=$CARGO_TARGET_DIR"} \
        "$PWD/scripts/test.sh"
fi
if [[ -n ${SUDO_UID:-} ]]; then
    trap 'chown -R "$SUDO_UID:" target tests/*/target 2>/dev/null || true' EXIT
fi

began=$SECONDS
step() { printf '\n== %s (%d s so far)\n' "$*" $((SECONDS - began)); }

step build
cargo build --workspace --all-targets --locked

step units, examples and the whole system
cargo test --workspace --locked --no-fail-fast

step what the benchmark is made of
cargo test --manifest-path tests/bench/Cargo.toml --locked

step the border to C
cargo test -p streamem --lib --features capi --locked ffi::

step the lease protocol, every interleaving
RUSTFLAGS='--cfg loom' CARGO_TARGET_DIR=target/loom \
    cargo test -p streamem-wire --test loom --release --locked

step the parsers, on the corpus of the fuzzer
scripts/fuzz.sh replay

step the system calls of the broker, and those its unit allows
scripts/test-filter.sh

step real kernels in virtual machines
scripts/vm.sh

step make run, as seen by a script
RUN_PROFILE=dev scripts/run.sh </dev/null

printf '\ntest: all passed in %d s\n' $((SECONDS - began))
