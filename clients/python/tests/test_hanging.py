"""A control plane that hangs: one request waits for 150 ms, then none waits that has a snapshot, and no thread stays.

Bounds of real time are wide: each stands beside what the same work takes when everybody waits.
"""

import json
import logging
import socket
import threading
import time
import unittest

from bed import MODULE, NOBODY, Clock, Registry, module, state
from module_mgmt import CredentialRefused, Gate, GateLimits, HttpSource, Moment, ReadFailed, Usage, _BackOff

PATIENCE = 0.15
HOUR = 3600.0
QUEUE = "https://sqs.eu-central-1.amazonaws.com/1/usage"


def our_threads():
    return [thread for thread in threading.enumerate() if thread.name == "module-mgmt"]


def wait_until(condition, seconds=20):
    ends = time.monotonic() + seconds
    while not condition() and time.monotonic() < ends:
        time.sleep(0.001)
    return condition()


def timed(work):
    began = time.monotonic()
    return work(), time.monotonic() - began


class Hanging(Registry):
    """Answers until ``hang()`` and again after ``release()``, which ends what hangs with the answer of then."""

    def __init__(self, *states):
        super().__init__(*states)
        self._free = threading.Event()
        self._free.set()

    def hang(self):
        self._free.clear()

    def release(self):
        self._free.set()

    def read(self, org_id, authorization, known_version):
        with self._lock:
            self.reads.append((org_id, authorization, known_version))
        self._free.wait(60)
        if self.fault is not None:
            raise self.fault
        found = self.states[org_id]
        return None if found["version"] == known_version else found


class Quiet(unittest.TestCase):
    def setUp(self):
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)

    def hanging_gate(self, **limits):
        """A gate whose snapshot of organisation a is 30 seconds old, on a registry that hangs from now on."""
        registry = Hanging(state())
        self.addCleanup(registry.release)
        gate, clock = registry.gate(**{"max_stale": HOUR, **limits})
        gate.check("a", NOBODY)
        registry.hang()
        clock.advance(30)
        return registry, gate, clock


class BackOff(unittest.TestCase):
    def test_pauses_double_from_one_second_to_thirty_and_a_success_ends_them(self):
        start, back_off = Moment(1.0, 1.0), _BackOff()
        for _ in range(2):
            self.assertFalse(back_off.is_paused(start))
            for pause in (1, 2, 4, 8, 16, 30, 30):
                back_off.fail(start, 1.0)
                self.assertTrue(back_off.is_paused(start.after(pause - 0.001)))
                self.assertFalse(back_off.is_paused(start.after(pause)))
                self.assertFalse(back_off.is_paused(start.after(1.0), 1.0))
            back_off.end()
        for _ in range(100):
            back_off.fail(start, 60.0)
        self.assertTrue(back_off.is_paused(start.after(59.0)))
        self.assertFalse(back_off.is_paused(start.after(60.0)), "the first pause is the longest")


