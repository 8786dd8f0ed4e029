"""The Python client, driven by lines: see main.rs beside this for the commands and the answers."""

import json
import os
import random
import select
import struct
import sys
import time

import streamem

WORDS = {
    streamem.BadName: "bad-argument",
    streamem.InvalidParameter: "bad-argument",
    streamem.BadSource: "bad-argument",
    streamem.NoBroker: "no-broker",
    streamem.NoAnswer: "no-answer",
    streamem.HungUp: "hung-up",
    streamem.NoSuchStream: "no-such-stream",
    streamem.StreamExists: "exists",
    streamem.NotPermitted: "not-permitted",
    streamem.QuotaExceeded: "quota",
    streamem.PoolFull: "pool-full",
    streamem.BadLayout: "bad-layout",
    streamem.StreamEnded: "ended",
    streamem.Timeout: "timeout",
    streamem.LeasesExhausted: "too-many-held",
    streamem.FrameReleased: "released",
    streamem.Rejected: "rejected",
    streamem.PublicationEnded: "publication-ended",
    streamem.DescriptorsLost: "descriptors-lost",
    streamem.WrongVersion: "other-version",
    streamem.ProtocolFault: "protocol",
}
WIDTH, CELL, COLUMNS, PERIOD = 80, 2, 40, 40
STRIP = 4 * CELL * WIDTH
DONE = {"done": True}

socket = sys.argv[1]
subscriptions, frames, publishers, slots = {}, {}, {}, {}


def layout(of):
    array, colour = of.array or {}, of.colour or {}
    return {
        "kind": of.kind,
        "format": of.format,
        "fourcc": of.fourcc,
        "modifier": of.modifier,
        "width": of.width,
        "height": of.height,
        "millihertz": round(of.rate * 1000),
        "sample_rate": of.sample_rate or 0,
        "planes": [[plane.offset, plane.stride, plane.rows] for plane in of.planes],
        "bytes": of.bytes,
        "shape": array.get("shape", []),
        "strides": array.get("strides", []),
        "dtype": array.get("dtype", ""),
        "space": colour.get("space", ""),
        "range": colour.get("range", ""),
    }


def tell(frame):
    found, side = frame.side_data, {}
    if "pose" in found:
        side["pose"] = struct.pack("<16f", *found["pose"]).hex()
    if "intrinsics" in found:
        side["intrinsics"] = struct.pack("<4f", *found["intrinsics"]).hex()
    if "exposure_ns" in found:
        side["exposure"] = struct.pack("<Qf", found["exposure_ns"], found["gain"]).hex()
    if "optics" in found:
        optics = found["optics"]
        whole = [optics[name] for name in ("iso_speed", "white_balance_kelvin", "lens_position", "focus")]
        gains = optics["white_balance_gains"] + optics["iso_gains"]
        side["optics"] = struct.pack("<4I5f", *(whole + list(gains))).hex()
    return {
        "sequence": frame.sequence,
        "captured_ns": frame.captured_ns,
        "published_ns": frame.published_ns,
        "source_clock": frame.source_clock,
        "clock": frame.clock,
        "source_sequence": frame.source_sequence,
        "flags": frame.flags,
        "bytes": frame.nbytes,
        "layout": layout(frame.layout),
        "side": side,
    }


def asked(pairs):
    """What is asked of a subscription."""
    choices = {name: int(pairs[name]) for name in ("depth", "history", "leases") if name in pairs}
    if "mode" in pairs:
        choices["mode"] = pairs["mode"]
    if "wait" in pairs:
        choices.update(wait=True, timeout=int(pairs["wait"]) / 1000)
    return dict(choices, eventfd="eventfd" in pairs, socket=socket)


def opened(name, stream, pairs):
    subscriptions[name] = streamem.open(stream, **asked(pairs))
    return DONE


def kept(frame, name):
    if frame is None:
        return {"sequence": None}
    frames[name] = frame
    return {"sequence": frame.sequence, "missed": frame.missed}


def clip(name, count, base):
    taken = subscriptions[name].clip(int(count))
    for at, frame in enumerate(taken):
        frames[base + str(at)] = frame
    return {"clip": [frame.sequence for frame in taken]}


def poll(name, milliseconds):
    watched = select.poll()
    watched.register(subscriptions[name], select.POLLIN)
    return {"readable": bool(watched.poll(int(milliseconds)))}


def dump(name, path):
    view = frames[name].view
    with open(path, "wb") as file:
        file.write(view)
    return {"bytes": len(view)}


def publish(name, stream, pairs):
    wish = None
    if "format" in pairs:
        wish = {name: int(pairs[name]) for name in ("width", "height") if name in pairs}
        wish["format"] = pairs["format"]
        if "rate" in pairs:
            wish["rate"] = float(pairs["rate"])
    few = {"slots": int(pairs["slots"])} if "slots" in pairs else {}
    publishers[name] = streamem.publish(stream, pairs.get("like"), wish, socket=socket, **few)
    return {"layout": layout(publishers[name].stream.layout)}


