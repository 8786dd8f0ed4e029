#!/usr/bin/env bash
# Builds, starts a broker as an ordinary user on its built-in default (a camera and a microphone
# made of random numbers), and shows what a client sees. Ctrl-C ends all of it. Without a terminal
# it prints the same as text and exits 0.
#
# RUN_SECONDS  how long the moving picture is shown (8)
# RUN_PROFILE  release or dev (release)
# RUN_PICTURE  a file that gets what `top` says as an svg (only without a terminal)
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${RUN_SECONDS:-8}
stream=randcam
profile=${RUN_PROFILE:-release}
interactive=no
[[ -t 0 && -t 1 ]] && interactive=yes

say() { printf '\n%s\n' "$*"; }

say "Building (profile $profile) …"
quiet=()
[[ $interactive == yes ]] || quiet=(--quiet)
cargo build --locked "${quiet[@]}" --profile "$profile" -p streamemd -p streamem-inspector
bin=${CARGO_TARGET_DIR:-target}/${profile/#dev/debug}
bin=$(cd "$bin" && pwd)
streamem=$bin/streamem

# The socket lies in a directory only this user can enter: the broker's own default place if nobody
# answers there, so that a second terminal finds it without being told.
scratch=$(mktemp -d)
place=${XDG_RUNTIME_DIR:-/tmp/streamem-$UID}
if [[ $interactive == yes && -z ${STREAMEM_SOCKET:-} ]] && ! "$streamem" list >/dev/null 2>&1; then
    [[ -d $place ]] || mkdir -m 0700 "$place"
    socket=$place/streamem.sock
    hint=
else
    socket=$scratch/streamem.sock
    hint="export STREAMEM_SOCKET=$socket; "
fi
export STREAMEM_SOCKET=$socket

broker=
started=()
cleanup() {
    trap - EXIT
    trap '' INT TERM HUP
    if ((${#started[@]})); then
        kill -CONT "${started[@]}" 2>/dev/null || true
        kill "${started[@]}" 2>/dev/null || true
    fi
    if [[ -n $broker ]]; then
        kill "$broker" 2>/dev/null || true
        wait "$broker" 2>/dev/null || echo "the broker did not end well; its log:" "$(cat "$scratch/log")" >&2
    fi
    wait 2>/dev/null || true
    rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 0' INT TERM HUP

# The built-in default as a file, so that this machine's own configuration is left alone.
"$bin/streamemd" --config broker/systemd/streamem.toml --socket "$socket" 2>"$scratch/log" >&2 &
broker=$!
for ((tries = 0; ; tries++)); do
    "$streamem" list >/dev/null 2>&1 && break
    if ((tries == 100)) || ! kill -0 "$broker" 2>/dev/null; then
        echo "the broker does not answer; its log:" >&2
        cat "$scratch/log" >&2
        "$streamem" doctor >&2 || true
        exit 1
    fi
    sleep 0.1
done

say "The streams this broker has (streamem list):"
"$streamem" list

# A consumer that is stopped for so long after each look, as if its work took that time.
consumer() { # rest-in-seconds
    "$streamem" watch "$stream" >/dev/null 2>&1 &
    local pid=$!
    started+=("$pid")
    [[ $1 == 0 ]] && return
    while sleep 0.04 && kill -STOP "$pid" && sleep "$1" && kill -CONT "$pid"; do :; done 2>/dev/null &
    started+=("$!")
}

if [[ $interactive == no ]]; then
    say "Frames as they come (streamem watch $stream):"
    "$streamem" watch "$stream" --count 5
    consumer 0
    consumer 0.1
    consumer 0.4
    sleep 2
    say "Three consumers, each at its own speed (streamem top):"
    "$streamem" top --once
    [[ -z ${RUN_PICTURE:-} ]] || "$streamem" top --once | scripts/picture.sh streamem top >"$RUN_PICTURE"
    exit 0
fi

say "A moving picture, for $seconds seconds (streamem view $stream). q or Ctrl-C ends everything."
sleep 1
ended=0
timeout --foreground "$seconds" "$streamem" view "$stream" || ended=$?
# Its time was over, or somebody pressed a key and wants to go.
((ended == 124)) || exit 0

consumer 0
consumer 0.1
consumer 0.4
say "Next: three consumers, each at its own speed (streamem top). q leaves it; the broker goes on."
sleep 2
"$streamem" top

say "The broker goes on. In another terminal:

  cd $PWD; ${hint}export PATH=$bin:\$PATH
  streamem list
  streamem grab $stream -o x.png
  streamem watch $stream
  cargo run -p streamem-examples --bin watch

Ctrl-C here ends everything."
wait "$broker"
