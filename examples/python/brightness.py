"""How bright each picture is, with numpy, without a copy: brightness.py STREAM COUNT."""

import sys

import streamem

name, count = sys.argv[1], int(sys.argv[2])
with streamem.open(name, mode="every", depth=8) as subscription:
    for frame in subscription:
        picture = frame.array()
        print("frame %d: %s %s, mean %.2f" % (frame.sequence, picture.shape, picture.dtype, picture.mean()))
        count -= 1
        if not count:
            break
