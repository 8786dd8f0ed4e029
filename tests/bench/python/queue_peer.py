"""multiprocessing.Queue: every frame is pickled into a pipe, once per consumer.

Usage: queue_peer.py LEDGER CONSUMERS. A queue holds eight frames; a full one loses the frame.
"""

import multiprocessing
import queue
import sys
import time

import ledger

QUEUE_FRAMES = 8


def consumer(path, number, frames):
    def take():
        # The call both waits and obtains: nothing tells the two apart from outside, so the pipe is watched first.
        if not frames._reader.poll(0.2):
            return None
        awake = time.monotonic_ns()
        try:
            frame = frames.get(timeout=0.2)
        except queue.Empty:
            return None
        return frame, awake, lambda: ledger.stamp(frame)

    ledger.consume(path, number, take)


def main(path, count):
    context = multiprocessing.get_context("spawn")
    queues = [context.Queue(QUEUE_FRAMES) for _ in range(count)]
    for number, frames in enumerate(queues, 1):
        context.Process(target=consumer, args=(path, number, frames), daemon=True).start()

    def publish(frame):
        sent = 0
        for frames in queues:
            try:
                frames.put_nowait(frame)
                sent += 1
            except queue.Full:
                pass
        return sent > 0

    # The feeder threads pickle later: they need a frame that the next fill does not change.
    ledger.produce(path, publish, fresh=True)
    for frames in queues:
        frames.cancel_join_thread()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
