#!/usr/bin/env bash
# Everything that can be said against the tree without running it.
# ADVISORIES=1 also asks the RustSec database, for which the network is needed.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-auto}
PATH=$PATH:$PWD/target/tools/bin

step() { printf '\n== %s\n' "$*"; }

step cargo fmt
cargo fmt --all --check
for outside in tests/bench tests/fuzz; do
    cargo fmt --manifest-path $outside/Cargo.toml --check
done

step cargo clippy
cargo clippy --workspace --all-targets --locked -- -D warnings
cargo clippy -p streamem --all-targets --features capi --locked -- -D warnings
cargo clippy --manifest-path tests/bench/Cargo.toml --all-targets --locked -- -D warnings
cargo clippy -p streamem-vm --all-targets --features guest --locked -- -D warnings

step cargo doc
RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked

step cargo deny
checks=(licenses bans sources)
[[ ${ADVISORIES:-0} == 0 ]] || checks+=(advisories)
cargo deny --locked check --hide-inclusion-graph "${checks[@]}"

step Python
mapfile -t pythons < <(git ls-files --cached --others --exclude-standard '*.py')
target/tools/python/bin/pyflakes "${pythons[@]}"
# What users copy, and its tests, must be read by every Python from 3.4 on.
target/tools/python/bin/vermin --quiet --no-tips --violations --eval-annotations -t=3.4- \
    libclient/python/*.py libclient/python/tests/*.py
# The stubs say what the modules have, and are enough for programs; how a subscription makes itself a
# Frame is nobody's business.
private='streamem\.(Frame|Publisher|Slot|Subscription|ProtocolFault)\.__(init|del|exit)__'
export MYPYPATH=$PWD/libclient/python
# It keeps what it found out in the folder it is started in.
(cd target/tools && PYTHONPATH=$MYPYPATH PYTHONDONTWRITEBYTECODE=1 python/bin/python -m mypy.stubtest \
    --concise --allowlist <(echo "$private") --ignore-unused-allowlist streamem streamem_compat)
target/tools/python/bin/mypy --no-error-summary --check-untyped-defs --ignore-missing-imports \
    --scripts-are-modules --cache-dir target/tools/mypy examples/python/*.py

step scripts
mapfile -t scripts < <(git ls-files --cached --others --exclude-standard '*.sh' .ci/run packaging/debian/\*/p\*)
shellcheck "${scripts[@]}"

step systemd units
scripts/lint-units.sh

step man pages
mandoc -T lint -W warning docs/*.[1-8]

printf '\nlint: all is well\n'
