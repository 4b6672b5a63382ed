"""How old a snapshot may be, what a renewal costs, and what becomes of trouble."""

import logging
import threading
import time
import unittest

from bed import NOBODY, Registry, module, state
from module_mgmt import EVERY_PERMISSION, CredentialRefused, Gate, ReadFailed


class Quiet(unittest.TestCase):
    def setUp(self):
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)


class Ages(Quiet):
    def test_a_change_is_seen_after_thirty_seconds(self):
        registry = Registry(state())
        gate, clock = registry.gate()
        self.assertIsNone(gate.check("a", NOBODY))
        registry.states["a"] = state(version="2", modules=[module("platform_off")])
        clock.advance(29)
        self.assertIsNone(gate.check("a", NOBODY))
        clock.advance(1)
        self.assertEqual(gate.check("a", NOBODY), "platform_off")
        self.assertEqual([known for _, _, known in registry.reads], [None, "1"])

    def test_an_unchanged_registry_renews_the_snapshot_by_its_version(self):
        registry = Registry(state())
        gate, clock = registry.gate()
        for _ in range(4):
            self.assertIsNone(gate.check("a", NOBODY))
            self.assertIsNone(gate.check("a", NOBODY))
            clock.advance(30)
        self.assertEqual([known for _, _, known in registry.reads], [None, "1", "1", "1"])

    def test_a_thawed_sandbox_knows_how_long_it_was_frozen(self):
        registry = Registry(state())
        gate, clock = registry.gate()
        gate.check("a", NOBODY)
        clock.freeze(31)
        gate.check("a", NOBODY)
        self.assertEqual(len(registry.reads), 2)

    def test_a_wall_clock_that_is_set_back_makes_no_snapshot_younger(self):
        registry = Registry(state())
        gate, clock = registry.gate()
        gate.check("a", NOBODY)
        clock.advance(20)
        clock.set_back(3600)
        gate.check("a", NOBODY)
        self.assertEqual(len(registry.reads), 1)
        clock.advance(10)
        gate.check("a", NOBODY)
        self.assertEqual(len(registry.reads), 2)

    def test_no_setting_makes_a_snapshot_answer_for_longer(self):
        registry = Registry(state())
        gate, clock = registry.gate(max_age=3600)
        gate.check("a", NOBODY)
        clock.advance(30)
        gate.check("a", NOBODY)
        self.assertEqual(len(registry.reads), 2)

    def test_the_least_recently_used_organisation_leaves(self):
        registry = Registry(state("a"), state("b"), state("c"))
        gate, _ = registry.gate(organisations=2)
        for org_id in "abacab":
            self.assertIsNone(gate.check(org_id, NOBODY))
        self.assertEqual([org_id for org_id, _, _ in registry.reads], ["a", "b", "c", "b"])

    def test_organisations_never_answer_for_each_other(self):
        registry = Registry(state("a"), state("b", modules=[module("org_off")]))
        gate, clock = registry.gate()
        for _ in range(3):
            answers = [gate.check(org_id, EVERY_PERMISSION) for org_id in "abc"]
            self.assertEqual(answers, [None, "org_off", "state_unknown"])
            clock.advance(30)


class Trouble(Quiet):
    def test_with_no_snapshot_at_all_core_is_open_and_functional_closed(self):
        for declared, expected in (("core", None), ("functional", "state_unknown")):
            gate, _ = Registry().gate(declared)
            self.assertEqual(gate.check("a", NOBODY), expected)
        with self.assertRaises(ValueError):
            Gate("module-orders", "other", Registry())

    def test_the_last_snapshot_goes_on_for_five_minutes_and_no_longer(self):
        for reason in (None, "org_off"):
            registry = Registry(state(modules=[module(reason)]))
            gate, clock = registry.gate()
            gate.check("a", NOBODY)
            registry.fault = ReadFailed("down")
            clock.advance(299)
            self.assertEqual(gate.check("a", NOBODY), reason)
            clock.advance(1)
            self.assertEqual(gate.check("a", NOBODY), "state_unknown")
            registry.fault = None
            clock.advance(1)
            self.assertEqual(gate.check("a", NOBODY), reason)
            self.assertEqual(registry.reads[-1][2], "1")

    def test_what_the_registry_said_about_the_type_outlives_the_snapshot(self):
        registry = Registry(state(modules=[module("org_off", type="core")]), state("b"))
        for org_id, declared, expected in (("a", "functional", None), ("b", "core", "state_unknown")):
            registry.fault = None
            gate, clock = registry.gate(declared)
            gate.check(org_id, NOBODY)
            registry.fault = OSError("down")
            clock.advance(300)
            self.assertEqual(gate.check(org_id, NOBODY), expected)

    def test_a_dead_endpoint_is_asked_once_a_second_for_each_organisation(self):
        registry = Registry()
        gate, clock = registry.gate()
        for _ in range(3):
            for _ in range(50):
                gate.check("a", NOBODY)
            gate.check("b", NOBODY)
            clock.advance(1)
        self.assertEqual(len(registry.reads), 6)

    def test_answers_that_cannot_be_right_are_no_answers(self):
        for odd in (
            {},
            {**state(), "orgId": "b"},
            {**state(), "version": 1},
            {**state(), "modules": None},
            {**state(), "modules": ["module-orders"]},
            state(modules=[module(enabled="yes")]),
            state(modules=[module(enabled=None)]),
            state(modules=[module("org_off", enabled=True)]),
            state(modules=[module("something_new", enabled=True)]),
            state(modules=[module("permission_missing")]),
            state(modules=[{name: value for name, value in module().items() if name != "type"}]),
            state(modules=[module(requiredPermissions="orders.read")]),
            state(modules=[module(requiredPermissions=[1])]),
        ):
            with self.subTest(repr(odd)):
                registry = Registry()
                registry.states["a"] = {"version": None, **odd}
                gate, _ = registry.gate()
                self.assertEqual(gate.check("a", NOBODY), "state_unknown")


