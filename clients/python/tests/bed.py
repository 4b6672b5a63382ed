"""A registry whose answers a test decides, a clock that it moves, and events as the gateway sends them."""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from module_mgmt import Gate, GateLimits, Moment, ReadFailed

MODULE = "module-orders"
NOBODY = frozenset()


def event(claims=None, **more):
    """An HTTP API 2.0 event of a signed-in member of organisation a."""
    return {
        "version": "2.0",
        "rawPath": "/orders/7",
        "headers": {"authorization": "Bearer t"},
        "requestContext": {
            "http": {"method": "GET"},
            "stage": "$default",
            "requestId": "gateway-id",
            "routeKey": "GET /orders/{id}",
            "authorizer": {"jwt": {"claims": {"sub": "u", "org_id": "a"} if claims is None else claims}},
        },
        **more,
    }


def problem(answer):
    assert answer["headers"]["content-type"] == "application/problem+json", answer
    assert answer["headers"]["cache-control"] == "no-store", answer
    assert answer["isBase64Encoded"] is False, answer
    return json.loads(answer["body"])


def module(reason=None, **more):
    found = {
        "name": MODULE,
        "type": "functional",
        "enabled": reason is None,
        "reason": reason,
        "requiredPermissions": [],
    }
    return {**found, **more}


def state(org_id="a", version="1", modules=None):
    return {"version": version, "orgId": org_id, "modules": [module()] if modules is None else modules}


class Clock:
    """Stands still until it is moved."""

    def __init__(self):
        self.moment = Moment(1_000_000.0, 500.0)

    def __call__(self):
        return self.moment

    def advance(self, seconds):
        self.moment = Moment(self.moment.wall + seconds, self.moment.steady + seconds)

    def freeze(self, seconds):
        """The sandbox is frozen and thawed: the steady clock stood still."""
        self.moment = Moment(self.moment.wall + seconds, self.moment.steady)

    def set_back(self, seconds):
        self.moment = Moment(self.moment.wall - seconds, self.moment.steady)


class Registry:
    """Answers from memory, and strictly: an organisation that was not given is a failure."""

    def __init__(self, *states):
        self.states = {each["orgId"]: each for each in states}
        self.fault = None
        self.delay = 0.0
        self.reads = []
        self.under_way = self.most_under_way = 0
        self._lock = threading.Lock()

    def read(self, org_id, authorization, known_version):
        with self._lock:
            self.reads.append((org_id, authorization, known_version))
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
        time.sleep(self.delay)
        with self._lock:
            self.under_way -= 1
        if self.fault is not None:
            raise self.fault
        if org_id not in self.states:
            raise ReadFailed("no such organisation")
        found = self.states[org_id]
        return None if found["version"] == known_version else found

    def gate(self, module_type="functional", **limits):
        clock = Clock()
        return Gate(MODULE, module_type, self, limits=GateLimits(**limits), now=clock), clock


class Server:
    """An HTTP server on this machine; ``answer(request)`` returns status, headers and body."""

    def __init__(self, answer):
        server = self
        self.answer = answer
        self.asked = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = {"method": self.command, "path": self.path, "headers": headers, "body": body}
                status, headers, body = server.answer(request)
                server.asked.append({**request, "status": status})
                try:
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass  # The client gave up.

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/stage"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
