"""Two readers and a clock in one thread: asynchronous.py STREAM COUNT. Needs Python 3.7."""

import asyncio
import sys

import streamem


async def read(number, name, count):
    with streamem.open(name) as subscription:
        async for frame in subscription:
            print("reader %d has frame %d" % (number, frame.sequence))
            count -= 1
            if not count:
                return


async def main(name, count):
    readers = asyncio.gather(read(1, name, count), read(2, name, count))
    while not readers.done():
        await asyncio.sleep(0.05)
        print("tick")
    await readers


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