class Gates(Quiet):
    def test_the_default_patience_is_150_ms(self):
        # As a number: whoever changes the default changes what every request of a host may wait.
        self.assertEqual((GateLimits().patience, GateLimits().timeout, GateLimits().retry_after), (0.15, 2.0, 1.0))

    def test_one_request_waits_150_ms_and_none_after_it_for_ten_minutes(self):
        registry, gate, clock = self.hanging_gate()
        answer, took = timed(lambda: gate.check("a", NOBODY))
        self.assertIsNone(answer)
        self.assertTrue(PATIENCE <= took < 1.5, took)
        began = time.monotonic()
        for _ in range(600):
            self.assertIsNone(gate.check("a", NOBODY))
            clock.advance(1)
        # Ninety seconds, if each waited.
        self.assertLess(time.monotonic() - began, 10)
        # Each takes two seconds, and the pauses between them are 1, 2, 4, 8, 16 and then 30.
        self.assertTrue(20 <= len(registry.reads) <= 25, len(registry.reads))

    def test_the_first_success_ends_the_back_off(self):
        registry, gate, clock = self.hanging_gate()
        for _ in range(100):
            gate.check("a", NOBODY)
            clock.advance(1)
        registry.states["a"] = state(version="2", modules=[module("org_off")])
        registry.release()
        self.assertTrue(wait_until(lambda: gate.check("a", NOBODY) == "org_off"))
        clock.advance(30)
        self.assertTrue(wait_until(lambda: gate.check("a", NOBODY) == "org_off" and not our_threads()))
        # From here on it is as it was before: a request waits for what comes in time, and 150 ms in vain.
        registry.states["a"] = state(version="3")
        clock.advance(30)
        self.assertIsNone(gate.check("a", NOBODY))
        registry.hang()
        clock.advance(30)
        self.assertGreaterEqual(timed(lambda: gate.check("a", NOBODY))[1], PATIENCE)

    def test_an_answer_after_the_patience_is_there_for_the_next_request(self):
        registry, gate, _ = self.hanging_gate()
        self.assertIsNone(gate.check("a", NOBODY))
        registry.states["a"] = state(version="2", modules=[module("org_off")])
        registry.release()
        self.assertTrue(wait_until(lambda: gate.check("a", NOBODY) == "org_off"))
        self.assertEqual(len(registry.reads), 2)

    def test_no_other_organisation_waits_for_a_control_plane_that_hangs(self):
        names = [f"org-{n}" for n in range(100)]
        registry = Hanging(*(state(name) for name in names))
        self.addCleanup(registry.release)
        gate, clock = registry.gate()
        for name in names:
            gate.check(name, NOBODY)
        registry.hang()
        clock.advance(30)
        answers, took = timed(lambda: {gate.check(name, NOBODY) for name in names})
        # Fifteen seconds, if each waited.
        self.assertTrue(answers == {None} and took < 5, took)
        # The one that was waited for, and those that run at the same time without anybody.
        self.assertTrue(wait_until(lambda: len(registry.reads) == 109), len(registry.reads))
        self.assertEqual(len(our_threads()), 9)
        # When they have had their time, others take their turns.
        clock.advance(3)
        for name in names:
            gate.check(name, NOBODY)
        self.assertTrue(wait_until(lambda: len(registry.reads) == 117), len(registry.reads))
        registry.release()
        self.assertTrue(wait_until(lambda: not our_threads()))
        for name in names:
            gate.check(name, NOBODY)
            self.assertTrue(wait_until(lambda: not our_threads()))
        # Every organisation is read again in the end.
        clock.advance(26)
        reads = len(registry.reads)
        for name in names:
            gate.check(name, NOBODY)
        self.assertEqual(len(registry.reads), reads)

    def test_without_a_usable_snapshot_a_request_waits_for_the_whole_read_and_asks_once_a_second(self):
        registry, gate, clock = self.hanging_gate(max_stale=300, timeout=0.4)
        for _ in range(270):
            self.assertIsNone(gate.check("a", NOBODY))
            clock.advance(1)
        for _ in range(3):
            reads = len(registry.reads)
            answer, took = timed(lambda: gate.check("a", NOBODY))
            self.assertEqual((answer, len(registry.reads) - reads), ("state_unknown", 1))
            self.assertGreaterEqual(took, 0.4)
            self.assertEqual((gate.check("a", NOBODY), len(registry.reads) - reads), ("state_unknown", 1))
            clock.advance(1)

    def test_a_refresh_takes_the_full_time_however_long_the_pause_is(self):
        registry, gate, clock = self.hanging_gate(timeout=20)
        for _ in range(300):
            gate.check("a", NOBODY)
            clock.advance(1)
        registry.states["a"] = state(version="2", modules=[module("org_off")])
        threading.Timer(0.5, registry.release).start()
        clock.advance(20)
        gate.refresh(20)
        self.assertEqual(gate.check("a", NOBODY), "org_off")

    def test_a_control_plane_that_refuses_is_asked_less_and_less_often(self):
        registry = Registry(state())
        gate, clock = registry.gate(max_stale=HOUR)
        gate.check("a", NOBODY)
        registry.fault = ReadFailed("refused")
        clock.advance(30)
        for _ in range(600):
            self.assertIsNone(gate.check("a", NOBODY))
            wait_until(lambda: not our_threads())
            clock.advance(1)
        self.assertTrue(20 <= len(registry.reads) <= 27, len(registry.reads))

    def test_a_refused_credential_lets_the_next_caller_try_a_second_later(self):
        registry = Registry(state())
        gate, clock = registry.gate()
        gate.check("a", NOBODY)
        registry.fault = CredentialRefused("expired")
        clock.advance(30)
        for expected in range(2, 10):
            self.assertIsNone(gate.check("a", NOBODY))
            wait_until(lambda: not our_threads())
            self.assertEqual(len(registry.reads), expected)
            clock.advance(1)

    def test_a_read_that_was_frozen_has_not_failed(self):
        registry, gate, clock = self.hanging_gate(patience=20)
        gate.refresh(0.01)
        clock.freeze(60)
        registry.states["a"] = state(version="2", modules=[module("org_off")])
        registry.release()
        self.assertEqual(gate.check("a", NOBODY), "org_off")

    def test_whatever_a_source_raises_is_a_failure_like_others(self):
        for fault in (SystemExit(1), KeyboardInterrupt(), MemoryError()):
            registry = Registry(state())
            gate, clock = registry.gate()
            registry.fault = fault
            self.assertEqual(gate.check("a", NOBODY), "state_unknown")
            registry.fault = None
            clock.advance(1)
            self.assertIsNone(gate.check("a", NOBODY))


