"""How much the last pictures differ from each other: clip.py STREAM COUNT."""

import sys

import numpy
import streamem

name, count = sys.argv[1], int(sys.argv[2])
with streamem.open(name, history=count) as subscription:
    clip = subscription.clip(count)
    while len(clip) < count:  # there may not be as many yet
        subscription.wait()
        clip = subscription.clip(count)
    print("frames %d to %d" % (clip[0].sequence, clip[-1].sequence))
    pictures = [frame.array().astype(numpy.int16) for frame in clip]
    for before, after in zip(pictures, pictures[1:]):
        print("mean difference %.2f" % abs(after - before).mean())
