"""Bad input from programs and from brokers: each an error of its own with a sentence that says what to do."""

import os
import resource
import subprocess
import unittest

import fake
from fixture import HERE, PYTHON, Case, streamem


class Asking(Case):
    def test_names_that_can_be_no_streams(self):
        for name in ("", "../x", "a b", "x" * 65, None, 7):
            with self.assertRaisesRegex(streamem.BadName, "cannot name a stream: use 1 to 64"):
                self.open(name)

    def test_a_stream_that_is_not_there(self):
        with self.assertRaises(streamem.NoSuchStream) as caught:
            self.open("nothing")
        self.assertEqual((caught.exception.name, caught.exception.subject), ("io.streamem.NoSuchStream", "nothing"))

    def test_more_than_there_can_be(self):
        with self.assertRaises((streamem.PoolFull, streamem.QuotaExceeded, streamem.InvalidParameter)):
            self.open("cam", leases=448)
        for wrong in ({"leases": 0}, {"depth": -1}, {"mode": "newest"}, {"leases": 1.5}):
            with self.assertRaisesRegex(streamem.InvalidParameter, "is not possible"):
                self.open("cam", **wrong)

    def test_a_broker_that_is_not_there(self):
        with self.assertRaisesRegex(streamem.NoBroker, "no broker at /nowhere: No such file.*STREAMEM_SOCKET"):
            streamem.open("cam", socket="/nowhere")
        with self.assertRaisesRegex(streamem.NoBroker, "shorter than 108"):
            streamem.streams(socket="/" + "x" * 200)

    def test_a_socket_one_may_not_use(self):
        if os.getuid() != 0:
            return self.assertRaises(streamem.NoBroker, streamem.streams, "/root/x")
        script = "import os, sys, streamem; os.setuid(65534); streamem.open('cam', socket=sys.argv[1])"
        command = [PYTHON, "-c", script, self.broker.socket]
        environment = dict(os.environ, PYTHONPATH=os.path.dirname(HERE))
        ran = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, universal_newlines=True)
        self.assertRegex(ran.communicate()[1], "NoBroker: .*Permission denied; its socket is for members")

    def test_a_signal_does_not_end_a_call(self):
        real, interrupted = streamem.select.poll, []

        class Poll(object):
            """One of Python 3.4: a signal is an error, whatever its handler did."""

            def __init__(self):
                self.real = real()
                self.register = self.real.register

            def poll(self, limit):
                if not interrupted:
                    interrupted.append(limit)
                    raise InterruptedError
                return self.real.poll(limit)

        streamem.select.poll = Poll
        try:
            self.assertEqual(streamem.info("cam", self.broker.socket).name, "cam")
        finally:
            streamem.select.poll = real
        self.assertEqual(len(interrupted), 1)

    def test_the_socket_of_the_environment_is_the_only_one(self):
        before = os.environ.get("STREAMEM_SOCKET")
        os.environ["STREAMEM_SOCKET"] = self.broker.socket
        try:
            self.assertEqual(streamem.info("cam").name, "cam")
        finally:
            del os.environ["STREAMEM_SOCKET"]
            if before is not None:
                os.environ["STREAMEM_SOCKET"] = before

    def test_descriptors_that_did_not_arrive(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        highest = max(int(name) for name in os.listdir("/proc/self/fd"))
        spare = [os.open("/dev/null", os.O_RDONLY) for _ in range(3)]
        limit = max([highest] + spare) + 1
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        os.close(spare.pop())
        os.close(spare.pop())
        taken = []
        try:
            while True:
                taken.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            os.close(taken.pop())  # one for the socket, one to receive
            os.close(taken.pop())
        try:
            with self.assertRaisesRegex(streamem.DescriptorsLost, "limit of open files, raise RLIMIT_NOFILE"):
                self.open("cam")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for number in taken + spare:
                os.close(number)


class Believing(unittest.TestCase):
    """What no broker of ours would say."""

    def tell(self, reply, memory=None):
        broker = fake.FakeBroker(reply, memory.fds if memory else ())
        self.addCleanup(broker.end)
        subscription = streamem.open("cam", socket=broker.socket, timeout=1.0)
        self.addCleanup(subscription.close)
        return subscription

    def refuses(self, said, reply, memory=None, kind=streamem.ProtocolFault):
        with self.assertRaisesRegex(kind, said):
            self.tell(reply, memory)

    def test_one_that_keeps_to_the_specification_is_believed(self):
        memory = fake.Memory()
        subscription = self.tell(fake.grant(), memory)
        frame = subscription.next()
        self.assertEqual((frame.sequence, frame.captured_ns, frame.nbytes), (1, 5, 64))
        memory.publish(2, 3)
        self.assertEqual(subscription.next().sequence, 2)

    def test_a_lease_is_written_before_the_slot_is_looked_at_again(self):
        memory = fake.Memory()
        subscription = self.tell(fake.grant(), memory)
        frame = subscription.next()
        words = memoryview(memory.lease).cast("Q")
        self.assertEqual(sorted(words[64:66].tolist()), [0, 1 << 32 | 2])
        del frame
        self.assertEqual(words[64:66].tolist(), [0, 0])
        memory.put(64 + 64, 0)  # the writer takes the slot
        self.assertIsNone(subscription.latest())
        self.assertEqual(words[64:66].tolist(), [0, 0])
        self.assertEqual(words[20], 8)

    def test_messages_that_are_none(self):
        for reply in (b"nonsense\0", b"[]\0", b'{"parameters": 7}\0', b"\xff\0", {"parameters": {}}, {}):
            self.refuses("versions, or that is no Streamem", reply)
        self.refuses("hung up; it was stopped", "hang up", kind=streamem.HungUp)
        self.refuses("of its own", {"error": "io.x.New", "parameters": {"message": "of its own"}}, kind=streamem.Refused)

    def test_one_that_is_silent(self):
        patience, streamem._ANSWER_SECONDS = streamem._ANSWER_SECONDS, 0.2
        try:
            self.refuses("did not answer in", None, kind=streamem.NoAnswer)
        finally:
            streamem._ANSWER_SECONDS = patience

    def test_one_of_another_version(self):
        memory = fake.Memory()
        memory.put(1, 2)
        self.refuses("has version 2, this client speaks version 1: update", fake.grant(), memory, streamem.WrongVersion)

    def test_rings_that_cannot_be(self):
        for at, value in ((0, 7), (2, 1 << 32), (3, 1), (3, 5000), (4, 7), (5, 0), (5, 1 << 60), (6, 1), (7, 1 << 63), (2, 2)):
            memory = fake.Memory()
            memory.put(at, value)
            self.refuses("ring", fake.grant(), memory)
        self.refuses("not sealed against shrinking", fake.grant(), fake.Memory(ring_sealed=False))
        self.refuses("slot_bytes", fake.grant(), fake.Memory(pool_bytes=4096))

    def test_layouts_that_do_not_fit(self):
        planes = lambda **plane: dict(fake.LAYOUT, planes=[plane])  # noqa: E731
        array = lambda **array: dict(fake.LAYOUT, array=array)  # noqa: E731
        for layout in (
            dict(fake.LAYOUT, bytes=5000),
            dict(fake.LAYOUT, bytes="many"),
            planes(offset=0, stride=8, rows=9),
            planes(offset=-1, stride=8, rows=1),
            planes(offset=1 << 70, stride=1 << 70, rows=1),
            array(shape=[8, 8], strides=[9, 1], dtype="|u1"),
            array(shape=[8], strides=[1, 1], dtype="|u1"),
            array(shape=[8, 8], strides=[8, 1], dtype="<u2"),
            array(shape=[8, 0], strides=[8, 1], dtype="|u1"),
            array(shape=[8, 8], strides=[8, 1], dtype="O"),
        ):
            self.refuses("fit", fake.grant(layout), fake.Memory())

    def test_slots_there_are_not(self):
        memory = fake.Memory()
        subscription = self.tell(fake.grant(), memory)
        memory.put(24, 2 << 16 | 4)
        with self.assertRaisesRegex(streamem.ProtocolFault, "names a slot that the pool does not have"):
            subscription.next()

    def test_records_that_claim_too_much(self):
        memory = fake.Memory()
        subscription = self.tell(fake.grant(), memory)
        memory.put(64 + 64 + 5, 1 << 63, 9, 1 << 63)
        memory.put(64 + 64 + 8, 7 << 32 | 3, 0)
        frame = subscription.next()
        self.assertEqual((frame.nbytes, len(frame.view), frame.side_data[0]), (4096, 4096, b""))

    def test_descriptors_the_reply_does_not_name_rightly(self):
        for changes in ({"ring": 9}, {"ring": -1}, {"pool": "x"}, {"lease": 1}, {"ring": None}, {"lease": None}):
            with self.assertRaises((streamem.ProtocolFault, streamem.DescriptorsLost)):
                self.tell(fake.grant(**changes), fake.Memory())

    def test_the_line_can_be_silent_and_the_ring_go_on(self):
        memory = fake.Memory()
        subscription = self.tell(fake.grant(), memory)
        subscription.next()
        self.assertIsNone(subscription.next(0.3))
        memory.put(25, 1)
        self.assertEqual((subscription.next(0.01), subscription.state), (None, "lost"))
        memory.put(25, 77)
        self.assertEqual((subscription.next(0.01), subscription.state), (None, "ended"))


if __name__ == "__main__":
    unittest.main()
