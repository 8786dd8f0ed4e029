#!/usr/bin/env bash
# One broker and ten consumers for HOURS (1): fails if a frame is lost, or memory or descriptors grow.
# Arguments go to `streamem-bench soak`.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --locked -p streamemd
cargo run --release --locked --manifest-path tests/bench/Cargo.toml --bin streamem-bench -- \
    soak --hours "${HOURS:-1}" "$@"