class Wire:
    """A server that takes connections and does ``misbehave(connection)``; the first ``proper`` ones get the state."""

    def __init__(self, misbehave, proper=0):
        self.connections = []
        self._misbehave, self._proper = misbehave, proper
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            is_proper = len(self.connections) <= self._proper
            threading.Thread(target=self._answer, args=(connection, is_proper), daemon=True).start()

    def _answer(self, connection, is_proper):
        try:
            connection.recv(65536)
            if is_proper:
                body = json.dumps(state()).encode()
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
                connection.close()
            else:
                self._misbehave(connection)
        except OSError:
            pass

    def all_are_closed(self):
        """Whether the client has closed each connection, which nobody else does."""
        for connection in self.connections:
            try:
                connection.settimeout(20)
                while connection.recv(65536):
                    pass
            except ConnectionError:
                pass
            except TimeoutError:
                return False
        return True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()
        for connection in self.connections:
            connection.close()


HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n"


def never_answers(connection):
    pass


def sends_the_head_only(connection):
    connection.sendall(HEAD)


def sends_byte_by_byte(connection):
    connection.sendall(HEAD)
    for _ in range(1000):
        connection.sendall(b" ")
        time.sleep(0.02)


def closes_after_a_second(connection):
    time.sleep(1)
    connection.close()


class Sockets(Quiet):
    def test_a_server_that_hangs_holds_one_request_for_150_ms_and_no_other(self):
        for misbehave in (never_answers, sends_the_head_only, sends_byte_by_byte, closes_after_a_second):
            with self.subTest(misbehave.__name__), Wire(misbehave, proper=1) as server:
                clock = Clock()
                limits = GateLimits(max_stale=HOUR)
                gate = Gate(MODULE, "functional", HttpSource(server.url), limits=limits, now=clock)
                self.assertIsNone(gate.check("a", NOBODY, "Bearer a"))
                clock.advance(30)
                answer, took = timed(lambda: gate.check("a", NOBODY, "Bearer a"))
                self.assertIsNone(answer)
                self.assertTrue(PATIENCE <= took < 1.5, took)
                began = time.monotonic()
                for _ in range(600):
                    self.assertIsNone(gate.check("a", NOBODY, "Bearer a"))
                    clock.advance(1)
                self.assertLess(time.monotonic() - began, 10)
                self.assertTrue(wait_until(lambda: not our_threads()))
                self.assertLessEqual(len(server.connections), 26)

    def test_no_thread_and_no_connection_outlives_its_read(self):
        # What runs by itself may begin and end meanwhile.
        self.assertTrue(wait_until(lambda: not our_threads()))
        for misbehave, scheme in (
            (never_answers, "http"),
            (sends_the_head_only, "http"),
            (sends_byte_by_byte, "http"),
            (never_answers, "https"),
        ):
            with self.subTest(f"{misbehave.__name__}, {scheme}"), Wire(misbehave) as server:
                source = HttpSource(server.url.replace("http", scheme, 1), timeout=0.5)
                # Fifty that read the trusted roots at the same time would have no time left to connect.
                source._api._trusted()
                gate = Gate(MODULE, "functional", source, limits=GateLimits(timeout=0.5))
                for n in range(50):
                    waiting = threading.Thread(target=gate.check, args=(f"org-{n}", NOBODY, "Bearer a"))
                    waiting.start()
                self.assertTrue(wait_until(lambda: len(server.connections) == 50))
                self.assertTrue(wait_until(lambda: not our_threads()), our_threads())
                if misbehave is not sends_byte_by_byte:
                    self.assertTrue(server.all_are_closed())

    def test_a_read_ends_in_time_without_a_gate(self):
        with Wire(sends_byte_by_byte) as server:
            began = time.monotonic()
            with self.assertRaises(ReadFailed):
                HttpSource(server.url, timeout=0.3).read("a", "Bearer a", None)
            # Twenty seconds, if each byte had a limit of its own.
            self.assertTrue(0.3 <= time.monotonic() - began < 10)


