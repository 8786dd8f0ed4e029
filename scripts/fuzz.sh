#!/usr/bin/env bash
# Looks for inputs that break a parser: each target of tests/fuzz for SECONDS_EACH (60).
# `scripts/fuzz.sh replay` only runs what is in the corpus, once, and a few seconds of new inputs.
# Needs no nightly compiler: coverage comes from stable flags. What is found lies in target/fuzz.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds_each=${SECONDS_EACH:-60}
[[ ${1:-} == replay ]] && seconds_each=3

host=$(rustc -vV | sed -n 's/^host: //p')
coverage=(--cfg fuzzing -Cpasses=sancov-module -Cdebug-assertions -Ccodegen-units=1)
for option in level=4 inline-8bit-counters pc-table trace-compares; do
    coverage+=("-Cllvm-args=-sanitizer-coverage-$option")
done
RUSTFLAGS=${coverage[*]} cargo build --release --locked --target "$host" \
    --manifest-path tests/fuzz/Cargo.toml --target-dir target/fuzz

for target in tests/fuzz/fuzz_targets/*.rs; do
    name=$(basename "$target" .rs)
    program=target/fuzz/$host/release/$name
    found=target/fuzz/found/$name
    corpus=tests/fuzz/corpus/$name
    mkdir -p "$found" "$corpus"
    echo "$name: the corpus, once"
    find "$corpus" -type f -print0 | xargs -0 -r "$program" -artifact_prefix="$found/" >"$found/log" 2>&1 ||
        { tail -n 40 "$found/log" >&2; exit 1; }
    echo "$name: new inputs for $seconds_each s"
    new=$(mktemp -d)
    "$program" -max_total_time="$seconds_each" -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
        -artifact_prefix="$found/" "$new" "$corpus" >"$found/log" 2>&1 ||
        { tail -n 40 "$found/log" >&2; exit 1; }
    rm -rf "$new"
    grep -E '^(Done|DONE|#[0-9]+.*DONE)' "$found/log" | tail -n 1
done
