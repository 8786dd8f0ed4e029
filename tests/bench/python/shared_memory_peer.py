"""POSIX shared memory with a lock, a reader count and an event per reader; two copies in, two copies out.

Usage: shared_memory_peer.py LEDGER CONSUMERS. This is the method of the program that Streamem replaces, written
anew from a description of what it does: one buffer, the newest frame in it; the writer turns the array into bytes
and copies those in under the lock, then sets the event of every reader that is not set; a reader counts itself in
(the first one takes the lock), notes where the frame is, counts itself out, copies it, and hands on a second copy.
"""

import multiprocessing
import sys
import time
from multiprocessing import shared_memory

import ledger


def consumer(path, number, name, lock, counting, readers, event):
    import numpy

    area = shared_memory.SharedMemory(name)
    picture = numpy.ndarray(ledger.FRAME_BYTES, numpy.uint8, area.buf)

    def take():
        if not event.acquire(timeout=0.2):
            return None
        awake = time.monotonic_ns()
        with counting:
            readers.value += 1
            if readers.value == 1:
                lock.acquire()
        seen = picture[:]
        with counting:
            readers.value -= 1
            if readers.value == 0:
                lock.release()
        frame = seen.copy().copy()
        return frame, awake, lambda: ledger.stamp(frame)

    ledger.consume(path, number, take)


def main(path, count):
    context = multiprocessing.get_context("spawn")
    area = shared_memory.SharedMemory(create=True, size=ledger.FRAME_BYTES)
    lock, counting = context.Semaphore(1), context.Lock()
    readers = context.Value("i", 0, lock=False)
    events = [context.Semaphore(0) for _ in range(count)]
    for number, event in enumerate(events, 1):
        arguments = (path, number, area.name, lock, counting, readers, event)
        context.Process(target=consumer, args=arguments, daemon=True).start()

    def publish(frame):
        with lock:
            area.buf[: ledger.FRAME_BYTES] = frame.tobytes()
        for event in events:
            # Setting an event twice would give its reader the same frame twice.
            if event.get_value() == 0:
                event.release()
        return True

    ledger.produce(path, publish)
    area.close()
    area.unlink()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
