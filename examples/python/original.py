"""A program written for the program Streamem replaces; one import was changed: original.py STREAM COUNT."""

import sys

try:
    from streamem.compat import Client  # from the wheel
except ImportError:
    from streamem_compat import Client  # where the two files were copied

client = Client()
client.request(sys.argv[1])
client.run()
for _ in range(int(sys.argv[2])):
    array, timestamp = client.latest(sys.argv[1])
    print(array.shape, timestamp)
client.close()
