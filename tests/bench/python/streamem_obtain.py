"""Takes and drops the newest frame over and over, as a numpy array; prints the nanoseconds of one round.

Usage: streamem_obtain.py SOCKET STREAM.
"""

import sys
import time

import streamem_consumer

ROUNDS = 20_000
REPEATS = 5


def main(socket, stream):
    subscription = streamem_consumer.streamem.open(stream, socket=socket)
    subscription.next(5)
    best = None
    for _ in range(REPEATS):
        before = time.perf_counter_ns()
        for _ in range(ROUNDS):
            frame = subscription.latest()
            array = frame.array()
            del frame, array
        taken = (time.perf_counter_ns() - before) / ROUNDS
        best = taken if best is None else min(best, taken)
    print(best)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
