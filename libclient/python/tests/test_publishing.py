"""Filling a stream from this process. Needs numpy."""

import os
import subprocess
import threading
import unittest

import numpy

from fixture import HERE, PYTHON, Broker, Case, bare_picture, eventually, streamem

BARS, RAMP = bytes(range(80)), bytes(range(80, 160))


class Publishing(Case):
    def publish(self, stream, **options):
        publisher = streamem.publish(stream, socket=self.broker.socket, **options)
        self.addCleanup(publisher.close)
        return publisher

    def test_what_is_filled_here_is_read_there(self):
        publisher = self.publish("filled", like="bare")
        reader = self.open("filled", mode="every", depth=8)
        for number in range(1, 60):
            with publisher.slot() as slot:
                slot.captured_ns = number
                slot.source_sequence = number
                slot.source_clock, slot.clock, slot.flags = 7 * number, "hololens", streamem.KEY
                slot.side_data(pose=range(16), intrinsics=(1, 2, 3, 4), exposure_ns=5, gain=2.0)
                slot.array().reshape(-1)[:] = numpy.frombuffer(bare_picture(number, number, BARS, RAMP), numpy.uint8)
            frame = reader.next(30)
            self.assertEqual((frame.source_sequence, frame.captured_ns, frame.missed), (number, number, 0))
            self.assertEqual((frame.source_clock, frame.clock, frame.flags), (7 * number, "hololens", streamem.KEY))
            self.assertEqual(bytes(frame.view), bare_picture(number, number, BARS, RAMP))
            self.assertEqual(frame.side_data["pose"], tuple(map(float, range(16))))
            self.assertEqual((frame.side_data["exposure_ns"], frame.side_data["gain"]), (5, 2.0))

    def test_a_layout_can_be_said(self):
        layout = {"format": "s16", "sample_rate": 48000, "channels": 2, "samples": 480}
        publisher = self.publish("sound", layout=layout)
        with publisher.slot() as slot:
            slot.array()[:] = 5
        frame = self.open("sound").next(30)
        self.assertEqual((frame.array().dtype, frame.shape, frame.array().min()), (numpy.int16, (2, 480), 5))
        with self.assertRaisesRegex(streamem.BadLayout, "needs"):
            self.publish("wrong", layout={"format": "bgr24"})
        with self.assertRaises(streamem.StreamExists):
            self.publish("sound", like="bare")

    def test_a_slot_is_not_written_after_it_was_submitted(self):
        slot = self.publish("once", like="cam").slot()
        array = slot.array()
        array[:] = 1
        slot.submit()
        with self.assertRaises(ValueError):
            array[:] = 2
        for use in (slot.array, slot.submit, lambda: slot.view):
            with self.assertRaisesRegex(streamem.FrameReleased, "this slot was submitted"):
                use()

    def test_a_slot_that_was_not_submitted_comes_again(self):
        publisher = self.publish("again", like="cam", slots=1)
        for _ in range(3):
            with self.assertRaises(KeyError):
                with publisher.slot():
                    raise KeyError
            del _
            publisher.slot()
        with publisher.slot() as slot:
            slot.array()[:] = 9
        self.assertEqual(self.open("again").next(30).sequence, 1)

    def test_what_the_broker_rejects_is_said(self):
        publisher = self.publish("rejected", like="cam")
        slot = publisher.slot()
        slot.used += 1
        with self.assertRaises(streamem.InvalidParameter):
            slot.submit()
        # Nothing of this client's says what cannot be: the page is written past it.
        number, slot._number = slot._number, None
        publisher._publication.submit(number, (0, 0, 0, 0, slot.used, 0, 0))

        def told():
            try:
                publisher.slot()
            except streamem.Rejected as error:
                return str(error)

        self.assertIn("more bytes are used than a frame of this stream has", eventually("it is told", told))
        publisher.slot()

    def test_frames_follow_as_fast_as_they_are_filled(self):
        publisher = self.publish("quick", like="bare")
        readers = [self.open("quick") for _ in range(3)]
        torn = []

        def read(reader):
            while True:
                frame = reader.next(30)
                if bytes(frame.view) != bare_picture(frame.source_sequence, 1, BARS, RAMP):
                    torn.append(frame.sequence)
                if frame.source_sequence >= 500:
                    return

        threads = [threading.Thread(target=read, args=(reader,)) for reader in readers]
        for thread in threads:
            thread.start()
        number = 0
        while any(thread.is_alive() for thread in threads):
            number += 1
            with publisher.slot() as slot:
                slot.captured_ns, slot.source_sequence = 1, number
                slot.view[:] = bare_picture(number, 1, BARS, RAMP)
        self.assertEqual(torn, [])

    def test_a_publisher_that_ends_takes_its_last_frame_along(self):
        publisher = self.publish("ending", like="cam")
        reader = self.open("ending", mode="every", depth=8)
        for value in range(5):
            with publisher.slot() as slot:
                slot.array()[:] = value
        publisher.close()
        self.assertEqual([int(reader.next(30).array()[0, 0, 0]) for _ in range(5)], list(range(5)))
        with self.assertRaises(streamem.Closed):
            publisher.slot()
        eventually("the source is lost", lambda: reader.next(0.01) is None and reader.state == "lost")

    def test_a_killed_publisher_leaves_what_is_held_and_can_come_back(self):
        script = (
            "import os, signal, streamem\n"
            "publisher = streamem.publish('killed', like='cam')\n"
            "for value in (1, 2):\n"
            "    slot = publisher.slot(); slot.view[:] = bytes([value]) * len(slot.view); slot.submit()\n"
            "input(publisher.slot() and os.kill(os.getpid(), signal.SIGKILL))\n"
        )
        environment = dict(os.environ, PYTHONPATH=os.path.dirname(HERE), STREAMEM_SOCKET=self.broker.socket)
        keeper = self.publish("before", like="cam")
        with keeper.slot() as slot:
            slot.array()[:] = 3
        child = subprocess.Popen([PYTHON, "-c", script], env=environment)
        reader = self.open("killed", wait=True, timeout=30)
        frame = next(reader)
        self.assertNotEqual(child.wait(), 0)
        before = bytes(frame.view)
        eventually("the source is lost", lambda: reader.next(0.01) is None and reader.state == "lost")
        publisher = self.publish("killed", like="cam")
        with publisher.slot() as slot:
            slot.array()[:] = 9
        back = eventually("it is back", lambda: (lambda f: f if f and f.array()[0, 0, 0] == 9 else None)(reader.next(30)))
        self.assertGreater(back.sequence, frame.sequence)
        self.assertEqual(bytes(frame.view), before)

    def test_a_broker_that_comes_back_is_published_to_anew(self):
        broker = Broker()
        self.addCleanup(broker.end)
        publisher = streamem.publish("mine", like="cam", socket=broker.socket)
        self.addCleanup(publisher.close)
        reader = streamem.open("mine", socket=broker.socket, wait=True, timeout=30)
        self.addCleanup(reader.close)
        for value in (1, 2):
            frame = None
            while frame is None or frame.array()[0, 0, 0] != value:
                with publisher.slot(30) as slot:
                    slot.array()[:] = value
                frame = reader.next(0.1) or frame
            if value == 1:
                broker.kill()
                with self.assertRaisesRegex(streamem.Timeout, "no slot of mine was free in time"):
                    while True:
                        with publisher.slot(0.05) as slot:
                            slot.array()[:] = 0
                broker.start()

    def test_a_removed_stream_ends_its_publication(self):
        publisher = self.publish("removed", like="cam")
        streamem.call("io.streamem.RemoveStream", {"stream": "removed"}, self.broker.socket)
        with self.assertRaisesRegex(streamem.PublicationEnded, "ask for a slot again"):
            for _ in range(100):
                publisher.slot().submit()
        self.assertIsNotNone(publisher.slot())

    def test_a_function_can_be_a_stage(self):
        reader = []

        @streamem.stage("cam", publish="negative", mode="every", depth=8)
        def negative(image, out):
            out[:] = 255 - image
            if not reader:
                reader.append(self.open("negative", mode="every", depth=20))

        original = self.open("cam", mode="every", depth=30)
        negative.run(count=20, socket=self.broker.socket)
        compared = 0
        kept = {}
        frame = original.try_next()
        while frame is not None:
            kept[frame.sequence] = frame.array().copy()
            frame = original.try_next()
        for _ in range(20):
            frame = reader[0].try_next()
            if frame is not None and frame.source_sequence in kept:
                self.assertTrue((255 - frame.array() == kept[frame.source_sequence]).all())
                compared += 1
        self.assertGreater(compared, 0)

    def test_brought_memory_is_read_slot_by_slot(self):
        import fake

        memory = fake.Memory()
        slots = [fake.memfd(4096) for _ in range(4)]
        os.pwrite(slots[1], b"one" * 30, 0)
        reply = fake.grant(pool=None, slots=[2, 3, 4, 5], lease=1)
        broker = fake.FakeBroker(reply, [memory.fds[0], memory.fds[2]] + slots)
        self.addCleanup(broker.end)
        reader = streamem.open("cam", socket=broker.socket)
        frame = reader.next()
        self.assertEqual(bytes(frame.view[:6]), b"oneone")
        before = self.descriptors()
        again = reader.latest()
        self.assertEqual((bytes(again.view), self.descriptors()), (bytes(frame.view), before))


if __name__ == "__main__":
    unittest.main()
