"""A real broker in a folder of its own, and what tests ask again and again.

STREAMEM_BROKER names the program, STREAMEM_PYTHON what runs this Python, STREAMEM_TEST_FENCES=membarrier has
all fences made by the system call. Owns its process; never measures how long something took.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

import streamem  # noqa: E402

PATIENCE = 30.0
if os.environ.get("STREAMEM_TEST_FENCES") == "membarrier":
    # As on arm64: also where a lock would do, and where none is needed.
    streamem._fence = streamem._fence_before_release = streamem._membarrier
    streamem._Lease.__del__.__defaults__ = (os.getpid, streamem._membarrier)
# What runs this Python again; it need not be a program of its own.
PYTHON = os.environ.get("STREAMEM_PYTHON", sys.executable)
STREAMS = """
[pool]
slots_max = 64
[stream.cam]
source = "pattern://bars?size=320x240&rate=60&format=bgr24"
[stream.fast]
source = "pattern://bars?size=320x240&rate=0&format=gray8"
[stream.bare]
source = "pattern://bars?size=80x1000&rate=0&format=gray8"
[stream.slow]
source = "pattern://bars?size=320x240&rate=2"
[stream.nv12]
source = "pattern://bars?size=320x240&rate=30&format=nv12"
[stream.depth]
source = "pattern://rand?size=64x48&rate=30&format=depth16"
[stream.tone]
source = "pattern://sine"
[stream.imu]
source = "pattern://imu"
"""


def eventually(what, ask):
    end = time.monotonic() + PATIENCE
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError("gave up after %d s waiting until %s" % (PATIENCE, what))
        time.sleep(0.005)


class Broker(object):
    def __init__(self, config=STREAMS):
        self.folder = tempfile.mkdtemp(prefix="streamem-")
        self.socket = os.path.join(self.folder, "streamem.sock")
        self.process = None
        self.configure(config)
        self.start()

    def configure(self, config):
        with open(os.path.join(self.folder, "streamem.toml"), "w") as file:
            file.write(config)

    def start(self):
        self.log = open(os.path.join(self.folder, "log"), "a")
        program = os.environ["STREAMEM_BROKER"]
        command = [program, "--config", os.path.join(self.folder, "streamem.toml"), "--socket", self.socket]
        self.process = subprocess.Popen(command, stderr=self.log, stdin=subprocess.DEVNULL)
        eventually("the broker answers", self._answers)

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError("the broker ended with %s" % self.process.returncode)
        try:
            return streamem.call("io.streamem.Ping", socket=self.socket).pid == self.process.pid
        except (streamem.NoBroker, streamem.HungUp):
            return False

    def kill(self, how=signal.SIGKILL):
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait()
            self.process = None
            self.log.close()

    def hangup(self):
        self.process.send_signal(signal.SIGHUP)

    def open(self, stream, **options):
        return streamem.open(stream, socket=self.socket, **options)

    def subscriptions(self):
        return streamem.call("io.streamem.Inspect", socket=self.socket).subscriptions

    def end(self):
        self.kill()
        shutil.rmtree(self.folder)


class Case(unittest.TestCase):
    """A test with a broker of its class."""

    config = STREAMS

    @classmethod
    def setUpClass(cls):
        cls.broker = Broker(cls.config)

    @classmethod
    def tearDownClass(cls):
        cls.broker.end()

    def open(self, stream, **options):
        subscription = self.broker.open(stream, **options)
        self.addCleanup(subscription.close)
        return subscription

    def descriptors(self):
        return len(os.listdir("/proc/self/fd"))


def strip(pixels, width, row_bytes, pixel_bytes, columns=40):
    """(number, time) of a `bars` picture, by its black and white cells; None if there is none or it is torn."""
    height = len(pixels) // row_bytes
    cell = min(width // columns, height // 4, 16)
    word = 0
    for row in range(4):
        line = (row * cell + cell // 2) * row_bytes
        for column in range(columns):
            at = line + (column * cell + cell // 2) * pixel_bytes
            word = word << 1 | int(pixels[at] > 127)
    number, made_ns = word >> 80 & (1 << 64) - 1, word >> 16 & (1 << 64) - 1
    if word >> 144 != 0x5A3C or word & 0xFFFF != _checksum(number << 64 | made_ns):
        return None
    return number, made_ns


def bare_picture(number, made_ns, bars, ramp, width=80, height=1000):
    """Every byte of a `bars` picture in gray8 that is too small for text, given its rows at number 0."""
    value = 0x5A3C << 144 | number << 80 | made_ns << 16 | _checksum(number << 64 | made_ns)
    bits = "".join(format(value, "0160b"))
    cell = width // 40
    rows = []
    for row in range(4):
        cells = (b"\xff" if bit == "1" else b"\0" for bit in bits[40 * row : 40 * row + 40])
        rows.append(b"".join(one * cell for one in cells) * cell)
    turned = lambda row: row[2 * number % width :] + row[: 2 * number % width]  # noqa: E731
    return b"".join(rows) + turned(bars) * (height - height // 4 - 4 * cell) + turned(ramp) * (height // 4)


def _checksum(value):
    total = 0xFFFF
    for byte in value.to_bytes(16, "big"):
        total ^= byte << 8
        for _ in range(8):
            total = (total << 1 ^ 0x1021 if total & 0x8000 else total << 1) & 0xFFFF
    return total
