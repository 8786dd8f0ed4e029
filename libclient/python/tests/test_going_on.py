"""Brokers that end and come back, memory that is renewed, and event loops."""

import select
import signal
import sys
import threading
import unittest

from fixture import STREAMS, Broker, Case, eventually, streamem


class GoingOn(Case):
    def setUp(self):
        if self.broker.process is None:
            self.broker.start()

    def test_a_killed_broker_is_found_again(self):
        for eventfd in (False, True):
            subscription = self.open("cam", mode="every", depth=8, eventfd=eventfd)
            kept = subscription.next()
            before = bytes(kept.view)
            self.broker.kill()
            eventually("it is seen", lambda: subscription.next(0.05) is None and subscription.state == "disconnected")
            self.assertIsNotNone(subscription.latest())
            with self.assertRaises(streamem.Timeout):
                subscription.timeout = 0.05
                for _ in subscription:
                    pass
            self.broker.start()
            frame = subscription.next(30)
            self.assertEqual((subscription.state, frame.layout.width), ("live", 320))
            self.assertGreater(subscription.next(30).sequence, frame.sequence)
            self.assertEqual(bytes(kept.view), before)

    def test_one_that_was_never_there_says_what_to_do(self):
        self.broker.kill()

        def refused():  # the kernel closes the socket of one that was killed some time later
            try:
                self.open("cam")
            except streamem.HungUp:
                return None
            except streamem.NoBroker as error:
                return str(error)

        self.assertIn("Connection refused; start one with `streamemd`", eventually("it is gone", refused))

    def test_memory_that_is_renewed_is_taken_up(self):
        broker = Broker()
        self.addCleanup(broker.end)
        subscription = broker.open("cam")
        self.addCleanup(subscription.close)
        old = subscription.next()
        before = bytes(old.view)
        broker.configure(STREAMS.replace("320x240&rate=60&format=bgr24", "640x480&rate=60&format=rgb24"))
        broker.hangup()
        new = eventually("the layout is new", lambda: (lambda f: f if f.layout.width == 640 else None)(subscription.next(30)))
        self.assertGreater(new.sequence, old.sequence)
        self.assertEqual((new.shape, old.shape), ((480, 640, 3), (240, 320, 3)))
        self.assertEqual(bytes(old.view), before)

    def test_a_stream_that_ends_says_so(self):
        broker = Broker()
        self.addCleanup(broker.end)
        subscription = broker.open("cam")
        self.addCleanup(subscription.close)
        subscription.next()
        streamem.call("io.streamem.RemoveStream", {"stream": "cam"}, broker.socket)
        with self.assertRaisesRegex(streamem.StreamEnded, "open it with wait=True"):
            for _ in subscription:
                pass

    def test_a_stopped_broker_is_not_waited_for_beyond_the_time(self):
        subscription = self.open("cam")
        self.broker.process.send_signal(signal.SIGSTOP)
        try:
            eventually("nothing comes", lambda: subscription.next(0.3) is None)
        finally:
            self.broker.process.send_signal(signal.SIGCONT)
        self.assertIsNotNone(subscription.next(30))


