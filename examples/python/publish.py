"""Fills a stream of its own: publish.py STREAM COUNT. Needs numpy."""

import sys

import streamem

name, count = sys.argv[1] + "-grey", int(sys.argv[2])
layout = {"format": "gray8", "width": 320, "height": 240, "rate": 30}
with streamem.publish(name, layout=layout) as publisher:
    for number in range(count):
        with publisher.slot() as slot:  # submitted at the end of the block
            slot.array()[:] = number
        print("%s: frame of %d" % (name, number))
