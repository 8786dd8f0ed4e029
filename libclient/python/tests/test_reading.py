"""What a program is given: which frame, with what said of it, in both modes and as a clip."""

import time
import unittest

from fixture import Case, eventually, streamem, strip


class Reading(Case):
    def test_the_newest_frames_come_with_what_is_said_of_them(self):
        before = 0
        for count, frame in enumerate(self.open("cam"), 1):
            self.assertGreater(frame.sequence, before)
            self.assertEqual(frame.missed, frame.sequence - before - 1 if before else 0)
            before = frame.sequence
            self.assertTrue(0 < frame.captured_ns <= frame.published_ns <= time.monotonic() * 1e9)
            self.assertGreaterEqual(frame.age_ms, 0)
            self.assertEqual((frame.clock, frame.source_clock), ("monotonic", frame.captured_ns))
            self.assertEqual(frame.nbytes, 320 * 240 * 3)
            self.assertEqual(frame.shape, (240, 320, 3))
            self.assertEqual(frame.layout.format, "bgr24")
            self.assertEqual(frame.layout["planes"][0].stride, 960)
            self.assertIsNone(frame.sync_file() or frame.dma_buf())
            self.assertEqual(frame.side_data["intrinsics"], (256.0, 256.0, 160.0, 120.0))
            self.assertEqual(sorted(frame.side_data), ["exposure_ns", "gain", "intrinsics"])
            number, made_ns = strip(frame.view, 320, 960, 3)
            self.assertEqual((number, made_ns), (frame.source_sequence, frame.captured_ns))
            if count == 20:
                break

    def test_memory_no_device_can_import_is_refused_by_name(self):
        with self.assertRaisesRegex(streamem.NoDmaBuf, "memfd"):
            self.open("cam", dma_buf=True)

    def test_every_frame_comes_in_order(self):
        subscription = self.open("cam", mode="every", depth=30)
        first = subscription.next()
        for ahead in range(1, 30):
            frame = next(subscription)
            self.assertEqual((frame.sequence, frame.missed), (first.sequence + ahead, 0))

    def test_what_is_missed_is_counted(self):
        for mode in ("latest", "every"):
            subscription = self.open("fast", mode=mode, depth=3)
            first = subscription.next()
            # A reader of every frame may have missed some between subscribing and its first.
            seen, missed = first.sequence, first.missed
            for _ in range(200):
                frame = subscription.next()
                self.assertEqual(frame.sequence, seen + frame.missed + 1)
                seen, missed = frame.sequence, missed + frame.missed
            self.assertEqual(subscription.missed, missed)
            (told,) = [s for s in self.broker.subscriptions() if s.subscription == subscription.id]
            self.assertEqual((told.taken, told.last_sequence, told.missed), (201, seen, missed))

    def test_latest_gives_the_same_frame_again_and_next_a_newer_one(self):
        subscription = self.open("slow", leases=3)
        first = subscription.next()
        again = subscription.latest()
        self.assertGreaterEqual(again.sequence, first.sequence)
        self.assertGreater(subscription.next().sequence, again.sequence)

    def test_nothing_new_is_none(self):
        subscription = self.open("slow")
        subscription.next()
        self.assertIsNone(subscription.try_next())
        self.assertIsNone(subscription.next(timeout=0.01))
        self.assertFalse(subscription.wait(0.01))
        self.assertTrue(subscription.wait(10))
        self.assertIsNotNone(subscription.try_next())

    def test_a_clip_is_the_last_frames_without_a_gap(self):
        subscription = self.open("cam", history=5, leases=7)
        clip = eventually("there are five", lambda: (lambda c: c if len(c) == 5 else None)(subscription.clip(5)))
        self.assertEqual([f.sequence for f in clip], list(range(clip[0].sequence, clip[0].sequence + 5)))
        with self.assertRaises(streamem.LeasesExhausted):
            subscription.clip(5)
        del clip
        self.assertEqual(subscription.held, 0)

    def test_planes_begin_where_the_layout_says(self):
        frame = self.open("nv12").next()
        y, uv = frame.plane(0), frame.plane(1)
        self.assertEqual((len(y), len(uv)), (320 * 240, 320 * 120))
        self.assertEqual(bytes(y) + bytes(uv), bytes(frame.view))
        self.assertIsNone(frame.plane(2))

    def test_streams_are_listed(self):
        streams = dict((s.name, s) for s in streamem.streams(self.broker.socket))
        self.assertTrue(set(streams) >= set(["bare", "cam", "depth", "fast", "imu", "nv12", "slow", "tone"]))
        self.assertEqual(streams["cam"].layout.width, 320)
        self.assertEqual(streamem.info("cam", self.broker.socket).name, "cam")

    def test_a_stream_that_is_not_there_yet_is_waited_for(self):
        with self.assertRaises(streamem.Timeout):
            self.open("later", wait=True, timeout=0.05)
        add = {"stream": "later", "source": "pattern://rand?size=64x48"}
        import threading

        adding = threading.Timer(0.2, lambda: streamem.call("io.streamem.AddStream", add, self.broker.socket))
        adding.start()
        subscription = self.open("later", wait=True, timeout=30)
        adding.join()
        self.assertIsNotNone(subscription.next())
        streamem.call("io.streamem.RemoveStream", {"stream": "later"}, self.broker.socket)
        eventually("it is gone", lambda: subscription.next(0.01) is None)
        streamem.call("io.streamem.AddStream", add, self.broker.socket)
        self.assertIsNotNone(subscription.next(30))
        streamem.call("io.streamem.RemoveStream", {"stream": "later"}, self.broker.socket)


if __name__ == "__main__":
    unittest.main()
