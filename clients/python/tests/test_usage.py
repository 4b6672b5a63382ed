"""Each request of a signed-in caller is one event, whatever becomes of it, and no event fails a request."""

import asyncio
import inspect
import json
import logging
import time
import unittest
import uuid
from datetime import datetime, timezone

from bed import MODULE, Registry, Server, event, module, state
from module_mgmt import Usage, Warm, uuid7

QUEUE = "https://sqs.eu-central-1.amazonaws.com/1/usage"


class Queue:
    """As much of an SQS client as is used."""

    def __init__(self, fault=None, delay=0.0):
        self.fault, self.delay, self.sent = fault, delay, []

    def send_message(self, *, QueueUrl, MessageBody):
        time.sleep(self.delay)
        if self.fault is not None:
            raise self.fault
        self.sent.append((QueueUrl, json.loads(MessageBody)))


def counted(answer, sqs, **options):
    usage = Usage(MODULE, sqs=sqs, queue_url=QUEUE, **options)
    return usage, usage(lambda event, context: answer(event) if callable(answer) else answer)


class Events(unittest.TestCase):
    def use(self, answer, sent=None):
        sqs = Queue()
        _, handler = counted(answer, sqs)
        handler(event() if sent is None else sent, None)
        ((queue, message),) = sqs.sent
        self.assertEqual(queue, QUEUE)
        return message

    def test_a_request_is_one_message_with_the_callers_organisation(self):
        before = datetime.now(timezone.utc).timestamp()
        message = self.use({"statusCode": 200}, event(body='{"orgId":"b","userId":"x"}'))
        self.assertEqual((message["orgId"], message["userId"], set(message)), ("a", "u", {"orgId", "userId", "event"}))
        use = message["event"]
        identifier, occurred = uuid.UUID(use.pop("id")), use.pop("occurredAt")
        self.assertEqual((identifier.version, identifier.variant), (7, uuid.RFC_4122))
        moment = datetime.strptime(occurred, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
        self.assertEqual(identifier.int >> 80, round(moment.timestamp() * 1000))
        self.assertTrue(before - 1 < moment.timestamp() < before + 5)
        duration = use.pop("durationMs")
        self.assertTrue(isinstance(duration, int) and 0 <= duration < 1000)
        expected = {"eventType": "api_call", "moduleName": MODULE, "endpoint": "/orders/{id}", "httpMethod": "GET"}
        self.assertEqual(use, {**expected, "status": "success"})

    def test_the_duration_is_the_handlers(self):
        self.assertGreaterEqual(self.use(lambda _: time.sleep(0.05))["event"]["durationMs"], 50)

    def test_what_an_answer_says_about_success(self):
        document = {"code": "stale_version", "detail": "the resource has changed"}
        for answer, expected in (
            ("text", {"status": "success"}),
            (None, {"status": "success"}),
            ({"hello": 1}, {"status": "success"}),
            ({"statusCode": "201"}, {"status": "success"}),
            ({"statusCode": 207}, {"status": "partial"}),
            ({"statusCode": 404}, {"status": "failure", "errorCode": "http_404"}),
            ({"statusCode": 500, "body": "<html>"}, {"status": "failure", "errorCode": "http_500"}),
            ({"statusCode": 500, "body": "[1]"}, {"status": "failure", "errorCode": "http_500"}),
            ({"statusCode": "many"}, {"status": "failure", "errorCode": "malformed_answer"}),
            ({"statusCode": None}, {"status": "failure", "errorCode": "malformed_answer"}),
            (
                {"statusCode": 412, "body": json.dumps(document)},
                {"status": "failure", "errorCode": "stale_version", "errorMessage": "the resource has changed"},
            ),
        ):
            with self.subTest(repr(answer)):
                use = self.use(answer)["event"]
                told = {name: use[name] for name in ("status", "errorCode", "errorMessage") if name in use}
                self.assertEqual(told, expected)

    def test_an_exception_is_counted_by_its_class_and_raised(self):
        def fail(_):
            raise KeyError("a secret of the handler's")

        sqs = Queue()
        _, handler = counted(fail, sqs)
        with self.assertRaises(KeyError):
            handler(event(), None)
        use = sqs.sent[0][1]["event"]
        self.assertEqual((use["status"], use["errorCode"]), ("failure", "KeyError"))
        self.assertNotIn("secret", json.dumps(use))

    def test_a_route_without_a_path_counts_by_the_requests_path(self):
        for route_key in ("$default", None):
            sent = event(rawPath="/prod/orders/7")
            sent["requestContext"].update(routeKey=route_key, stage="prod")
            self.assertEqual(self.use("x", sent)["event"]["endpoint"], "/orders/7")

    def test_what_has_no_caller_is_handled_and_not_counted(self):
        sqs = Queue()
        usage, handler = counted("handled", sqs)
        for sent in (event({}), {"Records": []}, None):
            self.assertEqual(handler(sent, None), "handled")
        self.assertEqual((sqs.sent, usage.unsent), ([], 0))

    def test_a_refused_request_is_no_use(self):
        sqs = Queue()
        _, handler = counted("handled", sqs)
        gate, _ = Registry(state(modules=[module("org_off")])).gate()
        self.assertEqual(gate(handler)(event(), None)["statusCode"], 503)
        self.assertEqual(sqs.sent, [])

    def test_identifiers_are_of_version_seven_and_differ(self):
        made = {uuid7(1_700_000_000_123) for _ in range(10_000)}
        self.assertEqual(len(made), 10_000)
        for text in made:
            identifier = uuid.UUID(text)
            self.assertEqual((identifier.version, identifier.variant), (7, uuid.RFC_4122))
            self.assertEqual(identifier.int >> 80, 1_700_000_000_123)


class LaterEnds(unittest.TestCase):
    """Handlers whose answer is still to come when they return."""

    def events_of(self, handler, consume):
        """What is counted before the answer is consumed, and after."""
        sqs = Queue()
        answer = Usage(MODULE, sqs=sqs, queue_url=QUEUE)(handler)(event(), None)
        self.assertEqual(sqs.sent, [])
        try:
            outcome = consume(answer)
        except BaseException as error:
            outcome = type(error)
        ((_, message),) = sqs.sent
        use = message["event"]
        return outcome, use["status"], use.get("errorCode"), use["durationMs"]

    def check(self, handler, consume, *expected):
        *told, duration_ms = self.events_of(handler, consume)
        self.assertEqual(tuple(told), expected)
        self.assertGreaterEqual(duration_ms, 50, "measured until the end")

    def test_an_async_handler_is_measured_until_it_ends(self):
        def answering(answer):
            async def handler(event, context):
                await asyncio.sleep(0.06)
                if isinstance(answer, BaseException):
                    raise answer
                return answer

            return handler

        document = json.dumps({"code": "stale_version", "detail": "the resource has changed"})
        self.check(answering("x"), asyncio.run, "x", "success", None)
        refused = {"statusCode": 412, "body": document}
        self.check(answering(refused), asyncio.run, refused, "failure", "stale_version")
        self.check(answering(KeyError("secret")), asyncio.run, KeyError, "failure", "KeyError")
        cancelled = asyncio.CancelledError
        self.check(answering(cancelled()), asyncio.run, cancelled, "failure", "CancelledError")

    def test_a_handler_that_is_cancelled_has_failed(self):
        async def handler(event, context):
            await asyncio.sleep(60)

        async def cancel(answer):
            task = asyncio.ensure_future(answer)
            await asyncio.sleep(0.06)
            task.cancel()
            await task

        cancelled = asyncio.CancelledError
        self.check(handler, lambda answer: asyncio.run(cancel(answer)), cancelled, "failure", "CancelledError")

    def test_a_plain_handler_may_return_a_coroutine(self):
        async def answer(error):
            await asyncio.sleep(0.06)
            raise error

        self.check(lambda event, context: answer(OSError()), asyncio.run, OSError, "failure", "OSError")

    def test_a_generator_is_measured_until_it_is_exhausted(self):
        def handler(event, context):
            yield 1
            time.sleep(0.06)
            yield 2

        def failing(event, context):
            yield from handler(event, context)
            raise ValueError("secret")

        def read_one(answer):
            next(answer)
            time.sleep(0.06)
            answer.close()

        self.check(handler, list, [1, 2], "success", None)
        self.check(failing, list, ValueError, "failure", "ValueError")
        self.check(handler, read_one, None, "failure", "GeneratorExit")

    def test_an_async_generator_is_measured_until_it_is_exhausted(self):
        async def handler(event, context):
            yield 1
            await asyncio.sleep(0.06)
            yield 2

        async def failing(event, context):
            yield 1
            await asyncio.sleep(0.06)
            raise ValueError("secret")

        async def read(answer):
            return [part async for part in answer]

        self.check(handler, lambda answer: asyncio.run(read(answer)), [1, 2], "success", None)
        self.check(failing, lambda answer: asyncio.run(read(answer)), ValueError, "failure", "ValueError")

    def test_what_ends_the_process_is_a_failure_too(self):
        def handler(event, context):
            raise SystemExit(1)

        sqs = Queue()
        _, wrapped = counted(lambda _: handler(None, None), sqs)
        with self.assertRaises(SystemExit):
            wrapped(event(), None)
        self.assertEqual(sqs.sent[0][1]["event"]["errorCode"], "SystemExit")

    def test_an_async_handler_stays_one_under_all_decorators(self):
        async def handler(event, context):
            return "handled"

        ping = {"source": "module-mgmt.warmer", "ping": {"runId": "r", "invocation": 1, "of": 1, "holdMs": 0}}
        for reason, sent, expected in ((None, event(), "handled"), ("org_off", event(), 503), (None, ping, True)):
            sqs = Queue()
            gate, _ = Registry(state(modules=[module(reason)])).gate()
            decorated = Warm()(gate(Usage(MODULE, sqs=sqs, queue_url=QUEUE)(handler)))
            self.assertTrue(inspect.iscoroutinefunction(decorated))
            answer = asyncio.run(decorated(sent, None))
            if isinstance(answer, dict):
                answer = answer.get("statusCode", "instanceId" in answer)
            self.assertEqual((answer, len(sqs.sent)), (expected, int(expected == "handled")))


class Sending(unittest.TestCase):
    def setUp(self):
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)

    def test_over_http_the_event_goes_to_its_module_with_the_callers_own_authorization(self):
        with Server(lambda request: (201, {}, b"{}")) as server:
            usage = Usage(MODULE, url=server.url)
            self.assertEqual(usage(lambda event, context: {"statusCode": 204})(event(), None), {"statusCode": 204})
            (asked,) = server.asked
            use = json.loads(asked["body"])
        self.assertEqual((asked["method"], asked["path"]), ("POST", f"/stage/platform/modules/{MODULE}/usage"))
        self.assertEqual(asked["headers"]["authorization"], "Bearer t")
        self.assertEqual(asked["headers"]["content-type"], "application/json")
        self.assertNotIn("moduleName", use)
        self.assertEqual((use["eventType"], usage.unsent), ("api_call", 0))

    def test_no_trouble_with_counting_fails_a_request_and_all_of_it_is_counted(self):
        for sqs in (Queue(OSError("down")), Queue(RuntimeError("of the client's")), Queue(delay=5), object()):
            usage, handler = counted("handled", sqs, timeout=0.2)
            logging.disable(logging.NOTSET)
            began = time.monotonic()
            with self.assertLogs("module_mgmt") as logged:
                self.assertEqual([handler(event(), None), handler(event(), None)], ["handled", "handled"])
            self.assertLess(time.monotonic() - began, 4)
            self.assertEqual(usage.unsent, 2)
            self.assertIn("(2 so far)", logged.output[-1])
        logging.disable(logging.CRITICAL)
        for status in (202, 401, 409, 422, 500):
            with Server(lambda request, status=status: (status, {}, b"")) as server:
                usage = Usage(MODULE, url=server.url)
                self.assertEqual(usage(lambda event, context: "handled")(event(), None), "handled")
                self.assertEqual(usage.unsent, 1)

    def test_without_authorization_nothing_is_posted(self):
        with Server(lambda request: (201, {}, b"")) as server:
            usage = Usage(MODULE, url=server.url)
            usage(lambda event, context: "handled")(event(headers={}), None)
            self.assertEqual((usage.unsent, server.asked), (1, []))

    def test_one_way_of_sending_has_to_be_given(self):
        for options in (
            {},
            {"sqs": Queue()},
            {"queue_url": QUEUE},
            {"sqs": Queue(), "queue_url": QUEUE, "url": "https://x.example"},
        ):
            with self.assertRaises(ValueError):
                Usage(MODULE, **options)


if __name__ == "__main__":
    unittest.main()
