"""The state over HTTP, from a server that is as strict as ours and then misbehaves."""

import json
import logging
import socket
import time
import unittest

from bed import MODULE, NOBODY, Clock, Server, event, module, state
from module_mgmt import Gate, GateLimits, HttpSource


def proper(found):
    """The organisation is the token's: ``Bearer <org>``; ``Bearer admin`` may ask with ``?orgId=``."""

    def answer(request):
        expected = "Bearer admin" if "?" in request["path"] else f"Bearer {found['orgId']}"
        tag = f'"{found["version"]}"'
        if request["headers"].get("authorization") != expected:
            return 401, {}, b""
        if request["headers"].get("if-none-match") == tag:
            return 304, {"etag": tag}, b""
        return 200, {"etag": tag, "content-type": "application/json"}, json.dumps(found).encode()

    return answer


def always(status, body=b"", headers=None):
    return lambda request: (status, headers or {}, body)


def hang(request):
    time.sleep(3)
    return 200, {}, b""


class Http(unittest.TestCase):
    def setUp(self):
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)

    def gate(self, server, timeout=2.0, **options):
        clock = Clock()
        source = HttpSource(server.url + "/", timeout=timeout, **options)
        return Gate(MODULE, "functional", source, limits=GateLimits(timeout=timeout), now=clock), clock

    def test_an_unchanged_registry_costs_one_304_each_thirty_seconds(self):
        with Server(proper(state(version="v-1"))) as server:
            gate, clock = self.gate(server)
            for _ in range(3):
                self.assertIsNone(gate.check("a", NOBODY, "Bearer a"))
                self.assertIsNone(gate.check("a", NOBODY, "Bearer a"))
                clock.advance(30)
            server.answer = proper(state(version="v-2", modules=[module("dependency_off")]))
            self.assertEqual(gate.check("a", NOBODY, "Bearer a"), "dependency_off")
            self.assertEqual([asked["status"] for asked in server.asked], [200, 304, 304, 200])
            self.assertEqual({asked["path"] for asked in server.asked}, {"/stage/platform/modules/state"})

    def test_the_address_may_end_with_the_common_prefix_of_the_routes(self):
        for end in ("", "/", "/platform", "/platform/"):
            with Server(proper(state())) as server:
                source = HttpSource(server.url + end)
                self.assertIsNone(Gate(MODULE, "functional", source).check("a", NOBODY, "Bearer a"))
                self.assertEqual({asked["path"] for asked in server.asked}, {"/stage/platform/modules/state"})

    def test_the_events_own_authorization_is_forwarded(self):
        for name in ("authorization", "Authorization"):
            with Server(proper(state())) as server:
                gate, _ = self.gate(server)
                self.assertIsNone(gate.refusal(event(headers={name: "Bearer a"})))

    def test_a_service_token_reads_the_organisation_that_is_asked_about(self):
        org_id = "org|1 &orgId=b/ü"
        with Server(proper(state(org_id))) as server:
            gate, _ = self.gate(server, token=lambda: "Bearer admin")
            self.assertIsNone(gate.check(org_id, NOBODY))
            path = "/stage/platform/modules/state?orgId=org%7C1%20%26orgId%3Db%2F%C3%BC"
            self.assertEqual([asked["path"] for asked in server.asked], [path])

    def test_without_a_usable_credential_nothing_is_asked(self):
        def no_secret():
            raise KeyError("secret")

        with Server(proper(state())) as server:
            for options, credential in (
                ({}, None),
                ({}, "Bearer a\r\nx: 1"),
                ({}, "Bearer ü"),
                ({"token": no_secret}, None),
            ):
                gate, _ = self.gate(server, **options)
                self.assertEqual(gate.check("a", NOBODY, credential), "state_unknown")
            self.assertEqual(server.asked, [])

    def test_trouble_is_answered_from_what_is_known(self):
        for trouble in (
            always(500),
            always(401),
            always(204),
            always(302, headers={"location": "https://elsewhere.example"}),
            always(200),
            always(200, b"<html>"),
            always(200, b"["),
            always(200, b"[" * 100_000),
            always(200, b"\xff"),
            always(200, b"[]"),
            always(200, json.dumps(state("b", "2")).encode()),
            always(200, json.dumps({**state(), "padding": "x" * 1024 * 1024}).encode()),
            always(200, b"{}", {"content-length": "100"}),
        ):
            with Server(trouble) as server:
                gate, clock = self.gate(server)
                self.assertEqual(gate.check("a", NOBODY, "Bearer a"), "state_unknown")
                server.answer = proper(state())
                clock.advance(1)
                self.assertIsNone(gate.check("a", NOBODY, "Bearer a"))
                server.answer = trouble
                clock.advance(30)
                self.assertIsNone(gate.check("a", NOBODY, "Bearer a"))
                clock.advance(270)
                self.assertEqual(gate.check("a", NOBODY, "Bearer a"), "state_unknown")

    def test_a_304_that_nobody_asked_for_is_no_answer(self):
        with Server(always(304)) as server:
            self.assertEqual(self.gate(server)[0].check("a", NOBODY, "Bearer a"), "state_unknown")

    def test_a_server_that_hangs_or_is_not_there_holds_nobody(self):
        with Server(hang) as server:
            began = time.monotonic()
            self.assertEqual(self.gate(server, timeout=0.2)[0].check("a", NOBODY, "Bearer a"), "state_unknown")
            self.assertLess(time.monotonic() - began, 2)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            source = HttpSource(f"http://127.0.0.1:{free.getsockname()[1]}")
            self.assertEqual(Gate(MODULE, "functional", source).check("a", NOBODY, "Bearer a"), "state_unknown")

    def test_no_log_line_holds_a_credential(self):
        logging.disable(logging.NOTSET)
        for credential in ("Bearer secret", "Bearer secret\n"):
            with Server(always(500)) as server, self.assertLogs("module_mgmt") as logged:
                self.gate(server)[0].check("a", NOBODY, credential)
            self.assertNotIn("secret", "".join(logged.output))

    def test_only_this_machine_may_be_reached_without_tls(self):
        for good in (
            "https://api.example.com",
            "https://api.example.com:8443/prod/",
            "http://localhost:1",
            "http://[::1]:1",
        ):
            HttpSource(good)
        for bad in (
            "",
            "api.example.com",
            "ftp://localhost",
            "http://api.example.com",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://localhost@api.example.com",
            "https://user:secret@api.example.com",
            "https://api.example.com?x=1",
            "https://api.example.com:port",
        ):
            with self.subTest(bad), self.assertRaises(ValueError):
                HttpSource(bad)


if __name__ == "__main__":
    unittest.main()
