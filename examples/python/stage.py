"""A stage between two streams, written as a function: stage.py STREAM COUNT publishes STREAM-negative."""

import sys

import streamem

source = sys.argv[1]
target = source + "-negative"


@streamem.stage(source, publish=target)
def negative(picture, out):
    out[:] = 255 - picture  # `picture` and `out` both lie in the broker's memory


if __name__ == "__main__":
    print("filling %s from %s" % (target, source))
    negative.run(count=int(sys.argv[2]))
    print("done")
