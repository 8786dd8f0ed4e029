"""A broker that says what a test wants it to, with memory to match.

Owns a thread and a socket; never keeps to the specification unless asked to.
"""

import array
import ctypes
import fcntl
import json
import mmap
import os
import platform
import shutil
import socket
import struct
import tempfile
import threading

F_ADD_SEALS = 1033
SHRINK = 2
LAYOUT = {
    "kind": "video", "format": "gray8", "fourcc": "R8  ", "modifier": 0, "width": 8, "height": 8, "rate": 30.0,
    "planes": [{"offset": 0, "stride": 8, "rows": 8}], "bytes": 64,
    "array": {"shape": [8, 8], "strides": [8, 1], "dtype": "|u1"},
}  # fmt: skip


def memfd(size, sealed=True):
    number = {"x86_64": 319, "aarch64": 279}[platform.machine()]
    descriptor = ctypes.CDLL(None).syscall(number, b"fake", 3)
    os.ftruncate(descriptor, size)
    if sealed:
        fcntl.fcntl(descriptor, F_ADD_SEALS, SHRINK)
    return descriptor


class Memory(object):
    """Ring, pool and lease page of a stream with four slots of 4096 bytes, and one frame in slot 1."""

    def __init__(self, ring_sealed=True, pool_bytes=4 * 4096):
        self.fds = [memfd((64 + 4 * 64 + 8) * 8, ring_sealed), memfd(pool_bytes), memfd(4096)]
        self.ring, self.pool, self.lease = (mmap.mmap(fd, 0) for fd in self.fds)
        self.words = memoryview(self.ring).cast("Q")
        mark = lambda text: struct.unpack("<Q", text)[0]  # noqa: E731
        self.put(0, mark(b"STRMRING"), 1, 1, 4, 8, 4096, 64, 64 + 4 * 64)
        self.publish(1, 1)
        struct.pack_into("<4Q", self.lease, 0, mark(b"STRMLEAS"), 1, 1, 2)

    def put(self, at, *values):
        for place, value in enumerate(values, at):
            self.words[place] = value

    def publish(self, sequence, slot):
        self.put(64 + slot * 64, sequence, 5, 6, 7, 1, 64, 9, 0)
        self.put(64 + 4 * 64 + sequence % 8, sequence << 16 | slot)
        self.put(24, sequence << 16 | slot)


def grant(layout=LAYOUT, **changes):
    stream = {"name": "cam", "layout": layout, "generation": 1, "newest": 0, "slot_bytes": 4096}
    reply = {"subscription": 1, "resumed": False, "stream": stream, "ring": 0, "pool": 1, "lease": 2}
    reply.update(changes)
    return {"parameters": reply}


class FakeBroker(object):
    """Answers every call with `reply` and the descriptors of `memory`; None is silence."""

    def __init__(self, reply, fds=()):
        self.folder = tempfile.mkdtemp(prefix="streamem-")
        self.socket = os.path.join(self.folder, "s")
        self.reply, self.fds = reply, list(fds)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.socket)
        self.listener.listen(8)
        self.sessions = []
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while True:
            try:
                session, _ = self.listener.accept()
            except OSError:
                return
            self.sessions.append(session)
            call = b""
            while not call.endswith(b"\0"):
                part = session.recv(65536)
                if not part:
                    break
                call += part
            self.answer(session)

    def answer(self, session):
        if self.reply == "hang up":
            session.close()
        elif self.reply is not None:
            body = self.reply if isinstance(self.reply, bytes) else json.dumps(self.reply).encode() + b"\0"
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", self.fds))] if self.fds else []
            session.sendmsg([body], rights)

    def end(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()
        for session in self.sessions:
            session.close()
        shutil.rmtree(self.folder)
