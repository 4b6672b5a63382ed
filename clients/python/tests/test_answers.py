"""Who passes the gate, and what the others are answered."""

import json
import logging
import unittest
from pathlib import Path

from bed import MODULE, Registry, event, module, problem, state
from module_mgmt import NotAnHttpEvent

# The Rust gate's tests read the same cases, so that both answer alike.
CASES = Path(__file__).resolve().parents[3] / "crates/module-mgmt-host/tests/gate/cases.json"


class Answers(unittest.TestCase):
    def setUp(self):
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)

    def test_every_case_is_answered_as_the_other_clients_answer_it(self):
        for case in json.loads(CASES.read_text()):
            with self.subTest(case["name"]):
                sent = event(rawPath=case.get("rawPath", "/orders/7"))
                sent["requestContext"]["stage"] = case.get("stage", "$default")
                sent["requestContext"]["authorizer"] = case.get("authorizer")
                if "authorizer" not in case:
                    del sent["requestContext"]["authorizer"]
                gate, _ = Registry(state(modules=[case["module"]] if case["module"] else [])).gate()
                answer = gate(lambda event, context: "handled")(sent, None)
                expected = case["expected"]
                if expected == "handled":
                    self.assertEqual(answer, "handled")
                    continue
                expected = {**expected, "status": expected["statusCode"], "requestId": "gateway-id"}
                expected["type"] = "urn:module-mgmt:problem:" + expected["code"].replace("_", "-")
                self.assertEqual(answer["statusCode"], expected.pop("statusCode"), answer)
                self.assertEqual(problem(answer), expected)
                self.assertEqual(answer["headers"]["x-request-id"], "gateway-id")
                self.assertEqual(
                    answer["headers"].get("www-authenticate"), "Bearer" if expected["status"] == 401 else None
                )

    def test_an_unreadable_state_is_told_as_such(self):
        gate, _ = Registry().gate()
        answer = gate.refusal(event())
        self.assertEqual((answer["statusCode"], problem(answer)["reason"]), (503, "state_unknown"))

    def test_without_identity_nothing_is_read(self):
        registry = Registry(state())
        gate, _ = registry.gate("core")
        self.assertEqual(gate.refusal(event({"sub": "u"}))["statusCode"], 401)
        self.assertEqual(registry.reads, [])

    def test_half_a_character_is_no_id(self):
        gate, _ = Registry().gate("core")
        self.assertEqual(gate.refusal(event({"sub": "u", "org_id": "\ud800"}))["statusCode"], 401)

    def test_nothing_in_headers_query_or_body_chooses_the_organisation(self):
        gate, _ = Registry(state(modules=[module("org_off")]), state("b")).gate()
        sent = event(rawQueryString="orgId=b&org_id=b", body='{"orgId":"b"}')
        sent["headers"]["x-org-id"] = "b"
        self.assertEqual(problem(gate.refusal(sent))["reason"], "org_off")

    def test_other_kinds_of_events_are_errors(self):
        # A refusal would tell a queue that its messages were handled.
        gate, _ = Registry(state()).gate("core")
        for other in (
            None,
            [],
            "x",
            {},
            {"Records": [{"body": "{}"}]},
            {"requestContext": {}, "rawPath": "/"},
            event(rawPath=7),
        ):
            with self.subTest(repr(other)), self.assertRaises(NotAnHttpEvent):
                gate.refusal(other)

    def test_the_request_id_of_the_invocation_stands_in(self):
        class Context:
            aws_request_id = "invocation-id"

        gate, _ = Registry(state(modules=[module("org_off")])).gate()
        sent = event()
        del sent["requestContext"]["requestId"]
        self.assertEqual(problem(gate.refusal(sent, Context()))["requestId"], "invocation-id")

    def test_the_wrapped_handler_keeps_its_name(self):
        def handler(event, context):
            return MODULE

        gate, _ = Registry(state()).gate()
        self.assertEqual((gate(handler).__name__, gate(handler)(event(), None)), ("handler", MODULE))


if __name__ == "__main__":
    unittest.main()
