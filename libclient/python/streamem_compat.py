"""The calls of the client of the program Streamem replaces: a program written for that changes one import.

    from streamem.compat import Client      # from streamem_compat, where the two files are simply copied

Owns the translation; never gives an array that changes: as there, arrays are the caller's own copies.
"""

import streamem

__all__ = ["Client"]


class _Request(object):
    def __init__(self, name, buffered, socket):
        self.buffered = buffered
        self.timestamps = []
        history = buffered or 0
        self.subscription = streamem.subscribe(name, history=history, wait=True, timeout=None, socket=socket)


class Client(object):
    """Reads streams by name.

    name     the list reports go to, in a Redis server
    timeout  seconds `latest` waits before streamem.Timeout; None, as ever, is for ever
    """

    def __init__(self, name="", timeout=None, socket=None):
        self.name = name
        self.timeout = timeout
        self._socket = socket
        self._requests = {}
        self._redis = None

    def request(self, name, buf=None):
        """Wants a stream, and waits until there is one; with `buf`, its last so many frames."""
        self._requests[name] = _Request(name, buf, self._socket)

    def run(self):
        """Nothing is left to be started: frames are read when they are asked for."""

    def latest(self, name):
        """Waits for a frame newer than the one before: (array, timestamp), or with `buf` the last frames as
        one array, with zeros for those there have not been."""
        if name not in self._requests:
            raise streamem.Error("%s was not requested: call request(%r) first" % (name, name))
        request = self._requests[name]
        frame = request.subscription.next(self.timeout)
        if frame is None:
            raise streamem.Timeout("no frame of %s came in %s s; see `streamem info %s`" % (name, self.timeout, name))
        if not request.buffered:
            return frame.array().copy(), _timestamp(frame)
        # There may be none, when the memory is renewed just now.
        frames = request.subscription.clip(request.buffered) or [frame]
        arrays = [frame.array() for frame in frames]
        request.timestamps = [_timestamp(frame) for frame in frames]
        numpy = streamem._numpy()
        stacked = numpy.zeros((request.buffered,) + arrays[-1].shape, arrays[-1].dtype)
        stacked[request.buffered - len(arrays) :] = arrays
        return stacked

    def timestamps(self, name):
        """When the frames that `latest` returned last were captured, oldest first; for streams with `buf`."""
        return list(self._requests[name].timestamps)

    def report(self, text):
        """Appends a text to the Redis list of this client's name."""
        if not self.name:
            raise streamem.Error("a client without a name has no list to report to: use Client(name=...)")
        if self._redis is None:
            try:
                import redis
            except ImportError:
                raise ImportError("reports go through Redis: install the package redis")
            self._redis = redis.Redis()
        self._redis.rpush(self.name, text)

    def close(self):
        """Ends everything."""
        while self._requests:
            self._requests.popitem()[1].subscription.close()


def _timestamp(frame):
    """The source's own clock where it has one, as before; else when the frame was captured."""
    return frame.captured_ns if frame.clock == "none" else frame.source_clock
