"""A consumer with iceoryx2's Python binding, of the producer in src/peer/iceoryx.rs.

Usage: iceoryx_consumer.py LEDGER NUMBER FOLDER CONSUMERS.
"""

import ctypes
import pathlib
import sys
import time

import iceoryx2
import numpy

import ledger

BUFFER = 2


def main(path, number, folder, consumers):
    iceoryx2.set_log_level(iceoryx2.LogLevel.Error)
    prefix = pathlib.Path(folder).name
    node = iceoryx2.NodeBuilder.new().create(iceoryx2.ServiceType.Ipc)
    frames = (
        node.service_builder(iceoryx2.ServiceName.new(prefix + "/frames"))
        .publish_subscribe(iceoryx2.Slice[ctypes.c_uint8])
        .enable_safe_overflow(True)
        .history_size(0)
        .subscriber_max_buffer_size(BUFFER)
        .subscriber_max_borrowed_samples(2)
        .max_publishers(1)
        .max_subscribers(consumers)
        .max_nodes(consumers + 1)
        .open_or_create()
    )
    news = (
        node.service_builder(iceoryx2.ServiceName.new(prefix + "/news"))
        .event()
        .max_notifiers(1)
        .max_listeners(consumers)
        .max_nodes(consumers + 1)
        .open_or_create()
    )
    subscriber = frames.subscriber_builder().buffer_size(BUFFER).create()
    listener = news.listener_builder().create()
    patience = iceoryx2.Duration.from_millis(200)
    held = []

    def take():
        held.clear()
        listener.timed_wait(patience)
        awake = time.monotonic_ns()
        newest = None
        while True:
            sample = subscriber.receive()
            if sample is None:
                break
            newest = sample
        if newest is None:
            return None
        held.append(newest)
        payload = newest.payload()
        memory = (ctypes.c_uint8 * payload.len()).from_address(payload.as_ptr())
        picture = numpy.frombuffer(memory, numpy.uint8)
        return picture, awake, lambda: ledger.stamp(picture)

    ledger.consume(path, number, take)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
