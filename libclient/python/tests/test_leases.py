"""What keeps a frame, and what gives it back."""

import copy
import gc
import os
import pickle
import subprocess
import sys
import threading
import unittest

from fixture import HERE, PYTHON, Case, eventually, streamem


class Leases(Case):
    def test_a_frame_is_given_back_when_nothing_looks_at_it(self):
        subscription = self.open("cam")
        frame = subscription.next()
        self.assertEqual(subscription.held, 1)
        part = frame.view[1000:2000][10:20]
        whole = memoryview(part)
        frame.release()
        self.assertEqual(subscription.held, 1)
        before = bytes(whole)
        for _ in range(20):
            subscription.next()
        self.assertEqual(bytes(whole), before)
        del part
        self.assertEqual(subscription.held, 1)
        del whole
        self.assertEqual(subscription.held, 0)

    def test_a_frame_that_was_given_back_says_so(self):
        with self.open("cam").next() as frame:
            sequence = frame.sequence
        self.assertEqual((frame.sequence, frame.shape), (sequence, (240, 320, 3)))
        uses = (lambda: frame.view, frame.array, lambda: frame.side_data, lambda: frame.plane(0), frame.__dlpack__)
        for use in uses + (frame.sync_file, frame.dma_buf):
            with self.assertRaisesRegex(streamem.FrameReleased, "frame %d of cam was given back" % sequence):
                use()
        self.assertIn("released", repr(frame))

    def test_a_frame_is_neither_pickled_nor_copied(self):
        frame = self.open("cam").next()
        for make in (pickle.dumps, copy.copy, copy.deepcopy):
            with self.assertRaisesRegex(TypeError, "send frame.array"):
                make(frame)

    def test_a_loop_holds_two_at_most(self):
        subscription = self.open("cam")
        for count, frame in enumerate(subscription):
            self.assertLessEqual(subscription.held, 1)
            if count == 10:
                break

    def test_too_many_are_an_error_that_names_the_line_of_the_oldest(self):
        subscription = self.open("cam", leases=3, debug=True)
        first = subscription.next(); line = sys._getframe().f_lineno  # noqa: E702
        others = [subscription.next(), subscription.next()]
        with self.assertRaises(streamem.LeasesExhausted) as caught:
            subscription.next()
        self.assertIn("3 of the 3 frames", str(caught.exception))
        self.assertIn("test_leases.py:%d" % line, str(caught.exception))
        del first
        self.assertIsNotNone(subscription.next())
        self.assertEqual(len(others), 2)

    def test_without_debugging_the_error_says_how_to_debug(self):
        subscription = self.open("cam", leases=1)
        kept = subscription.next()
        with self.assertRaisesRegex(streamem.LeasesExhausted, "STREAMEM_DEBUG=1 tells"):
            subscription.latest()
        self.assertIsNotNone(kept)

    def test_what_is_looked_at_cannot_be_written(self):
        view = self.open("cam").next().view
        self.assertTrue(view.readonly)
        with self.assertRaises(TypeError):
            view[0] = 1

    def test_a_frame_outlives_its_subscription(self):
        subscription = self.broker.open("cam")
        frame, number = subscription.next(), subscription.id
        before = bytes(frame.view)
        subscription.close()
        with self.assertRaises(streamem.Closed):
            subscription.next()
        del subscription
        (told,) = [s for s in self.broker.subscriptions() if s.subscription == number]
        self.assertEqual(told.held, 1)
        other = self.open("cam")
        for _ in range(20):
            other.next()
        self.assertEqual(bytes(frame.view), before)
        del frame
        gone = lambda: number not in [s.subscription for s in self.broker.subscriptions()]  # noqa: E731
        eventually("the subscription is gone with its last frame", gone)

    def test_nothing_is_left_open(self):
        gc.collect()
        before = self.descriptors()
        for _ in range(5):
            subscription = self.broker.open("cam", eventfd=True)
            frame = subscription.next()
            subscription.close()
            del frame, subscription
        gc.collect()
        self.assertEqual(self.descriptors(), before)

    def test_frames_can_be_given_back_by_any_thread(self):
        subscription = self.open("fast", leases=4)
        for _ in range(50):
            frames = [subscription.next() for _ in range(4)]
            threads = [threading.Thread(target=frame.release) for frame in frames]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            del frames
        self.assertEqual(subscription.held, 0)

    def test_where_no_fence_can_be_made_nothing_is_leased(self):
        self.addCleanup(setattr, streamem, "_fence", streamem._fence)
        self.addCleanup(setattr, streamem, "_membarrier", streamem._membarrier)
        streamem._fence = streamem._membarrier = lambda: -1
        with self.assertRaisesRegex(streamem.Unsupported, "membarrier is refused here.*seccomp"):
            self.open("cam")

    def test_other_threads_run_while_one_waits(self):
        subscription = self.open("slow")
        subscription.next()
        most = 0
        for _ in range(20):  # on a busy machine the frame can be there before this thread goes on
            counted = []
            waiting = threading.Thread(target=lambda: counted.append(subscription.next(30)))
            waiting.start()
            steps = 0
            while waiting.is_alive():
                steps += 1
            waiting.join()
            self.assertIsNotNone(counted[0])
            most = max(most, steps)
            if most > 10:
                break
        self.assertGreater(most, 10)

    def test_a_forked_child_gives_nothing_of_its_parent_back(self):
        subscription = self.open("cam")
        frame = subscription.next()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                del frame
                gc.collect()
                subscription.next()
            except streamem.Closed:
                status = 0
            finally:
                os._exit(status)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        (told,) = [s for s in self.broker.subscriptions() if s.subscription == subscription.id]
        self.assertEqual((told.held, subscription.held), (1, 1))
        self.assertIsNotNone(frame.view)
        self.assertIsNotNone(subscription.next())

    def test_a_program_can_end_while_it_holds_everything(self):
        script = (
            "import streamem, sys\n"
            "sub = streamem.open('cam', leases=8, eventfd=True)\n"
            "frames = [sub.next() for _ in range(4)]\n"
            "views = [frame.view for frame in frames]\n"
            "cycle = [views]; cycle.append(cycle)\n"
        )
        environment = dict(os.environ, PYTHONPATH=os.path.dirname(HERE), STREAMEM_SOCKET=self.broker.socket)
        ran = subprocess.Popen([PYTHON, "-W", "error", "-c", script], env=environment, stderr=subprocess.PIPE)
        said = ran.communicate()[1]
        self.assertEqual((ran.returncode, said), (0, b""))


if __name__ == "__main__":
    unittest.main()
