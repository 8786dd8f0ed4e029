#!/usr/bin/env bash
# Measures, beside other ways to pass frames on, in one run; writes the table to the terminal,
# every number to target/bench.json and the chart to docs/bench.svg.
# Arguments go to `streamem-bench run`.
set -euo pipefail
cd "$(dirname "$0")/.."

tests/bench/setup.sh
cargo build --release --locked -p streamemd -p streamem-inspector
cargo run --release --locked --manifest-path tests/bench/Cargo.toml --bin streamem-bench -- \
    run --json target/bench.json --svg docs/bench.svg "$@"