class NewerControlPlanes(Quiet):
    def test_an_unknown_type_counts_as_functional_and_an_unknown_reason_is_off(self):
        for odd, expected in (
            (module(enabled=False), "unknown"),
            (module("something_new"), "unknown"),
            (module("state_unknown"), "unknown"),
            (module({"code": "trial_over"}), "unknown"),
            (module(type="premium"), None),
            (module("org_off", type={"tier": 2}), "org_off"),
            (module(somewhat="new"), None),
        ):
            with self.subTest(repr(odd)):
                gate, clock = Registry(state(modules=[odd])).gate("core")
                self.assertEqual(gate.check("a", NOBODY), expected)
        # An unknown type is closed once nothing is known for too long, whatever the host has said.
        registry = Registry(state(modules=[module(type="premium")]))
        gate, clock = registry.gate("core")
        gate.check("a", NOBODY)
        registry.fault = ReadFailed("down")
        clock.advance(300)
        self.assertEqual(gate.check("a", NOBODY), "state_unknown")


class Threads(Quiet):
    def test_one_read_serves_all_requests_that_wait_for_it(self):
        registry = Registry(state("a"), state("b"))
        registry.delay = 0.1
        gate, clock = registry.gate()
        for expected in (2, 4):
            answers = in_threads(40, lambda n: gate.check("ab"[n % 2], NOBODY))
            self.assertEqual((set(answers), len(registry.reads)), ({None}, expected))
            clock.advance(30)
        self.assertEqual(registry.most_under_way, 2, "organisations do not wait for each other")

    def test_a_hanging_read_holds_nobody_for_longer_than_the_limit(self):
        registry = Registry(state())
        registry.delay = 5
        gate, _ = registry.gate(timeout=0.2)
        began = time.monotonic()
        answers = in_threads(10, lambda _: gate.check("a", NOBODY))
        self.assertEqual((set(answers), len(registry.reads)), ({"state_unknown"}, 1))
        self.assertLess(time.monotonic() - began, 4)


class Pings(Quiet):
    def test_a_refresh_reads_every_organisation_with_its_newest_good_credential(self):
        registry = Registry(state("a"), state("b"))
        gate, clock = registry.gate()
        gate.check("a", NOBODY, "Bearer old")
        clock.advance(30)
        gate.check("a", NOBODY, "Bearer new")
        gate.check("b", NOBODY, "Bearer b")
        registry.states["a"] = state(version="2", modules=[module("platform_off")])
        gate.refresh()
        self.assertEqual(sorted(registry.reads[3:]), [("a", "Bearer new", "1"), ("b", "Bearer b", "1")])
        clock.advance(29)
        self.assertEqual((gate.check("a", NOBODY), len(registry.reads)), ("platform_off", 5))

    def test_an_expired_credential_makes_no_request_wait(self):
        registry = Registry(state())
        gate, clock = registry.gate()
        gate.check("a", NOBODY, "Bearer expired")
        clock.advance(400)
        registry.fault = CredentialRefused("expired")
        gate.refresh()
        registry.fault = None
        self.assertIsNone(gate.check("a", NOBODY, "Bearer good"))

    def test_a_credential_that_was_refused_is_not_kept(self):
        registry = Registry(state())
        registry.fault = CredentialRefused("bad")
        gate, clock = registry.gate()
        gate.check("a", NOBODY, "Bearer bad")
        clock.advance(1)
        gate.check("a", NOBODY)
        self.assertIsNone(registry.reads[1][1])

    def test_a_refresh_ends_in_time(self):
        registry = Registry(*(state(str(n)) for n in range(40)))
        gate, _ = registry.gate()
        for n in range(40):
            gate.check(str(n), NOBODY)
        registry.delay = 0.2
        began = time.monotonic()
        gate.refresh(0.3)
        self.assertLess(time.monotonic() - began, 1.5)
        self.assertEqual(registry.most_under_way, 8)


def in_threads(count, work):
    answers = []
    threads = [threading.Thread(target=lambda n=n: answers.append(work(n))) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


if __name__ == "__main__":
    unittest.main()