def slot(name, milliseconds):
    # One that is asked for again has fallen back first.
    slots.pop(name, None)
    try:
        slots[name] = publishers[name].slot(int(milliseconds) / 1000)
    except streamem.Timeout:
        return {"size": None}
    return {"size": len(slots[name].view)}


def fill(name, path):
    with open(path, "rb") as file:
        slots[name].view[:] = file.read()
    return DONE


def submit(name, pairs):
    filled = slots[name]
    filled.used = int(pairs.get("bytes", filled.layout.bytes))
    for what in ("captured_ns", "source_sequence", "source_clock", "flags"):
        setattr(filled, what, int(pairs.get(what, 0)))
    filled.clock = pairs.get("clock", "none")
    if "side" in pairs:
        pose = [at / 2 for at in range(16)]
        optics = {
            "iso_speed": 400,
            "white_balance_kelvin": 4000,
            "lens_position": 550,
            "focus": 3,
            "white_balance_gains": (1.0, 1.125, 1.75),
            "iso_gains": (1.5, 1.25),
        }
        filled.side_data(pose=pose, intrinsics=(1.5, 2.5, 3.5, 4.5), exposure_ns=12345, gain=0.5, optics=optics)
    filled.submit()
    del slots[name]
    return DONE


def unpublish(name):
    slots.pop(name, None)
    publishers.pop(name).close()
    return DONE


def release(name):
    frames[name].view  # a frame that was released already cannot be released again, as elsewhere
    frames[name].release()
    return DONE


# --- the minute: every pixel, foretold ----------------------------------------------------------------


def checksum(stamp):
    total = 0xFFFF
    for byte in stamp:
        total ^= byte << 8
        for _ in range(8):
            total = (total << 1 ^ 0x1021 if total & 0x8000 else total << 1) & 0xFFFF
    return total


def strip(number, made_ns):
    stamp = struct.pack(">QQ", number, made_ns)
    value = int.from_bytes(b"\x5a\x3c" + stamp + struct.pack(">H", checksum(stamp)), "big")
    bits = format(value, "0160b")
    cells = bits.replace("0", "\0" * CELL).replace("1", "\xff" * CELL).encode("latin-1")
    rows = [cells[WIDTH * row : WIDTH * row + WIDTH] * CELL for row in range(4)]
    return b"".join(rows)


def hammer(stream, pairs):
    """Takes frames as they come, keeps some for odd times, and looks at every pixel twice."""
    with open(pairs["reference"], "rb") as file:
        below = file.read()
    length = len(below) // PERIOD
    below = [below[at * length : at * length + length] for at in range(PERIOD)]

    def is_whole(frame):
        number = frame.source_sequence
        return bytes(frame.view) == strip(number, frame.captured_ns) + below[number % PERIOD]

    chance = random.Random(int(pairs["seed"]))
    said = dict.fromkeys(("frames", "torn", "changed", "backwards"), 0)
    held, last = [], 0
    with streamem.open(stream, **asked(pairs)) as subscription:
        end = time.monotonic() + int(pairs["seconds"])
        while time.monotonic() < end:
            frame = subscription.next(1.0)
            if frame is None:
                continue
            said["frames"] += 1
            said["torn"] += not is_whole(frame)
            said["backwards"] += frame.sequence <= last
            last = frame.sequence
            held.append(frame)
            while len(held) > chance.randrange(int(pairs["leases"])):
                frame = held.pop(chance.randrange(len(held)))
                said["changed"] += not is_whole(frame)
            del frame
            if chance.random() < 0.05:
                time.sleep(chance.random() * 0.005)
        said["changed"] += sum(not is_whole(frame) for frame in held)
    return said


COMMANDS = {
    "streams": lambda: {"streams": streamem.streams(socket)},
    "open": opened,
    "close": lambda name: subscriptions.pop(name).close() or DONE,
    "next": lambda name, milliseconds, frame: kept(subscriptions[name].next(int(milliseconds) / 1000), frame),
    "try": lambda name, frame: kept(subscriptions[name].try_next(), frame),
    "latest": lambda name, frame: kept(subscriptions[name].latest(), frame),
    "clip": clip,
    "poll": poll,
    "state": lambda name: {"state": subscriptions[name].state},
    "missed": lambda name: {"missed": subscriptions[name].missed},
    "layout": lambda name: {"layout": layout(subscriptions[name].layout)},
    "tell": lambda name: tell(frames[name]),
    "dump": dump,
    "release": release,
    "publish": publish,
    "slot": slot,
    "fill": fill,
    "submit": submit,
    "unpublish": unpublish,
    "hammer": hammer,
}
WITH_PAIRS = {"open", "publish", "submit", "hammer"}


def obey(line):
    words = line.split()
    pairs = dict(word.split("=", 1) for word in words if "=" in word)
    plain = [word for word in words[1:] if "=" not in word]
    if words[0] in WITH_PAIRS:
        plain.append(pairs)
    try:
        return COMMANDS[words[0]](*plain)
    except streamem.Error as error:
        return {"error": WORDS.get(type(error), "refused"), "says": str(error)}
    except Exception as error:
        return {"error": "test", "says": repr(error)}


for command in iter(sys.stdin.readline, ""):
    print(json.dumps(obey(command)))
    sys.stdout.flush()
os._exit(0)
