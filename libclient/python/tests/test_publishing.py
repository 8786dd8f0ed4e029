"""Filling a stream from this process. Needs numpy."""

import json
import os
import struct
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

    def test_what_cannot_be_said_of_a_frame_is_refused_and_the_slot_still_in_hand(self):
        slot = self.publish("said", like="cam", slots=1).slot()
        for name, values in (
            ("captured_ns", (-1, 1.5, "now", 1 << 64)),
            ("flags", (1 << 32, -1)),
            ("used", (-1,)),
            ("clock", ("sundial", None)),
        ):
            usual = getattr(slot, name)
            for value in values:
                setattr(slot, name, value)
                with self.assertRaisesRegex(streamem.InvalidParameter, "%s=.* is not possible" % name):
                    slot.submit()
            setattr(slot, name, usual)
        for wrong in ({"pose": [1, 2]}, {"intrinsics": "f"}, {"exposure_ns": -5}):
            with self.assertRaisesRegex(streamem.InvalidParameter, "16 numbers as pose"):
                slot.side_data(**wrong)
        slot.captured_ns = numpy.int64(7)
        slot.submit()
        self.assertEqual(self.open("said").next(30).captured_ns, 7)
        with self.assertRaisesRegex(streamem.InvalidParameter, "layout='bgr24' is not possible"):
            self.publish("said", layout="bgr24")

    def test_a_frame_that_is_shorter_than_its_array_has_bytes_and_says_why_no_array(self):
        with self.publish("short", like="cam").slot() as slot:
            slot.used = 10
        frame = self.open("short").next(30)
        self.assertEqual(len(frame.view), 10)
        with self.assertRaisesRegex(streamem.Error, "its source left the rest out; use frame.view$"):
            frame.array()

    def test_a_slot_outlives_its_publisher_but_is_not_submitted_then(self):
        publisher = self.publish("closed", like="cam")
        slot = publisher.slot()
        array = slot.array()
        publisher.close()
        array[:] = 1
        with self.assertRaisesRegex(streamem.Closed, "publish again"):
            slot.submit()

    def test_one_who_holds_every_slot_is_told(self):
        publisher = self.publish("all", like="cam", slots=1)
        slot = publisher.slot()
        with self.assertRaisesRegex(streamem.Timeout, "submit those in hand"):
            publisher.slot(0.05)
        slot.submit()

    def test_a_forked_child_does_not_end_what_its_parent_publishes(self):
        publisher = self.publish("forked", like="cam")
        slot = publisher.slot()
        child = os.fork()
        if child == 0:
            refused = 0
            try:
                for use in (slot.submit, publisher.slot):
                    try:
                        use()
                    except streamem.Closed:
                        refused += 1
                publisher.close()
            finally:
                os._exit(refused)
        self.assertEqual(os.WEXITSTATUS(os.waitpid(child, 0)[1]), 2)
        slot.submit()
        reader = self.open("forked", mode="every", depth=8)
        for _ in range(5):
            publisher.slot().submit()
            self.assertIsNotNone(reader.next(30))
        self.assertEqual(reader.state, "live")

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

    def test_no_number_of_the_broker_leads_out_of_the_pool(self):
        import fake

        pool = fake.memfd(4 * 4096)
        stream = {"name": "made", "layout": fake.LAYOUT, "generation": 1, "slot_bytes": 4096}
        permit = json.dumps({"parameters": {"publication": 1, "page": 0, "pool": 1, "stream": stream}})
        for granted, begun in ((1 << 32 | 2, dict(stream, slot_bytes=-(1 << 40))), (1 << 32 | 5, stream), (2 << 32 | 1, 7)):
            page = fake.memfd(3 * 4096)
            words = [struct.unpack("<Q", b"STRMPUBL")[0], 1, 1, 1] + 12 * [0] + [1]
            os.pwrite(page, struct.pack("<17Q", *words), 0)
            os.pwrite(page, struct.pack("<Q", granted), 32 * 8)
            reply = permit + "\0" + json.dumps({"parameters": {"stream": begun}}) + "\0"
            broker = fake.FakeBroker(reply.encode(), [page, pool])
            self.addCleanup(broker.end)
            publisher = streamem.publish("made", like="cam", socket=broker.socket)
            self.addCleanup(publisher.close)
            if granted == 1 << 32 | 2:
                publisher.slot().view[:] = b"x" * 64
                self.assertEqual(os.pread(pool, 4 * 4096, 0), b"\0" * 4096 + b"x" * 64 + b"\0" * (3 * 4096 - 64))
                continue
            with self.assertRaisesRegex(streamem.ProtocolFault, "granted a slot that the pool does not have"):
                publisher.slot()

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