class Queue:
    """As much of an SQS client as is used. It hangs until ``release()``."""

    def __init__(self):
        self.sent = 0
        self.fault = None
        self.free = threading.Event()

    def send_message(self, *, QueueUrl, MessageBody):
        self.sent += 1
        self.free.wait(60)
        if self.fault is not None:
            raise self.fault


class Records(Quiet):
    def usage(self):
        sqs, clock = Queue(), Clock()
        self.addCleanup(sqs.free.set)
        return sqs, clock, Usage(MODULE, sqs=sqs, queue_url=QUEUE, now=clock)

    def test_one_answer_waits_150_ms_and_none_after_it_for_ten_minutes(self):
        sqs, clock, usage = self.usage()
        is_sent, took = timed(lambda: usage.send("a", "u", {}))
        self.assertTrue(not is_sent and PATIENCE <= took < 1.5, took)
        began = time.monotonic()
        for _ in range(600):
            self.assertFalse(usage.send("a", "u", {}))
            clock.advance(1)
        # Ninety seconds, if each waited.
        self.assertLess(time.monotonic() - began, 10)
        self.assertEqual((usage.unsent, len(our_threads())), (601, 8))

    def test_what_arrives_late_is_no_longer_unsent_and_ends_the_back_off(self):
        sqs, clock, usage = self.usage()
        for _ in range(3):
            self.assertFalse(usage.send("a", "u", {}))
        self.assertEqual((usage.unsent, sqs.sent), (3, 1))
        sqs.free.set()
        self.assertTrue(wait_until(lambda: usage.unsent == 2 and not our_threads()))
        self.assertTrue(usage.send("a", "u", {}))
        self.assertEqual((usage.unsent, sqs.sent), (2, 2))

    def test_after_a_pause_one_event_is_sent_without_holding_its_request(self):
        sqs, clock, usage = self.usage()
        usage.send("a", "u", {})
        for pause in (1, 2, 4):
            sent = sqs.sent
            clock.advance(pause)
            for _ in range(3):
                usage.send("a", "u", {})
            self.assertTrue(wait_until(lambda sent=sent: sqs.sent == sent + 1))
        self.assertEqual((usage.unsent, sqs.sent), (10, 4))

    def test_refusals_in_time_make_nobody_back_off(self):
        sqs, clock, usage = self.usage()
        sqs.fault = OSError("refused")
        sqs.free.set()
        for _ in range(20):
            self.assertFalse(usage.send("a", "u", {}))
        self.assertEqual((usage.unsent, sqs.sent), (20, 20))

    def test_over_http_no_thread_outlives_its_event(self):
        for misbehave in (never_answers, sends_the_head_only, sends_byte_by_byte):
            with self.subTest(misbehave.__name__), Wire(misbehave) as server:
                clock = Clock()
                usage = Usage(MODULE, url=server.url, timeout=0.5, now=clock)
                began = time.monotonic()
                for _ in range(50):
                    self.assertFalse(usage.send("a", "u", {}, "Bearer a"))
                    clock.advance(30)
                self.assertLess(time.monotonic() - began, 5)
                self.assertEqual(usage.unsent, 50)
                self.assertTrue(wait_until(lambda: not our_threads()), our_threads())


if __name__ == "__main__":
    unittest.main()
