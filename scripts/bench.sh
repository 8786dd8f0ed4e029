#!/usr/bin/env bash
# Measures, beside other ways to pass frames on, in one run; writes the table to the terminal,
# every number to target/bench.json and target/hololens.json, and the chart to docs/bench.svg.
# `bench.sh hololens` measures a simulated HoloLens only, for two minutes and more (--seconds=10 for less).
# Other arguments go to `streamem-bench run`.
set -euo pipefail
cd "$(dirname "$0")/.."

measure() {
    cargo run --release --locked --manifest-path tests/bench/Cargo.toml --bin streamem-bench -- "$@"
}

tests/bench/setup.sh
cargo build --release --locked -p streamemd -p streamem-inspector -p streamem-worker
if [ "${1:-}" = hololens ]; then
    measure hololens --json target/hololens.json "${@:2}"
else
    measure run --json target/bench.json --svg docs/bench.svg "$@"
    measure hololens --json target/hololens.json
fi
