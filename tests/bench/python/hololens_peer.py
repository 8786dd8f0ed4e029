"""A headset's streams as the program that Streamem replaces brings them to readers, written anew from a description.

Usage: hololens_peer.py ADDRESS CLOCK_OFFSET_NS READERS STREAM...

One process for each port: it receives with blocking calls, decodes to bgr24 (sound to 16 bits), and copies that into
one buffer of shared memory under a lock, the newest frame in it; then it sets the event of every reader that is not
set. A reader has a thread for each stream, which counts itself in (the first one takes the lock), notes where the
frame is, counts itself out, copies it, and hands on a second copy. In its favour: access units go to the decoder as
they come, and not through a parser, which makes every picture late by one; and it leaves out AHAT, which the original
did not have.
"""

import json
import math
import multiprocessing
import socket
import struct
import sys
import threading
import time
from multiprocessing import shared_memory

MEASURE, OVER = 1, 2
STAMP = struct.Struct("<QQ")
START_VIDEO = bytes.fromhex("07000100000000006666663f00000000000000000000000001000000")
GREY = bytes.fromhex("000103ff00400b00010a000000000000001e00000000000000")
LENGTHS = {"video": 80, "grey": 24, "depth": 8, "motion": 0, "sound": 0}
SENSORS = {
    "pv": ("video", 3810, bytes.fromhex("00800738041e0103ff00f04b00010a000000000000001e00000000000000"), (1080, 1920, 3)),
    "vlc-left-front": ("grey", 3800, GREY, (480, 640, 3)),
    "vlc-left-left": ("grey", 3801, GREY, (480, 640, 3)),
    "vlc-right-front": ("grey", 3802, GREY, (480, 640, 3)),
    "vlc-right-right": ("grey", 3803, GREY, (480, 640, 3)),
    "longthrow-depth": ("depth", 3805, bytes.fromhex("000105000000"), (288, 320, 4)),
    "accelerometer": ("motion", 3806, b"\0", (93 * 32,)),
    "gyroscope": ("motion", 3807, b"\0", (315 * 32,)),
    "magnetometer": ("motion", 3808, b"\0", (11 * 32,)),
    "microphone": ("sound", 3811, b"\x03\x29", (2, 1024)),
}


def packets(address, port, request):
    connection = socket.create_connection((address, port))
    connection.sendall(request)
    held = bytearray()

    def have(count):
        while len(held) < count:
            received = connection.recv(65536)
            if not received:
                raise SystemExit("the device closed port %d" % port)
            held.extend(received)

    while True:
        have(12)
        ticks, size = struct.unpack_from("<QI", held)
        have(12 + size)
        yield ticks, bytes(held[12 : 12 + size])
        del held[: 12 + size]


def decoder(kind):
    """What makes an array of a payload; None for nothing."""
    import av
    import numpy

    if kind == "motion":
        return lambda payload: numpy.frombuffer(payload, numpy.uint8)
    codec = av.CodecContext.create({"depth": "png", "sound": "aac"}.get(kind, "hevc"), "r")
    resampler = av.AudioResampler("s16p", "stereo", 48000)

    def decode(payload):
        end = len(payload) - LENGTHS[kind]
        for frame in codec.decode(av.Packet(payload[:end])):
            if kind == "sound":
                return next((part.to_ndarray() for part in resampler.resample(frame)), None)
            return frame.to_ndarray(format="rgba" if kind == "depth" else "bgr24")
        return None

    return decode


def sensor(address, name, area_name, lock, events, over):
    kind, port, request, _ = SENSORS[name]
    area = shared_memory.SharedMemory(area_name)
    decode = decoder(kind)
    if kind == "video":
        with socket.create_connection((address, port)) as starting:
            starting.sendall(START_VIDEO)
        time.sleep(1)
    number = 0
    for ticks, payload in packets(address, port, request):
        if over.value == OVER:
            return
        number += 1
        array = decode(payload)
        if array is None:
            continue
        data = array.tobytes()
        with lock:
            area.buf[STAMP.size : STAMP.size + len(data)] = data
            STAMP.pack_into(area.buf, 0, ticks, number)
        for event in events:
            if event.get_value() == 0:
                event.release()


def read(name, area, offset_ns, lock, counting, readers, event, phase, seen, first):
    import numpy

    shape = SENSORS[name][3]
    kind = numpy.int16 if SENSORS[name][0] == "sound" else numpy.uint8
    view = numpy.ndarray(shape, kind, area.buf, STAMP.size)
    last = None
    while phase.value != OVER:
        if not event.acquire(timeout=0.2):
            continue
        with counting:
            readers.value += 1
            if readers.value == 1:
                lock.acquire()
        looked = view[:]
        ticks, number = STAMP.unpack_from(area.buf)
        with counting:
            readers.value -= 1
            if readers.value == 0:
                lock.release()
        looked.copy().copy()
        has_ns = time.monotonic_ns()
        if last is None:
            first.release()
        if phase.value == MEASURE:
            seen["frames"] += 1
            seen["skipped"] += 0 if last is None else max(0, number - last - 1)
            seen["latency_ns"].append(max(0, has_ns - ticks * 100 - offset_ns))
        last = number


def reader(offset_ns, streams, phase, first, answer):
    seen = {name: {"frames": 0, "skipped": 0, "gaps": 0, "latency_ns": []} for name in streams}
    areas = {name: shared_memory.SharedMemory(parts[0]) for name, parts in streams.items()}
    threads = [
        threading.Thread(target=read, args=(name, areas[name], offset_ns, *parts[1:], phase, seen[name], first))
        for name, parts in streams.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answer.send(seen)


def main(address, offset_ns, count, names):
    context = multiprocessing.get_context("spawn")
    names = [name for name in names if name in SENSORS]
    phase, first = context.Value("i", 0, lock=False), context.Semaphore(0)
    areas, producers, streams = [], [], [{} for _ in range(count)]
    for name in names:
        shape = SENSORS[name][3]
        size = 2 * math.prod(shape) + STAMP.size
        area = shared_memory.SharedMemory(create=True, size=size)
        areas.append(area)
        lock, counting = context.Semaphore(1), context.Lock()
        inside = context.Value("i", 0, lock=False)
        events = [context.Semaphore(0) for _ in range(count)]
        for one, event in zip(streams, events):
            one[name] = (area.name, lock, counting, inside, event)
        process = context.Process(target=sensor, args=(address, name, area.name, lock, events, phase), daemon=True)
        process.start()
        producers.append(process)
    readers, answers = [], []
    for one in streams:
        answer, theirs = context.Pipe(False)
        process = context.Process(target=reader, args=(offset_ns, one, phase, first, theirs), daemon=True)
        process.start()
        readers.append(process)
        answers.append(answer)
    for _ in range(count * len(names)):
        if not first.acquire(timeout=60):
            raise SystemExit("not every stream has frames")
    pids = {"producers": [p.pid for p in producers], "readers": [p.pid for p in readers]}
    print(json.dumps(pids), flush=True)
    for line in sys.stdin:
        phase.value = MEASURE if line.strip() == "measure" else OVER
        if phase.value == OVER:
            break
    phase.value = OVER
    seen = [answer.recv() for answer in answers]
    for process in producers:
        process.terminate()
        process.join()
    for area in areas:
        area.close()
        area.unlink()
    print(json.dumps(seen), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
