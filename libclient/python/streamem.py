"""Read frames of a Streamem broker where they lie.

    import streamem

    for frame in streamem.open("randcam"):
        image = frame.array()      # numpy looks at the broker's own memory: no copy, read-only

One file that needs nothing but the standard library of CPython 3.4 or newer, on 64-bit Linux (x86-64 or
arm64): copy it anywhere. numpy is used where a program asks for arrays.

Owns the second implementation of the specification (`io.streamem.varlink` and the shared pages); never
copies a frame, never writes to anything but its own lease page, and believes no number it has not checked.

Read from the top: errors, system calls, session, memory, lease, frame, link, subscription, publishing.
"""

import ctypes
import errno
import fcntl
import functools
import json
import mmap
import os
import re
import select
import socket
import stat
import struct
import sys
import time
import _thread
import weakref

__version__ = "0.1.0"


# --- errors: each says what, why, and what to do ------------------------------------------------------


class Error(Exception):
    """Anything that went wrong here."""


class BadName(Error, ValueError):
    """The name can be no stream's."""


class NoBroker(Error):
    """Nobody answers where the broker should be."""


class NoAnswer(Error):
    """The broker took the connection and went silent."""


class HungUp(Error):
    """The connection ended."""


class Refused(Error):
    """The broker does not want to; its sentence says why and what to do."""

    name = ""
    subject = ""


class NoSuchStream(Refused):
    """There is no stream of that name, or none this user may see."""


class StreamExists(Refused):
    """A stream of that name is there already."""


class NoSuchSubscription(Refused):
    """This session has no such subscription."""


class NotPermitted(Refused):
    """The configuration does not allow it to this user."""


class QuotaExceeded(Refused):
    """The user has as much as the configuration allows."""


class PoolFull(Refused):
    """One more reader would break the promise made to the others."""


class BadSource(Refused):
    """The source cannot be what was asked for."""


class OutOfResources(Refused):
    """The system would not give what was needed."""


class NoSuchPublication(Refused):
    """This session has no such publication."""


class BadLayout(Refused):
    """The frames cannot lie as was asked for."""


class NoDmaBuf(Refused):
    """No device can import the memory this stream's frames lie in."""


class BadMemory(Refused):
    """The memory of a publication is not what it must be."""


class InvalidParameter(Refused, ValueError):
    """A parameter is out of range."""


class Timeout(Error):
    """No frame came in the time that was given."""


class StreamEnded(Error):
    """The stream was removed."""


class LeasesExhausted(Error):
    """This program holds as many frames as it asked to be allowed to."""


class FrameReleased(Error):
    """The frame was given back; its bytes may be another frame's by now."""


class Rejected(Error):
    """The broker did not publish what was submitted."""


class PublicationEnded(Error):
    """The broker ended a publication: the stream was removed, or this user may not fill it any more."""


class Closed(Error):
    """It was closed by this program, or belongs to the process this one was forked from."""


class DescriptorsLost(Error):
    """Descriptors sent by the broker did not arrive."""


class ProtocolFault(Error):
    """What the broker said or handed over is not what the specification says."""

    def __init__(self, message):
        Error.__init__(
            self, message + "; broker and client are of different versions, or that is no Streamem broker"
        )


class WrongVersion(ProtocolFault):
    """Broker and client speak different versions of the specification."""


class Unsupported(Error):
    """This system does not allow what the lease protocol needs."""


_REFUSALS = {
    "io.streamem." + kind.__name__: kind
    for kind in (
        NoSuchStream,
        StreamExists,
        NoSuchSubscription,
        NotPermitted,
        QuotaExceeded,
        PoolFull,
        BadSource,
        OutOfResources,
        NoSuchPublication,
        BadLayout,
        BadMemory,
        NoDmaBuf,
    )
}
_REFUSALS["org.varlink.service.InvalidParameter"] = InvalidParameter


# --- system calls -------------------------------------------------------------------------------------

_FUTEX, _MEMBARRIER = {"x86_64": (202, 324), "aarch64": (98, 283)}.get(os.uname().machine, (0, 0))
if not (_FUTEX and sys.platform.startswith("linux") and struct.calcsize("P") == 8 and sys.byteorder == "little"):
    raise ImportError("streamem.py runs on 64-bit Linux, on x86-64 and arm64; this is %s" % (os.uname(),))

_FUTEX_WAIT, _FUTEX_WAKE = 0, 1
_MEMBARRIER_GLOBAL_EXPEDITED = 2
_F_GET_SEALS = 1034
_F_SEAL_SHRINK = 2
_DMA_BUF_SYNC = 0x40086200
_DMA_BUF_EXPORT_SYNC_FILE = 0xC0086202
_READS = 1
_BEGIN_READING, _END_READING = struct.pack("=Q", 1), struct.pack("=Q", 5)
_POLLRDHUP = 0x2000
_TFD_NONBLOCK_CLOEXEC = 0o2004000

# A CDLL lets other threads run while it is in the kernel, a PyDLL does not: waiting must, and a fence,
# which takes less time than handing over the interpreter, must not.
_libc = ctypes.CDLL(None, use_errno=True)
_futex_call = _libc["syscall"]
_futex_call.argtypes = [ctypes.c_long, ctypes.c_void_p, ctypes.c_long, ctypes.c_ulong, ctypes.c_void_p]
_futex_call.restype = ctypes.c_long
_python = ctypes.PyDLL(None)
_membarrier_call = _python["syscall"]
_membarrier_call.argtypes = [ctypes.c_long] * 4
_membarrier_call.restype = ctypes.c_long

# The full fence between storing a lease and looking at the slot again. Python has no fences. Of
# membarrier's commands this is the one the kernel executes as a full fence on the calling thread, on every
# machine with more than one processor, and which is ordered against the writer's own fence; the PRIVATE
# commands return at once, without one, for a process of one thread.
_membarrier = functools.partial(_membarrier_call, _MEMBARRIER, _MEMBARRIER_GLOBAL_EXPEDITED, 0, 0)


def _lock_to_take(new_lock=_thread.allocate_lock):
    """A fence that can be used once. Taking a free lock is one atomic instruction that reads and writes, and
    on x86 each of those is a full fence. One that is shared can be found taken, and is only read then."""
    return new_lock().acquire


def _fence_by_lock():
    _lock_to_take()()


_IS_X86 = os.uname().machine == "x86_64"
# With the processor cold, as it is after waiting for a frame, a lock takes a quarter of the time of a call.
_HAS_ATOMIC_LOCKS = sys.implementation.name == "cpython" and sys.thread_info.lock in ("semaphore", "pymutex")
_fence = _fence_by_lock if _IS_X86 and _HAS_ATOMIC_LOCKS else _membarrier


def _new_fence():
    """A full fence to be used once, made ready so that it takes least."""
    return _lock_to_take() if _fence is _fence_by_lock else _fence


# Reads of a frame must be over before its lease is given back. x86 never lets a store overtake a read.
_fence_before_release = None if _IS_X86 else _fence


def _order():
    """Between two stores, or two loads, that another process sees: x86 keeps their order by itself."""
    if _fence_before_release is not None:
        _fence()


class _Timespec(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_int64), ("nanoseconds", ctypes.c_int64)]


class _Timer(ctypes.Structure):
    _fields_ = [("interval", _Timespec), ("value", _Timespec)]


def _timespec(seconds):
    whole = int(seconds)
    return _Timespec(whole, int((seconds - whole) * 1e9))


def _check_fence():
    if _fence is _membarrier and _fence() != 0:
        raise Unsupported(
            "the system call membarrier is refused here, and without it no frame can be leased safely: "
            "allow it in the seccomp profile of this container"
        )


# A broker that was killed cannot wake anybody, and one that was restarted may go on in the same memory
# and honours only the leases of those who resume: so often a reader looks, also while frames come.
_SLICE = 0.25
_SLICE_NS = 250 * 1000 * 1000
_SLICE_LIMIT = _timespec(_SLICE)


def _futex_wait(address, expected, seconds):
    """Whether to look: woken, or no longer `expected`, or a signal came; False when the time is over."""
    limit = _SLICE_LIMIT if seconds == _SLICE else _timespec(seconds)
    if _futex_call(_FUTEX, address, _FUTEX_WAIT, expected, ctypes.addressof(limit)) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EAGAIN, errno.EINTR):
        return True
    if code == errno.ETIMEDOUT:
        return False
    raise OSError(code, "waiting for a frame failed: " + os.strerror(code))


def _futex_wake(address, count):
    _futex_call(_FUTEX, address, _FUTEX_WAKE, count, None)  # it can only fail by waking nobody


def _now_ns_before_37():
    return int(time.monotonic() * 1e9)


_now_ns = getattr(time, "monotonic_ns", _now_ns_before_37)


# Before Python 3.7 nobody tells when this process was forked.
_FORKS_UNSEEN = not hasattr(os, "register_at_fork")


def _deadline(seconds):
    """A moment by the monotonic clock; None is never."""
    return None if seconds is None else time.monotonic() + max(0.0, seconds)


def _left(deadline, at_most):
    return at_most if deadline is None else max(0.0, min(at_most, deadline - time.monotonic()))


def _is_over(deadline):
    return deadline is not None and time.monotonic() >= deadline


# --- session: varlink over a Unix socket, with descriptors beside the replies -------------------------

_ANSWER_SECONDS = 10.0
_REPLY_BYTES_MAX = 16 * 1024 * 1024
_FDS_MAX = 64
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")


