"""The ledger of the harness (src/harness/ledger.rs) and the participant loops, for the Python peers.

It measures exactly what src/harness/participant.rs measures and writes it to the same desks.
"""

import mmap
import os
import time

HEADER_BYTES = 4096
DESK_BYTES = 69632
SAMPLES_MAX = 4096
STAMP_BYTES = 64
FRAME_BYTES = 6_220_800

WARM, MEASURE, STOP = 1, 2, 4
PHASE, RATE, CONSUMERS, VERIFY, NAPPER = range(5)
READY, FRAMES, LOST, TORN, CHANGED, GAP, NAPS, SPAN, PASSED, FIRST = range(10)
SECOND = FIRST + 1 + SAMPLES_MAX

NAP_S, NAP_EVERY = 1.0, 45


class Ledger:
    """The shared area; `desk(n)` is the desk of participant n, 0 the producer."""

    def __init__(self, path):
        fd = os.open(path, os.O_RDWR)
        self.words = memoryview(mmap.mmap(fd, 0)).cast("Q")
        os.close(fd)

    def __getitem__(self, field):
        return self.words[field]

    def desk(self, number):
        start = (HEADER_BYTES + number * DESK_BYTES) // 8
        return self.words[start : start + DESK_BYTES // 8]


def push(desk, column, value):
    count = desk[column]
    if count < SAMPLES_MAX:
        desk[column + 1 + count] = max(0, value)
        desk[column] = count + 1


def shade(sequence):
    return sequence % 251


def produce(path, publish, fresh=False):
    """Fills a frame at the ledger's rate and calls `publish(frame)`; False means there was no room.

    With `fresh` every frame is a new array, for peers that send it later.
    """
    import numpy

    ledger = Ledger(path)
    desk = ledger.desk(0)
    frame = numpy.zeros(FRAME_BYTES, numpy.uint8)
    desk[READY] = 1
    while ledger[PHASE] < WARM:
        time.sleep(0.001)
    rate = ledger[RATE]
    sequence, due = 1, time.monotonic()
    while ledger[PHASE] != STOP:
        if rate:
            due += 1 / rate
            time.sleep(max(0, due - time.monotonic()))
        measuring = ledger[PHASE] == MEASURE
        if fresh:
            frame = numpy.empty(FRAME_BYTES, numpy.uint8)
        stamp = frame[:16].view(numpy.uint64)
        frame[STAMP_BYTES:] = shade(sequence)
        before = time.monotonic_ns()
        stamp[0], stamp[1] = sequence, before
        if publish(frame):
            if measuring:
                push(desk, FIRST, time.monotonic_ns() - before)
                desk[FRAMES] += 1
        elif measuring:
            desk[LOST] += 1
        sequence += 1


def stamp(frame):
    """Sequence and publish time of a frame that carries them in its first bytes."""
    import numpy

    return tuple(int(word) for word in frame[:16].view(numpy.uint64))


def consume(path, number, take):
    """Calls `take()` for (frame, awake_ns, what tells its sequence and publish time) or None, until the
    ledger says stop. Where the end of the wait is not known, awake_ns is None."""
    ledger = Ledger(path)
    desk = ledger.desk(number)
    verify, napper = ledger[VERIFY], ledger[NAPPER] == number
    previous, at, first, origin = None, 0, 0, 0
    desk[READY] = 1
    while ledger[PHASE] != STOP:
        taken = take()
        now = time.monotonic_ns()
        if taken is None or ledger[PHASE] != MEASURE:
            continue
        frame, awake, tell = taken
        sequence, published = tell()
        push(desk, FIRST, now - published)
        if awake is not None:
            push(desk, SECOND, now - awake)
        if previous is None:
            first, origin = now, sequence
        else:
            desk[LOST] += max(0, sequence - previous - 1)
            desk[GAP] = max(desk[GAP], now - at)
        desk[SPAN], desk[PASSED] = now - first, sequence - origin
        previous, at = sequence, now
        desk[FRAMES] += 1
        if verify:
            whole = bool((frame[STAMP_BYTES:] == shade(sequence)).all())
            desk[TORN] += not whole
            if napper and whole and desk[FRAMES] % NAP_EVERY == NAP_EVERY // 2:
                time.sleep(NAP_S)
                desk[NAPS] += 1
                desk[CHANGED] += not bool((frame[STAMP_BYTES:] == shade(sequence)).all())