class Loops(Case):
    def test_the_descriptor_is_readable_when_there_is_a_frame(self):
        for eventfd in (True, False):
            subscription = self.open("cam", mode="every", depth=8, eventfd=eventfd)
            poll = select.poll()
            number = subscription.fileno()
            poll.register(number, select.POLLIN)
            taken = 0
            while taken < 10:
                self.assertTrue(poll.poll(30000), "no frame came")
                while subscription.try_next() is not None:
                    taken += 1
            self.assertEqual(subscription.fileno(), number)

    def test_a_subscription_that_holds_frames_is_not_given_a_descriptor_late(self):
        subscription = self.open("cam")
        frame = subscription.next()
        with self.assertRaisesRegex(streamem.Error, "open it with eventfd=True"):
            subscription.fileno()
        del frame
        self.assertGreater(subscription.fileno(), 2)

    @staticmethod
    def each(loop, subscription, taken, count):
        """`async for`, in words that Python 3.4 can read."""
        iterator = subscription.__aiter__()

        def go_on(future):
            try:
                taken.append(future.result().sequence)
            except Exception as error:
                taken.append(error)
                loop.stop()
                return
            if len(taken) == count:
                loop.stop()
            else:
                iterator.__anext__().add_done_callback(go_on)

        iterator.__anext__().add_done_callback(go_on)

    def run_loop(self, *subscriptions, **options):
        import asyncio

        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        ticks, taken = [], []

        def tick():
            ticks.append(None)
            loop.call_later(0.001, tick)

        loop.call_soon(tick)
        for subscription in subscriptions:
            self.each(loop, subscription, taken, options.get("count", 20))
        loop.call_later(60, loop.stop)
        loop.run_forever()
        asyncio.set_event_loop(None)
        loop.close()
        self.assertGreater(len(ticks), 1)
        return taken

    def test_frames_come_asynchronously(self):
        taken = self.run_loop(self.open("cam"))
        self.assertEqual((len(taken), taken), (20, sorted(taken)))

    def test_a_fast_stream_leaves_the_loop_its_turn(self):
        self.assertEqual(len(self.run_loop(self.open("fast"), count=300)), 300)

    def test_silence_ends_an_asynchronous_wait(self):
        subscription = self.open("slow", timeout=0.05)
        self.assertIsInstance(self.run_loop(subscription, count=1000)[-1], streamem.Timeout)

    def test_a_subscription_is_awaited_by_one_and_ends_for_it_when_it_is_closed(self):
        import asyncio

        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        subscription = self.open("slow", timeout=None)
        subscription.next()
        awaited = subscription.__aiter__().__anext__()
        with self.assertRaisesRegex(streamem.Error, "awaited already"):
            subscription.__anext__()
        loop.call_later(0.01, subscription.close)
        with self.assertRaises(streamem.Closed):
            loop.run_until_complete(asyncio.wait_for(awaited, 30))
        asyncio.set_event_loop(None)
        loop.close()

    def test_a_loop_that_was_left_does_not_keep_the_next_from_waiting(self):
        import asyncio

        subscription = self.open("slow")
        for _ in range(2):
            loop = asyncio.new_event_loop()
            asyncio.set_event_loop(loop)
            subscription.__aiter__().__anext__()
            asyncio.set_event_loop(None)
            loop.close()

    def test_async_for(self):
        if sys.version_info < (3, 7):
            return self.assertTrue(hasattr(streamem.Subscription, "__anext__"))
        scope = {"cam": self.open("cam"), "taken": []}
        script = (
            "import asyncio\n"
            "async def main():\n"
            "    async for frame in cam:\n"
            "        taken.append(frame.sequence)\n"
            "        if len(taken) == 5: return\n"
            "asyncio.run(main())\n"
        )
        exec(script, scope)
        self.assertEqual(len(scope["taken"]), 5)

    def test_a_signal_interrupts_a_wait(self):
        class Interrupted(Exception):
            pass

        def interrupt(*_):
            raise Interrupted

        subscription = self.open("slow")
        subscription.next()
        before = signal.signal(signal.SIGALRM, interrupt)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with self.assertRaises(Interrupted):
                while True:
                    subscription.next(30)
        finally:
            signal.signal(signal.SIGALRM, before)
        self.assertIsNotNone(subscription.next(30))

    def test_one_thread_can_close_what_another_waits_for(self):
        subscription = self.open("slow")
        told = []

        def work():
            try:
                while True:
                    subscription.next(30)
            except Exception as error:
                told.append(error)

        for _ in range(3):
            del told[:]
            subscription = self.open("slow")
            thread = threading.Thread(target=work)
            thread.start()
            eventually("it has begun", lambda: subscription._taken)
            subscription.close()
            thread.join()
            self.assertIsInstance(told[0], streamem.Closed)

    def test_a_thread_waits_for_each_of_many(self):
        subscriptions = [self.open("cam") for _ in range(8)]
        taken = []

        def work(subscription):
            for _ in range(5):
                taken.append(subscription.next(30).sequence)

        threads = [threading.Thread(target=work, args=(s,)) for s in subscriptions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(taken), 40)


if __name__ == "__main__":
    unittest.main()