class Record(dict):
    """What the broker said, as attributes or as items: `stream.layout.width`, `stream["layout"]`."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            # What is absent on the wire is nothing.
            if name.startswith("_"):
                raise AttributeError(name)
            return None


def _check_name(name):
    if not isinstance(name, str) or not _NAME.match(name):
        raise BadName(
            "%r cannot name a stream: use 1 to 64 letters, digits, '.', '_' or '-', beginning with a "
            "letter or a digit" % (name,)
        )
    return name


def _is_socket(path):
    try:
        return stat.S_ISSOCK(os.lstat(path).st_mode)
    except OSError:
        return False


def _is_this_users_alone(folder):
    """Anybody may make a folder in /tmp: one of another user could hide a false broker."""
    try:
        found = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022


def _places(explicit):
    """Where to look for the broker, best first."""
    explicit = explicit or os.environ.get("STREAMEM_SOCKET")
    if explicit:
        return [str(explicit)]
    places = []
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and _is_socket(os.path.join(runtime, "streamem.sock")):
        places.append(os.path.join(runtime, "streamem.sock"))
    places.append("/run/streamem/streamem.sock")
    own = "/tmp/streamem-%d" % os.getuid()
    if _is_this_users_alone(own) and _is_socket(own + "/streamem.sock"):
        places.append(own + "/streamem.sock")
    return places


def _no_broker(place, error):
    if isinstance(error, PermissionError):
        remedy = (
            "its socket is for members of a group (the system's broker: `adduser USER streamem`, as root, "
            "and log in anew)"
        )
    elif isinstance(error, OSError) and error.errno is not None:
        remedy = "start one with `streamemd`, or name its socket: with socket=, else by STREAMEM_SOCKET"
    else:
        remedy = "give the path of a socket that is shorter than 108 bytes"
    return NoBroker("no broker at %s: %s; %s" % (place, getattr(error, "strerror", None) or error, remedy))


class _Session(socket.socket):
    """The socket; frames keep it, since without it the broker would take their leases for given back."""

    def __del__(self):
        self.close()


class _Descriptors(object):
    """Descriptors that came with a reply; what nobody takes is closed."""

    def __init__(self, numbers, lost):
        self.numbers = list(numbers)
        self.lost = lost

    def take(self, place):
        if place is None:
            return None
        if self.lost or not isinstance(place, int) or not 0 <= place < len(self.numbers):
            raise DescriptorsLost(
                "the reply names descriptor %s and %d arrived; this process is at its limit of open files, "
                "raise RLIMIT_NOFILE (ulimit -n)" % (place, len(self.numbers))
            )
        taken, self.numbers[place] = self.numbers[place], None
        if taken is None:
            raise ProtocolFault("the reply names descriptor %d twice" % place)
        return taken

    def close(self):
        while self.numbers:
            number = self.numbers.pop()
            if number is not None:
                os.close(number)

    __del__ = close


class _Connection(object):
    """A connected socket, what was received of the next message, and what was asked."""

    def __init__(self, place, deadline):
        self.session = opened = _Session(socket.AF_UNIX, socket.SOCK_STREAM)
        self.place = place
        self.inbox = bytearray()
        self.searched = 0
        self.fds = []
        self.fds_lost = False
        opened.setblocking(False)
        while True:
            try:
                opened.connect(place)
                break
            except BlockingIOError as error:  # its queue is full
                if _is_over(deadline):
                    raise _no_broker(place, error)
                time.sleep(_left(deadline, 0.01))
            except (OSError, ValueError, TypeError) as error:
                raise _no_broker(place, error)
        self.watched = select.poll()
        self.watched.register(opened, _POLLRDHUP)

    def __del__(self):
        _Descriptors(getattr(self, "fds", ()), True).close()

    @staticmethod
    def open(explicit, deadline):
        """At the first place where somebody answers."""
        told = None
        for place in _places(explicit):
            try:
                return _Connection(place, deadline)
            except NoBroker as error:
                if told is None or "No such file" not in str(error):
                    told = error
        raise told from None

    def hung_up(self):
        return bool(self.watched.poll(0))

    def _ready(self, events, deadline):
        poll = select.poll()
        poll.register(self.session, events)
        while True:
            try:
                if poll.poll(_left(deadline, 3600.0) * 1000):
                    return True
            except InterruptedError:  # any signal, before Python 3.5
                continue
            if _is_over(deadline):
                return False

    def _broken(self, error):
        if error is None or error.errno in (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN):
            return HungUp(
                "the broker at %s hung up; it was stopped, or it closed this session and says why in its log"
                % self.place
            )
        return error

    def no_answer(self):
        return NoAnswer(
            "the broker at %s did not answer in %d s; see whether it is stopped or overloaded"
            % (self.place, _ANSWER_SECONDS)
        )

    def ask(self, method, parameters, more=False, fds=()):
        """Sends a call, and descriptors with it; the reply is to be had by `answer`."""
        deadline = _deadline(_ANSWER_SECONDS)
        message = {"method": method, "parameters": parameters}
        if more:
            message["more"] = True
        unsent = memoryview(json.dumps(message).encode() + b"\0")
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("%di" % len(fds), *fds))] if fds else []
        while unsent:
            try:
                unsent = unsent[self.session.sendmsg([unsent], rights, socket.MSG_NOSIGNAL):]
                rights = []
            except BlockingIOError:
                if not self._ready(select.POLLOUT, deadline):
                    raise self.no_answer()
            except OSError as error:
                raise self._broken(error)

    def answer(self, deadline):
        """The next reply as (results, descriptors, whether more follow); None if it did not come in time."""
        while True:
            end = self.inbox.find(b"\0", self.searched)
            if end > _REPLY_BYTES_MAX or end < 0 and len(self.inbox) > _REPLY_BYTES_MAX:
                raise ProtocolFault("a message is longer than %d bytes" % _REPLY_BYTES_MAX)
            if end >= 0:
                message = bytes(self.inbox[:end])
                del self.inbox[: end + 1]
                self.searched = 0
                return self._understood(message)
            self.searched = len(self.inbox)
            if not self._ready(select.POLLIN, deadline):
                return None
            self._read()

    def call(self, method, parameters):
        """Calls a method and waits for its only reply."""
        self.ask(method, parameters)
        answer = self.answer(_deadline(_ANSWER_SECONDS))
        if answer is None:
            raise self.no_answer()
        return answer

    def _read(self):
        # socket.recv_fds drops its flags: descriptors would be inherited by child processes.
        flags = socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC
        try:
            data, ancillary, flags, _ = self.session.recvmsg(65536, socket.CMSG_SPACE(4 * _FDS_MAX), flags)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            raise self._broken(error)
        for level, kind, body in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                count = len(body) // 4
                self.fds.extend(struct.unpack("%di" % count, body[: 4 * count]))
        self.fds_lost = self.fds_lost or bool(flags & socket.MSG_CTRUNC)
        if not data:
            raise self._broken(None)
        self.inbox += data
        if len(self.fds) > _FDS_MAX:
            raise ProtocolFault("a reply brings more than %d descriptors" % _FDS_MAX)

    def _understood(self, message):
        descriptors = _Descriptors(self.fds, self.fds_lost)
        self.fds, self.fds_lost = [], False
        try:
            reply = json.loads(message.decode(), object_hook=Record)
        except ValueError as error:
            raise ProtocolFault("a message is not what varlink asks for: %s" % error)
        results = Record() if not isinstance(reply, Record) else reply.parameters
        if not isinstance(reply, Record) or not isinstance(results if results is not None else Record(), Record):
            raise ProtocolFault("a message is not what varlink asks for")
        results = Record() if results is None else results
        if reply.error:
            name = str(reply.error)
            error = _REFUSALS.get(name, Refused)(results.message or name)
            error.name, error.subject = name, results.subject or results.parameter or ""
            raise error
        return results, descriptors, bool(reply.continues)


# --- memory: ring, pool and lease page, mapped and checked --------------------------------------------

_PAGE_VERSION = 1
_RING_MAGIC, _LEASE_MAGIC = (int.from_bytes(mark, "little") for mark in (b"STRMRING", b"STRMLEAS"))
_SLOTS_MAX = 4096
_HEADER_WORDS = _RECORD_WORDS = 64
# Words of the ring's header.
_STATE, _HEAD = 25, 24
_LIVE, _LOST, _RETIRED, _ENDED = range(4)
# Words of a record.
_SEQUENCE, _USED, _SIDE = 0, 5, 8
_SIDE_BYTES_MAX = (_RECORD_WORDS - _SIDE) * 8
# Words of the lease page.
_LEASE_PAGE_BYTES = 4096
_WAKE, _WAITING = 8, 9
_TAKEN, _LAST_SEQUENCE, _LAST_TAKEN_NS, _MISSED, _REFUSED = range(16, 21)
_LEASES = 64
_LEASES_MAX = _LEASE_PAGE_BYTES // 8 - _LEASES


class _Buffer(ctypes.Structure):
    """Py_buffer."""

    _fields_ = [
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.c_void_p),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_char_p),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("suboffsets", ctypes.c_void_p),
        ("internal", ctypes.c_void_p),
    ]


def _address(exporter):
    """Where the bytes of a mapping lie, for which ctypes has no way when it is read-only."""
    found = _Buffer()
    _python.PyObject_GetBuffer(ctypes.py_object(exporter), ctypes.byref(found), 0)
    try:
        return found.buf
    finally:
        _python.PyBuffer_Release(ctypes.byref(found))


def _read_only_before_38(writable):
    """Sets the flag that `toreadonly` of Python 3.8 sets, in the object itself, if it is where those
    versions have it."""
    found = _Buffer.from_address(id(writable) + 56)
    if (found.len, found.itemsize, found.readonly, found.ndim) != (writable.nbytes, 1, 0, 1):
        raise Unsupported("this Python has no read-only memoryview; use CPython, or 3.8 or newer")
    found.readonly = 1
    return writable


_read_only = getattr(memoryview, "toreadonly", _read_only_before_38)


def _is_dma_buf(descriptor):
    """Memory of a device. It has no seals, and keeps its length."""
    return os.readlink("/proc/self/fd/%d" % descriptor).startswith("/dmabuf:")


class _Owned(object):
    """A descriptor, for as long as this lives."""

    __slots__ = ("number",)

    def __init__(self, number):
        self.number = number

    def __del__(self, close=os.close):
        close(self.number)


def _map(descriptor, size, access, what):
    """Maps memory that cannot become shorter under us, which would end this process with SIGBUS."""
    has = os.fstat(descriptor).st_size
    if has < size or size <= 0:
        raise ProtocolFault("the %s cannot be used: it has %d bytes where %d are needed" % (what, has, size))
    try:
        can_shrink = not fcntl.fcntl(descriptor, _F_GET_SEALS) & _F_SEAL_SHRINK
    except OSError:
        can_shrink = not _is_dma_buf(descriptor)
    if can_shrink:
        raise ProtocolFault("the %s cannot be used: it is not sealed against shrinking" % what)
    untracked = {"trackfd": False} if sys.version_info >= (3, 13) else {}
    return mmap.mmap(descriptor, size, access=access, **untracked)


def _mark(words, magic, what):
    if words[0] != magic:
        raise ProtocolFault("the %s cannot be used: it does not begin with its mark" % what)
    if words[1] != _PAGE_VERSION:
        raise WrongVersion(
            "the %s has version %d, this client speaks version %d: update the older of the two"
            % (what, words[1], _PAGE_VERSION)
        )


def _check_layout(layout, slot_bytes):
    """Whether planes and array stay inside the frame, and the frame inside its slot."""
    try:
        inside = 0 <= layout.bytes <= slot_bytes
        for plane in layout.planes:
            inside = inside and min(plane.offset, plane.stride, plane.rows) >= 0
            inside = inside and plane.offset + plane.stride * plane.rows <= layout.bytes
        if layout.array:
            shape, strides = layout.array.shape, layout.array.strides
            inside = inside and len(shape) == len(strides) and min(shape) > 0 and min(strides) >= 0
            last = sum((length - 1) * stride for length, stride in zip(shape, strides))
            inside = inside and last < max(1, layout.bytes)
    except (TypeError, ValueError, AttributeError):
        inside = False
    if not inside:
        raise ProtocolFault("a frame of this stream would not fit in its slot of %d bytes" % slot_bytes)


class _Memory(object):
    """Ring and pool of one incarnation of a stream."""

    def __init__(self, ring, pool, brought, dma_bufs, stream):
        found = os.fstat(ring)
        self.inode = found.st_ino
        most = (_HEADER_WORDS + _SLOTS_MAX * (_RECORD_WORDS + 4)) * 8
        self.words = memoryview(_map(ring, min(found.st_size, most) & ~7, mmap.ACCESS_READ, "ring")).cast("Q")
        self._read_shape(None if pool is None else os.fstat(pool).st_size)
        if self.generation != stream.generation:
            raise ProtocolFault(
                "the reply speaks of generation %s, the ring of %d" % (stream.generation, self.generation)
            )
        _check_layout(stream.layout, self.slot_bytes)
        self.mapped = {}
        self.brought = brought
        self.dma_bufs = dma_bufs
        if pool is not None:
            # The whole file, because memory of huge pages can only be mapped in whole pages.
            whole = memoryview(_map(pool, os.fstat(pool).st_size, mmap.ACCESS_READ, "pool"))
            size = self.slot_bytes
            self.mapped = {slot: whole[slot * size : (slot + 1) * size] for slot in range(self.slots)}
        elif len(brought.numbers) < self.slots:
            raise ProtocolFault("the reply brings %d of %d slots" % (len(brought.numbers), self.slots))
        self.keeper_type = None
        self.ready = [None] * self.slots
        self.spent = set()
        self.window = ctypes.c_ubyte * self.slot_bytes
        self.leased = self.generation << 32 | 1  # what a lease word says of slot 0
        self.stream = stream
        self.layout = stream.layout
        self.whole = stream.layout.bytes
        self.look = _Look(stream.layout)

    def _read_shape(self, pool_bytes):
        words = self.words
        if len(words) < _HEADER_WORDS:
            raise ProtocolFault("the ring cannot be used: it is shorter than its header")
        _mark(words, _RING_MAGIC, "ring")
        generation, slots, history, slot_bytes, records_at, history_at = words[2:8].tolist()
        if pool_bytes is None:  # each slot is a file of its own
            pool_bytes = slot_bytes * slots
        checks = (
            ("generation", generation, generation < 1 << 32),
            ("slots", slots, 2 <= slots <= _SLOTS_MAX),
            ("history", history, 2 <= history <= 4 * _SLOTS_MAX and not history & history - 1),
            ("slot_bytes", slot_bytes, 0 < slot_bytes * slots <= pool_bytes),
            ("records_at", records_at, records_at == _HEADER_WORDS),
            ("history_at", history_at, history_at == _HEADER_WORDS + slots * _RECORD_WORDS),
            ("length", len(words), len(words) >= history_at + history),
        )
        for name, value, is_legal in checks:
            if not is_legal:
                raise ProtocolFault("the ring cannot be used: it says %s is %d" % (name, value))
        self.generation, self.slots, self.slot_bytes = generation, slots, slot_bytes
        self.history, self.history_at = history, history_at

    def bytes(self, slot):
        """The bytes of a slot; one that its publisher brought is mapped when it is first looked at."""
        found = self.mapped.get(slot)
        if found is None:
            file = _Owned(self.brought.take(slot))
            found = memoryview(_map(file.number, self.slot_bytes, mmap.ACCESS_READ, "slot"))
            self.mapped[slot] = found
            if _is_dma_buf(file.number):
                self.dma_bufs[slot] = file
        return found

    def prepare(self):
        """Makes arrays for the slots whose arrays were given out, while there is nothing else to do: after
        waiting for a frame this takes as long as all else together."""
        while self.spent:
            slot = self.spent.pop()
            self.ready[slot] = self.new_array(slot, self.whole)

    def new_array(self, slot, used):
        """A numpy array over a slot, and what to tie a lease to that is to live as long."""
        # Numpy lets an array keep what it was cut from, and of a chain of equal types only the first. So the
        # one in between is of another type.
        numpy = _numpy()
        if self.keeper_type is None:
            self.keeper_type = type("Keeper", (numpy.ndarray,), {})
        shape, strides = self.look.of(used)
        keeper = self.keeper_type(shape, self.look.numpy_dtype(numpy), self.bytes(slot), 0, strides)
        return keeper, keeper.view(numpy.ndarray)

    def record(self, slot):
        """First word of a slot's record."""
        if slot >= self.slots:
            raise ProtocolFault("the ring names a slot that the pool does not have")
        return _HEADER_WORDS + slot * _RECORD_WORDS

    def find(self, sequence):
        """The slot of a frame, if it is still there; spares the fence of a lease that would be refused."""
        word = self.words[self.history_at + (sequence & self.history - 1)]
        if word >> 16 != sequence:
            return None
        slot = word & 0xFFFF
        return slot if self.words[self.record(slot)] == sequence else None


