"""A ping is answered before the handler runs, as the warmer's protocol wants it."""

import logging
import time
import unittest

from bed import NOBODY, Registry, state
from module_mgmt import Warm


def ping(hold_ms=0, **more):
    return {"source": "module-mgmt.warmer", "ping": {"runId": "r", "invocation": 1, "of": 1, "holdMs": hold_ms, **more}}


class WarmPings(unittest.TestCase):
    def test_a_ping_is_answered_and_every_other_event_reaches_the_handler(self):
        handler = Warm()(lambda event, context: {"handled": event})
        first, second = handler(ping(), None), handler(ping(), None)
        self.assertEqual(set(first), {"instanceId", "coldStart", "initMs", "ageMs"})
        self.assertEqual((first["coldStart"], second["coldStart"]), (True, False))
        self.assertEqual(first["instanceId"], second["instanceId"])
        self.assertLessEqual(first["initMs"], first["ageMs"])
        for other in (
            None,
            "module-mgmt.warmer",
            {},
            {"source": "aws.events", "ping": ping()["ping"]},
            {"source": "module-mgmt.warmer"},
            {"source": "module-mgmt.warmer", "ping": {}},
            {"body": "module-mgmt.warmer"},
            {"detail": ping()},
            ping(hold_ms=-1),
            ping(hold_ms=1.5),
            ping(hold_ms=1 << 64),
            ping(hold_ms="1"),
            ping(hold_ms=True),
            ping(invocation=1 << 32),
            ping(runId=7),
        ):
            self.assertEqual(handler(other, None), {"handled": other})

    def test_the_first_event_is_cold_whatever_it_is(self):
        warm = Warm()
        self.assertIsNone(warm.answer({}))
        self.assertFalse(warm.answer(ping())["coldStart"])

    def test_a_hold_is_kept_but_never_longer_than_two_seconds(self):
        for asked, shortest, longest in ((100, 0.1, 1.5), ((1 << 64) - 1, 2.0, 3.5)):
            began = time.monotonic()
            Warm().answer(ping(asked))
            self.assertTrue(shortest <= time.monotonic() - began < longest)

    def test_a_ping_refreshes_the_gate_while_it_is_held(self):
        registry = Registry(state())
        gate, _ = registry.gate()
        gate.check("a", NOBODY, "Bearer t")
        registry.delay = 0.1
        began = time.monotonic()
        Warm(on_ping=gate.refresh).answer(ping(100))
        self.assertEqual(registry.reads[1:], [("a", "Bearer t", "1")])
        self.assertLess(time.monotonic() - began, 1)

    def test_a_task_that_hangs_or_fails_is_no_matter_of_the_ping(self):
        def fail():
            raise OSError("down")

        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)
        self.assertIsNotNone(Warm(on_ping=fail).answer(ping()))
        began = time.monotonic()
        self.assertIsNotNone(Warm(on_ping=lambda: time.sleep(30)).answer(ping()))
        self.assertLess(time.monotonic() - began, 4)


if __name__ == "__main__":
    unittest.main()
