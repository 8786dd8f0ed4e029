"""A program written for the original's client. Needs numpy."""

import sys
import threading
import types
import unittest

import numpy

from fixture import Case, eventually, streamem
from streamem_compat import Client


class Compat(Case):
    def client(self, **options):
        client = Client(socket=self.broker.socket, **options)
        self.addCleanup(client.close)
        return client

    def test_a_program_of_the_original_runs(self):
        client = self.client()
        client.request("cam")
        client.request("tone", 5)
        client.run()
        before = -1
        for _ in range(5):
            array, timestamp = client.latest("cam")
            self.assertEqual((array.shape, array.dtype, array.flags.writeable), ((240, 320, 3), numpy.uint8, True))
            self.assertGreater(timestamp, before)
            before = timestamp
        block = client.latest("tone")
        self.assertEqual((block.shape, block.dtype), ((5, 2, 1024), numpy.float32))
        full = lambda: (client.latest("tone"), len(client.timestamps("tone")) == 5)[1]  # noqa: E731
        eventually("the window is full", full)
        self.assertEqual(client.timestamps("tone"), sorted(client.timestamps("tone")))

    def test_what_is_kept_does_not_change(self):
        client = self.client()
        client.request("fast")
        kept = [client.latest("fast")[0] for _ in range(30)]
        before = [array.tobytes() for array in kept]
        for _ in range(50):
            client.latest("fast")
        self.assertEqual([array.tobytes() for array in kept], before)

    def test_a_window_is_never_empty(self):
        client = self.client()
        client.request("cam", 3)
        reader = client._requests["cam"].subscription
        reader.clip = lambda count: []  # what renewed memory has
        window = client.latest("cam")
        self.assertEqual((window.shape, window[:2].max(), len(client.timestamps("cam"))), ((3, 240, 320, 3), 0, 1))
        self.assertGreater(window[2].max(), 0)

    def test_reports_go_to_the_list_of_the_clients_name(self):
        said = []

        class Redis(object):
            def rpush(self, name, text):
                said.append((name, text))

        sys.modules["redis"] = types.ModuleType("redis")
        sys.modules["redis"].Redis = Redis
        try:
            self.client(name="me").report("all is well")
            sys.modules["redis"] = None
            with self.assertRaisesRegex(ImportError, "install the package redis"):
                self.client(name="me").report("again")
        finally:
            del sys.modules["redis"]
        self.assertEqual(said, [("me", "all is well")])

    def test_the_producer_may_come_later(self):
        client = self.client()
        add = {"stream": "late", "source": "pattern://rand?size=64x48"}
        adding = threading.Timer(0.2, lambda: streamem.call("io.streamem.AddStream", add, self.broker.socket))
        adding.start()
        client.request("late")
        adding.join()
        self.assertEqual(client.latest("late")[0].shape, (48, 64, 3))

    def test_what_cannot_be_says_what_to_do(self):
        client = self.client(timeout=0.05)
        with self.assertRaisesRegex(streamem.Error, r"call request\('cam'\) first"):
            client.latest("cam")
        client.request("slow")
        with self.assertRaises(streamem.Timeout):
            for _ in range(3):
                client.latest("slow")
        with self.assertRaisesRegex(streamem.Error, r"use Client\(name=...\)"):
            client.report("all is well")


if __name__ == "__main__":
    unittest.main()
