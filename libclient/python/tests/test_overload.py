"""Schedules that try to break a lease: a writer that reuses slots as fast as it can, under readers in
processes of their own that look at every pixel twice, and are stopped and killed.

Without arguments the test; with a socket and a number, one of those readers.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
import unittest

from fixture import HERE, PATIENCE, PYTHON, Case, bare_picture, eventually, streamem, strip

READERS = 4
FRAMES = int(os.environ.get("OVERLOAD_FRAMES", "400"))


def read(socket, number):
    """Takes frames at an irregular pace and keeps some; says what it saw."""
    chance = random.Random(number)
    mode = ("latest", "every")[number % 2]
    subscription = streamem.open("bare", mode=mode, depth=3, leases=5, socket=socket, timeout=PATIENCE)
    said = {"frames": 0, "torn": 0, "changed": 0, "backwards": 0}
    kept, last, rows = [], 0, None
    print("opened")
    sys.stdout.flush()
    while said["frames"] < FRAMES:
        frame = next(subscription)
        pixels = bytes(frame.view)
        said["frames"] += 1
        said["backwards"] += frame.sequence <= last
        last = frame.sequence
        stamped = frame.source_sequence, frame.captured_ns
        if rows is None and strip(pixels, 80, 80, 1) == stamped:
            back = -2 * stamped[0] % 80
            rows = [row[back:] + row[:back] for row in (pixels[80 * 100 : 80 * 101], pixels[-80:])]
        said["torn"] += rows is None or pixels != bare_picture(stamped[0], stamped[1], *rows)
        kept.append((frame, pixels))
        if len(kept) > chance.randrange(4):
            frame, before = kept.pop(chance.randrange(len(kept)))
            said["changed"] += bytes(frame.view) != before
        del frame
        if chance.random() < 0.05:
            time.sleep(chance.random() * 0.01)
    for frame, before in kept:
        said["changed"] += bytes(frame.view) != before
    said["refused"] = subscription._granted.page.words[20]
    print(json.dumps(said))


class Overload(Case):
    def start(self, number):
        environment = dict(os.environ, PYTHONPATH=os.path.dirname(HERE))
        command = [PYTHON, os.path.join(HERE, "test_overload.py"), self.broker.socket, str(number)]
        reader = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, universal_newlines=True)
        self.addCleanup(reader.stdout.close)
        self.addCleanup(reader.wait)
        self.assertEqual(reader.stdout.readline(), "opened\n")
        return reader

    def test_no_lease_is_ever_broken(self):
        readers = [self.start(number) for number in range(READERS)]
        for number in range(READERS, READERS + 3):
            victim = self.start(number)
            victim.send_signal(signal.SIGSTOP)
            time.sleep(0.05)
            victim.send_signal(signal.SIGCONT)
            time.sleep(0.05)
            victim.kill()
        for reader in readers:
            said = json.loads(reader.stdout.readline())
            for fault in ("torn", "changed", "backwards"):
                self.assertEqual(said[fault], 0, said)
            self.assertEqual((said["frames"], reader.wait()), (FRAMES, 0))
        counters = streamem.info("bare", self.broker.socket).counters
        self.assertEqual(counters.dropped_no_slot, 0)
        self.assertGreater(counters.held_at_reuse, 0, "the source never met a lease: nothing was put to the test")
        eventually("the dead are forgotten", lambda: not self.broker.subscriptions())


if __name__ == "__main__":
    if len(sys.argv) == 3:
        read(sys.argv[1], int(sys.argv[2]))
    else:
        unittest.main()
