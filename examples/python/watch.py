"""A line for each frame: watch.py STREAM COUNT. Needs nothing but the standard library."""

import sys

import streamem

name, count = sys.argv[1], int(sys.argv[2])
with streamem.open(name) as subscription:
    layout = subscription.layout
    print("%s: %s, %d bytes" % (name, layout.format, layout.bytes))
    for frame in subscription:
        first = frame.view[0]  # the broker's own memory, read-only
        print("frame %d, %.1f ms old, %d missed, begins with %d" % (frame.sequence, frame.age_ms, frame.missed, first))
        count -= 1
        if not count:
            break
