"""A consumer with the one-file client: takes each frame as a numpy array.

Usage: streamem_consumer.py LEDGER NUMBER SOCKET STREAM.
"""

import pathlib
import sys

import ledger

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "libclient" / "python"))

import streamem  # noqa: E402


def main(path, number, socket, stream):
    subscription = streamem.open(stream, socket=socket)
    held = []

    def take():
        held.clear()
        frame = subscription.next(0.2)
        if frame is None:
            return None
        held.append(frame)
        return frame.array(), None, lambda: (frame.sequence, frame.published_ns)

    ledger.consume(path, number, take)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4])
