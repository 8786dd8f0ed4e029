#!/usr/bin/env bash
# Runs the broker under strace and compares the system calls it made with those that
# broker/systemd/streamemd.service lets it make. Takes the program to run; default: the debug build.
set -euo pipefail
cd "$(dirname "$0")/.."

program=${1:-${CARGO_TARGET_DIR:-target}/debug/streamemd}
client=$(dirname "$program")/streamem
scratch=$(mktemp -d)
broker=
cleanup() {
    [[ -z $broker ]] || kill "$broker" 2>/dev/null || true
    rm -rf "$scratch"
}
trap cleanup EXIT

export STREAMEM_SOCKET=$scratch/streamem.sock
strace -f -qq -o "$scratch/trace" "$program" --fd-store &
tracer=$!
for ((tries = 0; tries < 100; tries++)); do
    broker=$(pgrep -P "$tracer") && "$client" list >/dev/null 2>&1 && break
    sleep 0.1
done
{
    "$client" watch randcam --count 3
    "$client" add bars 'pattern://bars'
    "$client" grab bars -o "$scratch/x.png"
    "$client" remove bars
    "$(dirname "$program")/publish" flipped randcam 3
    "$client" top --once
} >/dev/null
kill -HUP "$broker"
sleep 0.5
kill "$broker"
broker=
wait "$tracer"

sed -nE 's/^[0-9]+ +([a-z0-9_]+)\(.*/\1/p' "$scratch/trace" | sort -u >"$scratch/made"
systemd-analyze syscall-filter >"$scratch/groups" 2>/dev/null
sed -n 's/^SystemCallFilter=//p' broker/systemd/streamemd.service >"$scratch/filter"

python3 - "$scratch" <<'P'
import sys

scratch = sys.argv[1]
groups, name = {}, None
for line in open(scratch + "/groups"):
    if line.startswith("@"):
        name = line.strip()
        groups[name] = set()
    elif line.startswith("    ") and not line.lstrip().startswith("#"):
        groups[name].add(line.strip())


def calls(word):
    if not word.startswith("@"):
        return {word}
    return set().union(*map(calls, groups[word]))


allowed = calls("@default")
for line in open(scratch + "/filter"):
    words = set().union(*map(calls, line.lstrip("~").split()))
    allowed = allowed - words if line.startswith("~") else allowed | words

made = set(open(scratch + "/made").read().split())
refused = sorted(made - allowed)
print(len(made), "system calls made, refused by the unit:", ", ".join(refused) or "none")
sys.exit(bool(refused) or len(made) < 20)
P
