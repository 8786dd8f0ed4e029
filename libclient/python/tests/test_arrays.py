"""Frames as numpy arrays, and by the protocols other libraries have for memory. Needs numpy."""

import gc
import sys
import unittest

import numpy

import fake
from fixture import Case, streamem, strip


class Arrays(Case):
    def test_an_array_lies_in_the_memory_of_the_broker(self):
        frame = self.open("cam").next()
        array = frame.array()
        self.assertEqual((array.shape, array.dtype, array.flags.owndata), ((240, 320, 3), numpy.uint8, False))
        self.assertEqual(array.ctypes.data, numpy.frombuffer(frame.view, numpy.uint8).ctypes.data)
        self.assertEqual(array.tobytes(), bytes(frame.view))
        self.assertIsNotNone(strip(array.reshape(-1), 320, 960, 3))

    def test_an_array_cannot_be_written_nor_made_writable(self):
        array = self.open("cam").next().array()
        for one in (array, array[10:20], array.reshape(-1)):
            self.assertFalse(one.flags.writeable)
            with self.assertRaises(ValueError):
                one[0] = 1
            with self.assertRaises(ValueError):
                one.flags.writeable = True

    def test_whatever_is_made_of_an_array_keeps_the_frame(self):
        subscription = self.open("fast", leases=4)
        for make in (
            lambda a: a,
            lambda a: a[5:],
            lambda a: a[5:][::2].T,
            lambda a: a.view(numpy.int8).reshape(-1)[7:],
            lambda a: numpy.asarray(memoryview(a)),
            lambda a: memoryview(a[3:]),
        ):
            frame = subscription.next()
            left = make(frame.array())
            before = bytes(left)
            frame.release()
            del frame
            self.assertEqual(subscription.held, 1)
            for _ in range(50):
                subscription.next()
            self.assertEqual(bytes(left), before)
            del left
            self.assertEqual(subscription.held, 0)

    def test_arrays_made_while_waiting_are_of_the_frame_they_are_given_for(self):
        subscription = self.open("cam", leases=4)
        kept = []
        for _ in range(20):
            frame = subscription.next()
            array, before = frame.array(), bytes(frame.view)
            self.assertEqual((array.tobytes(), frame.array().tobytes()), (before, before))
            kept.append((array, before))
            del frame, array
            self.assertEqual(subscription.held, len(kept))
            if len(kept) == 3:
                self.assertEqual(kept[0][0].tobytes(), kept[0][1])
                del kept[0]

    def test_other_kinds_of_frames_have_their_own_arrays(self):
        for name, shape, dtype in (
            ("depth", (48, 64), "<u2"),
            ("nv12", (360, 320), "|u1"),
            ("tone", (2, 1024), "<f4"),
        ):
            frame = self.open(name).next()
            array = frame.array()
            self.assertEqual((array.shape, array.dtype), (shape, numpy.dtype(dtype)))
            self.assertTrue((numpy.asarray(frame) == array).all())
        frame = self.open("imu").next()
        for batch in (frame.array(), numpy.asarray(frame)):
            self.assertEqual(batch.dtype.names, ("t_ns", "x", "y", "z", "temperature"))
            self.assertTrue((numpy.diff(batch["t_ns"].astype("i8")) > 0).all())

    def test_a_clip_can_be_stacked(self):
        subscription = self.open("cam", history=4, timeout=30)
        while len(subscription.clip(4)) < 4:
            subscription.wait()
        stacked = subscription.clip(4, stack=True)
        self.assertEqual((stacked.shape, stacked.flags.owndata), ((4, 240, 320, 3), True))
        self.assertEqual(subscription.held, 0)

    def test_numpy_takes_a_frame_as_it_is(self):
        subscription = self.open("cam")
        frame = subscription.next()
        taken = [numpy.asarray(frame)]
        if hasattr(numpy, "from_dlpack"):
            taken.append(numpy.from_dlpack(frame))
        for array in taken:
            self.assertEqual(array.ctypes.data, frame.array().ctypes.data)
            self.assertFalse(array.flags.writeable)
        frame.release()
        del frame
        while taken:
            self.assertEqual(subscription.held, 1)
            array = taken.pop()
        del array
        self.assertEqual(subscription.held, 0)

    def test_a_capsule_nobody_takes_gives_the_frame_back(self):
        subscription = self.open("cam")
        frame = subscription.next()
        self.assertEqual(frame.__dlpack_device__(), (1, 0))
        for version in (None, (1, 0), (0, 8), (2, 3)):
            capsule = frame.__dlpack__(max_version=version)
            is_versioned = version is not None and version[0] >= 1
            self.assertEqual("dltensor_versioned" in repr(capsule), is_versioned)
        frame.release()
        self.assertEqual(subscription.held, 1)
        del capsule
        self.assertEqual(subscription.held, 0)
        self.assertEqual(len(streamem._exported), 0)
        frame = subscription.next()
        for wrong in ({"copy": True}, {"dl_device": (2, 0)}):
            self.assertRaises(BufferError, frame.__dlpack__, **wrong)
        self.assertRaises(BufferError, self.open("imu").next().__dlpack__)

    def test_the_buffer_protocol_knows_the_shape(self):
        frame = self.open("tone").next()
        view = memoryview(frame) if sys.version_info >= (3, 12) else frame.__buffer__(0)
        self.assertEqual((view.shape, view.format, view.readonly), ((2, 1024), "f", True))
        self.assertEqual(view.tobytes(), frame.array().tobytes())

    def test_frames_that_are_not_full(self):
        def frame_of(layout, used):
            memory = fake.Memory()
            memory.put(64 + 64 + 5, used)
            broker = fake.FakeBroker(fake.grant(layout), memory.fds)
            self.addCleanup(broker.end)
            return streamem.open("cam", socket=broker.socket).next()

        batch = dict(fake.LAYOUT, planes=[], array={"shape": [8], "strides": [8], "dtype": "|V8"})
        self.assertEqual(frame_of(batch, 24).array().shape, (3,))
        self.assertEqual(frame_of(batch, 0).array().shape, (0,))
        packet = dict(fake.LAYOUT, planes=[], array=None)
        self.assertEqual(frame_of(packet, 17).array().shape, (17,))
        self.assertEqual(frame_of(packet, 0).array().shape, (0,))
        padded = dict(fake.LAYOUT, array={"shape": [4, 8], "strides": [16, 1], "dtype": "|u1"})
        frame = frame_of(padded, 64)
        self.assertEqual((frame.array().strides, frame.shape), ((16, 1), (4, 8)))
        self.assertEqual(numpy.asarray(frame).shape, (4, 8))
        with self.assertRaisesRegex(streamem.Error, "this frame has 10 bytes, its array would need 64: its source"):
            frame_of(fake.LAYOUT, 10).array()

    def test_arrays_can_be_part_of_what_is_only_collected(self):
        subscription = self.open("cam")
        cycle = [subscription.next().array()]
        cycle.append(cycle)
        self.assertEqual(subscription.held, 1)
        del cycle
        gc.collect()
        self.assertEqual(subscription.held, 0)


if __name__ == "__main__":
    unittest.main()