class _Look(object):
    """What an array of a layout needs, worked out once."""

    _CODES = {"|u1": "B", "<u2": "H", "<i2": "h", "<f4": "f"}
    _DLPACK = {"|u1": (1, 8), "<u2": (1, 16), "<i2": (0, 16), "<f4": (2, 32)}

    def __init__(self, layout):
        self.array = layout.array
        self.dtype = None
        if not self.array:
            self.shape, self.strides, self.typestr = None, (1,), "|u1"
            self.itemsize, self.end, self.fields = 1, 0, None
            return
        self.shape, self.strides = tuple(self.array.shape), tuple(self.array.strides)
        self.typestr = str(self.array.dtype)
        self.fields = [(str(field.name), str(field.dtype)) for field in self.array.fields or ()]
        digits = re.search(r"\d+\Z", self.typestr)
        self.itemsize = int(digits.group()) if digits else 0
        self.end = self.itemsize + sum((n - 1) * s for n, s in zip(self.shape, self.strides))
        if not digits or self.end > layout.bytes:
            raise ProtocolFault("an array of %s elements does not fit into a frame" % self.typestr)
        tight = self.itemsize
        self.is_tight = True
        for length, stride in zip(reversed(self.shape), reversed(self.strides)):
            self.is_tight = self.is_tight and stride == tight
            tight *= length

    def of(self, used):
        """Shape and strides of a frame with so many bytes: a packet or a batch may have fewer."""
        if self.shape is None:
            return (used,), (1,)
        if used >= self.end:
            return self.shape, self.strides
        if len(self.shape) == 1:
            return (max(0, used - self.itemsize + self.strides[0]) // self.strides[0],), self.strides
        raise Error(
            "this frame has %d bytes, its array would need %d: its source left the rest out; use frame.view" % (used, self.end)
        )

    def numpy_dtype(self, numpy):
        if self.dtype is None:
            self.dtype = numpy.dtype(self.fields or self.typestr)
        return self.dtype


class _Page(object):
    """The lease page of a subscription, and which of its words are free."""

    def __init__(self, descriptor, session):
        self.map = _map(descriptor, _LEASE_PAGE_BYTES, mmap.ACCESS_WRITE, "lease page")
        # Aligned words of the native kind are copied whole: one load, one store.
        self.words = memoryview(self.map).cast("Q")
        _mark(self.words, _LEASE_MAGIC, "lease page")
        self.leases = self.words[3]
        if not 1 <= self.leases <= _LEASES_MAX:
            raise ProtocolFault("the lease page says it has %d leases" % self.leases)
        self.free = list(range(_LEASES + self.leases - 1, _LEASES - 1, -1))
        self.wake_address = _address(self.map) + _WAKE * 8
        self.session = session
        self.holders = {}
        self.pid = os.getpid()


# --- lease and frame ----------------------------------------------------------------------------------


class _Lease(object):
    """The right to one slot, once it has a place in the page. Given back when the last that looks through it
    is gone: a frame, an array, a memoryview, a tensor."""

    __slots__ = ("memory", "page", "place", "slot", "reads")

    def __init__(self, granted):
        self.place = 0
        self.slot = 0
        self.reads = None
        self.memory = granted.memory
        self.page = granted.page

    def __del__(self, getpid=os.getpid, fence=_fence_before_release):
        place, self.place = self.place, 0
        page = self.page
        # A process that was forked has a copy of this object, and the page itself.
        if place and page.pid == getpid():
            if self.reads is not None:
                self.announce(_END_READING)
            if fence is not None:
                fence()
            page.words[place] = 0
            page.holders.pop(place, None)
            page.free.append(place)

    def announce(self, what):
        """Has the processor see what a device wrote. A device whose memory needs none of this may refuse."""
        try:
            fcntl.ioctl(self.reads.number, _DMA_BUF_SYNC, what)
        except OSError:
            pass

    def begin_reading(self):
        self.memory.bytes(self.slot)
        if self.reads is None and self.slot in self.memory.dma_bufs:
            self.reads = self.memory.dma_bufs[self.slot]
            self.announce(_BEGIN_READING)

    def view(self, used):
        """The bytes, as an object whose views keep this lease: a view keeps what exports it, and a
        memoryview that is cut from another does not keep that one."""
        memory = self.memory
        if memory.brought is not None or memory.dma_bufs:
            self.begin_reading()
        window = memory.window.from_address(_address(memory.bytes(self.slot)))
        window.lease = self
        return _read_only(memoryview(window).cast("B"))[:used]


def _line_of_caller():
    """The nearest line outside this file."""
    at = sys._getframe(1)
    while at is not None and at.f_code.co_filename == __file__:
        at = at.f_back
    return "%s:%d" % (at.f_code.co_filename, at.f_lineno) if at is not None else "?"


CLOCKS = ("none", "monotonic", "hololens", "ndi", "samples")
BROKEN, GAP, KEY = 1, 2, 4


class Frame(object):
    """One frame, held until this object and all that was made of it are gone, or `release` is called.

    What was said of it (`sequence`, `captured_ns`, …) can be read for ever, its bytes only while it is held.
    """

    __slots__ = ("sequence", "missed", "_lease", "_memory", "_stamp", "__weakref__")

    def __init__(self, granted):
        self.missed = 0
        self._lease = _Lease(granted)
        self._memory = granted.memory

    def release(self):
        """Gives the frame back, as soon as no array or memoryview of it is left."""
        self._lease = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._lease = None

    def __repr__(self):
        state = " released" if self._lease is None else ""
        return "<streamem.Frame %d of %s%s>" % (self.sequence, self._memory.stream.name, state)

    def __reduce_ex__(self, _):
        raise TypeError(
            "a frame is held by this process alone and cannot be pickled or copied: send frame.array().copy(), or "
            "bytes(frame.view), or open the stream where it is needed"
        )

    def _held(self):
        lease = self._lease
        if lease is None:
            raise FrameReleased(
                "frame %d of %s was given back; make arrays of it before that, or copy what you need"
                % (self.sequence, self._memory.stream.name)
            )
        return lease

    captured_ns = property(lambda self: self._stamp[1], doc="When it was captured, CLOCK_MONOTONIC.")
    published_ns = property(lambda self: self._stamp[2], doc="When the broker made it visible.")
    source_clock = property(lambda self: self._stamp[3], doc="What the source's own clock said.")
    flags = property(lambda self: self._stamp[4] >> 32, doc="BROKEN, GAP and KEY.")
    source_sequence = property(lambda self: self._stamp[6], doc="The source's own number for it.")
    layout = property(lambda self: self._memory.layout, doc="How the bytes are to be read.")
    nbytes = property(lambda self: min(self._stamp[_USED], self._memory.slot_bytes), doc="How many there are.")
    shape = property(lambda self: self._memory.look.of(self.nbytes)[0], doc="Shape of its array.")

    @property
    def clock(self):
        """What the source's own clock counts."""
        domain = self._stamp[4] & 0xFFFFFFFF
        return CLOCKS[domain] if domain < len(CLOCKS) else "unknown"

    @property
    def age_ms(self):
        """How long ago it was captured."""
        return max(0, _now_ns() - self._stamp[1]) / 1e6

    @property
    def view(self):
        """The bytes as a read-only memoryview, which keeps the frame."""
        return self._held().view(self.nbytes)

    def plane(self, index):
        """The rows of one plane as a memoryview; None if the frame has no such plane."""
        planes = self.layout.planes
        if not 0 <= index < len(planes):
            return None
        start = planes[index].offset
        end = start + planes[index].stride * planes[index].rows
        return self.view[start:end] if end <= self.nbytes else None

    def array(self):
        """The frame as a read-only numpy array in the broker's memory, which keeps the frame."""
        lease = self._lease or self._held()
        memory = self._memory
        slot, made = lease.slot, None
        if memory.brought is not None or memory.dma_bufs:
            lease.begin_reading()
        if self._stamp[_USED] == memory.whole:
            made, memory.ready[slot] = memory.ready[slot], None
            memory.spent.add(slot)
        keeper, array = made or memory.new_array(slot, self.nbytes)
        keeper.lease = lease
        return array

    def dma_buf(self):
        """The number of a descriptor of the DMA-BUF the frame lies in from its start on, for a device to import;
        None where the slot is none, or `dma_buf` was not asked for and is needed. It belongs to this object: a
        device that imported it is to read the frame only while it is held, and to write none."""
        lease = self._held()
        lease.memory.bytes(lease.slot)
        file = lease.memory.dma_bufs.get(lease.slot)
        return None if file is None else file.number

    def sync_file(self):
        """The number of a new descriptor, for the caller to close, that becomes readable when the device that
        writes the frame is done, as Vulkan and EGL take it; None if this reader has
        no DMA-BUF of it, as where no device writes it. The processor needs none."""
        lease = self._held()
        lease.memory.bytes(lease.slot)
        file = lease.memory.dma_bufs.get(lease.slot)
        if file is None:
            return None
        wanted = bytearray(struct.pack("=Ii", _READS, -1))
        fcntl.ioctl(file.number, _DMA_BUF_EXPORT_SYNC_FILE, wanted)
        return struct.unpack("=Ii", wanted)[1]

    @property
    def side_data(self):
        """What the source knows of the frame besides its bytes, by kind."""
        lease = self._held()
        first = lease.memory.record(lease.slot) + _SIDE
        side = lease.memory.words[first : first + _SIDE_BYTES_MAX // 8].tobytes()
        return _side_data(side[: min(self._stamp[7], _SIDE_BYTES_MAX)])

    @property
    def __array_interface__(self):
        look = self._memory.look
        shape, strides = look.of(self.nbytes)
        interface = {"version": 3, "shape": shape, "strides": strides, "typestr": look.typestr, "data": self.view}
        if look.fields:
            interface["descr"] = look.fields
        return interface

    def __buffer__(self, flags):
        """The buffer protocol, from Python 3.12 on; before that there is `view`."""
        look = self._memory.look
        shape, _ = look.of(self.nbytes)
        code = look._CODES.get(look.typestr)
        if code is None or not look.is_tight:
            return memoryview(self.array())
        end = look.itemsize
        for length in shape:
            end *= length
        return self.view[:end].cast(code, shape) if end and look.array else self.view

    def __dlpack_device__(self):
        return 1, 0

    def __dlpack__(self, stream=None, max_version=None, dl_device=None, copy=None):
        """For torch.from_dlpack and the like. The memory is read-only whatever a tensor says of itself: one
        that is written to ends the program with SIGSEGV, so clone it first."""
        if dl_device not in (None, (1, 0)) or copy:
            raise BufferError("a frame lies in the memory of the processor, and is not copied")
        look = self._memory.look
        if look.typestr not in look._DLPACK:
            raise BufferError("DLPack has no type for elements of %s; use frame.array()" % look.typestr)
        shape, strides = look.of(self.nbytes)
        if any(stride % look.itemsize for stride in strides):
            raise BufferError("DLPack has no name for strides of %s bytes; use frame.array()" % (strides,))
        return _dlpack(self._held(), look, shape, [stride // look.itemsize for stride in strides], max_version)


def _numpy(found=[]):
    if not found:
        try:
            import numpy
        except ImportError:
            raise ImportError("an array of a frame needs numpy: install it, or use frame.view") from None
        found.append(numpy)
    return found[0]


_OPTICS = ("iso_speed", "white_balance_kelvin", "lens_position", "focus", "white_balance_gains", "iso_gains")


def _side_data(blocks):
    """Stops quietly at the first block that does not fit, since the rest cannot be found then."""
    found = {}
    at = 0
    while at + 8 <= len(blocks):
        kind, length = struct.unpack_from("<II", blocks, at)
        body = blocks[at + 8 : at + 8 + length]
        if len(body) < length:
            break
        if kind == 1 and length == 64:
            found["pose"] = struct.unpack("<16f", body)
        elif kind == 2 and length == 16:
            found["intrinsics"] = struct.unpack("<4f", body)
        elif kind == 3 and length == 12:
            found["exposure_ns"], found["gain"] = struct.unpack("<Qf", body)
        elif kind == 4 and length == 36:
            numbers = struct.unpack("<4I5f", body)
            found["optics"] = dict(zip(_OPTICS, numbers[:4] + (numbers[4:7], numbers[7:])))
        else:
            found[kind] = body
        at += 8 + (length + 7 & ~7)
    return found


# --- DLPack: a C structure that says where the bytes are, and a function that gives them back ---------


class _Tensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("byte_offset", ctypes.c_uint64),
    ]


class _Managed(ctypes.Structure):
    _fields_ = [("tensor", _Tensor), ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p)]


class _ManagedVersioned(ctypes.Structure):
    _fields_ = [
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("context", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
        ("flags", ctypes.c_uint64),
        ("tensor", _Tensor),
    ]


_python.PyCapsule_IsValid.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
_python.PyCapsule_GetPointer.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
_python.PyCapsule_GetPointer.restype = ctypes.c_void_p
_python.PyCapsule_New.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
_python.PyCapsule_New.restype = ctypes.py_object
_DLPACK_READ_ONLY = 1
_exported = {}


@ctypes.CFUNCTYPE(None, ctypes.c_void_p)
def _dlpack_delete(managed, exported=_exported):
    exported.pop(managed, None)


@ctypes.PYFUNCTYPE(None, ctypes.c_void_p)
def _dlpack_unused(capsule, exported=_exported, api=_python):
    # The capsule is on its way out and must not be made an object again; one that was used has another name.
    for name in (b"dltensor", b"dltensor_versioned"):
        if api.PyCapsule_IsValid(ctypes.c_void_p(capsule), name):
            exported.pop(api.PyCapsule_GetPointer(ctypes.c_void_p(capsule), name), None)


# A tensor may be dropped when this module is gone already: these two must never be.
for _kept in (_dlpack_delete, _dlpack_unused, _exported):
    _python.Py_IncRef(ctypes.py_object(_kept))
_DLPACK_NAMES = (ctypes.create_string_buffer(b"dltensor"), ctypes.create_string_buffer(b"dltensor_versioned"))
_python.Py_IncRef(ctypes.py_object(_DLPACK_NAMES))


def _dlpack(lease, look, shape, strides, max_version):
    is_versioned = max_version is not None and max_version[0] >= 1
    managed = _ManagedVersioned() if is_versioned else _Managed()
    numbers = (ctypes.c_int64 * (2 * len(shape)))(*(list(shape) + strides))
    tensor = managed.tensor
    tensor.data = _address(lease.memory.bytes(lease.slot))
    tensor.device_type, tensor.device_id = 1, 0
    tensor.ndim, tensor.lanes = len(shape), 1
    tensor.code, tensor.bits = look._DLPACK[look.typestr]
    tensor.shape = ctypes.addressof(numbers)
    tensor.strides = tensor.shape + 8 * len(shape)
    managed.deleter = ctypes.cast(_dlpack_delete, ctypes.c_void_p)
    if is_versioned:
        managed.major, managed.minor, managed.flags = 1, 0, _DLPACK_READ_ONLY
    place = ctypes.addressof(managed)
    _exported[place] = (managed, numbers, lease)
    name = ctypes.addressof(_DLPACK_NAMES[is_versioned])
    return _python.PyCapsule_New(place, ctypes.c_char_p(name), ctypes.cast(_dlpack_unused, ctypes.c_void_p))


# --- link: the way to the broker, which may go away and come back -------------------------------------

_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 1.0
_UP, _ASKED, _DOWN = "up", "asked", "down"
_ABSENCE = (NoBroker, HungUp, NoAnswer)


class _Granted(object):
    """What one subscription reads and where it says what it holds."""

    __slots__ = ("memory", "page", "subscription", "stream", "goes_on")

    def __init__(self, results, descriptors, session, before, renewed):
        resumed = bool(results.resumed)
        self.goes_on = before is not None and (resumed or renewed)
        taken = []
        try:
            for name in ("ring", "pool", "lease"):
                taken.append(descriptors.take(results.get(name)))
            ring, pool, lease = taken
            brought = None
            if isinstance(results.slots, list):
                brought = _Descriptors([descriptors.take(place) for place in results.slots], False)
            places = results.dma_bufs if isinstance(results.dma_bufs, list) else []
            dma_bufs = {slot: _Owned(descriptors.take(place)) for slot, place in enumerate(places)}
            self.stream = results.stream
            if not isinstance(self.stream, Record) or not isinstance(self.stream.layout, Record):
                raise ProtocolFault("the reply to a subscription describes no stream")
            self.subscription = results.subscription
            if ring is not None and (pool is None) == (brought is not None):
                self.memory = _Memory(ring, pool, brought, dma_bufs, self.stream)
            elif ring is None and pool is None and self.goes_on and resumed:
                self.memory = before.memory
            else:
                raise ProtocolFault("the reply brings no ring or no pool")
            if lease is not None:
                self.page = _Page(lease, session)
                self.goes_on = False
            elif self.goes_on:
                self.page = before.page
                self.page.session = session
            else:
                raise ProtocolFault("the reply brings no lease page")
        finally:
            for number in taken:
                if number is not None:
                    os.close(number)


class _Watch(object):
    """The one descriptor a foreign event loop watches: an epoll set of the broker's bell, the socket and a
    timer for the next call to a broker that went away. It stays the same whatever becomes of those."""

    def __init__(self):
        self.bell = None
        self.socket = None
        self.timer = None
        self.set = select.epoll()
        self.timer = _libc.timerfd_create(1, _TFD_NONBLOCK_CLOEXEC)
        if self.timer < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create failed")
        self.set.register(self.timer, select.EPOLLIN)

    def follow(self, opened, is_asked):
        events = _POLLRDHUP | (select.EPOLLIN if is_asked else 0)
        if self.socket is opened:
            self.set.modify(opened, events)
        else:
            self.forget()
            self.set.register(opened, events)
            self.socket = opened

    def forget(self):
        if self.socket is not None:
            self.set.unregister(self.socket)
            self.socket = None
        self.replace_bell(None)

    def replace_bell(self, bell):
        before, self.bell = self.bell, None
        if before is not None:
            self.set.unregister(before)
            os.close(before)
        if bell is not None:
            fcntl.fcntl(bell, fcntl.F_SETFL, fcntl.fcntl(bell, fcntl.F_GETFL) | os.O_NONBLOCK)
            self.bell = bell
            self.set.register(bell, select.EPOLLIN)

    def drain(self):
        """Takes what the bell has rung, so that it is not readable until the next frame."""
        if self.bell is not None:
            try:
                os.read(self.bell, 65536)
            except OSError:
                pass  # whatever is wrong with it, frames are looked for in the ring

    def alarm(self, seconds):
        """Becomes readable after this time; with None, no longer by the timer."""
        value = _timespec(0 if seconds is None else max(seconds, 1e-6))
        _libc.timerfd_settime(self.timer, 0, ctypes.byref(_Timer(_timespec(0), value)), None)

    def close(self):
        self.forget()
        if self.timer is not None:
            os.close(self.timer)
            self.timer = None
        self.set.close()

    def __del__(self):
        if self.timer is not None:
            self.close()


class _Link(object):
    """The way to the broker of one subscription: up, asking for something, or down and to be tried again."""

    def __init__(self, connection, request, deadline):
        self.request = request
        self.place = connection.place
        self.phase = _DOWN
        self.connection = connection
        self.renewing = False
        self.watch = _Watch() if request["eventfd"] else None
        self.pause = 0.0
        self.next_try = 0.0
        connection.ask("io.streamem.Subscribe", request)
        answer = connection.answer(deadline)
        if answer is None and request["wait"]:
            raise Timeout("the stream %s did not come in time; see `streamem list`" % request["stream"])
        if answer is None:
            raise connection.no_answer()
        self.granted = self._adopt(answer, None)

    def check(self):
        """Looks whether the broker is still there."""
        if self.phase == _UP and self.connection.hung_up():
            self._go_down()

    def drain(self):
        if self.watch is not None:
            self.watch.drain()

    def renew(self):
        """Asks for the renewed memory, if nothing is being asked already."""
        if self.phase != _UP:
            return
        try:
            self.connection.ask("io.streamem.Renew", {"subscription": self.granted.subscription})
        except _ABSENCE:
            self._go_down()
        else:
            self._wait_for_answer(self.connection, True)

    def start_over(self):
        """Gives the subscription up for a new one."""
        if self.phase == _UP:
            self.request.pop("resume", None)
            self._go_down()

    def advance(self, deadline):
        """Goes on with what is under way, until a grant has come (then True) or the deadline."""
        while True:
            if self.phase == _UP:
                return False
            try:
                if self.phase == _DOWN:
                    time.sleep(_left(deadline, max(0.0, self.next_try - time.monotonic())))
                    if self.next_try > time.monotonic():
                        return False
                    self._dial(deadline)
                else:
                    answer = self.connection.answer(deadline)
                    if answer is None:
                        return False
                    self.granted = self._adopt(answer, self.granted)
                    return True
            except Exception as error:
                self._forget()
                self._schedule_retry()
                if isinstance(error, NoSuchSubscription) and "resume" in self.request:
                    del self.request["resume"]
                elif not isinstance(error, _ABSENCE):
                    raise

    def close(self):
        self.phase, self.connection = _DOWN, None
        if self.watch is not None:
            self.watch.close()
            self.watch = None

    def _dial(self, deadline):
        connection = _Connection(self.place, deadline)
        connection.ask("io.streamem.Subscribe", self.request)
        self._wait_for_answer(connection, False)

    def _wait_for_answer(self, connection, renewing):
        self.phase, self.connection, self.renewing = _ASKED, connection, renewing
        if self.watch is not None:
            self.watch.follow(connection.session, True)
            self.watch.alarm(None)

    def _adopt(self, answer, before):
        results, descriptors, _ = answer
        connection = self.connection
        granted = _Granted(results, descriptors, connection.session, before, self.renewing)
        if self.watch is not None:
            self.watch.follow(connection.session, False)
            bell = descriptors.take(results.eventfd)
            if bell is not None:
                self.watch.replace_bell(bell)
        descriptors.close()
        self.request["resume"] = granted.subscription
        self.phase, self.pause, self.renewing = _UP, 0.0, False
        return granted

    def _forget(self):
        self.phase, self.connection, self.renewing = _DOWN, None, False
        if self.watch is not None:
            self.watch.forget()

    def _go_down(self):
        self._forget()
        self.next_try = 0.0
        if self.watch is not None:
            self.watch.alarm(0)

    def _schedule_retry(self):
        self.pause = min(max(self.pause * 2, _FIRST_PAUSE), _LONGEST_PAUSE)
        self.next_try = time.monotonic() + self.pause
        if self.watch is not None:
            self.watch.alarm(self.pause)


# --- subscription -------------------------------------------------------------------------------------

# How often a reader that was overtaken looks again before it says that there is nothing.
_ROUNDS = range(8)
_STATES = ("live", "lost", "renewed", "ended")
_AS_OPENED = object()
_opened = weakref.WeakSet()


class Subscription(object):
    """One reader of one stream, to be used by one thread at a time; frames can go to others.

    Iterating waits for each frame, at most `timeout` seconds. It is also an asynchronous iterator, a
    context manager, and has a `fileno`.
    """

    def __init__(self, connection, request, timeout, deadline, debug):
        _check_fence()
        self.timeout = timeout
        self.missed = 0
        self._debug = debug
        self._every = request["mode"] == "every"
        self._taken = 0
        self._newest = 0
        self._checked_ns = 0
        self._seen = None
        self._awaited = None
        self._pid = os.getpid()
        self._link = _Link(connection, request, deadline)
        self._adopt(True)
        _opened.add(self)

    # What is known of it.

    stream = property(lambda self: self._granted.stream, doc="What the broker said of the stream.")
    layout = property(lambda self: self._granted.memory.layout, doc="How frames lie, as of the newest grant.")
    id = property(lambda self: self._granted.subscription, doc="The broker's number for it.")

    @property
    def held(self):
        """How many frames are held."""
        return self._granted.page.leases - len(self._granted.page.free)

    @property
    def state(self):
        """What has become of the stream: live, lost, renewed, ended, or disconnected."""
        link = self._open_link()
        if link.phase == _DOWN or link.phase == _ASKED and not link.renewing:
            return "disconnected"
        return _STATES[min(self._words[_STATE], _ENDED)]

    def __repr__(self):
        state = "closed" if self._link is None else self.state
        return "<streamem.Subscription %s to %s, %s>" % (self.id, self.stream.name, state)

    # Frames.

    def next(self, timeout=_AS_OPENED):
        """The next frame; None if none came in that time, also because broker or source are away."""
        frame = self._look()
        if frame is None:
            deadline = _deadline(self.timeout if timeout is _AS_OPENED else timeout)
            frame = self._attempt(deadline)
            while frame is None and not _is_over(deadline):
                self._wait(deadline)
                frame = self._look() or self._attempt(deadline)
        return frame

    def try_next(self):
        """The next frame, if it is there."""
        frame = self._look()
        if frame is not None:
            return frame
        link = self._open_link()
        link.drain()
        link.check()
        return self._attempt(0.0)

    def wait(self, timeout=_AS_OPENED):
        """Waits until `try_next` may have something; whether it may."""
        deadline = _deadline(self.timeout if timeout is _AS_OPENED else timeout)
        while True:
            self._refresh(_now_ns())
            self._looked = self._state_and_head()
            if self._is_ahead(self._looked[1] >> 16):
                return True
            if self._settle(self._looked[0], deadline):
                continue
            if _is_over(deadline):
                return False
            self._wait(deadline)

    def latest(self):
        """The newest frame there is, taken before or not; None if there is none yet.

        A subscription to the latest frames moves on with it; one to every frame does not.
        """
        now_ns = _now_ns()
        self._refresh(now_ns)
        for _ in _ROUNDS:
            head = self._words[_HEAD]
            sequence = head >> 16
            if not sequence:
                return None
            frame = self._lease(sequence, head & 0xFFFF)
            if frame is not None:
                moves = not self._every and self._is_ahead(sequence)
                return self._hand_out(frame, now_ns, moves)
        return None

    def clip(self, count, stack=False):
        """The newest `count` frames that follow each other without a gap, oldest first; fewer if there are
        not as many. Open with `history=count` to have them kept. `stack` copies them into one array."""
        now_ns = _now_ns()
        self._refresh(now_ns)
        memory = self._granted.memory
        newest = self._words[_HEAD] >> 16
        # However few there are yet: else a program would work at first, and fail later.
        if count > len(self._granted.page.free):
            raise self._exhausted(count)
        frames = []
        for sequence in range(max(0, newest - min(count, memory.history)) + 1, newest + 1):
            slot = memory.find(sequence)
            frame = None if slot is None else self._lease(sequence, slot)
            if frame is None:
                frames = []
            else:
                frames.append(frame)
        for frame in frames:
            self._hand_out(frame, now_ns, False)
        return _numpy().stack([frame.array() for frame in frames]) if stack and frames else frames

    def __iter__(self):
        return self

    def __next__(self):
        frame = self.next()
        if frame is None:
            raise self._silence()
        return frame

    def __aiter__(self):
        self.fileno()
        return self

    def __anext__(self):
        import asyncio

        if self._awaited is not None and not self._awaited[0].is_closed():
            raise Error("the next frame of %s is awaited already; each task opens its own" % self.stream.name)
        loop = asyncio.get_event_loop()
        future = asyncio.Future(loop=loop)
        watched = self.fileno()
        timer = None if self.timeout is None else loop.call_later(self.timeout, lambda: look(True))

        def look(is_over=False):
            if future.done():
                return
            try:
                frame = self.try_next()
                if frame is None and not is_over:
                    return
                if frame is None:
                    raise self._silence()
            except Exception as error:
                future.set_exception(error)
            else:
                future.set_result(frame)

        def end():
            loop.remove_reader(watched)
            if timer is not None:
                timer.cancel()

        def close():
            end()
            if not future.done():
                future.set_exception(_closed())

        def is_done(_):
            if self._awaited is awaited:
                self._awaited = None
                end()

        self._awaited = awaited = loop, close
        future.add_done_callback(is_done)
        loop.add_reader(watched, look)
        loop.call_soon(look)
        return future

    def fileno(self):
        """The descriptor to watch in an event loop, always the same: readable when `try_next` may have
        something new, or is to be called because the broker went away."""
        link = self._open_link()
        if link.watch is None:
            if self.held:
                raise Error(
                    "a subscription that holds frames cannot be given a descriptor: open it with eventfd=True, "
                    "or ask for the descriptor before the first frame"
                )
            link.request["eventfd"] = True
            link.watch = _Watch()
            link.start_over()
            if self._settle(_LIVE, _deadline(_ANSWER_SECONDS)) is False:
                link.check()
        return link.watch.set.fileno()

    def close(self):
        """Ends the subscription, as soon as no frame of it is held."""
        link, self._link = self._link, None
        awaited, self._awaited = self._awaited, None
        if awaited is not None and self._pid == os.getpid() and not awaited[0].is_closed():
            awaited[1]()  # before the descriptor it watches is closed, and perhaps another's
        if link is not None:
            link.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # How it goes on.

    def _open_link(self):
        link = self._link
        if link is None:
            raise _closed()
        if self._pid != os.getpid():
            raise Closed("this subscription belongs to the process this one was forked from; open one here")
        return link

    def _adopt(self, is_first=False):
        before = None if is_first else self._granted
        self._granted = granted = self._link.granted
        self._words = granted.memory.words
        self._looked = None
        self._blank = None
        # Not the number of the subscription: a broker that was started anew counts from 1 again.
        if is_first or not (granted.goes_on or granted.memory.inode == before.memory.inode):
            newest = self._words[_HEAD] >> 16
            begin = newest - 1 if newest else granted.stream.newest or 0
            self._seen = begin if self._every else None

    def _is_ahead(self, sequence):
        return sequence != 0 and (self._seen is None or sequence > self._seen)

    def _state_and_head(self):
        words = self._words
        state = words[_STATE]
        if state != _LIVE:
            _fence()  # what was published before the ring was retired is seen before it is left
        return state, words[_HEAD]

    def _look(self):
        now_ns = _now_ns()
        link = self._link
        if now_ns - self._checked_ns > _SLICE_NS or link is None or link.phase != _UP or _FORKS_UNSEEN:
            self._check(now_ns)
        words = self._words
        for _ in _ROUNDS:
            head = words[_HEAD]
            sequence = head >> 16
            seen = self._seen
            if not sequence or seen is not None and sequence <= seen:
                return None
            if seen is not None and self._every:
                frame = self._oldest_after(seen, sequence)
            else:
                frame = self._lease(sequence, head & 0xFFFF)
            if frame is not None:
                return self._hand_out(frame, now_ns, True)
        return None

    def _oldest_after(self, seen, newest):
        """The oldest frame after `seen` that is still to be had."""
        memory = self._granted.memory
        for sequence in range(max(seen, newest - memory.history) + 1, newest + 1):
            slot = memory.find(sequence)
            if slot is not None:
                frame = self._lease(sequence, slot)
                if frame is not None:
                    return frame
        return None

    def _new_blank(self):
        """What becomes the next frame, and the fence that takes: made while there is nothing else to do."""
        return Frame(self._granted), _new_fence()

    def _lease(self, sequence, slot):
        """Leases a frame; None if the writer was faster."""
        frame, fence = self._blank or self._new_blank()
        self._blank = None
        lease = frame._lease
        memory, page = lease.memory, lease.page
        if slot >= memory.slots:
            memory.record(slot)
        at = _HEADER_WORDS + slot * _RECORD_WORDS
        try:
            lease.place = place = page.free.pop()
        except IndexError:
            raise self._exhausted(1) from None
        lease.slot = slot
        page.words[place] = memory.leased + slot
        fence()
        frame._stamp = stamp = memory.words[at : at + _SIDE].tolist()
        if stamp[_SEQUENCE] == sequence:
            frame.sequence = sequence
            if self._debug:
                page.holders[place] = (_now_ns(), _line_of_caller())
            return frame
        page.words[_REFUSED] = page.words[_REFUSED] + 1
        return None

    def _exhausted(self, wanted):
        page = self._granted.page
        message = "%d of the %d frames this subscription may hold are held and %d more are wanted; " % (
            self.held,
            page.leases,
            wanted,
        )
        if page.holders:
            since_ns, line = min(page.holders.values())
            message += "the oldest was taken at %s, %d ms ago; " % (line, (_now_ns() - since_ns) // 1000000)
        elif self.held and not self._debug:
            message += "STREAMEM_DEBUG=1 tells which line took the oldest; "
        return LeasesExhausted(message + "release a frame and what was made of it, or ask for more with leases=")

    def _hand_out(self, frame, now_ns, moves):
        sequence = frame.sequence
        if moves:
            before, self._seen = self._seen, sequence
            if before is not None and sequence > before:
                frame.missed = sequence - before - 1
                self.missed += frame.missed
        self._taken += 1
        if sequence > self._newest:
            self._newest = sequence
        words = self._granted.page.words
        words[_TAKEN] = self._taken
        words[_LAST_SEQUENCE] = self._newest
        words[_LAST_TAKEN_NS] = now_ns
        words[_MISSED] = self.missed
        return frame

    def _attempt(self, deadline):
        self._looked = self._state_and_head()
        state = self._looked[0]
        frame = self._look()
        if frame is None and (state > _LOST or self._open_link().phase != _UP) and self._settle(state, deadline):
            frame = self._look()
        return frame

    def _settle(self, state, deadline):
        """Does what the state asks for; whether a new grant came."""
        link = self._open_link()
        if state == _ENDED:
            if not link.request["wait"]:
                raise StreamEnded(
                    "the stream %s has ended; open it with wait=True to go on when it comes again" % self.stream.name
                )
            link.start_over()
        elif state > _LOST:
            link.renew()
        if link.phase == _UP or not link.advance(deadline):
            return False
        self._adopt()
        return True

    def _refresh(self, now_ns):
        """Sees to renewals and to a broker that went away, without waiting."""
        self._check(now_ns)
        state = self._words[_STATE]
        if state > _LOST:
            self._settle(state, 0.0)

    def _check(self, now_ns, rest_ns=_SLICE_NS):
        link = self._open_link()
        if now_ns - self._checked_ns > rest_ns:
            self._checked_ns = now_ns
            link.check()
        if link.phase != _UP:
            self._settle(self._words[_STATE], 0.0)

    def _wait(self, deadline):
        # What is done now, and early, is not to be done when a frame has come, where it would make it late.
        self._check(_now_ns(), _SLICE_NS // 2)
        if self._link.phase != _UP:
            return
        self._granted.memory.prepare()
        self._blank = self._blank or self._new_blank()
        page = self._granted.page
        words = page.words
        expected = words[_WAKE] & 0xFFFFFFFF
        words[_WAITING] = 1
        try:
            _fence()
            if self._state_and_head() == self._looked:
                if not _futex_wait(page.wake_address, expected, _left(deadline, _SLICE)):
                    self._open_link().check()
        finally:
            words[_WAITING] = 0

    def _silence(self):
        return Timeout(
            "no frame of %s came in %s s, it is %s; see `streamem info %s`, or open it with timeout=None to "
            "wait for ever" % (self.stream.name, self.timeout, self.state, self.stream.name)
        )


def _closed():
    return Closed("this subscription was closed; open it again")


def _let_go_after_fork():
    # The sockets stay the parent's: were they kept open here, the broker would not see the parent's end.
    for each in list(_opened):
        if isinstance(each, Publisher):
            publication = each._publication
            if publication is not None:
                publication.session.close()
        elif each._link is not None:
            each._link.phase, each._link.connection = _DOWN, None
            each._granted.page.session.close()


getattr(os, "register_at_fork", lambda **_: None)(after_in_child=_let_go_after_fork)


# --- publishing: slots the broker grants, handed back filled ------------------------------------------

_SUBMISSION_MAGIC = int.from_bytes(b"STRMPUBL", "little")
_SUBMISSION_PAGE_BYTES = 3 * 4096
_ENTRIES_MAX = 16
# Words of the submission page: those the publisher writes, those the broker writes, and two tables.
_SUBMITTED, _KICK, _CLOSED = 8, 9, 10
_GRANTED, _GRANT_WAKE, _BROKER_WAITING, _PUBLISHER_WAITING, _SUBMISSIONS_TAKEN, _REJECTED, _LAST_REJECTION = range(16, 23)
_OVER, _GRANTS, _ENTRIES = 25, 32, 64
_REJECTIONS = {
    1: "it named a slot that was not granted",
    2: "it named a slot of memory that was replaced",
    3: "it said that more bytes are used than a frame of this stream has",
    4: "it said that there is more side-data than a record can carry",
    5: "its counter jumped; submissions before it were passed over",
}


class _Publication(object):
    """One hold on a stream: its session, the submission page and the pool, mapped for writing."""

    def __init__(self, place, request, deadline):
        connection = _Connection.open(place, deadline)
        self.connection = connection
        self.session = connection.session
        results, descriptors, _ = connection.call("io.streamem.Publish", request)
        numbers = []
        try:
            numbers = [descriptors.take(results.page), descriptors.take(results.pool)]
            page, pool = numbers
            if page is None or pool is None or not isinstance(results.stream, Record):
                raise ProtocolFault("the reply to a publication brings no page or no pool")
            self.page = _map(page, _SUBMISSION_PAGE_BYTES, mmap.ACCESS_WRITE, "submission page")
            self.words = memoryview(self.page).cast("Q")
            _mark(self.words, _SUBMISSION_MAGIC, "submission page")
            self.pool_bytes = os.fstat(pool).st_size
            self.pool = _map(pool, self.pool_bytes, mmap.ACCESS_WRITE, "pool")
        finally:
            for number in numbers:
                if number is not None:
                    os.close(number)
        self.id = results.publication
        self.address = _address(self.pool)
        self.grant_wake, self.kick_address = (_address(self.page) + at * 8 for at in (_GRANT_WAKE, _KICK))
        self.generation = self.words[3]
        self.stream = results.stream
        self.layout, self.slot_bytes = self.stream.layout, self.stream.slot_bytes
        _check_layout(self.layout, self.slot_bytes)
        self.look = _Look(self.layout)
        self.window = ctypes.c_ubyte * self.layout.bytes
        self.accepted = self.submitted = self.moved = self.rejected = 0
        begun = connection.call("io.streamem.Begin", {"publication": self.id})[0]
        if isinstance(begun.stream, Record):
            self.stream = begun.stream  # to be shown; where frames lie was said and checked before

    def take(self):
        """The next granted slot, if there is one."""
        words = self.words
        if words[_GRANTED] == self.accepted:
            return None
        _order()
        word = words[_GRANTS + self.accepted % _ENTRIES_MAX]
        self.accepted += 1
        slot = (word & 0xFFFFFFFF) - 1
        end = slot * self.slot_bytes + self.layout.bytes
        if word >> 32 != self.generation or slot < 0 or end > self.pool_bytes:
            raise ProtocolFault("the broker granted a slot that the pool does not have")
        return slot

    def submit(self, slot, record):
        """Hands a slot back with what is said of the frame."""
        words = self.words
        at = _ENTRIES + self.submitted % _ENTRIES_MAX * _RECORD_WORDS
        words[at] = self.generation << 32 | slot + 1
        for word in record:
            at += 1
            words[at] = word
        _order()
        self.submitted += 1
        words[_SUBMITTED] = self.submitted
        self.kick()

    def kick(self):
        _fence()
        if self.words[_BROKER_WAITING]:
            self.moved = self.moved + 1 & 0xFFFFFFFF
            self.words[_KICK] = self.moved
            _futex_wake(self.kick_address, 1)

    def wait(self, deadline):
        """Waits for a grant; False when the time was over."""
        words = self.words
        expected = words[_GRANT_WAKE] & 0xFFFFFFFF
        words[_PUBLISHER_WAITING] = 1
        try:
            _fence()
            if words[_GRANTED] != self.accepted or words[_OVER]:
                return True
            return _futex_wait(self.grant_wake, expected, _left(deadline, _SLICE))
        finally:
            words[_PUBLISHER_WAITING] = 0

    def close(self):
        """Says that nothing more will come, and lets the broker take what has come."""
        self.words[_CLOSED] = 1
        self.kick()
        until = _deadline(1.0)
        while self.words[_SUBMISSIONS_TAKEN] != self.submitted and not _is_over(until):
            if self.words[_OVER] or self.connection.hung_up():
                break
            time.sleep(0.001)

    def view(self, slot):
        """The bytes of a slot, for writing."""
        window = self.window.from_address(self.address + slot * self.slot_bytes)
        window.keeps = self
        return memoryview(window).cast("B")


class Slot(object):
    """A slot to be filled. Left as a context it is submitted, unless by an exception; not submitted, it is
    handed out again."""

    def __init__(self, publisher, publication, number):
        self.captured_ns = 0
        self.source_clock = 0
        self.clock = "none"
        self.flags = 0
        self.source_sequence = 0
        self.used = publication.layout.bytes
        self._side_data = b""
        self._publisher = publisher
        self._publication = publication
        self._number = number
        self._arrays = []

    layout = property(lambda self: self._publication.layout, doc="How its bytes are to be written.")

    def _in_hand(self):
        if self._number is None:
            raise FrameReleased("this slot was submitted; take the next one")
        return self._publication

    @property
    def view(self):
        """The bytes as a memoryview for writing."""
        return self._in_hand().view(self._number)

    def array(self):
        """The slot as a numpy array for writing; read-only once it is submitted."""
        publication, numpy = self._in_hand(), _numpy()
        look = publication.look
        flat = numpy.frombuffer(publication.view(self._number), numpy.uint8)
        shape, strides = look.of(len(flat))
        array = numpy.ndarray(shape, look.numpy_dtype(numpy), flat, 0, strides)
        self._arrays += [flat, array]
        return array

    def side_data(self, pose=None, intrinsics=None, exposure_ns=None, gain=1.0, optics=None):
        """What is known of the frame besides its bytes."""
        blocks = []
        try:
            if pose is not None:
                blocks.append(struct.pack("<II16f", 1, 64, *pose))
            if intrinsics is not None:
                blocks.append(struct.pack("<II4f", 2, 16, *intrinsics))
            if exposure_ns is not None:
                blocks.append(struct.pack("<IIQf4x", 3, 12, exposure_ns, gain))
            if optics is not None:
                numbers = [optics[name] for name in _OPTICS]
                numbers = numbers[:4] + list(numbers[4]) + list(numbers[5])
                blocks.append(struct.pack("<II4I5f4x", 4, 36, *numbers))
        except (struct.error, TypeError, OverflowError, KeyError):
            raise InvalidParameter(
                "side-data is 16 numbers as pose, 4 as intrinsics, a whole number as exposure_ns, a number as gain, and "
                "as optics a dict of %s" % ", ".join(_OPTICS)
            ) from None
        self._side_data = b"".join(blocks)

    def submit(self):
        """Hands it to the broker, which makes it the newest frame of the stream."""
        publication = self._in_hand()
        self._publisher._open()
        record = self._record()
        for array in reversed(self._arrays):
            array.flags.writeable = False
        self._arrays = []
        number, self._number = self._number, None
        publication.submit(number, record)

    def _record(self):
        """The words that say it; refused before anything is handed over, so that the slot is still in hand."""
        if self.clock not in CLOCKS:
            raise InvalidParameter("clock=%r is not possible: one of %s" % (self.clock, ", ".join(CLOCKS)))
        side = self._side_data
        said = self.captured_ns, 0, self.source_clock, CLOCKS.index(self.clock), self.flags, self.used, self.source_sequence
        try:
            record = struct.pack("<QQQIIQQQ", *(said + (len(side),)))
        except (struct.error, TypeError, OverflowError):
            raise InvalidParameter(
                "captured_ns=%r, source_clock=%r, used=%r, source_sequence=%r, flags=%r is not possible: whole numbers, "
                "not negative, of 64 bits, and flags of 32"
                % (self.captured_ns, self.source_clock, self.used, self.source_sequence, self.flags)
            ) from None
        if self.used > self.layout.bytes:
            raise InvalidParameter(
                "the frame is said to have %d bytes, and its slot has %d: say how many were written"
                % (self.used, self.layout.bytes)
            )
        record += side + b"\0" * (-len(side) % 8)
        return struct.unpack("<%dQ" % (len(record) // 8), record)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None and self._number is not None:
                self.submit()
        finally:
            self._drop()

    def _drop(self, none=None):
        number, self._number = self._number, none
        if number is not None:
            self._publisher._in_hand.append((self._publication, number))

    __del__ = _drop


class Publisher(object):
    """Fills a stream from outside the broker. One that loses its broker publishes anew when that is back."""

    def __init__(self, socket, request, timeout):
        _check_fence()
        self.timeout = timeout
        self._socket = socket
        self._request = request
        self._pid = os.getpid()
        self._in_hand = []
        self._pause = 0.0
        self._next_try = 0.0
        self._checked_ns = 0
        self._publication = _Publication(socket, request, _deadline(_ANSWER_SECONDS))
        self._socket = self._publication.connection.place
        _opened.add(self)

    @property
    def stream(self):
        """What the broker said of the stream when the publication began; None while it is away."""
        publication = self._open()
        return None if publication is None else publication.stream

    def _open(self):
        if self._request is None:
            raise Closed("this publisher was closed; publish again")
        if self._pid != os.getpid():
            raise Closed("this publisher belongs to the process this one was forked from; publish here")
        return self._publication

    def slot(self, timeout=_AS_OPENED):
        """A slot to be filled; raises Timeout if none is free in that time, or the broker is away."""
        deadline = _deadline(self.timeout if timeout is _AS_OPENED else timeout)
        while True:
            publication = self._look_after()
            if publication is not None:
                self._raise_rejection(publication)
                while self._in_hand:
                    of, number = self._in_hand.pop()
                    if of is publication:
                        return Slot(self, of, number)
                number = publication.take()
                if number is not None:
                    return Slot(self, publication, number)
            if _is_over(deadline):
                raise Timeout(
                    "no slot of %s was free in time; submit those in hand or let go of them, or else the broker is away "
                    "or does not take what was submitted: see `streamem doctor`" % self._request["stream"]
                )
            if publication is None:
                time.sleep(_left(deadline, max(0.0, self._next_try - time.monotonic())))
            else:
                publication.wait(deadline)

    def _look_after(self):
        """The publication there is, or a new one if the broker went away and is back."""
        publication = self._open()
        now_ns = _now_ns()
        if publication is not None:
            if publication.words[_OVER]:
                self._publication = None
                raise PublicationEnded(
                    "the broker ended the publication of %s: the stream was removed, or may not be filled any more; "
                    "ask for a slot again to publish it anew" % publication.stream.name
                )
            if now_ns - self._checked_ns < _SLICE_NS:
                return publication
            self._checked_ns = now_ns
            if not publication.connection.hung_up():
                return publication
            self._publication = None
        if self._next_try > time.monotonic():
            return None
        try:
            self._publication = _Publication(self._socket, self._request, _deadline(_ANSWER_SECONDS))
            self._pause = 0.0
        except _ABSENCE + (NoSuchStream, StreamExists):
            # The stream it is like may not be there yet, and its former publication not yet forgotten.
            self._pause = min(max(self._pause * 2, _FIRST_PAUSE), _LONGEST_PAUSE)
            self._next_try = time.monotonic() + self._pause
        return self._publication

    @staticmethod
    def _raise_rejection(publication):
        rejected = publication.words[_REJECTED]
        if rejected != publication.rejected:
            publication.rejected = rejected
            code = publication.words[_LAST_REJECTION]
            raise Rejected(
                "the broker did not publish what was submitted to %s: %s"
                % (publication.stream.name, _REJECTIONS.get(code, "code %d" % code))
            )

    def close(self):
        """Ends the publication, once the broker has taken what was submitted."""
        publication, self._publication, self._request = self._publication, None, None
        if publication is not None and publication.session is not None:
            if self._pid == os.getpid():
                publication.close()
            publication.connection = publication.session = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


# --- what a program calls first -----------------------------------------------------------------------


def subscribe(
    stream, mode="latest", depth=1, leases=None, history=0, eventfd=False, wait=False, timeout=10.0, socket=None, debug=None,
    dma_buf=False
):
    """A subscription to a stream; `streamem.open` is the same.

    mode     "latest": the newest frame each time; "every": each in order, as long as the reader is at most
             `depth` behind
    leases   how many frames can be held at a time: 3, or twice `history` and one, since a loop still holds the
             frame, or the clip, of its last round while it takes the next
    history  keeps the last so many frames, for `clip`
    eventfd  whether `fileno` is wanted; asking for it does the same, as long as no frame is held
    wait     waits for a stream that is not there, also when it ends
    timeout  seconds without a frame (and, with `wait`, without the stream) after which iterating raises
             Timeout; None is never
    socket   where the broker listens, if not at one of the usual places
    debug    remembers the line that took each frame, for LeasesExhausted; or set STREAMEM_DEBUG=1
    dma_buf  whether each frame is to be a DMA-BUF too (`Frame.dma_buf`); needs the right to import
    """
    if mode not in ("latest", "every"):
        raise InvalidParameter("mode %r is not possible: latest, or every" % (mode,))
    for name, value in (("depth", depth), ("leases", 1 if leases is None else leases), ("history", history)):
        if not isinstance(value, int) or value < (name != "history") or value >= 1 << 32:
            raise InvalidParameter("%s=%r is not possible: a whole number from %d" % (name, value, name != "history"))
    request = {
        "stream": _check_name(stream),
        "mode": mode,
        "depth": max(depth, history),
        "leases": leases if leases is not None else 2 * history + 1 if history else 3,
        "eventfd": bool(eventfd),
        "wait": bool(wait),
    }
    if dma_buf:
        request["dma_buf"] = True
    if debug is None:
        debug = os.environ.get("STREAMEM_DEBUG", "") not in ("", "0")
    patience = _deadline(_ANSWER_SECONDS)
    connection = _Connection.open(socket, patience)
    return Subscription(connection, request, timeout, _deadline(timeout) if wait else patience, debug)


def call(method, parameters=None, socket=None):
    """Calls any method of the broker by its full name; its results as a Record."""
    connection = _Connection.open(socket, _deadline(_ANSWER_SECONDS))
    return connection.call(method, parameters or {})[0]


def streams(socket=None):
    """The streams there are, as Records."""
    return call("io.streamem.List", socket=socket).streams or []


def info(stream, socket=None):
    """One stream, as a Record."""
    return call("io.streamem.Info", {"stream": _check_name(stream)}, socket).stream


def calibration(stream, socket=None):
    """What the device a stream comes from tells of its camera or sensor, as a dict; None where there is nothing, or not
    yet. "tables" has a numpy array for each table by its name, or a memoryview of floats where there is no numpy."""
    connection = _Connection.open(socket, _deadline(_ANSWER_SECONDS))
    told, descriptors, _ = connection.call("io.streamem.GetCalibration", {"stream": _check_name(stream)})
    try:
        if told.calibration is None:
            return None
        found = dict(told.calibration)
        found["tables"] = {}
        memory = _Owned(descriptors.take(told.tables)) if told.tables is not None else None
        for table in told.calibration.tables or []:
            shape = (table.rows, table.columns)
            data = _read_at(memory.number, 4 * shape[0] * shape[1], table.offset)
            try:
                found["tables"][table.name] = _numpy().frombuffer(data, "<f4").reshape(shape)
            except ImportError:
                found["tables"][table.name] = memoryview(data).cast("f", shape)
        return found
    finally:
        descriptors.close()


def _read_at(descriptor, size, offset):
    data = b""
    while len(data) < size:
        piece = os.pread(descriptor, size - len(data), offset + len(data))
        if not piece:
            raise ProtocolFault("a table ends before its last number")
        data += piece
    return data


def publish(stream, like=None, layout=None, slots=2, slots_max=32, timeout=10.0, socket=None):
    """A publisher of a stream, whose slots are granted by the broker.

    like       a stream whose layout is taken
    layout     else the layout: {"format": "bgr24", "width": 640, …}
    slots      how many are in hand at a time, at most 8
    slots_max  the most slots the stream can have, which bounds what its readers can hold
    timeout    seconds to wait for a slot before Timeout; None is for ever
    """
    request = {"stream": _check_name(stream), "slots": slots, "slots_max": slots_max}
    if like is not None:
        request["like"] = _check_name(like)
    if layout is not None:
        if not isinstance(layout, dict):
            raise InvalidParameter('layout=%r is not possible: words such as {"format": "bgr24", "width": 640}' % (layout,))
        request["layout"] = layout
    return Publisher(socket, request, timeout)


def stage(stream, publish, layout=None, **options):
    """Makes of a function a program between two streams: it is called with the array of each frame of
    `stream` and with a writable one of `publish`, to be filled, and is started by its `run`.

        @streamem.stage("randcam", publish="edges")
        def edges(image, out):
            out[:] = 255 - image

        edges.run()
    """
    target = publish

    def decorate(function):
        def run(count=None, socket=None):
            """Works on frame after frame, or on `count` of them."""
            like = None if layout else stream
            with subscribe(stream, socket=socket, **options) as source:
                with _publish(target, like=like, layout=layout, timeout=source.timeout, socket=socket) as publisher:
                    for done, frame in enumerate(source, 1):
                        with frame, publisher.slot() as slot:
                            slot.captured_ns = frame.captured_ns
                            slot.source_clock, slot.clock = frame.source_clock, frame.clock
                            slot.source_sequence = frame.sequence
                            function(frame.array(), slot.array())
                        if done == count:
                            return

        function.run = run
        return function

    return decorate


_publish = publish
open = subscribe
